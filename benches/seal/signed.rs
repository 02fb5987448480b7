//! Signing checkpoints, and believing signed ones.

use std::error::Error;
use std::hint::black_box;

use metrust::log::merkle::empty_root;
use metrust::log::{Checkpoint, Note, Signer, leaf_hash};

use crate::measure::Measure;

/// Notes in a round.
const NOTES: usize = 500;

/// What this file measures.
///
/// # Errors
/// Never, unless the program cannot sign.
pub fn measures() -> Result<Vec<Measure>, Box<dyn Error>> {
    let origin = "dnc.example.org/log/2026";
    let signer = Signer::new(origin, &[7; 32])?;
    let known = [signer.verifier()];
    let text = Checkpoint {
        origin: origin.to_owned(),
        size: 134_217_728,
        root: leaf_hash(&empty_root().0),
    }
    .to_string();
    let note = Note::sign(text.clone(), &[&signer])?.to_string();
    Ok(vec![
        Measure::new("checkpoints signed", move || {
            let sign = || Note::sign(black_box(text.clone()), &[&signer]);
            (0..NOTES).filter(|_| sign().is_ok()).count()
        }),
        Measure::new("signed checkpoints read and verified", move || {
            let verify = || {
                let note = Note::parse(black_box(note.as_bytes())).ok()?;
                note.verify(&known).ok()?;
                Checkpoint::parse(&note.text).ok()
            };
            (0..NOTES).filter_map(|_| verify()).count()
        }),
    ])
}
