//! The list in pieces of whole rows, read by a thread of its own.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::cli::Failure;
use crate::cli::source::Source;
use crate::cli::survey;
use crate::domain::Notation;
use crate::table::{Layout, Rows, Splitter, Wanted};

/// How many bytes are read at a time.
const PIECE: usize = 64 << 10;

/// How many pieces are read ahead.
const AHEAD: usize = 4;

/// A list that is open, and known.
pub(super) struct List {
    name: String,
    from: Box<dyn Read + Send>,
    pub layout: Layout,
    /// How long it is; nothing for standard input.
    pub length: Option<u64>,
    /// What was read to find the layout and is still to be sent.
    start: Vec<u8>,
    ended: bool,
    splitter: Splitter,
    /// Where what comes next stands in the list.
    offset: u64,
}

/// Some whole rows, one after the other.
#[derive(Debug)]
pub(super) struct Chunk {
    pub bytes: Bytes,
    pub rows: Vec<Placed>,
}

/// One row of a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Where its content ends.
    pub content: u32,
    /// Where the next row begins.
    pub next: u32,
}

impl List {
    /// Opens a list (`-` is standard input), finds its layout, and goes to `offset`, where a row
    /// begins. If its answer becomes a sheet, it has no more rows than one (`most_rows`).
    pub fn open(
        file: &Path,
        sheet: Option<&str>,
        wanted: &Wanted,
        notation: Notation,
        offset: u64,
        most_rows: Option<u32>,
    ) -> Result<Self, Failure> {
        let source = Source::open(file, sheet)?;
        let wanted = &Wanted {
            delimiter: source.delimiter.or(wanted.delimiter),
            ..wanted.clone()
        };
        let name = source.name.clone();
        let cannot_read =
            |error: &io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        if let (Some(most), Some(mut file)) = (most_rows, source.file.as_ref()) {
            let more = has_more_rows(file, most, wanted);
            file.rewind().map_err(|error| cannot_read(&error))?;
            if more {
                return Err(Failure::usage(format!(
                    "{name} has more rows than a sheet, which has at most {most}\n  remedy:     have \
                     the answer written as text: --output washed.csv"
                )));
            }
        }
        let mut from = source.reader().map_err(|error| cannot_read(&error))?;
        let (mut start, mut ended) = (Vec::new(), false);
        let layout = loop {
            let found = Layout::find(&start, ended, wanted)
                .map_err(|error| Failure::new(format!("{name} cannot be washed: {error}")))?;
            if let Some(layout) = found {
                break layout;
            }
            ended = read_some(&mut from, &mut start).map_err(|error| cannot_read(&error))? == 0;
        };
        let whole = ended || source.length() == Some(start.len() as u64);
        survey::look(&layout, &start, whole, notation)?;
        let mut splitter = layout.splitter();
        if offset > 0 {
            if let Some(mut list) = source.file.as_ref() {
                list.seek(SeekFrom::Start(offset))
                    .map_err(|error| cannot_read(&error))?;
            }
            (start, ended) = (Vec::new(), false);
            splitter = Splitter::new(layout.head.form, layout.head.delimiter, 0);
        }
        Ok(Self {
            length: source.length(),
            name,
            from,
            layout,
            start,
            ended,
            splitter,
            offset,
        })
    }

    /// Reads on, on a thread of its own.
    pub fn begin(mut self) -> io::Result<mpsc::Receiver<Result<Chunk, Failure>>> {
        let (to, chunks) = mpsc::channel(AHEAD);
        std::thread::Builder::new()
            .name("list".to_owned())
            .spawn(move || {
                while let Some(chunk) = self.next().transpose() {
                    let failed = chunk.is_err();
                    if to.blocking_send(chunk).is_err() || failed {
                        return;
                    }
                }
            })?;
        Ok(chunks)
    }

    /// The next whole rows; nothing at the end.
    fn next(&mut self) -> Result<Option<Chunk>, Failure> {
        loop {
            let rows = self.rows()?;
            if let Some(last) = rows.last() {
                let rest = self.start.split_off(last.next as usize);
                let bytes = std::mem::replace(&mut self.start, rest).into();
                self.offset += u64::from(last.next);
                return Ok(Some(Chunk { bytes, rows }));
            }
            if self.ended {
                return Ok(None);
            }
            let read = read_some(&mut self.from, &mut self.start).map_err(|error| {
                Failure::new(format!("cannot read {} to its end: {error}", self.name))
            })?;
            self.ended = read == 0;
        }
    }

    fn rows(&mut self) -> Result<Vec<Placed>, Failure> {
        let mut rows = Vec::new();
        let mut at = 0;
        loop {
            match self.splitter.next(&self.start[at..], self.ended) {
                Ok(None) => return Ok(rows),
                Ok(Some(row)) => {
                    // A piece, and a row that is not longer than one, are far below 4 GiB.
                    let (content, next) = ((at + row.content) as u32, (at + row.next) as u32);
                    rows.push(Placed { content, next });
                    at += row.next;
                }
                // What comes before is washed first.
                Err(_) if !rows.is_empty() => return Ok(rows),
                Err(error) => {
                    return Err(Failure::new(format!(
                        "{} cannot be washed to its end: {error}; that row begins behind byte {}",
                        self.name, self.offset
                    )));
                }
            }
        }
    }
}

/// Whether a list has more rows than this. One that cannot be read is refused where it is read.
fn has_more_rows(list: &File, most: u32, wanted: &Wanted) -> bool {
    let Ok(mut rows) = Rows::new(list, wanted.form, wanted.delimiter) else {
        return false;
    };
    (0..=most).all(|_| matches!(rows.next_row(), Ok(Some(_))))
}

fn read_some(from: &mut impl Read, into: &mut Vec<u8>) -> io::Result<usize> {
    let before = into.len();
    into.resize(before + PIECE, 0);
    let read = loop {
        match from.read(&mut into[before..]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    into.truncate(before + read.as_ref().copied().unwrap_or(0));
    read
}
