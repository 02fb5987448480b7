//! A Redis that several processes share comes back without something that it had acknowledged to one
//! of them. Whoever knows, nobody answers, until its newest data is back or the operator accepts the
//! loss; and where nothing is lost, all answer again by themselves.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::harness::proxy::Proxy;
use crate::harness::world::copy_folder;
use crate::harness::{Api, Launch, Redis, Service, eventually, number};

/// Processes that share a Redis, in the order in which they are torn down.
struct Shared {
    services: Vec<Service>,
    redis: Redis,
    folder: TempDir,
    dialler: Api,
}

impl Shared {
    #[track_caller]
    fn on(durability: &str, processes: usize) -> Self {
        let redis = Redis::with(&[("appendfsync", durability)]);
        let url = redis.url();
        Self::at(redis, &url, durability, processes)
    }

    /// With another way to the Redis.
    #[track_caller]
    fn at(redis: Redis, url: &str, durability: &str, processes: usize) -> Self {
        let folder = tempdir().unwrap();
        let data = |n: usize| folder.path().join(format!("data-{n}"));
        let mut services = Vec::new();
        for n in 0..processes {
            if n > 0 {
                copy_folder(&data(0).join("keys"), &data(n).join("keys"));
            }
            let launch = Launch::on(&data(n))
                .redis(url)
                .set("STORE__REDIS__DURABILITY", durability)
                .set("AUDIT__FOLDER", data(0).join("log"));
            services.push(launch.start());
        }
        let operator = services[0].operator();
        operator.add_seller("telco");
        operator.add_agency("calls", &["telco"]);
        let dialler = operator.dialler_of("calls");
        let shared = Self {
            services,
            redis,
            folder,
            dialler,
        };
        shared.wait_until_all_answer();
        shared
    }

    fn dialler(&self, process: usize) -> Api {
        self.dialler.on(&self.services[process].url())
    }

    #[track_caller]
    fn wait_until_all_answer(&self) {
        for n in 0..self.services.len() {
            let dialler = self.dialler(n);
            let anonymous = self.services[n].anonymous();
            eventually("every process answers", || {
                let ready = anonymous.get("/readyz").status;
                ready == 200 && dialler.check(&number(2), "telco").status == 200
            });
        }
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    /// Nobody is told anything of number 1, which is opted out, and whoever asks is told that the
    /// store is not fit.
    #[track_caller]
    fn assert_nobody_answers(&self) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(4) {
            for n in 0..self.services.len() {
                let answer = self.dialler(n).check(&number(1), "telco");
                assert_eq!(answer.status, 503, "process {n}: {}", answer.text());
            }
        }
        for service in &self.services {
            service.anonymous().get("/readyz").expect(503);
        }
    }

    /// Waits until each process has met the others twice.
    fn wait_until_all_have_met(&self) {
        let rows = || {
            let all = "return table.concat(redis.call('HVALS', KEYS[1]), ';')";
            self.redis.command(&["EVAL", all, "1", "mr:{s00}:roster"])
        };
        let beats = || -> Vec<u64> {
            let rows = rows();
            let rows = rows.split(';').filter(|row| !row.ends_with("left"));
            let beats = rows.map(|row| row.split(' ').next().unwrap().parse().unwrap());
            beats.collect()
        };
        let before = beats();
        assert_eq!(before.len(), self.services.len());
        eventually("all have met", || {
            let mut pairs = beats().into_iter().zip(&before);
            pairs.all(|(now, before)| now >= before + 2)
        });
    }
}

/// What may be lost, each acknowledged by the process that is asked.
const ACTS: [fn(&Api, &Service); 2] = [
    |dialler, _| drop(dialler.register(&[&number(1)], json!("all"))),
    |_, service| service.operator().add_seller("energy"),
];

macro_rules! on_every_durability {
    ($(fn $name:ident($durability:ident: &str) $body:block)+) => {
        $(fn $name($durability: &str) $body)+

        mod always {
            $(#[test] fn $name() { super::$name("always"); })+
        }

        mod everysec {
            $(#[test] fn $name() { super::$name("everysec"); })+
        }
    };
}

on_every_durability! {
    fn what_one_process_knows_to_be_lost_no_other_answers(durability: &str) {
        for act in ACTS {
            let mut shared = Shared::on(durability, 2);
            let copy = shared.copy();
            shared.redis.keep(&copy);
            shared.wait_until_all_answer();
            act(&shared.dialler(0), &shared.services[0]);
            shared.redis.bring_back(&copy);
            shared.assert_nobody_answers();
        }
    }

    fn what_a_dead_process_was_seen_to_know_is_not_answered_from_either(durability: &str) {
        let mut shared = Shared::on(durability, 2);
        let copy = shared.copy();
        shared.redis.keep(&copy);
        shared.wait_until_all_answer();
        shared.dialler(0).register(&[&number(1)], json!("all"));
        shared.wait_until_all_have_met();
        shared.services.remove(0).kill9();
        shared.redis.bring_back(&copy);
        shared.assert_nobody_answers();
    }

    fn where_nothing_is_lost_all_answer_again_by_themselves(durability: &str) {
        for processes in 1..=3 {
            let mut shared = Shared::on(durability, processes);
            shared.dialler(0).register(&[&number(1)], json!("all"));
            if processes == 3 {
                shared.services.remove(1).kill9();
            }
            for _ in 0..2 {
                shared.redis.restart();
                let back = Instant::now();
                shared.wait_until_all_answer();
                assert!(back.elapsed() < Duration::from_secs(15), "{:?}", back.elapsed());
            }
            for n in 0..shared.services.len() {
                assert!(shared.dialler(n).suppresses(&number(1), "telco"));
            }
            // Somebody who comes anew, too.
            shared.redis.restart();
            shared.services[0].restart();
            shared.wait_until_all_answer();
            eventually("it is ready", || {
                shared.services[0].anonymous().get("/readyz").status == 200
            });
        }
    }

    fn what_was_lost_and_is_brought_back_is_answered_from_again(durability: &str) {
        let mut shared = Shared::on(durability, 2);
        let (old, new) = (shared.copy(), shared.folder.path().join("newest"));
        shared.redis.keep(&old);
        shared.wait_until_all_answer();
        shared.dialler(0).register(&[&number(1)], json!("all"));
        shared.redis.kill9();
        shared.redis.copy_files(&new);
        shared.redis.bring_back(&old);
        shared.assert_nobody_answers();
        // A restart of one process is no way around it.
        shared.services[1].restart();
        shared.assert_nobody_answers();
        shared.redis.bring_back(&new);
        shared.wait_until_all_answer();
        for n in 0..2 {
            assert!(shared.dialler(n).suppresses(&number(1), "telco"));
        }
    }

    fn a_loss_that_the_operator_accepts_is_on_record_and_all_go_on(durability: &str) {
        let mut shared = Shared::on(durability, 2);
        let copy = shared.copy();
        shared.redis.keep(&copy);
        shared.wait_until_all_answer();
        shared.dialler(0).register(&[&number(1)], json!("all"));
        // Sealed, so that its numbers are given twice.
        shared.wait_until_all_have_met();
        shared.redis.bring_back(&copy);
        shared.assert_nobody_answers();
        let launch = shared.services[1].launch();
        shared.services[1].restart_as(&launch.argument("--accept-loss"));
        // The one that knew, too, without being started again.
        shared.wait_until_all_answer();
        assert!(!shared.dialler(0).suppresses(&number(1), "telco"));
        shared.dialler(0).register(&[&number(1)], json!("all"));
        assert!(shared.dialler(1).suppresses(&number(1), "telco"));

        // What was sealed and is lost is read anew; until then an export breaks off.
        let operator = shared.services[0].operator();
        eventually("an export is whole", || {
            let answer = operator.attempt("GET", "/v1/audit/entries", &[], Vec::new());
            answer.is_ok_and(|answer| answer.status == 200)
        });
        let incidents = operator.entries(&[("op", "incident")]);
        let accepted = incidents.iter().filter(|entry| {
            let what = entry["reason"].as_str().unwrap();
            what.starts_with("the operator goes on without what the store lost")
        });
        assert_eq!(accepted.count(), 1, "{incidents:?}");
        let log = shared.folder.path().join("data-0/log");
        eventually("who verifies the log is told that, and of no damage", || {
            let said = shared.services[0].cli(&["audit", "verify", log.to_str().unwrap()]);
            said.status.success() && said.stdout.contains("goes on without what the store lost")
        });
        // And that it was is in the store: it is not found anew.
        shared.redis.restart();
        shared.wait_until_all_answer();
    }
}

/// A replica that lacks what was acknowledged takes over, for two processes that are led to it.
#[test]
fn a_replica_that_lacks_what_was_acknowledged_answers_nobody() {
    let primary = Redis::durable();
    let proxy = Proxy::to(primary.port());
    let mut shared = Shared::at(primary, &proxy.url(), "always", 2);
    let replica = replica_of(&shared.redis);
    assert_eq!(replica.command(&["REPLICAOF", "NO", "ONE"]), "+OK");
    shared.dialler(0).register(&[&number(1)], json!("all"));
    proxy.lead_to(replica.port());
    shared.assert_nobody_answers();
    shared.redis.kill9();
    shared.assert_nobody_answers();
}

#[test]
fn a_replica_that_has_all_that_was_acknowledged_takes_over_and_all_go_on() {
    let primary = Redis::durable();
    let proxy = Proxy::to(primary.port());
    let mut shared = Shared::at(primary, &proxy.url(), "always", 2);
    let replica = replica_of(&shared.redis);
    shared.dialler(0).register(&[&number(1)], json!("all"));
    let offset = || {
        let said = [&shared.redis, &replica].map(|redis| {
            let said = redis.command(&["INFO", "replication"]);
            let line = said
                .lines()
                .find(|line| line.starts_with("master_repl_offset"));
            line.unwrap().to_owned()
        });
        said[0] == said[1]
    };
    shared.wait_until_all_answer();
    eventually("the replica has all", offset);
    shared.redis.kill9();
    assert_eq!(replica.command(&["REPLICAOF", "NO", "ONE"]), "+OK");
    proxy.lead_to(replica.port());
    shared.wait_until_all_answer();
    for n in 0..2 {
        assert!(shared.dialler(n).suppresses(&number(1), "telco"));
    }
}

/// The same server, the same connections: it follows one that lacks something, and leads again.
#[test]
fn a_server_that_followed_another_for_a_moment_answers_nobody_from_what_that_one_lacked() {
    let shared = Shared::on("always", 2);
    let other = replica_of(&shared.redis);
    assert_eq!(other.command(&["REPLICAOF", "NO", "ONE"]), "+OK");
    shared.dialler(0).register(&[&number(1)], json!("all"));
    let port = other.port().to_string();
    shared.redis.command(&["REPLICAOF", "127.0.0.1", &port]);
    eventually("it has what the other has", || {
        let said = shared.redis.command(&["INFO", "replication"]);
        said.contains("master_link_status:up")
    });
    assert_eq!(shared.redis.command(&["REPLICAOF", "NO", "ONE"]), "+OK");
    shared.assert_nobody_answers();
}

fn replica_of(primary: &Redis) -> Redis {
    let port = primary.port().to_string();
    let replica = Redis::with(&[("replicaof", &format!("127.0.0.1 {port}"))]);
    eventually("the replica follows", || {
        let said = primary.command(&["INFO", "replication"]);
        said.contains("state=online")
    });
    replica
}
