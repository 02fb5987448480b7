//! Logs that somebody has tampered with, in every way there is, and honest ones: what this program
//! and two verifiers that share no code with it say of them.

use std::fs;
use std::ops::Range;

use metrust::log::Verifier;
use metrust::log::merkle::{Hash, leaf_hash};
use metrust::log::verify::Place;

use crate::harness::bundle::{Bundle, ENTRIES, KEPT};
use crate::harness::logs::{FORGED, Log, entry, put};

/// Where an entry of `ENTRIES` begins in its bundle, with its length.
fn place(index: u64) -> Range<usize> {
    let start = index / 256 * 256;
    let before: usize = (start..index).map(|index| 2 + entry(index).len()).sum();
    before..before + 2 + entry(index).len()
}

fn altered(entry: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(entry.to_vec()).unwrap();
    text.replace("not_listed", "invalid").into_bytes()
}

#[test]
fn an_honest_log_of_any_size_holds() {
    for (size, kept) in [(0, &[][..]), (1, &[1]), (256, &[255]), (257, &[256, 257])] {
        Bundle::of(Log::honest(size), kept).holds();
    }
    let report = Bundle::honest()
        .holding(&Log::honest(700).checkpoint())
        .holds();
    let log = &report.logs[0];
    assert_eq!((log.older, log.held.len()), (3, 1));
    assert_eq!(log.agencies.values().sum::<u64>(), ENTRIES);
    assert_eq!(log.writers.len(), 2);
}

#[test]
fn a_log_with_tiles_on_three_levels_holds_until_an_entry_is_altered() {
    let log = Log::honest(65_536 + 300);
    let receipt = log.receipt(65_536);
    let bundle = Bundle::of(log, &[65_536, 65_537]);
    let bundle = bundle.with_receipt(&receipt, &entry(65_536));
    assert_eq!(bundle.holds().logs[0].receipts.len(), 1);
    let flip = |bytes: &mut Vec<u8>| bytes[place(40_000).start + 40] ^= 1;
    bundle
        .tampered("tile/entries/156", flip)
        .is_wrong("entry 40000", 40_000..40_001);
}

#[test]
fn an_altered_entry_is_named() {
    let flip = |bytes: &mut Vec<u8>| bytes[place(300).start + 40] ^= 1;
    Bundle::honest()
        .tampered("tile/entries/001", flip)
        .is_wrong("entry 300", 300..301);
}

#[test]
fn a_deleted_entry_is_named() {
    let delete = |bytes: &mut Vec<u8>| drop(bytes.drain(place(300)));
    Bundle::honest()
        .tampered("tile/entries/001", delete)
        .is_wrong("entry 300", 300..301);
    let delete_last = |bytes: &mut Vec<u8>| drop(bytes.drain(place(999)));
    Bundle::honest()
        .tampered("tile/entries/003.p/232", delete_last)
        .is_wrong("entry 999", 999..1000);
}

#[test]
fn two_swapped_entries_are_found_at_the_first_one() {
    let swap = |bytes: &mut Vec<u8>| {
        let (first, second) = (bytes[place(300)].to_vec(), bytes[place(301)].to_vec());
        let both = place(300).start..place(301).end;
        bytes.splice(both, [second, first].concat());
    };
    Bundle::honest()
        .tampered("tile/entries/001", swap)
        .is_wrong("entry 300", 300..301);
}

#[test]
fn an_entry_that_was_put_in_is_named() {
    let insert = |bytes: &mut Vec<u8>| {
        let copy = bytes[place(300)].to_vec();
        let at = place(300).start;
        bytes.splice(at..at, copy);
    };
    Bundle::honest()
        .tampered("tile/entries/001", insert)
        .is_wrong("entry 301", 301..302);
}

#[test]
fn an_entry_altered_together_with_its_tile_is_found_by_the_tile_above() {
    let forged = altered(&entry(300));
    Bundle::honest()
        .tampered("tile/entries/001", |bytes| {
            let mut written = (forged.len() as u16).to_be_bytes().to_vec();
            written.extend_from_slice(&forged);
            bytes.splice(place(300), written);
        })
        .tampered("tile/0/001", |bytes| {
            let at = 32 * (300 - 256);
            bytes.splice(at..at + 32, leaf_hash(&forged).0);
        })
        .is_wrong("256 to 511", 256..512);
}

#[test]
fn all_tiles_rewritten_without_the_key_are_found_by_the_checkpoints() {
    let bundle = Bundle::rewritten(|entries| entries[300] = altered(&entries[300]));
    for size in [500, 512] {
        let honest = Log::honest(size).checkpoint();
        put(
            &bundle.log(),
            &format!("checkpoints/{size}"),
            honest.as_bytes(),
        );
    }
    let honest = Log::honest(ENTRIES).checkpoint();
    put(&bundle.log(), "checkpoint", honest.as_bytes());
    bundle.is_wrong("100 to 499", 100..500);
}

#[test]
fn what_another_key_signed_is_refused_and_held_checkpoints_tell_where_it_begins() {
    let mut log = Log::honest(ENTRIES);
    log.seed = FORGED;
    log.entries[300] = altered(&log.entries[300]);
    let vkey = log.vkey();
    let forged = Bundle::of(log.clone(), &KEPT).holding(&Log::honest(200).checkpoint());
    forged.is_wrong("checkpoint", None);
    let forged = forged.holding(&Log::honest(400).checkpoint());
    forged.is_wrong("200 to 399", 200..400);

    // With the keys of the bundle alone, nobody can tell: that is said.
    let mut alone = Bundle::of(log, &KEPT);
    alone.arguments.clear();
    alone.options.keys = vec![Verifier::parse(&vkey).unwrap()];
    alone.holds();
    for (who, output) in alone.outputs(0) {
        assert!(output.starts_with("WARNING: no --key"), "{who}: {output}");
    }
}

#[test]
fn the_key_of_another_log_does_not_vouch_for_this_one() {
    let mut other = Log::honest(0);
    other.name = "2025";
    let mut bundle = Bundle::honest();
    bundle.arguments.clear();
    bundle.options.keys.clear();
    bundle.trusting(&other.vkey()).is_wrong("checkpoint", None);
}

#[test]
fn a_history_rewritten_with_the_real_key_is_found_by_an_older_checkpoint() {
    let rewritten = || Bundle::rewritten(|entries| entries[300] = altered(&entries[300]));
    rewritten().holds();
    rewritten()
        .holding(&Log::honest(500).checkpoint())
        .is_wrong("0 to 499", 0..500);
    rewritten()
        .holding(&Log::honest(250).checkpoint())
        .holding(&Log::honest(500).checkpoint())
        .holding(&Log::honest(301).checkpoint())
        .is_wrong("250 to 300", 250..301);
    rewritten().holding(&Log::honest(300).checkpoint()).holds();
}

#[test]
fn an_entry_removed_before_signing_leaves_a_gap_in_its_writer_s_numbers() {
    let report =
        Bundle::rewritten(|entries| drop(entries.remove(300))).is_wrong("entry 301", 301..302);
    assert!(
        report.findings[0].what.contains("after number 150"),
        "{report:?}"
    );
    // Moved to where it did not happen.
    Bundle::rewritten(|entries| entries.swap(300, 302)).is_wrong("entry 300", 300..301);
}

#[test]
fn a_gap_stays_a_finding_when_an_incident_tells_of_it() {
    let incident = |index: usize| {
        format!(
            concat!(
                r#"{{"id":"01a1ee56-5e7b-7707-8707-{index:012x}","op":"incident","#,
                r#""reason":"entries_lost","salt":"01010101010101010101010101010101","#,
                r#""time":"2026-11-18T11:06:40.123Z","v":1,"writer":"0303030303030303","#,
                r#""writer_seq":1}}"#
            ),
            index = index
        )
        .into_bytes()
    };
    let bundle = Bundle::rewritten(|entries| {
        entries.remove(300);
        entries.insert(400, incident(400));
    });
    let report = bundle.is_wrong("entry 301", 301..302);
    assert_eq!(report.logs[0].incidents[0].index, 400);
    let what = &report.findings[0].what;
    assert!(
        what.contains("incident is on record: entry 400") && what.contains("entries_lost"),
        "{what}"
    );
    for (who, output) in bundle.outputs(1) {
        assert!(
            who != "metrust" || output.contains("incident: entry 400"),
            "{output}"
        );
    }
}

#[test]
fn missing_files_are_told_by_the_entries_that_they_had() {
    Bundle::honest()
        .without("tile/entries/002")
        .is_wrong("tile/entries/002", 512..513);
    Bundle::honest()
        .without("tile/entries/003.p/232")
        .is_wrong("entry 768", 768..769);
    Bundle::honest()
        .without("tile/0/001")
        .is_wrong("tile/0/001", None);
    Bundle::honest()
        .without("tile/1/000.p")
        .is_wrong("tile/1/000", None);
    Bundle::honest()
        .without("checkpoint")
        .is_wrong("checkpoint is missing", None);
    Bundle::honest()
        .without("tile/entries/002")
        .without("tile/0/002")
        .is_wrong("512 to 767", 512..768);
    Bundle::honest()
        .tampered("tile/0/001", |bytes| bytes.truncate(8000))
        .is_wrong("tile/0/001", None);
    Bundle::honest()
        .tampered("tile/entries/001", |bytes| bytes.truncate(8000))
        .is_wrong("entry 277", 277..278);
}

#[test]
fn an_older_state_is_found_by_a_newer_checkpoint() {
    let older = || Bundle::of(Log::honest(700), &[100, 500]);
    older().holds();
    older()
        .holding(&Log::honest(ENTRIES).checkpoint())
        .is_wrong("history is shorter than", None);
    let forgotten = older();
    let newer = Log::honest(ENTRIES).checkpoint();
    put(&forgotten.log(), "checkpoints/1000", newer.as_bytes());
    forgotten.is_wrong("history is shorter than", None);
}

#[test]
fn a_held_checkpoint_of_a_log_that_is_not_there_is_told() {
    let mut other = Log::honest(10);
    other.name = "2025";
    let bundle = Bundle::honest().trusting(&other.vkey());
    bundle
        .holding(&other.checkpoint())
        .is_wrong("dnc.example.org/log/2025", None);
}

#[test]
fn a_receipt_proves_its_own_entry_only() {
    let log = Log::honest(ENTRIES);
    Bundle::honest()
        .with_receipt(&log.receipt(300), &entry(300))
        .holds();
    Bundle::honest()
        .with_receipt(&Log::honest(400).receipt(300), &entry(300))
        .holds();
    Bundle::honest()
        .with_receipt(&log.receipt(300), &entry(302))
        .is_wrong("prove this entry 300", None);
    let other_place = log.receipt(300).replace("index 300\n", "index 302\n");
    Bundle::honest()
        .with_receipt(&other_place, &entry(300))
        .is_wrong("prove this entry 302", None);
    // A receipt that is newer than the bundle still tells that the entry is the same.
    let older = || Bundle::of(Log::honest(700), &[]);
    older().with_receipt(&log.receipt(300), &entry(300)).holds();
    older()
        .with_receipt(&log.receipt(800), &entry(800))
        .is_wrong("entry 800", None);
}

#[test]
fn a_receipt_finds_the_entry_that_was_altered_with_the_real_key() {
    let rewritten = Bundle::rewritten(|entries| entries[300] = altered(&entries[300]));
    rewritten
        .with_receipt(&Log::honest(400).receipt(300), &entry(300))
        .is_wrong("entry 300", 300..301);
}

#[test]
fn a_receipt_of_a_forger_is_refused() {
    let mut log = Log::honest(ENTRIES);
    log.seed = FORGED;
    Bundle::honest()
        .with_receipt(&log.receipt(300), &entry(300))
        .is_wrong("receipt.tlog-proof", None);
}

#[test]
fn a_forged_kept_checkpoint_is_named() {
    let write = |text: String| {
        let bundle = Bundle::honest();
        put(&bundle.log(), "checkpoints/500", text.as_bytes());
        bundle
    };
    let honest = Log::honest(500);
    // The real key, another root.
    let lie = honest.sign(500, Hash([1; 32]));
    write(lie).is_wrong("checkpoints/500", 100..500);
    // Another root under the old signature, and another size.
    let root = honest.root().to_string();
    let other = Log::honest(499).root().to_string();
    write(honest.checkpoint().replace(&root, &other)).is_wrong("checkpoints/500", None);
    write(Log::honest(499).checkpoint()).is_wrong("checkpoints/500", None);
    // Another key.
    let mut forged = Log::honest(500);
    forged.seed = FORGED;
    write(forged.checkpoint()).is_wrong("checkpoints/500", None);
    write("nonsense".to_owned()).is_wrong("checkpoints/500", None);
}

#[test]
fn a_witness_that_nobody_knows_changes_nothing() {
    let cosigned = |bytes: &mut Vec<u8>| {
        let line = "\u{2014} witness.example.org/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5\
                    OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        bytes.extend_from_slice(line.as_bytes());
    };
    Bundle::honest().tampered("checkpoint", cosigned).holds();
}

#[test]
fn an_entry_that_is_not_in_canonical_form_is_named() {
    let bundle = Bundle::rewritten(|entries| {
        let text = String::from_utf8(entries[300].clone()).unwrap();
        entries[300] = text.replace(r#","v":1"#, r#", "v":1"#).into_bytes();
    });
    let report = bundle.report();
    assert_eq!(report.first_wrong("2026"), Some(300..301));
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.place == Place::Entry(300))
    );
    // And one that is no entry at all, for everybody.
    Bundle::rewritten(|entries| entries[300] = b"hello".to_vec()).is_wrong("entry 300", 300..301);
}

#[test]
fn a_log_under_another_log_s_name_is_told() {
    let bundle = Bundle::honest();
    fs::rename(bundle.log(), bundle.root().join("2025")).unwrap();
    for (who, output) in bundle.outputs(1) {
        assert!(output.contains("of another log"), "{who}: {output}");
    }
}
