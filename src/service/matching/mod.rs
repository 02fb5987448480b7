//! Matching call-detail records with the log: was each call checked before, what was the caller
//! told, and had the person opted out?
//!
//! Its input are comma-separated values (RFC 4180, and what switches make of it), its output the
//! same rows with what was found. A verdict names the entries that it rests on, so that whoever
//! doubts it can look them up and prove them; the index that leads to them is no proof itself.
//!
//! * `reader`, `columns`, `call`: from bytes to calls.
//! * `search`, `plan`, `lists`, `verdict`: from calls to verdicts.
//! * `output`, `summary`: from verdicts to bytes.

mod call;
mod columns;
mod lists;
mod output;
mod plan;
mod reader;
mod search;
mod summary;
mod verdict;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::time::Duration;

pub use call::{Call, Row, Unreadable};
pub use columns::{CallsError, Column, Mapping, Preset};
pub use lists::{ListedCall, Lists};
pub use output::{ADDED, Format, Output};
pub use reader::{CallReader, Shape, probe, read_calls};
pub use search::{Coverage, Matcher, Source};
pub use summary::{NOBODY, OTHERS, Summary, Tally};
pub use verdict::{Check, Finding, Registered, Verdict};

use super::ServiceError;
use crate::domain::{Moment, Month};
use crate::log::index::IndexError;

/// How many calls are matched at a time.
pub const CHUNK: usize = 1 << 16;

/// How many bytes of rows are held at a time at most, however few rows that are.
const CHUNK_BYTES: usize = 32 << 20;

/// The rules by which a check counts for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long an answer may be used.
    pub validity: Duration,
    /// How much later than the call a check may be: many records have whole seconds only.
    pub tolerance: Duration,
    /// How far before the call a check is looked for.
    pub look_back: Duration,
}

impl Options {
    /// A second of tolerance, 31 days of looking back.
    #[must_use]
    pub fn new(validity: Duration) -> Self {
        Self {
            validity,
            tolerance: Duration::from_secs(1),
            look_back: Duration::from_secs(31 * 86_400),
        }
    }

    /// The earliest time of a check for a call at `call`.
    fn first_for(&self, call: Moment) -> Moment {
        let back = i64::try_from(self.look_back.as_millis()).unwrap_or(i64::MAX);
        Moment::from_millis(call.millis().saturating_sub(back))
    }

    /// The latest one.
    fn last_for(&self, call: Moment) -> Moment {
        call.plus(self.tolerance)
    }
}

/// A segment's place and the position in it: the order of the log.
type Place = (usize, u16);

/// Why records were not matched, or not to their end.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    /// The records.
    #[error(transparent)]
    Calls(#[from] CallsError),
    /// The index of the log.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The lists that were imported.
    #[error("the lists that were imported cannot be read: {0}")]
    Lists(Box<ServiceError>),
    /// The result cannot be written.
    #[error("the result cannot be written")]
    Write(#[source] io::Error),
}

/// What is said when all calls are matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The counts.
    pub summary: Summary,
    /// Months that could not be seen, as their key is not there; see [`Matcher::missing_keys`].
    pub missing_keys: BTreeSet<Month>,
}

/// A clock that was set back shows an hour twice. A call in it may have been in either; of what was
/// found for both, what is milder for the caller is told.
fn doubled_hour<S: Source>(
    rows: &[Row],
    verdicts: &mut [Verdict],
    matcher: &mut Matcher<S>,
) -> Result<(), MatchError> {
    let later = |row: &Row| {
        let call = row.call.as_ref().ok()?;
        let time = call.or_time?;
        Some(Ok(Call {
            time,
            ..call.clone()
        }))
    };
    let (places, calls): (Vec<_>, Vec<_>) = rows
        .iter()
        .enumerate()
        .filter_map(|(place, row)| Some((place, later(row)?)))
        .unzip();
    for (place, other) in places.into_iter().zip(matcher.verdicts(&calls)?) {
        if other.finding.severity() < verdicts[place].finding.severity() {
            verdicts[place] = other;
        }
    }
    Ok(())
}

/// Matches all records of `input` and writes them to `output` as they are done, in memory that
/// grows neither with them nor with the log.
///
/// # Errors
/// [`MatchError`]; what was written until then is right, but not all.
pub fn match_calls<S: Source>(
    input: impl Read,
    mapping: &Mapping,
    matcher: &mut Matcher<S>,
    output: impl Write,
    format: Format,
) -> Result<Report, MatchError> {
    let mut reader = CallReader::new(input, mapping)?;
    let mut output = Output::new(output, format, reader.shape()).map_err(MatchError::Write)?;
    let mut summary = Summary::default();
    loop {
        let mut rows = Vec::new();
        let mut bytes = 0;
        while rows.len() < CHUNK && bytes < CHUNK_BYTES {
            let Some(row) = reader.next_row()? else {
                break;
            };
            // What a column takes beside its bytes counts too: there may be a million empty ones.
            bytes += row.columns.as_slice().len() + (row.columns.len() + 16) * size_of::<usize>();
            rows.push(row);
        }
        if rows.is_empty() {
            break;
        }
        let mut verdicts = matcher.verdicts(rows.iter().map(|row| &row.call))?;
        doubled_hour(&rows, &mut verdicts, matcher)?;
        for (row, verdict) in rows.iter().zip(&verdicts) {
            output.write(row, verdict).map_err(MatchError::Write)?;
            summary.add(row, verdict);
        }
    }
    output.flush().map_err(MatchError::Write)?;
    Ok(Report {
        summary,
        missing_keys: matcher.missing_keys().clone(),
    })
}
