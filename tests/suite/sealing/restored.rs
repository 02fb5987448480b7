//! Folders and stores that were mixed up, lost, or come back older than they were.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::tempdir;

use crate::harness::checks::Checks;
use crate::harness::sealed::{self, Published, Watcher, assert_complete, commits};
use crate::harness::world::copy_tree;
use crate::harness::{Launch, World, eventually, number, on_every_store};

use super::{assert_sealed, incidents, quick, size, wait_until_sealed};

/// Makes some checks and waits until they are sealed; gives their ids.
fn seal_some(world: &World, folder: &Path) -> Vec<String> {
    let operator = world.operator();
    if operator.get("/v1/admin/sellers").text().contains("telco") {
        let checks = Checks::start(&operator.dialler_of("calls"));
        checks.wait_for(300);
        let acknowledged = checks.finish();
        wait_until_sealed(folder, &operator, &acknowledged);
        acknowledged
    } else {
        world.dialler();
        seal_some(world, folder)
    }
}

fn replace(folder: &Path, by: &Path) {
    // At once, so that whoever watches never reads half a copy.
    let (incoming, outgoing) = (folder.with_extension("in"), folder.with_extension("out"));
    copy_tree(by, &incoming);
    fs::rename(folder, &outgoing).unwrap();
    fs::rename(&incoming, folder).unwrap();
    fs::remove_dir_all(&outgoing).unwrap();
}

#[test]
fn the_log_of_another_store_is_refused() {
    let folder = tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    drop(Launch::on(&one).start());
    let launch = Launch::on(&other).set("AUDIT__FOLDER", one.join("log"));
    for _ in 0..2 {
        let refusal = launch.refused();
        assert!(refusal.stderr.contains("another store"), "{refusal:?}");
        assert!(refusal.stderr.contains("audit.folder"), "{refusal:?}");
    }
    Launch::on(&one).start();
}

on_every_store! {
    fn a_log_that_is_elsewhere_is_not_begun_anew_but_on_request(world: &mut World) {
        let launch = quick(world.service.launch());
        world.service.restart_as(&launch);
        let first = world.log_folder();
        let mut before = seal_some(world, &first);
        let name = sealed::names(&first).pop().unwrap();
        // It drops what it has sealed, but for the last batch.
        assert!(world.service.terminate().success());
        let folder = world.scratch("elsewhere");
        fs::create_dir(&folder).unwrap();
        let launch = launch.set("AUDIT__FOLDER", &folder);
        let refusal = launch.refused();
        assert!(refusal.stderr.contains("--new-log"), "{refusal:?}");
        assert_eq!(sealed::names(&folder), [""; 0]);

        let anew = launch.clone().argument("--new-log");
        world.service.restart_as(&anew);
        let watcher = Watcher::of(folder.clone());
        let mut acknowledged = seal_some(world, &folder);
        // Asked for once more, or no more, it is the same one that goes on.
        world.service.restart_as(&anew);
        acknowledged.extend(seal_some(world, &folder));
        world.service.restart_as(&launch);
        acknowledged.extend(seal_some(world, &folder));
        assert_eq!(sealed::names(&folder), [format!("{name}-2")]);
        let entries = sealed::read(&folder).pop().unwrap().entries;
        assert_eq!(incidents(&entries).len(), 1, "{:?}", incidents(&entries));
        // That batch may be in both logs: it was all that was left of the lost one.
        before.retain(|id| entries.iter().all(|entry| entry["id"] != **id));
        assert!(before.len() > 200);
        let new = entries.iter().position(|entry| entry["op"] == "start").unwrap();
        let ids = |entry: &serde_json::Value| entry["id"].as_str().unwrap().to_owned();
        let own: Vec<_> = entries[new..].iter().map(ids).collect();
        assert!(acknowledged.iter().all(|id| own.contains(id)));
        wait_until_sealed(&folder, &world.operator(), &acknowledged);
        drop(watcher);
    }

    fn a_log_that_was_restored_from_an_older_copy_does_not_go_on(world: &mut World) {
        let launch = quick(world.service.launch());
        world.service.restart_as(&launch);
        let folder = world.log_folder();
        let watcher = Watcher::of(folder.clone());
        let mut acknowledged = seal_some(world, &folder);
        world.service.kill9();
        let (old, new) = (world.scratch("old"), world.scratch("new"));
        copy_tree(&folder, &old);
        world.service.restart();
        // When the second is sealed, the store has heard of the first.
        for _ in 0..2 {
            acknowledged.extend(seal_some(world, &folder));
        }
        for running in [false, true] {
            if !running {
                world.service.kill9();
            }
            copy_tree(&folder, &new);
            let before = world.service.log().matches("has gone back").count();
            replace(&folder, &old);
            if !running {
                world.service.restart();
            }
            let checks = Checks::start(&world.operator().dialler_of("calls"));
            eventually("it says what is wrong", || {
                world.service.log().matches("has gone back").count() > before
            });
            // What was under way when the folder was exchanged is taken back.
            eventually("nothing of the newer log is left", || commits(&folder) == commits(&old));
            let (is, there) = (size(&folder), commits(&folder));
            checks.wait_for(200);
            assert_eq!((size(&folder), commits(&folder)), (is, there), "it stands still");
            assert_eq!(is, size(&old));
            assert_eq!(checks.refused(), []);
            acknowledged.extend(checks.finish());
            // With its newest files it goes on.
            world.service.kill9();
            replace(&folder, &new);
            fs::remove_dir_all(&new).unwrap();
            world.service.restart();
            wait_until_sealed(&folder, &world.operator(), &acknowledged);
        }
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));

        // And where they are lost for good, another one can be begun, as the text says.
        world.service.kill9();
        let name = sealed::names(&folder).pop().unwrap();
        drop(watcher);
        fs::rename(&folder, &new).unwrap();
        launch.refused();
        world.service.restart_as(&launch.argument("--new-log"));
        let newer = seal_some(world, &folder);
        assert_eq!(sealed::names(&folder), [format!("{name}-2")]);
        assert_complete(&folder, &newer, &Published::new());
    }

    fn a_store_that_was_restored_from_an_older_copy_repeats_nothing_in_the_log(world: &mut World) {
        let launch = quick(world.service.launch());
        world.service.restart_as(&launch);
        let folder = world.log_folder();
        let watcher = Watcher::of(folder.clone());
        let checks = Checks::start(&world.dialler());
        checks.wait_for(400);
        // In the middle of things: what waits to be sealed is in the copy, too.
        world.service.kill9();
        let copy = world.scratch("copy");
        keep(world, &copy);
        world.service.restart();
        checks.follow(&world.service.url());
        checks.wait_for(400);
        let acknowledged = checks.finish();
        wait_until_sealed(&folder, &world.operator(), &acknowledged);
        let before = size(&folder);
        world.service.kill9();
        bring_back(world, &copy);
        let accepted = world.service.launch().argument("--accept-loss");
        world.service.restart_as(&accepted);
        let checks = Checks::start(&world.operator().dialler_of("calls"));
        checks.wait_for(400);
        let later = checks.finish();
        let all = [acknowledged, later.clone()].concat();
        eventually("the log goes on", || {
            let entries = sealed::read(&folder).pop().unwrap().entries;
            let ids: Vec<_> = entries[before as usize..].iter().map(|entry| &entry["id"]).collect();
            later.iter().all(|id| ids.iter().any(|other| **other == **id))
        });
        let entries = assert_sealed(&folder, &world.operator(), &all, &watcher);
        assert_eq!(incidents(&entries).len(), 1, "{:?}", incidents(&entries));
    }

    fn a_store_older_than_its_log_answers_nothing_until_the_operator_accepts_that(world: &mut World) {
        let launch = quick(world.service.launch());
        world.service.restart_as(&launch);
        let folder = world.log_folder();
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        assert!(dialler.suppresses(&number(1), "telco"));
        assert!(world.service.terminate().success());
        let (old, new) = (world.scratch("old"), world.scratch("new"));
        keep(world, &old);
        world.service.restart_as(&launch);
        let dialler = dialler.on(&world.service.url());
        let code = dialler.register(&[&number(2)], json!("all"));
        let mut ids: Vec<_> = (0..20).map(|_| dialler.check(&number(2), "telco").id()).collect();
        wait_until_sealed(&folder, &world.operator(), &ids);
        assert!(world.service.terminate().success());
        keep(world, &new);
        let log = commits(&folder);

        // Whoever is told of the loss brings the newest data back: nothing is lost.
        bring_back(world, &old);
        for _ in 0..2 {
            world.service.restart_as(&launch);
            let dialler = dialler.on(&world.service.url());
            for asked in [1, 2, 3] {
                dialler.check(&number(asked), "telco").expect(503);
            }
            dialler.post("/v1/registrations", json!({"numbers": [number(3)], "sellers": "all"})).expect(503);
            // Nor is anybody kept waiting for an index that cannot be.
            let calls = b"phone,time\n+31612345678,2026-11-18T11:06:40Z\n".to_vec();
            let csv = [("Content-Type", "text/csv")];
            let operator = world.operator();
            let matched = operator.call("POST", "/v1/audit/match", &csv, calls);
            matched.expect(503);
            // Nobody is told that their code is unknown.
            dialler.withdraw(&code).expect(503);
            world.anonymous().get("/readyz").expect(503);
            let said = world.service.cli(&["doctor"]);
            assert!(!said.status.success(), "{said:?}");
            assert!(said.stdout.contains("--accept-loss"), "{said:?}");
            let said = world.service.log();
            assert!(said.contains("--accept-loss"), "{said}");
            assert_eq!(commits(&folder), log, "nothing of it is sealed");
        }
        world.service.kill9();
        bring_back(world, &new);
        world.service.restart_as(&launch);
        let dialler = dialler.on(&world.service.url());
        assert!(dialler.suppresses(&number(2), "telco"));
        ids.push(dialler.check(&number(2), "telco").id());
        wait_until_sealed(&folder, &world.operator(), &ids);
        assert_eq!(world.operator().entries(&[("op", "incident")]).len(), 0);

        // And where it is lost for good, the operator accepts that, on record.
        world.service.kill9();
        bring_back(world, &old);
        world.service.restart_as(&launch);
        dialler.on(&world.service.url()).check(&number(1), "telco").expect(503);
        world.service.restart_as(&launch.clone().argument("--accept-loss"));
        for _ in 0..2 {
            let dialler = dialler.on(&world.service.url());
            assert!(dialler.suppresses(&number(1), "telco"));
            ids.push(dialler.check(&number(3), "telco").id());
            world.anonymous().get("/readyz").expect(200);
            assert!(world.service.cli(&["doctor"]).status.success());
            wait_until_sealed(&folder, &world.operator(), &ids);
            // It is accepted once and for all, also where the process dies soon after.
            world.service.restart_as(&launch);
        }
        let incidents = world.operator().entries(&[("op", "incident")]);
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        let reason = incidents[0]["reason"].as_str().unwrap();
        assert!(reason.starts_with("the operator goes on without"), "{reason}");

        // For whoever verifies it is that, and no damage.
        let said = world.service.cli(&["audit", "verify", folder.to_str().unwrap()]);
        assert!(said.status.success(), "{said:?}");
        assert!(said.stdout.contains("the operator goes on without"), "{said:?}");
        assert!(said.stdout.contains("agency calls"), "{said:?}");
    }
}

/// Keeps a copy of the store; the service is not running.
fn keep(world: &mut World, copy: &Path) {
    fs::create_dir_all(copy).unwrap();
    let file = world.service.data().join("metrust.redb");
    match world.redis.as_mut() {
        None => drop(fs::copy(file, copy.join("metrust.redb")).unwrap()),
        Some(redis) => {
            redis.kill9();
            copy_tree(&redis.folder().join("appendonlydir"), copy);
            redis.restart();
        }
    }
}

/// Brings it back.
fn bring_back(world: &mut World, copy: &Path) {
    let file = world.service.data().join("metrust.redb");
    match world.redis.as_mut() {
        None => drop(fs::copy(copy.join("metrust.redb"), file).unwrap()),
        Some(redis) => {
            redis.kill9();
            replace(&redis.folder().join("appendonlydir"), copy);
            redis.restart();
        }
    }
}
