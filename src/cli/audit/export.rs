//! `metrust audit export`: the entries, from the running service.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use ureq::Body;
use ureq::http::Response;

use crate::cli::client::{Patience, Target};
use crate::cli::output::{cannot_print, note};
use crate::cli::{Failure, Outcome, path_parser};

/// Export the entries, oldest first, as one JSON object a line or as CSV
///
/// It takes the key of a regulator or an operator, and streams: the length does not matter. An
/// export that breaks off says so and ends with status 1. With --output the file appears only
/// when it is complete.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust audit export --from 2026-11-01 --to 2026-12-01 --output november.ndjson
  metrust audit export --seller sunny-telecom --op check --format csv > checks.csv
  metrust audit export --phone +32475123456 | jq .")]
pub(super) struct Export {
    /// From this date or RFC 3339 time on (UTC)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Up to, and without, this date or RFC 3339 time (UTC)
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Entries of this agency
    #[arg(long, value_name = "ID")]
    agency: Option<String>,

    /// Entries about this seller; `all` for opt-outs from every seller
    #[arg(long, value_name = "ID")]
    seller: Option<String>,

    /// Entries of this kind
    #[arg(long, value_parser = ["check", "register", "withdraw", "opening", "key", "incident", "start", "prune"])]
    op: Option<String>,

    /// Checks with this answer
    #[arg(long, value_parser = ["suppress", "not_listed", "invalid"])]
    answer: Option<String>,

    /// Entries about this number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,

    /// The country of a --phone without country code, as two letters
    #[arg(long, value_name = "COUNTRY")]
    region: Option<String>,

    /// The form of the entries
    #[arg(long, default_value = "ndjson")]
    format: Format,

    /// Write to this file instead of standard output; readable by its owner only
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    output: Option<PathBuf>,

    /// Replace the file of --output if it is there
    #[arg(long, requires = "output")]
    force: bool,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One canonical JSON entry a line
    Ndjson,
    /// A table with a heading
    Csv,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

impl Export {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let place = match self.output.as_deref() {
            Some(file) => Some(Place::new(file, self.force)?),
            None => None,
        };
        let client = self.target.client(data, Patience::Export)?;
        let response = client.open("/v1/audit/entries", &self.query())?;
        whole_can_be_told(&response, self.format)?;
        let mut body = response.into_body().into_reader();
        match place {
            None => match copy(&mut body, &mut io::stdout().lock()) {
                // Whoever reads this has enough, as `head` does.
                Err(Broken::Writing(error)) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(Broken::Writing(error)) => return Err(cannot_print(&error)),
                Err(Broken::Reading(why)) => {
                    return Err(incomplete(&why, "what was printed is not all of it"));
                }
                Ok(_) => {}
            },
            Some(place) => {
                let bytes = place.fill(&mut body)?;
                note(&format!(
                    "{} is complete: {bytes} bytes",
                    place.file.display()
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        let given = [
            ("format", Some(self.format.name())),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("agency", self.agency.as_deref()),
            ("seller", self.seller.as_deref()),
            ("op", self.op.as_deref()),
            ("answer", self.answer.as_deref()),
            ("phone", self.phone.as_deref()),
            ("region", self.region.as_deref()),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// Makes sure that this is an export, and that its end can be told from a broken connection.
fn whole_can_be_told(response: &Response<Body>, format: Format) -> Result<(), Failure> {
    let header = |name| {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if !header("content-type").starts_with(format.media_type()) {
        return Err(Failure::new(
            "what answers is not an export of metrust\n  remedy:     look whether the address is \
             right, and whether a proxy in between answers in its place",
        ));
    }
    let chunked = header("transfer-encoding")
        .to_ascii_lowercase()
        .contains("chunked");
    if !chunked && header("content-length").is_empty() {
        return Err(Failure::new(
            "the export comes in a form whose end cannot be told from a broken connection\n  \
             remedy:     ask the service without the proxy in between",
        ));
    }
    Ok(())
}

fn incomplete(why: &str, so: &str) -> Failure {
    Failure::new(format!(
        "THE EXPORT IS INCOMPLETE: {why}; {so}\n  remedy:     run it again; the service's log says \
         more if it broke off there"
    ))
}

/// Which side of a copy failed.
enum Broken {
    Reading(String),
    Writing(io::Error),
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<u64, Broken> {
    let mut piece = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(Broken::Reading(
                    "the connection was closed before the end".to_owned(),
                ));
            }
            Err(error) => return Err(Broken::Reading(error.to_string())),
        };
        to.write_all(&piece[..length]).map_err(Broken::Writing)?;
        total += length as u64;
    }
    to.flush().map_err(Broken::Writing)?;
    Ok(total)
}

/// A file that appears under its name only when it is complete and on disk.
struct Place<'a> {
    file: &'a Path,
    part: PathBuf,
    replace: bool,
}

impl<'a> Place<'a> {
    fn new(file: &'a Path, replace: bool) -> Result<Self, Failure> {
        let Some(name) = file.file_name() else {
            return Err(Failure::usage("--output must name a file"));
        };
        let mut part = name.to_owned();
        part.push(".part");
        let place = Self {
            file,
            part: file.with_file_name(part),
            replace,
        };
        place.must_be_free()?;
        Ok(place)
    }

    fn must_be_free(&self) -> Result<(), Failure> {
        if self.file.symlink_metadata().is_ok() && !self.replace {
            return Err(Failure::usage(format!(
                "{} is there already\n  remedy:     choose another name, or replace it with \
                 --force",
                self.file.display()
            )));
        }
        Ok(())
    }

    fn fill(&self, body: &mut impl Read) -> Result<u64, Failure> {
        let cannot = |path: &Path, error: &io::Error| {
            Failure::new(format!("cannot write {}: {error}", path.display()))
        };
        let mut part = self.begin().map_err(|error| cannot(&self.part, &error))?;
        let bytes = copy(body, &mut part).map_err(|broken| match broken {
            Broken::Writing(error) => cannot(&self.part, &error),
            Broken::Reading(why) => {
                incomplete(&why, &format!("what arrived is in {}", self.part.display()))
            }
        })?;
        part.sync_all()
            .map_err(|error| cannot(&self.part, &error))?;
        self.must_be_free()?;
        fs::rename(&self.part, self.file)
            .and_then(|()| self.sync_folder())
            .map_err(|error| cannot(self.file, &error))?;
        Ok(bytes)
    }

    /// A new, empty file that only its owner may read, in the place of one that was left behind.
    fn begin(&self) -> io::Result<File> {
        match fs::remove_file(&self.part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.part)
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct BreaksOff(&'static [u8]);

    impl Read for BreaksOff {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            match self.0.read(to)? {
                0 => Err(ErrorKind::UnexpectedEof.into()),
                length => Ok(length),
            }
        }
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ndjson");
        let place = Place::new(&file, false).unwrap();
        let failure = place.fill(&mut BreaksOff(b"half")).unwrap_err();
        assert!(failure.to_string().contains("INCOMPLETE"), "{failure}");
        assert!(!file.exists());
        place.fill(&mut &b"whole"[..]).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"whole");
        assert!(!folder.path().join("a.ndjson.part").exists());
        assert!(!crate::service::keys::readable_by_others(&file));
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let place = Place::new(&file, false).unwrap();
        fs::write(&file, "old").unwrap();
        assert!(Place::new(&file, false).is_err());
        assert!(
            place.fill(&mut &b"new"[..]).is_err(),
            "it appeared meanwhile"
        );
        assert_eq!(fs::read(&file).unwrap(), b"old");
        Place::new(&file, true)
            .unwrap()
            .fill(&mut &b"new"[..])
            .unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
