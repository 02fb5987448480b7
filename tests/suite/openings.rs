//! Finding one number in the log, and nobody else's.

use data_encoding::HEXLOWER;
use metrust::domain::{Moment, PhoneNumber, Pseudonym};
use metrust::log::{Note, Verifier};
use metrust::privacy::{MonthKey, Opening};
use serde_json::{Value, json};

use crate::audit::text;
use crate::harness::{World, number, on_every_store};
use crate::receipts::verifiers;

fn bytes(hex: &str) -> [u8; 32] {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

fn pn_of(entry: &Value) -> Pseudonym {
    let hex = HEXLOWER.decode(text(entry, "pn").as_bytes()).unwrap();
    Pseudonym(hex.try_into().unwrap())
}

on_every_store! {
    fn an_opening_finds_its_own_number_and_no_other_and_is_on_record(world: &mut World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco");
        dialler.check(&number(2), "telco");
        let regulator = world.operator().regulator();
        let given = regulator
            .post("/v1/audit/openings", json!({ "phone": number(1) }))
            .expect(200)
            .text();
        let note = Note::parse(given.as_bytes()).unwrap();
        let mut lines = note.text.lines();
        assert_eq!(lines.next(), Some("metrust openings v1"));
        let base = lines.next().unwrap();
        let time = lines.next().unwrap().strip_prefix("time ").unwrap();
        assert!(time.parse::<Moment>().is_ok(), "{time}");
        let log = &verifiers(&world.anonymous())[0];
        let key = Verifier::new(base, log.kind(), &log.public_key()).unwrap();
        assert!(note.verify(&[key]).is_ok());
        assert!(!given.contains(&number(1)[1..]), "the number itself is not repeated");

        let checks = regulator.entries(&[("op", "check")]);
        let phone = |n| PhoneNumber::parse(&number(n), None).unwrap();
        let mut months = 0;
        let mut found = 0;
        for line in lines {
            let parts: Vec<_> = line.split(' ').collect();
            let opening = Opening::from_bytes(bytes(parts[1]));
            let pn = opening.pseudonym(&phone(1));
            assert_eq!(HEXLOWER.encode(&pn.0), parts[2]);
            found += checks.iter().filter(|entry| pn_of(entry) == pn).count();
            let stranger = opening.pseudonym(&phone(2));
            assert!(checks.iter().all(|entry| pn_of(entry) != stranger));
            months += 1;
        }
        assert_eq!((found, months), (1, 3), "this month and those beside it have keys");
        let opened = regulator.entries(&[("op", "opening")]);
        assert_eq!(opened.len(), 3);
        assert!(opened.iter().all(|entry| entry["reason"] == "opened" && entry["key"].is_string()));
    }

    fn only_those_who_read_the_audit_are_given_openings_and_for_months_there_were(world: &mut World) {
        let dialler = world.dialler();
        let ask = json!({ "phone": number(1) });
        dialler.post("/v1/audit/openings", ask.clone()).expect(403);
        world.anonymous().post("/v1/audit/openings", ask).expect(401);
        let operator = world.operator();
        for (month, status) in [("2001-01", 404), ("november", 400), ("", 400)] {
            let ask = json!({ "phone": number(1), "months": [month] });
            operator.post("/v1/audit/openings", ask).expect(status);
        }
        operator
            .post("/v1/audit/openings", json!({ "phone": "112" }))
            .expect(422);
        assert!(operator.entries(&[("op", "opening")]).is_empty(), "nothing was opened");
    }

    fn a_whole_month_is_released_by_the_operator_alone_with_a_reason_on_record(world: &mut World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco");
        let operator = world.operator();
        let check = operator.entries(&[("op", "check")]).remove(0);
        let month = &text(&check, "time")[..7];
        let path = format!("/v1/admin/months/{month}/release");
        let reason = json!({ "reason": "court order, case 12" });
        operator.regulator().post(&path, reason.clone()).expect(403);
        for bad in ["", "call +32 475 12 34 56", "a\nb"] {
            operator.post(&path, json!({ "reason": bad })).expect(422);
        }
        operator
            .post("/v1/admin/months/2001-01/release", reason.clone())
            .expect(404);
        let released = operator.post(&path, reason).expect(200).json();
        let key = MonthKey::from_bytes(bytes(text(&released, "key")));
        let phone = PhoneNumber::parse(&number(1), None).unwrap();
        assert_eq!(key.opening(&phone).pseudonym(&phone), pn_of(&check));
        assert_eq!(HEXLOWER.encode(&key.commitment()), text(&released, "commitment"));

        let keys = operator.entries(&[("op", "key")]);
        let committed = keys.iter().find(|entry| {
            entry["reason"] == "month_key" && entry["month"] == month
        });
        assert_eq!(committed.unwrap()["commitment"], released["commitment"]);
        let entry = keys.iter().find(|entry| entry["reason"] == "month_released").unwrap();
        assert_eq!(text(entry, "note"), "court order, case 12");
        assert_eq!(text(entry, "month"), month);
    }

    fn entries_of_years_that_must_be_kept_are_not_dropped(world: &mut World) {
        let operator = world.operator();
        let year: u16 = text(&operator.entries(&[])[0], "time")[..4].parse().unwrap();
        let prune = |before: u16| operator.post("/v1/admin/log/prune", json!({ "before": before }));
        for early in [year + 1, year, year - 4] {
            assert_eq!(prune(early).expect(409).json()["code"], "too_young");
        }
        assert_eq!(prune(year - 5).expect(200).json()["pruned"], json!([]));
        assert!(operator.entries(&[("op", "prune")]).is_empty());
    }
}
