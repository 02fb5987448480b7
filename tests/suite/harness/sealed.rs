//! The sealed log as it lies on the disk, read without the service: entries, hashes and signed
//! checkpoints, and whether they tell one story.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use metrust::log::merkle::root_of;
use metrust::log::tile::{Tile, entries, extent};
use metrust::log::{Checkpoint, Frontier, Hash, Note, Verifier, leaf_hash};
use serde_json::Value;

/// One log: its newest checkpoint, and the entries under it.
pub struct Sealed {
    pub name: String,
    pub size: u64,
    pub root: Hash,
    leaves: Vec<Hash>,
    pub entries: Vec<Value>,
}

/// The checkpoints that were published: for each log and size, every root that was signed.
pub type Published = BTreeMap<(String, u64), BTreeSet<String>>;

/// The names of the logs in a folder, oldest first.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(rows) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = rows
        .filter_map(|row| row.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("20"))
        .collect();
    names.sort();
    names
}

/// The numbers of the commits that lie in a folder, in order.
pub fn commits(folder: &Path) -> Vec<u64> {
    let Ok(rows) = fs::read_dir(folder.join("commit")) else {
        return Vec::new();
    };
    let mut numbers: Vec<u64> = rows
        .filter_map(|row| row.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// Reads a checkpoint that one of the published keys has signed.
#[track_caller]
fn verified(folder: &Path, file: &Path) -> Option<Checkpoint> {
    let signed = fs::read(file).ok()?;
    let note = Note::parse(&signed).unwrap();
    let checkpoint = Checkpoint::parse(&note.text).unwrap();
    let keys = fs::read_to_string(folder.join("vkeys")).unwrap_or_default();
    let keys: Vec<_> = keys
        .lines()
        .map(|key| Verifier::parse(key).unwrap())
        .filter(|key| key.name() == checkpoint.origin)
        .collect();
    if !keys.is_empty() {
        assert!(!note.verify(&keys).unwrap().is_empty(), "{file:?}");
    }
    Some(checkpoint)
}

/// Every log in the folder, oldest first, up to its published checkpoint.
#[track_caller]
pub fn read(folder: &Path) -> Vec<Sealed> {
    let logs = names(folder).into_iter();
    logs.filter_map(|name| read_log(folder, &name)).collect()
}

#[track_caller]
fn read_log(folder: &Path, name: &str) -> Option<Sealed> {
    let root = folder.join(name);
    let checkpoint = verified(folder, &root.join("checkpoint"))?;
    let (mut leaves, mut values) = (Vec::new(), Vec::new());
    let (full, width) = extent(0, checkpoint.size);
    for index in 0..full + u64::from(width > 0) {
        let wanted = if index < full { 256 } else { width };
        let bundle = bundle(&root, index, wanted);
        let found = entries(&bundle).take(usize::from(wanted));
        for entry in found {
            let entry = entry.unwrap();
            leaves.push(leaf_hash(entry));
            values.push(serde_json::from_slice(entry).unwrap());
        }
    }
    assert_eq!(leaves.len() as u64, checkpoint.size, "{name} is short");
    Some(Sealed {
        name: name.to_owned(),
        size: checkpoint.size,
        root: checkpoint.root,
        leaves,
        entries: values,
    })
}

/// A bundle of so many entries: a partial one may have become full by now.
#[track_caller]
fn bundle(log: &Path, index: u64, width: u16) -> Vec<u8> {
    let place = |width| log.join(Tile::Entries { index, width }.path());
    fs::read(place(width))
        .or_else(|_| fs::read(place(256)))
        .unwrap_or_else(|problem| panic!("{:?}: {problem}", place(width)))
}

impl Sealed {
    /// The root of the first `size` leaves, for each of these sizes.
    fn roots(&self, sizes: &BTreeSet<u64>) -> BTreeMap<u64, Hash> {
        let (mut frontier, mut roots) = (Frontier::new(), BTreeMap::new());
        for leaf in &self.leaves {
            frontier.push(*leaf);
            if sizes.contains(&frontier.size()) {
                roots.insert(frontier.size(), frontier.root());
            }
        }
        roots
    }

    /// The checkpoint, every kept one and all that were `published` are prefixes of this log, and
    /// its tiles hold its hashes.
    #[track_caller]
    fn assert_sound(&self, folder: &Path, published: &Published) {
        let root = folder.join(&self.name);
        let mut wanted: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        let mut want = |size, root: String| wanted.entry(size).or_default().insert(root);
        want(self.size, self.root.to_string());
        for row in fs::read_dir(root.join("checkpoints")).into_iter().flatten() {
            let file = row.unwrap().path();
            let kept = verified(folder, &file).unwrap();
            assert_eq!(file.file_name().unwrap(), &*kept.size.to_string());
            want(kept.size, kept.root.to_string());
        }
        for ((log, size), roots) in published {
            if *log == self.name {
                for root in roots {
                    want(*size, root.clone());
                }
            }
        }
        let roots = self.roots(&wanted.keys().copied().collect());
        for (size, signed) in wanted {
            let is = roots.get(&size).map(ToString::to_string);
            let is = BTreeSet::from_iter(is);
            assert_eq!(signed, is, "the checkpoint of {size} in {}", self.name);
        }
        self.assert_tiles(&root);
    }

    #[track_caller]
    fn assert_tiles(&self, root: &Path) {
        let mut hashes = self.leaves.clone();
        for level in 0_u8.. {
            let (full, rest) = hashes.as_chunks::<256>();
            for (index, tile) in full.iter().map(|tile| &tile[..]).chain([rest]).enumerate() {
                if tile.is_empty() {
                    continue;
                }
                let width = tile.len() as u16;
                let index = index as u64;
                let place = root.join(
                    Tile::Hashes {
                        level,
                        index,
                        width,
                    }
                    .path(),
                );
                let bytes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
                assert!(
                    fs::read(&place).is_ok_and(|found| found == bytes),
                    "{place:?} is missing or wrong"
                );
            }
            if full.is_empty() {
                return;
            }
            hashes = full.iter().map(|tile| root_of(tile)).collect();
        }
    }
}

/// The log is one story: each of the `acknowledged` entries is in it exactly once, none twice, no
/// writer's number is missing, and every checkpoint that was ever seen is a prefix of it. Gives all
/// its entries, in their order.
#[track_caller]
pub fn assert_complete(
    folder: &Path,
    acknowledged: &[String],
    published: &Published,
) -> Vec<Value> {
    let logs = read(folder);
    for log in &logs {
        log.assert_sound(folder, published);
    }
    for (log, _) in published.keys() {
        assert!(logs.iter().any(|read| read.name == *log), "{log} is gone");
    }
    let all: Vec<Value> = logs.into_iter().flat_map(|log| log.entries).collect();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut writers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for entry in &all {
        *times.entry(entry["id"].as_str().unwrap()).or_default() += 1;
        let writer = writers
            .entry(entry["writer"].as_str().unwrap())
            .or_default();
        writer.push(entry["writer_seq"].as_u64().unwrap());
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        twice.is_empty(),
        "{} are there twice: {twice:?}",
        twice.len()
    );
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|id| !times.contains_key(id.as_str()))
        .collect();
    assert!(lost.is_empty(), "{} are lost: {lost:?}", lost.len());
    for (writer, numbers) in writers {
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "the numbers of writer {writer}");
    }
    all
}

/// Collects every checkpoint that can be seen, all the time.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Published>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Of a folder that the test itself may exchange.
    pub fn of(folder: PathBuf) -> Self {
        Self::begin(folder, false)
    }

    /// Makes sure, too, that what a checkpoint stands for is there as soon as it is.
    pub fn strict(folder: PathBuf) -> Self {
        Self::begin(folder, true)
    }

    fn begin(folder: PathBuf, strict: bool) -> Self {
        let (stop, seen) = (
            Arc::<AtomicBool>::default(),
            Arc::<Mutex<Published>>::default(),
        );
        let (stopped, sink) = (stop.clone(), seen.clone());
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for name in names(&folder) {
                    if let Some(found) = verified(&folder, &folder.join(&name).join("checkpoint")) {
                        let (full, width) = extent(0, found.size);
                        if strict && width > 0 {
                            bundle(&folder.join(&name), full, width);
                        }
                        let mut seen = sink.lock().unwrap();
                        let roots = seen.entry((name, found.size)).or_default();
                        roots.insert(found.root.to_string());
                    }
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        Self {
            stop,
            seen,
            thread: Some(thread),
        }
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Published {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let died = self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err());
        assert!(
            !died || thread::panicking(),
            "a checkpoint could not be read"
        );
    }
}
