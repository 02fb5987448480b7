//! From the service to the court: ten thousand entries that a real service wrote, handed over as a
//! bundle, and verified by nothing but the commands in the bundle's own README.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::bundles::{all_sealed, export, log_of};
use crate::cli::done;
use crate::evidence::{blocks, tools};
use crate::harness::process::{Ended, run};
use crate::harness::{Engine, World, number, verifiers};
use crate::receipts::{entry_of, sealed};

/// Runs the README's commands up to the signature by hand, in the bundle.
fn follow(bundle: &Path, path: &str) -> Vec<Ended> {
    let readme = fs::read_to_string(bundle.join("README.md")).unwrap();
    blocks(&readme)
        .into_iter()
        .take(6)
        .map(|block| {
            let mut shell = Command::new("sh");
            shell.args(["-eu", "-c", block]).current_dir(bundle);
            run(shell.env("PATH", path))
        })
        .collect()
}

#[test]
fn ten_thousand_entries_of_a_service_are_verified_by_strangers_from_the_bundle_alone() {
    let world = World::on(Engine::Embedded);
    let dialler = world.dialler();
    dialler.register(&[&number(1), &number(2)], json!("all"));
    let check = |from: usize, to: usize| {
        let numbers: Vec<_> = (from..to).map(number).collect();
        let body = json!({ "seller": "telco", "numbers": numbers });
        dialler.post("/v1/checks", body).expect(200).json()
    };
    let first: Value = check(0, 4_000);
    let id = first["results"][17]["id"].as_str().unwrap().to_owned();
    sealed(&dialler, &id);
    let older = world.anonymous().get("/log/checkpoint").expect(200).text();
    check(4_000, 10_000);
    let regulator = world.operator().regulator();
    all_sealed(&world);
    let log = log_of(&world);

    let folder = tempdir().unwrap();
    let bundle = folder.path().join("evidence");
    let said = done(export(&world, &bundle, &[], ""));
    assert!(said.contains("All of it holds"), "{said}");
    // What a regulator has from elsewhere: the key, a checkpoint of then, and a dialler's receipt.
    let vkeys = world.anonymous().get("/log/vkeys").expect(200).text();
    let answer = regulator
        .get(&format!("/v1/checks/{id}"))
        .expect(200)
        .text();
    let receipt: Value = serde_json::from_str(&answer).unwrap();
    for (name, text) in [
        ("trusted.vkeys", vkeys.as_str()),
        ("older.checkpoint", &older),
        ("receipt.tlog-proof", receipt["proof"].as_str().unwrap()),
        ("receipt.json", &entry_of(&answer)),
    ] {
        fs::write(bundle.join(name), text).unwrap();
    }
    let path = format!(
        "{}:{}",
        tools(folder.path()),
        std::env::var("PATH").unwrap()
    );
    let ended = follow(&bundle, &path);
    for ended in &ended[..5] {
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stdout.ends_with("All of it holds.\n"), "{ended:?}");
        assert!(!ended.stdout.contains("WARNING"), "{ended:?}");
    }
    assert!(
        ended[4].stdout.contains("receipt confirmed"),
        "{:?}",
        ended[4]
    );
    assert_eq!(ended[5].stdout, "Signature Verified Successfully\n");
    let count = ended[0].stdout.split(&format!("{log}: ")).nth(1).unwrap();
    let count: u64 = count.split(' ').next().unwrap().parse().unwrap();
    assert!(count > 10_000, "{count}");

    // One letter of one answer, and everybody notices.
    let file = bundle.join(&log).join("tile/entries/020");
    let bytes = fs::read(&file).unwrap();
    let at = bytes
        .windows(10)
        .position(|part| part == b"not_listed")
        .unwrap();
    let mut altered = bytes.clone();
    altered[at] = b'N';
    fs::write(&file, altered).unwrap();
    for (who, ended) in verifiers::every(&[bundle.to_str().unwrap(), "--key", vkeys.trim()]) {
        assert_eq!(ended.status.code(), Some(1), "{who}: {ended:?}");
        assert!(ended.stdout.contains("WRONG: "), "{who}: {ended:?}");
    }
}
