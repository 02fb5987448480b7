//! How far a wash has come: shown on a terminal, and written down beside the output, so that a
//! command that ended can go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::answered::Came;
use super::output::{Destination, Output};
use super::work::tell;
use crate::cli::Failure;
use crate::cli::audit::place::{Place, beside, cannot_write};

/// What is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    /// How many bytes of the list are answered: whole rows.
    pub offset: u64,
    /// How many bytes of the output that made.
    pub written: u64,
    /// Whether the names of the columns came back.
    pub heading: bool,
    pub counts: Counts,
    /// The washes so far: one for each connection.
    pub washes: Vec<Taken>,
}

/// What was taken from one wash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    /// Its name.
    pub wash: String,
    /// How many rows of the output it answered.
    pub rows: u64,
}

/// The answers so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    pub suppress: u64,
    pub not_listed: u64,
    pub invalid: u64,
}

impl Counts {
    pub fn rows(&self) -> u64 {
        self.suppress + self.not_listed + self.invalid
    }

    pub fn in_words(&self) -> String {
        let rows = self.rows();
        format!(
            "{rows} rows, {} suppress, {} not_listed, {} invalid",
            self.suppress, self.not_listed, self.invalid
        )
    }
}

/// What is written down.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// What was asked: another question does not go on with it.
    asked: String,
    /// The list's length and when it was last changed.
    list: (u64, u128),
    done: Done,
}

/// How far it is.
pub(super) struct Progress {
    /// Where it is written down; nothing where a second run could not go on.
    file: Option<PathBuf>,
    asked: String,
    list: (u64, u128),
    done: Done,
    bar: ProgressBar,
}

impl Progress {
    /// What an earlier run has done of the same, or nothing.
    pub fn of(
        destination: &Destination,
        list: &Path,
        asked: &str,
        restart: bool,
    ) -> Result<Self, Failure> {
        let partial = destination.partial()?;
        let metadata = fs::metadata(list).ok().filter(fs::Metadata::is_file);
        let file = match (&partial, &metadata) {
            (Some(partial), Some(_)) => Some(beside(partial, ".state")?),
            _ => None,
        };
        let list = metadata.map_or((0, 0), |metadata| {
            let changed = metadata.modified().ok();
            let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (metadata.len(), changed.map_or(0, |since| since.as_nanos()))
        });
        let mut progress = Self {
            file,
            asked: asked.to_owned(),
            list,
            done: Done::default(),
            bar: ProgressBar::hidden(),
        };
        if restart {
            progress.forget();
        }
        if let (Some(file), Some(partial)) = (&progress.file, &partial)
            && let Ok(text) = fs::read_to_string(file)
        {
            let other = |what: &str| {
                Failure::usage(format!(
                    "{} is what an earlier run has done, but {what}\n  remedy:     run it as it \
                     was run then, or begin anew with --restart",
                    partial.display()
                ))
            };
            let written: Written =
                serde_json::from_str(&text).map_err(|_| other("it cannot be understood"))?;
            if written.asked != progress.asked {
                return Err(other("of another question"));
            }
            if written.list != progress.list {
                return Err(other("the list has been changed since"));
            }
            let length = fs::metadata(partial).map_or(0, |file| file.len());
            if length < written.done.written {
                return Err(other("a part of it is missing"));
            }
            progress.done = written.done;
        }
        Ok(progress)
    }

    pub fn done(&self) -> &Done {
        &self.done
    }

    /// Shows a bar from now on, on a terminal.
    pub fn begin(&mut self, length: Option<u64>) {
        let style = |template| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        self.bar = match length {
            Some(length) => ProgressBar::new(length).with_style(style(
                "{wide_bar} {bytes} of {total_bytes} washed, {bytes_per_sec}, {eta} left",
            )),
            None => {
                ProgressBar::new(0).with_style(style("{spinner} {bytes} washed, {bytes_per_sec}"))
            }
        }
        .with_finish(ProgressFinish::AndClear);
        self.bar.set_position(self.done.offset);
    }

    /// Shows it no more.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Says something in between.
    pub fn say(&self, text: &str) {
        tell(&self.bar, text);
    }

    /// A connection has been taken up.
    pub fn begin_wash(&mut self, wash: String) {
        self.done.washes.push(Taken { wash, rows: 0 });
    }

    /// A row of so many bytes is answered.
    pub fn count(&mut self, came: Came, bytes: u64) {
        let counts = &mut self.done.counts;
        match came {
            Came::Blank => {}
            Came::Heading => self.done.heading = true,
            Came::Suppress => counts.suppress += 1,
            Came::NotListed => counts.not_listed += 1,
            Came::Invalid => counts.invalid += 1,
        }
        if let (Came::Suppress | Came::NotListed | Came::Invalid, Some(taken)) =
            (came, self.done.washes.last_mut())
        {
            taken.rows += 1;
        }
        self.done.offset += bytes;
        self.bar.inc(bytes);
    }

    /// Writes down how far it is, after the output is.
    pub fn save(&mut self, output: &Output) -> Result<(), Failure> {
        self.done.written = output.written;
        let Some(file) = self.file.as_ref().filter(|_| self.done.offset > 0) else {
            return Ok(());
        };
        let written = Written {
            asked: self.asked.clone(),
            list: self.list,
            done: self.done.clone(),
        };
        let text = serde_json::to_string(&written)
            .map_err(|error| cannot_write(file, &std::io::Error::other(error)))?;
        Place::new(file, true)?.write(&text)
    }

    /// Nothing is left to go on with.
    pub fn forget(&self) {
        if let Some(file) = &self.file {
            // Without it a run begins anew, which is what is wanted.
            let _ = fs::remove_file(file);
        }
    }

    /// That it is not done, and how to go on.
    pub fn unfinished(&self, failure: Failure, destination: &Destination) -> Failure {
        if self.done.offset == 0
            && let Ok(Some(partial)) = destination.partial()
        {
            // There is nothing in it to go on with.
            let _ = fs::remove_file(partial);
        }
        if !failure.is_unfinished() {
            return failure;
        }
        let so = match (&self.file, &destination.file) {
            (Some(_), _) => "run the same again, and it goes on where it stopped",
            (None, Some(_)) => "run it again; what came so far lies beside the output",
            (None, None) => "run it again; what was printed is not all of it",
        };
        Failure::unfinished(format!(
            "NOT FINISHED: {failure}\n  kept:       {}\n  remedy:     {so}",
            self.done.counts.in_words()
        ))
    }
}
