//! The audit: every answer has an entry, and every entry is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use serde_json::{Value, json};

use crate::export::busy;
use crate::harness::{World, number, on_every_store};

/// The fields that an entry may have.
pub const FIELDS: &[&str] = &[
    "agency",
    "answer",
    "campaign",
    "changed",
    "channel",
    "client_seq",
    "commitment",
    "entries",
    "id",
    "key",
    "log",
    "month",
    "note",
    "numbers",
    "op",
    "pn",
    "public_key",
    "reason",
    "rejected",
    "role",
    "salt",
    "seller",
    "subject_key",
    "time",
    "v",
    "version",
    "writer",
    "writer_seq",
];

/// RFC 8785 for an entry, which is flat: keys sorted, no blanks.
fn canonical(entry: &Value) -> String {
    let sorted: BTreeMap<_, _> = entry.as_object().unwrap().iter().collect();
    let fields: Vec<_> = sorted
        .iter()
        .map(|(key, value)| format!("{}:{value}", json!(key)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// A field that must be there.
pub fn text<'e>(entry: &'e Value, field: &str) -> &'e str {
    entry[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {entry}"))
}

/// The ids of the entries, each of which stands once.
pub fn ids(entries: &[Value]) -> BTreeSet<String> {
    let ids: BTreeSet<_> = entries
        .iter()
        .map(|entry| text(entry, "id").to_string())
        .collect();
    assert_eq!(ids.len(), entries.len(), "no entry stands twice");
    ids
}

#[track_caller]
fn assert_hex(entry: &Value, field: &str, length: usize) {
    let value = text(entry, field);
    let hex = value
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(hex && value.len() == length, "{field} of {entry}");
}

/// The numbers in each group have no gap and no double.
#[track_caller]
fn assert_contiguous(entries: &[Value], group: &str, sequence: &str) {
    let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry[sequence].is_null()) {
        let value = entry[sequence]
            .as_u64()
            .unwrap_or_else(|| panic!("{sequence} of {entry}"));
        groups
            .entry(text(entry, group).to_string())
            .or_default()
            .push(value);
    }
    assert!(!groups.is_empty(), "no entry has a {sequence}");
    for (name, mut values) in groups {
        values.sort_unstable();
        let (first, last) = (values[0], values[values.len() - 1]);
        assert!(first <= 1, "{sequence} of {group} {name} begins at {first}");
        assert_eq!(
            last - first + 1,
            values.len() as u64,
            "{sequence} of {group} {name}: {values:?}"
        );
        assert!(
            values.windows(2).all(|pair| pair[0] < pair[1]),
            "{sequence} of {group} {name}: {values:?}"
        );
    }
}

on_every_store! {
    fn an_entry_says_who_asked_for_whom_about_which_pseudonym_and_what_was_answered(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let parameters = [
            ("phone", &*number(1)),
            ("seller", "telco"),
            ("campaign", "spring"),
            ("channel", "voice"),
        ];
        let answer = dialler.check_with(&parameters).expect(200).json();
        let entries = world.operator().entries(&[]);
        let entry = entries
            .iter()
            .find(|entry| entry["id"] == answer["id"])
            .expect("the check's entry");
        let expected = json!({
            "agency": "calls", "answer": "suppress", "campaign": "spring", "channel": "voice",
            "op": "check", "reason": "all_sellers", "seller": "telco", "v": 1,
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&entry[field], value, "{field} of {entry}");
        }
        let keys = world.operator().get("/v1/admin/keys").expect(200).json();
        let key = keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["role"] == "dialler")
            .unwrap();
        assert_eq!(entry["key"], key["id"]);
        let registered = entries
            .iter()
            .find(|entry| entry["op"] == "register")
            .expect("the registration's entry");
        assert_eq!(registered["seller"], "all");
        assert_eq!(registered["pn"], entry["pn"]);
        assert_eq!(registered["channel"], "voice,text");
        assert!(
            entries.iter().any(|entry| entry["op"] == "key"),
            "keys that were made are on record"
        );
        assert!(
            entries.iter().any(|entry| entry["op"] == "start"),
            "starts are on record"
        );
    }

    fn every_line_of_the_export_is_the_canonical_form_of_its_entry(world: &World) {
        busy(world);
        let answer = world
            .operator()
            .regulator()
            .get("/v1/audit/entries")
            .expect(200);
        assert!(
            answer
                .header("Content-Type")
                .starts_with("application/x-ndjson"),
            "{:?}",
            answer.headers
        );
        let whole = answer.text();
        assert!(whole.ends_with('\n'));
        for line in whole.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line, canonical(&entry));
            for (field, value) in entry.as_object().unwrap() {
                assert!(FIELDS.contains(&field.as_str()), "{field} in {entry}");
                assert!(!value.is_null(), "absent fields are left out: {entry}");
            }
            assert_hex(&entry, "salt", 32);
            assert_hex(&entry, "writer", 16);
            assert_eq!(entry["v"], 1);
            let time = text(&entry, "time");
            assert!(
                time.len() == 24 && time.as_bytes()[19] == b'.' && time.ends_with('Z'),
                "{time}"
            );
            if ["check", "register", "withdraw"].contains(&text(&entry, "op"))
                && entry["answer"] != "invalid"
            {
                assert_hex(&entry, "pn", 32);
            }
        }
    }

    fn one_number_has_one_pseudonym_and_every_entry_its_own_salt(world: &World) {
        let dialler = world.dialler();
        for n in [1, 1, 2, 1] {
            dialler.check(&number(n), "telco").expect(200);
        }
        let entries = world.operator().entries(&[]);
        let checks: Vec<_> = entries
            .iter()
            .filter(|entry| entry["op"] == "check")
            .collect();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        checks
            .iter()
            .for_each(|entry| *times.entry(text(entry, "pn")).or_default() += 1);
        let mut times: Vec<_> = times.into_values().collect();
        times.sort_unstable();
        assert_eq!(times, [1, 3]);
        let salts: BTreeSet<_> = entries.iter().map(|entry| text(entry, "salt")).collect();
        assert_eq!(salts.len(), entries.len());
    }

    fn every_check_of_many_at_once_is_in_the_export_exactly_once_without_a_gap(world: &World) {
        const CLIENTS: usize = 6;
        const CHECKS: usize = 40;
        let first = world.dialler();
        let second = world.operator().dialler_of("calls");
        let replica = world.replica();
        let there = replica
            .as_ref()
            .map_or_else(|| world.service.url(), |replica| replica.url());
        let answered: Vec<String> = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let key = if client % 2 == 0 { &first } else { &second };
                    let dialler = if client < CLIENTS / 2 {
                        key.on(key.url())
                    } else {
                        key.on(&there)
                    };
                    scope.spawn(move || -> Vec<String> {
                        (0..CHECKS)
                            .map(|n| dialler.check(&number(n % 7), "telco").expect(200).id())
                            .collect()
                    })
                })
                .collect();
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });
        let many = json!({"seller": "telco", "numbers": (0..300).map(number).collect::<Vec<_>>()});
        let listed = first.post("/v1/checks", many).expect(200).json();
        let listed = listed["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| text(result, "id").to_string());
        let answered: Vec<_> = answered.into_iter().chain(listed).collect();
        let distinct: BTreeSet<_> = answered.iter().cloned().collect();
        assert_eq!(distinct.len(), CLIENTS * CHECKS + 300);

        let operator = world.operator();
        assert_eq!(ids(&operator.entries(&[("op", "check")])), distinct);
        let all = operator.entries(&[]);
        assert_contiguous(&all, "writer", "writer_seq");
        assert_contiguous(&all, "agency", "client_seq");
        let checks: Vec<_> = all
            .into_iter()
            .filter(|entry| entry["op"] == "check")
            .collect();
        assert!(checks.iter().all(|entry| entry["client_seq"].is_u64()));
        assert_eq!(
            checks
                .iter()
                .map(|entry| text(entry, "key"))
                .collect::<BTreeSet<_>>()
                .len(),
            2
        );
    }

    fn entries_survive_a_restart_and_a_new_writer_begins(world: &mut World) {
        let dialler = world.dialler();
        let before = dialler.check(&number(1), "telco").expect(200).id();
        world.service.restart();
        let after = dialler
            .on(&world.service.url())
            .check(&number(1), "telco")
            .expect(200)
            .id();
        let entries = world.operator().entries(&[]);
        let writer = |id: &str| {
            entries
                .iter()
                .find(|entry| entry["id"] == id)
                .expect("an entry")["writer"]
                .clone()
        };
        assert_ne!(writer(&before), writer(&after));
        assert_contiguous(&entries, "writer", "writer_seq");
        assert_contiguous(&entries, "agency", "client_seq");
    }
}
