//! Getting a log from a service, file by file, as C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>)
//! lays it out: first a checkpoint, then exactly the tiles of its size.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar};
use serde::Deserialize;

use super::files::{bar, put};
use super::span::{Span, first_time, last_time};
use crate::cli::Failure;
use crate::cli::client::Client;
use crate::cli::output::note;
use crate::domain::Moment;
use crate::log::bundle::Part;
use crate::log::note::MAX_NOTE;
use crate::log::tile::{Tile, WIDTH, extent};
use crate::log::{Checkpoint, LogName, Note};

/// A bundle of 256 entries of 65,535 bytes, each with its length.
const LONGEST: u64 = WIDTH * (65_535 + 2);

/// How long an entry that was just made may take to be sealed before the bundle is made without
/// it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a file is asked for when the connection breaks, and how long is waited in between.
const ATTEMPTS: u32 = 4;
const AGAIN: Duration = Duration::from_secs(1);

/// A log as the service lists it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LogRow {
    pub(super) name: LogName,
    origin: String,
    dropped: bool,
}

#[derive(Deserialize)]
struct Logs {
    logs: Vec<LogRow>,
}

#[derive(Deserialize)]
struct Kept {
    sizes: Vec<u64>,
}

/// A log at the size at which it is downloaded.
pub(super) struct Log {
    pub(super) name: LogName,
    dropped: bool,
    size: u64,
    checkpoint: Vec<u8>,
}

/// A download into a folder.
pub(super) struct Download<'a> {
    client: &'a Client,
    folder: &'a Path,
    bytes: Cell<u64>,
}

impl<'a> Download<'a> {
    /// A download that has not begun.
    pub(super) fn new(client: &'a Client, folder: &'a Path) -> Self {
        Self {
            client,
            folder,
            bytes: Cell::new(0),
        }
    }

    /// The logs that the service has.
    pub(super) fn logs(&self) -> Result<Vec<LogRow>, Failure> {
        Ok(self.client.get_as::<Logs>("/log/logs.json")?.logs)
    }

    /// The keys of the logs, as they are published.
    pub(super) fn vkeys(&self) -> Result<Vec<u8>, Failure> {
        self.get("/log/vkeys", MAX_NOTE as u64)
    }

    /// The newest checkpoint of each log. If something was put on record at `since`, of the last
    /// log one that has it, unless that takes too long.
    pub(super) fn checkpoints(
        &self,
        rows: Vec<LogRow>,
        since: Option<Moment>,
    ) -> Result<Vec<Log>, Failure> {
        let mut logs = Vec::new();
        for row in rows {
            logs.push(self.checkpoint(row)?);
        }
        let (Some(since), Some(last)) = (since, logs.last_mut()) else {
            return Ok(logs);
        };
        let began = Instant::now();
        while !self.reaches(last, since)? {
            if began.elapsed() > PATIENCE {
                note(
                    "WARNING: that the number was opened is not sealed yet, and so is not in this \
                     bundle.",
                );
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
            *last = self.checkpoint(LogRow {
                name: last.name,
                origin: self.origin_of(&last.checkpoint)?,
                dropped: last.dropped,
            })?;
        }
        Ok(logs)
    }

    fn checkpoint(&self, row: LogRow) -> Result<Log, Failure> {
        let path = format!("/log/{}/checkpoint", row.name);
        let checkpoint = self.get(&path, MAX_NOTE as u64)?;
        let (origin, size) = self.read(&checkpoint)?;
        if origin != row.origin {
            return Err(Failure::new(format!(
                "the checkpoint of {} is that of another log",
                row.name
            )));
        }
        Ok(Log {
            name: row.name,
            dropped: row.dropped,
            size,
            checkpoint,
        })
    }

    fn read(&self, checkpoint: &[u8]) -> Result<(String, u64), Failure> {
        let note = Note::parse(checkpoint).ok();
        let checkpoint = note.and_then(|note| Checkpoint::parse(&note.text).ok());
        let checkpoint = checkpoint.ok_or_else(|| {
            Failure::new(format!(
                "{} gives something else than a signed checkpoint",
                self.client.url()
            ))
        })?;
        Ok((checkpoint.origin, checkpoint.size))
    }

    fn origin_of(&self, checkpoint: &[u8]) -> Result<String, Failure> {
        self.read(checkpoint).map(|(origin, _)| origin)
    }

    /// Whether a log's last entry was made at that time or later.
    fn reaches(&self, log: &Log, time: Moment) -> Result<bool, Failure> {
        if log.size == 0 || log.dropped {
            return Ok(log.dropped);
        }
        let bundle = self.entries(log, (log.size - 1) / WIDTH)?;
        Ok(last_time(&bundle).is_none_or(|last| last >= time))
    }

    /// All files of the logs, each in its place; the range of entries of those logs of which not
    /// all are there.
    pub(super) fn everything(
        &self,
        logs: &[Log],
        span: &Span,
    ) -> Result<BTreeMap<String, Part>, Failure> {
        let mut parts = BTreeMap::new();
        let mut plans = Vec::new();
        for log in logs {
            let content = self.content(log, span)?;
            if content != (0..log.size) && !log.dropped {
                let (from, to) = (content.start, content.end);
                parts.insert(log.name.to_string(), Part { from, to });
            }
            plans.push((log, tiles(log.size, &content)));
        }
        let files = plans.iter().map(|(_, tiles)| tiles.count()).sum();
        let bar = bar(files);
        for (log, tiles) in plans {
            self.log(log, &tiles, &bar)?;
        }
        bar.finish_and_clear();
        Ok(parts)
    }

    fn content(&self, log: &Log, span: &Span) -> Result<Range<u64>, Failure> {
        if log.dropped {
            note(&format!(
                "The entries of {} were dropped when the time was over for which they are kept: \
                 only its hashes go into the bundle.",
                log.name
            ));
            return Ok(0..0);
        }
        if span.is_all() {
            return Ok(0..log.size);
        }
        span.entries(log.size, &mut |bundle| {
            let bundle = self.entries(log, bundle)?;
            first_time(&bundle).ok_or_else(|| {
                Failure::new(format!(
                    "an entry of {} cannot be read\n  remedy:     compare `metrust --version` on \
                     both sides",
                    log.name
                ))
            })
        })
    }

    fn log(&self, log: &Log, tiles: &Tiles, bar: &ProgressBar) -> Result<(), Failure> {
        let name = log.name;
        put(self.folder, &format!("{name}/checkpoint"), &log.checkpoint)?;
        let kept: Kept = self.client.get_as(&format!("/log/{name}/checkpoints"))?;
        for size in kept.sizes.into_iter().filter(|size| *size <= log.size) {
            let path = format!("{name}/checkpoints/{size}");
            let bytes = self.get(&format!("/log/{path}"), MAX_NOTE as u64)?;
            put(self.folder, &path, &bytes)?;
        }
        for tile in tiles.all(log.size) {
            let path = format!("{name}/{}", tile.path());
            let bytes = self.get(&format!("/log/{path}"), LONGEST)?;
            put(self.folder, &path, &bytes)?;
            bar.inc(1);
            bar.set_message(HumanBytes(self.bytes.get()).to_string());
        }
        Ok(())
    }

    fn entries(&self, log: &Log, bundle: u64) -> Result<Vec<u8>, Failure> {
        let (full, width) = extent(0, log.size);
        let width = if bundle < full { WIDTH as u16 } else { width };
        let tile = Tile::Entries {
            index: bundle,
            width,
        };
        self.get(&format!("/log/{}/{}", log.name, tile.path()), LONGEST)
    }

    fn get(&self, path: &str, longest: u64) -> Result<Vec<u8>, Failure> {
        let mut attempts = 0;
        let bytes = loop {
            attempts += 1;
            match self.client.bytes(path, longest) {
                // A download of hours must not end with one connection.
                Err(failure) if attempts < ATTEMPTS && failure.may_pass() => {
                    std::thread::sleep(AGAIN);
                }
                got => break got?,
            }
        };
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        Ok(bytes)
    }
}

/// Which tiles and bundles of a log.
struct Tiles {
    size: u64,
    /// The bundles of entries, by number.
    bundles: Range<u64>,
}

/// Every hash tile of a log of `size`, and the bundles with these entries.
fn tiles(size: u64, content: &Range<u64>) -> Tiles {
    let bundles = match content.is_empty() {
        true => 0..0,
        false => content.start / WIDTH..content.end.div_ceil(WIDTH),
    };
    Tiles { size, bundles }
}

impl Tiles {
    fn count(&self) -> u64 {
        let on_level = |level| {
            let (full, width) = extent(level, self.size);
            full + u64::from(width > 0)
        };
        let hashes: u64 = (0..8).map(on_level).sum();
        hashes + (self.bundles.end - self.bundles.start)
    }

    /// The tiles in order, one level after the other, then the bundles.
    fn all(&self, size: u64) -> impl Iterator<Item = Tile> + use<> {
        let width = move |level: u8, index: u64| {
            let (full, width) = extent(level, size);
            if index < full { WIDTH as u16 } else { width }
        };
        let hashes = (0..8_u8).flat_map(move |level| {
            let (full, rest) = extent(level, size);
            (0..full + u64::from(rest > 0)).map(move |index| Tile::Hashes {
                level,
                index,
                width: width(level, index),
            })
        });
        let bundles = self.bundles.clone().map(move |index| Tile::Entries {
            index,
            width: width(0, index),
        });
        hashes.chain(bundles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_tiles_of_a_size_are_asked_for() {
        let paths = |size: u64, content: Range<u64>| {
            let tiles = tiles(size, &content);
            let paths: Vec<String> = tiles.all(size).map(|tile| tile.path()).collect();
            assert_eq!(paths.len() as u64, tiles.count());
            paths
        };
        assert!(paths(0, 0..0).is_empty());
        assert_eq!(
            paths(513, 256..512),
            [
                "tile/0/000",
                "tile/0/001",
                "tile/0/002.p/1",
                "tile/1/000.p/2",
                "tile/entries/001"
            ]
        );
        let all = paths(65_536, 0..65_536);
        assert_eq!(all.len(), 256 + 1 + 1 + 256);
        assert!(all.contains(&"tile/1/000".to_owned()));
        assert!(all.contains(&"tile/2/000.p/1".to_owned()));
    }
}
