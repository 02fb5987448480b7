//! Looking up and recording are one step: the order of the log is the order of what was true.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use crate::harness::{Engine, World, number, on_every_store};
use crate::imports::{Import, lines};

on_every_store! {
    fn in_the_order_of_the_log_every_check_of_a_list_is_answered_as_the_number_stood(world: &World) {
        let dialler = world.dialler();
        let numbers: Vec<_> = (0..150).map(number).collect();
        let (asked, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let lists = || {
            // An end is in sight, whatever becomes of the others.
            for _ in 0..1000 {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let body = json!({"seller": "telco", "numbers": numbers});
                dialler.post("/v1/checks", body).expect(200);
                asked.fetch_add(numbers.len(), Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(lists);
            }
            for number in &numbers[..30] {
                let reference = dialler.register(&[number], json!("all"));
                if number.ends_with(['1', '3', '5', '7', '9']) {
                    dialler.withdraw(&reference).expect(200);
                }
            }
            over.store(true, Ordering::Relaxed);
        });
        let entries = world.operator().entries(&[]);
        let mut stands: HashMap<&str, bool> = HashMap::new();
        let (mut checks, mut changes) = (0, 0);
        for entry in entries.iter().filter(|entry| entry["pn"].is_string()) {
            let pn = entry["pn"].as_str().unwrap();
            match entry["op"].as_str().unwrap() {
                "check" => {
                    let listed = stands.get(pn).is_some_and(|listed| *listed);
                    assert_eq!(entry["answer"] == "suppress", listed, "{entry}");
                    checks += 1;
                }
                op => {
                    stands.insert(pn, op == "register");
                    changes += 1;
                }
            }
        }
        assert_eq!((checks, changes), (asked.into_inner(), 45));
    }
}

/// Long lists are looked up first and recorded afterwards, if the index is still the same.
#[test]
fn on_redis_whatever_touches_the_index_gives_it_a_new_version_and_nothing_else_does() {
    let mut world = World::on(Engine::RedisAlways);
    let (dialler, operator) = (world.dialler(), world.operator());
    let redis = world.redis();
    let version = || redis.command(&["HGET", "mr:{s00}:seq", "index"]);
    let mut versions = HashSet::from([version()]);
    let mut is_new = |what: &str| assert!(versions.insert(version()), "after {what}");

    let reference = dialler.register(&[&number(1)], json!("all"));
    is_new("a registration");
    dialler.withdraw(&reference).expect(200);
    is_new("its withdrawal");
    Import::run(&operator, &[lines(1..=3)], json!({}));
    is_new("an import");
    Import::run(&operator, &[lines(1..=3)], json!({"remove": true}));
    is_new("a removal");

    let before = version();
    dialler.check(&number(1), "telco").expect(200);
    let numbers: Vec<_> = (0..600).map(number).collect();
    dialler
        .post("/v1/checks", json!({"seller": "telco", "numbers": numbers}))
        .expect(200);
    operator.add_seller("bank");
    assert_eq!(version(), before);
}
