//! From a list that comes in pieces to groups of rows.

use super::group::{Group, LineReader};
use super::{Input, InputError};
use crate::domain::{Notation, WashEnd};
use crate::table::{EndlessRow, Layout, LayoutError, Splitter, Wanted};

/// Why a list cannot be washed at all.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Its first row cannot be understood.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// It ended before its first row did.
    #[error("the list broke off, or stood still, before its first row")]
    Input(#[from] InputError),
}

/// The rows of one wash, as they come.
pub(super) struct Reading<I> {
    input: I,
    splitter: Splitter,
    lines: LineReader,
    /// The rows that wait for others; its bytes may go on behind the last of them.
    group: Group,
    /// Whether all of the list has come.
    ended: bool,
    /// Why no more rows can be read, if that is not its end.
    broken: Option<WashEnd>,
    /// Rooms of groups that are done, for others.
    spare: Vec<Group>,
}

impl<I: Input> Reading<I> {
    /// Reads until the first row is there, which tells the list's layout.
    ///
    /// # Errors
    /// [`BeginError`].
    pub async fn begin(
        mut input: I,
        wanted: &Wanted,
        notation: Notation,
    ) -> Result<(Layout, Self), BeginError> {
        let wanted = &Wanted {
            delimiter: input.begin().await?.or(wanted.delimiter),
            ..wanted.clone()
        };
        let (mut start, mut ended) = (Vec::new(), false);
        let layout = loop {
            if let Some(layout) = Layout::find(&start, ended, wanted)? {
                break layout;
            }
            ended = !input.read(&mut start).await?;
        };
        let mut reading = Self {
            input,
            splitter: layout.splitter(),
            lines: LineReader::new(&layout, notation),
            group: Group {
                bytes: start,
                ..Group::default()
            },
            ended,
            broken: None,
            spare: Vec::new(),
        };
        reading.find_rows();
        Ok((layout, reading))
    }

    /// Reads some more. It may be given up while it waits, and loses nothing then.
    pub async fn more(&mut self) {
        match self.input.read(&mut self.group.bytes).await {
            Ok(true) => {}
            Ok(false) => self.ended = true,
            Err(InputError::Stalled) => self.broken = Some(WashEnd::InputStalled),
            Err(_) => self.broken = Some(WashEnd::InputBroken),
        }
        if self.broken.is_none() {
            self.find_rows();
        }
    }

    /// Whether rows wait to be asked about.
    pub fn waits(&self) -> bool {
        !self.group.lines.is_empty()
    }

    /// Whether as many wait as are asked about together.
    pub fn is_full(&self) -> bool {
        self.group.is_full()
    }

    /// Whether no more rows will come than those that wait; if that is not the list's end, how it
    /// ended.
    pub fn over(&self) -> Option<WashEnd> {
        if self.broken.is_some() {
            return self.broken;
        }
        // A full group may leave rows behind.
        let rest = self.group.bytes.len() > self.group.end();
        (self.ended && !rest).then_some(WashEnd::Complete)
    }

    /// The rows that wait; those behind them wait from now on.
    pub fn take(&mut self) -> Group {
        let mut next = self.spare.pop().unwrap_or_default();
        let end = self.group.end();
        next.bytes.extend_from_slice(&self.group.bytes[end..]);
        self.group.bytes.truncate(end);
        let taken = std::mem::replace(&mut self.group, next);
        if self.broken.is_none() {
            self.find_rows();
        }
        taken
    }

    /// Takes the room of a group that is done.
    pub fn give_back(&mut self, mut group: Group) {
        group.bytes.clear();
        group.lines.clear();
        group.also.clear();
        group.asked = 0;
        self.spare.push(group);
    }

    fn find_rows(&mut self) {
        while !self.group.is_full() {
            let start = self.group.end();
            let row = match self.splitter.next(&self.group.bytes[start..], self.ended) {
                Ok(Some(row)) => row,
                Ok(None) => return,
                Err(EndlessRow) => {
                    self.broken = Some(WashEnd::RowTooLong);
                    return;
                }
            };
            let group = &mut self.group;
            let line = self.lines.line(&group.bytes, start, row, &mut group.also);
            self.group.asked += usize::from(line.needs_answer()) + usize::from(line.also);
            self.group.lines.push(line);
        }
    }
}

/// The rows of a list that comes in pieces of this length; or why it cannot be washed, or not to its
/// end: for whoever compares readers.
#[cfg(any(test, fuzzing))]
pub(in crate::service) fn washed_rows(
    list: &[u8],
    piece: usize,
    wanted: &Wanted,
    notation: Notation,
) -> Result<Vec<crate::service::same_rows::Washed>, String> {
    use super::group::Kind;
    use crate::service::same_rows::Washed;

    struct Pieces(Vec<u8>, usize);

    impl Input for Pieces {
        async fn begin(&mut self) -> Result<Option<u8>, InputError> {
            Ok(None)
        }

        async fn read(&mut self, into: &mut Vec<u8>) -> Result<bool, InputError> {
            let piece = self.1.min(self.0.len());
            into.extend(self.0.drain(..piece));
            Ok(piece > 0)
        }
    }

    let read = async {
        let begun = Reading::begin(Pieces(list.to_vec(), piece), wanted, notation).await;
        let (_, mut reading) = begun.map_err(|error| error.to_string())?;
        let (mut rows, mut start) = (Vec::new(), 0);
        loop {
            while reading.over().is_none() && !reading.is_full() {
                reading.more().await;
            }
            let group = reading.take();
            let (mut at, mut also) = (0, group.also.iter());
            for line in &group.lines {
                let mut numbers: Vec<_> = also.by_ref().take(line.also.into()).copied().collect();
                let error = match line.kind {
                    Kind::Blank | Kind::Heading => {
                        at = line.next as usize;
                        continue;
                    }
                    Kind::Number(number) => {
                        numbers.push(number);
                        None
                    }
                    Kind::Unreadable(error) => Some(error),
                };
                let mut content = &group.bytes[at..line.content as usize];
                if start + at == 0 {
                    content = content
                        .strip_prefix(crate::table::BYTE_ORDER_MARK)
                        .unwrap_or(content);
                }
                rows.push(Washed {
                    start: start + at,
                    content: content.to_vec(),
                    numbers,
                    error,
                });
                at = line.next as usize;
            }
            start += group.end();
            if !reading.waits() && reading.over().is_some() {
                return match reading.over() {
                    Some(WashEnd::Complete) => Ok(rows),
                    other => Err(format!("{other:?}")),
                };
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.map_err(|error| error.to_string())?.block_on(read)
}
