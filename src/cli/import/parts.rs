//! The file, cut at line ends, with its hash.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::bar;
use crate::cli::Failure;

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
    path: PathBuf,
    file: File,
    length: u64,
    modified: Option<SystemTime>,
    sha256: String,
    parts: Vec<Part>,
}

impl Parts {
    /// Reads the file once, and cuts it at the last line end before each `longest` bytes.
    pub fn cut(path: &Path, longest: usize) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| {
            Failure::usage(format!("cannot read {}: {error}", path.display()))
        };
        let mut file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if !metadata.is_file() {
            return Err(Failure::usage(format!(
                "{} is not a file; an import reads it twice",
                path.display()
            )));
        }
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
            let end = match memchr::memrchr(b'\n', &held[..filled]) {
                _ if count == 0 => filled,
                Some(end) => end + 1,
                None => {
                    return Err(Failure::usage(format!(
                        "line {line} is longer than {longest} bytes: this is no list of numbers"
                    )));
                }
            };
            if end > 0 {
                parts.push(Part {
                    number: parts.len() as u32 + 1,
                    start,
                    length: end,
                    first_line: line,
                });
                start += end as u64;
                line += memchr::memchr_iter(b'\n', &held[..end]).count() as u64;
                held.copy_within(end..filled, 0);
                filled -= end;
            }
            if count == 0 {
                break;
            }
        }
        Ok(Self {
            path: path.to_owned(),
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
            .map_err(|error| {
                Failure::new(format!("cannot read {}: {error}", self.path.display()))
            })?;
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
                self.path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_where_lines_do_and_are_together_the_file() {
        for text in [
            "",
            "a",
            "a\n",
            "abc\ndef\n",
            "ab\n\n\ncd\nefghi\nj",
            "abcdefg\n\n",
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let parts = Parts::cut(file.path(), 8).unwrap();
            let mut whole = Vec::new();
            for part in parts.all() {
                let line = whole.iter().filter(|byte| **byte == b'\n').count() + 1;
                assert_eq!(
                    (part.first_line, part.start),
                    (line as u64, whole.len() as u64)
                );
                let bytes = parts.read(part).unwrap();
                assert!(!bytes.is_empty() && bytes.len() <= 8);
                assert!(part.number as usize == parts.len() || bytes.ends_with(b"\n"));
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
        std::fs::write(file.path(), "a\n0123456789").unwrap();
        let said = Parts::cut(file.path(), 8).unwrap_err().to_string();
        assert!(said.contains("line 2"), "{said}");
        assert!(Parts::cut(Path::new("/"), 8).is_err());
    }
}
