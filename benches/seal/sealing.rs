//! The sealer itself: from the store's tail to a signed checkpoint on disk, everything synced.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use metrust::domain::{
    AgencyId, Channel, Context, KeyId, Moment, Op, Pseudonym, SellerId, SellerRef,
};
use metrust::log::storage::{Folder, Storage};
use metrust::log::{Archive, Generation, LogKeys, SEGMENT, Sealer, Sealing};
use metrust::privacy::{SecretKey, Subject};
use metrust::store::{Ask, Engine, SellerNumber, Store};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::measure::Measure;

/// Entries in a round.
const ENTRIES: usize = 1 << 17;
/// How many numbers are asked at once: what a busy registry's batches hold.
const TOGETHER: usize = 64;

/// A store with entries in its tail, and a place for its log.
struct Filled {
    archive: Archive,
    store: Arc<Store>,
    sealer: Sealer,
    _folder: TempDir,
}

/// What this file measures; a round each, prepared beforehand.
pub fn measures(rounds: usize) -> Result<Vec<Measure>, Box<dyn Error>> {
    let mut filled = Vec::new();
    for _ in 0..rounds {
        filled.push(fill(&runtime()?)?);
    }
    // Removed together at the end: removing is not measured, and ext4 is slow to give the room of
    // files that were just removed to new ones.
    let sealed = Rc::new(RefCell::new(Vec::<Filled>::new()));
    let logs = sealed.clone();
    let seal = move || {
        let (Some(mut one), Ok(runtime)) = (filled.pop(), runtime()) else {
            return 0;
        };
        let entries = runtime.block_on(one.sealer.catch_up());
        runtime.block_on(one.store.close());
        logs.borrow_mut().push(one);
        entries.map_or(0, |entries| usize::try_from(entries).unwrap_or(0))
    };
    // Of a log that the measure above has left: alone it has nothing to do.
    let index = move || {
        let (Some(one), Ok(runtime)) = (sealed.borrow().last().map(Filled::archive), runtime())
        else {
            return 0;
        };
        let indexed = runtime.block_on(async {
            let head = one.head().await.ok().flatten()?;
            one.index(head.log, 0, head.size).await.ok()
        });
        indexed.map_or(0, |()| SEGMENT as usize)
    };
    Ok(vec![
        Measure::new(
            "entries sealed: unpacked, hashed, written, synced, reread, signed",
            seal,
        ),
        Measure::new("entries of a sealed log indexed, when nothing waits", index),
    ])
}

/// A new one each time: what a sealer leaves for later is done apart.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl Filled {
    fn archive(&self) -> Archive {
        self.archive.clone()
    }
}

fn fill(runtime: &Runtime) -> Result<Filled, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::Embedded {
        file: folder.path().join("store.redb"),
    };
    let wait = Duration::from_secs(60);
    let store = Arc::new(runtime.block_on(Store::open(engine, wait, wait))?);
    let context = Arc::new(Context {
        op: Op::Check,
        agency: Some(AgencyId::parse("quick-calls")?),
        seller: Some(SellerRef::One(SellerId::parse("sunny-telecom")?)),
        key: Some(KeyId::parse("abcdefgh12")?),
        campaign: None,
        channels: Some(Channel::Voice.into()),
        detail: None,
    });
    let seller = SellerNumber::new(1).ok_or("a seller's number")?;
    for first in (0..ENTRIES).step_by(TOGETHER) {
        let asks = (first..first + TOGETHER).map(|number| {
            let mut name = [0; 16];
            name[..8].copy_from_slice(&(number as u64).to_be_bytes());
            Ask {
                at: Moment::now(),
                context: context.clone(),
                number: Some((Subject(name), Pseudonym(name))),
                seller,
                channel: Channel::Voice,
                replay: None,
            }
        });
        runtime.block_on(store.decide(asks.collect()))?;
    }
    let keys = LogKeys::new(SecretKey::generate());
    keys.learn(vec![Generation {
        number: 1,
        since: Moment::now(),
        until: None,
    }]);
    let archive = Archive::new(Storage::Folder(Folder::open(folder.path().join("log"))?));
    let plan = Sealing {
        archive: archive.clone(),
        store: store.clone(),
        keys: Arc::new(keys),
        origin: "bench.example/log".to_owned(),
        part: 1,
        store_id: "00".repeat(16),
        period: Duration::from_secs(1),
    };
    Ok(Filled {
        archive,
        store,
        sealer: Sealer::new(plan, Arc::default()),
        _folder: folder,
    })
}
