//! A list as text, whatever it lies in.
//!
//! What is packed (gzip, zstd) or in UTF-16 is turned into text beside it first, in a temporary file
//! without a name: so every command can go to any place of it, and read it twice.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use super::Failure;
use crate::table::{TextReader, is_text};

/// An open list.
#[derive(Debug)]
pub(super) struct Source {
    /// What it is called in messages.
    pub name: String,
    /// Its text; nothing for standard input, which can be read once.
    pub file: Option<File>,
}

impl Source {
    /// Opens a list; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
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
            file.by_ref()
                .take(4)
                .read_to_end(&mut start)
                .map_err(cannot)?;
            file.rewind().map_err(cannot)?;
            if !is_text(&start) {
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
