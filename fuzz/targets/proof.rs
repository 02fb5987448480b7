//! Proofs (C2SP tlog-proof): what is read is printed again as the same text, and nothing but the
//! true place of the seed's entry is ever believed.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use metrust::log::proof::check_consistency;
use metrust::log::{Checkpoint, Note, Signer, TlogProof, Verifier, leaf_hash};

static KNOWN: LazyLock<[Verifier; 1]> = LazyLock::new(|| {
    [Signer::new("dnc.example.org/log/2026", &[7; 32])
        .expect("a name")
        .verifier()]
});

fuzz_target!(|text: &str| {
    let Ok(proof) = TlogProof::parse(text) else {
        return;
    };
    assert_eq!(proof.to_string(), text);
    assert_eq!(TlogProof::parse(text).as_ref(), Ok(&proof));
    // The seed `signed` is of the third leaf of five.
    if proof.check(&leaf_hash(&[2]), &*KNOWN).is_ok() {
        assert_eq!(proof.index, 2);
    }
    // Hashes, sizes and roots of a stranger must not break what compares two trees either.
    let note = Note::parse(proof.checkpoint.as_bytes()).expect("it was read before");
    let tree = Checkpoint::parse(&note.text).expect("it was read before");
    let old_root = leaf_hash(b"of another tree");
    let believed = check_consistency(proof.index, &old_root, tree.size, &tree.root, &proof.hashes);
    assert!(believed.is_err());
});
