//! Verifying a bundle, beside the verifier in Go that comes with it.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use metrust::log::merkle::root_of;
use metrust::log::tile::{extent, hashes, put_entry};
use metrust::log::verify::{Options, keys_in, verify};
use metrust::log::{Checkpoint, Frontier, Hash, Note, Signer, Tile, leaf_hash};
use tempfile::TempDir;

use crate::measure::Measure;
use crate::tree::entry;

/// Entries in the bundle.
const ENTRIES: usize = 1 << 18;

/// What this file measures; nothing of Go's where Go or golang.org/x/mod is not installed.
pub fn measures() -> Result<Vec<Measure>, Box<dyn Error>> {
    let folder = Rc::new(bundle()?);
    let own = folder.clone();
    let options = Options {
        keys: keys_in(folder.path())?,
        ..Options::default()
    };
    let mut measures = vec![Measure::new(
        "entries of a bundle verified by metrust",
        move || {
            let report = verify(own.path(), &options, &|_| ());
            match report {
                Ok(report) if report.holds() => ENTRIES,
                _ => 0,
            }
        },
    )];
    let program = folder.path().join("verify-in-go");
    let built = Command::new("go")
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .arg("build")
        .arg("-o")
        .arg(&program)
        .arg("tests/interop/verify.go")
        .status();
    if built.is_ok_and(|status| status.success()) {
        measures.push(Measure::new(
            "entries of the same bundle verified in Go",
            move || {
                let run = Command::new(&program).arg(folder.path()).output();
                match run {
                    Ok(output) if output.status.success() => ENTRIES,
                    _ => 0,
                }
            },
        ));
    }
    Ok(measures)
}

/// A bundle of one log.
fn bundle() -> Result<TempDir, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("2026");
    let put = |path: &str, bytes: &[u8]| -> std::io::Result<()> {
        let path = log.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(path, bytes)
    };
    let (mut tree, mut leaves) = (Frontier::new(), Vec::new());
    for index in 0..(ENTRIES / 256) as u64 {
        let mut bundle = Vec::new();
        for number in index as usize * 256..(index as usize + 1) * 256 {
            let entry = entry(number + 1);
            put_entry(&mut bundle, &entry)?;
            leaves.push(leaf_hash(&entry));
            tree.push(leaf_hash(&entry));
        }
        put(&Tile::Entries { index, width: 256 }.path(), &bundle)?;
    }
    for level in 0..8 {
        let (full, width) = extent(level, ENTRIES as u64);
        if full == 0 && width == 0 {
            break;
        }
        let mut above = Vec::new();
        for (index, tile) in (0_u64..).zip(leaves.chunks(256)) {
            let bytes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
            let width = tile.len() as u16;
            put(
                &Tile::Hashes {
                    level,
                    index,
                    width,
                }
                .path(),
                &bytes,
            )?;
            if tile.len() == 256 {
                above.push(root_of(&hashes(&bytes).ok_or("a tile")?));
            }
        }
        leaves = above;
    }
    let signer = Signer::new("bench.example/log/2026", &[7; 32])?;
    let root: Hash = tree.root();
    let checkpoint = Checkpoint {
        origin: "bench.example/log/2026".to_owned(),
        size: ENTRIES as u64,
        root,
    };
    let note = Note::sign(checkpoint.to_string(), &[&signer])?;
    put("checkpoint", note.to_string().as_bytes())?;
    let key = format!("{}\n", signer.verifier());
    fs::write(folder.path().join("vkeys"), key)?;
    Ok(folder)
}
