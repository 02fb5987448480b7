//! Where the answered rows go: a file that gets its name when it is complete, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::progress::Done;
use crate::cli::Failure;
use crate::cli::audit::place::{Place, beside, cannot_write};
use crate::cli::output::cannot_print;
use crate::table::csv_to_sheet;

/// Where everything goes.
#[derive(Debug)]
pub(super) struct Destination {
    /// Nothing for standard output.
    pub file: Option<PathBuf>,
    receipts: Option<PathBuf>,
    force: bool,
}

impl Destination {
    pub fn of(
        list: &Path,
        output: Option<&Path>,
        receipts: Option<&Path>,
        force: bool,
    ) -> Result<Self, Failure> {
        let dash = Path::new("-");
        let file = match output {
            Some(file) if file == dash => None,
            Some(file) => Some(file.to_owned()),
            None if list == dash => None,
            None => Some(washed(list)?),
        };
        if file.as_deref() == Some(list) {
            return Err(Failure::usage("the output would replace the list itself"));
        }
        let receipts = match (receipts, &file) {
            (Some(receipts), _) => Some(receipts.to_owned()),
            (None, Some(file)) => Some(beside(file, ".receipts.ndjson")?),
            (None, None) => None,
        };
        let destination = Self {
            file,
            receipts,
            force,
        };
        // Both must be free before anything is asked.
        destination.place()?;
        destination.receipts()?;
        Ok(destination)
    }

    fn place(&self) -> Result<Option<Place<'_>>, Failure> {
        let file = self.file.as_deref();
        file.map(|file| Place::new(file, self.force)).transpose()
    }

    /// Where the receipts go. They are there before the rows are complete: those of a run that ended
    /// in between may be replaced.
    pub fn receipts(&self) -> Result<Option<Place<'_>>, Failure> {
        let file = self.receipts.as_deref();
        let unfinished = self.partial()?.is_some_and(|rows| rows.exists());
        let place = file.map(|file| Place::new(file, self.force || unfinished));
        place.transpose()
    }

    /// Where the rows lie until they are complete.
    pub fn partial(&self) -> Result<Option<PathBuf>, Failure> {
        let file = self.file.as_deref();
        file.map(|file| beside(file, ".partial")).transpose()
    }

    /// Whether the rows become a spreadsheet.
    pub fn is_sheet(&self) -> bool {
        let extension = self.file.as_deref().and_then(Path::extension);
        extension.is_some_and(|text| text.eq_ignore_ascii_case("xlsx"))
    }

    /// What to say when it is complete.
    pub fn complete(&self) -> String {
        match &self.file {
            Some(file) => format!("{} is complete", file.display()),
            None => "complete".to_owned(),
        }
    }

    /// Opens it, to go on where it stopped.
    pub fn open(&self, done: &Done) -> Result<Output, Failure> {
        let Some(path) = self.partial()? else {
            return Ok(Output {
                to: To::Standard(BufWriter::new(io::stdout())),
                written: 0,
                gone: false,
            });
        };
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                // What came after it was last written down is asked again.
                file.set_len(done.written)?;
                file.seek(SeekFrom::End(0))?;
                Ok(file)
            });
        let file = opened.map_err(|error| cannot_write(&path, &error))?;
        Ok(Output {
            to: To::File(BufWriter::with_capacity(1 << 18, file), path),
            written: done.written,
            gone: false,
        })
    }
}

/// `list.csv` becomes `list.washed.csv`; of the spreadsheets only .xlsx is written, and nothing is
/// packed.
fn washed(list: &Path) -> Result<PathBuf, Failure> {
    let list = match list.extension().and_then(|text| text.to_str()) {
        Some("gz" | "zst") => list.with_extension(""),
        Some("xls" | "ods" | "xlsm" | "xlsb") => list.with_extension("xlsx"),
        _ => list.to_owned(),
    };
    let list = list.as_path();
    match list.extension().and_then(|text| text.to_str()) {
        Some(extension) => Ok(list.with_extension(format!("washed.{extension}"))),
        None => beside(list, ".washed"),
    }
}

/// Makes a spreadsheet of the rows.
fn as_sheet(rows: &Path, sheet: &Path, delimiter: u8) -> Result<(), Failure> {
    let not_made = |error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "the spreadsheet cannot be written: {error}\n  kept:       all rows are answered, and lie \
             as text in {}",
            rows.display()
        ))
    };
    let table = File::open(rows).map_err(|error| not_made(&error))?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(sheet).map_err(|error| not_made(&error))?;
    csv_to_sheet(table, delimiter, &mut file).map_err(|error| not_made(&error))?;
    file.sync_all().map_err(|error| not_made(&error))
}

/// Rows on their way.
pub(super) struct Output {
    to: To,
    /// How many bytes were written.
    pub written: u64,
    /// Whether nobody reads standard output any more.
    gone: bool,
}

enum To {
    File(BufWriter<File>, PathBuf),
    Standard(BufWriter<io::Stdout>),
}

impl Output {
    pub fn write(&mut self, row: &[u8]) -> Result<(), Failure> {
        self.written += row.len() as u64;
        let wrote = match &mut self.to {
            To::File(file, _) => file.write_all(row),
            To::Standard(out) => out.write_all(row),
        };
        self.judge(wrote)
    }

    pub fn flush(&mut self) -> Result<(), Failure> {
        let flushed = match &mut self.to {
            To::File(file, _) => file.flush(),
            To::Standard(out) => out.flush(),
        };
        self.judge(flushed)
    }

    fn judge(&mut self, wrote: io::Result<()>) -> Result<(), Failure> {
        match (wrote, &self.to) {
            (Ok(()), _) => Ok(()),
            (Err(error), To::File(_, path)) => Err(cannot_write(path, &error)),
            (Err(error), To::Standard(_)) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Err(Failure::new("whoever reads standard output has gone away"))
            }
            (Err(error), To::Standard(_)) => Err(cannot_print(&error)),
        }
    }

    /// Gives the file its name, once it is on disk; a spreadsheet is made of the rows first, which
    /// have `delimiter` between their cells. False when nobody takes it any more.
    pub fn finish(&mut self, destination: &Destination, delimiter: u8) -> Result<bool, Failure> {
        self.flush()?;
        if let (To::File(file, path), Some(place)) = (&self.to, destination.place()?) {
            if destination.is_sheet() {
                as_sheet(path, &place.part, delimiter)?;
                fs::remove_file(path).map_err(|error| cannot_write(path, &error))?;
            } else {
                file.get_ref()
                    .sync_all()
                    .and_then(|()| fs::rename(path, &place.part))
                    .map_err(|error| cannot_write(path, &error))?;
            }
            place.name()?;
        }
        Ok(!self.gone)
    }
}
