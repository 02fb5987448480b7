//! Spreadsheets that are sent in place of a table: they become one before anything is done with it.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Weak;

use actix_web::http::StatusCode;

use super::State;
use super::body::most_unpacked;
use super::problem::Problem;
use super::spool::{Spool, Spooled};
use crate::table::{SheetError, SheetLimits, workbook_to_table};

/// The longest workbook, in bytes as it is sent.
pub(super) const LONGEST: u64 = 32 << 20;

/// What is asked of a workbook.
pub(super) struct SheetQuery {
    /// The name of the sheet; else the first one that is shown.
    pub name: Option<String>,
    /// What stands between the columns of the table.
    pub delimiter: u8,
}

/// A workbook that somebody waits for.
struct Watched<T> {
    file: Spooled,
    who: Weak<T>,
}

/// Makes a table of a workbook. It takes seconds and much memory, so it is done by one thread of its
/// own at a time ([`Shared::sheets`](super::Shared)), and given up when nobody waits for it any more.
pub(super) fn as_table<T>(
    state: &State,
    workbook: Spooled,
    query: &SheetQuery,
    who: Weak<T>,
) -> Result<Spooled, SheetError> {
    let mut table = Spool::new(&state.data)?;
    let (name, mut limits) = (query.name.as_deref(), SheetLimits::SERVICE);
    limits.unpacked = limits.unpacked.min(most_unpacked(workbook.length()));
    let file = Watched {
        file: workbook,
        who,
    };
    workbook_to_table(file, name, query.delimiter, limits, &mut table)?;
    Ok(table.finish()?.0)
}

/// Why a workbook is refused.
pub(super) fn refused(error: &SheetError, code: &'static str, title: &'static str) -> Problem {
    let remedy = match error {
        SheetError::Write(_) => return no_room(),
        SheetError::NoSuchSheet(_) | SheetError::Hidden(_) => {
            "Say which sheet it is: sheet=NAME, as it is written there."
        }
        _ => "Send the list as a workbook (.xlsx), or as CSV.",
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, code, title, error.to_string(), remedy)
}

/// There is no room for a body that must be there whole.
pub(super) fn no_room() -> Problem {
    Problem::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "no_room",
        "The records cannot be taken in",
        "There is no room on the service's disk for the records.",
        "Send fewer at a time, or tell the operator.",
    )
}

impl<T> Read for Watched<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.who.strong_count() {
            0 => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => self.file.read(into),
        }
    }
}

impl<T> Seek for Watched<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
