//! A Redis that could lose an answer is refused at start, and the setting to change is named.

use tempfile::tempdir;

use crate::harness::{Launch, Redis, Refusal, Service, number};

fn launch_on(redis: &Redis, durability: &str) -> (tempfile::TempDir, Launch) {
    let folder = tempdir().unwrap();
    let launch = Launch::on(&folder.path().join("data"))
        .redis(&redis.url())
        .set("STORE__REDIS__DURABILITY", durability);
    (folder, launch)
}

#[track_caller]
fn refused(options: &[(&str, &str)], durability: &str, named: &str) -> Refusal {
    let redis = Redis::with(options);
    let (_folder, launch) = launch_on(&redis, durability);
    let refusal = launch.refused();
    assert!(
        refusal.stderr.contains(named),
        "{named:?} is not named: {refusal:?}"
    );
    assert!(!refusal.stdout.contains("listening"), "{refusal:?}");
    refusal
}

#[track_caller]
fn works(service: &Service) {
    let operator = service.operator();
    operator.add_seller("telco");
    operator.add_agency("calls", &["telco"]);
    assert!(!operator.dialler_of("calls").suppresses(&number(1), "telco"));
}

#[test]
fn without_an_append_only_file_it_does_not_start() {
    refused(&[("appendonly", "no")], "always", "appendonly yes");
    refused(&[("appendonly", "no")], "everysec", "appendonly yes");
}

#[test]
fn with_a_file_that_is_synced_less_often_than_promised_it_does_not_start() {
    refused(
        &[("appendfsync", "everysec")],
        "always",
        "appendfsync always",
    );
    refused(&[("appendfsync", "no")], "always", "appendfsync always");
    refused(&[("appendfsync", "no")], "everysec", "appendfsync");
}

#[test]
fn with_eviction_it_does_not_start() {
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        let options = [("maxmemory-policy", policy), ("maxmemory", "200mb")];
        refused(&options, "always", "maxmemory-policy noeviction");
    }
}

#[test]
fn the_weaker_durability_is_a_choice_that_is_said_out_loud() {
    let redis = Redis::with(&[("appendfsync", "everysec")]);
    let (_folder, launch) = launch_on(&redis, "everysec");
    let service = launch.start();
    works(&service);
    let said = service.stdout() + &service.log();
    assert!(said.contains("everysec"), "{said}");
}

#[test]
fn a_redis_that_is_stronger_than_asked_is_welcome() {
    let redis = Redis::durable();
    let (_folder, launch) = launch_on(&redis, "everysec");
    works(&launch.start());
}

#[test]
fn a_redis_that_becomes_weaker_under_way_is_reported_by_the_doctor() {
    let redis = Redis::durable();
    let (_folder, launch) = launch_on(&redis, "always");
    let service = launch.start();
    assert_eq!(
        redis.command(&["CONFIG", "SET", "appendfsync", "no"]),
        "+OK"
    );
    let doctor = service
        .operator()
        .get("/v1/admin/doctor")
        .expect(200)
        .json();
    let checks = doctor["checks"].as_array().unwrap();
    let named = |check: &serde_json::Value| {
        check["status"] == "error" && check.to_string().contains("appendfsync always")
    };
    assert!(checks.iter().any(named), "{doctor}");
    assert!(!service.cli(&["doctor"]).status.success());
}

#[test]
fn a_unix_socket_a_password_and_a_user_are_accepted() {
    let folder = tempdir().unwrap();
    let on = |name: &str, url: String| Launch::on(&folder.path().join(name)).redis(&url);
    let redis = Redis::durable();
    let service = on(
        "socket",
        format!("redis+unix://{}", redis.socket().display()),
    )
    .start();
    works(&service);

    let redis = Redis::with(&[("requirepass", "open-sesame-71")]);
    let service = on(
        "password",
        format!("redis://:open-sesame-71@127.0.0.1:{}", redis.port()),
    )
    .start();
    works(&service);
    assert!(
        !service.log().contains("open-sesame-71"),
        "{}",
        service.log()
    );

    let redis = Redis::with(&[("user", "alice on >open-sesame-72 ~* &* +@all")]);
    let service = on(
        "user",
        format!("redis://alice:open-sesame-72@127.0.0.1:{}", redis.port()),
    )
    .start();
    works(&service);
    assert!(
        !service.log().contains("open-sesame-72"),
        "{}",
        service.log()
    );
}

#[test]
fn a_wrong_password_is_said_plainly_and_not_repeated() {
    let redis = Redis::with(&[("requirepass", "open-sesame-71")]);
    let folder = tempdir().unwrap();
    let urls = [
        format!("redis://:guess-4711@127.0.0.1:{}", redis.port()),
        redis.url(),
    ];
    for url in urls {
        let refusal = Launch::on(&folder.path().join("data"))
            .redis(&url)
            .refused();
        let said = format!("{}{}", refusal.stdout, refusal.stderr);
        assert!(!said.contains("guess-4711"), "{refusal:?}");
        assert!(said.to_lowercase().contains("password"), "{refusal:?}");
        assert!(!said.contains("panicked"), "{refusal:?}");
    }
}

#[test]
fn sets_that_a_national_list_would_outgrow_are_advised_against() {
    let redis = Redis::with(&[("set-max-intset-entries", "512")]);
    let (_folder, launch) = launch_on(&redis, "always");
    let service = launch.start();
    works(&service);
    assert!(
        service.log().contains("set-max-intset-entries 1024"),
        "{}",
        service.log()
    );
    let told = service.cli(&["doctor"]);
    assert!(told.status.success(), "it works all the same: {told:?}");
    let line = told
        .stdout
        .lines()
        .find(|line| line.contains("memory"))
        .unwrap();
    assert!(
        line.starts_with("warning") && line.contains("set-max-intset-entries 1024"),
        "{line}"
    );
    redis.command(&["CONFIG", "SET", "set-max-intset-entries", "1024"]);
    let told = service.cli(&["doctor"]);
    assert!(!told.stdout.contains("intset"), "{told:?}");
}
