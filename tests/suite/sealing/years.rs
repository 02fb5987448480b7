//! A year's end, and exports while the log grows.

use std::collections::BTreeMap;

use crate::harness::checks::Checks;
use crate::harness::sealed::{self, Watcher};
use crate::harness::{World, eventually, on_every_store};

use super::{assert_sealed, incidents, quick};

on_every_store! {
    fn a_year_that_ends_while_checks_are_made_has_a_log_of_its_own(world: &mut World) {
        let folder = world.log_folder();
        let watcher = Watcher::strict(folder.clone());
        let calm = quick(world.service.launch());
        let dialler = world.dialler();
        let year = sealed::names(&folder).pop();
        let year: u16 = year.map_or(2026, |name| name[..4].parse().unwrap());
        let next = format!("{}", year + 1);
        world.service.restart_as(&calm.clone().beginning_at(&format!("{year}-12-31 23:59:50")));
        let checks = Checks::start(&dialler.on(&world.service.url()));
        eventually("the next year has a log", || sealed::names(&folder).contains(&next));
        checks.wait_for(300);
        // Whoever comes later goes on with it.
        world.service.restart_as(&calm.clone().beginning_at(&format!("{next}-01-02 03:04:05")));
        checks.follow(&world.service.url());
        checks.wait_for(300);
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
        let logs = sealed::read(&folder);
        assert_eq!(logs.len(), 2);
        for log in &logs {
            for entry in &log.entries {
                // A batch belongs to the year in which its first entry was made.
                let time = entry["time"].as_str().unwrap();
                let edge = format!("{next}-01-01T00:00:00");
                assert!(time.starts_with(&log.name) || time.starts_with(&edge), "{entry}");
            }
            let checks = log.entries.iter().filter(|entry| entry["op"] == "check");
            assert!(checks.count() > 256, "{} has checks", log.name);
        }
        let last = logs[0].entries.last().unwrap()["time"].as_str().unwrap();
        assert!(last.starts_with(&format!("{year}-12-31T23:59:59")) || last.starts_with(&next));
    }

    fn every_export_while_the_log_grows_is_whole(world: &mut World) {
        let folder = world.log_folder();
        let watcher = Watcher::strict(folder.clone());
        let launch = world.service.launch().set("AUDIT__PERIOD_MS", "20");
        world.service.restart_as(&launch);
        let checks = Checks::start(&world.dialler());
        let operator = world.operator();
        let mut exported = 0;
        let mut exports = 0;
        while exports < 20 || checks.count() < 400 {
            exports += 1;
            let known = checks.acknowledged();
            let entries = operator.entries(&[]);
            let mut writers: BTreeMap<&str, u64> = BTreeMap::new();
            for entry in &entries {
                let last = writers.entry(entry["writer"].as_str().unwrap()).or_default();
                *last += 1;
                assert_eq!(entry["writer_seq"], *last, "of {}", entries.len());
            }
            let ids: std::collections::HashSet<_> =
                entries.iter().filter_map(|entry| entry["id"].as_str()).collect();
            assert!(known.iter().all(|id| ids.contains(id.as_str())));
            assert!(entries.len() >= exported);
            exported = entries.len();
        }
        let acknowledged = checks.finish();
        let entries = assert_sealed(&folder, &world.operator(), &acknowledged, &watcher);
        assert_eq!(incidents(&entries).len(), 0, "{:?}", incidents(&entries));
    }
}
