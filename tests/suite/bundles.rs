//! Bundles of evidence, downloaded from the service: complete, verified, and private.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::tempdir;

use crate::audit::text;
use crate::audit_cli::assert_private;
use crate::cli::{done, refused};
use crate::harness::process::{Ended, run_on};
use crate::harness::service::metrust;
use crate::harness::{World, eventually, number, on_every_store, verifiers};

/// Waits until everything on record is sealed.
#[track_caller]
pub fn all_sealed(world: &World) {
    let operator = world.operator();
    eventually("everything is sealed", || {
        let logs = operator.get("/log/logs.json").expect(200).json();
        let sizes = logs["logs"].as_array().unwrap().iter();
        let sealed: u64 = sizes.map(|log| log["size"].as_u64().unwrap()).sum();
        sealed == operator.entries(&[]).len() as u64
    });
}

/// The log that is written now.
pub fn log_of(world: &World) -> String {
    let logs = world.operator().get("/log/logs.json").expect(200).json();
    text(&logs["logs"][0], "name").to_owned()
}

/// `metrust audit export --bundle`, as a regulator.
#[track_caller]
pub fn export(world: &World, bundle: &Path, more: &[&str], input: &str) -> Ended {
    let mut command = metrust();
    command
        .args(["audit", "export", "--bundle"])
        .arg(bundle)
        .args(more)
        .env("METRUST_URL", world.service.url())
        .env("METRUST_KEY", world.operator().regulator().key());
    run_on(&mut command, input)
}

/// Every file and folder below this one, and itself.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        match path.is_dir() {
            true => all.extend(everything(&path)),
            false => all.push(path),
        }
    }
    all
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = names
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// 700 entries and more, some of each kind.
fn busy(world: &World) {
    let dialler = crate::export::busy(world);
    let numbers: Vec<_> = (0..700).map(number).collect();
    dialler
        .post("/v1/checks", json!({"seller": "telco", "numbers": numbers}))
        .expect(200);
    all_sealed(world);
}

on_every_store! {
    fn a_bundle_is_the_whole_sealed_log_and_every_verifier_says_that_it_holds(world: &World) {
        busy(world);
        let folder = tempdir().unwrap();
        let bundle = folder.path().join("evidence");
        let ended = export(world, &bundle, &[], "");
        let said = done(ended);
        let log = log_of(world);
        assert!(said.contains(&format!("{log}: ")) && said.contains("All of it holds"), "{said}");
        let list = names(&bundle);
        for name in [&log, "README.md", "manifest.json", "verify.go", "verify.py", "vkeys"] {
            assert!(list.contains(&name.to_string()), "{name} in {list:?}");
        }
        assert!(!list.contains(&"openings.txt".to_owned()), "{list:?}");
        everything(&bundle).iter().for_each(|path| assert_private(path));
        assert_eq!(names(folder.path()), ["evidence"], "nothing is left beside it");

        let vkey = done(world.service.cli(&["audit", "key"]));
        let arguments = [bundle.to_str().unwrap(), "--key", vkey.trim()];
        for (who, ended) in verifiers::every(&arguments) {
            let said = done(ended);
            assert!(said.ends_with("All of it holds.\n"), "{who}: {said}");
            assert!(!said.contains("ONLY"), "{who}: {said}");
        }
        let sealed = world.operator().entries(&[]).len();
        let bundles = everything(&bundle.join(&log).join("tile/entries"));
        let bytes: Vec<u8> = bundles
            .iter()
            .filter(|path| path.is_file())
            .flat_map(|path| fs::read(path).unwrap())
            .collect();
        let entries = String::from_utf8_lossy(&bytes).matches(r#","writer_seq":"#).count();
        assert!(entries == sealed || entries + 1 == sealed, "{entries} of {sealed}: the last is \
            the key that was made for the regulator");

        refused(&export(world, &bundle, &[], ""), "there already");
        refused(&export(world, &bundle, &["--force"], ""), "folder already");
    }

    fn a_bundle_in_one_file_holds_the_same(world: &World) {
        busy(world);
        let folder = tempdir().unwrap();
        let bundle = folder.path().join("evidence.tar.zst");
        done(export(world, &bundle, &["--log", &log_of(world)], ""));
        assert_private(&bundle);
        assert_eq!(names(folder.path()), ["evidence.tar.zst"]);
        let said = done(world.service.cli(&["audit", "verify", bundle.to_str().unwrap()]));
        assert!(said.ends_with("All of it holds.\n"), "{said}");
        refused(&export(world, &bundle, &[], ""), "there already");
        done(export(world, &bundle, &["--force"], ""));
        refused(
            &export(world, &folder.path().join("b"), &["--log", "1999"], ""),
            "no log 1999",
        );
        refused(
            &export(world, &folder.path().join("b"), &["--seller", "telco"], ""),
            "--seller",
        );
    }

    fn a_bundle_of_a_stretch_of_time_has_its_entries_and_all_hashes(world: &World) {
        busy(world);
        let (folder, log) = (tempdir().unwrap(), log_of(world));
        let now = folder.path().join("now");
        let from = text(world.operator().entries(&[]).last().unwrap(), "time").to_owned();
        done(export(world, &now, &["--from", &from], ""));
        let long_ago = folder.path().join("long-ago");
        let said = done(export(world, &long_ago, &["--to", "2000-01-01", "--log", &log], ""));
        assert!(said.contains("ENTRIES ARE NOT HERE"), "{said}");
        assert!(!long_ago.join(&log).join("tile/entries").exists());
        assert!(long_ago.join(&log).join("tile/0").exists());
        for (who, ended) in verifiers::every(&[long_ago.to_str().unwrap()]) {
            assert!(done(ended).contains("ENTRIES ARE NOT HERE"), "{who}");
        }
        let never = folder.path().join("never");
        refused(&export(world, &never, &["--from", "2999-01-01"], ""), "no log of that time");
        refused(&export(world, &never, &["--from", "yesterday"], ""), "--from");
        assert!(!never.exists());
    }

    fn a_log_whose_entries_were_dropped_is_bundled_with_its_hashes(world: &World) {
        busy(world);
        let (folder, log) = (tempdir().unwrap(), log_of(world));
        let live = world.service.data().join("log").join(&log);
        fs::write(live.join("dropped"), "").unwrap();
        fs::remove_dir_all(live.join("tile/entries")).unwrap();
        let bundle = folder.path().join("evidence");
        let ended = export(world, &bundle, &[], "");
        assert!(ended.stderr.contains("dropped"), "{ended:?}");
        assert!(done(ended).contains("ENTRIES ARE NOT HERE"));
        assert!(!bundle.join(&log).join("tile/entries").exists());
    }

    fn a_bundle_that_breaks_off_or_does_not_hold_never_gets_its_name(world: &World) {
        busy(world);
        let (folder, log) = (tempdir().unwrap(), log_of(world));
        let live = world.service.data().join("log").join(&log).join("tile/entries/000");
        let bundle = folder.path().join("evidence");
        let part = folder.path().join("evidence.part");
        let honest = fs::read(&live).unwrap();

        fs::rename(&live, live.with_extension("away")).unwrap();
        let ended = export(world, &bundle, &[], "");
        refused(&ended, "INCOMPLETE");
        assert!(part.join("INCOMPLETE").is_file() && !bundle.exists());
        assert_private(&part);

        let mut forged = honest.clone();
        forged[100] ^= 1;
        fs::write(&live, &forged).unwrap();
        refused(&export(world, &bundle, &[], ""), "DOES NOT HOLD");
        assert!(part.join("INCOMPLETE").is_file() && !bundle.exists());

        fs::write(&live, &honest).unwrap();
        done(export(world, &bundle, &[], ""));
        assert!(!part.exists() && !bundle.join("INCOMPLETE").exists());

        // A folder of somebody else is not deleted to make room.
        fs::create_dir(folder.path().join("mine.part")).unwrap();
        refused(&export(world, &folder.path().join("mine"), &[], ""), "mine.part");
        assert!(folder.path().join("mine.part").is_dir());
    }
}
