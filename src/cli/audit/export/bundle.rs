//! A bundle of evidence: the sealed log as it is published, with what verifies it.
//!
//! C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>). It is made in a folder beside its name, verified
//! there, and given its name only then; one in a single file is packed from that folder.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tar::{Builder, EntryType, Header};

use super::Export;
use super::download::{Download, LogRow};
use super::files::put;
use super::span::Span;
use crate::cli::audit::place::{Place, beside, cannot_write};
use crate::cli::audit::{openings, verify};
use crate::cli::client::Patience;
use crate::cli::output::{note, say};
use crate::cli::{Failure, Outcome};
use crate::domain::Moment;
use crate::log::bundle::{Manifest, files};
use crate::log::verify::{self as log, Options, count, keys_in};

/// In a folder that is not complete; nothing else in such a folder is deleted by a later export.
const UNFINISHED: &str = "INCOMPLETE";

impl Export {
    /// Downloads the log and lays it out as a bundle.
    pub(super) fn make_bundle(&self, data: &Path, name: &Path, number: Option<&str>) -> Outcome {
        let span = Span::read(self.from.as_deref(), self.to.as_deref())?;
        let packed = name.to_string_lossy().ends_with(".tar.zst");
        // `case-17/` and `case-17` are the same folder.
        let name: PathBuf = name.components().collect();
        let place = Place::new(&name, self.force)?;
        if name.is_dir() {
            return Err(Failure::usage(format!(
                "{} is a folder already\n  remedy:     choose another name",
                name.display()
            )));
        }
        let client = self.target.client(data, Patience::Usual)?;
        let work = Work::begin(if packed {
            beside(&name, ".part.folder")?
        } else {
            place.part.clone()
        })?;
        let download = Download::new(&client, &work.folder);
        let made = (|| {
            let logs = self.chosen(download.logs()?, &span)?;
            let since = match number {
                None => None,
                Some(number) => {
                    let text = openings::get(&client, number, &self.notation, &span.months())?;
                    note("That you opened this number is on record.");
                    work.put("openings.txt", text.as_bytes())?;
                    openings::given_at(&text)
                }
            };
            let logs = download.checkpoints(logs, since)?;
            work.put("vkeys", &download.vkeys()?)?;
            let entries = download.everything(&logs, &span)?;
            let manifest = Manifest {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                made: Some(Moment::now()),
                logs: logs.iter().map(|log| log.name.to_string()).collect(),
                entries,
            };
            for (name, text) in files(&manifest) {
                work.put(name, text.as_bytes())?;
            }
            Ok(())
        })();
        made.map_err(|failure: Failure| incomplete(&failure, &work.folder))?;
        let told = work.verify()?;
        work.finish()?;
        if packed {
            let mut file = place.begin()?;
            pack(&work.folder, &name, &mut file)
                .map_err(|error| cannot_write(&place.part, &error))?;
            place.finish(&file)?;
            fs::remove_dir_all(&work.folder).map_err(|error| cannot_write(&work.folder, &error))?;
        } else {
            place.name()?;
        }
        say(&told)?;
        note(&format!(
            "{} is complete and holds by the keys that the service names. Compare them with those \
             that the operator publishes elsewhere.",
            name.display()
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// The logs that go into the bundle, oldest first.
    fn chosen(&self, mut all: Vec<LogRow>, span: &Span) -> Result<Vec<LogRow>, Failure> {
        if let Some(missing) = self
            .logs
            .iter()
            .find(|name| !all.iter().any(|log| log.name == **name))
        {
            let names: Vec<String> = all.iter().map(|log| log.name.to_string()).collect();
            return Err(Failure::new(format!(
                "there is no log {missing}; there is: {}",
                names.join(", ")
            )));
        }
        all.retain(|log| match self.logs.is_empty() {
            true => span.touches(log.name),
            false => self.logs.contains(&log.name),
        });
        all.sort_by_key(|log| log.name);
        match all.is_empty() {
            true => Err(Failure::new(
                "there is no log of that time\n  remedy:     see which there are: /log/ of the \
                 service lists them",
            )),
            false => Ok(all),
        }
    }
}

fn incomplete(failure: &Failure, folder: &Path) -> Failure {
    Failure::new(format!(
        "THE BUNDLE IS INCOMPLETE: {failure}\n  what arrived is in {}; running it again begins anew",
        folder.display()
    ))
}

/// The folder of a bundle while it is made.
struct Work {
    folder: PathBuf,
}

impl Work {
    /// A new folder for its owner only, in the place of one that was left behind.
    fn begin(folder: PathBuf) -> Result<Self, Failure> {
        let cannot = |error: &io::Error| cannot_write(&folder, error);
        if folder.join(UNFINISHED).is_file() {
            fs::remove_dir_all(&folder).map_err(|error| cannot(&error))?;
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|error| cannot(&error))?;
        let work = Self { folder };
        work.put(
            UNFINISHED,
            b"This bundle of metrust is not complete, or was not verified. It is no evidence.\n",
        )?;
        Ok(work)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        put(&self.folder, name, bytes)
    }

    /// Whether it holds, by the keys in it; what to say of it.
    fn verify(&self) -> Result<String, Failure> {
        let failed = |error: log::VerifyError| Failure::new(error.to_string());
        let options = Options {
            keys: keys_in(&self.folder).map_err(failed)?,
            beside: vec![self.folder.join(UNFINISHED)],
            ..Options::default()
        };
        let bar = verify::bar(count(&self.folder).map_err(failed)?);
        let report = log::verify(&self.folder, &options, &|entries| bar.inc(entries));
        bar.finish_and_clear();
        let report = report.map_err(failed)?;
        let told = verify::in_words(&report);
        match report.holds() {
            true => Ok(told),
            false => Err(Failure::new(format!(
                "THE LOG DOES NOT HOLD: what the service gave is not what it signed. It is in {}.\n\
                 {told}\n  remedy:     keep that folder, and tell the regulator and the operator",
                self.folder.display()
            ))),
        }
    }

    /// Brings it to disk, complete.
    fn finish(&self) -> Result<(), Failure> {
        let mark = self.folder.join(UNFINISHED);
        fs::remove_file(&mark).map_err(|error| cannot_write(&mark, &error))?;
        sync(&self.folder).map_err(|error| cannot_write(&self.folder, &error))
    }
}

/// Brings everything in the file system of a folder to disk: once, instead of once for every file.
#[cfg(target_os = "linux")]
fn sync(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Brings everything to disk: once, instead of once for every file.
#[cfg(not(target_os = "linux"))]
fn sync(_: &Path) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Packs a folder into one file, below the name of the bundle, in the order of the names.
fn pack(folder: &Path, name: &Path, file: &mut File) -> io::Result<()> {
    let root = name.file_name().unwrap_or_default().to_string_lossy();
    let root = PathBuf::from(root.trim_end_matches(".tar.zst"));
    let mut tar = Builder::new(zstd::Encoder::new(file, 0)?);
    append(&mut tar, folder, &root)?;
    tar.into_inner()?.finish()?;
    Ok(())
}

fn append(tar: &mut Builder<impl Write>, folder: &Path, inside: &Path) -> io::Result<()> {
    let header = |kind, size, mode| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(mode);
        header.set_mtime(u64::try_from(Moment::now().millis() / 1000).unwrap_or(0));
        header
    };
    tar.append_data(
        &mut header(EntryType::Directory, 0, 0o700),
        inside,
        io::empty(),
    )?;
    let mut items = Vec::new();
    for item in fs::read_dir(folder)? {
        items.push(item?.path());
    }
    items.sort();
    for path in items {
        let inside = inside.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            append(tar, &path, &inside)?;
        } else {
            let file = File::open(&path)?;
            let size = file.metadata()?.len();
            tar.append_data(&mut header(EntryType::Regular, size, 0o600), inside, file)?;
        }
    }
    Ok(())
}
