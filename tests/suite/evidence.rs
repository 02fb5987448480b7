//! A bundle of evidence as a stranger gets it: its README's own commands, the bundle in one file,
//! and logs that are not all there or still grow.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use metrust::log::bundle::{Manifest, Part, lay};
use metrust::log::merkle::{leaf_hash, root_of};
use metrust::log::verify::{self, Options};
use tempfile::tempdir;

use crate::harness::bundle::Bundle;
use crate::harness::logs::{Log, entry, put, put_hashes};
use crate::harness::process::{Ended, run};
use crate::harness::service::{binary, metrust};
use crate::harness::verifiers::{every, python};

/// A number, its opening in hexadecimal, and the name that these give it in the log, computed by
/// the README's commands once and by Python's `hashlib` again.
const NUMBER: &str = "+32470123456";
const OPENING: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn manifest() -> Manifest {
    Manifest {
        version: "1.2.3".to_owned(),
        made: None,
        logs: vec!["2026".to_owned()],
        ..Manifest::default()
    }
}

/// The commands of the README, block by block.
pub fn blocks(readme: &str) -> Vec<&str> {
    let blocks = readme.split("```sh\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// A folder whose programs come first: metrust, and the Python that can verify if another is found
/// before it.
pub fn tools(beside: &Path) -> String {
    let folder = beside.join("tools");
    fs::create_dir(&folder).unwrap();
    symlink(binary(), folder.join("metrust")).unwrap();
    if python().starts_with('/') {
        symlink(python(), folder.join("python3")).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let name = |opening: &str| {
        let ended = run(Command::new(python()).arg("-c").arg(format!(
            "import hashlib; print(hashlib.sha256(b'metrust v1 pn\\0' + bytes.fromhex('{opening}') + \
             b'{NUMBER}').hexdigest()[:32])"
        )));
        ended.stdout.trim().to_owned()
    };
    let (pn, other) = (name(OPENING), OPENING.replace('0', "e"));
    let mut log = Log::honest(600);
    let about = String::from_utf8(entry(300)).unwrap();
    let old = &about[about.find(r#""pn":""#).unwrap() + 6..][..32];
    log.entries[300] = about.replace(old, &pn).into_bytes();
    let bundle = Bundle::of(log.clone(), &[256]);
    let root = bundle.root();
    lay(&root, &manifest()).unwrap();
    put(
        &root,
        "trusted.vkeys",
        format!("{}\n", log.vkey()).as_bytes(),
    );
    put(
        &root,
        "older.checkpoint",
        log.at(500).checkpoint().as_bytes(),
    );
    put(&root, "receipt.tlog-proof", log.receipt(300).as_bytes());
    put(&root, "receipt.json", &log.entries[300]);
    put(
        &root,
        "openings.txt",
        format!(
            "metrust openings v1\ndnc.example.org/log\ntime 2026-11-18T12:00:00.000Z\n\
             2026-10 {OPENING} {other_pn}\n2026-11 {OPENING} {pn}\n2026-12 {other} {other_pn}\n\n\
             \u{2014} dnc.example.org/log AAAAAAAA\n",
            other_pn = name(&other)
        )
        .as_bytes(),
    );
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(!readme.contains("{{"), "a place is left empty: {readme}");
    let path = format!(
        "{}:{}",
        tools(bundle.beside()),
        std::env::var("PATH").unwrap()
    );
    let said: Vec<Ended> = blocks(&readme)
        .into_iter()
        .map(|block| {
            let mut shell = Command::new("sh");
            let block = block.replace("number=+32470000000", &format!("number={NUMBER}"));
            shell.args(["-eu", "-c", &block]).current_dir(&root);
            let ended = run(shell.env("PATH", &path));
            assert!(ended.status.success(), "{block}\n{ended:?}");
            ended
        })
        .collect();
    let [python, go, itself, older, receipt, signature, first, number] = &said[..] else {
        panic!("{} blocks", said.len());
    };
    for verifier in [python, go, itself, older, receipt] {
        assert!(
            verifier.stdout.ends_with("All of it holds.\n"),
            "{verifier:?}"
        );
        assert!(!verifier.stdout.contains("WARNING"), "{verifier:?}");
    }
    assert!(
        older
            .stdout
            .contains("the first 500 entries are as they were"),
        "{older:?}"
    );
    assert!(
        receipt.stdout.contains("receipt confirmed for entry 300"),
        "{receipt:?}"
    );
    assert_eq!(signature.stdout, "Signature Verified Successfully\n");
    let hashes: Vec<_> = first.stdout.lines().collect();
    assert!(hashes.len() == 2 && hashes[0] == hashes[1], "{first:?}");
    let lines: Vec<_> = number.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{number:?}");
    assert!(lines[0].starts_with("in 2026-10, this is the opening of another"));
    assert_eq!(
        lines[1],
        format!("in 2026-11, the log calls this number {pn}")
    );
    assert_eq!(lines[2].as_bytes(), log.entries[300]);
    assert_eq!(lines[4], "and has no entry about it");
}

#[test]
fn a_signature_by_hand_fails_when_the_checkpoint_was_altered() {
    let bundle = Bundle::honest();
    let root = bundle.root();
    lay(&root, &manifest()).unwrap();
    put(
        &root,
        "trusted.vkeys",
        fs::read(root.join("vkeys")).unwrap().as_slice(),
    );
    let bundle = bundle.tampered("checkpoint", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("\n1000\n", "\n1001\n").into_bytes();
    });
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let by_hand = blocks(&readme)[5];
    let ended = run(Command::new("sh")
        .args(["-c", by_hand])
        .current_dir(bundle.root()));
    let said = ended.stdout + &ended.stderr;
    assert!(
        !said.contains("Successfully") && said.contains("Failure"),
        "{said}"
    );
}

#[test]
fn a_readme_says_which_entries_are_left_out() {
    let mut manifest = manifest();
    let part = Part { from: 256, to: 512 };
    manifest.entries.insert("2026".to_owned(), part);
    let folder = tempdir().unwrap();
    lay(folder.path(), &manifest).unwrap();
    let readme = fs::read_to_string(folder.path().join("README.md")).unwrap();
    assert!(readme.contains("only the entries 256 to 511"), "{readme}");
    let written = fs::read(folder.path().join("manifest.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Manifest>(&written).unwrap(),
        manifest
    );
    assert!(
        lay(folder.path(), &manifest).is_err(),
        "nothing is written over"
    );
}

#[test]
fn a_bundle_in_one_file_is_verified_like_the_folder() {
    let bundle = Bundle::honest();
    let file = bundle.beside().join("evidence.tar.zst");
    for inside in ["", "evidence-2026"] {
        let zstd = zstd::Encoder::new(File::create(&file).unwrap(), 0).unwrap();
        let mut tar = tar::Builder::new(zstd);
        tar.append_dir_all(inside, bundle.root()).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        let mut command = metrust();
        command.args(["audit", "verify"]).arg(&file);
        let ended = run(command.args(&bundle.arguments));
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stdout.contains("2026: 1000 entries"), "{ended:?}");
    }
    fs::write(&file, "not a bundle").unwrap();
    let ended = run(metrust().args(["audit", "verify"]).arg(&file));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("cannot unpack"), "{ended:?}");
}

#[test]
fn a_command_line_that_cannot_be_used_is_told_apart_from_a_log_that_does_not_hold() {
    let bundle = Bundle::honest();
    let root = bundle.root();
    let root = root.to_str().unwrap();
    for arguments in [
        &[][..],
        &["/nowhere"],
        &[root, "--key", "nonsense"],
        &[root, "--checkpoint", "/nowhere"],
        &[root, "--receipt", "/nowhere"],
        &[root, "--entry", root],
        &[root, "--what"],
    ] {
        for (who, ended) in every(arguments) {
            assert_eq!(
                ended.status.code(),
                Some(2),
                "{who} {arguments:?}: {ended:?}"
            );
        }
    }
    let empty = tempdir().unwrap();
    for (who, ended) in every(&[empty.path().to_str().unwrap()]) {
        assert_eq!(ended.status.code(), Some(1), "{who}: {ended:?}");
    }
}

#[test]
fn entries_that_were_deleted_in_time_leave_what_can_be_verified_by_their_hashes() {
    let bundle = Bundle::honest().without("tile/entries");
    bundle.holds();
    for (who, output) in bundle.outputs(0) {
        assert!(output.contains("ENTRIES ARE NOT HERE"), "{who}: {output}");
    }
    let receipt = Log::honest(400).receipt(300);
    let bundle = bundle.with_receipt(&receipt, &entry(300));
    bundle.holds();
    bundle
        .tampered("tile/0/001", |bytes| bytes[32 * 44] ^= 1)
        .is_wrong("256 to 511", 300..301);
}

#[test]
fn a_bundle_of_some_entries_is_verified_by_these_and_says_so() {
    let bundle = || {
        let bundle = Bundle::honest()
            .without("tile/entries/000")
            .without("tile/entries/003.p");
        put(
            &bundle.root(),
            "manifest.json",
            br#"{"made":"2026-11-18T11:06:40.123Z","entries":{"2026":{"from":300,"to":600}}}"#,
        );
        bundle
    };
    bundle().holds();
    for (who, output) in bundle().outputs(0) {
        assert!(output.contains("ONLY"), "{who}: {output}");
        assert!(
            output.contains("300") && output.contains("599"),
            "{who}: {output}"
        );
    }
    bundle()
        .without("tile/entries/002")
        .is_wrong("tile/entries/002", 512..513);
    let impossible = bundle();
    put(
        &impossible.root(),
        "manifest.json",
        br#"{"entries":{"2026":{"from":600,"to":300}}}"#,
    );
    assert!(verify::verify(&impossible.root(), &impossible.options, &|_| ()).is_err());
    for (who, ended) in every(&[impossible.root().to_str().unwrap()]) {
        assert_eq!(ended.status.code(), Some(1), "{who}: {ended:?}");
    }
}

#[test]
fn the_folder_of_a_service_that_goes_on_writing_holds_as_far_as_its_checkpoint() {
    let bundle = Bundle::honest();
    let before = Log::honest(700);
    put(&bundle.log(), "checkpoint", before.checkpoint().as_bytes());
    // The partial tiles of 700 entries are gone but for those that are not yet full.
    let hashes: Vec<_> = before
        .entries
        .iter()
        .map(|entry| leaf_hash(entry))
        .collect();
    let above: Vec<_> = hashes.chunks_exact(256).map(root_of).collect();
    put_hashes(&bundle.log(), 1, 0, &above);
    put(&bundle.root(), "log.id", b"1");
    put(&bundle.root(), "commit/2026/700", b"x");
    let report = bundle.report();
    assert_eq!((report.logs[0].size, &report.findings[..]), (700, &[][..]));
    // It is told that there is more, and that nobody signed that.
    assert!(
        report.logs[0]
            .not_signed
            .contains(&"tile/entries/003.p/232".to_owned()),
        "{report:?}"
    );
    for (who, ended) in every(&[bundle.root().to_str().unwrap()]) {
        assert!(
            !ended.stdout.contains("All of it holds"),
            "{who}: {ended:?}"
        );
        if who == "metrust" {
            assert!(
                ended.stdout.ends_with("All that is signed holds.\n"),
                "{ended:?}"
            );
            assert!(ended.stdout.contains("NOT A BUNDLE"), "{ended:?}");
        } else {
            assert_eq!(ended.status.code(), Some(1), "{who}: {ended:?}");
            assert!(ended.stdout.contains("WRONG: log.id"), "{who}: {ended:?}");
        }
    }
}

#[test]
fn a_single_log_s_folder_is_verified_with_the_keys_beside_it() {
    let bundle = Bundle::honest();
    let keys = verify::keys_in(&bundle.log()).unwrap();
    assert_eq!(keys, verify::keys_in(&bundle.root()).unwrap());
    let options = Options {
        keys,
        ..Options::default()
    };
    let report = verify::verify(&bundle.log(), &options, &|_| ()).unwrap();
    assert!(report.holds(), "{report:?}");
    assert_eq!(
        (report.logs[0].name.as_str(), report.logs[0].older),
        ("2026", 3)
    );
}

#[test]
fn a_checkpoint_that_a_service_publishes_meanwhile_is_no_history_cut_short() {
    let bundle = Bundle::of(Log::honest(600), &[500]);
    let newer = Log::honest(601).checkpoint();
    put(&bundle.log(), "checkpoints/601", newer.as_bytes());
    let grows = |_| put(&bundle.log(), "checkpoint", newer.as_bytes());
    let report = verify::verify(&bundle.root(), &bundle.options, &grows).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.logs[0].size, report.logs[0].older), (600, 1));
}

#[test]
fn it_is_told_whether_the_deletion_of_entries_is_on_record() {
    let pruned = |entries: u64| {
        let mut log = Log::honest(300);
        log.name = "2027";
        log.entries.push(
            format!(
                concat!(
                    r#"{{"entries":{entries},"id":"01a1ee56-5e7b-7707-8707-070707070707","#,
                    r#""log":"2026","op":"prune","reason":"pruned","#,
                    r#""salt":"01010101010101010101010101010101","#,
                    r#""time":"2026-11-18T11:06:40.123Z","v":1,"writer":"0303030303030303","#,
                    r#""writer_seq":1}}"#
                ),
                entries = entries
            )
            .into_bytes(),
        );
        let bundle = Bundle::honest()
            .without("tile/entries")
            .trusting(&log.vkey());
        log.write(&bundle.root(), &[]);
        bundle
    };
    for (entries, recorded) in [(1000, Some(("2027", 300))), (999, None)] {
        let report = pruned(entries).holds();
        assert_eq!(report.deletion_of("2026", 1000), recorded);
    }
    let ended = run(metrust().args(["audit", "verify"]).arg(pruned(1000).root()));
    assert!(
        ended.stdout.contains("is on record: 2027, entry 300"),
        "{ended:?}"
    );
}
