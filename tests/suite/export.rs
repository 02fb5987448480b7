//! The export: a regulator finds exactly what it looks for, in a form that it can keep and open.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::audit::{FIELDS, ids, text};
use crate::harness::{Api, World, csv, number, on_every_store};

fn ids_where(entries: &[Value], fits: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    ids(&entries
        .iter()
        .filter(|entry| fits(entry))
        .cloned()
        .collect::<Vec<_>>())
}

/// Two agencies, two sellers, checks of every kind, a registration and a withdrawal.
pub fn busy(world: &World) -> Api {
    let calls = world.dialler();
    world.operator().add_agency("others", &["telco"]);
    let others = world.operator().dialler_of("others");
    calls.register(&[&number(1)], json!("all"));
    let code = calls.register(&[&number(2)], json!(["telco"]));
    for n in 1..=3 {
        calls.check(&number(n), "telco").expect(200);
        calls.check(&number(n), "energy").expect(200);
        others
            .check_with(&[
                ("phone", &number(n)),
                ("seller", "telco"),
                ("channel", "text"),
                ("campaign", "spring"),
            ])
            .expect(200);
    }
    calls.withdraw(&code).expect(200);
    calls.check(&number(2), "telco").expect(200);
    calls
}

on_every_store! {
    fn each_filter_gives_exactly_the_entries_that_fit(world: &World) {
        busy(world);
        let operator = world.operator();
        let all = operator.entries(&[]);
        let same = |filters: &[(&str, &str)], fits: &dyn Fn(&Value) -> bool| {
            let expected = ids_where(&all, fits);
            assert!(
                !expected.is_empty(),
                "the test has something to find with {filters:?}"
            );
            assert_eq!(ids(&operator.entries(filters)), expected, "{filters:?}");
        };
        same(&[("agency", "others")], &|entry| {
            entry["agency"] == "others"
        });
        for op in ["check", "register", "withdraw", "key", "start"] {
            same(&[("op", op)], &|entry| entry["op"] == op);
        }
        for answer in ["suppress", "not_listed"] {
            same(&[("answer", answer)], &|entry| entry["answer"] == answer);
        }
        same(&[("op", "check"), ("seller", "telco")], &|entry| {
            entry["op"] == "check" && entry["seller"] == "telco"
        });
        same(
            &[
                ("op", "check"),
                ("agency", "calls"),
                ("seller", "energy"),
                ("answer", "suppress"),
            ],
            &|entry| {
                [
                    &entry["op"],
                    &entry["agency"],
                    &entry["seller"],
                    &entry["answer"],
                ] == ["check", "calls", "energy", "suppress"]
            },
        );
        let unknown = operator.get("/v1/audit/entries?agency=nobody-at-all");
        assert_eq!(unknown.expect(404).json()["code"], "unknown_agency");
    }

    fn the_phone_filter_finds_all_that_happened_to_one_number_however_it_is_written(world: &World) {
        let dialler = busy(world);
        let id = dialler.check(&number(1), "telco").expect(200).id();
        let operator = world.operator();
        let all = operator.entries(&[]);
        let pn = all.iter().find(|entry| entry["id"] == *id).unwrap()["pn"].clone();
        let expected = ids_where(&all, |entry| entry["pn"] == pn);
        assert_eq!(
            expected.len(),
            1 + 3 + 1,
            "one registration and four checks"
        );
        let national = format!("0{}", &number(1)[3..]);
        for filters in [
            vec![("phone", &*number(1))],
            vec![("phone", &*national), ("region", "BE")],
        ] {
            assert_eq!(ids(&operator.entries(&filters)), expected, "{filters:?}");
        }
        assert_eq!(operator.entries(&[("phone", &number(9))]).len(), 0);
        let looks = operator.entries(&[("phone", &number(1)), ("op", "opening")]);
        assert_eq!(looks.len(), 2, "who looks for a number is on record, too");
        assert!(looks.iter().all(|look| look["pn"] == pn && look["key"].is_string()));
        operator
            .get("/v1/audit/entries?phone=hello")
            .expect_refused();
    }

    fn from_is_inclusive_and_to_is_exclusive_in_times_and_in_days(world: &World) {
        busy(world);
        let operator = world.operator();
        let all = operator.entries(&[]);
        let mut times: Vec<_> = all
            .iter()
            .map(|entry| text(entry, "time").to_string())
            .collect();
        times.sort_unstable();
        let (middle, last) = (
            times[times.len() / 2].as_str(),
            times.last().unwrap().as_str(),
        );
        let since = ids_where(&all, |entry| text(entry, "time") >= middle);
        let before = ids_where(&all, |entry| text(entry, "time") < middle);
        assert_eq!(ids(&operator.entries(&[("from", middle)])), since);
        assert_eq!(ids(&operator.entries(&[("to", middle)])), before);
        let between = ids_where(&all, |entry| (middle..last).contains(&text(entry, "time")));
        assert_eq!(
            ids(&operator.entries(&[("from", middle), ("to", last)])),
            between
        );
        let elsewhere = middle.replace('Z', "+00:00");
        assert_eq!(
            ids(&operator.entries(&[("from", &elsewhere)])),
            since,
            "any RFC 3339 form"
        );

        let day = &last[..10];
        let that_day = ids_where(&all, |entry| text(entry, "time").starts_with(day));
        assert_eq!(ids(&operator.entries(&[("from", day)])), that_day);
        let days_before = ids_where(&all, |entry| &text(entry, "time")[..10] < day);
        assert_eq!(ids(&operator.entries(&[("to", day)])), days_before);
        assert_eq!(operator.entries(&[("from", "2999-01-01")]).len(), 0);
        assert_eq!(operator.entries(&[("from", "2000-01-01")]).len(), all.len());
    }

    fn a_filter_that_is_mistyped_is_refused_rather_than_ignored(world: &World) {
        for filter in [
            "from=yesterday",
            "to=2026-13-01",
            "op=chek",
            "answer=maybe",
            "format=xml",
            "agncy=calls",
            "op=check&op=key",
        ] {
            world
                .operator()
                .get(&format!("/v1/audit/entries?{filter}"))
                .expect_refused();
        }
    }

    fn the_csv_holds_what_the_ndjson_holds_and_is_safe_to_open_in_a_spreadsheet(world: &World) {
        let dialler = busy(world);
        let ask = |campaign: &str| {
            dialler.check_with(&[
                ("phone", &*number(5)),
                ("seller", "telco"),
                ("campaign", campaign),
            ])
        };
        ask("=cmd()").expect(200);
        let quoted = ask("a,\"b\";c").status == 200;
        for campaign in ["+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1"] {
            let status = ask(campaign).status;
            assert!(
                [200, 400, 422].contains(&status),
                "{campaign:?} gave {status}"
            );
        }
        let operator = world.operator();
        let entries: BTreeMap<_, _> = operator
            .entries(&[])
            .into_iter()
            .map(|entry| (text(&entry, "id").to_string(), entry))
            .collect();
        let answer = operator.get("/v1/audit/entries?format=csv").expect(200);
        assert!(
            answer.header("Content-Type").starts_with("text/csv"),
            "{:?}",
            answer.headers
        );
        let rows = csv::rows(&answer.text());
        assert_eq!(rows.len(), entries.len());
        for row in &rows {
            let entry = &entries[&row["id"]];
            for field in FIELDS.iter().filter(|field| **field != "campaign") {
                let expected = match &entry[field] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(row.get(*field), Some(&expected), "{field} of {entry}");
            }
            for cell in row.values() {
                assert!(
                    !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                    "{cell:?}"
                );
            }
        }
        let campaigns: Vec<_> = rows.iter().map(|row| row["campaign"].as_str()).collect();
        assert!(
            campaigns
                .iter()
                .any(|campaign| campaign.ends_with("=cmd()")),
            "{campaigns:?}"
        );
        assert!(!quoted || campaigns.contains(&"a,\"b\";c"), "{campaigns:?}");
    }

    fn a_long_export_is_streamed_and_complete(world: &World) {
        let dialler = world.dialler();
        for part in 0..2 {
            let numbers: Vec<_> = (part * 10_000..(part + 1) * 10_000).map(number).collect();
            dialler
                .post("/v1/checks", json!({"seller": "telco", "numbers": numbers}))
                .expect(200);
        }
        for (format, header) in [("ndjson", 0), ("csv", 1)] {
            let answer = world
                .operator()
                .get(&format!("/v1/audit/entries?op=check&format={format}"))
                .expect(200);
            assert_eq!(answer.text().lines().count(), 20_000 + header);
            assert_eq!(
                answer.header("Content-Length"),
                "",
                "a stream does not know its length beforehand"
            );
        }
    }
}
