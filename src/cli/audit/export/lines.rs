//! The entries as lines, streamed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::part::{Part, heading};
use super::{Export, Format};
use crate::api::ENTRIES_SINCE;
use crate::cli::audit::place::{Place, cannot_write};
use crate::cli::audit::stream::{Broken, PIECE, copy, deliver, incomplete, whole_can_be_told};
use crate::cli::client::Patience;
use crate::cli::output::{note, plain};
use crate::cli::{Failure, Outcome};

impl Export {
    /// Writes the lines to standard output or to the file.
    pub(super) fn write_lines(&self, data: &Path, number: Option<&str>) -> Outcome {
        let place = match self.output.as_deref() {
            Some(file) => Some(Place::new(file, self.force)?),
            None => None,
        };
        let client = self.target.client(data, Patience::Export)?;
        let mut query = self.query(number);
        let ask = |query: &[(&str, &str)]| {
            let response = client.open("/v1/audit/entries", query)?;
            whole_can_be_told(&response, self.format.media_type())?;
            let since = response.headers().get(ENTRIES_SINCE);
            if let Some(since) = since.and_then(|since| since.to_str().ok()) {
                note(&format!(
                    "WARNING: the entries of before {} are no longer there: they are not in this \
                     export",
                    plain(since)
                ));
            }
            Ok::<_, Failure>(response.into_body().into_reader())
        };
        let Some(place) = place else {
            deliver(&mut ask(&query)?, None)?;
            return Ok(ExitCode::SUCCESS);
        };
        let part = Part::new(place, self.format, &query)?;
        let left = if self.resume { part.left()? } else { None };
        if let Some(left) = &left {
            query.push(("after", &left.last));
            note(&format!(
                "Going on behind the {} entries in {}",
                left.entries,
                part.place.part.display()
            ));
        }
        let mut body = BufReader::with_capacity(PIECE, ask(&query)?);
        let had = left.as_ref().map_or(0, |left| left.entries);
        if self.format == Format::Csv && left.is_some() {
            skip_heading(&mut body)?;
        }
        let mut file = match left {
            Some(left) => left.file,
            None => part.begin()?,
        };
        let bar = Bar::new(had, self.format == Format::Csv && had == 0);
        let copied = copy(&mut body, &mut file, &mut |piece| bar.count(piece));
        bar.bar.finish_and_clear();
        copied.map_err(|broken| part.broken(broken))?;
        part.place.finish(&file)?;
        part.forget_filters()?;
        let (name, entries) = (part.place.file.display(), bar.entries());
        note(&format!("{name} is complete: {entries} entries"));
        Ok(ExitCode::SUCCESS)
    }
}

/// The heading of a table that goes on is in the file already.
fn skip_heading(body: &mut impl BufRead) -> Result<(), Failure> {
    let mut line = Vec::new();
    let read = body.read_until(b'\n', &mut line);
    match read {
        Ok(_) if line == heading() => Ok(()),
        _ => Err(Failure::new(
            "the export does not begin with the heading of the table\n  remedy:     compare \
             `metrust --version` on both sides, and run it again without --resume",
        )),
    }
}

impl Part<'_> {
    fn broken(&self, broken: Broken) -> Failure {
        match broken {
            Broken::Writing(error) => cannot_write(&self.place.part, &error),
            Broken::Reading(why) => {
                let so = format!("what arrived is in {}", self.place.part.display());
                let remedy = match self.can_go_on() {
                    true => "run it again, with --resume to go on from there",
                    false => "run it again",
                };
                incomplete(&why, &so, remedy)
            }
        }
    }
}

/// Counts the entries that go by; shown on a terminal only. Their number is not known beforehand.
struct Bar {
    bar: ProgressBar,
    lines: std::cell::Cell<u64>,
    heading: bool,
}

impl Bar {
    fn new(entries: u64, heading: bool) -> Self {
        let style = "{spinner} {msg} entries, {bytes}, {bytes_per_sec}, {elapsed}";
        let style = ProgressStyle::with_template(style);
        let bar = ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self {
            bar,
            lines: std::cell::Cell::new(entries),
            heading,
        }
    }

    fn count(&self, piece: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', piece).count() as u64;
        self.lines.set(self.lines.get() + lines);
        self.bar.inc(piece.len() as u64);
        if !self.bar.is_hidden() {
            self.bar.set_message(self.entries().to_string());
        }
    }

    fn entries(&self) -> u64 {
        self.lines.get().saturating_sub(u64::from(self.heading))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind, Read};

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
    fn an_export_that_breaks_off_says_where_what_arrived_is_and_how_to_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ndjson");
        let place = Place::new(&file, false).unwrap();
        let part = Part::new(place, Format::Ndjson, &[("format", "ndjson")]).unwrap();
        let mut to = part.begin().unwrap();
        let Err(broken) = copy(&mut BreaksOff(b"half"), &mut to, &mut |_| ()) else {
            panic!("it is not complete");
        };
        let failure = part.broken(broken).to_string();
        for said in ["INCOMPLETE", "a.ndjson.part", "--resume"] {
            assert!(failure.contains(said), "{failure}");
        }
        assert!(!file.exists());
    }
}
