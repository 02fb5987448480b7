//! A disk under the log that fails: checks go on being answered from the store, for as long as it
//! has room for what waits; nothing is lost; all goes on by itself when the disk is well again.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::check::assert_letters_only;
use crate::harness::checks::Checks;
use crate::harness::disk::Disk;
use crate::harness::sealed::{Watcher, assert_complete};
use crate::harness::strace::{Call, Injection, Trace};
use crate::harness::world::copy_tree;
use crate::harness::{World, eventually, number, on_every_store};

use super::{assert_sealed, incidents, quick, size};

const ALARM: &str = "entries cannot be sealed";

/// Moves the log to a small disk of its own.
fn on_a_disk_of_its_own(world: &mut World) -> (Disk, PathBuf) {
    world.service.kill9();
    let place = world.scratch("disk");
    let disk = Disk::mount(&place, 16 << 10);
    let folder = place.join("log");
    copy_tree(&world.log_folder(), &folder);
    let launch = quick(world.service.launch()).set("AUDIT__FOLDER", &folder);
    world.service.restart_as(&launch);
    (disk, folder)
}

/// While nothing can be sealed, checks are answered and the log stands still.
#[track_caller]
fn assert_answered_unsealed(world: &World, checks: &Checks, folder: &Path, alarms: usize) {
    eventually("the alarm is raised", || {
        world.service.log().matches(ALARM).count() > alarms
    });
    let before = size(folder);
    checks.wait_for(200);
    assert_eq!(size(folder), before, "nothing more is signed");
    assert_eq!(checks.refused(), [], "every check is answered");
}

/// Whether a file, or the folder, was synced after one moment and before another.
fn synced(calls: &[Call], file: &Path, after: usize, before: usize) -> bool {
    calls.iter().any(|call| {
        let reaches = match call.name.as_str() {
            "fsync" | "fdatasync" => call.files == [file],
            name => name == "syncfs",
        };
        reaches && call.began > after && call.over < before
    })
}

/// Each file that was given its name: where it was written, its name, and the call.
fn named(calls: &[Call]) -> impl Iterator<Item = (&Path, &Path, &Call)> {
    calls.iter().filter_map(|call| {
        let mut files = call.files.iter();
        let written = files.find(|file| file.to_string_lossy().contains("/unfinished/"))?;
        let is_named = call.name.starts_with("rename") || call.name.starts_with("link");
        is_named.then_some((&**written, &**call.files.last()?, call))
    })
}

/// A power cut leaves whatever was synced. So each file is, before it has its name, and the folder of
/// each tile and commit, before the checkpoint that rests on it.
#[track_caller]
fn assert_lasting(calls: &[Call]) {
    let mut published = 0;
    for (written, name, naming) in named(calls) {
        let writes = calls.iter().filter(|call| call.name == "write");
        let mut writes = writes.filter(|call| call.files == [written] && call.over < naming.began);
        // One that was written before the trace began tells nothing.
        let Some(last) = writes.next_back() else {
            continue;
        };
        let lasts = synced(calls, written, last.over, naming.began);
        assert!(lasts, "{} was not on the disk", name.display());
        if !name.ends_with("checkpoint") {
            continue;
        }
        published += 1;
        for (_, file, earlier) in named(calls) {
            let path = file.to_string_lossy();
            let is_spoken_of = path.contains("/tile/") || path.contains("/commit/");
            if is_spoken_of && earlier.over < naming.began {
                let folder = file.parent().unwrap();
                let lasts = synced(calls, folder, earlier.over, naming.began);
                assert!(lasts, "{path} had no name on the disk");
            }
        }
    }
    assert!(published > 2, "{published} checkpoints");
}

on_every_store! {
    fn nothing_is_signed_that_a_power_cut_would_take(world: &mut World) {
        // Rarely enough that a whole list is sealed at once: many files are synced another way.
        let rarely = world.service.launch().set("AUDIT__PERIOD_MS", "1000");
        world.service.restart_as(&rarely);
        let dialler = world.dialler();
        let calls = "write,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat";
        let trace = Trace::of(world.service.pid(), calls, world.scratch("calls"));
        let folder = world.log_folder();
        let numbers: Vec<_> = (0..9_000).map(number).collect();
        let body = json!({"seller": "telco", "numbers": numbers});
        dialler.post("/v1/checks", body).expect(200);
        eventually("the list is sealed", || size(&folder) > 9_000);
        for _ in 0..3 {
            let before = size(&folder);
            dialler.check(&number(1), "telco").expect(200);
            eventually("the check is sealed", || size(&folder) > before);
        }
        let calls = trace.finish();
        assert!(calls.iter().any(|call| call.name == "syncfs"));
        assert_lasting(&calls);
    }

    fn a_full_or_read_only_disk_under_the_log_loses_nothing_and_stops_no_check(world: &mut World) {
        let (disk, folder) = on_a_disk_of_its_own(world);
        let watcher = Watcher::strict(folder.clone());
        let checks = Checks::start(&world.dialler());
        for round in 0..2 {
            checks.wait_for(100);
            let alarms = world.service.log().matches(ALARM).count();
            disk.fill();
            assert_answered_unsealed(world, &checks, &folder, alarms);
            if round == 1 {
                world.service.restart();
                checks.follow(&world.service.url());
                checks.wait_for(100);
            }
            disk.make_room();
            let behind = size(&folder);
            eventually("it seals again", || size(&folder) > behind);

            let alarms = world.service.log().matches(ALARM).count();
            disk.make_read_only();
            assert_answered_unsealed(world, &checks, &folder, alarms);
            disk.make_writable();
            let behind = size(&folder);
            eventually("it seals again", || size(&folder) > behind);
        }
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    }

    fn system_calls_that_fail_under_the_log_lose_nothing_and_stop_no_check(world: &mut World) {
        let launch = quick(world.service.launch());
        world.service.restart_as(&launch);
        let folder = world.log_folder();
        let watcher = Watcher::strict(folder.clone());
        let checks = Checks::start(&world.dialler());
        for what in [
            "fsync,syncfs:error=EIO:when=1+3",
            "fsync,syncfs:error=EIO:when=2+3",
            "link,linkat:error=ENOSPC:when=1+2",
            "rename,renameat,renameat2:error=EIO:when=1+3",
            "rename,renameat,renameat2:error=ENOSPC:when=2+4",
            "openat:error=EMFILE:when=3+7",
            "unlink,unlinkat,rmdir:error=EIO:when=1+2",
            "mkdir,mkdirat:error=ENOSPC:when=1+2",
        ] {
            let injected = Injection::into(world.service.pid(), what);
            checks.wait_for(200);
            if what.starts_with("rename") {
                // A process that dies of it all leaves no more behind.
                world.service.restart();
                checks.follow(&world.service.url());
            }
            drop(injected);
            checks.wait_for(100);
        }
        for what in ["fsync,syncfs:error=EIO", "link,linkat:error=EIO", "rename:error=EIO"] {
            let alarms = world.service.log().matches(ALARM).count();
            let injected = Injection::into(world.service.pid(), what);
            assert_answered_unsealed(world, &checks, &folder, alarms);
            drop(injected);
            let behind = size(&folder);
            eventually("it seals again", || size(&folder) > behind);
        }
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    }

    fn what_did_not_reach_the_disk_as_it_was_is_never_signed(world: &mut World) {
        let folder = world.log_folder();
        let watcher = Watcher::strict(folder.clone());
        let calm = quick(world.service.launch());
        let spoiling = calm.clone().variable("METRUST_TEST_SEALER_SPOIL", "13");
        world.service.restart_as(&spoiling);
        let checks = Checks::start(&world.dialler());
        checks.wait_for(400);
        eventually("it is found out", || {
            world.service.log().contains("is not what was written")
        });
        world.service.kill9();
        assert_complete(&folder, &[], &watcher.seen());
        world.service.restart_as(&calm);
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    }

    fn checks_are_refused_before_what_waits_fills_the_store_and_opt_outs_are_taken(
        world: &mut World,
    ) {
        let (disk, folder) = on_a_disk_of_its_own(world);
        let launch = world.service.launch().set("AUDIT__MAX_UNSEALED_BYTES", "30000");
        world.service.restart_as(&launch);
        let watcher = Watcher::strict(folder.clone());
        let dialler = world.dialler();
        let checks = Checks::start(&dialler);
        checks.wait_for(100);
        disk.make_read_only();
        eventually("checks are refused", || !checks.refused().is_empty());
        for (status, body) in checks.refused() {
            assert_eq!(status, 503, "{body}");
            assert!(body.contains("log_behind"), "{body}");
        }
        let refused = dialler.check_with(&[
            ("phone", &number(1)),
            ("seller", "telco"),
            ("format", "text"),
        ]);
        assert_letters_only(refused.status, &refused.text());
        assert_eq!((refused.status, &*refused.text()), (503, "LogBehind"));
        dialler.register(&[&number(1)], json!("all"));
        disk.make_writable();
        eventually("checks are answered again", || {
            dialler.check(&number(2), "telco").status == 200
        });
        assert!(dialler.suppresses(&number(1), "telco"));
        checks.wait_for(100);
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    }
}
