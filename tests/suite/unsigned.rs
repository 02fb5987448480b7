//! What lies in a bundle and was never signed: entries beyond the checkpoint, bytes behind a file's
//! end, files of other names. Every verifier refuses it by name, and no recipe reads it.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use metrust::log::bundle::{Manifest, lay};
use metrust::log::tile::put_entry;

use crate::evidence::{blocks, tools};
use crate::harness::bundle::{Bundle, ENTRIES};
use crate::harness::logs::{Log, entry, put};
use crate::harness::process::run;
use crate::harness::service::metrust;
use crate::harness::verifiers::{every, python};

/// Entries as a bundle of entries holds them.
fn framed(entries: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        put_entry(&mut bytes, &entry).unwrap();
    }
    bytes
}

/// An entry that nobody signed, about this number.
fn forged(pn: &str) -> Vec<u8> {
    let text = String::from_utf8(entry(5_000)).unwrap();
    let at = text.find(r#""pn":""#).unwrap() + 6;
    format!("{}{pn}{}", &text[..at], &text[at + 32..]).into_bytes()
}

const FORGED_PN: &str = "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0";

/// Something is laid into an honest bundle, and every verifier names the file.
#[track_caller]
fn refused(named: &str, lay: impl FnOnce(&Path)) {
    let bundle = Bundle::honest();
    lay(&bundle.log());
    bundle.is_wrong(named, None);
}

#[test]
fn entries_beyond_what_was_signed_are_refused_by_every_verifier() {
    let more = || framed((768..1_024).map(entry));
    // The full bundle of entries in the place of the signed partial one, and beside it.
    let bundle = Bundle::honest().without("tile/entries/003.p");
    put(&bundle.log(), "tile/entries/003", &more());
    bundle.is_wrong("tile/entries/003", 768..769);
    refused("tile/entries/003", |log| {
        put(log, "tile/entries/003", &more())
    });
    refused("tile/entries/003.p/240", |log| {
        put(
            log,
            "tile/entries/003.p/240",
            &framed((768..1_008).map(entry)),
        );
    });
    refused("tile/entries/004", |log| {
        put(log, "tile/entries/004", &framed((1_024..1_280).map(entry)));
    });
    refused("tile/entries/004.p/1", |log| {
        put(log, "tile/entries/004.p/1", &framed([forged(FORGED_PN)]));
    });
    refused("tile/entries/x001/000.p/1", |log| {
        put(
            log,
            "tile/entries/x001/000.p/1",
            &framed([forged(FORGED_PN)]),
        );
    });
    refused("tile/0/004.p/1", |log| put(log, "tile/0/004.p/1", &[7; 32]));
    refused("tile/2/000.p/1", |log| put(log, "tile/2/000.p/1", &[7; 32]));
    refused("tile/1/000", |log| put(log, "tile/1/000", &[7; 8_192]));
    // What the log once had, and what a part of it does not cover.
    refused("tile/entries/003.p/100", |log| {
        put(
            log,
            "tile/entries/003.p/100",
            &framed((768..868).map(entry)),
        );
    });
    let bundle = Bundle::honest();
    let part = br#"{"entries":{"2026":{"from":300,"to":600}}}"#;
    put(&bundle.root(), "manifest.json", part);
    bundle.is_wrong("tile/entries/000", None);
}

#[test]
fn bytes_behind_the_end_of_what_was_signed_are_refused_by_every_verifier() {
    let behind = |file: &str, bytes: &[u8]| {
        let bundle = Bundle::honest().tampered(file, |file| file.extend_from_slice(bytes));
        bundle.is_wrong(file, None);
    };
    let last = "tile/entries/003.p/232";
    behind(last, &framed([forged(FORGED_PN)]));
    behind(last, &framed((ENTRIES..1_024).map(entry)));
    behind(last, b"\0");
    behind(last, &[0; 2]);
    behind(last, br#"{"op":"check"}"#);
    behind("tile/entries/001", &framed([forged(FORGED_PN)]));
    behind("tile/0/003.p/232", &[7; 32]);
    behind("tile/0/003.p/232", &[7; 32 * 24]);
    behind("tile/0/001", &[7; 32]);
    behind("tile/1/000.p/3", &[7; 32 * 253]);
    behind("tile/1/000.p/3", b"\n");
    for file in ["checkpoint", "checkpoints/500"] {
        behind(file, b"\n");
        behind(file, b"1001 entries were signed\n");
        behind(
            file,
            b"\n\n\xe2\x80\x94 dnc.example.org/log/2026 AAAAAAAA\n",
        );
    }
}

#[test]
fn files_that_are_no_part_of_a_log_are_refused_by_every_verifier() {
    for file in [
        "notes.txt",
        "dropped",
        "entries.ndjson",
        "index/000",
        "tile/notes.txt",
        "tile/data/000",
        "tile/entries/000.json",
        "tile/entries/0",
        "tile/entries/000.p/0",
        "tile/entries/000.p/256",
        "tile/entries/x000/000",
        "tile/64/000",
        "checkpoints/latest",
        "checkpoints/0500",
        "checkpoints/old/500",
    ] {
        refused(file, |log| {
            put(log, file, &framed([forged(FORGED_PN)]));
        });
    }
    for file in [
        "entries.ndjson",
        "log.id",
        "commit/2026/1001",
        "2025-old/entries",
    ] {
        let bundle = Bundle::honest();
        put(&bundle.root(), file, &forged(FORGED_PN));
        let named = file.split('/').next().unwrap();
        match named {
            // The folder of a service of one's own has these, and other things that are not signed.
            "log.id" => {}
            _ => drop(bundle.is_wrong(named, None)),
        }
    }
}

#[test]
fn links_and_whatever_is_no_plain_file_are_refused_by_every_verifier() {
    refused("tile/entries/000", |log| {
        fs::rename(log.join("tile/entries/000"), log.join("../../elsewhere")).unwrap();
        symlink(log.join("../../elsewhere"), log.join("tile/entries/000")).unwrap();
    });
    refused("tile/1", |log| {
        fs::rename(log.join("tile/1"), log.join("../../elsewhere")).unwrap();
        symlink(log.join("../../elsewhere"), log.join("tile/1")).unwrap();
    });
    refused("checkpoint", |log| {
        fs::rename(log.join("checkpoint"), log.join("../../elsewhere")).unwrap();
        symlink(log.join("../../elsewhere"), log.join("checkpoint")).unwrap();
    });
    let bundle = Bundle::honest();
    fs::rename(bundle.log(), bundle.beside().join("2026")).unwrap();
    symlink(bundle.beside().join("2026"), bundle.log()).unwrap();
    bundle.is_wrong("2026", None);
}

#[test]
fn what_a_reader_keeps_beside_a_bundle_s_files_is_not_refused() {
    let bundle = Bundle::honest();
    let root = bundle.root();
    lay(&root, &manifest()).unwrap();
    let held = root.join("of-the-newspaper.txt");
    fs::write(&held, Log::honest(500).checkpoint()).unwrap();
    let receipt = root.join("call.tlog-proof");
    fs::write(&receipt, Log::honest(ENTRIES).receipt(300)).unwrap();
    let proven = root.join("call.json");
    fs::write(&proven, entry(300)).unwrap();
    let vkeys = fs::read(root.join("vkeys")).unwrap();
    put(&root, "trusted.vkeys", &vkeys);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (root, held, receipt, proven) = (path(&root), path(&held), path(&receipt), path(&proven));
    let arguments = [
        &*root,
        "--checkpoint",
        &held,
        "--receipt",
        &receipt,
        "--entry",
        &proven,
    ];
    for (who, ended) in every(&arguments) {
        assert!(
            ended.stdout.ends_with("All of it holds.\n"),
            "{who}: {ended:?}"
        );
    }
    for (who, ended) in every(&arguments[..3]) {
        assert_eq!(ended.status.code(), Some(1), "{who}: {ended:?}");
        assert!(
            ended.stdout.contains("WRONG: ") && ended.stdout.contains("call.json"),
            "{who}: {ended:?}"
        );
    }
}

#[test]
fn a_receipt_with_anything_behind_it_proves_nothing() {
    let log = Log::honest(ENTRIES);
    let honest = log.receipt(300);
    for behind in ["\n", "entry 301 too\n", "\nindex 301\n", "\u{2014} x\n"] {
        let bundle = Bundle::honest().with_receipt(&format!("{honest}{behind}"), &entry(300));
        bundle.is_wrong("receipt.tlog-proof", None);
    }
    for inside in [
        honest.replacen("index 300\n", "index 300 \n", 1),
        honest.replacen("index 300\n", "index 300\nindex 301\n", 1),
        honest.replacen("index 300\n", "index 0300\n", 1),
        honest.replacen("\n\n", "\nAAAA\n\n", 1),
    ] {
        let bundle = Bundle::honest().with_receipt(&inside, &entry(300));
        bundle.is_wrong("receipt.tlog-proof", None);
    }
    let bundle = Bundle::honest().with_receipt(&honest, &[&entry(300)[..], b"{}"].concat());
    bundle.is_wrong("prove this entry 300", None);
}

fn manifest() -> Manifest {
    Manifest {
        version: "1.2.3".to_owned(),
        logs: vec!["2026".to_owned()],
        ..Manifest::default()
    }
}

#[test]
fn no_recipe_of_the_readme_shows_an_entry_that_was_not_signed() {
    const NUMBER: &str = "+32470123456";
    let opening = "00112233445566778899aabbccddeeff".repeat(2);
    let said = run(Command::new(python()).arg("-c").arg(format!(
        "import hashlib; print(hashlib.sha256(b'metrust v1 pn\\0' + bytes.fromhex('{opening}') + \
         b'{NUMBER}').hexdigest()[:32])"
    )));
    let pn = said.stdout.trim().to_owned();
    let forgery = String::from_utf8(forged(&pn)).unwrap();
    let bundle = Bundle::honest();
    let root = bundle.root();
    lay(&root, &manifest()).unwrap();
    put(
        &root,
        "trusted.vkeys",
        &fs::read(root.join("vkeys")).unwrap(),
    );
    let openings = format!(
        "metrust openings v1\ndnc.example.org/log\ntime 2026-11-18T12:00:00.000Z\n\
         2026-11 {opening} {pn}\n\n\u{2014} dnc.example.org/log AAAAAAAA\n"
    );
    put(&root, "openings.txt", openings.as_bytes());
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let find = blocks(&readme)
        .pop()
        .unwrap()
        .replace("+32470000000", NUMBER);
    let path = format!(
        "{}:{}",
        tools(bundle.beside()),
        std::env::var("PATH").unwrap()
    );
    let follow = || {
        let mut shell = Command::new("sh");
        shell.args(["-c", &find]).current_dir(&root);
        let ended = run(shell.env("PATH", &path));
        ended.stdout + &ended.stderr
    };
    let said = follow();
    assert!(
        said.contains(&pn) && said.contains("has no entry about it"),
        "{said}"
    );
    let forgery_in = [
        (
            "tile/entries/004.p/1",
            framed([forgery.clone().into_bytes()]),
        ),
        ("tile/entries/note.txt", forgery.clone().into_bytes()),
    ];
    for (file, bytes) in forgery_in {
        put(&bundle.log(), file, &bytes);
        let said = follow();
        assert!(
            !said.contains(&forgery),
            "it shows what nobody signed: {said}"
        );
        assert!(
            said.contains("WRONG: ") && !said.contains("has no entry"),
            "{said}"
        );
        fs::remove_file(bundle.log().join(file)).unwrap();
    }
}

/// A bundle in one file, with this done to the archive before it is compressed.
fn packed(bundle: &Bundle, tamper: impl FnOnce(&mut Vec<u8>)) -> std::path::PathBuf {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("evidence", bundle.root()).unwrap();
    let mut tar = tar.into_inner().unwrap();
    tamper(&mut tar);
    let file = bundle.beside().join("evidence.tar.zst");
    fs::write(&file, zstd::encode_all(&tar[..], 0).unwrap()).unwrap();
    file
}

/// A tar archive of one file.
fn one_file(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, name, bytes).unwrap();
    tar.into_inner().unwrap()
}

#[test]
fn a_bundle_in_one_file_has_no_second_file_of_a_name_and_nothing_behind_its_end() {
    let bundle = Bundle::honest();
    let verify = |file: &Path| {
        let mut command = metrust();
        command.args(["audit", "verify"]).arg(file);
        run(command.args(&bundle.arguments))
    };
    let holds = verify(&packed(&bundle, |_| ()));
    assert!(holds.stdout.ends_with("All of it holds.\n"), "{holds:?}");
    let again = one_file(
        "evidence/2026/tile/entries/000",
        &framed([forged(FORGED_PN)]),
    );
    let refused = |file: &Path, why: &str| {
        let ended = verify(file);
        assert_eq!(ended.status.code(), Some(1), "{why}: {ended:?}");
        assert!(
            !ended.stdout.contains("All of it holds"),
            "{why}: {ended:?}"
        );
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(why), "{why}: {said}");
    };
    // Twice in the archive, and once more behind its end.
    let twice = packed(&bundle, |tar| {
        tar.truncate(tar.len() - 1_024);
        tar.extend_from_slice(&again);
    });
    refused(&twice, "2026/tile/entries/000");
    let behind = packed(&bundle, |tar| tar.extend_from_slice(&again));
    refused(&behind, "behind its end");
    // Behind the end of the compressed archive: another, and what is none.
    let file = packed(&bundle, |_| ());
    let mut more = File::options().append(true).open(&file).unwrap();
    more.write_all(&zstd::encode_all(&again[..], 0).unwrap())
        .unwrap();
    refused(&file, "behind its end");
    let file = packed(&bundle, |_| ());
    let mut more = File::options().append(true).open(&file).unwrap();
    more.write_all(b"and something else").unwrap();
    refused(&file, "evidence.tar.zst");
}

#[test]
fn the_program_in_an_evidence_pack_refuses_what_was_not_signed() {
    let pack = tempfile::tempdir().unwrap();
    let pack = pack.path();
    let log = Log::honest(ENTRIES);
    let (json, proof) = (entry(300), log.receipt(300));
    let check = include_bytes!("../../src/web/report/pack/check.py");
    put(pack, "check.py", check);
    put(pack, "vkeys", format!("{}\n", log.vkey()).as_bytes());
    for file in ["README.md", "report.json", ".DS_Store"] {
        put(pack, file, b"{}");
    }
    let restore = || {
        put(pack, "entries/01-check.json", &json);
        put(pack, "entries/01-check.tlog-proof", proof.as_bytes());
    };
    let verdict = || run(Command::new(python()).arg(pack.join("check.py")));
    let wrong = |named: &str| {
        let ended = verdict();
        assert_eq!(ended.status.code(), Some(1), "{named}: {ended:?}");
        assert!(
            ended.stdout.contains(&format!("{named}: WRONG")),
            "{named}: {ended:?}"
        );
        assert!(
            !ended.stdout.contains("All of it holds"),
            "{named}: {ended:?}"
        );
    };
    restore();
    let ended = verdict();
    assert!(
        ended.status.success() && ended.stdout.ends_with("All of it holds.\n"),
        "{ended:?}"
    );
    for forged in [
        format!("{proof}entry 301 too\n"),
        format!("{proof}\n"),
        format!("{proof}\u{2014} x\n"),
        proof.replacen("index 300\n", "extra Zm9yZ2Vk\nindex 300\n", 1),
        proof.replacen("index 300\n", "index 300 301\n", 1),
        proof.replacen("\n\n", "\n\n\n", 1),
        proof.replacen("index 300\n", "index 300\nextra Zm9yZ2Vk\n", 1),
    ] {
        put(pack, "entries/01-check.tlog-proof", forged.as_bytes());
        wrong("01-check.json");
    }
    restore();
    for file in [
        "entries/02-check.txt",
        "entries/02-check.tlog-proof",
        "entries/01-check.promise",
        "more/03-check.json",
        "forged.json",
    ] {
        put(pack, file, &forged(FORGED_PN));
        let named = file.split('/').next().unwrap();
        wrong(if named == "more" { named } else { file });
        fs::remove_file(pack.join(file)).unwrap();
        let _ = fs::remove_dir(pack.join("more"));
    }
    put(pack, "entries/02-check.json", &forged(FORGED_PN));
    wrong("02-check.json");
    fs::remove_file(pack.join("entries/02-check.json")).unwrap();
    assert!(verdict().status.success());
}
