//! Several sealers at once, and sealers that slept while the others went on. The lease that keeps
//! them apart is left out: what it spares is work, not care.

use std::path::Path;

use crate::harness::checks::Checks;
use crate::harness::rounds::rounds;
use crate::harness::sealed::{Watcher, commits};
use crate::harness::{Engine, Launch, Service, World, eventually, number, on_every_store};

use super::crashes::PLACES;
use super::{assert_sealed, incidents, quick, small_commits, wait_until_sealed};

/// More commits than are kept.
const LONG: u64 = 18;

fn sealers(launch: Launch, count: usize) -> Launch {
    small_commits(quick(launch)).variable("METRUST_TEST_SEALERS", count.to_string())
}

/// Nobody has cried wolf.
#[track_caller]
fn assert_no_alarm(service: &Service) {
    for wolf in ["damaged", "came back older", "gone back", "another root"] {
        assert!(!service.log().contains(wolf), "{wolf}: {}", service.log());
    }
}

#[track_caller]
fn wait_for_commits(folder: &Path, more: u64) {
    let newest = || commits(folder).last().copied().unwrap_or(0);
    let before = newest();
    eventually("the others go on sealing", || newest() >= before + more);
}

on_every_store! {
    fn several_sealers_in_one_process_seal_everything_once(world: &mut World) {
        let folder = world.log_folder();
        let watcher = Watcher::strict(folder.clone());
        let checks = Checks::start(&world.dialler());
        for count in [2, 3] {
            let launch = sealers(world.service.launch(), count);
            for _ in 0..2 {
                world.service.restart_as(&launch);
                checks.follow(&world.service.url());
                wait_for_commits(&folder, LONG);
                world.service.kill9();
            }
            world.service.restart_as(&launch);
            checks.follow(&world.service.url());
            checks.wait_for(300);
        }
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
        assert_no_alarm(&world.service);
    }
}

/// Redis ends a lease by the wall clock: set back an hour, it would keep that of a sealer that died
/// for an hour more.
#[test]
fn a_dead_sealer_s_lease_keeps_nobody_waiting_where_the_clock_was_set_back() {
    let mut world = World::on(Engine::RedisAlways);
    let dialler = world.dialler();
    let lease = [
        "SET",
        "mr:{s00}:lease:sealer",
        "0101010101010101",
        "PX",
        "3600000",
    ];
    assert_eq!(world.redis().command(&lease), "+OK");
    let id = dialler.check(&number(1), "telco").id();
    wait_until_sealed(&world.log_folder(), &world.operator(), &[id]);
}

#[test]
fn several_sealers_in_two_processes_seal_everything_once() {
    let mut world = World::with(Engine::RedisAlways, |launch| sealers(launch, 2));
    let folder = world.log_folder();
    let watcher = Watcher::strict(folder.clone());
    let dialler = world.dialler();
    let mut replica = world.replica_with(|launch| sealers(launch, 2)).unwrap();
    let here = Checks::start(&dialler);
    let there = Checks::start(&dialler.on(&replica.url()));
    wait_for_commits(&folder, LONG);
    world.service.kill9();
    wait_for_commits(&folder, LONG);
    world.service.restart();
    here.follow(&world.service.url());
    wait_for_commits(&folder, LONG);
    replica.kill9();
    here.wait_for(200);
    replica.restart();
    there.follow(&replica.url());
    there.wait_for(200);
    let acknowledged = [here.finish(), there.finish()].concat();
    let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
    assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    assert_no_alarm(&world.service);
    assert_no_alarm(&replica);
}

/// One of two processes falls asleep at a certain step, and wakes long after the others have gone
/// on, and some time after they had nothing more to do.
#[test]
fn a_sealer_that_slept_at_any_step_does_no_harm_when_it_wakes() {
    let world = World::with(Engine::RedisAlways, |launch| sealers(launch, 2));
    let folder = world.log_folder();
    let watcher = Watcher::strict(folder.clone());
    let dialler = world.dialler();
    let mut replica = world.replica_with(|launch| sealers(launch, 2)).unwrap();
    let calm = replica.launch();
    let mut acknowledged = Vec::new();
    for place in ["before-gathering"].iter().chain(PLACES) {
        let checks = Checks::start(&dialler);
        let sleepy = calm.clone();
        let sleepy = sleepy.variable("METRUST_TEST_SEALER_SLEEP", format!("{place}:3"));
        replica.try_restart_as(&sleepy);
        eventually(&format!("it sleeps {place}"), || replica.is_stopped());
        wait_for_commits(&folder, LONG);
        acknowledged.extend(checks.finish());
        wait_until_sealed(&folder, &world.operator(), &acknowledged);
        replica.wake();
        // It is awake, and has been for a cycle at least, when it has sealed something of its own.
        let checks = Checks::start(&dialler.on(&replica.url()));
        wait_for_commits(&folder, 5);
        acknowledged.extend(checks.finish());
        wait_until_sealed(&folder, &world.operator(), &acknowledged);
    }
    let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
    assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    assert_no_alarm(&world.service);
    assert_no_alarm(&replica);
}

/// The same with the lease: whoever holds it is stopped anywhere, the other takes over.
#[test]
fn a_process_that_was_stopped_anywhere_is_replaced_and_does_no_harm_when_it_wakes_long_stops() {
    let world = World::with(Engine::RedisAlways, quick);
    let folder = world.log_folder();
    let watcher = Watcher::strict(folder.clone());
    let dialler = world.dialler();
    let replica = world.replica_with(quick).unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..rounds("stops", 4, 100) {
        let (stopped, other) = match round % 2 {
            0 => (&world.service, &replica),
            _ => (&replica, &world.service),
        };
        let checks = Checks::start(&dialler.on(&other.url()));
        wait_for_commits(&folder, 2);
        // In the middle of a cycle: while a file is on its way.
        eventually("a file is on its way", || {
            let files = std::fs::read_dir(folder.join("unfinished"));
            files.is_ok_and(|mut files| files.next().is_some())
        });
        stopped.stop();
        wait_for_commits(&folder, LONG);
        stopped.signal("CONT");
        wait_for_commits(&folder, 2);
        acknowledged.extend(checks.finish());
        wait_until_sealed(&folder, &world.operator(), &acknowledged);
    }
    let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
    assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    assert_no_alarm(&world.service);
    assert_no_alarm(&replica);
}
