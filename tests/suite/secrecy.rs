//! The list never leaves: no number, key or reference code stands readable in the store, the log or
//! the metrics.

use std::fs;
use std::path::Path;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::{Engine, World};

/// The numbers of this test, as they were typed, and the digits that mean them.
const NUMBERS: &[(&str, &str)] = &[
    ("+32486913572", "486913572"),
    ("0487/91.35.73", "487913573"),
    ("0032 488 91 35 74", "488913574"),
    ("+32 (0)489-91-35-75", "489913575"),
    ("+31 6 12 97 53 18", "612975318"),
    ("+33 6 98 75 31 42", "698753142"),
];

/// Everything that must not be found, and what it is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, Vec<u8>)>);

impl Secrets {
    fn add(&mut self, what: &'static str, text: impl AsRef<[u8]>) {
        self.0.push((what, text.as_ref().to_ascii_lowercase()));
    }

    fn add_number(&mut self, typed: &str, digits: &str, international: u64) {
        self.add("a number as typed", typed);
        self.add("a number's digits", digits);
        self.add("a number in binary", international.to_be_bytes());
        self.add("a number in binary", international.to_le_bytes());
    }

    fn add_key(&mut self, key: &str) {
        let secret = key.rsplit('_').next().unwrap();
        for (what, text) in [("a key", key), ("a key's secret", secret)] {
            let hash = Sha256::digest(text);
            self.add(what, text);
            self.add("an unkeyed hash of it", hash);
            self.add("an unkeyed hash of it", HEXLOWER.encode(&hash));
            self.add("an unkeyed hash of it", BASE64URL_NOPAD.encode(&hash));
        }
    }

    fn add_code(&mut self, code: &str) {
        self.add("a reference code", code);
        self.add("a reference code without dashes", code.replace('-', ""));
    }

    #[track_caller]
    fn assert_absent_from(&self, place: &str, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "{place} is empty: nothing was searched");
        let bytes = bytes.to_ascii_lowercase();
        for (what, secret) in &self.0 {
            let first = secret[0];
            let starts = bytes
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == first)
                .map(|(start, _)| start);
            for start in starts {
                assert!(
                    !bytes[start..].starts_with(secret),
                    "{what} ({}) stands in {place}",
                    String::from_utf8_lossy(secret)
                );
            }
        }
    }
}

/// The bytes of all files below a folder.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => bytes.extend(bytes_in(&path)),
            // A socket cannot be read.
            false => bytes.extend(fs::read(&path).unwrap_or_default()),
        }
    }
    bytes
}

/// Uses numbers, keys and codes in every way there is.
fn use_everything(world: &World) -> Secrets {
    let mut secrets = Secrets::default();
    let dialler = world.dialler();
    let operator = world.operator();
    let (seller, regulator) = (operator.seller_key("telco"), operator.regulator());
    let revoked = operator.add_key(json!({"role": "regulator"}));
    operator.revoke(revoked["id"].as_str().unwrap());
    for client in [&dialler, &operator, &seller, &regulator] {
        secrets.add_key(client.key());
    }
    secrets.add_key(revoked["key"].as_str().unwrap());

    for (typed, digits) in NUMBERS {
        let country = if typed.starts_with("+31") {
            "31"
        } else if typed.starts_with("+33") {
            "33"
        } else {
            "32"
        };
        secrets.add_number(typed, digits, format!("{country}{digits}").parse().unwrap());
        let phone = ("phone", *typed);
        let check = [phone, ("seller", "telco"), ("region", "BE"), ("ref", "1")];
        dialler.check_with(&check).expect(200);
        // Whether such a name is accepted is another matter.
        dialler.check_with(&[phone, ("seller", "telco"), ("region", "BE"), ("ref", typed)]);
        dialler.check_with(&[
            phone,
            ("seller", "telco"),
            ("region", "BE"),
            ("campaign", typed),
        ]);
        dialler.check_with(&[
            phone,
            ("seller", "telco"),
            ("region", "BE"),
            ("format", "text"),
            ("key", dialler.key()),
        ]);
        dialler
            .check_with(&[phone, ("seller", "nobody"), ("region", "BE")])
            .expect(404);
        world
            .anonymous()
            .check_with(&[
                phone,
                ("seller", "telco"),
                ("key", revoked["key"].as_str().unwrap()),
            ])
            .expect(401);
        world
            .anonymous()
            .get(&format!("/v1/nothing?phone={digits}&key={}", dialler.key()))
            .expect(404);
        regulator.entries(&[phone, ("region", "BE")]);
    }
    let all: Vec<_> = NUMBERS.iter().map(|(typed, _)| *typed).collect();
    dialler
        .post(
            "/v1/checks",
            json!({"seller": "telco", "region": "BE", "numbers": all}),
        )
        .expect(200);
    let body = json!({"numbers": all, "region": "BE", "sellers": "all"});
    let kept = dialler
        .post("/v1/registrations", body.clone())
        .expect(201)
        .reference();
    let withdrawn = seller
        .post("/v1/registrations", body)
        .expect(201)
        .reference();
    world.anonymous().withdraw(&withdrawn).expect(200);
    world
        .anonymous()
        .withdraw("4F4F-5G5G-6H6H-7J7J")
        .expect_refused();

    let list: String = NUMBERS
        .iter()
        .map(|(typed, _)| format!("{typed}\n"))
        .collect();
    let file = world.scratch("list");
    fs::write(&file, list + "+32 486 91 35 7\n").unwrap();
    let name = file.to_str().unwrap();
    let line = [
        "import",
        name,
        "--source",
        "a list",
        "--all-sellers",
        "--region",
        "BE",
    ];
    let said = world.service.cli(&line);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    secrets.assert_absent_from("what an import says", said.stderr.as_bytes());
    let rejected = fs::read(format!("{name}.rejected.csv")).unwrap();
    secrets.assert_absent_from("the rejected rows", &rejected);
    let find = json!({"phone": NUMBERS[0].0});
    operator.post("/v1/admin/imports/find", find).expect(200);

    let mut browser = world.browser();
    // A call is reported, with a number on the screen and words that are nobody else's business.
    let words = "Zij belden over mijn zieke moeder";
    let shown = "0799 55 44 33";
    secrets.add("what a person wrote", words);
    secrets.add("the number on their screen", shown);
    let mut reporter = world.browser();
    reporter.opt_out(&all[..1]);
    let page = reporter.open("/report").expect(200);
    let today = crate::harness::html::tags(&page.text());
    let today = today
        .iter()
        .find_map(|tag| tag.get("max"))
        .unwrap()
        .to_owned();
    let mut form = page.form_with("action", "send");
    let own = form_number(&page);
    for (name, value) in [
        ("own", own.as_str()),
        ("company", "telco"),
        ("date", &today),
        ("sure", "day"),
        ("caller", shown),
        ("words", words),
    ] {
        form.set(name, &[value]);
    }
    reporter.press(&form, "action", "send").expect(303);
    let answer = "Onze excuses voor uw zieke moeder";
    secrets.add("what a company answered", answer);
    let reports = seller.get("/v1/reports").expect(200).json();
    let id = reports["reports"][0]["id"].as_str().unwrap();
    let path = format!("/v1/reports/{id}/answer");
    seller.post(&path, json!({ "text": answer })).expect(200);
    let typed = browser.opt_out(&all[..3]);
    browser.open("/registration").expect(200);
    browser.withdraw();
    let mut visitor = world.browser();
    visitor.type_code(&kept).expect(200);
    visitor.review(&["0486 91 35 7", all[1]]).expect(422);
    visitor
        .get(&format!("/no-such-page?number={}", NUMBERS[0].1))
        .expect(404);
    for code in [&kept, &withdrawn, &typed] {
        secrets.add_code(code);
    }
    secrets.add_code("4F4F-5G5G-6H6H-7J7J");
    secrets
}

/// The number that the form of a report offers.
fn form_number(page: &crate::harness::Answer) -> String {
    let tags = crate::harness::html::tags(&page.text());
    let mut own = tags.iter().filter(|tag| tag.get("name") == Some("own"));
    own.next()
        .and_then(|tag| tag.get("value"))
        .unwrap()
        .to_owned()
}

fn search_what_is_told(world: &mut World, secrets: &Secrets) {
    let metrics = world.operator().get("/metrics").expect(200).text();
    secrets.assert_absent_from("the metrics", metrics.as_bytes());
    let export = world.operator().get("/v1/audit/entries").expect(200).text();
    secrets.assert_absent_from("the audit export", export.as_bytes());
    for path in ["keys", "sellers", "agencies", "doctor", "imports"] {
        let told = world
            .operator()
            .get(&format!("/v1/admin/{path}"))
            .expect(200)
            .text();
        secrets.assert_absent_from(path, told.as_bytes());
    }
    secrets.assert_absent_from("the output", world.service.stdout().as_bytes());
    assert!(world.service.terminate().success());
    let log = world.service.log();
    secrets.assert_absent_from("the log", log.as_bytes());
    let kept = bytes_in(&world.log_folder().join("imports"));
    secrets.assert_absent_from("what is kept of lists", &kept);
}

#[test]
fn nothing_readable_stands_in_the_file_of_the_embedded_store_the_log_or_the_metrics() {
    let mut world = World::with(Engine::Embedded, |launch| {
        launch.set("LOG__FILTER", "info,metrust=trace")
    });
    let secrets = use_everything(&world);
    let files =
        ["metrust.redb", "metrust.redb.journal"].map(|name| world.service.data().join(name));
    for file in &files {
        secrets.assert_absent_from("the store's file, in use", &fs::read(file).unwrap());
    }
    search_what_is_told(&mut world, &secrets);
    for file in &files {
        secrets.assert_absent_from("the store's file", &fs::read(file).unwrap());
    }
}

#[test]
fn nothing_readable_stands_in_the_files_of_redis_the_log_or_the_metrics() {
    let mut world = World::with(Engine::RedisAlways, |launch| {
        launch
            .set("LOG__FILTER", "info,metrust=trace")
            .set("LOG__FORMAT", "json")
    });
    let secrets = use_everything(&world);
    search_what_is_told(&mut world, &secrets);
    let folder = world.redis().folder().to_path_buf();
    secrets.assert_absent_from("the append-only file", &bytes_in(&folder));
    assert_eq!(world.redis().command(&["SAVE"]), "+OK");
    secrets.assert_absent_from("the dump", &bytes_in(&folder));
    let dump = fs::read(folder.join("dump.rdb")).unwrap();
    assert!(!dump.is_empty());
}
