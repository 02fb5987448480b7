//! The index of everything on record, sealed or not, for those who go through all of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::domain::Entry;
use crate::log::index::{ENTRIES, Header, IndexError, Segment, SegmentBuilder};
use crate::log::storage::Source;
use crate::log::{Archive, Head, LogName, SEGMENT, TailReader};
use crate::service::{SearchPermit, Service, ServiceError, matching};
use crate::store::{StoreError, TailBatch};

/// The segments of the index, in the order of the log. Those of full segments lie in the log's
/// storage; those of what came after are in memory.
#[derive(Debug)]
pub struct RecordIndex {
    archive: Archive,
    runtime: Handle,
    places: Vec<Place>,
}

#[derive(Debug)]
enum Place {
    Stored(LogName, u64),
    Held(Arc<Segment<Source>>),
}

/// How many batches of a tail are read at a time.
const PAGE: usize = 256;

/// How often log and tails are looked at until they fit together, and how long after one another.
const TRIES: u32 = 60;
const AGAIN: Duration = Duration::from_millis(50);

impl Service {
    /// The index of everything that is on record now. A segment that has lost its index gets a
    /// new one first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(in crate::service) async fn record_index(
        &self,
        _permit: &SearchPermit,
    ) -> Result<RecordIndex, ServiceError> {
        let archive = &self.record.archive;
        for _ in 0..TRIES {
            let head = archive.head().await?;
            // Where the log has grown past its end meanwhile, the tail no longer begins there. Nor
            // does that of a store that is older than the log, until the sealer has been through it.
            let Some(unsealed) = self.unsealed(head.as_ref()).await? else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            let mut places = Vec::new();
            for log in head.map(|head| head.logs()).unwrap_or_default() {
                if archive.is_dropped(log.log).await? {
                    continue;
                }
                for number in 0..log.size / SEGMENT {
                    if archive.segment(log.log, number).await?.is_none() {
                        archive.index(log.log, number, log.size).await?;
                    }
                    places.push(Place::Stored(log.log, number));
                }
                if !log.size.is_multiple_of(SEGMENT) {
                    let rest = archive.rest(log.log, log.size).await?;
                    places.push(Place::Held(Arc::new(rest)));
                }
            }
            places.extend(unsealed);
            return Ok(RecordIndex {
                archive: archive.clone(),
                runtime: Handle::current(),
                places,
            });
        }
        Err(ServiceError::Store(match self.store.loss().await? {
            Some(_) => StoreError::Marked,
            None => StoreError::Late,
        }))
    }

    /// The index of what is not sealed yet; nothing where the tails no longer begin where the log
    /// ends.
    async fn unsealed(&self, head: Option<&Head>) -> Result<Option<Vec<Place>>, ServiceError> {
        let mut gathering = Gathering::default();
        for tail in 0..self.store.tails() {
            let place = usize::from(tail);
            let cursors = head.map(|head| &head.cursors);
            let cursor = cursors.and_then(|cursors| cursors.get(place).copied().flatten());
            let mut reader = TailReader::new(tail, cursor, PAGE);
            loop {
                let page = match reader.next(&self.store).await? {
                    None => return Ok(None),
                    Some(page) if page.is_empty() => break,
                    Some(page) => page,
                };
                // Reading some thousand entries takes milliseconds: not on a thread that answers.
                gathering = blocking(move || {
                    gathering.add(&page)?;
                    Ok(gathering)
                })
                .await?;
            }
        }
        blocking(move || gathering.finish().map(Some)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ServiceError::Damaged("the index of what is not sealed yet"))?
}

#[derive(Default)]
struct Gathering {
    builder: SegmentBuilder,
    places: Vec<Place>,
}

impl Gathering {
    fn add(&mut self, page: &[TailBatch]) -> Result<(), ServiceError> {
        for batch in page {
            let entries = batch
                .entries()
                .map_err(|_| ServiceError::Damaged("a batch of audit entries"))?;
            for entry in &entries {
                self.add_entry(entry)?;
            }
        }
        Ok(())
    }

    fn add_entry(&mut self, entry: &Entry) -> Result<(), ServiceError> {
        if self.builder.entries() == ENTRIES {
            self.close()?;
        }
        let place = self.builder.entries();
        self.builder
            .add(place, entry)
            .map_err(|_| ServiceError::Damaged("the index of what is not sealed yet"))
    }

    fn close(&mut self) -> Result<(), ServiceError> {
        let bytes = std::mem::take(&mut self.builder).finish();
        let segment = Segment::open(Source::Memory(bytes))
            .map_err(|_| ServiceError::Damaged("the index of what is not sealed yet"))?;
        self.places.push(Place::Held(Arc::new(segment)));
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Place>, ServiceError> {
        if self.builder.entries() > 0 {
            self.close()?;
        }
        Ok(self.places)
    }
}

impl RecordIndex {
    fn segment(&self, place: usize) -> Result<Arc<Segment<Source>>, IndexError> {
        match self.places.get(place).ok_or(IndexError::Damaged)? {
            Place::Held(segment) => Ok(segment.clone()),
            Place::Stored(log, number) => {
                let opened = self.runtime.block_on(self.archive.segment(*log, *number));
                let segment = opened.ok().flatten().ok_or(IndexError::Damaged)?;
                Ok(Arc::new(segment))
            }
        }
    }
}

/// For threads that may block: what lies in the storage is waited for.
impl matching::Source for RecordIndex {
    type Bytes = Source;
    type Segment = Arc<Segment<Source>>;

    fn headers(&self) -> Result<Vec<Header>, IndexError> {
        (0..self.places.len())
            .map(|place| Ok(self.segment(place)?.header().clone()))
            .collect()
    }

    fn open(&self, place: usize) -> Result<Self::Segment, IndexError> {
        self.segment(place)
    }
}
