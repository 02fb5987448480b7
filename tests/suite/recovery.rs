//! What comes back after a bad night: a store that is empty, a store that is older than what was
//! answered, a first start that was cut off. None of them may look like a list with nobody on it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::harness::process::Process;
use crate::harness::service::metrust;
use crate::harness::{Api, Launch, Redis, eventually, number, until};

fn dialler(operator: &Api) -> Api {
    operator.add_seller("telco");
    operator.add_agency("calls", &["telco"]);
    operator.dialler_of("calls")
}

#[test]
fn a_store_that_was_emptied_is_not_served_after_a_restart_either() {
    let mut redis = Redis::durable();
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let launch = || Launch::on(&data).redis(&redis.url());
    let service = launch().start();
    dialler(&service.operator()).register(&[&number(1)], json!("all"));
    drop(service);
    redis.restart_empty();
    let launch = || Launch::on(&data).redis(&redis.url());
    let refusal = launch().refused();
    assert!(refusal.stderr.contains("store.id"), "{refusal:?}");

    let elsewhere = Launch::on(&folder.path().join("elsewhere")).redis(&redis.url());
    let refusal = elsewhere.set("STORE__MUST_EXIST", "true").refused();
    assert!(refusal.stderr.contains("must_exist"), "{refusal:?}");

    fs::remove_file(data.join("store.id")).unwrap();
    let refusal = launch().refused();
    assert!(refusal.stderr.contains("move the log away"), "{refusal:?}");
    fs::rename(data.join("log"), data.join("log-of-before")).unwrap();
    launch().start();
}

#[test]
fn an_embedded_file_that_is_gone_is_not_made_anew() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    assert!(Launch::on(&data).start().terminate().success());
    fs::remove_file(data.join("metrust.redb")).unwrap();
    let refusal = Launch::on(&data).refused();
    assert!(refusal.stderr.contains("store.id"), "{refusal:?}");
}

/// Nothing but a long list was acknowledged since the files that Redis comes back with.
#[test]
fn a_store_that_lost_a_long_list_answers_no_other() {
    let mut redis = Redis::durable();
    let folder = tempdir().unwrap();
    let backup = folder.path().join("backup");
    let service = Launch::on(&folder.path().join("data"))
        .redis(&redis.url())
        .start();
    let dialler = dialler(&service.operator());
    let numbers: Vec<_> = (0..200).map(number).collect();
    let body = json!({"seller": "telco", "numbers": numbers});
    let list = || dialler.post("/v1/checks", body.clone());
    list().expect(200);
    redis.kill9();
    copy(redis.folder(), &backup);
    redis.restart();
    eventually("the service is back", || list().status == 200);
    redis.kill9();
    fs::remove_dir_all(redis.folder().join("appendonlydir")).unwrap();
    copy(&backup, redis.folder());
    redis.restart();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        list().expect(503);
    }
    service.anonymous().get("/readyz").expect(503);
}

/// Redis comes back with the files of an hour ago: the opt-outs since then are lost. No check may
/// be answered from what is left, until whoever runs it decides to go on.
#[test]
fn a_store_that_lost_what_it_had_acknowledged_answers_nothing() {
    let mut redis = Redis::durable();
    let folder = tempdir().unwrap();
    let backup = folder.path().join("backup");
    let data = folder.path().join("data");
    let url = redis.url();
    let service = Launch::on(&data).redis(&url).start();
    let dialler = dialler(&service.operator());
    assert!(!dialler.suppresses(&number(1), "telco"));
    redis.kill9();
    copy(redis.folder(), &backup);
    redis.restart();
    eventually("the service is back", || {
        dialler.check(&number(1), "telco").status == 200
    });
    dialler.register(&[&number(1)], json!("all"));
    assert!(dialler.suppresses(&number(1), "telco"));
    redis.kill9();
    fs::remove_dir_all(redis.folder().join("appendonlydir")).unwrap();
    copy(&backup, redis.folder());
    redis.restart();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let answer = dialler.check(&number(1), "telco");
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    service.anonymous().get("/readyz").expect(503);
    assert!(service.log().contains("lost entries"), "{}", service.log());
    drop(service);

    let again = Launch::on(&data).redis(&url);
    let again = again.argument("--accept-loss").start();
    // Until the sealer has found out that the store is older than the log, an export breaks off.
    eventually("an export is whole", || {
        let operator = again.operator();
        let answer = operator.attempt("GET", "/v1/audit/entries", &[], Vec::new());
        answer.is_ok_and(|answer| answer.status == 200)
    });
    let incidents = again.operator().entries(&[("op", "incident")]);
    let is_accepted = |entry: &Value| entry["reason"].to_string().contains("goes on without");
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert!(is_accepted(&incidents[0]), "{incidents:?}");
}

#[test]
fn a_first_start_on_a_port_that_is_taken_loses_nothing_of_what_a_first_start_says() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refusal = Launch::on(&data)
        .with_demo()
        .argument("--bind")
        .argument(&address);
    let refusal = refusal.refused();
    assert!(refusal.stderr.contains("--bind"), "{refusal:?}");
    let service = Launch::on(&data).with_demo().start();
    eventually("the getting-started text is printed", || {
        service.stdout().contains("mtr_live_")
    });
}

#[test]
fn an_operator_without_a_valid_key_gets_one_at_the_next_start() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Launch::on(&data).start();
    let operator = service.operator();
    let old = service.operator_key();
    let keys = operator.get("/v1/admin/keys").expect(200).json();
    operator.revoke(keys["keys"][0]["id"].as_str().unwrap());
    drop(service);
    let again = Launch::on(&data).start();
    assert_ne!(again.operator_key(), old);
    again.operator().get("/v1/admin/keys").expect(200);
}

#[test]
fn whoever_has_lost_the_operator_s_key_can_have_a_new_one_made() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Launch::on(&data).start());
    fs::remove_file(data.join("operator.key")).unwrap();
    let service = Launch::on(&data).argument("--new-operator-key").start();
    let operator = service.operator();
    let keys = operator.get("/v1/admin/keys").expect(200).json();
    assert_eq!(
        keys["keys"].as_array().unwrap().len(),
        2,
        "the lost one still counts: {keys}"
    );
    let made = operator.entries(&[("op", "key")]);
    let made = made.iter().filter(|entry| entry["role"] == "operator");
    assert_eq!(made.count(), 2, "both are on record");
}

/// The store is emptied under a running service: nobody is told that their key is wrong.
#[test]
fn an_emptied_store_is_not_mistaken_for_one_without_keys() {
    let redis = Redis::durable();
    let folder = tempdir().unwrap();
    let service = Launch::on(&folder.path().join("data"))
        .redis(&redis.url())
        .start();
    let dialler = dialler(&service.operator());
    assert!(!dialler.suppresses(&number(1), "telco"));
    redis.command(&["FLUSHALL"]);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(6) {
        let answer = dialler.check(&number(1), "telco");
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
}

/// Anybody can send a key of the right form; that must not make others wait.
#[test]
fn unknown_keys_are_refused_in_bounded_time_while_the_store_hangs() {
    let redis = Redis::durable();
    let folder = tempdir().unwrap();
    let service = Launch::on(&folder.path().join("data"))
        .redis(&redis.url())
        .with_real_timeout()
        .start();
    let unknown = {
        let other = tempdir().unwrap();
        Launch::on(&other.path().join("data"))
            .start()
            .operator_key()
    };
    redis.stop();
    let asking: Vec<_> = (0..16)
        .map(|_| {
            let api = service.anonymous().with_key(&unknown);
            std::thread::spawn(move || {
                let began = Instant::now();
                let status = api.get("/v1/admin/keys").status;
                (status, began.elapsed())
            })
        })
        .collect();
    for one in asking {
        let (status, took) = one.join().unwrap();
        assert_eq!(status, 503);
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
    redis.cont();
}

/// A disk that is full: writes fail until there is room again. (A limit on the size of files does
/// the same to one process as a full disk does to all.)
#[test]
fn a_full_disk_answers_nothing_and_all_is_well_when_there_is_room_again() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let process = Process::start(
        Command::new("sh")
            .arg("-c")
            .arg("trap '' XFSZ; exec \"$0\" serve --no-demo --bind 127.0.0.1:0 --data \"$1\"")
            .arg(metrust().get_program())
            .arg(&data),
    );
    let url = until("the service listens", Duration::from_secs(30), || {
        let said = process.stdout();
        let line = said.lines().find(|line| line.contains("listening on "))?;
        line.split(' ').next_back().map(str::to_owned)
    });
    let key = fs::read_to_string(data.join("operator.key")).unwrap();
    let dialler = dialler(&Api::at(&url).with_key(key.trim()));
    dialler.register(&[&number(1)], json!("all"));
    let before = dialler.check(&number(1), "telco").expect(200).id();
    let limit = |bytes: &str| {
        let limited = Command::new("prlimit")
            .arg(format!("--pid={}", process.pid()))
            .arg(format!("--fsize={bytes}:unlimited"))
            .status();
        assert!(limited.unwrap().success());
    };
    limit("1");
    for phone in [number(1), number(2), number(3)] {
        let answer = dialler.check(&phone, "telco");
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    limit("unlimited");
    eventually("it answers again by itself", || {
        dialler.check(&number(2), "telco").status == 200
    });
    assert!(dialler.suppresses(&number(1), "telco"));
    let regulator = Api::at(&url).with_key(key.trim());
    let entries = regulator.entries(&[("op", "check")]);
    assert!(entries.iter().any(|entry| entry["id"] == *before));
    let mut numbers: Vec<u64> = regulator
        .entries(&[])
        .iter()
        .map(|entry| entry["writer_seq"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    let last = numbers.len() as u64;
    assert_eq!(
        numbers,
        (1..=last).collect::<Vec<_>>(),
        "no gap shows a loss"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() && entry.file_name() != "redis.conf" {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
