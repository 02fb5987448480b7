//! One number's entries in a bundle, found and proven without any service.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use metrust::domain::PhoneNumber;
use metrust::log::{Note, Signer};
use metrust::privacy::MonthKey;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::audit::{ids, text};
use crate::audit_cli::assert_private;
use crate::bundles::{all_sealed, export, log_of};
use crate::cli::{done, refused};
use crate::harness::bundle::Bundle;
use crate::harness::logs::{FORGED, Log, REAL, entry};
use crate::harness::process::{Ended, run_on};
use crate::harness::service::metrust;
use crate::harness::{World, csv, number, on_every_store};

/// `metrust audit find`, with nothing but a bundle.
#[track_caller]
fn find(number: &str, bundle: &Path, more: &[&str]) -> Ended {
    let mut command = metrust();
    command.args(["audit", "find", "-", "--bundle"]).arg(bundle);
    run_on(command.args(more), number)
}

fn entries(ended: Ended) -> Vec<Value> {
    let lines = done(ended);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A bundle in a folder, with the openings of `number(1)`.
fn bundle(world: &World) -> TempDir {
    crate::export::busy(world);
    // Before its first seal there is no log to make a bundle of.
    crate::bundles::all_sealed(world);
    let folder = tempdir().unwrap();
    let ended = export(
        world,
        &folder.path().join("b"),
        &["--phone", "-"],
        &number(1),
    );
    assert!(ended.stderr.contains("on record"), "{ended:?}");
    done(ended);
    folder
}

on_every_store! {
    fn a_number_is_found_in_a_bundle_and_each_of_its_entries_is_proven(world: &World) {
        let folder = bundle(world);
        let b = folder.path().join("b");
        let vkey = done(world.service.cli(&["audit", "key"]));
        let vkey = vkey.trim();
        let proofs = folder.path().join("proofs");
        let name = proofs.to_str().unwrap();
        let ended = find(&number(1), &b, &["--key", vkey, "--proofs", name]);
        assert!(!ended.stderr.contains("WARNING"), "{ended:?}");
        let found = entries(ended);
        // The same as the service finds, in the same order.
        let filter = [("phone", &*number(1))];
        let expected = world.operator().entries(&filter);
        assert_eq!(found, expected);
        assert_eq!(found.len(), 1 + 3);
        for entry in &found {
            let file = |end: &str| {
                let path = proofs.join(format!("{}.{end}", text(entry, "id")));
                assert_private(&path);
                path.to_str().unwrap().to_owned()
            };
            let verify = [
                "audit", "verify", b.to_str().unwrap(), "--key", vkey,
                "--receipt", &file("tlog-proof"), "--entry", &file("json"),
            ];
            assert!(done(world.service.cli(&verify)).contains("it proves entry"));
        }
        assert_private(&proofs);
        refused(&find(&number(1), &b, &["--proofs", name]), "not empty");

        // Who looked for it stands in the log too.
        let lookups = entries(find(&number(1), &b, &["--lookups"]));
        let opened = lookups.iter().filter(|entry| entry["op"] == "opening").count();
        assert_eq!((opened, lookups.len()), (3, found.len() + 3));

        let rows = csv::rows(&done(find(&number(1), &b, &["--format", "csv"])));
        let of_rows: BTreeSet<_> = rows.iter().map(|row| row["id"].clone()).collect();
        assert_eq!(of_rows, ids(&found));
        let national = format!("0{}", &number(1)[3..]);
        let ended = find(&national, &b, &["--region", "BE"]);
        assert!(ended.stderr.contains("WARNING: no --key"), "{ended:?}");
        assert_eq!(entries(ended).len(), found.len());
        // The folder of the service itself is a bundle too.
        let openings = b.join("openings.txt");
        let live = world.service.data().join("log");
        let ended = find(&number(1), &live, &["--openings", openings.to_str().unwrap()]);
        assert_eq!(entries(ended), found);
    }

    fn openings_that_do_not_belong_to_the_number_or_the_log_are_refused(world: &World) {
        let folder = bundle(world);
        let b = folder.path().join("b");
        let ended = find(&number(2), &b, &[]);
        refused(&ended, "another number");
        assert!(!ended.stderr.contains(&number(2)[3..]), "{ended:?}");
        let openings = b.join("openings.txt");
        let honest = fs::read_to_string(&openings).unwrap();
        let write = |text: &str| {
            let path = folder.path().join("openings.txt");
            fs::write(&path, text).unwrap();
            find(&number(1), &b, &["--openings", path.to_str().unwrap()])
        };
        let last = honest.lines().nth(3).unwrap();
        let digit = if last.ends_with('0') { "1" } else { "0" };
        let altered = format!("{}{digit}", &last[..last.len() - 1]);
        refused(&write(&honest.replace(last, &altered)), "signature");
        refused(&write(&honest.replace("openings v1", "promise v1")), "not one of openings");
        refused(&write("hello"), "not a signed note");
        let checkpoint = fs::read_to_string(b.join(log_of(world)).join("checkpoint")).unwrap();
        refused(&write(&checkpoint), "not one of openings");

        // Openings of another registry, rightly signed there.
        let other = crate::harness::World::on(crate::harness::Engine::Embedded);
        let others = other.operator().regulator().post(
            "/v1/audit/openings",
            serde_json::json!({ "phone": number(1) }),
        );
        refused(&write(&others.expect(200).text()), "another registry");
        fs::remove_file(&openings).unwrap();
        refused(&find(&number(1), &b, &[]), "openings.txt");
        refused(&find("hello", &b, &[]), "number");
    }

    fn a_bundle_that_was_tampered_with_is_refused(world: &World) {
        let folder = bundle(world);
        let b = folder.path().join("b");
        let log = b.join(log_of(world));
        let found = done(find(&number(1), &b, &[]));
        let first = found.lines().next().unwrap();
        let tamper = |path: &Path, from: &[u8], to: &[u8]| {
            let honest = fs::read(path).unwrap();
            let at = memchr::memmem::find(&honest, from).unwrap();
            let mut forged = honest.clone();
            forged[at..at + from.len()].copy_from_slice(to);
            fs::write(path, forged).unwrap();
            let ended = find(&number(1), &b, &[]);
            fs::write(path, honest).unwrap();
            ended
        };
        let only = |folder: &str| {
            let path = log.join(folder);
            let name = fs::read_dir(&path).unwrap().next().unwrap().unwrap().file_name();
            match path.join(&name).is_dir() {
                true => {
                    let inner = path.join(&name);
                    inner.join(fs::read_dir(&inner).unwrap().next().unwrap().unwrap().file_name())
                }
                false => path.join(name),
            }
        };
        let altered = first.replacen("\"v\":1", "\"v\":2", 1);
        let bundle = only("tile/entries");
        refused(&tamper(&bundle, first.as_bytes(), altered.as_bytes()), "cannot be relied on");
        let hash = metrust::log::leaf_hash(first.as_bytes()).0;
        let ended = tamper(&only("tile/0"), &hash, &[7; 32]);
        refused(&ended, "cannot be relied on");
        assert!(ended.stdout.is_empty());
        let checkpoint = log.join("checkpoint");
        refused(&tamper(&checkpoint, b"\n\n\xe2", b"1\n\xe2"), "cannot be relied on");
        fs::remove_file(&bundle).unwrap();
        refused(&find(&number(1), &b, &[]), "missing");
    }

    fn the_key_of_a_month_finds_every_number_of_it_and_must_be_the_committed_one(world: &World) {
        crate::export::busy(world);
        let expected = world.operator().entries(&[("phone", &*number(1))]);
        let month = text(&expected[0], "time")[..7].to_owned();
        let folder = tempdir().unwrap();
        let file = folder.path().join("month.key");
        let name = file.to_str().unwrap();
        let release = |more: &[&str]| {
            let command = [&["audit", "release-month", &*month, "--reason"][..], more].concat();
            world.service.cli(&command)
        };
        refused(&release(&["call +32 475 12 34 56"]), "reason");
        refused(&world.service.cli(&["audit", "release-month", "nov", "--reason", "x"]), "2026-11");
        let ended = release(&["court order", "--output", name]);
        assert!(ended.stderr.contains("WARNING") && ended.stderr.contains("EVERY"), "{ended:?}");
        assert_eq!(done(ended), "");
        assert_private(&file);
        all_sealed(world);
        let b = folder.path().join("b.tar.zst");
        done(export(world, &b, &[], ""));
        let ended = find(&number(1), &b, &["--month-key", name]);
        assert!(!ended.stderr.contains("released"), "{ended:?}");
        assert_eq!(entries(ended), expected);
        let ended = find(&number(9), &b, &["--month-key", name]);
        assert!(ended.stderr.contains("no entry"), "{ended:?}");
        assert!(entries(ended).is_empty());

        let other = MonthKey::from_bytes([7; 32]);
        let forged = format!(
            "metrust month key v1\nmonth {month}\nkey {}\ncommitment {}\n",
            HEXLOWER.encode(other.reveal()),
            HEXLOWER.encode(&other.commitment())
        );
        fs::write(&file, &forged).unwrap();
        refused(&find(&number(1), &b, &["--month-key", name]), "another one");
        fs::write(&file, forged.replace(&month, "2001-01")).unwrap();
        refused(&find(&number(1), &b, &["--month-key", name]), "no entry that says");
        fs::write(&file, "hello").unwrap();
        refused(&find(&number(1), &b, &["--month-key", name]), "release-month");
        // On standard output it is the same text.
        let printed = done(release(&["again"]));
        assert!(printed.starts_with("metrust month key v1\nmonth "), "{printed}");
    }
}

/// Openings signed with the key of the log in [`Log`], for the number of its entry 300.
fn openings(seed: &[u8; 32], time: &str) -> (String, String) {
    let phone = PhoneNumber::parse(&number(1), None).unwrap();
    let opening = MonthKey::from_bytes([7; 32]).opening(&phone);
    let pn = HEXLOWER.encode(&opening.pseudonym(&phone).0);
    let line = format!("2026-11 {} {pn}", HEXLOWER.encode(opening.bytes()));
    let text = format!("metrust openings v1\ndnc.example.org/log\ntime {time}\n{line}\n");
    let signer = Signer::new("dnc.example.org/log", seed).unwrap();
    (Note::sign(text, &[&signer]).unwrap().to_string(), pn)
}

#[test]
fn openings_that_were_given_out_behind_the_log_s_back_are_refused() {
    let (_, pn) = openings(&REAL, "2026-11-18T11:00:00.000Z");
    let mut log = Log::honest(600);
    let about = String::from_utf8(entry(300)).unwrap();
    let old = about[about.find(r#""pn":""#).unwrap() + 6..][..32].to_owned();
    log.entries[300] = about.replace(&old, &pn).into_bytes();
    let b = Bundle::of(log, &[]);
    let ask = |seed: &[u8; 32], time: &str| {
        let file = b.keep("openings.txt", openings(seed, time).0.as_bytes());
        let mut more: Vec<&str> = b.arguments.iter().map(String::as_str).collect();
        more.extend(["--openings", &file]);
        find(&number(1), &b.root(), &more)
    };
    // The log ends at 11:06 and holds no word of openings.
    refused(
        &ask(&REAL, "2026-11-18T09:00:00.000Z"),
        "behind the log's back",
    );
    let ended = ask(&REAL, "2026-11-18T11:00:00.000Z");
    assert!(ended.stderr.contains("WARNING: the bundle"), "{ended:?}");
    assert_eq!(entries(ended).len(), 1);
    refused(
        &ask(&FORGED, "2026-11-18T11:00:00.000Z"),
        "not signed by a key",
    );
}

#[test]
fn an_index_in_the_folder_is_used_but_nothing_is_shown_on_its_word() {
    // The largest that the small writer of logs makes in a moment: one whole segment and more.
    let (given, pn) = openings(&REAL, "2026-11-18T11:00:00.000Z");
    let mut log = Log::honest(65_536 + 10);
    for index in [300, 65_540] {
        let about = String::from_utf8(entry(index)).unwrap();
        let old = about[about.find(r#""pn":""#).unwrap() + 6..][..32].to_owned();
        log.entries[index as usize] = about.replace(&old, &pn).into_bytes();
    }
    let index = |hide: Option<usize>| {
        let mut segment = metrust::log::index::SegmentBuilder::new();
        for (place, bytes) in log.entries[..65_536].iter().enumerate() {
            let mut entry = metrust::domain::Entry::read_json(bytes).unwrap();
            if hide == Some(place) {
                entry.pn = None;
            }
            segment.add(place as u32, &entry).unwrap();
        }
        segment.finish()
    };
    let b = Bundle::of(log.clone(), &[]);
    let file = b.keep("openings.txt", given.as_bytes());
    let ask = |more: &[&str]| {
        let mut all: Vec<&str> = b.arguments.iter().map(String::as_str).collect();
        all.extend(["--openings", &file]);
        all.extend(more);
        find(&number(1), &b.root(), &all)
    };
    assert_eq!(entries(ask(&[])).len(), 2, "without an index");
    crate::harness::logs::put(&b.log(), "index/000", &index(None));
    let ended = ask(&[]);
    assert!(ended.stderr.contains("index"), "{ended:?}");
    assert_eq!(entries(ended).len(), 2);
    // Whoever made the index may have hidden something: that it was relied on is said.
    crate::harness::logs::put(&b.log(), "index/000", &index(Some(300)));
    assert_eq!(entries(ask(&[])).len(), 1);
    assert_eq!(entries(ask(&["--no-index"])).len(), 2);
    crate::harness::logs::put(&b.log(), "index/000", b"damaged");
    assert_eq!(entries(ask(&[])).len(), 2);
}
