//! The records on their way to the service.

use std::io::{self, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::cli::Failure;
use crate::cli::source::Source;

/// Reads the records, shows on a terminal how far it is, and remembers what went wrong.
pub(super) struct Sending {
    from: Box<dyn Read>,
    name: String,
    /// What stands between the columns, if that is known beforehand.
    pub delimiter: Option<u8>,
    bar: ProgressBar,
    /// Rows so far, about: what has line ends inside counts more than once.
    rows: u64,
    failed: Option<io::Error>,
}

impl Sending {
    /// Opens the records; `-` is standard input.
    pub fn open(file: &Path, sheet: Option<&str>) -> Result<Self, Failure> {
        let source = Source::open(file, sheet)?;
        let from = source
            .reader()
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", source.name)))?;
        let length = source.length();
        let bar = match length {
            Some(length) => bar(
                length,
                "{wide_bar} {bytes} of {total_bytes} sent, {bytes_per_sec}, {eta} left",
            ),
            None => bar(0, "{spinner} {bytes} sent, {bytes_per_sec}"),
        };
        Ok(Self {
            from,
            name: source.name,
            delimiter: source.delimiter,
            bar,
            rows: 0,
            failed: None,
        })
    }

    /// What to say when the records did not get through.
    pub fn broke_off(&self, failure: &Failure) -> Failure {
        self.bar.finish_and_clear();
        if let Some(error) = &self.failed {
            return Failure::new(format!(
                "cannot read {} to its end: {error}; nothing was matched",
                self.name
            ));
        }
        Failure::new(format!(
            "INCOMPLETE, not one row has come back: {failure}\n  size:       a service refuses \
             records that are longer than its setting audit.max_match_bytes; send them in parts"
        ))
    }

    /// The bar for what comes back.
    pub fn receiving(&self, visible: bool) -> ProgressBar {
        self.bar.finish_and_clear();
        match visible {
            true => bar(
                self.rows,
                "{wide_bar} {human_pos} of {human_len} rows matched, {per_sec}, {eta} left",
            ),
            false => ProgressBar::hidden(),
        }
    }
}

impl Read for Sending {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.from.read(into) {
            Ok(length) => {
                let read = &into[..length];
                self.rows += memchr::memchr_iter(b'\n', read).count() as u64;
                self.bar.inc(length as u64);
                if length == 0 {
                    self.bar
                        .set_style(style("{spinner} all is sent; the service looks it up"));
                }
                Ok(length)
            }
            Err(error) => {
                let kind = error.kind();
                if kind != io::ErrorKind::Interrupted {
                    self.failed = Some(error);
                }
                Err(kind.into())
            }
        }
    }
}

/// Shown on a terminal only, and gone when it is dropped.
fn bar(length: u64, template: &str) -> ProgressBar {
    ProgressBar::new(length)
        .with_style(style(template))
        .with_finish(ProgressFinish::AndClear)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_cannot_be_read_are_blamed_and_not_the_service() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Sending::open(&folder.path().join("none.csv"), None).is_err());
        let mut sending = Sending::open(folder.path(), None).unwrap();
        assert!(sending.read(&mut [0; 8]).is_err(), "a folder");
        let said = sending
            .broke_off(&Failure::new("the connection"))
            .to_string();
        assert!(
            said.contains("cannot read") && !said.contains("connection"),
            "{said}"
        );
    }
}
