//! The log in a bucket: all that it promises in a folder it promises there.

use std::net::TcpListener;
use std::process::Command;

use metrust::log::storage::{Bucket as BucketStorage, BucketOptions, Storage};
use metrust::log::{TlogProof, leaf_hash};
use tempfile::tempdir;

use crate::audit::{ids, text};
use crate::harness::bucket::{Bucket, CREDENTIALS, always, log_at};
use crate::harness::process::run;
use crate::harness::{Api, Engine, Launch, World, eventually, number, run_async};
use crate::receipts::{entry_of, sealed, verifiers};
use crate::storage::keeps_the_contract;
use crate::witnesses;

/// The address of the bucket, for the part of a test that runs with credentials.
const ENDPOINT: &str = "METRUST_TEST_ENDPOINT";

/// Credentials come from the environment, which no test may change for the others. So this test
/// runs once more, in a process of its own that has them.
#[test]
fn a_bucket_keeps_the_contract_of_storages() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        return run_async(async {
            let region = String::new();
            let settings = BucketOptions { endpoint, region };
            for place in ["s3://bucket", "s3://bucket/a/folder/"] {
                let bucket = BucketStorage::open(place, &settings).await.unwrap();
                keeps_the_contract(&Storage::Bucket(bucket)).await;
            }
        });
    }
    let bucket = Bucket::start();
    let name = "bucket::a_bucket_keeps_the_contract_of_storages";
    let again = run(Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .envs(CREDENTIALS)
        .env(ENDPOINT, bucket.endpoint()));
    assert!(again.status.success(), "{}\n{}", again.stdout, again.stderr);
    assert!(again.stdout.contains("1 passed"), "{}", again.stdout);
    let left = bucket.list();
    assert!(left.contains("<Key>a/folder/once/a</Key>"), "{left}");
    assert!(!left.contains("create-only-test"), "{left}");
}

/// A registry whose log lies in a bucket.
fn world(engine: Engine) -> (World, Bucket) {
    let bucket = Bucket::start();
    let world = World::with(engine, |launch| bucket.keeps_log_of(launch));
    (world, bucket)
}

/// The receipt of a check is proved by the public key alone.
#[track_caller]
fn assert_proved(dialler: &Api, public: &Api, id: &str) {
    sealed(dialler, id);
    let answer = dialler.get(&format!("/v1/checks/{id}")).expect(200);
    let proof = TlogProof::parse(text(&answer.json(), "proof")).unwrap();
    let entry = entry_of(&answer.text());
    let leaf = leaf_hash(entry.as_bytes());
    proof.check(&leaf, &verifiers(public)).unwrap();
}

#[test]
fn what_witnesses_sign_at_the_same_moment_stands_of_all_of_them_in_a_bucket() {
    let (mut world, _bucket) = world(Engine::Embedded);
    let launch = witnesses::knowing_witnesses(world.service.launch());
    world.service.restart_as(&launch);
    world.dialler().check(&number(1), "telco").expect(200);
    witnesses::assert_all_stand(&[world.anonymous()]);
}

#[test]
fn entries_are_sealed_proved_and_exported_and_a_process_that_dies_leaves_no_gap() {
    for engine in [Engine::Embedded, Engine::RedisAlways] {
        let (mut world, bucket) = world(engine);
        let mut dialler = world.dialler();
        let mut checks = Vec::new();
        for round in 0..3 {
            for n in 0..100 {
                checks.push(dialler.check(&number(n), "telco").id());
            }
            assert_proved(&dialler, &world.anonymous(), &checks[round * 100]);
            checks.push(dialler.check(&number(round), "energy").id());
            world.service.restart();
            dialler = dialler.on(&world.service.url());
        }
        for id in [&checks[0], checks.last().unwrap()] {
            assert_proved(&dialler, &world.anonymous(), id);
        }
        let exported = world.operator().entries(&[("op", "check")]);
        assert_eq!(ids(&exported), checks.into_iter().collect());
        let objects = bucket.list();
        for key in ["log/log.id", "log/vkeys", "/tile/entries/000</Key>"] {
            assert!(objects.contains(key), "{key}: {objects}");
        }
        assert!(!objects.contains("create-only-test"), "{objects}");
        assert!(!world.service.data().join("log").exists());
    }
}

#[test]
fn while_the_bucket_is_away_checks_are_answered_and_sealed_when_it_is_back() {
    let (world, bucket) = world(Engine::Embedded);
    let dialler = world.dialler();
    let before = dialler.check(&number(1), "telco").id();
    assert_proved(&dialler, &world.anonymous(), &before);
    bucket.stop();
    let mut during = vec![dialler.check(&number(2), "telco").id()];
    dialler.register(&[&number(2)], serde_json::json!("all"));
    eventually("the service says that it cannot seal", || {
        during.push(dialler.check(&number(3), "telco").expect(200).id());
        assert!(dialler.suppresses(&number(2), "telco"));
        world.service.log().contains("entries cannot be sealed")
    });
    bucket.cont();
    for id in [&before, &during[0], during.last().unwrap()] {
        assert_proved(&dialler, &world.anonymous(), id);
    }
    let checks = ids(&world.operator().entries(&[("op", "check")]));
    assert!(during.iter().all(|id| checks.contains(id)));
    for (_, secret) in CREDENTIALS {
        assert!(!world.service.log().contains(secret));
    }
}

#[test]
fn two_processes_on_one_redis_share_one_bucket_and_one_goes_on_when_the_other_dies() {
    let (mut world, bucket) = world(Engine::RedisAlways);
    let dialler = world.dialler();
    let second = world
        .replica_with(|launch| bucket.keeps_log_of(launch))
        .unwrap();
    let there = dialler.on(&second.url());
    let mut checks = Vec::new();
    for n in 0..20 {
        checks.push(dialler.check(&number(n), "telco").id());
        checks.push(there.check(&number(n), "telco").id());
    }
    for id in &checks[..2] {
        assert_proved(&dialler, &world.anonymous(), id);
        assert_proved(&there, &second.anonymous(), id);
    }
    checks.push(dialler.check(&number(1), "energy").id());
    world.service.kill9();
    checks.push(there.check(&number(2), "energy").id());
    for id in checks.iter().rev().take(2) {
        assert_proved(&there, &second.anonymous(), id);
    }
    let operator = world.operator().on(&second.url());
    let exported = operator.entries(&[("op", "check")]);
    assert_eq!(ids(&exported), checks.into_iter().collect());
}

/// A start with the log in a bucket on `endpoint` is refused; what it says.
#[track_caller]
fn refused(endpoint: &str, place: &str) -> String {
    let folder = tempdir().unwrap();
    let launch = log_at(Launch::on(&folder.path().join("data")), endpoint);
    let said = launch.set("AUDIT__FOLDER", place).refused().stderr;
    for (_, secret) in CREDENTIALS {
        assert!(!said.contains(secret), "{said}");
    }
    said
}

#[test]
fn a_bucket_that_cannot_be_used_is_refused_at_the_start_and_the_reason_is_told() {
    let bucket = Bucket::start();
    let said = refused(bucket.endpoint(), "s3://another-bucket/log");
    assert!(said.contains("NoSuchBucket"), "{said}");
    let said = refused(bucket.endpoint(), "s3:///log");
    assert!(said.contains("does not name a bucket"), "{said}");

    let twice = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let said = refused(&always(twice), "s3://bucket/log");
    assert!(said.contains("created twice"), "{said}");

    let unknown = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<Error><Code>\
                   SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIATESTTESTTESTTEST\
                   </AWSAccessKeyId></Error>";
    let said = refused(&always(unknown), "s3://bucket/log");
    assert!(said.contains("SignatureDoesNotMatch"), "{said}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = refused(&nobody, "s3://bucket/log");
    assert!(said.contains("refused"), "{said}");
}
