//! A list as text, whatever it lies in.
//!
//! What is packed (gzip, zstd), in UTF-16 or a spreadsheet (.xlsx, .xls, .ods) is turned into text
//! beside it first, in a temporary file without a name: so every command can go to any place of it,
//! and read it twice.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use super::Failure;
use crate::table::{SheetError, TextReader, is_sheet, is_text, sheet_to_csv};

/// An open list.
#[derive(Debug)]
pub(super) struct Source {
    /// What it is called in messages.
    pub name: String,
    /// Its text; nothing for standard input, which can be read once.
    pub file: Option<File>,
}

impl Source {
    /// Opens a list; `-` is standard input. Of a spreadsheet it is the sheet of this name, or the
    /// first one.
    pub fn open(path: &Path, sheet: Option<&str>) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "standard input".to_owned(),
                file: None,
            });
        }
        let name = path.display().to_string();
        let cannot = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        let mut file = File::open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.is_file() {
            let mut start = Vec::new();
            Read::by_ref(&mut file)
                .take(4)
                .read_to_end(&mut start)
                .map_err(cannot)?;
            file.rewind().map_err(cannot)?;
            if is_sheet(&start) {
                file = as_table(file, sheet, &name)?;
            } else if !is_text(&start) {
                file = as_text(file).map_err(cannot)?;
            }
        }
        let file = Some(file);
        Ok(Self { name, file })
    }

    /// Reads its text from where the file stands.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.file {
            Some(file) => Box::new(file.try_clone()?),
            None => Box::new(TextReader::new(io::stdin())?),
        })
    }

    /// How many bytes of text there are, if that is known.
    pub fn length(&self) -> Option<u64> {
        let metadata = self.file.as_ref()?.metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    }
}

fn as_text(file: File) -> io::Result<File> {
    let mut text = tempfile::tempfile()?;
    io::copy(&mut TextReader::new(BufReader::new(file))?, &mut text)?;
    text.rewind()?;
    Ok(text)
}

/// A spreadsheet's sheet as a table. What is no spreadsheet stays what it is: it is refused by name.
fn as_table(mut file: File, sheet: Option<&str>, name: &str) -> Result<File, Failure> {
    let cannot = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
    let mut whole = Vec::new();
    file.read_to_end(&mut whole).map_err(cannot)?;
    let mut table = tempfile::tempfile().map_err(cannot)?;
    match sheet_to_csv(whole.into(), sheet, &mut table) {
        Ok(()) => {}
        Err(SheetError::Unreadable) => {
            file.rewind().map_err(cannot)?;
            return Ok(file);
        }
        Err(SheetError::Write(error)) => return Err(cannot(error)),
        Err(error) => {
            return Err(Failure::usage(format!("{name} cannot be read: {error}")));
        }
    }
    table
        .flush()
        .and_then(|()| table.rewind())
        .map_err(cannot)?;
    Ok(table)
}
