//! Call-detail records against the log: who was called without anybody having asked?

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::audit::text;
use crate::harness::csv::rows;
use crate::harness::process::{Ended, run};
use crate::harness::service::{binary, metrust};
use crate::harness::{Answer, Api, Launch, World, eventually, number, on_every_store};

fn send(api: &Api, query: &str, records: &str) -> Answer {
    let headers = [("Content-Type", "text/csv")];
    let path = format!("/v1/audit/match?{query}");
    api.call("POST", &path, &headers, records.into())
}

/// The moment at which an entry was written.
fn time_of(entry: &Value) -> String {
    text(entry, "time").to_owned()
}

on_every_store! {
    fn each_call_is_told_apart_checked_suppressed_expired_or_never_asked_about(world: &mut World) {
        let dialler = world.dialler();
        let regulator = world.operator().regulator();
        world.operator().add_agency("others", &["telco"]);
        dialler.check(&number(1), "telco").expect(200);
        dialler.register(&[&number(2)], json!("all"));
        dialler.check(&number(2), "telco").expect(200);
        let checks = regulator.entries(&[("op", "check")]);
        let now = time_of(&checks[1]);
        let records = format!(
            "called,time,calling,agency\r\n\
             {one},{now},+3227000000,calls\r\n\
             {two},{now},+3227000000,calls\r\n\
             {three},{now},+3227000000,calls\r\n\
             {one},2099-01-01T00:00:00Z,+3227000000,calls\r\n\
             {one},{now},+3227000000,others\r\n\
             nonsense,{now},+3227000000,calls\r\n",
            one = number(1), two = number(2), three = number(3),
        );
        let options = "look_back_days=40000";
        let answer = send(&regulator, options, &records).expect(200).text();
        let (lines, summary): (Vec<_>, Vec<_>) =
            answer.lines().partition(|line| !line.starts_with('#'));
        let table = rows(&lines.join("\r\n"));
        let found: Vec<_> = table.iter().map(|row| &*row["finding"]).collect();
        assert_eq!(found, [
            "checked_clear",
            "checked_suppressed",
            "never_checked",
            "check_expired",
            "never_checked",
            "invalid_number",
        ]);
        assert_eq!(table[0]["check_id"], text(&checks[0], "id"));
        assert_eq!(table[1]["check_id"], text(&checks[1], "id"));
        assert_eq!(table[1]["registered"], "all_sellers");
        let register = regulator.entries(&[("op", "register")]).remove(0);
        assert_eq!(table[1]["registration_id"], text(&register, "id"));
        assert_eq!(table[0]["registered"], "no");
        assert_eq!((&*table[0]["called"], &*table[0]["calling"]), (&*number(1), "+3227000000"));
        assert!(summary.iter().any(|line| line.starts_with("#summary,calls,5,1,1,1,1,1,0,")), "{summary:?}");
        assert!(summary.iter().any(|line| line.starts_with("#summary,others,1,0,0,0,1,0,0,")));

        let matched = regulator.entries(&[("op", "opening")]).remove(0);
        assert_eq!(text(&matched, "reason"), "matched");
        let digest = <sha2::Sha256 as sha2::Digest>::digest(records.as_bytes());
        assert_eq!(text(&matched, "commitment"), data_encoding::HEXLOWER.encode(&digest));
    }

    fn the_same_in_json_with_columns_named_by_place(world: &mut World) {
        let dialler = world.dialler();
        let regulator = world.operator().regulator();
        dialler.check(&number(1), "telco").expect(200);
        let now = time_of(&regulator.entries(&[("op", "check")])[0]);
        let records = format!("{now};0;{}\n", number(1));
        let query = "heading=no&called=3&time=1&delimiter=%3B&format=ndjson&default_seller=telco";
        let answer = send(&regulator, query, &records).expect(200).text();
        let lines: Vec<Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(text(&lines[0], "finding"), "checked_clear");
        assert_eq!(lines[1]["summary"]["total"]["checked_clear"], 1);
        assert_eq!(lines[1]["summary"]["agencies"]["calls"]["calls"], 1);
        assert_eq!(lines[1]["summary"]["months_without_key"], json!([]));
        let bare = send(&regulator, &format!("{query}&summary=0"), &records).expect(200).text();
        assert_eq!(bare.lines().count(), 1);
    }

    fn only_those_who_read_the_audit_may_match_and_only_call_detail_records(world: &mut World) {
        let dialler = world.dialler();
        let regulator = world.operator().regulator();
        let records = "called,time\n";
        send(&dialler, "", records).expect(403);
        send(&world.anonymous(), "", records).expect(401);
        let unreadable = send(&regulator, "", "a,b\n1,2\n").expect(422).json();
        assert_eq!(unreadable["code"], "unreadable_records");
        send(&regulator, "", "").expect(422);
        send(&regulator, "tolerance=1", records).expect(400);
        assert!(regulator.entries(&[("op", "opening")]).is_empty(), "nothing was matched");
        let nothing = send(&regulator, "summary=0", records).expect(422).json();
        assert_eq!(nothing["code"], "unreadable_records");
    }

    fn by_command_line_the_rows_go_to_a_file_and_the_counts_to_the_terminal(world: &mut World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let regulator = world.operator().regulator();
        let now = time_of(&regulator.entries(&[("op", "check")])[0]);
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let local = now.replace('T', " ").replace('Z', "");
        let national = format!("0{}", &number(2)[3..]);
        fs::write(
            at("calls"),
            format!("#note;{local};{}\n#summary,agency,calls,;{local};{national}\n", number(1)),
        )
        .unwrap();
        let (calls, out, json, csv) = (at("calls"), at("out"), at("sum.json"), at("sum.csv"));
        let options = [
            "audit", "match", &calls, "--heading", "no", "--called", "3", "--time", "2",
            "--delimiter", ";", "--region", "BE", "--time-zone", "-00:00", "--default-agency",
            "calls", "--default-seller", "telco", "--validity", "24h", "--tolerance", "2s",
            "--look-back", "7d", "--output", &out, "--summary",
        ];
        let with = |more: &[&str]| world.service.cli(&[&options[..], more].concat());
        let said = with(&[&json]);
        assert!(said.status.success() && said.stdout.is_empty(), "{said:?}");
        let found = fs::read_to_string(&out).unwrap();
        let lines: Vec<_> = found.lines().collect();
        assert_eq!(lines.len(), 2, "the rows alone, though they look like a summary: {found}");
        assert!(lines[0].starts_with("#note;") && lines[0].contains(";checked_clear;no;"), "{found}");
        assert!(lines[1].ends_with(&format!("{national};never_checked;no;;;;;;")), "{found}");
        let counted: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
        assert_eq!(counted["agencies"]["calls"]["checked_clear"], 1);
        assert_eq!(counted["total"]["never_checked"], 1);
        assert_eq!(counted["months_without_key"], json!([]));
        let row = said.stderr.lines().find(|line| line.starts_with("calls ")).unwrap();
        let cells: Vec<_> = row.split_whitespace().collect();
        assert_eq!(cells, ["calls", "2", "1", "0", "0", "1", "0", "0", "0"], "{said:?}");
        assert!(!said.stderr.contains("WARNING"), "{said:?}");

        let again = with(&[&csv]);
        assert_eq!(again.status.code(), Some(2), "the file is there: {again:?}");
        let forced = with(&[&csv, "--force"]);
        assert!(forced.status.success(), "{forced:?}");
        let counted = rows(&fs::read_to_string(&csv).unwrap());
        assert_eq!((&*counted[0]["agency"], &*counted[1]["agency"]), ("calls", "(all)"));
        assert_eq!(counted[1]["registered_no"], "2");
        let matched = regulator.entries(&[("op", "opening")]);
        assert_eq!(matched.len(), 2, "what was refused beforehand is not on record");

        let mut piped = Command::new("sh");
        piped
            .args(["-c", r#""$0" audit match - --format ndjson < "$1""#])
            .arg(binary())
            .arg(at("piped"))
            .env("METRUST_URL", world.service.url())
            .env("METRUST_DATA", world.service.data());
        fs::write(at("piped"), format!("called,time\n{},{now}\n", number(1))).unwrap();
        let piped = run(&mut piped);
        assert!(piped.status.success(), "{piped:?}");
        let rows: Vec<Value> =
            piped.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 1, "without the summary");
        assert_eq!(rows[0]["finding"], "checked_clear");
        assert!(piped.stderr.contains("(all)"), "{piped:?}");
    }

    fn by_command_line_what_is_refused_is_told_before_anything_is_sent(world: &mut World) {
        let dialler = world.dialler();
        let folder = tempdir().unwrap();
        let calls = folder.path().join("calls.csv");
        let calls = calls.to_str().unwrap();
        // Long enough that a refusal in the middle of it would be lost.
        let many = "+32470000001,2026-11-21 19:00:00\n".repeat(500_000);
        fs::write(calls, format!("called,time\n{many}")).unwrap();
        let refused = |ended: &Ended, status, named: &str| {
            assert_eq!(ended.status.code(), Some(status), "{ended:?}");
            assert!(ended.stdout.is_empty() && ended.stderr.contains(named), "{named}: {ended:?}");
        };
        let by_dialler = run(metrust()
            .args(["audit", "match", calls])
            .env("METRUST_URL", world.service.url())
            .env("METRUST_KEY", dialler.key()));
        refused(&by_dialler, 1, "regulator");
        let with = |more: &[&str]| world.service.cli(&[&["audit", "match", calls], more].concat());
        refused(&with(&["--time-zone", "+1"]), 1, "time_zone");
        refused(&with(&["--validity", "24"]), 2, "24h");
        refused(&with(&["--look-back", "36h"]), 2, "whole days");
        refused(&with(&["--summary", "counts.txt"]), 2, ".csv or .json");
        refused(&world.service.cli(&["audit", "match", "no-such-file"]), 2, "no-such-file");
        refused(&with(&["--called", "4"]), 1, "called");
        let matched = world.operator().entries(&[("op", "opening")]);
        assert!(matched.is_empty(), "nothing was matched: {matched:?}");
    }

    fn a_large_set_is_matched_with_what_is_sealed_what_follows_it_and_what_is_not_sealed_yet(world: &mut World) {
        // Sealed: a whole segment of the index, most of it about others, and the rest after it.
        let dialler = world.dialler();
        world.operator().add_agency("others", &["telco"]);
        let others = world.operator().dialler_of("others");
        for filler in 0..7 {
            check_all(&others, "telco", 100_000 + filler * 9_500..100_000 + (filler + 1) * 9_500);
        }
        register_all(&dialler, json!("all"), 0..300);
        check_all(&dialler, "telco", 0..1_500);
        let sealed = seal_all_and_nothing_more(world);
        assert!(sealed > 65_536, "{sealed}");

        // Not sealed.
        let dialler = dialler.on(&world.service.url());
        let others = others.on(&world.service.url());
        check_all(&dialler, "telco", 1_500..2_500);
        check_all(&dialler, "energy", 0..1_600);
        register_all(&dialler, json!(["telco"]), 1_000..1_100);
        let after = check_all(&others, "telco", 2_500..3_000);
        let after: metrust::domain::Moment = after.parse().unwrap();

        let (mut records, mut expected) = ("called,time,agency,seller\n".to_owned(), Vec::new());
        for call in 0..20_000 {
            let (row, known) = large_set(call, after);
            records.push_str(&row);
            expected.push(known);
        }
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("calls.csv"), records).unwrap();
        let said = world.service.cli(&[
            "audit", "match", &at("calls.csv"), "--validity", "24h",
            "--output", &at("out.csv"), "--summary", &at("counts.json"),
        ]);
        assert!(said.status.success(), "{said:?}");
        let now = sealed_entries(&world.anonymous());
        assert!(now < sealed + 3_200, "the tail was not all sealed meanwhile: {sealed}, {now}");

        let mut counts = BTreeMap::<_, u64>::new();
        let found = rows(&fs::read_to_string(at("out.csv")).unwrap());
        assert_eq!(found.len(), expected.len());
        for (row, (agency, finding, registered)) in found.iter().zip(&expected) {
            assert_eq!((&*row["finding"], &*row["registered"]), (*finding, *registered), "{row:?}");
            for agency in [*agency, "(all)"] {
                for count in ["calls", finding] {
                    *counts.entry((agency, count.to_owned())).or_default() += 1;
                }
                if !registered.is_empty() {
                    let count = format!("registered_{registered}");
                    *counts.entry((agency, count)).or_default() += 1;
                }
            }
        }
        let mut told: Value = serde_json::from_slice(&fs::read(at("counts.json")).unwrap()).unwrap();
        assert_eq!(told["months_without_key"], json!([]));
        told["agencies"]["(all)"] = told["total"].clone();
        let agencies = told["agencies"].as_object().unwrap();
        assert_eq!(agencies.keys().collect::<Vec<_>>(), ["(all)", "-", "calls", "others"]);
        for (agency, of) in agencies {
            for (name, count) in of.as_object().unwrap() {
                let known = counts.get(&(&**agency, name.clone())).copied().unwrap_or(0);
                assert_eq!(count, known, "{name} of {agency}");
            }
        }
    }
}

/// Checks these numbers, and gives the time of the answer.
#[track_caller]
fn check_all(api: &Api, seller: &str, numbers: std::ops::Range<usize>) -> String {
    let numbers: Vec<_> = numbers.map(number).collect();
    let body = json!({"seller": seller, "numbers": numbers});
    let answer = api.post("/v1/checks", body).expect(200).json();
    text(&answer, "checked_at").to_owned()
}

#[track_caller]
fn register_all(api: &Api, sellers: Value, numbers: std::ops::Range<usize>) {
    let numbers: Vec<_> = numbers.map(number).collect();
    for ten in numbers.chunks(10) {
        let ten: Vec<_> = ten.iter().map(String::as_str).collect();
        api.register(&ten, sellers.clone());
    }
}

/// Ends the service, which seals everything, and starts one that seals at once and then not for an
/// hour; the number of sealed entries.
fn seal_all_and_nothing_more(world: &mut World) -> u64 {
    let data = world.service.data().to_owned();
    assert!(world.service.terminate().success());
    let sealed = fs::read_dir(data.join("log"))
        .unwrap()
        .find_map(|log| fs::read_to_string(log.unwrap().path().join("checkpoint")).ok());
    let sealed = size_of(&sealed.expect("the log's checkpoint"));
    let launch = Launch::on(&data).set("AUDIT__PERIOD_MS", "3600000");
    world.service = match &world.redis {
        // The lease of the service before may hold, and then it seals nothing at all.
        Some(redis) => launch.redis(&redis.url()).start(),
        None => {
            let service = launch.start();
            let public = service.anonymous();
            eventually("the start is sealed", || sealed_entries(&public) > sealed);
            service
        }
    };
    sealed
}

fn size_of(checkpoint: &str) -> u64 {
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

/// The size of the newest checkpoint.
fn sealed_entries(api: &Api) -> u64 {
    size_of(&api.get("/log/checkpoint").expect(200).text())
}

/// A row of the large set; whose it is counted as, what must be found, and how the number was
/// opted out.
fn large_set(
    call: usize,
    after: metrust::domain::Moment,
) -> (String, (&'static str, &'static str, &'static str)) {
    let n = call % 4_000;
    let hour = 3_600_000;
    let hours = |hours: i64| metrust::domain::Moment::from_millis(after.millis() + hours * hour);
    let row = |time, said: &str| format!("{},{time},{said}\n", number(n));
    let registered = match n {
        0..300 => "all_sellers",
        1_000..1_100 => "this_seller",
        _ => "no",
    };
    let told = if n < 300 {
        "checked_suppressed"
    } else {
        "checked_clear"
    };
    match call / 4_000 {
        0 => {
            let finding = if n < 2_500 { told } else { "not_covered" };
            (row(hours(1), "calls,telco"), ("calls", finding, registered))
        }
        1 => {
            let finding = if n < 2_500 {
                "check_expired"
            } else {
                "not_covered"
            };
            (
                row(hours(30), "calls,telco"),
                ("calls", finding, registered),
            )
        }
        2 => {
            let clear = (2_500..3_000).contains(&n);
            let finding = if clear {
                "checked_clear"
            } else {
                "not_covered"
            };
            (
                row(hours(1), "others,telco"),
                ("others", finding, registered),
            )
        }
        3 => {
            let (agency, finding) = match n {
                0..2_500 => ("calls", told),
                2_500..3_000 => ("others", told),
                _ => ("-", "not_covered"),
            };
            // The last check of the numbers opted out of telco's calls was for energy.
            let registered = if n < 300 { "all_sellers" } else { "no" };
            (row(hours(1), ","), (agency, finding, registered))
        }
        _ if n >= 3_990 => {
            let row = format!("anonymous,{after},calls,telco\n");
            (row, ("calls", "invalid_number", ""))
        }
        _ => (
            row(hours(-48), "calls,telco"),
            // Before there was a record.
            ("calls", "not_covered", "unknown"),
        ),
    }
}

/// Somebody who answers as a service does until the rows come, and then only this.
fn breaks_off(answer: &'static str) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        for answer in [
            "HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            answer,
        ] {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(&stream);
            let mut line = String::new();
            // The body ends with a chunk of length nothing, and an empty line.
            while line != "0\r\n" {
                line.clear();
                assert_ne!(lines.read_line(&mut line).unwrap(), 0);
            }
            lines.read_exact(&mut [0; 2]).unwrap();
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, served)
}

#[test]
fn a_match_that_breaks_off_says_so_and_leaves_no_file_that_looks_complete() {
    let rows = "called,time,finding\n+32470000001,2026-11-21 19:00:00,never_checked\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n";
    let cut = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{rows}\r\n",
        rows.len()
    );
    let without_summary = format!("{cut}0\r\n\r\n");
    for (answer, arrives) in [(cut, true), (without_summary, true), (String::new(), false)] {
        let (url, served) = breaks_off(answer.leak());
        let folder = tempdir().unwrap();
        let calls = folder.path().join("calls.csv");
        fs::write(&calls, "called,time\n+32470000001,2026-11-21 19:00:00\n").unwrap();
        let (out, counts) = (
            folder.path().join("out.csv"),
            folder.path().join("counts.csv"),
        );
        let ended = run(metrust()
            .args(["audit", "match"])
            .arg(&calls)
            .arg("--output")
            .arg(&out)
            .arg("--summary")
            .arg(&counts)
            .env("METRUST_URL", url)
            .env("METRUST_KEY", "mtr_test"));
        served.join().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains("INCOMPLETE"), "{ended:?}");
        assert!(!out.exists() && !counts.exists(), "{ended:?}");
        assert_eq!(
            folder.path().join("out.csv.part").exists(),
            arrives,
            "{ended:?}"
        );
        assert!(
            !ended.stderr.contains("never_checked"),
            "no counts: {ended:?}"
        );
    }
}
