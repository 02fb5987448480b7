//! A process that dies (`kill -9`, a power cut) at any step of the sealing cycle, and one that is told to
//! stop.

use tempfile::tempdir;

use crate::harness::checks::Checks;
use crate::harness::sealed::{self, Published, Watcher, assert_complete};
use crate::harness::{Launch, Redis, World, eventually, on_every_store};

use super::{assert_sealed, incidents, quick, small_commits};

/// Where the process under test can be told to end itself.
pub const PLACES: &[&str] = &[
    "before-commit",
    "after-commit",
    "after-tiles",
    "after-recheck",
    "before-checkpoint",
    "after-checkpoint",
    "after-trim",
    "after-tidying",
];

fn dying(calm: &Launch, place: &str, time: usize) -> Launch {
    let stop = format!("{place}:{time}");
    small_commits(calm.clone()).variable("METRUST_TEST_SEALER_STOP", stop)
}

on_every_store! {
    fn whoever_dies_in_the_middle_of_sealing_leaves_nothing_lost_and_nothing_twice(
        world: &mut World,
    ) {
        let folder = world.log_folder();
        let watcher = Watcher::strict(folder.clone());
        let checks = Checks::start(&world.dialler());
        let calm = quick(world.service.launch());
        for (round, place) in PLACES.iter().enumerate() {
            // Once in the middle of things, and once more while what that left is cleared up.
            for time in [round % 3 + 2, 1] {
                if world.service.try_restart_as(&dying(&calm, place, time)) {
                    checks.follow(&world.service.url());
                }
                eventually(&format!("it ends {place}"), || world.service.has_ended());
                // Whatever is published stands on its own at every moment.
                assert_complete(&folder, &[], &Published::new());
            }
            world.service.restart_as(&calm);
            checks.follow(&world.service.url());
            checks.wait_for(100);
        }
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    }

    fn whoever_is_told_to_stop_seals_all_that_was_acknowledged_first(world: &mut World) {
        let folder = world.log_folder();
        // Another died just now, whose lease still stands.
        eventually("it seals", || !sealed::read(&folder).is_empty());
        // So much is waiting that one commit does not hold it.
        let launch = world.service.launch().set("AUDIT__PERIOD_MS", "5000");
        world.service.restart_as(&small_commits(launch));
        let checks = Checks::start(&world.dialler());
        checks.wait_for(600);
        assert!(world.service.terminate().success());
        assert_complete(&folder, &checks.finish(), &Published::new());
    }
}

/// The first cycle of all: there is no commit yet to go on from.
fn dies_in_the_first_cycle(with_redis: bool) {
    for place in PLACES {
        let folder = tempdir().unwrap();
        let data = folder.path().join("data");
        let redis = with_redis.then(Redis::durable);
        let mut calm = quick(Launch::on(&data));
        if let Some(redis) = &redis {
            calm = calm.redis(&redis.url());
        }
        match dying(&calm, place, 1).try_start() {
            Ok(mut service) => eventually("it ends", || service.has_ended()),
            Err(refusal) => assert_eq!(refusal.status.code(), None, "{refusal:?}"),
        }
        let log = data.join("log");
        let watcher = Watcher::strict(log.clone());
        let service = calm.start();
        let operator = service.operator();
        operator.add_seller("telco");
        operator.add_agency("calls", &["telco"]);
        let checks = Checks::start(&operator.dialler_of("calls"));
        checks.wait_for(300);
        let acknowledged = checks.finish();
        let entries = assert_sealed(&log, &operator, &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{place}");
        let starts = entries.iter().filter(|entry| entry["op"] == "start");
        assert!(starts.count() <= 2, "{place}");
    }
}

#[test]
fn whoever_dies_in_the_very_first_cycle_begins_the_log_all_the_same() {
    dies_in_the_first_cycle(false);
}

#[test]
fn whoever_dies_in_the_very_first_cycle_on_redis_begins_the_log_all_the_same() {
    dies_in_the_first_cycle(true);
}
