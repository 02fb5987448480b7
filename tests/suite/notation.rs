//! How numbers are written where they come from is said in the same words on every way in: the
//! country they are dialled from, and that digits begin with a country code.

use std::fs;

use serde_json::json;

use crate::audit::text;
use crate::harness::csv::rows;
use crate::harness::service::metrust;
use crate::harness::{World, on_every_store};

/// MSISDNs: each is a German landline, too, for whoever is not told.
const MSISDNS: [(&str, &str); 3] = [
    ("491701234007", "+491701234007"),
    ("4915112340078", "+4915112340078"),
    ("491631234007", "+491631234007"),
];

on_every_store! {
    fn digits_that_begin_with_a_country_code_are_read_wherever_that_is_said(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let regulator = operator.regulator();
        for (digits, number) in MSISDNS {
            let ask = |told: bool| json!({
                "numbers": [digits], "region": "DE", "sellers": "all", "international": told,
            });
            assert_eq!(dialler.post("/v1/registrations", ask(false)).status, 422);
            dialler.post("/v1/registrations", ask(true)).expect(201);
            assert!(dialler.suppresses(number, "telco"), "{number}");

            let query = [("phone", digits), ("seller", "telco"), ("region", "DE")];
            assert_eq!(dialler.check_with(&query).status, 422);
            let query = [&query[..], &[("numbers", "international")]].concat();
            assert!(dialler.check_with(&query).suppress(), "{digits}");

            for (told, answer) in [(false, "invalid"), (true, "suppress")] {
                let body = json!({
                    "seller": "telco", "numbers": [digits], "region": "DE", "international": told,
                });
                let given = dialler.post("/v1/checks", body).expect(200).json();
                assert_eq!(text(&given["results"][0], "answer"), answer, "{digits}");
            }

            for (told, status) in [(false, 422), (true, 200)] {
                let body = json!({ "phone": digits, "region": "DE", "international": told });
                regulator.post("/v1/audit/openings", body.clone()).expect(status);
                operator.post("/v1/admin/imports/find", body).expect(status);
            }
            let about = regulator.entries(&[
                ("phone", digits), ("region", "DE"), ("numbers", "international"), ("op", "check"),
            ]);
            assert_eq!(about.len(), 3, "{about:?}");

            let now = text(&about[2], "time");
            let records = format!("called,time,agency\n{digits},{now},calls\n");
            for (told, finding) in [("", "invalid_number"), ("&numbers=international", "checked_suppressed")] {
                // A second row that can always be read, as records without one are refused.
                let records = format!("{records}{number},{now},calls\n");
                let path = format!("/v1/audit/match?region=DE&summary=0{told}");
                let headers = [("Content-Type", "text/csv")];
                let found = regulator.call("POST", &path, &headers, records.into()).expect(200);
                assert_eq!(rows(&found.text())[0]["finding"], finding, "{told}");
            }
            let run = |more: &[&str]| {
                let mut command = metrust();
                command
                    .args(["check", "--seller", "telco", "--region", "DE", digits])
                    .args(more)
                    .env("METRUST_URL", world.service.url())
                    .env("METRUST_KEY", dialler.key());
                crate::harness::process::run(&mut command).status.code()
            };
            assert_eq!((run(&[]), run(&["--international"])), (Some(1), Some(10)));
        }
        let query = [("phone", "+32470000001"), ("seller", "telco"), ("numbers", "national")];
        let refused = dialler.check_with(&query).expect(400).text();
        assert!(refused.contains("`numbers`") && refused.contains("international"), "{refused}");
    }

    fn a_list_of_msisdns_is_imported_and_washed_when_it_is_said_what_they_are(world: &World) {
        let dialler = world.dialler();
        let file = world.scratch("msisdns.txt");
        let list = MSISDNS.map(|(digits, _)| digits.to_owned() + "\n").concat();
        fs::write(&file, &list).unwrap();
        let mut import = vec![
            "import", file.to_str().unwrap(), "--source", "a list", "--all-sellers", "--region", "DE",
        ];
        let ended = world.service.cli(&import);
        assert_ne!(ended.status.code(), Some(0));
        import.push("--international");
        let ended = world.service.cli(&import);
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        for (_, number) in MSISDNS {
            assert!(dialler.suppresses(number, "telco"), "{number}");
        }
        for (told, answer) in [("", "invalid"), ("&numbers=international", "suppress")] {
            let path = format!("/v1/wash?seller=telco&region=DE{told}");
            let list = format!("phone\n{list}");
            let headers = [("Content-Type", "text/csv")];
            let came = dialler.call("POST", &path, &headers, list.into()).expect(200).text();
            let answers: Vec<_> = rows(&came).into_iter().map(|row| row["answer"].clone()).collect();
            assert_eq!(answers, [answer; 3], "{came}");
        }
        let wash = |more: &[&str]| {
            let mut command = metrust();
            command
                .args(["wash", file.to_str().unwrap(), "--seller", "telco", "--region", "DE"])
                .args(["--output", "-"])
                .args(more)
                .env("METRUST_URL", world.service.url())
                .env("METRUST_KEY", dialler.key());
            let ended = crate::harness::process::run(&mut command);
            (ended.status.code(), ended.stdout, ended.stderr)
        };
        let (status, _, told) = wash(&[]);
        assert!(status != Some(0) && told.contains("--international"), "{told}");
        let (status, washed, told) = wash(&["--international"]);
        assert_eq!((status, washed.matches("suppress").count()), (Some(0), 3), "{told}");
    }

    fn the_region_of_a_row_may_be_a_country_code_as_diallers_have_it(world: &World) {
        let dialler = world.dialler();
        dialler.register(&["+32470000601", "+12125550123", "+442079460006"], json!("all"));
        let list = "phone_code,phone\n32,0470000601\n1,2125550123\n+44,02079460006\nUK,02079460006\n";
        let headers = [("Content-Type", "text/csv")];
        let path = "/v1/wash?seller=telco&column=phone&region_column=phone_code";
        let came = dialler.call("POST", path, &headers, list.into()).expect(200).text();
        let told: Vec<_> = rows(&came)
            .into_iter()
            .map(|row| (row["answer"].clone(), row["reason"].clone()))
            .collect();
        assert!(told[..3].iter().all(|(answer, _)| answer == "suppress"), "{came}");
        assert_eq!(told[3], ("invalid".to_owned(), "region_unknown".to_owned()));
    }

    fn whoever_writes_uk_is_told_that_it_is_gb(world: &World) {
        let dialler = world.dialler();
        let query = [("phone", "02079460006"), ("seller", "telco"), ("region", "UK")];
        let refused = dialler.check_with(&query).expect(400).text();
        assert!(refused.contains("GB for the United Kingdom"), "{refused}");
        let body = json!({ "seller": "telco", "numbers": ["02079460006"], "region": "UK" });
        let refused = dialler.post("/v1/checks", body).expect(400).text();
        assert!(refused.contains("GB for the United Kingdom"), "{refused}");
        let body = json!({ "numbers": ["02079460006"], "region": "UK", "sellers": "all" });
        let refused = dialler.post("/v1/registrations", body).expect(400).text();
        assert!(refused.contains("GB for the United Kingdom"), "{refused}");
        let mut command = metrust();
        command.args(["check", "--seller", "telco", "--region", "UK", "02079460006"]);
        let ended = crate::harness::process::run(&mut command);
        let told = ended.stderr;
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains("GB for the United Kingdom"), "{told}");
    }
}
