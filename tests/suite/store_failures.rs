//! When the store, or the service itself, is struck down: no answer that a dialler could take for
//! leave to call, nothing acknowledged is lost, and all goes on by itself once the cause is gone.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::check::assert_letters_only;
use crate::harness::load::{Load, Outcome, Sample, acknowledged};
use crate::harness::strace::Injection;
use crate::harness::{Engine, Launch, World, eventually, number, on_every_store};

/// The setting is 500 ms; the rest is room for a slow machine.
const BOUND: Duration = Duration::from_secs(2);

/// The load of a test: number 1 is opted out, number 2 is not.
fn load(world: &World) -> Load {
    let dialler = world.dialler();
    dialler.register(&[&number(1)], json!("all"));
    let load = Load::start(&dialler, "telco", &number(1), &number(2));
    load.wait_for(30, "the load is answered", Outcome::is_answered);
    load
}

/// Whatever happened: never a clear answer for who opted out, and never anything but an answer or a
/// 503.
#[track_caller]
fn assert_never_clear(samples: &[Sample]) {
    for sample in samples {
        match &sample.outcome {
            Outcome::Answered { suppress, .. } => {
                assert_eq!(*suppress, sample.listed, "{sample:?}")
            }
            Outcome::Status(503, body) if body.starts_with('{') => {
                let problem: Value = serde_json::from_str(body).unwrap();
                assert!(problem.get("suppress").is_none(), "{problem}");
            }
            Outcome::Status(503, body) => assert_letters_only(503, body),
            _ => panic!("{sample:?}"),
        }
    }
}

/// Between these moments every request was told 503, soon.
#[track_caller]
fn assert_unavailable_between(samples: &[Sample], from: Instant, to: Instant) {
    let within: Vec<_> = samples
        .iter()
        .filter(|sample| sample.begun > from && sample.begun + sample.took < to)
        .collect();
    assert!(!within.is_empty());
    for sample in within {
        assert!(sample.outcome.is_unavailable(), "{sample:?}");
        assert!(sample.took < BOUND, "{sample:?}");
    }
}

/// Every acknowledged check is in the export, once, and at least as many entries as answers.
#[track_caller]
fn assert_all_on_record(world: &World, samples: &[Sample]) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for entry in world.operator().entries(&[("op", "check")]) {
        *times
            .entry(entry["id"].as_str().unwrap().to_string())
            .or_default() += 1;
    }
    assert!(
        times.values().all(|times| *times == 1),
        "no entry stands twice"
    );
    let lost: Vec<_> = acknowledged(samples)
        .into_iter()
        .filter(|id| !times.contains_key(id))
        .collect();
    assert!(
        lost.is_empty(),
        "{} acknowledged checks are lost: {lost:?}",
        lost.len()
    );
    let answers = samples
        .iter()
        .filter(|sample| sample.outcome.is_answered())
        .count();
    assert!(
        times.len() >= answers,
        "{answers} answers, {} entries",
        times.len()
    );
}

fn ready(world: &World) -> bool {
    let answer = world.anonymous().get("/readyz");
    let ready = answer.json()["ready"]
        .as_bool()
        .expect("ready is a boolean");
    assert_eq!(answer.status, if ready { 200 } else { 503 });
    ready
}

#[test]
fn a_redis_that_hangs_gives_503_in_bounded_time_and_recovery_needs_no_restart() {
    let mut world = World::with(Engine::RedisAlways, Launch::with_real_timeout);
    let load = load(&world);
    world.redis().stop();
    let stopped = Instant::now();
    load.wait_for(
        12,
        "checks are refused while Redis hangs",
        Outcome::is_unavailable,
    );
    eventually("the service says that it is not ready", || !ready(&world));
    world.anonymous().get("/livez").expect(200);
    let resumed = Instant::now();
    world.redis().cont();
    load.wait_for(30, "the load is answered again", Outcome::is_answered);
    eventually("the service says that it is ready", || ready(&world));

    let samples = load.finish();
    assert_never_clear(&samples);
    assert_unavailable_between(&samples, stopped, resumed);
    assert_all_on_record(&world, &samples);
}

#[test]
fn a_redis_that_dies_gives_503_in_bounded_time_and_loses_nothing_acknowledged() {
    let mut world = World::with(Engine::RedisAlways, Launch::with_real_timeout);
    let load = load(&world);
    for _ in 0..2 {
        world.redis().kill9();
        let killed = Instant::now();
        load.wait_for(
            12,
            "checks are refused while Redis is down",
            Outcome::is_unavailable,
        );
        let resumed = Instant::now();
        world.redis().restart();
        load.wait_for(30, "the load is answered again", Outcome::is_answered);
        let samples = load.so_far();
        assert_unavailable_between(&samples, killed, resumed);
    }
    // Every connection finds its own way back; a check may have found its own first.
    eventually("the service says that it is ready", || ready(&world));
    let samples = load.finish();
    assert_never_clear(&samples);
    assert_all_on_record(&world, &samples);
}

#[test]
fn no_check_is_answered_that_the_disk_did_not_take() {
    let world = World::with(Engine::Embedded, Launch::with_real_timeout);
    let load = load(&world);
    let injected = Injection::into(world.service.pid(), "fdatasync:error=EIO");
    let failing = Instant::now();
    load.wait_for(
        12,
        "checks are refused while nothing reaches the disk",
        Outcome::is_unavailable,
    );
    let mended = Instant::now();
    drop(injected);
    load.wait_for(30, "the load is answered again", Outcome::is_answered);
    let samples = load.finish();
    assert_never_clear(&samples);
    assert_unavailable_between(&samples, failing, mended);
    assert_all_on_record(&world, &samples);
}

#[test]
fn checks_that_were_answered_and_are_spoilt_on_the_disk_are_never_passed_over() {
    // What is checked after the start is not sealed.
    let mut world = World::with(Engine::Embedded, |launch| {
        launch.set("AUDIT__PERIOD_MS", "3600000")
    });
    let dialler = world.dialler();
    dialler.register(&[&number(1)], json!("all"));
    for _ in 0..3 {
        assert!(dialler.suppresses(&number(1), "telco"));
    }
    let launch = world.service.launch();
    world.service.kill9();
    let journal = world.service.data().join("metrust.redb.journal");
    let sound = fs::read(&journal).unwrap();
    let mut spoilt = sound.clone();
    // One bit of the first check; two were answered after it.
    spoilt[60] ^= 1;
    fs::write(&journal, &spoilt).unwrap();

    let refusal = launch.refused();
    assert!(
        refusal
            .stderr
            .contains("checks that were answered cannot be read there")
            && refusal.stderr.contains("metrust.redb.journal"),
        "{}",
        refusal.stderr
    );
    assert!(fs::read(&journal).unwrap() == spoilt, "it is left as it is");

    fs::write(&journal, &sound).unwrap();
    world.service.restart();
    eventually("with a sound copy nothing is missing", || {
        world.operator().entries(&[("op", "check")]).len() == 3
    });
    let key = world.operator().dialler_of("calls");
    let suppresses = |world: &World| {
        let dialler = key.on(&world.service.url());
        dialler.suppresses(&number(1), "telco")
    };
    assert!(suppresses(&world));
    world.service.kill9();
    fs::rename(&journal, journal.with_extension("elsewhere")).unwrap();
    // Whoever moves it away has to say so: it is on record that something is missing.
    world.service.restart();
    let dialler = key.on(&world.service.url());
    dialler.check(&number(1), "telco").expect(503);
    world.anonymous().get("/readyz").expect(503);
    world.service.restart_as(&launch.argument("--accept-loss"));
    assert!(suppresses(&world), "no opt-out was in it");
    assert_eq!(world.operator().entries(&[("op", "incident")]).len(), 1);
}

#[test]
fn a_redis_that_forgot_everything_is_never_taken_for_an_empty_list() {
    let forget: [fn(&mut World); 3] = [
        |world| assert_eq!(world.redis().command(&["FLUSHALL"]), "+OK"),
        |world| assert_eq!(world.redis().command(&["FLUSHDB", "ASYNC"]), "+OK"),
        |world| world.redis().restart_empty(),
    ];
    for forget in forget {
        let mut world = World::with(Engine::RedisAlways, Launch::with_real_timeout);
        let load = load(&world);
        forget(&mut world);
        let forgotten = Instant::now();
        load.wait_for(
            12,
            "checks are refused after the loss",
            Outcome::is_unavailable,
        );
        eventually("the service says that it is not ready", || !ready(&world));
        let samples = load.finish();
        assert_never_clear(&samples);
        assert_unavailable_between(&samples, forgotten, Instant::now());
    }
}

#[test]
fn an_opt_out_on_the_page_that_the_store_could_not_take_is_kept_and_goes_through_later_once() {
    let mut world = World::with(Engine::RedisAlways, Launch::with_real_timeout);
    let dialler = world.dialler();
    let mut browser = world.browser();
    let review = browser.review(&[&number(1)]).expect(200);
    let confirm = review.form_with("action", "confirm");

    world.redis().stop();
    let begun = Instant::now();
    let refused = browser.press(&confirm, "action", "confirm").expect(503);
    assert!(begun.elapsed() < BOUND);
    assert!(refused.header("Content-Type").starts_with("text/html"));
    assert!(
        refused.shows_digits(&number(1)[3..]) || refused.text().contains(&number(1)),
        "what was typed is kept"
    );
    world.redis().cont();

    eventually("the opt-out goes through", || {
        browser.press(&confirm, "action", "confirm").status == 303
    });
    assert!(dialler.suppresses(&number(1), "telco"));
    browser.open("/done").expect(200).code();
    assert_eq!(world.operator().entries(&[("op", "register")]).len(), 1);
}

#[test]
fn registrations_withdrawals_and_exports_are_refused_in_bounded_time_while_redis_hangs() {
    let mut world = World::on(Engine::RedisAlways);
    let (dialler, operator) = (world.dialler(), world.operator());
    let code = dialler.register(&[&number(1)], json!("all"));
    // Only now, so that a slow disk does not stop the preparations.
    let launch = world.service.launch().with_real_timeout();
    world.service.restart_as(&launch);
    let url = world.service.url();
    let (dialler, operator) = (dialler.on(&url), operator.on(&url));
    operator.entries(&[]);
    world.redis().stop();
    let requests: [&dyn Fn() -> u16; 5] = [
        &|| {
            dialler
                .post(
                    "/v1/registrations",
                    json!({"numbers": [number(3)], "sellers": "all"}),
                )
                .status
        },
        &|| dialler.withdraw(&code).status,
        &|| {
            dialler
                .post(
                    "/v1/checks",
                    json!({"seller": "telco", "numbers": [number(1), number(2)]}),
                )
                .status
        },
        &|| operator.get("/v1/audit/entries").status,
        &|| operator.get("/v1/admin/sellers").status,
    ];
    for request in requests {
        let begun = Instant::now();
        assert_eq!(request(), 503);
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    }
    world.redis().cont();
    eventually("checks are answered again", || {
        dialler.check(&number(2), "telco").status == 200
    });
}

on_every_store! {
    fn killing_the_service_under_load_loses_no_acknowledged_check_and_no_acknowledged_opt_out(
        world: &mut World,
    ) {
        let load = load(world);
        let dialler = world.operator().dialler_of("calls");
        let acknowledged: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let told = Arc::clone(&acknowledged);
        let registering = thread::spawn(move || {
            for n in 100.. {
                let body = json!({"numbers": [number(n)], "sellers": "all"});
                let headers = [("Content-Type", "application/json")];
                let body = body.to_string().into_bytes();
                match dialler.attempt("POST", "/v1/registrations", &headers, body) {
                    Ok(answer) => {
                        let code = answer.expect(201).reference();
                        told.lock().unwrap().push((number(n), code));
                    }
                    Err(_) => break,
                }
            }
        });
        load.wait_for(100, "the load is answered", Outcome::is_answered);
        eventually("some have opted out", || {
            acknowledged.lock().unwrap().len() > 4
        });
        world.service.kill9();
        registering.join().unwrap();
        let samples = load.finish();
        world.service.restart();

        let answered: Vec<_> = samples
            .into_iter()
            .filter(|sample| !matches!(sample.outcome, Outcome::Broken(_)))
            .collect();
        assert_never_clear(&answered);
        assert_all_on_record(world, &answered);
        let dialler = world.operator().dialler_of("calls");
        for (phone, code) in acknowledged.lock().unwrap().iter() {
            assert!(
                dialler.suppresses(phone, "telco"),
                "the acknowledged opt-out of {phone} is lost"
            );
            dialler.withdraw(code).expect(200);
        }
    }
}

#[test]
fn files_that_are_deleted_beneath_the_service_stop_every_answer_and_can_be_brought_back() {
    for name in ["metrust.redb", "metrust.redb.journal", ""] {
        let mut world = World::with(Engine::Embedded, |launch| {
            launch.set("AUDIT__PERIOD_MS", "3600000")
        });
        let dialler = world.dialler();
        let code = dialler.register(&[&number(1)], json!("all"));
        let mut ids = vec![dialler.check(&number(1), "telco").id()];
        let data = world.service.data().to_owned();
        let files: Vec<_> = fs::read_dir(&data)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| {
                let file = path.file_name().unwrap().to_str().unwrap();
                file == name || name.is_empty() && file.starts_with("metrust.redb")
            })
            .collect();
        assert!(!files.is_empty());
        files.iter().for_each(|file| fs::remove_file(file).unwrap());

        for asked in [1, 2] {
            dialler.check(&number(asked), "telco").expect(503);
        }
        let text = [
            ("phone", &*number(2)),
            ("seller", "telco"),
            ("format", "text"),
        ];
        assert_letters_only(503, &dialler.check_with(&text).expect(503).text());
        dialler.withdraw(&code).expect(503);
        let ready = world.anonymous().get("/readyz").expect(503).json();
        assert_eq!(ready["store"]["reason"], "deleted", "{ready}");
        let said = world.service.cli(&["doctor"]);
        assert!(!said.status.success(), "{said:?}");
        let open = format!("/proc/{}/fd", world.service.pid());
        assert!(said.stdout.contains(&open), "{said:?}");

        // As the doctor says.
        for handle in fs::read_dir(&open).unwrap() {
            let handle = handle.unwrap().path();
            let Ok(target) = fs::read_link(&handle) else {
                continue;
            };
            let target = target.to_str().unwrap();
            if let Some(file) = target.strip_suffix(" (deleted)")
                && files.iter().any(|deleted| deleted.to_str() == Some(file))
            {
                fs::copy(&handle, file).unwrap();
            }
        }
        world.service.kill9();
        world.service.restart();
        let dialler = dialler.on(&world.service.url());
        assert!(dialler.suppresses(&number(1), "telco"));
        ids.push(dialler.check(&number(2), "telco").id());
        let entries = world.operator().entries(&[("op", "check")]);
        assert!(
            ids.iter()
                .all(|id| entries.iter().any(|entry| entry["id"] == **id))
        );
    }
}
