//! What a spreadsheet, a database or a careless hand makes of a number is read as that number or
//! refused with a reason: never as another number, on whatever way it comes in.

use std::fs;

use serde_json::{Value, json};

use crate::audit::text;
use crate::harness::csv::rows;
use crate::harness::service::{Service, metrust};
use crate::harness::{Api, World, number, on_every_store};

/// What one spelling is answered: `suppress`, `not_listed`, or `invalid` and why.
type Answers = Vec<(String, String)>;

/// As the rows of an answer to `POST /v1/checks` have it.
fn answers(told: &Value) -> Answers {
    let rows = told["results"].as_array().unwrap().iter();
    rows.map(|row| {
        let reason = row["reason"].as_str().unwrap_or_default();
        (text(row, "answer").to_owned(), reason.to_owned())
    })
    .collect()
}

/// Many at once.
fn checks(api: &Api, region: &str, spellings: &[&str]) -> Answers {
    let body = json!({ "seller": "telco", "region": region, "numbers": spellings });
    answers(&api.post("/v1/checks", body).expect(200).json())
}

/// One by one, as a dialler asks.
fn check(api: &Api, region: &str, spelling: &str) -> (String, String) {
    let query = [("phone", spelling), ("seller", "telco"), ("region", region)];
    let answer = api.check_with(&query);
    let told = answer.json();
    match answer.status {
        200 if told["suppress"] == true => ("suppress".into(), text(&told, "reason").into()),
        200 => ("not_listed".into(), String::new()),
        _ => ("invalid".into(), text(&told, "reason").into()),
    }
}

/// A whole list; the number stands in quotes in the column or member `phone`.
fn wash(api: &Api, region: &str, media_type: &str, list: &str) -> Answers {
    let path = format!("/v1/wash?seller=telco&region={region}");
    let headers = [("Content-Type", media_type)];
    let came = api
        .call("POST", &path, &headers, list.into())
        .expect(200)
        .text();
    if media_type == "text/csv" {
        let pair = |row: &std::collections::BTreeMap<String, String>| {
            (row["answer"].clone(), row["reason"].clone())
        };
        return rows(&came).iter().map(pair).collect();
    }
    let lines = came.lines().map(|line| serde_json::from_str(line).unwrap());
    answers(&json!({ "results": lines.collect::<Vec<Value>>() }))
}

/// The same spellings by every way on which a number is asked about.
fn every_way(api: &Api, region: &str, spellings: &[&str]) -> Vec<(&'static str, Answers)> {
    let quoted: String = spellings.iter().map(|s| format!("\"{s}\"\n")).collect();
    let objects: String = spellings
        .iter()
        .map(|s| format!("{}\n", json!({ "phone": s })))
        .collect();
    vec![
        ("checks", checks(api, region, spellings)),
        (
            "check",
            spellings.iter().map(|s| check(api, region, s)).collect(),
        ),
        (
            "csv",
            wash(api, region, "text/csv", &format!("phone\n{quoted}")),
        ),
        (
            "ndjson",
            wash(api, region, "application/x-ndjson", &objects),
        ),
    ]
}

/// `metrust import` of this file; its exit status and the report on what was rejected.
fn import(world: &World, list: &str, region: &str) -> (Option<i32>, String) {
    let file = world.scratch("list.csv");
    let report = world.scratch("rejected.csv");
    let _ = fs::remove_file(&report);
    fs::write(&file, list).unwrap();
    let arguments = [
        "import",
        file.to_str().unwrap(),
        "--source",
        "a list of earlier days",
        "--all-sellers",
        "--region",
        region,
        "--rejected",
        report.to_str().unwrap(),
    ];
    let ended = world.service.cli(&arguments);
    (
        ended.status.code(),
        fs::read_to_string(report).unwrap_or_default(),
    )
}

/// `metrust check`: its exit status, 10 for a number that must not be called.
fn command_line(service: &Service, api: &Api, region: &str, spelling: &str) -> Option<i32> {
    let mut command = metrust();
    command
        .args(["check", "--seller", "telco", "--region", region, spelling])
        .env("METRUST_URL", service.url())
        .env("METRUST_KEY", api.key());
    crate::harness::process::run(&mut command).status.code()
}

/// Numbers of people who opted out, and the region in which their digits alone mean them.
const LISTED: &[(&str, &str)] = &[
    ("DE", "49301234567"),
    ("AT", "436641230071"),
    ("IT", "39024567071"),
    ("FI", "358401234567"),
    ("ID", "6281234567890"),
    ("LU", "352621123456"),
    ("NZ", "64211234567"),
    ("SE", "46701234567"),
    ("BE", "32470123456"),
];

on_every_store! {
    fn what_a_spreadsheet_made_a_decimal_number_is_the_number_or_refused_on_every_way_in(world: &World) {
        let dialler = world.dialler();
        for (region, digits) in LISTED {
            dialler.register(&[&format!("+{digits}")], json!("all"));
            let spellings: Vec<String> = ["", ".0", ".00", ".000"]
                .iter()
                .flat_map(|tail| [format!("{digits}{tail}"), format!("+{digits}{tail}")])
                .collect();
            let spellings: Vec<_> = spellings.iter().map(|s| &**s).collect();
            for (way, told) in every_way(&dialler, region, &spellings) {
                for (spelling, (answer, _)) in spellings.iter().zip(told) {
                    assert_eq!(answer, "suppress", "{spelling} in {region} by {way}");
                }
            }
            // What would lose digits, or holds more than a number, is refused.
            for spelling in [format!("{digits},0"), format!("{digits},00"), "4.930E+10".into()] {
                for (way, told) in every_way(&dialler, region, &[&spelling]) {
                    assert_eq!(told[0].0, "invalid", "{spelling} in {region} by {way}");
                }
            }
            assert_eq!(command_line(&world.service, &dialler, region, &format!("{digits}.0")), Some(10));

            // A number of JSON, not a text.
            let list = format!(
                "{{\"phone\":{digits}}}\n{{\"phone\":{digits}.0}}\n{{\"phone\":{digits}.00}}\n\
                 {{\"phone\":{digits}.5}}\n{{\"phone\":{digits}e0}}\n{{\"phone\":-{digits}}}\n"
            );
            let told = wash(&dialler, region, "application/x-ndjson", &list);
            let told: Vec<_> = told.iter().map(|(answer, _)| &**answer).collect();
            assert_eq!(told, ["suppress", "suppress", "suppress", "invalid", "invalid", "invalid"], "{region}");
        }
    }

    fn a_decimal_number_in_a_list_or_a_registration_takes_nobody_else_in(world: &World) {
        let dialler = world.dialler();
        let list = "name,phone\nAn,49301230071.0\nBo,436641230071.0\nCy,\nDi,+39024567071.0\n";
        let (_, rejected) = import(world, list, "DE");
        for (person, stranger, line) in [
            ("+49301230071", "+493012300710", 2),
            ("+436641230071", "+4366412300710", 3),
            ("+39024567071", "+390245670710", 5),
        ] {
            assert!(!dialler.suppresses(stranger, "telco"), "{stranger} never opted out");
            let refused = rejected.lines().any(|row| row.starts_with(&format!("{line},phone_")));
            assert!(refused || dialler.suppresses(person, "telco"), "line {line}: {rejected}");
        }
        assert!(dialler.suppresses("+49301230071", "telco"));

        let body = json!({ "numbers": ["49301230072.0"], "region": "DE", "sellers": "all" });
        dialler.post("/v1/registrations", body).expect(201);
        assert!(dialler.suppresses("+49301230072", "telco"));
        assert!(!dialler.suppresses("+493012300720", "telco"));
    }

    fn a_decimal_number_in_call_records_is_matched_with_the_checks_of_that_number(world: &World) {
        let dialler = world.dialler();
        let regulator = world.operator().regulator();
        dialler.check("+49301230071", "telco").expect(200);
        let now = text(&regulator.entries(&[("op", "check")])[0], "time").to_owned();
        let records = format!("called,time,agency\n49301230071.0,{now},calls\n");
        let headers = [("Content-Type", "text/csv")];
        let path = "/v1/audit/match?region=DE&summary=0";
        let found = regulator.call("POST", path, &headers, records.into()).expect(200).text();
        assert_eq!(rows(&found)[0]["finding"], "checked_clear", "{found}");
    }

    fn a_blank_before_a_number_is_a_lost_plus_in_a_query_and_nowhere_else(world: &World) {
        let dialler = world.dialler();
        let regulator = world.operator().regulator();
        for (region, digits, abroad) in [
            ("CN", "13145210091", "+13145210091"),
            ("DE", "39024567071", "+39024567071"),
        ] {
            let national = [format!(" {digits}"), digits.to_owned(), format!("\u{200e} {digits}")];
            let national: Vec<_> = national.iter().map(|s| &**s).collect();
            let plainly = checks(&dialler, region, &national);
            assert!(plainly.iter().all(|told| *told == plainly[1]), "{region}: {plainly:?}");
            let openings = |phone: &str| {
                let body = json!({ "phone": phone, "region": region });
                let answer = regulator.post("/v1/audit/openings", body);
                let openings = answer.text();
                let lines = openings.lines().filter(|line| line.starts_with("20"));
                (answer.status, lines.map(str::to_owned).collect::<Vec<_>>())
            };
            assert_eq!(openings(national[0]), openings(digits), "{region}");
            // Only here could a plus have stood.
            dialler.register(&[abroad], json!("all"));
            assert_eq!(check(&dialler, region, national[0]).0, "suppress");
        }
        dialler.register(&["+8613145210091"], json!("all"));
        let told = checks(&dialler, "CN", &[" 13145210091", "13145210091", "+8613145210091"]);
        assert!(told.iter().all(|(answer, _)| answer == "suppress"), "{told:?}");
        for phone in [" 13145210092", "tel: 13145210092", "( 13145210092"] {
            let body = json!({ "numbers": [phone], "region": "CN", "sellers": "all" });
            let code = dialler.post("/v1/registrations", body).expect(201).reference();
            assert!(dialler.suppresses("+8613145210092", "telco"), "{phone}");
            assert!(!dialler.suppresses("+13145210092", "telco"), "{phone}");
            assert_eq!(command_line(&world.service, &dialler, "CN", phone), Some(10), "{phone}");
            dialler.withdraw(&code).expect(200);
        }
    }

    fn two_numbers_in_one_place_are_refused_as_two_numbers_on_every_way_in(world: &World) {
        let dialler = world.dialler();
        let german = ["07673 2202/2203", "07673 2202 / 2203", "+49 7673 2202/2203", "07673 2202~3"];
        let belgian = [
            "+32 2 555 06 46 / +32 470 00 06 46",
            "0470 00 06 47 of 0470 00 06 48",
            "0470 00 06 47 / 0470 00 06 48",
            "0470000647/48",
            "0470000647;0470000648",
            "0470000647,0470000648",
            "0470000647 & 0470000648",
            "+32470000647 +32470000648",
            "0470 00 06 01 ::: 02 555 06 01",
        ];
        let honest = [
            "0475/12.34.56", "02/555 06 01", "02 / 555.06.01", "+32 (0)475/12 34 56", "+32/475/123456",
        ];
        for (region, spellings) in [("DE", &german[..]), ("BE", &belgian[..])] {
            for (way, told) in every_way(&dialler, region, spellings) {
                for (spelling, told) in spellings.iter().zip(told) {
                    let two = ("invalid".to_owned(), "phone_two_numbers".to_owned());
                    assert_eq!(told, two, "{spelling} in {region} by {way}");
                }
            }
            let body = json!({ "numbers": [spellings[0]], "region": region, "sellers": "all" });
            dialler.post("/v1/registrations", body).expect_refused();
            let list = format!("phone\n{}\n{}\n", spellings.map_quoted(), number(9));
            let (status, rejected) = import(world, &list, region);
            assert_ne!(status, Some(0));
            assert_eq!(rejected.matches(",phone_two_numbers").count(), spellings.len(), "{rejected}");
        }
        for (way, told) in every_way(&dialler, "BE", &honest) {
            for (spelling, (answer, _)) in honest.iter().zip(told) {
                assert_eq!(answer, "not_listed", "{spelling} by {way}");
            }
        }
    }

    fn what_stands_around_a_number_is_left_out_or_refused_with_a_reason_of_its_own(world: &World) {
        let dialler = world.dialler();
        let mut listed: Vec<String> = (41..=57).map(|n| format!("+32255506{n}")).collect();
        listed.extend((5..=16).map(|n| format!("+324700003{n:02}")));
        listed.extend((46..=57).map(|n| format!("+324700006{n:02}")));
        let listed: Vec<_> = listed.iter().map(|s| &**s).collect();
        for some in listed.chunks(10) {
            dialler.register(some, json!("all"));
        }
        for (spelling, reason) in [
            ("+32 2 555 06 41 ext. 12", "phone_extension"),
            ("+3225550642;ext=12", "phone_extension"),
            ("+32 2 555 06 43 x12", "phone_extension"),
            ("+32 2 555 06 44 (kantoor)", ""),
            ("tel:+3225550645", ""),
            ("+32 2 555 06 46 / +32 470 00 06 46", "phone_two_numbers"),
            ("0470 00 06 47 of 0470 00 06 48", "phone_two_numbers"),
            ("0470 00 06 47 - 0470 00 06 48", "phone_two_numbers"),
            ("sip:+3225550649@pbx.example", ""),
            ("callto:+3225550650", ""),
            ("https://wa.me/32470000651", ""),
            ("whatsapp:+32470000652", ""),
            ("+32470000653@c.us", ""),
            ("p:+32470000654", ""),
            ("+32470000655.", ""),
            ("+32 470 00 06 56*", "phone_not_a_number"),
            ("T +32 470 00 06 57", ""),
            ("An Peeters (0470 00 06 57)", ""),
            ("An Peeters <0470000657>", ""),
            ("'0470000305", ""),
            ("=\"0470000306\"", ""),
            ("3.247E+10", "phone_scientific_notation"),
            ("3,247E+10", "phone_scientific_notation"),
            ("470000308", ""),
            ("32470000309", ""),
            ("32470000310.0", ""),
            ("32470000310.5", "phone_decimal"),
            ("0032470000311", ""),
            ("+32 470 00 03 12", ""),
            ("0470\u{a0}00\u{a0}03\u{a0}13", ""),
            ("+32470000314\0", ""),
            ("32.470.000.315", ""),
            ("32 470 000 316,00", "phone_extension"),
            ("an@example.com", "phone_address"),
            ("https://example.com/32470000316", "phone_address"),
            ("n/a", "phone_letters"),
            ("-", "phone_empty"),
            ("0", "phone_emergency_or_short"),
        ] {
            let (answer, why) = &checks(&dialler, "BE", &[spelling])[0];
            let want = if reason.is_empty() { "suppress" } else { "invalid" };
            assert_eq!(answer, want, "{spelling:?}: {why}");
            assert!(reason.is_empty() || reason == why, "{spelling:?}: {why}");
            if !spelling.contains('"') && spelling != "+32 470 00 06 56*" {
                let told = wash(&dialler, "BE", "text/csv", &format!("phone\n\"{spelling}\"\n"));
                assert_eq!(told[0].0, want, "{spelling:?}: {}", told[0].1);
            }
        }
        let cells = "phone\r\n\"=\"\"0470000306\"\"\"\r\n=\"0470000307\"\r\n";
        let told = wash(&dialler, "BE", "text/csv", cells);
        assert!(told.iter().all(|(answer, _)| answer == "suppress"), "{told:?}");
    }

    fn the_area_code_in_brackets_with_its_zero_is_imported(world: &World) {
        let dialler = world.dialler();
        let (numbers, spellings): (Vec<_>, Vec<_>) = [
            ("+442079460006", "+44 (020) 7946 0006"),
            ("+49301234567", "+49 (030) 1234567"),
            ("+33612340078", "+33 (06) 12 34 00 78"),
            ("+32475120056", "+32 (0475) 12 00 56"),
            ("+31612340078", "+31 (06) 12340078"),
            ("+905321230067", "+90 (0532) 123 00 67"),
            ("+861012340078", "+86 (010) 1234 0078"),
            ("+61291230045", "+61 (02) 9123 0045"),
            // Trunk prefixes without brackets, and other than 0.
            ("+3612345678", "+36 06 1 234 5678"),
            ("+37061234567", "+370 8 612 34567"),
            ("+79123456789", "+7 8 912 345-67-89"),
            ("+375291234567", "+375 8029 123 45 67"),
        ].into_iter().unzip();
        let (status, rejected) = import(world, &(spellings.join("\n") + "\n"), "BE");
        assert_eq!(status, Some(0), "{rejected}");
        for (number, spelling) in numbers.iter().zip(spellings) {
            assert!(dialler.suppresses(number, "telco"), "{spelling}");
        }
    }

    fn an_opt_out_by_one_name_of_a_line_holds_for_all_of_them(world: &World) {
        let dialler = world.dialler();
        for (region, names) in [
            ("AR", &["+54 9 11 2345 6789", "+541123456789", "011 15-2345-6789", "01123456789"][..]),
            ("AR", &["+54 351 234 5678", "+5493512345678"]),
            ("FR", &["0596 30 00 71", "+596596300071", "+33596300071"]),
            ("FR", &["0269 60 00 71", "+262269600071"]),
            ("FR", &["0508 41 00 71", "+508410071"]),
            ("FR", &["09 47 90 12 34", "+262947901234", "+33947901234"]),
            ("IL", &["+970599123456", "+972599123456", "0599123456"]),
            ("IT", &["0549 882000", "+3780549882000", "+378882000", "+390549882000"]),
            ("GA", &["+24106123456", "+24166123456", "066123456", "+2416123456"]),
            ("MX", &["+5215512345678", "+525512345678", "0445512345678"]),
            ("BR", &["+551161234567", "+5511961234567", "(11) 6123-4567"]),
            ("BJ", &["+22997123456", "+2290197123456"]),
            ("CI", &["+22507123456", "+2250707123456", "07123456"]),
        ] {
            for (place, registered) in names.iter().enumerate() {
                let body = json!({ "numbers": [registered], "region": region, "sellers": "all" });
                let code = dialler.post("/v1/registrations", body).expect(201).reference();
                for (way, told) in every_way(&dialler, region, names) {
                    for (name, (answer, _)) in names.iter().zip(told) {
                        assert_eq!(answer, "suppress", "{name} after {registered} by {way}");
                    }
                    if place > 0 {
                        break;
                    }
                }
                dialler.withdraw(&code).expect(200);
            }
        }
    }
}

/// One spelling a line, in quotation marks.
trait Quoted {
    fn map_quoted(&self) -> String;
}

impl Quoted for [&str] {
    fn map_quoted(&self) -> String {
        let cells: Vec<_> = self.iter().map(|cell| format!("\"{cell}\"")).collect();
        cells.join("\n")
    }
}
