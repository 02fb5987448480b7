//! Whether a Redis server keeps what it acknowledges.
//!
//! A Redis as it comes forgets: it keeps data in memory and saves now and then. The registry
//! answers only what is on disk, so it asks the server for its settings before it trusts it, and
//! says which one to change.

use std::collections::HashMap;

use crate::store::{Advice, Durability};

/// What is wrong with a server, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weakness {
    pub what: String,
    pub remedy: String,
}

/// A server's settings (`CONFIG GET`) and state (`INFO`).
#[derive(Debug, Default)]
pub(super) struct Report {
    pub config: HashMap<String, String>,
    pub info: HashMap<String, String>,
}

/// The settings that are judged.
pub(super) const SETTINGS: [&str; 5] = [
    "appendonly",
    "appendfsync",
    "maxmemory-policy",
    "no-appendfsync-on-rewrite",
    INTSET,
];

/// Up to how many members a set of whole numbers is packed tightly.
const INTSET: &str = "set-max-intset-entries";

/// At 500 million numbers a bucket holds 477 on average, and none holds more than this.
const LARGEST_BUCKET: u64 = 1024;

impl Report {
    /// Reads the answer of `INFO`.
    pub(super) fn read_info(&mut self, text: &str) {
        for line in text.lines() {
            if let Some((name, value)) = line.split_once(':') {
                self.info.insert(name.to_owned(), value.trim().to_owned());
            }
        }
    }

    /// What costs more memory than it should, if anything does.
    pub(super) fn advice(&self) -> Option<Advice> {
        let limit: u64 = self.config.get(INTSET)?.parse().ok()?;
        (limit < LARGEST_BUCKET).then(|| Advice {
            what: format!(
                "Redis has `{INTSET} {limit}`, so a list of more than 250 million numbers would \
                 take several times the memory"
            ),
            remedy: format!(
                "set `{INTSET} {LARGEST_BUCKET}` in redis.conf (`CONFIG SET` does it under way)"
            ),
        })
    }

    /// The first thing for which this server cannot be used at all, if there is one. `replicas` must
    /// have what is acknowledged.
    pub(super) fn unfit(&self, replicas: u32) -> Option<Weakness> {
        let says = |field: &str| self.info.get(field).map(String::as_str);
        if says("cluster_enabled") == Some("1") {
            return Some(Weakness {
                what: "this Redis is a node of a Redis Cluster (`cluster-enabled yes`), which \
                       metrust does not use: every check would fail"
                    .to_owned(),
                remedy:
                    "point `store.redis.url` at a Redis server on its own (`cluster-enabled no`)"
                        .to_owned(),
            });
        }
        if says("role").is_some_and(|role| role != "master") {
            return Some(Weakness {
                what: "this Redis is a replica and takes no writes".to_owned(),
                remedy: "point `store.redis.url` at the primary".to_owned(),
            });
        }
        let online = self.replicas_online();
        (online < replicas).then(|| Weakness {
            what: format!(
                "`store.redis.replicas` is {replicas}, and {online} replicas of this Redis are \
                 online, so nothing could be acknowledged"
            ),
            remedy: "start the replicas (`INFO replication` shows which are online), or set \
                     `store.redis.replicas` to how many there are"
                .to_owned(),
        })
    }

    /// How many replicas follow the server, and keep up.
    fn replicas_online(&self) -> u32 {
        let rows = self.info.iter().filter(|(name, row)| {
            let number = name.strip_prefix("slave").map(str::parse::<u32>);
            matches!(number, Some(Ok(_))) && row.split(',').any(|part| part == "state=online")
        });
        rows.count() as u32
    }

    /// The first thing that makes the server weaker than required, if anything does.
    pub(super) fn weakness(&self, required: Durability) -> Option<Weakness> {
        let setting = |name: &str| self.config.get(name).map(String::as_str);
        let weak = |what: &str, remedy: &str| {
            Some(Weakness {
                what: what.to_owned(),
                remedy: remedy.to_owned(),
            })
        };
        if setting("appendonly") != Some("yes") {
            return weak(
                "Redis has `appendonly no`, so it would forget opt-outs and audit entries",
                "set `appendonly yes` in redis.conf and restart Redis",
            );
        }
        match (setting("appendfsync"), required) {
            (Some("always"), _) | (Some("everysec"), Durability::Everysec) => {}
            (Some("everysec"), Durability::Always) => {
                return weak(
                    "Redis has `appendfsync everysec`, so a power cut may lose a second of answers",
                    "set `appendfsync always` in redis.conf, or, if that second may be lost, \
                     `store.redis.durability = \"everysec\"` in metrust's configuration",
                );
            }
            _ => {
                return weak(
                    "Redis has `appendfsync no`, so a power cut may lose many seconds of answers",
                    "set `appendfsync always` in redis.conf",
                );
            }
        }
        if required == Durability::Always && setting("no-appendfsync-on-rewrite") != Some("no") {
            return weak(
                "Redis has `no-appendfsync-on-rewrite yes`, so while it rewrites its file it does \
                 not wait for the disk",
                "set `no-appendfsync-on-rewrite no` in redis.conf",
            );
        }
        if setting("maxmemory-policy") != Some("noeviction") {
            return weak(
                "Redis may evict keys when its memory is full, and with them opt-outs",
                "set `maxmemory-policy noeviction` in redis.conf",
            );
        }
        for (field, what) in [
            (
                "aof_last_write_status",
                "Redis cannot write its append-only file",
            ),
            (
                "aof_last_bgrewrite_status",
                "Redis cannot rewrite its append-only file",
            ),
        ] {
            if self.info.get(field).is_some_and(|status| status != "ok") {
                return weak(what, "make room on Redis's disk and see its log");
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(settings: [&str; 3]) -> Report {
        report_with(settings, "no")
    }

    fn report_with(settings: [&str; 3], unsynced_rewrites: &str) -> Report {
        let settings = [
            settings[0],
            settings[1],
            settings[2],
            unsynced_rewrites,
            "1024",
        ];
        let config = SETTINGS
            .map(str::to_owned)
            .into_iter()
            .zip(settings.map(str::to_owned));
        Report {
            config: config.collect(),
            info: HashMap::new(),
        }
    }

    #[test]
    fn only_a_server_that_keeps_what_it_acknowledges_is_trusted() {
        let good = ["yes", "always", "noeviction"];
        assert_eq!(report(good).weakness(Durability::Always), None);
        for (settings, named) in [
            (["no", "always", "noeviction"], "appendonly yes"),
            (["yes", "everysec", "noeviction"], "appendfsync always"),
            (["yes", "no", "noeviction"], "appendfsync always"),
            (
                ["yes", "always", "allkeys-lru"],
                "maxmemory-policy noeviction",
            ),
        ] {
            let weakness = report(settings).weakness(Durability::Always).unwrap();
            assert!(weakness.remedy.contains(named), "{weakness:?}");
        }
        let unsynced = report_with(good, "yes");
        assert!(unsynced.weakness(Durability::Always).is_some());
        assert!(unsynced.weakness(Durability::Everysec).is_none());
        let everysec = ["yes", "everysec", "noeviction"];
        assert_eq!(report(everysec).weakness(Durability::Everysec), None);
        assert!(Report::default().weakness(Durability::Everysec).is_some());
    }

    #[test]
    fn sets_that_would_be_unpacked_too_early_are_advised_against() {
        let mut report = report(["yes", "always", "noeviction"]);
        assert_eq!(report.advice(), None);
        for (limit, fits) in [
            ("512", false),
            ("1023", false),
            ("1024", true),
            ("4096", true),
        ] {
            report.config.insert(INTSET.to_owned(), limit.to_owned());
            assert_eq!(report.advice().is_none(), fits, "{limit}");
        }
        // Where it may not be asked, nothing is known.
        assert_eq!(Report::default().advice(), None);
    }

    #[test]
    fn a_server_that_cannot_write_is_not_trusted() {
        let mut report = report(["yes", "always", "noeviction"]);
        report.read_info("# Persistence\r\naof_last_write_status:err\r\n");
        assert!(report.weakness(Durability::Always).is_some());
    }

    #[test]
    fn a_replica_a_node_of_a_cluster_and_a_server_with_too_few_replicas_are_not_used() {
        let unfit = |info: &str, replicas| {
            let mut report = Report::default();
            report.read_info(info);
            report.unfit(replicas).map(|weakness| weakness.what)
        };
        let alone = "role:master\r\ncluster_enabled:0\r\nslave_read_only:1\r\n";
        assert_eq!(unfit(alone, 0), None);
        assert!(unfit("role:slave\r\n", 0).unwrap().contains("replica"));
        let node = unfit("role:master\r\ncluster_enabled:1\r\n", 0).unwrap();
        assert!(node.contains("cluster-enabled yes"), "{node}");
        let row = |number, state| {
            format!("slave{number}:ip=10.0.0.{number},port=6379,state={state},offset=1,lag=0\r\n")
        };
        let followed = [alone, &row(0, "online"), &row(1, "wait_bgsave")].concat();
        assert_eq!(unfit(&followed, 1), None);
        assert!(unfit(&followed, 2).unwrap().contains("and 1 replicas"));
        assert!(unfit(alone, 1).unwrap().contains("and 0 replicas"));
    }
}
