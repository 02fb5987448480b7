//! The text that a log signs, after C2SP tlog-checkpoint (<https://c2sp.org/tlog-checkpoint>),
//! section "Note text": the log's name, the number of its entries, and the root of its tree.
//!
//! Signatures are [`super::note`]'s. Extension lines, which the specification advises against, are
//! refused: no log of this program has them, and nobody could audit what they say.

use std::fmt;

use super::merkle::{Hash, empty_root};
use super::{MAX_SIZE, decimal};

/// The state of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// The log's name, such as `dnc.example.org/log/2026`.
    pub origin: String,
    /// The number of entries, at most [`MAX_SIZE`].
    pub size: u64,
    /// The root of the tree of that size.
    pub root: Hash,
}

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not exactly three lines.
    #[error("a checkpoint is three lines: origin, size and root")]
    Lines,
    /// The first line.
    #[error("the origin of a checkpoint is empty or has control characters")]
    Origin,
    /// The second line.
    #[error("the size of a checkpoint is not a plain decimal number")]
    Size,
    /// The third line.
    #[error("the root of a checkpoint is not a SHA-256 hash in base64")]
    Root,
    /// A tree without entries has one root only.
    #[error("the root of a checkpoint of size 0 is not that of the empty tree")]
    EmptyRoot,
}

impl Checkpoint {
    /// Reads a note's text, in its one spelling.
    ///
    /// # Errors
    /// If it is anything but what [`fmt::Display`] writes of a checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        if origin.is_empty() || origin.chars().any(char::is_control) {
            return Err(CheckpointError::Origin);
        }
        let size = decimal(size)
            .filter(|size| *size <= MAX_SIZE)
            .ok_or(CheckpointError::Size)?;
        let root = Hash::parse(root).ok_or(CheckpointError::Root)?;
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\n\
                        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_string(), TEXT);
    }

    #[test]
    fn every_truncation_is_refused() {
        for cut in 0..TEXT.len() {
            assert!(Checkpoint::parse(&TEXT[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn another_spelling_is_refused_and_the_error_names_the_line() {
        use CheckpointError::{EmptyRoot, Lines, Origin, Root, Size};
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let empty = empty_root();
        for (text, error) in [
            (format!("{TEXT}extension\n"), Lines),
            (format!("{TEXT}\n"), Lines),
            (format!("o\n1\n{root}"), Lines),
            (format!("\n1\n{root}\n"), Origin),
            (format!("o\r\n1\n{root}\n"), Origin),
            (format!("o\u{7f}\n1\n{root}\n"), Origin),
            (format!("o\n01\n{root}\n"), Size),
            (format!("o\n+1\n{root}\n"), Size),
            (format!("o\n-1\n{root}\n"), Size),
            (format!("o\n1 \n{root}\n"), Size),
            (format!("o\n\n{root}\n"), Size),
            (format!("o\n٣\n{root}\n"), Size),
            (format!("o\n9223372036854775808\n{root}\n"), Size),
            (format!("o\n18446744073709551616\n{root}\n"), Size),
            ("o\n1\nAAAA\n".to_owned(), Root),
            (format!("o\n1\n{root} \n"), Root),
            (format!("o\n0\n{root}\n"), EmptyRoot),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(error), "{text:?}");
        }
        assert!(Checkpoint::parse(&format!("o\n0\n{empty}\n")).is_ok());
        assert!(Checkpoint::parse(&format!("o\n9223372036854775807\n{root}\n")).is_ok());
    }
}
