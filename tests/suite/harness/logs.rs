//! A small writer of logs: the whole log at once from its entries, honest or not.
//!
//! It shares the protocol's code with the service (hashes, names of tiles, signatures) but none of
//! the service's sealing.

use std::fs;
use std::path::Path;

use metrust::log::merkle::{Hash, leaf_hash, root_of};
use metrust::log::proof::inclusion_proof;
use metrust::log::tile::{Tile, put_entry};
use metrust::log::{Checkpoint, Note, Signer, TlogProof};

const BASE: &str = "dnc.example.org/log";
/// The seed of the log's real key.
pub const REAL: [u8; 32] = [7; 32];
/// The seed of a forger's key.
pub const FORGED: [u8; 32] = [9; 32];

/// A log's entries, and with which key they are signed.
#[derive(Clone)]
pub struct Log {
    pub name: &'static str,
    pub entries: Vec<Vec<u8>>,
    pub seed: [u8; 32],
}

/// The entry at this index of an honest log: two writers and two agencies take turns.
pub fn entry(index: u64) -> Vec<u8> {
    let (turn, count) = (index % 2, index / 2);
    format!(
        concat!(
            r#"{{"agency":"calls-{turn}","answer":"not_listed","campaign":"{{win\"ter}} {index}","#,
            r#""channel":"voice","client_seq":{client},"id":"01a1ee56-5e7b-7707-8707-{index:012x}","#,
            r#""key":"abcdefgh12","op":"check","pn":"{pn:032x}","salt":"{salt:032x}","#,
            r#""seller":"telco","time":"2026-11-18T11:06:{second:02}.123Z","v":1,"#,
            r#""writer":"020202020202020{turn}","writer_seq":{writer}}}"#
        ),
        turn = turn,
        index = index,
        client = count + 40,
        pn = u128::from(index) << 64 | 5,
        salt = u128::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15_9e37_79b9_7f4a_7c15),
        second = index % 60,
        writer = count + 1,
    )
    .into_bytes()
}

impl Log {
    /// An honest log.
    pub fn honest(entries: u64) -> Self {
        Self {
            name: "2026",
            entries: (0..entries).map(entry).collect(),
            seed: REAL,
        }
    }

    pub fn origin(&self) -> String {
        format!("{BASE}/{}", self.name)
    }

    fn signer(&self) -> Signer {
        Signer::new(&self.origin(), &self.seed).unwrap()
    }

    pub fn vkey(&self) -> String {
        self.signer().verifier().to_string()
    }

    /// The log as it was when it had `size` entries.
    pub fn at(&self, size: u64) -> Self {
        let mut log = self.clone();
        log.entries.truncate(size as usize);
        log
    }

    fn hashes(&self) -> Vec<Hash> {
        self.entries.iter().map(|entry| leaf_hash(entry)).collect()
    }

    pub fn root(&self) -> Hash {
        root_of(&self.hashes())
    }

    /// The signed checkpoint of all its entries.
    pub fn checkpoint(&self) -> String {
        self.sign(self.entries.len() as u64, self.root())
    }

    /// A signed checkpoint that may say anything.
    pub fn sign(&self, size: u64, root: Hash) -> String {
        let origin = self.origin();
        let text = Checkpoint { origin, size, root }.to_string();
        Note::sign(text, &[&self.signer()]).unwrap().to_string()
    }

    /// The receipt for one entry.
    pub fn receipt(&self, index: u64) -> String {
        let (hashes, size) = (self.hashes(), self.entries.len() as u64);
        let mut get = |level: u8, place: u64| -> Result<Hash, ()> {
            let leaves = 1 << level;
            let start = place as usize * leaves;
            Ok(root_of(&hashes[start..start + leaves]))
        };
        let proof = TlogProof {
            extra: None,
            index,
            hashes: inclusion_proof(index, size, &mut get).unwrap(),
            checkpoint: self.checkpoint(),
        };
        proof.to_string()
    }

    /// Writes it all below the root of logs, with the older checkpoints of these sizes, and adds
    /// its key to `vkeys`.
    pub fn write(&self, root: &Path, kept: &[u64]) {
        let folder = root.join(self.name);
        let _ = fs::remove_dir_all(&folder);
        for (index, entries) in (0..).zip(self.entries.chunks(256)) {
            let mut bundle = Vec::new();
            entries
                .iter()
                .for_each(|entry| put_entry(&mut bundle, entry).unwrap());
            let width = entries.len() as u16;
            put(&folder, &Tile::Entries { index, width }.path(), &bundle);
        }
        let mut hashes = self.hashes();
        let mut level = 0;
        while !hashes.is_empty() {
            for (index, tile) in (0..).zip(hashes.chunks(256)) {
                put_hashes(&folder, level, index, tile);
            }
            hashes = hashes.chunks_exact(256).map(root_of).collect();
            level += 1;
        }
        put(&folder, "checkpoint", self.checkpoint().as_bytes());
        for size in kept {
            let checkpoint = self.at(*size).checkpoint();
            put(
                &folder,
                &format!("checkpoints/{size}"),
                checkpoint.as_bytes(),
            );
        }
        let vkeys = fs::read_to_string(root.join("vkeys")).unwrap_or_default();
        if !vkeys.contains(&self.vkey()) {
            put(
                root,
                "vkeys",
                format!("{vkeys}{}\n", self.vkey()).as_bytes(),
            );
        }
    }
}

/// Writes a tile of hashes, as many as there are.
pub fn put_hashes(folder: &Path, level: u8, index: u64, hashes: &[Hash]) {
    let width = hashes.len() as u16;
    let tile = Tile::Hashes {
        level,
        index,
        width,
    };
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    put(folder, &tile.path(), &bytes);
}

/// Writes a file, and the folders above it.
pub fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
