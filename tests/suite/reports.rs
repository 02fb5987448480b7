//! "They called me anyway": what the service answers from its own log, who gets to see it, and the
//! evidence that anybody can verify.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::console::signed_in;
use crate::harness::verifiers::python;
use crate::harness::{
    Answer, Api, Browser, Engine, World, eventually, html, number, on_every_store,
};

/// The moment at which these stories begin: eleven o'clock in Brussels.
const BEGIN: &str = "2026-11-10 10:00:00";

fn begun(engine: Engine) -> World {
    World::with(engine, |launch| launch.beginning_at(BEGIN))
}

/// Fills in the form and sends it.
fn report(browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let page = browser.open("/report").expect(200);
    let mut form = page.form_with("action", "send");
    for (name, value) in fields {
        form.set(name, &[value]);
    }
    let answer = browser.press(&form, "action", "send");
    browser.follow(answer)
}

/// A call for telco that came at this time of the day, known to a few minutes.
fn call<'a>(date: &'a str, time: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("company", "telco"),
        ("date", date),
        ("time", time),
        ("sure", "exact"),
    ]
}

fn says(page: &Answer, text: &str) -> bool {
    html::visible(&page.text(), " ").contains(text)
}

/// The reports that a key sees.
fn reports(api: &Api) -> Vec<Value> {
    let answer = api.get("/v1/reports").expect(200).json();
    answer["reports"].as_array().unwrap().clone()
}

/// What the log says of the only report.
fn finding(world: &World) -> String {
    let all = reports(&world.operator());
    assert_eq!(all.len(), 1, "{all:?}");
    all[0]["finding"].as_str().unwrap().to_owned()
}

const NOT_ASKED: &str =
    "In the 31 days before this call, nobody asked us about calls to this number for this company.";
const TOLD: &str = "our answer was: do not call. According to your report, they called.";
const ASKED_BEFORE: &str = "They asked us before you registered";
const EXPIRED: &str = "that answer was too old to be used.";
const NOT_OPTED_OUT: &str = "your number was not on the list at that moment.";
const UNKNOWN: &str = "We know no company by this name";
const ASKED: &str = "Somebody asked us about this number.";

fn unpacked(world: &World, browser: &mut Browser, page: &Answer) -> PathBuf {
    let tags = html::tags(&page.text());
    let mut links = tags.iter().filter_map(|tag| tag.get("href"));
    let link = links.find(|link| link.ends_with("/evidence.zip")).unwrap();
    let file = browser.get(link).expect(200);
    assert!(file.header("Content-Disposition").contains("attachment"));
    let folder = world.scratch("evidence");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let zip = folder.join("evidence.zip");
    std::fs::write(&zip, &file.body).unwrap();
    let mut unzip = Command::new(python());
    unzip.args(["-m", "zipfile", "-e"]).arg(&zip).arg(&folder);
    assert!(unzip.status().unwrap().success());
    folder.join("metrust-evidence")
}

/// Runs a line of the pack's own explanation in its folder.
fn run(folder: &Path, command: &str) -> (bool, String) {
    let mut shell = Command::new("sh");
    let ended = shell
        .args(["-c", command])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    (ended.status.success(), said)
}

/// The indented blocks of the explanation: what it tells its reader to type.
fn commands(folder: &Path) -> Vec<String> {
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut blocks = vec![String::new()];
    for line in readme.lines() {
        match line.strip_prefix("    ") {
            Some(command) => {
                let block = blocks.last_mut().unwrap();
                block.push_str(command);
                block.push('\n');
            }
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Behaviours over days, on a clock of their own.
macro_rules! over_days {
    ($(fn $name:ident($world:ident: &mut World) $body:block)*) => {
        mod over_days {
            use super::*;
            $(
                #[test]
                fn $name() {
                    for engine in [Engine::Embedded, Engine::RedisAlways] {
                        let mut world = begun(engine);
                        let $world = &mut world;
                        $body
                    }
                }
            )*
        }
    };
}

#[path = "reports/doubt.rs"]
mod doubt;
#[path = "reports/reach.rs"]
mod reach;

/// The same world at a later moment, with a browser in which the code was typed.
fn later(world: &mut World, moment: &str, code: &str) -> Browser {
    let launch = world.service.launch().beginning_at(moment);
    world.service.restart_as(&launch);
    let mut browser = world.browser();
    browser.type_code(code).expect(200);
    browser
}

over_days! {
    fn the_finding_says_what_the_caller_was_told_and_when(world: &mut World) {
        let dialler = world.dialler();
        // The record is some time old when they first ask.
        let launch = world.service.launch().beginning_at("2026-11-10 10:30:00");
        world.service.restart_as(&launch);
        assert!(!dialler.on(&world.service.url()).suppresses(&number(1), "telco"));
        let code = world.browser().opt_out(&[&number(1)]);
        let own = number(1);
        let with = |date, time| {
            let mut fields = call(date, time);
            fields.push(("own", own.as_str()));
            fields
        };
        // An hour after the check, the answer could still be used.
        let mut browser = later(world, "2026-11-10 11:00:00", &code);
        let page = report(&mut browser, &with("2026-11-10", "12:00")).expect(200);
        assert!(says(&page, ASKED_BEFORE), "{}", page.text());
        assert!(says(&page, "The calls agency asked for The telco company."));
        assert!(says(&page, "This answer counts for your call."));
        // Two days after it, no longer.
        let mut browser = later(world, "2026-11-12 17:10:00", &code);
        let page = report(&mut browser, &with("2026-11-12", "18:00")).expect(200);
        assert!(says(&page, EXPIRED), "{}", page.text());
        // They ask again and are told; every later call was made knowing it.
        assert!(dialler.on(&world.service.url()).suppresses(&number(1), "telco"));
        let mut browser = later(world, "2026-11-12 18:00:00", &code);
        let page = report(&mut browser, &with("2026-11-12", "19:00")).expect(200);
        assert!(says(&page, TOLD), "{}", page.text());
        let mut browser = later(world, "2026-11-20 18:00:00", &code);
        let page = report(&mut browser, &with("2026-11-20", "19:00")).expect(200);
        assert!(says(&page, TOLD), "an old no is still a no: {}", page.text());
        // Before the opt-out there was none, and whoever types the code learns no more than that.
        let page = report(&mut browser, &with("2026-11-10", "11:10")).expect(200);
        assert!(says(&page, NOT_ASKED), "{}", page.text());
        let found: Vec<_> = reports(&world.operator())
            .iter()
            .rev()
            .map(|report| report["finding"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            found,
            ["asked_before", "answer_expired", "told_not_to_call", "told_not_to_call", "not_asked"]
        );
        // They are five reports of one code.
        let list = browser.open("/reports").expect(200);
        let tags = html::tags(&list.text());
        let links = tags.iter().filter_map(|tag| tag.get("href"));
        assert_eq!(links.filter(|link| link.starts_with("/reports/")).count(), 5);
    }

    fn a_check_from_the_days_before_is_found_wherever_in_its_time_the_call_came(world: &mut World) {
        let dialler = world.dialler();
        assert!(!dialler.suppresses(&number(1), "telco"));
        let code = world.browser().opt_out(&[&number(1)]);
        let own = number(1);
        let mut browser = later(world, "2026-12-20 10:00:00", &code);
        let mut on = |date| {
            let fields = [("company", "telco"), ("date", date), ("sure", "day"), ("own", own.as_str())];
            report(&mut browser, &fields).expect(200)
        };
        // In its first hours, that day lies less than 31 days after the check.
        let page = on("2026-12-11");
        assert!(says(&page, EXPIRED) && !says(&page, NOT_ASKED), "{}", page.text());
        let page = on("2026-12-12");
        assert!(says(&page, NOT_ASKED), "{}", page.text());
    }

    fn a_company_that_does_not_answer_in_time_is_overdue_to_everybody(world: &mut World) {
        world.dialler();
        let seller = world.operator().seller_key("telco");
        let other = world.operator().seller_key("energy");
        let code = world.browser().opt_out(&[&number(1)]);
        let own = number(1);
        let mut fields = call("2026-11-10", "11:05");
        fields.push(("own", own.as_str()));
        let mut browser = later(world, "2026-11-10 10:10:00", &code);
        report(&mut browser, &fields).expect(200);
        let mut browser = later(world, "2026-11-25 10:10:00", &code);
        let list = browser.open("/reports").expect(200);
        assert!(says(&list, "The company’s answer is late"), "{}", list.text());
        let seller = seller.on(&world.service.url());
        let all = reports(&seller);
        assert_eq!(all[0]["state"], "overdue");
        assert_eq!(all[0]["telling"]["number"], number(1));
        let of_operator = reports(&world.operator());
        assert_eq!(of_operator[0]["state"], "overdue");
        assert!(of_operator[0]["telling"].is_null(), "the operator reads nothing of it");
        assert!(reports(&other.on(&world.service.url())).is_empty());

        let path = format!("/v1/reports/{}/answer", all[0]["id"].as_str().unwrap());
        let other = other.on(&world.service.url());
        other.post(&path, json!({"text": "Not ours."})).expect(404);
        world.operator().post(&path, json!({"text": "Me."})).expect(403);
        seller.post(&path, json!({"text": "  "})).expect(422);
        let answer = json!({"text": "We are sorry. It was our mistake."});
        seller.post(&path, answer.clone()).expect(200);
        let again = seller.post(&path, answer).expect(200).json();
        assert_eq!(again["telling"]["answers"].as_array().unwrap().len(), 1, "{again}");
        assert_eq!(again["state"], "answered");
        let list = browser.open("/reports").expect(200);
        assert!(says(&list, "The company has answered"));
        let tags = html::tags(&list.text());
        let mut links = tags.iter().filter_map(|tag| tag.get("href"));
        let path = links.find(|link| link.starts_with("/reports/")).unwrap().to_owned();
        assert!(says(&browser.open(&path).expect(200), "It was our mistake."));
        let entries = world.operator().entries(&[("op", "report")]);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1]["reason"], "report_answered");
    }
}

on_every_store! {
    fn a_call_that_nobody_asked_about_is_found_at_once(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1), &number(2)]);
        let page = browser.open("/report").expect(200);
        let now = html::tags(&page.text());
        let today = now.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let mut fields = call(&today, "");
        let own = number(1);
        fields.extend([("own", own.as_str()), ("sure", "day"), ("words", "LEAVE ME ALONE, you %#!?\nAgain!")]);
        let page = report(&mut browser, &fields).expect(200);
        assert!(says(&page, NOT_ASKED), "{}", page.text());
        assert!(page.shows_digits(&number(1)[1..]) && says(&page, "The telco company"));
        assert!(says(&page, "LEAVE ME ALONE, you %#!?"));
        assert!(says(&page, "Waiting for the company’s answer"));
        assert_eq!(finding(world), "not_asked");
        let entries = world.operator().entries(&[("op", "report")]);
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["finding"], "not_asked");
        assert_eq!(entries[0]["seller"], "telco");
        assert!(entries[0]["key"].is_null() && entries[0]["pn"].is_string());
    }

    fn without_a_code_nothing_tells_whether_the_number_is_listed(world: &mut World) {
        let dialler = world.dialler();
        world.browser().opt_out(&[&number(1)]);
        let mut seen = Vec::new();
        for n in [1, 2] {
            dialler.check(&number(n), "telco").expect(200);
            let mut browser = world.browser();
            let phone = number(n);
            let page = browser.open("/report").expect(200);
            let tags = html::tags(&page.text());
            let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
            let mut fields = call(&today, "");
            fields.extend([("number", phone.as_str()), ("sure", "day")]);
            let page = report(&mut browser, &fields).expect(200);
            assert!(says(&page, ASKED) && !says(&page, TOLD) && !says(&page, NOT_OPTED_OUT));
            // There is no evidence for this reader.
            assert!(!page.text().contains("evidence.zip"));
            let path = page.request.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let path = path.strip_prefix(&world.service.url()).unwrap_or(&path).to_owned();
            browser.get(&format!("{path}/evidence.zip")).expect(404);
            // It has a code of its own, which finds it again.
            let code = page.code();
            let mut browser = world.browser();
            let list = browser.type_code(&code);
            let list = browser.follow(list).expect(200);
            assert!(list.text().contains("/reports/"), "{}", list.text());
            let text = html::visible(&page.text(), " ");
            let stripped: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
            seen.push(stripped.replace(&code.replace(|c: char| c.is_ascii_digit(), ""), ""));
        }
        assert_eq!(seen[0], seen[1], "both pages say the same");
        // The regulator opens a report to see all of it, which is on record.
        let regulator = world.operator().regulator();
        let mut found: Vec<_> = reports(&regulator)
            .iter()
            .map(|report| {
                assert_eq!(report["finding"], "asked");
                let path = format!("/v1/reports/{}", report["id"].as_str().unwrap());
                regulator.get(&path).expect(200).json()["opted_out"].as_str().unwrap().to_owned()
            })
            .collect();
        found.sort();
        assert_eq!(found, ["listed", "not_listed"], "the regulator sees all of it");
        assert!(dialler.get("/v1/reports").status == 403);
        // A company that reports a number to itself learns nothing of the list either.
        let seller = world.operator().seller_key("telco");
        for report in reports(&seller) {
            assert!(report["opted_out_since"].is_null(), "{report}");
            assert_ne!(report["finding"], "not_opted_out");
        }
    }

    fn what_was_answered_before_the_own_opt_out_is_told_the_same_whatever_it_was(world: &mut World) {
        let dialler = world.dialler();
        // Somebody else has listed the first number, nobody the second.
        dialler.register(&[&number(1)], json!("all"));
        let mut told = Vec::new();
        for n in [1, 2] {
            dialler.check(&number(n), "telco").expect(200);
            let mut browser = world.browser();
            browser.opt_out(&[&number(n)]);
            let page = browser.open("/report").expect(200);
            let tags = html::tags(&page.text());
            let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
            let own = number(n);
            let mut fields = call(&today, "");
            fields.extend([("own", own.as_str()), ("sure", "day")]);
            let page = report(&mut browser, &fields).expect(200);
            // The day began before the check, so nobody knows whether it came before the call.
            assert!(says(&page, doubt::UNCERTAIN), "{}", page.text());
            let folder = unpacked(world, &mut browser, &page);
            let entries = std::fs::read_dir(folder.join("entries")).unwrap();
            let names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            assert!(names.iter().all(|name| !name.contains("check")), "{names:?}");
            let text = html::visible(&page.text(), " ");
            told.push(text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>());
        }
        assert_eq!(told[0], told[1]);
    }

    fn a_pack_without_a_code_shows_that_nobody_had_asked(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let page = browser.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let phone = number(7);
        let mut fields = call(&today, "");
        fields.extend([("number", phone.as_str()), ("sure", "day")]);
        let page = report(&mut browser, &fields).expect(200);
        assert!(says(&page, NOT_ASKED));
        let folder = unpacked(world, &mut browser, &page);
        assert!(!folder.join("openings.txt").exists());
        let (held, said) = run(&folder, &commands(&folder)[0]);
        assert!(held && said.contains("All of it holds.") && said.contains("finding not_asked"), "{said}");
    }

    fn a_form_that_was_changed_and_sent_again_is_another_report(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let mut form = page.form_with("action", "send");
        for company in ["telco", "energy"] {
            for (name, value) in [("own", &*number(1)), ("company", company), ("date", &today), ("sure", "day")] {
                form.set(name, &[value]);
            }
            browser.press(&form, "action", "send").expect(303);
        }
        assert_eq!(reports(&world.operator()).len(), 2);
    }

    fn the_name_of_a_listed_company_is_that_company_however_it_is_written(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let page = browser.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let phone = number(3);
        let fields = [
            ("number", phone.as_str()), ("company", "other:"), ("company-name", " the  TELCO company"),
            ("date", &today), ("sure", "day"),
        ];
        report(&mut browser, &fields).expect(200);
        assert_eq!(reports(&world.operator())[0]["seller"], "telco");
    }

    fn a_company_that_is_not_here_is_said_to_be_unknown(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let phone = number(3);
        let today = {
            let page = browser.open("/report").expect(200);
            let tags = html::tags(&page.text());
            tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned()
        };
        let page = report(&mut browser, &[
            ("number", &phone), ("company", "other:"), ("company-name", "Solar <b>Roofs</b> Ltd"),
            ("date", &today), ("sure", "day"), ("caller", "02 555 00 00"),
        ]).expect(200);
        assert!(says(&page, UNKNOWN) && page.text().contains("Solar &#60;b&#62;"), "{}", page.text());
        let all = reports(&world.operator().regulator());
        assert_eq!(all[0]["finding"], "unknown_company");
        assert_eq!(all[0]["state"], "with_regulator");
        assert_eq!(all[0]["telling"]["company"], "Solar <b>Roofs</b> Ltd");
        let table = world.operator().regulator().get("/v1/reports?format=csv").expect(200).text();
        assert!(table.starts_with("id,at,") && table.contains("Solar <b>Roofs</b> Ltd"));
    }

    fn reports_come_page_by_page_and_a_file_holds_all_of_them(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let page = browser.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        for n in 0..5 {
            let company = ["telco", "energy"][n % 2];
            let phone = number(10 + n);
            let fields = [("number", &*phone), ("company", company), ("date", &*today), ("sure", "day")];
            report(&mut browser, &fields).expect(200);
        }
        let regulator = world.operator().regulator();
        let pages = |api: &Api, query: &str| {
            let (mut ids, mut sizes, mut cursor) = (Vec::new(), Vec::new(), String::new());
            loop {
                let path = format!("/v1/reports?limit=2{query}{cursor}");
                let page = api.get(&path).expect(200).json();
                let found = page["reports"].as_array().unwrap().clone();
                sizes.push(found.len());
                ids.extend(found.iter().map(|report| report["id"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { return (ids, sizes) };
                cursor = format!("&cursor={next}");
            }
        };
        let all = reports(&regulator);
        assert!(all.is_sorted_by_key(|one| std::cmp::Reverse(one["at"].as_str().unwrap().to_owned())));
        let id = |report: &Value| report["id"].as_str().unwrap().to_owned();
        let all: Vec<_> = all.iter().map(id).collect();
        assert_eq!(pages(&regulator, ""), (all.clone(), vec![2, 2, 1]));
        let of_telco: Vec<_> = all.iter().step_by(2).cloned().collect();
        // A last page that is full says that it is the last.
        assert_eq!(pages(&regulator, "&seller=energy").1, [2]);
        let seller = world.operator().seller_key("telco");
        assert_eq!(pages(&seller, ""), (of_telco.clone(), vec![2, 1]));
        assert_eq!(pages(&seller, "&seller=energy").1, [0]);
        let lines = regulator.get("/v1/reports?format=ndjson").expect(200).text();
        assert_eq!(lines.lines().count(), 5);
        let table = seller.get("/v1/reports?format=csv").expect(200).text();
        assert_eq!(table.lines().count(), 4);
        // What is answered goes from one list to the other.
        let answered = &of_telco[1];
        let path = format!("/v1/reports/{answered}/answer");
        seller.post(&path, json!({"text": "It was our mistake."})).expect(200);
        let (open, _) = pages(&regulator, "&state=open");
        assert!(open.len() == 4 && !open.contains(answered), "{open:?}");
        assert_eq!(&pages(&seller, "&state=answered").0, std::slice::from_ref(answered));
        assert_eq!(pages(&regulator, "&state=overdue").0, [""; 0]);
        let next = regulator.get("/v1/reports?limit=2").expect(200).json()["next"].clone();
        let of_other = format!("/v1/reports?state=answered&cursor={}", next.as_str().unwrap());
        assert_eq!(regulator.get(&of_other).expect(400).json()["code"], "wrong_cursor");
        for wrong in ["limit=0", "limit=1001", "limit=x", "cursor=nowhere", "format=csv&limit=2"] {
            regulator.get(&format!("/v1/reports?{wrong}")).expect(400);
        }
        // A company's own page: what waits comes first.
        let mut browser = signed_in(world, seller.key());
        let page = browser.get("/console/reports").expect(200).text();
        let place = |id: &String| page.find(id.as_str()).unwrap();
        assert!(place(&of_telco[0]) < place(answered) && place(&of_telco[2]) < place(answered));
        assert!(place(&of_telco[2]) < place(&of_telco[0]), "what is due first comes first");
    }

    fn what_is_wrong_is_said_and_nothing_typed_is_lost(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let long = "x".repeat(4001);
        let page = report(&mut browser, &[
            ("number", "+32 475"), ("company", ""), ("date", "2026-02-31"), ("time", "25:00"),
            ("caller", "whoever"), ("words", &long),
        ]).expect(422);
        for text in ["+32 475", "2026-02-31", "25:00", "whoever", long.as_str()] {
            assert!(page.text().contains(text), "{text}");
        }
        assert!(says(&page, "There is room for 4000 characters here."));
        let form = page.form_with("action", "send");
        assert!(form.values("words") == [long.as_str()]);
        let phone = number(1);
        let page = report(&mut browser, &[
            ("number", &phone), ("company", "telco"), ("date", "2999-01-01"), ("time", "12:00"),
        ]).expect(422);
        assert!(says(&page, "This moment is still to come."));
        assert!(reports(&world.operator()).is_empty());
    }

    fn the_same_form_sent_twice_is_one_report(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let mut form = page.form_with("action", "send");
        for (name, value) in [("own", &*number(1)), ("company", "unsaid:"), ("date", &today), ("sure", "day")] {
            form.set(name, &[value]);
        }
        let first = browser.press(&form, "action", "send").expect(303).header("Location");
        let second = browser.press(&form, "action", "send").expect(303).header("Location");
        assert_eq!(first, second);
        assert_eq!(world.operator().entries(&[("op", "report")]).len(), 1);
        // The page of a report is for its code alone.
        let mut stranger = world.browser();
        stranger.opt_out(&[&number(2)]);
        stranger.open(&first).expect(404);
    }

    fn the_evidence_is_verified_by_following_its_own_words(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser().reading("en");
        browser.opt_out(&[&number(1)]);
        dialler.check(&number(1), "telco").expect(200);
        let today = {
            let page = browser.open("/report").expect(200);
            let tags = html::tags(&page.text());
            tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned()
        };
        let own = number(1);
        let mut fields = call(&today, "");
        fields.extend([("own", own.as_str()), ("sure", "day")]);
        let page = report(&mut browser, &fields).expect(200);
        assert!(says(&page, doubt::UNCERTAIN), "{}", page.text());
        // Before everything is sealed there are signed promises, and they hold too.
        let folder = unpacked(world, &mut browser, &page);
        let (held, said) = run(&folder, &commands(&folder)[0]);
        assert!(held && said.contains("All of it holds."), "{said}");
        if folder.join("entries/02-check.promise").exists() {
            let entry = folder.join("entries/02-check.json");
            let text = std::fs::read_to_string(&entry).unwrap();
            std::fs::write(&entry, text.replace("all_sellers", "this_seller")).unwrap();
            let (held, said) = run(&folder, &commands(&folder)[0]);
            assert!(!held && said.contains("02-check.json: WRONG"), "{said}");
        }
        eventually("everything is sealed", || {
            let folder = unpacked(world, &mut browser, &page);
            let entries = std::fs::read_dir(folder.join("entries")).unwrap();
            let names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(names.len(), 6, "{names:?}");
            names.iter().filter(|name| name.ends_with(".tlog-proof")).count() == 3
        });
        let typed = commands(&folder);
        assert_eq!(typed.len(), 2, "{typed:?}");
        assert!(typed[0].contains(&number(1)));
        let (held, said) = run(&folder, &typed[0]);
        assert!(held && said.matches(": holds.").count() == 3, "{said}");
        assert!(said.contains("All of it holds.") && said.contains("it is about this number"), "{said}");
        let (_, said) = run(&folder, &typed[1]);
        assert!(said.contains("Signature Verified Successfully") || said.contains("Verified"), "{said}");
        // Another number, a changed entry, another key: each is found out.
        let (held, said) = run(&folder, "python3 check.py --number +32470000002");
        assert!(!held && said.contains("it is about another number"), "{said}");
        let entry = folder.join("entries/02-check.json");
        let text = std::fs::read_to_string(&entry).unwrap();
        std::fs::write(&entry, text.replace("suppress", "not_listed")).unwrap();
        let (held, said) = run(&folder, &typed[0]);
        assert!(!held && said.contains("02-check.json: WRONG"), "{said}");
        std::fs::write(&entry, text).unwrap();
        let vkeys = std::fs::read_to_string(folder.join("vkeys")).unwrap();
        let proof = folder.join("entries/01-register.tlog-proof");
        let signed = std::fs::read_to_string(&proof).unwrap();
        let broken = signed.replacen("\n\n", "\n\nX", 1);
        std::fs::write(&proof, &broken).unwrap();
        let (held, said) = run(&folder, &format!("python3 check.py --key '{}'", vkeys.lines().next().unwrap()));
        assert!(!held && said.contains("01-register.json: WRONG"), "{said}");
        std::fs::write(&proof, &signed).unwrap();
        for file in std::fs::read_dir(folder.join("entries")).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        let (held, said) = run(&folder, &typed[0]);
        assert!(!held && said.contains("There is no entry here."), "{said}");
        // That the number was opened for its holder is on record.
        assert!(!world.operator().entries(&[("op", "opening")]).is_empty());
    }
}
