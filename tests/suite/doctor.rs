//! What is wrong with a store or a log is refused at the start, and the doctor names it.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::tempdir;

use crate::harness::process::{Ended, run};
use crate::harness::sealed::commits;
use crate::harness::service::metrust;
use crate::harness::world::copy_tree;
use crate::harness::{Launch, Redis, World, eventually, number, on_every_store};

/// What the doctor says of a data folder and a store that no service has.
fn doctor(data: &Path, redis: Option<&Redis>, settings: &[(&str, &str)]) -> Ended {
    let mut command = metrust();
    command.args(["doctor", "--url", "http://127.0.0.1:1", "--data"]);
    command.arg(data);
    if let Some(redis) = redis {
        command.args(["--redis", &redis.url()]);
    }
    command.envs(settings.iter().copied());
    run(&mut command)
}

/// The line of one thing that the doctor looked at.
#[track_caller]
fn line(said: &Ended, name: &str) -> String {
    let mut lines = said.stdout.lines();
    let found = lines.find(|line| line.split_whitespace().nth(1) == Some(name));
    found
        .unwrap_or_else(|| panic!("{name} in {said:?}"))
        .to_owned()
}

#[track_caller]
fn assert_is_wrong(said: &Ended, name: &str, with: &str) {
    let line = line(said, name);
    assert!(line.starts_with("ERROR") && line.contains(with), "{line}");
    assert!(!said.status.success(), "{said:?}");
}

#[test]
fn a_node_of_a_redis_cluster_is_refused_and_named() {
    let redis = Redis::with(&[("cluster-enabled", "yes")]);
    let folder = tempdir().unwrap();
    let launch = Launch::on(folder.path()).redis(&redis.url());
    // Also where the server's settings are not looked at.
    for launch in [launch.clone(), launch.set("STORE__REDIS__VERIFY", "false")] {
        let refusal = launch.refused();
        assert!(refusal.stderr.contains("Redis Cluster"), "{refusal:?}");
        assert!(refusal.stderr.contains("store.redis.url"), "{refusal:?}");
    }
    let said = doctor(folder.path(), Some(&redis), &[]);
    assert_is_wrong(&said, "store", "cluster-enabled no");
}

#[test]
fn fewer_replicas_than_are_to_have_every_entry_are_refused_and_named() {
    let primary = Redis::durable();
    let folder = tempdir().unwrap();
    let launch = Launch::on(folder.path())
        .redis(&primary.url())
        .set("STORE__TIMEOUT_MS", "3000")
        .set("STORE__REDIS__REPLICAS", "1");
    let refusal = launch.refused();
    assert!(
        refusal.stderr.contains("store.redis.replicas"),
        "{refusal:?}"
    );
    let required = [("METRUST__STORE__REDIS__REPLICAS", "1")];
    let said = doctor(folder.path(), Some(&primary), &required);
    assert_is_wrong(&said, "store", "0 replicas");

    let port = primary.port().to_string();
    let mut replica = Redis::with(&[("replicaof", &format!("127.0.0.1 {port}"))]);
    eventually("the replica follows", || {
        let info = primary.command(&["INFO", "replication"]);
        info.contains("state=online")
    });
    let service = launch.start();
    let operator = service.operator();
    operator.add_seller("telco");
    operator.add_agency("calls", &["telco"]);
    let dialler = operator.dialler_of("calls");
    assert!(!dialler.suppresses(&number(1), "telco"));

    replica.kill9();
    eventually("the doctor names it", || {
        let said = service.cli(&["doctor"]);
        !said.status.success() && line(&said, "store").contains("store.redis.replicas")
    });
    dialler.check(&number(1), "telco").expect(503);
    replica.restart();
    eventually("it is answered again", || {
        dialler.check(&number(1), "telco").status == 200
    });
}

on_every_store! {
    fn a_log_that_was_restored_beneath_a_newer_store_is_named(world: &mut World) {
        let folder = world.log_folder();
        let dialler = world.dialler();
        let seal = |world: &World| {
            let before = commits(&folder).pop();
            dialler.on(&world.service.url()).check(&number(1), "telco").expect(200);
            eventually("it is sealed", || commits(&folder).pop() > before);
        };
        seal(world);
        assert!(world.service.terminate().success());
        let old = world.scratch("old");
        copy_tree(&folder, &old);
        world.service.restart();
        seal(world);
        assert!(world.service.terminate().success());
        let data = world.service.data().to_owned();
        let said = doctor(&data, world.redis.as_ref(), &[]);
        assert!(line(&said, "log").starts_with("ok"), "{said:?}");

        fs::remove_dir_all(&folder).unwrap();
        copy_tree(&old, &folder);
        let said = doctor(&data, world.redis.as_ref(), &[]);
        assert_is_wrong(&said, "log", "has gone back");
        world.service.restart();
        eventually("the service's doctor names it", || {
            let said = world.service.cli(&["doctor"]);
            !said.status.success() && line(&said, "log").contains("has gone back")
        });
        assert!(world.service.terminate().success());

        fs::remove_dir_all(&folder).unwrap();
        let said = doctor(&data, world.redis.as_ref(), &[]);
        assert_is_wrong(&said, "log", "is not in");
        assert!(!folder.exists(), "looking makes none");
    }

    fn a_store_id_that_cannot_be_read_is_refused_and_named(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let launch = world.service.launch();
        assert!(world.service.terminate().success());
        let file = world.service.data().join("store.id");
        let right = fs::read(&file).unwrap();
        let half = right.len() / 2;
        for garbage in [&b""[..], &right[..half], b"garbage\n", &[0xff; 33], &[0; 33]] {
            fs::write(&file, garbage).unwrap();
            let refusal = launch.refused();
            assert!(refusal.stderr.contains("store.id"), "{refusal:?}");
            assert!(refusal.stderr.contains("not as it was written"), "{refusal:?}");
            let said = doctor(world.service.data(), world.redis.as_ref(), &[]);
            assert_is_wrong(&said, "store", "not as it was written");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let refusal = launch.refused();
        assert!(refusal.stderr.contains("cannot be read"), "{refusal:?}");
        fs::remove_dir(&file).unwrap();

        // As the text says.
        world.service.restart_as(&launch.set("STORE__MUST_EXIST", "true"));
        assert!(dialler.on(&world.service.url()).suppresses(&number(1), "telco"));
        assert_eq!(fs::read(&file).unwrap(), right);
    }
}
