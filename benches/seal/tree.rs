//! Growing the tree, writing its tiles, and checking a place in it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use metrust::log::merkle::{node_hash, root_of};
use metrust::log::proof::check_inclusion;
use metrust::log::tile::put_entry;
use metrust::log::{Frontier, Hash, Tile, leaf_hash};

use crate::measure::Measure;

/// Entries in a round: one segment of the index, and more than fits the cache of a core.
const ENTRIES: usize = 65_536;
/// The height of a log of some 134 million entries.
const HEIGHT: usize = 27;
/// Proofs checked in a round.
const PROOFS: usize = 2_000;

/// What this file measures.
pub fn measures() -> Vec<Measure> {
    let entries: Arc<[Vec<u8>]> = (0..ENTRIES).map(entry).collect();
    let again = Arc::clone(&entries);
    vec![
        Measure::new("leaves hashed and pushed", move || {
            let mut tree = Frontier::new();
            for entry in entries.iter() {
                tree.push(leaf_hash(black_box(entry)));
            }
            black_box(tree.root());
            ENTRIES
        }),
        Measure::new(
            "leaves hashed, pushed, and put in tiles and bundles",
            move || {
                let mut written = Tiles::default();
                for entry in again.iter() {
                    written.add(black_box(entry));
                }
                black_box((&written.files, written.tree.root()));
                ENTRIES
            },
        ),
        checks(),
    ]
}

/// A usual check's entry in its canonical form; each is another one.
pub fn entry(number: usize) -> Vec<u8> {
    format!(
        "{{\"agency\":\"quick-calls\",\"answer\":\"not_listed\",\"campaign\":\"winter\",\
         \"channel\":\"voice\",\"client_seq\":{number},\
         \"id\":\"01a1ee56-5e7b-7707-8707-{number:012x}\",\"key\":\"abcdefgh12\",\"op\":\"check\",\
         \"pn\":\"{number:032x}\",\"salt\":\"{number:032x}\",\"seller\":\"telco\",\
         \"time\":\"2026-11-18T11:06:40.123Z\",\"v\":1,\"writer\":\"0202020202020202\",\
         \"writer_seq\":{number}}}"
    )
    .into_bytes()
}

/// A log in memory: its files by their paths.
#[derive(Default)]
struct Tiles {
    tree: Frontier,
    files: BTreeMap<String, Vec<u8>>,
    bundle: Vec<u8>,
    /// For each tile level, the hashes that are not a full tile yet, and the tile's index.
    levels: Vec<(Vec<Hash>, u64)>,
}

impl Tiles {
    fn add(&mut self, entry: &[u8]) {
        let mut hash = leaf_hash(entry);
        self.tree.push(hash);
        if put_entry(&mut self.bundle, entry).is_err() {
            return;
        }
        for level in 0.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push((Vec::with_capacity(256), 0));
            }
            let (hashes, index) = &mut self.levels[usize::from(level)];
            hashes.push(hash);
            if hashes.len() < 256 {
                break;
            }
            hash = root_of(hashes);
            let bytes = hashes.drain(..).flat_map(|hash| hash.0).collect();
            let (index, width) = (std::mem::replace(index, *index + 1), 256);
            if level == 0 {
                let bundle = std::mem::take(&mut self.bundle);
                let path = Tile::Entries { index, width }.path();
                self.files.insert(path, bundle);
            }
            let path = Tile::Hashes {
                level,
                index,
                width,
            }
            .path();
            self.files.insert(path, bytes);
        }
    }
}

/// Checks of inclusion proofs as long as a large log's.
fn checks() -> Measure {
    let size = 1 << HEIGHT;
    let index = size / 3;
    let leaf = leaf_hash(b"an entry");
    let proof: Vec<Hash> = (0..HEIGHT)
        .map(|level| leaf_hash(&level.to_be_bytes()))
        .collect();
    let root = proof
        .iter()
        .enumerate()
        .fold(leaf, |hash, (bit, neighbour)| match index >> bit & 1 {
            0 => node_hash(&hash, neighbour),
            _ => node_hash(neighbour, &hash),
        });
    Measure::new("inclusion proofs of 27 hashes checked", move || {
        (0..PROOFS)
            .filter(|_| check_inclusion(black_box(&leaf), index, size, &proof, &root).is_ok())
            .count()
    })
}
