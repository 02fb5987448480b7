//! What the log cannot know, it does not say: names that nobody has, times that the record does not
//! cover, numbers that were imported, files of which no row can be read.

use std::fs;

use metrust::domain::{Moment, Op};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::audit::text;
use crate::bundles::{all_sealed, log_of};
use crate::harness::csv::rows;
use crate::harness::process::Ended;
use crate::harness::{Answer, Api, World, number, on_every_store};
use crate::imports::{Import, lines};

fn send(api: &Api, query: &str, records: &str) -> Answer {
    let headers = [("Content-Type", "text/csv")];
    let path = format!("/v1/audit/match?{query}");
    api.call("POST", &path, &headers, records.into())
}

/// The rows that come back, without the counts.
fn matched(
    api: &Api,
    query: &str,
    records: &str,
) -> Vec<std::collections::BTreeMap<String, String>> {
    let query = format!("{query}&summary=0");
    let table = rows(&send(api, &query, records).expect(200).text());
    table
        .into_iter()
        .map(|row| row.into_iter().collect())
        .collect()
}

/// `metrust audit match` of a file with this in it.
fn match_file(world: &World, records: &str, more: &[&str]) -> Ended {
    let folder = tempdir().unwrap();
    let calls = folder.path().join("calls.csv");
    fs::write(&calls, records).unwrap();
    world
        .service
        .cli(&[&["audit", "match", calls.to_str().unwrap()], more].concat())
}

#[track_caller]
fn failed(ended: &Ended, why: &str) {
    assert_eq!(ended.status.code(), Some(1), "{why}: {ended:?}");
    assert!(ended.stderr.contains(why), "{why}: {ended:?}");
    assert!(!ended.stderr.contains("is complete"), "{ended:?}");
    assert!(
        !ended.stderr.contains("4700000") && !ended.stdout.contains("4700000"),
        "{ended:?}"
    );
}

fn now() -> String {
    Moment::now().to_string()
}

/// As retention leaves the log that is written now: its entries are gone.
fn drop_entries(world: &World) {
    all_sealed(world);
    let live = world.service.data().join("log").join(log_of(world));
    fs::write(live.join("dropped"), "").unwrap();
    fs::remove_dir_all(live.join("tile/entries")).unwrap();
}

on_every_store! {
    fn a_name_that_nobody_has_is_an_error_and_accuses_nobody(world: &World) {
        let regulator = world.operator().regulator();
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let calls = format!("called,time\n{},{}\n", number(1), now());
        for (filter, code, word) in [
            ("agency=nobody", "unknown_agency", "agency"),
            ("seller=nobody", "unknown_seller", "seller"),
        ] {
            for answer in [
                send(&regulator, &format!("default_{filter}"), &calls),
                regulator.get(&format!("/v1/audit/entries?{filter}")),
                regulator.get(&format!("/v1/audit/entries?{filter}&format=csv&op=check")),
                regulator.get(&format!("/v1/reports?{filter}")),
            ] {
                let problem = answer.expect(404).json();
                assert_eq!(text(&problem, "code"), code);
                assert!(text(&problem, "detail").contains(word), "{problem}");
            }
            let (name, _) = filter.split_once('=').unwrap();
            let default = format!("--default-{name}");
            failed(&match_file(world, &calls, &[&default, "nobody"]), word);
            failed(&world.service.cli(&["audit", "export", &format!("--{name}"), "nobody"]), word);
        }
        assert!(regulator.entries(&[("op", "opening")]).is_empty(), "nothing was matched");
        // In the rows themselves: those of a stranger are no calls without a check.
        let now = now();
        let calls = format!(
            "called,time,agency,seller\n{one},{now},calls,telco\n{one},{now},nobody,telco\n{one},{now},calls,nobody\n",
            one = number(1),
        );
        let found = matched(&regulator, "", &calls);
        let found: Vec<_> = found.iter().map(|row| (&*row["finding"], &*row["reason"])).collect();
        assert_eq!(found, [
            ("checked_clear", ""),
            ("unreadable_row", "unknown_agency"),
            ("unreadable_row", "unknown_seller"),
        ]);
        let ended = match_file(world, &calls, &[]);
        assert_eq!(ended.status.code(), Some(4), "{ended:?}");
        assert!(ended.stderr.contains("2 rows could not be read"), "{ended:?}");
        let strangers = format!("called,time,agency\n{},{now},nobody\n", number(1));
        failed(&match_file(world, &strangers, &[]), "unknown_agency");
    }

    fn a_call_that_the_record_does_not_cover_is_never_said_to_be_unchecked(world: &World) {
        let regulator = world.operator().regulator();
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let now = now();
        let calls = format!(
            "called,time\n{one},{now}\n{two},{now}\n{two},2020-03-01T12:00:00Z\n",
            one = number(1), two = number(2),
        );
        let said = |calls: &str| {
            let found = matched(&regulator, "", calls);
            let said = found.into_iter().map(|mut row| {
                ["finding", "registered", "reason"].map(|name| row.remove(name).unwrap())
            });
            said.collect::<Vec<_>>()
        };
        assert_eq!(said(&calls), [
            ["checked_clear", "no", ""],
            ["never_checked", "no", ""],
            ["not_covered", "unknown", "before_the_record"],
        ]);
        drop_entries(world);
        for row in said(&calls) {
            assert_eq!(row[1..], ["unknown", "entries_gone"], "{row:?}");
            assert_eq!(row[0], "not_covered");
        }
        let ended = match_file(world, &calls, &[]);
        assert!(ended.stderr.contains("of 3 calls the record cannot tell"), "{ended:?}");
        assert!(!ended.stdout.contains("never_checked"), "{ended:?}");
    }

    fn a_number_that_was_imported_is_never_said_to_be_not_opted_out(world: &World) {
        let regulator = world.operator().regulator();
        let dialler = world.dialler();
        let before = now();
        Import::run(&world.operator(), &[lines(1..=2)], json!({}));
        dialler.check(&number(1), "telco").expect(200);
        dialler.register(&[&number(5)], json!("all"));
        let now = now();
        let calls = format!(
            "called,time\n{one},{now}\n{two},{now}\n{three},{now}\n{five},{now}\n{two},{before}\n",
            one = number(1), two = number(2), three = number(3), five = number(5),
        );
        let found = matched(&regulator, "", &calls);
        let found: Vec<_> = found.iter().map(|row| (&*row["finding"], &*row["registered"])).collect();
        assert_eq!(found, [
            ("checked_suppressed", "imported"),
            ("never_checked", "imported"),
            ("never_checked", "unknown"),
            ("never_checked", "all_sellers"),
            ("never_checked", "no"),
        ]);
        let told = send(&regulator, "format=ndjson", &calls).expect(200).text();
        let told: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        let total = &told["summary"]["total"];
        assert_eq!((&total["registered_no"], &total["registered_unknown"]), (&json!(1), &json!(1)));
        assert_eq!(total["registered_imported"], 2);
        let ended = match_file(world, &calls, &[]);
        assert!(ended.status.success() && ended.stderr.contains("UNKNOWN"), "{ended:?}");
        assert!(ended.stderr.contains("of 1 calls the log cannot tell whether"), "{ended:?}");
    }

    fn a_list_counts_for_its_seller_from_its_end_until_it_is_taken_out(world: &World) {
        let regulator = world.operator().regulator();
        world.dialler();
        let before = now();
        Import::run(&world.operator(), &[lines(1..=3)], json!({"seller": "telco"}));
        let with = now();
        Import::run(&world.operator(), &[lines(2..=2)], json!({"seller": "telco", "remove": true}));
        let after = now();
        let found = |seller: &str, n: usize, at: &str| {
            let call = format!("called,time,seller\n{},{at},{seller}\n", number(n));
            matched(&regulator, "", &call)[0]["registered"].clone()
        };
        assert_eq!(found("telco", 1, &before), "no", "it was not there yet");
        assert_eq!(found("telco", 1, &with), "imported");
        assert_eq!(found("energy", 1, &with), "unknown", "the list was for another");
        assert_eq!(found("", 1, &with), "unknown", "nobody knows for whom the call was");
        assert_eq!(found("telco", 2, &with), "imported");
        assert_eq!(found("telco", 2, &after), "unknown", "it was taken out");
        assert_eq!(found("telco", 3, &after), "imported");
        // A removal that broke off may have taken it out, or not.
        let begun = Import::begin(&world.operator(), &[lines(3..=3)], json!({"seller": "telco", "remove": true}));
        begun.put(1).expect(200);
        assert_eq!(found("telco", 3, &now()), "unknown");
        assert_eq!(found("telco", 3, &after), "imported", "it was in before");
    }

    fn records_of_which_no_row_can_be_read_are_an_error(world: &World) {
        let regulator = world.operator().regulator();
        let zone = ["--region", "BE", "--time-zone", "+01:00"];
        let fails = |records: &str, why: &str| failed(&match_file(world, records, &zone), why);
        fails("called,time\n", "no rows");
        fails("called,time\n+32470000501,yesterday\n+32470000502,\n", "unreadable_time (2)");
        fails("called,time\nnobody,2026-11-30 20:22:14\n", "letters (1)");
        // Of two rows one can be read: the other is told.
        let apart = "Date,Time,Called Number\n30/11/2026,20:22:14,+32470000501\nnever,20:22:14,+32470000501\n";
        let ended = match_file(world, apart, &zone);
        assert_eq!(ended.status.code(), Some(4), "{ended:?}");
        assert!(ended.stdout.contains("unreadable_row") && ended.stderr.contains("1 rows could not"), "{ended:?}");
        // An hour off turns a check that was made into none: the hour is not guessed.
        let local = "called,time\n+32470000581,2026-11-30 21:27:53\n";
        let problem = send(&regulator, "", local).expect(422).json();
        assert_eq!(text(&problem, "code"), "unreadable_records");
        assert!(text(&problem, "remedy").contains("time_zone="), "{problem}");
        // By a time of its own it is read.
        let own = "called,time\n+32470000581,2026-11-30T21:27:53+01:00\n";
        assert!(match_file(world, own, &[]).status.success());
    }

    fn an_export_of_a_time_whose_entries_are_gone_says_so(world: &World) {
        let regulator = world.operator().regulator();
        let first = text(&regulator.entries(&[])[0], "time").to_owned();
        let year: u16 = first[..4].parse().unwrap();
        let (from, to) = (format!("{year}-01-01"), format!("{}-01-01", year + 1));
        let span = format!("/v1/audit/entries?from={from}&to={to}");
        let whole = regulator.get(&span).expect(200);
        assert!(whole.header("metrust-entries-since").is_empty() && !whole.text().is_empty());
        drop_entries(world);
        let problem = regulator.get(&span).expect(410).json();
        assert_eq!(text(&problem, "code"), "entries_gone");
        failed(
            &world.service.cli(&["audit", "export", "--from", &from, "--to", &to]),
            "no longer there",
        );
        let folder = tempdir().unwrap();
        let file = folder.path().join("all.ndjson");
        let ended = world.service.cli(&["audit", "export", "--output", file.to_str().unwrap()]);
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stderr.contains("no longer there"), "{ended:?}");
    }

    fn every_kind_of_entry_can_be_asked_for(world: &World) {
        let regulator = world.operator().regulator();
        for op in Op::ALL.map(Op::as_str) {
            regulator.get(&format!("/v1/audit/entries?op={op}")).expect(200);
            let ended = world.service.cli(&["audit", "export", "--op", op]);
            assert!(ended.status.success(), "{op}: {ended:?}");
        }
        let ended = world.service.cli(&["audit", "export", "--op", "nonsense"]);
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        let problem = regulator.get("/v1/audit/entries?op=nonsense").expect(400).json();
        assert!(text(&problem, "remedy").contains("report"), "{problem}");
    }
}
