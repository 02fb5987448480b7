//! The command line, a client of the running service: for operators and for scripts.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::harness::process::{Ended, run};
use crate::harness::service::metrust;
use crate::harness::{Launch, World, number, on_every_store};

#[track_caller]
pub fn done(ended: Ended) -> String {
    assert!(ended.status.success(), "{ended:?}");
    ended.stdout
}

#[track_caller]
pub fn refused(ended: &Ended, named: &str) {
    assert!(!ended.status.success(), "{ended:?}");
    assert!(
        ended.stdout.is_empty(),
        "an error goes to stderr: {ended:?}"
    );
    assert!(
        ended.stderr.contains(named) && !ended.stderr.contains("panicked"),
        "{named}: {ended:?}"
    );
}

on_every_store! {
    fn from_nothing_to_a_refused_check_and_its_audit_by_command_line(world: &World) {
        let service = &world.service;
        done(service.cli(&["seller", "add", "telco", "--name", "Telco Ltd"]));
        done(service.cli(&["seller", "add", "energy", "--name", "Energy Ltd"]));
        let sellers = done(service.cli(&["seller", "list"]));
        assert!(
            sellers.contains("telco") && sellers.contains("Energy Ltd"),
            "{sellers}"
        );
        done(service.cli(&[
            "agency",
            "add",
            "calls",
            "--name",
            "Calls Ltd",
            "--for",
            "telco",
            "energy",
        ]));
        let agencies = done(service.cli(&["agency", "list"]));
        assert!(agencies.contains("calls"), "{agencies}");

        let key = done(service.cli(&["key", "create", "--role", "dialler", "--agency", "calls"]));
        assert_eq!(key.lines().count(), 1, "the key alone: {key:?}");
        let dialler = world.anonymous().with_key(key.trim());
        dialler.register(&[&number(1)], json!("all"));
        let check = |phone: &str| {
            let mut command = metrust();
            command
                .args(["check", phone, "--seller", "telco"])
                .env("METRUST_KEY", key.trim());
            run(command.env("METRUST_URL", service.url()))
        };
        let (listed, other) = (check(&number(1)), check(&number(2)));
        for said in [&listed, &other] {
            assert!(
                !said.stdout.is_empty() && !said.stderr.contains("panicked"),
                "{said:?}"
            );
            assert!(!said.stdout.to_lowercase().contains("may call"), "{said:?}");
        }
        assert!(
            listed.stdout.contains("all_sellers") || listed.stdout != other.stdout,
            "{listed:?}"
        );
        refused(&check("hello"), "number");
        let export = done(service.cli(&["audit", "export", "--op", "check"]));
        assert!(export.lines().count() >= 2);
        for line in export.lines() {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap()["op"], "check");
        }
    }

    fn an_export_goes_to_a_file_in_the_format_and_with_the_filters_asked_for(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        for n in 1..=2 {
            dialler.check(&number(n), "telco").expect(200);
        }
        let folder = tempdir().unwrap();
        let file = folder.path().join("export.csv");
        let name = file.to_str().unwrap();
        let filters = [
            "audit", "export", "--op", "check", "--answer", "suppress", "--seller", "telco",
            "--agency", "calls",
        ];
        let phone = number(1);
        let more = [
            "--from",
            "2020-01-01",
            "--to",
            "2999-01-01",
            "--phone",
            &phone,
            "--format",
            "csv",
            "--output",
            name,
        ];
        let said = done(world.service.cli(&[&filters[..], &more[..]].concat()));
        assert!(
            !said.contains("suppress"),
            "the entries go to the file: {said:?}"
        );
        let rows = crate::harness::csv::rows(&fs::read_to_string(&file).unwrap());
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["answer"], "suppress");
        refused(
            &world
                .service
                .cli(&["audit", "export", "--from", "yesterday"]),
            "from",
        );
    }

    fn keys_are_listed_without_their_secret_and_revoked(world: &World) {
        let dialler = world.dialler();
        let listed = done(world.service.cli(&["key", "list"]));
        assert!(
            listed.contains("dialler") && listed.contains("operator") && listed.contains("calls"),
            "{listed}"
        );
        assert!(
            !listed.contains(dialler.key().rsplit('_').next().unwrap()),
            "{listed}"
        );
        let keys = world.operator().get("/v1/admin/keys").expect(200).json();
        let keys = keys["keys"].as_array().unwrap();
        let id = keys.iter().find(|key| key["role"] == "dialler").unwrap()["id"]
            .as_str()
            .unwrap();
        assert!(listed.contains(id), "{listed}");
        done(world.service.cli(&["key", "revoke", id]));
        crate::harness::eventually("the key is dead", || {
            dialler.check(&number(1), "telco").status == 401
        });
        refused(&world.service.cli(&["key", "revoke", "nobody"]), "key");
    }

    fn a_mistake_is_told_with_its_remedy_and_an_exit_status(world: &World) {
        let service = &world.service;
        refused(
            &service.cli(&["seller", "add", "Not An Id", "--name", "N"]),
            "id",
        );
        refused(
            &service.cli(&["agency", "add", "calls", "--name", "N", "--for", "nobody"]),
            "seller",
        );
        refused(&service.cli(&["key", "create", "--role", "king"]), "role");
        refused(
            &service.cli(&["key", "create", "--role", "dialler"]),
            "agency",
        );
        let unreachable = run(metrust()
            .args(["seller", "list"])
            .env("METRUST_URL", "http://127.0.0.1:9")
            .env("METRUST_KEY", "x"));
        refused(&unreachable, "http://127.0.0.1:9");
        let nowhere = tempdir().unwrap();
        let mut command = metrust();
        command
            .args(["seller", "list", "--data"])
            .arg(nowhere.path())
            .env("METRUST_URL", service.url());
        refused(&run(&mut command), "operator.key");
    }

    fn the_doctor_finds_a_healthy_service_well_in_words_and_in_json(world: &World) {
        let said = done(world.service.cli(&["doctor"]));
        assert!(said.lines().count() >= 3, "{said}");
        let report: Value =
            serde_json::from_str(&done(world.service.cli(&["doctor", "--json"]))).unwrap();
        let checks = report["checks"]
            .as_array()
            .unwrap_or_else(|| panic!("no checks in {report}"));
        for check in checks {
            assert!(
                ["ok", "warning"].contains(&check["status"].as_str().unwrap()),
                "{check}"
            );
            assert!(
                check["name"].is_string() && check["detail"].is_string(),
                "{check}"
            );
            assert!(
                check["status"] == "ok"
                    || check["remedy"]
                        .as_str()
                        .is_some_and(|remedy| !remedy.is_empty()),
                "{check}"
            );
        }
        let names = report.to_string().to_lowercase();
        for subject in ["store", "durab", "clock", "disk", "key"] {
            assert!(names.contains(subject), "{subject} in {report}");
        }
    }

    fn health_is_told_by_the_exit_status(world: &mut World) {
        assert!(world.service.cli(&["healthcheck"]).status.success());
        let url = world.service.url();
        world.service.kill9();
        let ended = run(metrust().arg("healthcheck").env("METRUST_URL", url));
        assert!(!ended.status.success(), "{ended:?}");
    }

    fn the_data_folder_is_named_by_a_flag_too(world: &World) {
        let mut command = metrust();
        command
            .args(["seller", "list", "--data"])
            .arg(world.service.data())
            .env("METRUST_URL", world.service.url());
        done(run(&mut command));
    }
}

#[test]
fn init_makes_the_keys_that_serve_then_uses_and_never_overwrites_them() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let init = || run(metrust().arg("init").arg("--data").arg(&data));
    done(init());
    let keys = || {
        ["master.key", "index.key"]
            .map(|name| fs::read_to_string(data.join("keys").join(name)).unwrap())
    };
    let made = keys();
    assert_ne!(made[0], made[1]);
    let again = init();
    assert!(!again.stderr.contains("panicked"), "{again:?}");
    assert_eq!(keys(), made);
    Launch::on(&data)
        .start()
        .anonymous()
        .get("/readyz")
        .expect(200);
    assert_eq!(keys(), made);
    for key in made {
        assert!(!again.stdout.contains(key.trim()) && !again.stderr.contains(key.trim()));
    }
}

#[test]
fn completions_are_written_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            done(run(metrust().args(["completions", shell]))).contains("metrust"),
            "{shell}"
        );
    }
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "serve",
        "seller",
        "agency",
        "key",
        "check",
        "import",
        "wash",
        "audit",
        "init",
        "doctor",
        "healthcheck",
        "completions",
    ] {
        let help = done(run(metrust().args([command, "--help"])));
        assert!(help.contains("Usage"), "{help}");
    }
    for command in [
        "export",
        "verify",
        "find",
        "openings",
        "key",
        "prune",
        "release-month",
        "reindex",
    ] {
        let help = done(run(metrust().args(["audit", command, "--help"])));
        assert!(help.contains("Usage") && help.contains("Example"), "{help}");
    }
}
