//! Keys: who may do what, and how soon a key that was taken back stops.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;
use metrust::domain::Moment;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::raw::{connect, read_answer};
use crate::harness::{Api, Clock, Engine, Redis, World, eventually, number, on_every_store, until};

/// The promise: a key that was taken back works nowhere after this.
const TAKEN_BACK_WITHIN: Duration = Duration::from_secs(5);

#[track_caller]
fn stops(client: &Api, status: u16) {
    until("the service stops answering", TAKEN_BACK_WITHIN, || {
        (client.check(&number(1), "telco").status == status).then_some(())
    });
    client.check(&number(1), "telco").expect(status);
}

/// As many wrong keys as somebody may well send who knows nothing but a key's id, which is no
/// secret.
const WRONG_KEYS: u32 = 1_500;

/// For how long a dialler waits for an answer before it gives up.
const A_DIALLER_WAITS: Duration = Duration::from_secs(10);

/// A key of the right form for the id of another.
fn wrong_key(of: &str, n: u32) -> String {
    key_with(of.split('_').nth(2).unwrap(), n)
}

/// A key of the right form that nobody made.
fn key_with(id: &str, n: u32) -> String {
    let mut secret = [7; 20];
    secret[..4].copy_from_slice(&n.to_be_bytes());
    let secret = BASE32_NOPAD.encode(&secret).to_lowercase();
    let head = format!("mtr_live_{id}_{secret}");
    let sum = BASE32_NOPAD
        .encode(&Sha256::digest(&head)[..5])
        .to_lowercase();
    format!("{head}{}", &sum[..6])
}

/// Sends a check on a connection of its own, and waits for no answer.
fn ask(world: &World, key: &str) -> TcpStream {
    let mut stream = connect(&world.service);
    let (phone, host) = (number(1).replace('+', "%2B"), world.service.address());
    let request = format!(
        "GET /v1/check?phone={phone}&seller=telco HTTP/1.1\r\nHost: {host}\r\n\
         Authorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// How many commands of one name a Redis has carried out.
fn carried_out(redis: &Redis, command: &str) -> u64 {
    let told = redis.command(&["INFO", "commandstats"]);
    let (_, calls) = told
        .split_once(&format!("cmdstat_{command}:calls="))
        .unwrap();
    calls.split(',').next().unwrap().parse().unwrap()
}

/// How often a second keys of unknown ids may make one process ask its store, and how often it asks
/// anyhow at most.
const ASKED_A_SECOND: f64 = 50.0 + 10.0;

/// How many values are read from Redis each time.
const READ_AT_A_TIME: f64 = 2.0;

on_every_store! {
    fn a_thousand_wrong_keys_for_a_known_id_keep_no_valid_key_out(world: &mut World) {
        let mut files = getrlimit(Resource::Nofile);
        files.current = files.maximum;
        setrlimit(Resource::Nofile, files).unwrap();
        let launch = world.service.launch();
        world.service.restart_as(&launch);
        let attacked = world.dialler();
        let fresh: Vec<_> = (0..8).map(|_| world.operator().dialler_of("calls")).collect();
        let wrong: Vec<_> = (0..WRONG_KEYS)
            .map(|n| ask(world, &wrong_key(attacked.key(), n)))
            .collect();
        let mut answered = 0;
        for dialler in [&attacked].into_iter().chain(&fresh) {
            let mut check = ask(world, dialler.key());
            check.set_read_timeout(Some(A_DIALLER_WAITS)).unwrap();
            answered += u32::from(read_answer(&mut check).status == 200);
        }
        assert_eq!(answered, 9, "every check with a valid key is answered");
        let statuses: Vec<_> = wrong
            .into_iter()
            .map(|mut stream| read_answer(&mut stream).status)
            .collect();
        let refused = statuses.iter().filter(|status| **status == 401).count();
        assert_eq!(refused, WRONG_KEYS as usize, "{statuses:?}");
    }

    fn a_key_revoked_after_the_clock_was_set_back_an_hour_stops_all_the_same(world: &mut World) {
        let clock = Clock::new(world.scratch("clock"), "+0");
        let launch = world.service.launch().on_clock(&clock);
        world.service.restart_as(&launch);
        world.dialler();
        let operator = world.operator();
        let made = operator.add_key(json!({"role": "dialler", "agency": "calls"}));
        let here = operator.with_key(made["key"].as_str().unwrap());
        let replica = world.replica_with(|launch| launch.on_clock(&clock));
        let there = replica
            .as_ref()
            .map_or_else(|| here.clone(), |replica| here.on(&replica.url()));
        let clients = [&here, &there];
        let asked_at = |client: &Api| {
            let answer = client.check(&number(1), "telco").expect(200).json();
            answer["checked_at"].as_str().unwrap().to_owned()
        };
        let before = clients.map(asked_at);
        clock.set("-1h");
        for (client, before) in clients.into_iter().zip(&before) {
            eventually("the service has seen its clock go back", || {
                asked_at(client) < *before
            });
        }
        operator.revoke(made["id"].as_str().unwrap());
        stops(&there, 401);
        stops(&here, 401);
    }

    fn a_clock_that_jumps_over_the_end_of_a_month_keeps_nobody_waiting(world: &mut World) {
        let clock = Clock::new(world.scratch("clock"), "+0");
        let launch = world.service.launch().on_clock(&clock);
        world.service.restart_as(&launch);
        let dialler = world.dialler();
        let month = || {
            let answer = dialler.check(&number(1), "telco").expect(200).json();
            answer["checked_at"].as_str().unwrap()[..7].to_owned()
        };
        let this = month();
        let day: i64 = Moment::now().to_string()[8..10].parse().unwrap();
        clock.set(&format!("+{}d", 32 - day));
        let next = month();
        clock.set(&format!("-{day}d"));
        let before = month();
        assert!(before < this && this < next, "{before} {this} {next}");
        // A clock that was wrong by years is waited for, but not for minutes.
        clock.set("+800d");
        eventually("a month that nobody could have thought of has a key", || {
            dialler.check(&number(1), "telco").status == 200
        });
    }

    fn a_revoked_key_stops_within_five_seconds_on_every_replica(world: &World) {
        world.dialler();
        let operator = world.operator();
        let made = operator.add_key(json!({"role": "dialler", "agency": "calls"}));
        let here = operator.with_key(made["key"].as_str().unwrap());
        let replica = world.replica();
        let there = replica
            .as_ref()
            .map_or_else(|| here.clone(), |replica| here.on(&replica.url()));
        for client in [&here, &there] {
            client.check(&number(1), "telco").expect(200);
        }
        let id = made["id"].as_str().unwrap();
        let revoked = operator
            .delete(&format!("/v1/admin/keys/{id}"))
            .expect(200)
            .json();
        assert_eq!(revoked["id"], id);
        assert!(revoked["revoked_at"].is_string(), "{revoked}");
        here.check(&number(1), "telco").expect(401);
        stops(&there, 401);
        let listed = operator.get("/v1/admin/keys").expect(200).json();
        let listed = listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["id"] == id)
            .unwrap();
        assert_eq!(listed["revoked_at"], revoked["revoked_at"]);
    }

    fn a_revoked_key_stays_revoked_after_a_restart(world: &mut World) {
        let dialler = world.dialler();
        let keys = world.operator().get("/v1/admin/keys").expect(200).json();
        let keys = keys["keys"].as_array().unwrap();
        let id = keys.iter().find(|key| key["role"] == "dialler").unwrap()["id"]
            .as_str()
            .unwrap();
        world.operator().revoke(id);
        world.service.restart();
        dialler
            .on(&world.service.url())
            .check(&number(1), "telco")
            .expect(401);
    }

    fn a_mandate_that_was_withdrawn_stops_within_five_seconds(world: &World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let answer = world
            .operator()
            .put("/v1/admin/agencies/calls", json!({"sellers": ["energy"]}))
            .expect(200);
        assert_eq!(answer.json()["sellers"], json!(["energy"]));
        stops(&dialler, 403);
        dialler.check(&number(1), "energy").expect(200);
        dialler
            .post(
                "/v1/checks",
                json!({"seller": "telco", "numbers": [number(1)]}),
            )
            .expect(403);
    }

    fn each_role_may_do_its_own_part_and_no_other(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let (seller, regulator) = (operator.seller_key("telco"), operator.regulator());
        let statuses = |method: &str, path: &str, body: Value| {
            [&dialler, &seller, &regulator, &world.anonymous()].map(|client| {
                let headers = [("Content-Type", "application/json")];
                let body = if method == "GET" {
                    Vec::new()
                } else {
                    body.to_string().into_bytes()
                };
                client.call(method, path, &headers, body).status
            })
        };
        let check = format!("/v1/check?phone={}&seller=telco", number(1));
        let list = json!({"seller": "telco", "numbers": [number(1)]});
        assert_eq!(statuses("GET", &check, Value::Null), [200, 403, 403, 401]);
        assert_eq!(statuses("POST", "/v1/checks", list), [200, 403, 403, 401]);
        assert_eq!(
            statuses("GET", "/v1/audit/entries", Value::Null),
            [403, 403, 200, 401]
        );
        for path in ["sellers", "agencies", "keys", "doctor"] {
            assert_eq!(
                statuses("GET", &format!("/v1/admin/{path}"), Value::Null),
                [403, 403, 403, 401],
                "{path}"
            );
        }
        let key = json!({"role": "operator"});
        assert_eq!(
            statuses("POST", "/v1/admin/keys", key),
            [403, 403, 403, 401]
        );
        let new = json!({"id": "new", "name": "New"});
        assert_eq!(
            statuses("POST", "/v1/admin/sellers", new),
            [403, 403, 403, 401]
        );
        assert_eq!(statuses("GET", "/metrics", Value::Null)[3], 401);
        operator.get("/metrics").expect(200);
        operator.get("/v1/audit/entries").expect(200);
    }

    fn a_401_writes_nothing(world: &World) {
        let dialler = world.dialler();
        let before = world.operator().entries(&[]);
        let key = dialler.key();
        let typo = format!(
            "{}{}",
            &key[..key.len() - 1],
            if key.ends_with('a') { 'b' } else { 'a' }
        );
        let others = [
            "",
            "x",
            "mtr_live_",
            &typo,
            &key[..key.len() - 1],
            &key.to_uppercase(),
            &format!("{key}{key}"),
        ];
        for other in others {
            let client = world.anonymous().with_key(other);
            let problem = client.check(&number(1), "telco").expect(401);
            assert!(
                !problem.header("WWW-Authenticate").is_empty(),
                "a 401 says how to come in (RFC 9110)"
            );
            client
                .post(
                    "/v1/checks",
                    json!({"seller": "telco", "numbers": [number(1)]}),
                )
                .expect(401);
            client
                .post(
                    "/v1/registrations",
                    json!({"numbers": [number(1)], "sellers": "all"}),
                )
                .expect(401);
        }
        assert_eq!(world.operator().entries(&[]), before);
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn a_key_is_shown_once_and_never_listed(world: &World) {
        let dialler = world.dialler();
        let made = world
            .operator()
            .add_key(json!({"role": "seller", "seller": "telco"}));
        let key = made["key"].as_str().unwrap();
        assert!(key.starts_with("mtr_live_"), "{made}");
        let listed = world.operator().get("/v1/admin/keys").expect(200);
        let roles: Vec<_> = listed.json()["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["role"].clone())
            .collect();
        for role in ["operator", "dialler", "seller"] {
            assert!(roles.contains(&json!(role)), "{role} in {roles:?}");
        }
        for key in [key, dialler.key(), &world.service.operator_key()] {
            let secret = key.rsplit('_').next().unwrap();
            assert!(!listed.text().contains(secret));
        }
        assert!(listed.text().contains(made["id"].as_str().unwrap()));
    }

    fn a_key_needs_a_role_and_what_goes_with_it(world: &World) {
        world.dialler();
        let operator = world.operator();
        for body in [
            json!({}),
            json!({"role": "king"}),
            json!({"role": "dialler"}),
            json!({"role": "dialler", "agency": "nobody"}),
            json!({"role": "dialler", "agency": "calls", "seller": "telco"}),
            json!({"role": "seller"}),
            json!({"role": "seller", "seller": "nobody"}),
            json!({"role": "regulator", "agency": "calls"}),
            json!({"role": "regulator", "colour": "red"}),
        ] {
            operator.post("/v1/admin/keys", body).expect_refused();
        }
        operator.delete("/v1/admin/keys/nobody").expect_refused();
    }

    fn sellers_and_agencies_have_plain_ids_that_are_given_once(world: &World) {
        world.dialler();
        let operator = world.operator();
        for id in [
            "",
            "-x",
            "Telco",
            "a b",
            "a/b",
            "é",
            "all!",
            &"x".repeat(64),
        ] {
            operator
                .post("/v1/admin/sellers", json!({"id": id, "name": "N"}))
                .expect_refused();
            operator
                .post(
                    "/v1/admin/agencies",
                    json!({"id": id, "name": "N", "sellers": []}),
                )
                .expect_refused();
        }
        operator
            .post("/v1/admin/sellers", json!({"id": "telco", "name": "Again"}))
            .expect_refused();
        operator
            .post(
                "/v1/admin/agencies",
                json!({"id": "calls", "name": "Again", "sellers": []}),
            )
            .expect_refused();
        let unknown = json!({"id": "new", "name": "N", "sellers": ["nobody"]});
        operator
            .post("/v1/admin/agencies", unknown)
            .expect_refused();
        operator
            .put("/v1/admin/agencies/calls", json!({"sellers": ["nobody"]}))
            .expect_refused();
        operator
            .put("/v1/admin/agencies/nobody", json!({"name": "N"}))
            .expect(404);

        let sellers = operator.get("/v1/admin/sellers").expect(200).json();
        let ids: Vec<_> = sellers["sellers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|seller| seller["id"].clone())
            .collect();
        assert_eq!(ids.len(), 2, "{sellers}");
        assert!(
            ids.contains(&json!("telco")) && ids.contains(&json!("energy")),
            "{sellers}"
        );
        let agencies = operator.get("/v1/admin/agencies").expect(200).json();
        assert_eq!(agencies["agencies"][0]["id"], "calls", "{agencies}");
    }
}

#[test]
fn a_key_of_another_registry_is_unknown_here() {
    let (here, there) = (World::on(Engine::Embedded), World::on(Engine::Embedded));
    let (dialler, stranger) = (here.dialler(), there.dialler());
    dialler.check(&number(1), "telco").expect(200);
    stranger
        .on(&here.service.url())
        .check(&number(1), "telco")
        .expect(401);
}

/// Anybody can make up keys of the right form. Each may have been made by another process a moment
/// ago, so the store is asked; but for all of them together.
#[test]
fn however_many_keys_are_made_up_the_store_is_asked_at_a_steady_rate() {
    let mut world = World::on(Engine::RedisAlways);
    let began = Instant::now();
    let before = carried_out(world.redis(), "get");
    let ids = ["a", "b", "c", "d"].map(|letter| letter.repeat(10));
    thread::scope(|scope| {
        for id in &ids {
            let world = &world;
            scope.spawn(move || {
                for n in 0..50 {
                    let stranger = world.anonymous().with_key(&key_with(id, n));
                    stranger.check(&number(1), "telco").expect(401);
                }
            });
        }
    });
    let read = carried_out(world.redis(), "get") - before;
    // One was perhaps about to be asked when the time began, and one when it ended.
    let times = began.elapsed().as_secs_f64() * ASKED_A_SECOND + 2.0;
    let may = times * READ_AT_A_TIME;
    assert!(read as f64 <= may, "{read} where {may} are allowed");
}
