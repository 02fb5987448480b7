//! Starting and stopping: what works out of the box, what is refused and how it is said, and what a
//! stop leaves.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::tempdir;

use crate::harness::load::{Load, Outcome, acknowledged};
use crate::harness::process::run;
use crate::harness::service::metrust;
use crate::harness::{Launch, Redis, World, eventually, number, on_every_store, raw};

/// Every file and folder below, the top included.
fn everything_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything_in(&path))
        } else {
            found.push(path)
        }
    }
    found
}

/// The commands of a text that are to be pasted: lines that begin with `curl`, continuation lines
/// joined.
fn curl_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined
        .lines()
        .map(|line| line.trim().trim_start_matches("$ "));
    lines
        .filter(|line| line.starts_with("curl "))
        .map(str::to_string)
        .collect()
}

#[test]
fn an_empty_folder_is_enough_and_the_lines_to_paste_work_as_printed() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Launch::on(&data).with_demo().start();
    let file = || fs::read_to_string(data.join("getting-started.txt")).unwrap_or_default();
    eventually("the getting-started text is printed and kept", || {
        let lines = curl_lines(&file());
        !lines.is_empty() && curl_lines(&service.stdout()) == lines
    });
    for text in [service.stdout(), file()] {
        let lines = curl_lines(&text);
        assert!(
            lines.iter().any(|line| line.contains("/v1/check")),
            "{text}"
        );
        for line in lines {
            let ended = run(Command::new("sh")
                .arg("-c")
                .arg(&line)
                .current_dir(folder.path()));
            assert!(ended.status.success(), "{line}: {ended:?}");
            assert!(!ended.stdout.is_empty(), "{line}: {ended:?}");
            assert!(
                !ended.stdout.contains("\"status\":4") && !ended.stdout.contains("\"status\":5"),
                "{line}: {ended:?}"
            );
        }
        assert!(
            text.contains(&service.url()),
            "the address of the page: {text}"
        );
    }
}

#[test]
fn the_demo_is_printed_once_and_left_out_on_request() {
    let folder = tempdir().unwrap();
    let mut service = Launch::on(&folder.path().join("demo")).with_demo().start();
    eventually("the getting-started text is printed", || {
        !curl_lines(&service.stdout()).is_empty()
    });
    let sellers = service
        .operator()
        .get("/v1/admin/sellers")
        .expect(200)
        .json();
    assert_eq!(sellers["sellers"][0]["id"], "demo-telecom", "{sellers}");
    assert!(service.terminate().success());
    service.restart();
    service.anonymous().get("/readyz").expect(200);
    assert!(
        !service.stdout().contains("mtr_"),
        "keys are shown once: {}",
        service.stdout()
    );

    for launch in [
        Launch::on(&folder.path().join("flag")),
        Launch::on(&folder.path().join("setting"))
            .with_demo()
            .set("DEMO__ENABLED", "false"),
    ] {
        let service = launch.start();
        let sellers = service
            .operator()
            .get("/v1/admin/sellers")
            .expect(200)
            .json();
        assert_eq!(sellers["sellers"], json!([]));
    }
}

#[test]
fn what_is_made_in_the_data_folder_is_for_its_owner_only() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Launch::on(&data).with_demo().start();
    service.anonymous().get("/readyz").expect(200);
    let made = everything_in(&data);
    for name in [
        "keys/master.key",
        "keys/index.key",
        "operator.key",
        "metrust.redb",
        "metrust.redb.journal",
        "getting-started.txt",
    ] {
        assert!(made.contains(&data.join(name)), "{name} in {made:?}");
    }
    for path in made {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            mode,
            if path.is_dir() { 0o700 } else { 0o600 },
            "{path:?} has mode {mode:o}"
        );
    }
    for name in ["master.key", "index.key"] {
        let key = fs::read_to_string(data.join("keys").join(name)).unwrap();
        assert!(
            key.ends_with('\n')
                && key.trim().len() == 64
                && key.trim().bytes().all(|byte| byte.is_ascii_hexdigit())
        );
    }
}

#[test]
fn a_setting_that_is_unknown_or_wrong_or_contradicts_another_is_named() {
    let folder = tempdir().unwrap();
    let on = || Launch::on(&folder.path().join("data"));
    let unknown = folder.path().join("unknown.toml");
    fs::write(&unknown, "[http]\nbindd = \"127.0.0.1:1\"\n").unwrap();
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, "[http\n").unwrap();
    let mut badly = Vec::new();
    for (launch, name) in [
        (on().set("HTTP__BINDD", "x"), "bindd"),
        (on().set("HTPT__BIND", "x"), "htpt"),
        (on().argument("--config").argument(&unknown), "bindd"),
        (on().argument("--config").argument(&broken), "broken.toml"),
        (
            on().argument("--config").argument("/no/such/file.toml"),
            "/no/such/file.toml",
        ),
        (on().set("STORE__TIMEOUT_MS", "soon"), "timeout_ms"),
        (on().set("STORE__TIMEOUT_MS", "0"), "timeout_ms"),
        (on().set("STORE__ENGINE", "sqlite"), "engine"),
        (on().set("STORE__ENGINE", "redis"), "url"),
        (on().set("STORE__REDIS__DURABILITY", "never"), "durability"),
        (on().set("HTTP__BIND", "nowhere"), "http.bind"),
        (on().set("HTTP__PUBLIC_URL", "not a url"), "public_url"),
        (on().set("HTTP__TRUSTED_PROXIES", "mars"), "trusted_proxies"),
        (
            on().set("KEYS__INDEX", "abc")
                .set("KEYS__MASTER", "1a".repeat(32)),
            "keys.index",
        ),
        (on().set("WEB__DEFAULT_LANGUAGE", "xx"), "default_language"),
        (on().set("WEB__DEFAULT_REGION", "xx"), "default_region"),
        (on().set("CHECK__VALIDITY_S", "-1"), "validity_s"),
        (
            on().set("KEYS__INDEX_FILE", "/no/such/secret"),
            "/no/such/secret",
        ),
        (on().redis("http://127.0.0.1"), "redis"),
        (on().argument("--colour"), "--colour"),
    ] {
        let refusal = launch.refused();
        let said = refusal.stderr.to_lowercase();
        let plain = said.contains(name) && !said.contains("panicked");
        if !plain || refusal.status.code() != Some(2) {
            badly.push(format!("{name}: {refusal:?}"));
        }
    }
    assert!(
        badly.is_empty(),
        "not named, or not with exit status 2: {badly:#?}"
    );
}

#[test]
fn the_environment_overlays_the_file_and_the_file_the_defaults() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("metrust.toml");
    fs::write(&file, "[check]\nvalidity_s = 3600\n").unwrap();
    for (environment, hours) in [(None, 1), (Some("7200"), 2)] {
        let data = folder.path().join(format!("data-{hours}"));
        let mut launch = Launch::on(&data).argument("--config").argument(&file);
        if let Some(seconds) = environment {
            launch = launch.set("CHECK__VALIDITY_S", seconds);
        }
        let service = launch.start();
        let operator = service.operator();
        operator.add_seller("telco");
        operator.add_agency("calls", &["telco"]);
        let answer = operator
            .dialler_of("calls")
            .check(&number(1), "telco")
            .expect(200)
            .json();
        let [checked, valid] = ["checked_at", "valid_until"].map(|field| {
            let at: jiff::Timestamp = answer[field].as_str().unwrap().parse().unwrap();
            at
        });
        assert_eq!(valid.duration_since(checked).as_hours(), hours, "{answer}");
    }
}

#[test]
fn an_existing_list_is_not_opened_with_another_index_key_or_without_one() {
    let folder = tempdir().unwrap();
    let launch = Launch::on(&folder.path().join("data"));
    assert!(launch.start().terminate().success());
    let key = folder.path().join("data/keys/index.key");
    let right = fs::read_to_string(&key).unwrap();

    fs::write(&key, format!("{}\n", "5a".repeat(32))).unwrap();
    let refusal = launch.refused();
    assert!(refusal.stderr.contains("index"), "{refusal:?}");
    assert!(!refusal.stderr.contains("5a5a5a5a"), "{refusal:?}");

    fs::remove_file(&key).unwrap();
    let refusal = launch.refused();
    assert!(refusal.stderr.contains("index.key"), "{refusal:?}");
    assert!(!key.exists(), "no new key is made beside an existing list");

    fs::write(&key, right).unwrap();
    launch.start().anonymous().get("/readyz").expect(200);
}

#[test]
fn two_processes_on_one_redis_with_different_keys_are_refused() {
    let folder = tempdir().unwrap();
    let redis = Redis::durable();
    let _first = Launch::on(&folder.path().join("first"))
        .redis(&redis.url())
        .start();
    let refusal = Launch::on(&folder.path().join("second"))
        .redis(&redis.url())
        .refused();
    assert!(refusal.stderr.contains("key"), "{refusal:?}");
}

#[test]
fn a_second_process_on_the_same_file_is_refused_and_the_first_goes_on() {
    let folder = tempdir().unwrap();
    let launch = Launch::on(&folder.path().join("data"));
    let service = launch.start();
    let refusal = launch.refused();
    assert!(
        refusal.stderr.contains("another") || refusal.stderr.contains("metrust.redb"),
        "{refusal:?}"
    );
    assert!(!refusal.stderr.contains("panicked"), "{refusal:?}");
    service.anonymous().get("/readyz").expect(200);
}

#[test]
fn secrets_are_read_from_files_and_keys_given_that_way_are_not_made() {
    let folder = tempdir().unwrap();
    let redis = Redis::with(&[("requirepass", "open-sesame-71")]);
    let secret = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text + "\n").unwrap();
        path
    };
    let url = secret(
        "url",
        format!("redis://:open-sesame-71@127.0.0.1:{}", redis.port()),
    );
    let data = folder.path().join("data");
    let service = Launch::on(&data)
        .set("STORE__ENGINE", "redis")
        .set("STORE__REDIS__URL_FILE", url)
        .set("KEYS__INDEX_FILE", secret("index", "1a".repeat(32)))
        .set("KEYS__MASTER_FILE", secret("master", "2b".repeat(32)))
        .start();
    service.anonymous().get("/readyz").expect(200);
    assert!(!data.join("keys/index.key").exists());
    assert!(
        !service.log().contains("open-sesame-71"),
        "{}",
        service.log()
    );
    for key in ["1a1a1a1a", "2b2b2b2b"] {
        assert!(!service.log().contains(key) && !service.stdout().contains(key));
    }
}

#[test]
fn usage_is_explained() {
    let help = run(metrust().arg("--help"));
    assert!(
        help.status.success() && help.stdout.contains("serve"),
        "{help:?}"
    );
    let serve = run(metrust().args(["serve", "--help"]));
    for flag in ["--data", "--bind", "--config", "--redis", "--no-demo"] {
        assert!(serve.stdout.contains(flag), "{flag}: {serve:?}");
    }
    assert!(run(metrust().arg("--version")).stdout.contains("metrust"));
}

on_every_store! {
    fn a_stop_answers_every_request_that_it_accepted_and_loses_none(world: &mut World) {
        let dialler = world.dialler();
        let load = Load::start(
            &dialler.without_keeping_connections(),
            "telco",
            &number(1),
            &number(2),
        );
        let body = json!({"seller": "telco", "numbers": [number(3), number(4)]}).to_string();
        let mut stream = raw::connect(&world.service);
        let head = format!(
            "POST /v1/checks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            dialler.key(),
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(
            line.starts_with("HTTP/1.1 100"),
            "the request is accepted: {line:?}"
        );
        load.wait_for(30, "the load is answered", Outcome::is_answered);

        world.service.ask_to_end();
        load.wait_for(1, "nobody new is served", |outcome| {
            matches!(outcome, Outcome::Broken(_))
        });
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        reader.read_to_string(&mut answer).unwrap();
        assert!(
            answer.contains("HTTP/1.1 200") && answer.contains("\"results\""),
            "{answer}"
        );
        assert!(world.service.wait().success());
        let mut expected = acknowledged(&load.finish());
        let results = answer.rsplit_once("\r\n\r\n").unwrap().1;
        let results: Vec<_> = results
            .split("\"id\":\"")
            .skip(1)
            .map(|rest| rest[..36].to_string())
            .collect();
        assert_eq!(results.len(), 2, "{answer}");
        expected.extend(results);

        world.service.restart();
        let entries = world.operator().entries(&[("op", "check")]);
        let recorded: std::collections::BTreeSet<_> = entries
            .iter()
            .map(|entry| entry["id"].as_str().unwrap())
            .collect();
        assert!(expected.iter().all(|id| recorded.contains(id.as_str())));
    }

    fn an_interrupt_stops_it_as_cleanly_as_a_request_to_end(world: &mut World) {
        world.anonymous().get("/readyz").expect(200);
        world.service.signal("INT");
        assert_eq!(world.service.wait().code(), Some(0));
    }
}
