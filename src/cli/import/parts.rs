//! The file, cut where rows end, with its hash.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Seek};
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::bar;
use crate::cli::Failure;
use crate::cli::source::Source;
use crate::table::{Form, Head, Splitter, line_ends};

/// A piece of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// From 1.
    pub number: u32,
    start: u64,
    pub length: usize,
    /// The line that it begins with, from 1.
    pub first_line: u64,
}

/// The file and its pieces.
#[derive(Debug)]
pub(super) struct Parts {
    name: String,
    file: File,
    length: u64,
    modified: Option<SystemTime>,
    sha256: String,
    parts: Vec<Part>,
}

impl Parts {
    /// Reads the file once, and cuts it at the last end of a row before each `longest` bytes.
    pub fn cut(source: &Source, longest: usize, head: &Head) -> Result<Self, Failure> {
        let name = source.name.clone();
        let cannot = |error: std::io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        let file = source.file.as_ref().map(File::try_clone).transpose();
        let file = file.map_err(cannot)?;
        let metadata = file.as_ref().map(File::metadata).transpose();
        let metadata = metadata.map_err(cannot)?.filter(Metadata::is_file);
        let (Some(mut file), Some(metadata)) = (file, metadata) else {
            return Err(Failure::usage(format!(
                "{name} is not a file; an import reads it twice"
            )));
        };
        file.rewind().map_err(cannot)?;
        let progress = bar(
            metadata.len(),
            "{wide_bar} {bytes} of {total_bytes} read, {eta} left",
        );
        let mut hash = Sha256::new();
        let mut parts = Vec::new();
        let (mut start, mut line) = (0, 1);
        // What is read and not cut yet.
        let mut held = vec![0; longest];
        let mut filled = 0;
        loop {
            let count = match file.read(&mut held[filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.map_err(cannot)?,
            };
            hash.update(&held[filled..filled + count]);
            progress.inc(count as u64);
            filled += count;
            if count > 0 && filled < longest {
                continue;
            }
            let splitter = match start {
                0 => head.splitter(),
                _ => Splitter::new(Form::Csv, head.delimiter, 0),
            };
            let end = whole_rows(&held[..filled], count == 0, splitter);
            let end = end.map_err(|(at, why)| {
                let line = line + line_ends(&held[..at]) as u64;
                Failure::usage(format!("line {line}: {why}"))
            })?;
            if end > 0 {
                parts.push(Part {
                    number: parts.len() as u32 + 1,
                    start,
                    length: end,
                    first_line: line,
                });
                start += end as u64;
                line += line_ends(&held[..end]) as u64;
                held.copy_within(end..filled, 0);
                filled -= end;
            }
            if count == 0 {
                break;
            }
        }
        Ok(Self {
            name,
            file,
            length: start,
            modified: metadata.modified().ok(),
            sha256: HEXLOWER.encode(&hash.finalize()),
            parts,
        })
    }

    pub fn all(&self) -> &[Part] {
        &self.parts
    }

    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// How long the file is.
    pub fn bytes(&self) -> u64 {
        self.length
    }

    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes of a part.
    pub fn read(&self, part: &Part) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; part.length];
        self.file
            .read_exact_at(&mut bytes, part.start)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", self.name)))?;
        Ok(bytes)
    }

    /// Makes sure that what was sent is what the hash is of.
    pub fn unchanged(&self) -> Result<(), Failure> {
        let now = self.file.metadata();
        let same =
            now.is_ok_and(|now| now.len() == self.length && now.modified().ok() == self.modified);
        match same {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "{} was changed while it was read",
                self.name
            ))),
        }
    }
}

/// Where the last row ends that is whole in `bytes`; `last` says that nothing comes behind them. Or
/// where a row begins that has no end, and why.
fn whole_rows(bytes: &[u8], last: bool, mut splitter: Splitter) -> Result<usize, (usize, String)> {
    let mut end = 0;
    if memchr::memchr(b'"', bytes).is_none() {
        // A carriage return at the very end may have its line feed still to come.
        let certain = bytes.len() - usize::from(bytes.ends_with(b"\r"));
        end = match memchr::memrchr2(b'\n', b'\r', &bytes[..certain]) {
            _ if last => bytes.len(),
            found => found.map_or(0, |place| place + 1),
        };
    } else {
        loop {
            match splitter.next(&bytes[end..], last) {
                Ok(Some(row)) => end += row.next,
                Ok(None) => break,
                Err(error) => return Err((end, error.to_string())),
            }
        }
    }
    match end {
        0 if !last => {
            let why = format!("it is longer than {} bytes: this is no list", bytes.len());
            Err((0, why))
        }
        _ => Ok(end),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn cut(path: &Path) -> Result<Parts, Failure> {
        let source = Source::open(path, None)?;
        let mut start = Vec::new();
        let mut from = source.reader().unwrap();
        // A folder cannot be read.
        let _ = from.read_to_end(&mut start);
        let head = Head::find(&start, true, Form::Csv, Some(b',')).unwrap();
        Parts::cut(&source, 8, &head.unwrap())
    }

    #[test]
    fn parts_end_where_lines_do_and_are_together_the_file() {
        for text in [
            "",
            "a",
            "a\n",
            "abc\ndef\n",
            "ab\n\n\ncd\nefghi\nj",
            "abcdefg\n\n",
            "ab\rcd\r\nef\r\r\nghijk\r",
            "abcdef\r\r\nab\r\n",
            "\u{feff}\"\n\"\n\"c\n\"\n",
            "a,\"\r\"\nb",
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let parts = cut(file.path()).unwrap();
            let mut whole = Vec::new();
            for part in parts.all() {
                let line = line_ends(&whole) + 1;
                assert_eq!(
                    (part.first_line, part.start),
                    (line as u64, whole.len() as u64)
                );
                let bytes = parts.read(part).unwrap();
                assert!(!bytes.is_empty() && bytes.len() <= 8);
                let ended = matches!(bytes.last(), Some(b'\n' | b'\r'));
                assert!(part.number as usize == parts.len() || ended);
                assert!(
                    !(bytes.ends_with(b"\r")
                        && text.as_bytes().get(whole.len() + bytes.len()) == Some(&b'\n'))
                );
                whole.extend(bytes);
            }
            assert_eq!(whole, text.as_bytes());
            assert_eq!(parts.bytes(), text.len() as u64);
            assert_eq!(parts.sha256(), HEXLOWER.encode(&Sha256::digest(text)));
            parts.unchanged().unwrap();
            std::fs::write(file.path(), "more and more").unwrap();
            assert!(parts.unchanged().is_err());
        }
    }

    #[test]
    fn what_has_no_lines_is_no_list() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            cut(file.path()).unwrap_err().to_string()
        };
        let long = said("a\n0123456789");
        assert!(long.contains("line 2"), "{long}");
        assert!(cut(Path::new("/")).is_err());
    }
}
