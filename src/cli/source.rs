//! A list as text, whatever it lies in.
//!
//! What is packed (gzip, zstd), in UTF-16 or a spreadsheet (.xlsx, .xls, .ods) is turned into text
//! beside it first, in a temporary file without a name: so every command can go to any place of it,
//! and read it twice.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;

use super::Failure;
use crate::table::{SheetError, SheetLimits, TextReader, is_sheet, is_text, sheet_to_table};

/// What stands between the columns of the table that a spreadsheet becomes.
const DELIMITER: u8 = b',';

/// An open list.
#[derive(Debug)]
pub(super) struct Source {
    /// What it is called in messages.
    pub name: String,
    /// Its text; nothing for text on standard input, which can be read once.
    pub file: Option<File>,
    /// What stands between its columns, if that is known beforehand.
    pub delimiter: Option<u8>,
    /// What was read of standard input to see what it is.
    start: Vec<u8>,
}

impl Source {
    /// Opens a list; `-` is standard input. Of a spreadsheet it is the sheet of this name, or the
    /// first one that is shown.
    pub fn open(path: &Path, sheet: Option<&str>) -> Result<Self, Failure> {
        let standard = path == Path::new("-");
        let mut source = Self {
            name: match standard {
                true => "standard input".to_owned(),
                false => path.display().to_string(),
            },
            file: None,
            delimiter: None,
            start: Vec::new(),
        };
        match standard {
            true => source.take_standard_input(sheet)?,
            false => source.take_file(path, sheet)?,
        }
        Ok(source)
    }

    fn take_file(&mut self, path: &Path, sheet: Option<&str>) -> Result<(), Failure> {
        let mut file = File::open(path).map_err(|error| self.cannot(&error))?;
        if file
            .metadata()
            .map_err(|error| self.cannot(&error))?
            .is_file()
        {
            let start = start_of(&mut file).map_err(|error| self.cannot(&error))?;
            file.rewind().map_err(|error| self.cannot(&error))?;
            if is_sheet(&start) {
                return self.take_sheet(file, sheet);
            }
            if !is_text(&start) {
                file = as_text(file).map_err(|error| self.cannot(&error))?;
            }
        }
        self.file = Some(file);
        Ok(())
    }

    /// A spreadsheet must be there as a whole: its end says where everything is.
    fn take_standard_input(&mut self, sheet: Option<&str>) -> Result<(), Failure> {
        let mut input = io::stdin();
        self.start = start_of(&mut input).map_err(|error| self.cannot(&error))?;
        if !is_sheet(&self.start) {
            return Ok(());
        }
        let whole = tempfile::tempfile().and_then(|mut file| {
            io::copy(&mut self.start.chain(input), &mut file)?;
            file.rewind()?;
            Ok(file)
        });
        let whole = whole.map_err(|error| self.cannot(&error))?;
        self.take_sheet(whole, sheet)
    }

    /// A spreadsheet's sheet as a table. What is no spreadsheet stays what it is: it is refused by
    /// name.
    fn take_sheet(&mut self, mut file: File, sheet: Option<&str>) -> Result<(), Failure> {
        let mut table = tempfile::tempfile().map_err(|error| self.cannot(&error))?;
        let limits = SheetLimits::COMMAND;
        match sheet_to_table(&mut file, sheet, DELIMITER, limits, &mut table) {
            Ok(()) => {
                self.delimiter = Some(DELIMITER);
                file = table;
            }
            Err(SheetError::NotASheet(_)) => {}
            Err(SheetError::Read(error) | SheetError::Write(error)) => {
                return Err(self.cannot(&error));
            }
            Err(error) => {
                return Err(Failure::usage(format!(
                    "{} cannot be read: {error}",
                    self.name
                )));
            }
        }
        file.rewind().map_err(|error| self.cannot(&error))?;
        self.file = Some(file);
        Ok(())
    }

    fn cannot(&self, error: &io::Error) -> Failure {
        Failure::usage(format!("cannot read {}: {error}", self.name))
    }

    /// Reads its text from where the file stands.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.file {
            Some(file) => Box::new(file.try_clone()?),
            None => {
                let start = Cursor::new(self.start.clone());
                Box::new(TextReader::new(start.chain(io::stdin()))?)
            }
        })
    }

    /// How many bytes of text there are, if that is known.
    pub fn length(&self) -> Option<u64> {
        let metadata = self.file.as_ref()?.metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    }
}

/// The bytes that tell what a file is.
fn start_of(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(4).read_to_end(&mut start)?;
    Ok(start)
}

fn as_text(file: File) -> io::Result<File> {
    let mut text = tempfile::tempfile()?;
    io::copy(&mut TextReader::new(BufReader::new(file))?, &mut text)?;
    text.rewind()?;
    Ok(text)
}
