//! Lists that are brought in whole: they hold from the next check on, stand beside what people
//! registered themselves, and can be taken out again.

use std::fs;
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit::text;
use crate::harness::process::Ended;
use crate::harness::{Answer, Api, World, number, on_every_store};

const PATH: &str = "/v1/admin/imports";

/// An import by hand: these parts, all sellers, unless `more` says otherwise.
pub struct Import {
    operator: Api,
    parts: Vec<String>,
    begun: Value,
}

fn request(parts: &[String], more: &Value) -> Value {
    let whole = parts.concat();
    let mut body = json!({
        "source": "a list of earlier days",
        "seller": "all",
        "sha256": data_encoding::HEXLOWER.encode(&Sha256::digest(&whole)),
        "bytes": whole.len(),
        "parts": parts.len(),
        "part_bytes": 1 << 20,
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

impl Import {
    #[track_caller]
    pub fn begin(operator: &Api, parts: &[String], more: Value) -> Self {
        let begun = operator
            .post(PATH, request(parts, &more))
            .expect(200)
            .json();
        Self {
            operator: operator.clone(),
            parts: parts.to_vec(),
            begun,
        }
    }

    fn path(&self) -> String {
        format!("{PATH}/{}", text(&self.begun, "id"))
    }

    #[track_caller]
    pub fn put(&self, part: usize) -> Answer {
        let path = format!("{}/parts/{part}", self.path());
        let body = self.parts[part - 1].clone().into_bytes();
        self.operator.call("PUT", &path, &[], body)
    }

    /// Puts what is there into the list.
    #[track_caller]
    fn step(&self) {
        let steps = self.begun["steps"].as_u64().unwrap();
        for step in 1..=steps {
            let path = format!("{}/steps/{step}", self.path());
            self.operator
                .call("PUT", &path, &[], Vec::new())
                .expect(200);
        }
    }

    #[track_caller]
    fn finish(&self) -> Value {
        self.step();
        let path = format!("{}/finish", self.path());
        self.operator.post(&path, json!({})).expect(200).json()
    }

    /// All of it.
    #[track_caller]
    pub fn run(operator: &Api, parts: &[String], more: Value) -> Value {
        let import = Self::begin(operator, parts, more);
        (1..=parts.len()).for_each(|part| drop(import.put(part).expect(200)));
        import.finish()
    }
}

/// One number a line.
pub fn lines(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(|n| number(n) + "\n").collect()
}

fn counts(told: &Value) -> [u64; 4] {
    ["rows", "rejected", "numbers", "changed"].map(|name| told[name].as_u64().unwrap())
}

fn reason(dialler: &Api, n: usize, seller: &str, channel: &str) -> Value {
    let phone = number(n);
    let query = [("phone", &*phone), ("seller", seller), ("channel", channel)];
    dialler.check_with(&query).expect(200).json()["reason"].clone()
}

fn cli(world: &World, arguments: &[&str]) -> Ended {
    world.service.cli(&[&["import"], arguments].concat())
}

on_every_store! {
    fn an_imported_number_is_refused_by_the_very_next_check_for_calls_and_texts(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        assert_eq!(reason(&dialler, 1, "telco", "voice"), Value::Null);
        let all = Import::begin(&operator, &[lines(1..=2)], json!({}));
        assert_eq!(reason(&dialler, 1, "telco", "voice"), Value::Null, "it only begins");
        let part = all.put(1).expect(200).json();
        assert_eq!([&part["rows"], &part["rejected"], &part["numbers"]], [2, 0, 2]);
        all.step();
        for channel in ["voice", "text"] {
            assert_eq!(reason(&dialler, 1, "telco", channel), "all_sellers");
            assert_eq!(reason(&dialler, 2, "energy", channel), "all_sellers");
            assert_eq!(reason(&dialler, 3, "energy", channel), Value::Null);
        }
        let one = Import::run(&operator, &[lines(2..=3)], json!({"seller": "energy"}));
        assert_eq!(text(&one, "state"), "finished");
        for channel in ["voice", "text"] {
            assert_eq!(reason(&dialler, 3, "energy", channel), "this_seller");
            assert_eq!(reason(&dialler, 3, "telco", channel), Value::Null);
            assert_eq!(reason(&dialler, 2, "energy", channel), "all_sellers");
        }
        let answers = dialler
            .post("/v1/checks", json!({"seller": "telco", "numbers": [number(1), number(9)]}))
            .expect(200)
            .json();
        let found: Vec<_> = answers["results"].as_array().unwrap().iter().map(|r| text(r, "answer")).collect();
        assert_eq!(found, ["suppress", "not_listed"]);
    }

    fn an_import_and_a_person_s_registration_stand_side_by_side(world: &mut World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let early = dialler.register(&[&number(1)], json!("all"));
        let parts = [lines(1..=4)];
        assert_eq!(counts(&Import::run(&operator, &parts, json!({}))), [4, 0, 4, 4]);
        let late = dialler.register(&[&number(2)], json!("all"));
        let kept = dialler.register(&[&number(3)], json!("all"));
        for code in [&early, &late] {
            dialler.withdraw(code).expect(200);
        }
        for n in 1..=4 {
            assert!(dialler.suppresses(&number(n), "telco"), "the list still has it");
        }
        let gone = Import::run(&operator, &[lines(1..=5)], json!({"remove": true}));
        assert_eq!(counts(&gone), [5, 0, 5, 4], "one was not on the list");
        let listed = |dialler: &Api| [1, 2, 3, 4].map(|n| dialler.suppresses(&number(n), "telco"));
        assert_eq!(listed(&dialler), [false, false, true, false], "a person's own stays");
        world.service.restart();
        let dialler = dialler.on(&world.service.url());
        assert_eq!(listed(&dialler), [false, false, true, false]);
        dialler.withdraw(&kept).expect(200);
        assert_eq!(listed(&dialler), [false; 4]);
        // What was taken out can come back.
        let operator = world.operator();
        assert_eq!(counts(&Import::run(&operator, &parts, json!({}))), [4, 0, 4, 4]);
        assert_eq!(listed(&dialler), [true; 4]);
    }

    fn a_list_for_one_seller_and_one_for_all_are_taken_out_apart(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        for seller in ["all", "telco"] {
            Import::run(&operator, &[lines(1..=2)], json!({"seller": seller}));
        }
        let gone = json!({"seller": "all", "remove": true});
        assert_eq!(counts(&Import::run(&operator, &[lines(1..=2)], gone)), [2, 0, 2, 2]);
        assert_eq!(reason(&dialler, 1, "telco", "voice"), "this_seller");
        assert_eq!(reason(&dialler, 1, "energy", "voice"), Value::Null);
    }

    fn twice_is_once_and_both_are_on_record(world: &World) {
        let operator = world.operator();
        let parts = [lines(1..=50), lines(40..=90)];
        let first = Import::run(&operator, &parts, json!({}));
        assert_eq!(counts(&first), [101, 0, 101, 90]);
        let again = Import::begin(&operator, &parts, json!({}));
        assert_eq!(again.begun["id"], first["id"]);
        assert_eq!((&again.begun["runs"], &again.begun["done"]["parts"]), (&json!(2), &json!([])));
        let told = again.put(2).expect(200).json();
        assert_eq!([&told["rows"], &told["numbers"]], [51, 51]);
        assert_eq!(again.put(2).expect(200).json(), told, "the same part again");
        again.put(1).expect(200);
        assert_eq!(counts(&again.finish()), [101, 0, 101, 0]);
        again.finish();

        let entries = operator.entries(&[("op", "import")]);
        let reasons: Vec<_> = entries.iter().map(|entry| text(entry, "reason")).collect();
        assert_eq!(reasons, ["import_begun", "import_finished", "import_begun", "import_finished"]);
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(parts.concat()));
        for entry in &entries {
            assert_eq!(text(entry, "commitment"), digest);
            assert_eq!(text(entry, "note"), "a list of earlier days");
            assert_eq!(text(entry, "seller"), "all");
            assert!(entry["key"].is_string() && entry["pn"].is_null());
        }
        let finished = &entries[1];
        let told = ["numbers", "changed", "rejected"].map(|name| finished[name].as_u64());
        assert_eq!(told, [Some(101), Some(90), Some(0)]);
        let list = operator.get(PATH).expect(200).json();
        assert_eq!(list["imports"].as_array().unwrap().len(), 1);
        assert_eq!(text(&list["imports"][0], "state"), "finished");
    }

    fn what_was_acknowledged_outlives_a_kill_and_the_rest_goes_on(world: &mut World) {
        let dialler = world.dialler();
        let parts: Vec<_> = (0..6).map(|part| lines(part * 2000..(part + 1) * 2000)).collect();
        let import = Import::begin(&world.operator(), &parts, json!({}));
        for part in [1, 3] {
            assert_eq!(import.put(part).expect(200).json()["numbers"], 2000);
        }
        // Killed while others are under way.
        let under_way: Vec<_> = [2, 4, 5].into_iter().map(|part| {
            let path = format!("{}/parts/{part}", import.path());
            let (operator, body) = (import.operator.clone(), import.parts[part - 1].clone());
            thread::spawn(move || operator.attempt("PUT", &path, &[], body.into_bytes()).is_ok_and(|a| a.status == 200))
        }).collect();
        world.service.kill9();
        let acknowledged: Vec<_> = under_way.into_iter().map(|one| one.join().unwrap()).collect();
        world.service.restart();
        let dialler = dialler.on(&world.service.url());
        let import = Import::begin(&world.operator(), &parts, json!({}));
        assert_eq!(import.begun["runs"], 1, "the same import");
        let done: Vec<_> = import.begun["done"]["parts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        assert!(done.contains(&1) && done.contains(&3), "{done:?}");
        for (part, acknowledged) in [2, 4, 5].into_iter().zip(acknowledged) {
            assert!(!acknowledged || done.contains(&part), "{part}: {done:?}");
        }
        let finish = format!("{}/finish", import.path());
        let early = import.operator.post(&finish, json!({})).expect(409).json();
        assert_eq!(early["code"], "import_state");
        let step = format!("{}/steps/1", import.path());
        import.operator.call("PUT", &step, &[], Vec::new()).expect(409);
        (1..=6).for_each(|part| drop(import.put(part).expect(200)));
        import.step();
        // What is acknowledged holds, whatever happens now.
        world.service.kill9();
        world.service.restart();
        let dialler = dialler.on(&world.service.url());
        assert!(dialler.suppresses(&number(11_999), "telco"));
        let import = Import::begin(&world.operator(), &parts, json!({}));
        assert_eq!(import.begun["done"]["steps"], json!([1]));
        assert_eq!(counts(&import.finish())[2..], [12_000, 12_000]);
        for n in [0, 3000, 11_999] {
            assert!(dialler.suppresses(&number(n), "telco"), "{n}");
        }
        assert!(!dialler.suppresses(&number(12_000), "telco"));
        let begun = world.operator().entries(&[("op", "import")]);
        assert_eq!(begun.len(), 2, "once begun, once finished");
    }

    fn by_command_line_every_rejected_row_is_told_by_its_line_and_all_others_are_in(world: &World) {
        let dialler = world.dialler();
        let file = world.scratch("old-list.csv");
        // Wide rows, so that there are several parts.
        let filler = "x".repeat(2000);
        let mut rows = vec!["id;Phone;Objected".to_owned()];
        let mut expected = vec!["line,reason,explanation".to_owned()];
        for n in 1..=5000 {
            let phone = match n {
                _ if n % 1000 == 1 => "call me".to_owned(),
                _ if n % 1000 == 2 => "112".to_owned(),
                _ => format!("0{}", &number(n)[3..]),
            };
            let date = if n % 1000 == 3 { "2099-01-01" } else { "2018-03-04" };
            rows.push(format!("{n}{filler};{phone};{date}"));
            match n % 1000 {
                1 => expected.push(format!("{},phone_letters", n + 1)),
                2 => expected.push(format!("{},phone_emergency_or_short", n + 1)),
                3 => expected.push(format!("{},date_in_the_future", n + 1)),
                _ => {}
            }
        }
        fs::write(&file, rows.join("\r\n")).unwrap();
        let name = file.to_str().unwrap();
        let line = [
            name, "--source", "CRM of 2018", "--seller", "telco", "--region", "BE",
            "--date-column", "objected",
        ];
        let said = cli(world, &line);
        assert_eq!(said.status.code(), Some(1), "{said:?}");
        assert!(said.stderr.contains("5000 rows, 4990 numbers: 4990 imported, 0 were in before"), "{said:?}");
        let report = fs::read_to_string(format!("{name}.rejected.csv")).unwrap();
        let codes = report.lines().map(|line| line.split(",\"").next().unwrap());
        assert_eq!(codes.collect::<Vec<_>>(), expected);
        assert!(said.stderr.contains("5 rows are in without the date"), "{said:?}");
        // An objection holds, whatever its date.
        for n in [3, 4, 4000, 5000] {
            assert_eq!(reason(&dialler, n, "telco", "voice"), "this_seller");
        }
        for n in [1, 2, 5001] {
            assert_eq!(reason(&dialler, n, "telco", "voice"), Value::Null);
        }
        let told = world.operator().get(PATH).expect(200).json()["imports"][0].clone();
        assert!(told["parts"].as_u64() > Some(1), "{told}");
        assert_eq!((text(&told, "earliest"), text(&told, "latest")), ("2018-03-04", "2018-03-04"));

        let again = cli(world, &line);
        assert_eq!(again.status.code(), Some(1));
        assert!(again.stderr.contains("imported before") && again.stderr.contains("0 imported, 4990 were in before"), "{again:?}");
        assert_eq!(fs::read_to_string(format!("{name}.rejected.csv")).unwrap(), report);

        let gone = cli(world, &[&line[..], &["--remove"]].concat());
        assert!(gone.stderr.contains("4990 taken out"), "{gone:?}");
        assert_eq!(reason(&dialler, 4, "telco", "voice"), Value::Null);
    }

    fn a_list_that_is_not_told_right_is_refused_before_anything_is_in(world: &World) {
        world.dialler();
        let file = world.scratch("list");
        let name = file.to_str().unwrap();
        fs::write(&file, "a,b\n1,2\n").unwrap();
        let all = ["--source", "x", "--all-sellers"];
        for (line, named) in [
            (vec![name], "--source"),
            (vec![name, "--source", "x"], "--all-sellers"),
            (vec![name, "--source", "x", "--all-sellers", "--seller", "telco"], "--seller"),
            ([&[name], &all[..]].concat(), "--column"),
            ([&[name, "--column", "c"], &all[..]].concat(), "no column of the name or position c"),
            ([&["/nonexistent"], &all[..]].concat(), "/nonexistent"),
        ] {
            let said = cli(world, &line);
            assert_eq!(said.status.code(), Some(2), "{said:?}");
            assert!(said.stderr.contains(named), "{named}: {said:?}");
        }
        fs::write(&file, lines(1..=2)).unwrap();
        let unknown = cli(world, &[name, "--column", "1", "--source", "x", "--seller", "nobody"]);
        assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
        fs::write(&file, format!("{}\n", "nonsense ".repeat(10)).repeat(60_000)).unwrap();
        let nonsense = cli(world, &[&[name], &all[..]].concat());
        assert_eq!(nonsense.status.code(), Some(2), "{nonsense:?}");
        assert!(nonsense.stderr.contains("aaaaaaaa aaaaaaaa") && nonsense.stderr.contains("--region"), "{nonsense:?}");
        assert_eq!(world.operator().get(PATH).expect(200).json()["imports"], json!([]));
    }

    fn only_operators_import_and_every_wrong_word_is_told(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let parts = [lines(1..=2)];
        let body = request(&parts, &json!({}));
        for (api, status) in [(&dialler, 403), (&operator.regulator(), 403), (&world.anonymous(), 401)] {
            api.post(PATH, body.clone()).expect(status);
            api.get(PATH).expect(status);
            api.post(&format!("{PATH}/find"), json!({"phone": number(1)})).expect(status);
        }
        for (more, status) in [
            (json!({"seller": "nobody"}), 404),
            (json!({"source": " "}), 422),
            (json!({"source": format!("from {}", number(1))}), 422),
            (json!({"date": "2099-01-01"}), 422),
            (json!({"date": "1950-01-01"}), 422),
            (json!({"sha256": "00"}), 422),
            (json!({"parts": 0}), 422),
            (json!({"part_bytes": 1 << 30}), 422),
            (json!({"column": 0}), 422),
            (json!({"delimiter": ",,"}), 422),
            (json!({"region": "XX"}), 400),
            (json!({"others": 1}), 422),
        ] {
            operator.post(PATH, request(&parts, &more)).expect(status);
        }
        assert!(operator.entries(&[("op", "import")]).is_empty());
        let import = Import::begin(&operator, &parts, json!({}));
        let at = |path: &str| format!("{}/{path}", import.path());
        for (path, status) in [(at("parts/2"), 409), (at("parts/0"), 409), (format!("{PATH}/00/parts/1"), 404)] {
            operator.call("PUT", &path, &[], b"+32470000001\n".to_vec()).expect(status);
        }
        let large = vec![b'\n'; (16 << 20) + 1];
        operator.call("PUT", &at("parts/1"), &[], large).expect(413);
        operator.get(&at("parts/1/rejected")).expect(409);
        operator.get(&format!("{PATH}/00")).expect(404);
        let largest = vec![b'\n'; 16 << 20];
        let told = operator.call("PUT", &at("parts/1"), &[], largest).expect(200).json();
        assert_eq!([&told["rows"], &told["numbers"]], [0, 0]);
        operator.call("PUT", &at("steps/2"), &[], Vec::new()).expect(409);
    }

    fn which_list_a_number_came_with_and_since_when_is_kept_and_told_on_record(world: &World) {
        let operator = world.operator();
        let rows = format!("{},2017-01-02\n{},\n{},2016-01-02\n", number(1), number(2), number(1));
        let more = json!({"source": "list A", "date": "2019-05-01", "date_column": 2});
        Import::run(&operator, &[rows, lines(3..=400).replace("\n", ",\n")], more);
        Import::run(&operator, &[lines(2..=3)], json!({"source": "list B", "remove": true}));
        let find = |n: usize| {
            let found = operator.post(&format!("{PATH}/find"), json!({"phone": number(n)})).expect(200).json();
            let found = found["imports"].as_array().unwrap().clone();
            found.into_iter().map(|one| (text(&one, "source").to_owned(), one["date"].clone(), one["remove"] == true)).collect::<Vec<_>>()
        };
        let a = |date: &str| ("list A".to_owned(), json!(date), false);
        let b = ("list B".to_owned(), Value::Null, true);
        assert_eq!(find(1), [a("2016-01-02")]);
        assert_eq!(find(2), [a("2019-05-01"), b.clone()]);
        assert_eq!(find(3), [a("2019-05-01"), b]);
        assert_eq!(find(400), [a("2019-05-01")]);
        assert!(find(401).is_empty());
        assert_eq!(operator.entries(&[("op", "opening")]).len(), 5);
    }
}
