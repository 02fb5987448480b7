//! The console: each key sees what concerns it and nothing else, and a person who cannot use a page
//! is helped on record.

use serde_json::json;

use crate::harness::process::run_on;
use crate::harness::service::metrust;
use crate::harness::{Answer, Browser, Engine, Launch, World, html, number, on_every_store};

/// Shows a key at the sign-in: the answer as it is.
#[track_caller]
fn show(browser: &mut Browser, key: &str) -> Answer {
    let page = browser.get("/console");
    let mut form = page.form_to("/console");
    form.set("key", &[key]);
    browser.press(&form, "action", "enter")
}

/// A browser in the console.
#[track_caller]
pub(crate) fn signed_in(world: &World, key: &str) -> Browser {
    let mut browser = world.browser();
    let answer = show(&mut browser, key).expect(303);
    browser.follow(answer).expect(200);
    browser
}

/// Reports a call of today as somebody without an opt-out: the browser with its code, and the
/// report's id.
#[track_caller]
fn report(world: &World, phone: &str, seller: &str, words: &str) -> (Browser, String) {
    let mut browser = world.browser();
    let id = report_in(&mut browser, phone, seller, words);
    (browser, id)
}

#[track_caller]
fn report_in(browser: &mut Browser, phone: &str, seller: &str, words: &str) -> String {
    let page = browser.get("/report").expect(200);
    let tags = html::tags(&page.text());
    let day = tags.iter().find(|tag| tag.get("id") == Some("date"));
    let today = day.unwrap().get("max").unwrap();
    let mut form = page.form_to("/report");
    form.set("number", &[phone])
        .set("company", &[seller])
        .set("date", &[today])
        .set("sure", &["day"])
        .set("words", &[words]);
    if form.values("own").is_empty() && page.text().contains("name=\"own\"") {
        form.set("own", &["other"]);
    }
    let answer = browser.press(&form, "action", "send").expect(303);
    let id = answer.header("Location");
    browser.follow(answer).expect(200);
    id.strip_prefix("/reports/").unwrap().to_owned()
}

fn visible(answer: &Answer) -> String {
    html::visible(&answer.text(), " ")
}

/// The links to other languages lead back to the page that they stand on. A page with a form has
/// buttons instead, which keep what was typed.
#[track_caller]
fn stays(browser: &mut Browser, address: &str) {
    let page = browser.get(address).expect(200);
    let links = html::tags(&page.text());
    let links = links.iter().filter_map(|tag| tag.get("href"));
    let links: Vec<_> = links
        .filter(|link| link.starts_with("/language?"))
        .collect();
    let form = html::tags(&page.text());
    let in_form = form.iter().any(|tag| tag.get("name") == Some("lang"));
    assert_eq!(links.len(), if in_form { 0 } else { 4 }, "{address}");
    for link in links {
        let answer = browser.get(link).expect(303);
        assert_eq!(answer.header("Location"), address, "{link}");
    }
}

#[track_caller]
fn answer(browser: &mut Browser, id: &str, text: &str) -> Answer {
    let path = format!("/console/reports/{id}");
    let page = browser.get(&path).expect(200);
    let mut form = page.form_to(&path);
    form.set("text", &[text]);
    browser.press(&form, "action", "send")
}

on_every_store! {
    fn every_wrong_key_gets_the_same_answer_and_no_session(world: &World) {
        world.dialler();
        let operator = world.operator();
        let made = operator.add_key(json!({"role": "regulator"}));
        let revoked = made["key"].as_str().unwrap().to_owned();
        operator.revoke(made["id"].as_str().unwrap());
        let good = operator.key().to_owned();
        let end = good.len() - 12;
        let changed = if good[end..].starts_with('A') { "B" } else { "A" };
        let near = format!("{}{changed}{}", &good[..end], &good[end + 1..]);
        let mut seen = Vec::new();
        for wrong in [revoked.as_str(), &near, "hello", "mtr_live_x_y", &"x".repeat(5000)] {
            let mut browser = world.browser();
            let refused = show(&mut browser, wrong).expect(422);
            assert!(browser.cookie("metrust_console").is_none(), "{wrong}");
            assert!(!refused.text().contains(wrong), "a key is not shown again");
            seen.push(visible(&refused));
        }
        assert!(seen[0].contains("do not know this key"), "{}", seen[0]);
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        let mut browser = world.browser();
        show(&mut browser, "").expect(422);
        show(&mut browser, &format!(" {good}\n")).expect(303);
    }

    fn a_dialler_is_told_kindly_that_there_is_nothing_here(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let told = show(&mut browser, dialler.key()).expect(403);
        assert!(visible(&told).contains("This key is fine"), "{}", visible(&told));
        assert!(browser.cookie("metrust_console").is_none());
        browser.get("/console/reports").expect(303);
    }

    fn a_revoked_key_ends_its_session_at_once(world: &World) {
        world.dialler();
        let made = world.operator().add_key(json!({"role": "regulator"}));
        let mut browser = signed_in(world, made["key"].as_str().unwrap());
        browser.get("/console/reports").expect(200);
        world.operator().revoke(made["id"].as_str().unwrap());
        let over = browser.get("/console/reports").expect(403);
        assert!(visible(&over).contains("no longer signed in"));
        assert!(browser.cookie("metrust_console").is_none());
    }

    fn the_session_is_a_strict_cookie_that_nobody_can_forge_and_that_holds_no_key(world: &World) {
        world.dialler();
        let key = world.operator().key().to_owned();
        let mut browser = signed_in(world, &key);
        let line = browser
            .cookies_seen
            .iter()
            .find(|line| line.starts_with("metrust_console="))
            .unwrap()
            .clone();
        for flag in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=1800"] {
            assert!(line.contains(flag), "{flag} in {line}");
        }
        for part in key.split('_').filter(|part| part.len() > 4) {
            assert!(!line.contains(part), "{line}");
        }
        assert!(browser.addresses.iter().all(|address| !address.contains("mtr_")));
        let value = browser.cookie("metrust_console").unwrap().to_owned();
        let swap = |at: usize| {
            let other = if &value[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &value[..at], &value[at + 1..])
        };
        for forged in [swap(0), swap(value.len() / 2), swap(40), "A".repeat(80), "x".into()] {
            let mut thief = world.browser();
            thief.set_cookie("metrust_console", &forged);
            let refused = thief.get("/console").expect(403);
            assert!(!refused.has_form_to("/console/leave"), "{forged}");
        }
        // A visit's box is no session's.
        let mut person = world.browser();
        person.opt_out(&[&number(1)]);
        let visit = person.cookie("metrust_visit").unwrap().to_owned();
        person.set_cookie("metrust_console", &visit);
        person.get("/console").expect(403);
        let page = browser.get("/console").expect(200);
        browser.enter(&page.form_to("/console/leave")).expect(303);
        assert!(browser.cookie("metrust_console").is_none());
        let page = browser.get("/console").expect(200);
        assert!(page.has_form_to("/console") && !page.has_form_to("/console/leave"));
    }

    fn each_company_sees_its_own_reports_and_a_regulator_all(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let (_, telco) = report(world, &number(1), "telco", "They would not stop.");
        let (_, energy) = report(world, &number(2), "energy", "At dinner <b>again</b>.");
        let telco_page = format!("/console/reports/{telco}");
        let energy_page = format!("/console/reports/{energy}");

        let mut seller = signed_in(world, operator.seller_key("telco").key());
        let list = seller.get("/console/reports").expect(200);
        assert!(list.text().contains(&telco) && !list.text().contains(&energy));
        assert!(list.shows_digits(&number(1)[1..]) && !list.shows_digits(&number(2)[1..]));
        let page = seller.get(&telco_page).expect(200);
        assert!(visible(&page).contains("They would not stop."));
        assert!(visible(&page).contains("Nobody asked in the 31 days before"));
        seller.get(&energy_page).expect(404);
        for file in ["csv", "ndjson"] {
            let file = seller.get(&format!("/console/reports.{file}")).expect(200).text();
            assert!(file.contains(&telco) && !file.contains(&energy), "{file}");
        }
        for others in ["/console/on-behalf", "/console/on-behalf/done"] {
            seller.get(others).expect(404);
        }
        let ranking = visible(&seller.get("/console/agencies").expect(200));
        assert!(ranking.contains("nobody asked us in the 31 days before: 1."), "{ranking}");

        let mut regulator = signed_in(world, operator.regulator().key());
        let page = regulator.get(&energy_page).expect(200);
        assert!(page.text().contains("&#60;b&#62;again"), "words are text");
        assert!(!page.has_form_to(&energy_page), "a regulator does not answer");
        for (query, first, second) in [
            ("", true, true),
            ("company=telco", true, false),
            ("finding=not_asked&company=", true, true),
            ("finding=asked_before", false, false),
            ("state=open&company=energy", false, true),
            ("to=2020-01-01", false, false),
            ("from=2020-01-01", true, true),
        ] {
            let list = regulator.get(&format!("/console/reports?{query}")).expect(200);
            let file = regulator.get(&format!("/console/reports.csv?{query}")).expect(200);
            assert!(file.header("Content-Disposition").contains("attachment"));
            for (id, there) in [(&telco, first), (&energy, second)] {
                assert_eq!(list.text().contains(id.as_str()), there, "{query}");
                assert_eq!(file.text().contains(id.as_str()), there, "{query}");
            }
        }
        let unread = regulator.get("/console/reports?state=nonsense").expect(422);
        assert!(!unread.text().contains(&telco), "what cannot be read is not everything");
        regulator.get("/console/reports.csv?state=nonsense").expect(400);
        regulator.get("/console/agencies").expect(404);
        regulator.get("/console/on-behalf").expect(404);

        let mut operator_page = signed_in(world, operator.key());
        for closed in [
            "/console/reports",
            "/console/reports.csv",
            "/console/reports.ndjson",
            "/console/agencies",
            &telco_page,
        ] {
            operator_page.get(closed).expect(404);
        }
        let overview = operator_page.get("/console").expect(200);
        for secret in [&number(1)[1..], &number(2)[1..]] {
            assert!(!overview.shows_digits(secret));
        }
        assert!(!overview.text().contains("dinner"));
        assert!(visible(&overview).contains("telco") && visible(&overview).contains("calls"));
        // And without a key nothing at all, however it is asked.
        for path in [&telco_page, "/console/reports.csv", "/console/on-behalf", "/console/agencies"] {
            let answer = world.browser().get(path).expect(303);
            assert_eq!(answer.header("Location"), "/console");
        }
        drop(dialler);
    }

    fn a_company_answers_and_the_person_reads_it(world: &World) {
        world.dialler();
        let (mut person, id) = report(world, &number(1), "telco", "Why?");
        let mut seller = signed_in(world, world.operator().seller_key("telco").key());
        answer(&mut seller, &id, "  \r\n ").expect(422);
        let long = format!("{}END", "x".repeat(4_000));
        let kept = answer(&mut seller, &id, &long).expect(422);
        assert!(kept.text().contains(&long), "what was typed stays");
        answer(&mut seller, &id, "We are sorry.\r\nIt stops <now>.").expect(303);
        let page = person.get(&format!("/reports/{id}")).expect(200);
        assert!(page.text().contains("We are sorry.\nIt stops &#60;now&#62;."));
        let list = visible(&seller.get("/console/reports").expect(200));
        assert!(list.contains("The company has answered"), "{list}");
        // Another company, a regulator and the operator cannot answer, also without the form.
        let operator = world.operator();
        for key in [
            operator.seller_key("energy").key(),
            operator.regulator().key(),
            operator.key(),
        ] {
            let mut other = signed_in(world, key);
            let home = other.open("/console").expect(200);
            let token = home.form_to("/console/leave").values("token")[0].to_owned();
            let fields = [("token".to_owned(), token), ("text".to_owned(), "Not us.".to_owned())];
            other.post(&format!("/console/reports/{id}"), &fields).expect(404);
        }
        let page = person.get(&format!("/reports/{id}")).expect(200);
        assert!(!page.text().contains("Not us."));
    }

    fn the_regulator_sees_figures_and_nobody_else_does(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        world.browser().opt_out(&[&number(1)]);
        for n in 1..=3 {
            dialler.check(&number(n), "telco").expect(200);
        }
        report(world, &number(9), "energy", "");
        let mut regulator = signed_in(world, operator.regulator().key());
        let page = regulator.open("/console/figures").expect(200);
        let tables: Vec<String> = page
            .text()
            .split("<tbody>")
            .skip(1)
            .map(|rest| html::visible(rest.split("</tbody>").next().unwrap(), " "))
            .collect();
        let [checks, companies, agencies] = tables.as_slice() else {
            panic!("{tables:?}");
        };
        let figures: Vec<&str> = checks.split_whitespace().rev().take(3).collect();
        assert_eq!(figures, ["0", "2", "1"], "{checks}");
        assert!(companies.contains("The energy company") && companies.contains('1'), "{companies}");
        assert!(agencies.contains("Unknown: nobody asked in 31 days"), "{agencies}");
        assert_eq!(page.text().matches("<svg").count(), 3);
        regulator.open("/console/figures?days=7").expect(200);
        for key in [operator.key(), operator.seller_key("telco").key()] {
            signed_in(world, key).get("/console/figures").expect(404);
        }
    }

    fn whoever_changes_the_language_stays_where_they_are(world: &World) {
        world.dialler();
        let operator = world.operator();
        let (mut person, id) = report(world, &number(1), "telco", "");
        let one = format!("/console/reports/{id}");
        let filtered = "/console/reports?company=telco&finding=not_asked&from=2020-01-01&state=open";
        let pages: [(String, &[&str]); 3] = [
            (operator.seller_key("telco").key().to_owned(), &["/console/reports", "/console/agencies"]),
            (
                operator.regulator().key().to_owned(),
                &["/console/reports", filtered, &one, "/console/figures", "/console/figures?days=7"],
            ),
            (operator.key().to_owned(), &["/console"]),
        ];
        for (key, addresses) in pages {
            let mut browser = signed_in(world, &key);
            let page = browser.open("/console").expect(200);
            let tags = html::tags(&page.text());
            let nav = tags.iter().filter_map(|tag| tag.get("href"));
            let nav = nav.filter(|link| link.starts_with("/console") && !link.contains('.')).map(str::to_owned);
            for address in nav.chain(addresses.iter().map(|&address| address.to_owned())) {
                stays(&mut browser, &address);
            }
        }
        for address in [
            "/registration",
            "/registration?next=report",
            "/registration?next=reports",
            "/registration?next=asked",
        ] {
            stays(&mut world.browser(), address);
        }
        stays(&mut person, &format!("/reports/{id}"));
        stays(&mut person, "/reports");
        // What the page does not know is not led back to.
        let mut browser = world.browser();
        for (back, to) in [
            ("/console/reports%3Fstate%3Dopen%26x%3D1", "/console/reports?state=open"),
            ("/console/figures%3Fdays%3D8", "/console/figures"),
            ("//evil.example/console/figures", "/"),
        ] {
            let answer = browser.get(&format!("/language?to=fr&back={back}")).expect(303);
            assert_eq!(answer.header("Location"), to);
        }
    }

    fn what_was_typed_outlives_the_session(world: &World) {
        world.dialler();
        let (mut person, id) = report(world, &number(1), "telco", "");
        let key = world.operator().seller_key("telco").key().to_owned();
        let mut seller = signed_in(world, &key);
        let path = format!("/console/reports/{id}");
        let page = seller.get(&path).expect(200);
        let mut form = page.form_to(&path);
        form.set("text", &["A long answer, \"typed\" with care."]);
        seller.set_cookie("metrust_console", "over");
        let over = seller.press(&form, "action", "send").expect(403);
        assert!(visible(&over).contains("it is there again"), "{}", visible(&over));
        let mut again = over.form_to("/console");
        again.set("key", &["mtr_wrong"]);
        let again = seller.press(&again, "action", "enter").expect(422);
        let mut again = again.form_to("/console");
        again.set("key", &[&key]);
        let back = seller.press(&again, "action", "enter").expect(200);
        let form = back.form_to(&path);
        assert_eq!(form.values("text"), ["A long answer, \"typed\" with care."]);
        let unsent = person.get(&format!("/reports/{id}")).expect(200);
        assert!(!unsent.text().contains("with care"), "nothing is sent by signing in");
        seller.press(&form, "action", "send").expect(303);
        let page = person.get(&format!("/reports/{id}")).expect(200);
        assert!(page.text().contains("with care"));
    }

    fn forms_of_the_console_are_taken_from_its_own_pages_only(world: &World) {
        world.dialler();
        let (_, id) = report(world, &number(1), "telco", "");
        let mut seller = signed_in(world, world.operator().seller_key("telco").key());
        let path = format!("/console/reports/{id}");
        let (_, fields) = seller.get(&path).expect(200).form_to(&path).pressed("action", "send");
        let foreign = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")];
        for target in [path.as_str(), "/console/leave", "/console", "/console/on-behalf"] {
            let refused = seller.post_with(target, &fields, &foreign).expect(403);
            assert!(!refused.has_form_to(&path), "{target}");
        }
        let untied: Vec<_> = fields
            .iter()
            .filter(|(name, _)| name != "token")
            .cloned()
            .collect();
        let refused = seller.post(&path, &untied).expect(403);
        assert!(refused.has_form_to(&path), "the form comes again");
        seller.get(&path).expect(200);
    }

    fn the_operator_opts_a_person_out_on_record_and_hands_the_code_over(world: &World) {
        let dialler = world.dialler();
        let mut operator = signed_in(world, world.operator().key());
        let page = operator.get("/console/on-behalf").expect(200);
        let mut form = page.form_to("/console/on-behalf");
        let numbers = format!("{}\r\nhello\r\n\r\n{}", number(1), number(2));
        form.set("numbers", &[&numbers]).set("reason", &["call her: 0475 12 34 56"]);
        let wrong = operator.press(&form, "action", "send").expect(422);
        let said = visible(&wrong);
        assert!(said.contains("hello: ") && said.contains("without a phone number"), "{said}");
        assert!(!dialler.suppresses(&number(1), "telco"), "nothing is done by halves");
        let mut form = wrong.form_to("/console/on-behalf");
        assert!(form.values("numbers")[0].contains("hello"), "what was typed stays");
        let numbers = format!("{}\r\n{}", number(1), number(2));
        form.set("numbers", &[&numbers])
            .set("reason", &["asked by letter"])
            .set("scope", &["chosen"])
            .set("seller", &["telco"]);
        let done = operator.press(&form, "action", "send").expect(303);
        assert_eq!(done.header("Location"), "/console/on-behalf/done");
        for phone in [number(1), number(2)] {
            assert!(dialler.suppresses(&phone, "telco"), "the very next check knows");
            assert!(!dialler.suppresses(&phone, "energy"));
        }
        let page = operator.follow(done).expect(200);
        let code = page.code();
        assert!(operator.addresses.iter().all(|address| !address.contains(&code)));
        let again = operator.press(&form, "action", "send").expect(303);
        assert_eq!(operator.follow(again).code(), code, "sent twice is done once");

        let entries = world.operator().entries(&[("op", "register")]);
        assert_eq!(entries.len(), 2, "{entries:?}");
        for entry in &entries {
            assert_eq!(entry["reason"], "on_behalf", "{entry}");
            assert_eq!(entry["note"], "asked by letter", "{entry}");
            assert_eq!(entry["seller"], "telco", "{entry}");
            assert!(entry["key"].is_string(), "{entry}");
        }
        // The code is the person's: it opens and ends the opt-out; another key does not see it.
        let other = world.operator().add_key(json!({"role": "operator"}));
        let handover = operator.cookie("metrust_handover").unwrap().to_owned();
        let mut thief = signed_in(world, other["key"].as_str().unwrap());
        thief.set_cookie("metrust_handover", &handover);
        thief.get("/console/on-behalf/done").expect(303);
        let mut person = world.browser();
        person.type_code(&code).expect(200);
        person.withdraw();
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn the_command_line_opts_a_person_out_on_record(world: &World) {
        let dialler = world.dialler();
        let command = |arguments: &[&str], input: &str| {
            let mut command = metrust();
            command
                .args(["register", "--on-behalf-of-person"])
                .args(arguments)
                .env("METRUST_URL", world.service.url())
                .env("METRUST_DATA", world.service.data());
            run_on(&mut command, input)
        };
        let lines = format!("{}\n{}\n", number(1), number(2));
        let made = command(&["--reason", "asked at the town hall", "--seller", "energy", "-"], &lines);
        assert!(made.status.success(), "{made:?}");
        let code = made.stdout.trim().to_owned();
        assert!(!made.stderr.contains(&number(1)) && !made.stderr.contains(&code), "{made:?}");
        assert!(dialler.suppresses(&number(2), "energy"));
        assert!(!dialler.suppresses(&number(2), "telco"));
        let entries = world.operator().entries(&[("op", "register")]);
        assert_eq!(entries.len(), 2);
        assert!(entries.iter().all(|entry| entry["note"] == "asked at the town hall"));
        world.anonymous().withdraw(&code).expect(200);
        assert!(!dialler.suppresses(&number(2), "energy"));

        for (reason, phone) in [("", number(3)), ("0475123456", number(3)), ("fine", "hello".into())] {
            let refused = command(&["--reason", reason, &phone], "");
            assert!(!refused.status.success(), "{refused:?}");
            assert!(!refused.stderr.contains(&phone), "{refused:?}");
        }
        assert!(!dialler.suppresses(&number(3), "telco"));
        let plain = world.service.cli(&["register", "--reason", "x", &number(3)]);
        assert_eq!(plain.status.code(), Some(2), "it must say for whom: {plain:?}");
    }

    fn only_an_operator_registers_on_behalf(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let body = json!({"numbers": [number(1)], "sellers": "all", "reason": "asked by letter"});
        for other in [&dialler, &operator.regulator(), &operator.seller_key("telco")] {
            other.post("/v1/admin/registrations", body.clone()).expect(403);
        }
        world.anonymous().post("/v1/admin/registrations", body.clone()).expect(401);
        let unreasoned = json!({"numbers": [number(1)], "sellers": "all"});
        operator.post("/v1/admin/registrations", unreasoned).expect_refused();
        assert!(!dialler.suppresses(&number(1), "telco"));
        operator.post("/v1/admin/registrations", body).expect(201);
        assert!(dialler.suppresses(&number(1), "telco"));
    }
}

/// The same world at a later moment (UTC).
fn at(world: &mut World, moment: &str) {
    let launch = world.service.launch().beginning_at(moment);
    world.service.restart_as(&launch);
}

#[test]
fn an_agency_that_called_on_no_is_counted_for_its_company() {
    for engine in [Engine::Embedded, Engine::RedisAlways] {
        let mut world = World::with(engine, |launch: Launch| {
            launch.beginning_at("2026-11-10 10:00:00")
        });
        let dialler = world.dialler();
        let mut person = world.browser();
        let code = person.opt_out(&[&number(1)]);
        assert!(dialler.suppresses(&number(1), "telco"));
        // On the day after, whenever the call came, they had been told.
        at(&mut world, "2026-11-11 10:00:00");
        let mut person = world.browser();
        person.type_code(&code).expect(200);
        let page = person.get("/report").expect(200);
        assert!(page.text().contains("name=\"own\""));
        let id = report_in(&mut person, &number(1), "telco", "");
        let mut seller = signed_in(&world, world.operator().seller_key("telco").key());
        let page = visible(&seller.get(&format!("/console/reports/{id}")).expect(200));
        assert!(page.contains("Called although told not to call"), "{page}");
        assert!(page.contains("This answer counts for this call."), "{page}");
        let ranking = visible(&seller.get("/console/agencies").expect(200));
        let words: Vec<_> = ranking.split_whitespace().collect();
        let counted = words.join(" ");
        assert!(
            counted.contains("Reported calls 1 Called although told not to call 1"),
            "{counted}"
        );
    }
}

#[test]
fn what_is_late_shows_to_the_operator_as_a_number_and_first_to_the_company() {
    for engine in [Engine::Embedded, Engine::RedisAlways] {
        let mut world = World::with(engine, |launch: Launch| {
            let launch = launch.set("REPORT__ANSWER_DAYS", "2");
            launch.beginning_at("2026-11-10 10:00:00")
        });
        world.dialler();
        let operator = world.operator().key().to_owned();
        let seller = world.operator().seller_key("telco").key().to_owned();
        let (_, first) = report(&world, &number(1), "telco", "secret words");
        for n in [2, 3] {
            report(&world, &number(n), "energy", "");
        }
        let overview = visible(&signed_in(&world, &operator).get("/console").expect(200));
        assert!(overview.contains("No answer is late."), "{overview}");
        at(&mut world, "2026-11-11 10:00:00");
        let (_, second) = report(&world, &number(4), "telco", "");
        // Five hours after the first answer was due.
        at(&mut world, "2026-11-12 14:30:00");
        let (_, third) = report(&world, &number(5), "telco", "");

        let overview = signed_in(&world, &operator).get("/console").expect(200);
        let said = visible(&overview);
        assert!(!said.contains("No answer is late."), "{said}");
        let owed = [
            "The energy company: 2. The oldest was due on Thursday 12 November 2026 at 11:0",
            "The telco company: 1. The oldest was due on Thursday 12 November 2026 at 11:0",
        ];
        let places = owed.map(|line| {
            said.find(line)
                .unwrap_or_else(|| panic!("{line} in {said}"))
        });
        assert!(places[0] < places[1], "whoever owes most stands first");
        assert!(!said.contains("secret words"));
        for n in 1..=5 {
            assert!(!overview.shows_digits(&number(n)[1..]), "{n}");
        }

        let mut company = signed_in(&world, &seller);
        let list = company.get("/console/reports").expect(200);
        let said = visible(&list);
        for time in [
            "Answer late by 5 hours",
            "20 hours left to answer",
            "48 hours left to answer",
        ] {
            assert_eq!(said.matches(time).count(), 1, "{time} in {said}");
        }
        let html = list.text();
        let places = [&first, &second, &third].map(|id| html.find(id.as_str()).unwrap());
        assert!(
            places.is_sorted(),
            "what is late first, then what is due next"
        );
        assert_eq!(html.matches("class=\"state overdue\"").count(), 1, "{html}");
        let page = visible(
            &company
                .get(&format!("/console/reports/{first}"))
                .expect(200),
        );
        assert!(page.contains("Answer late by 5 hours"), "{page}");

        answer(&mut company, &first, "We are sorry that this took so long.").expect(303);
        let said = visible(&company.get("/console/reports").expect(200));
        assert!(!said.contains("Answer late"), "{said}");
        let said = visible(&signed_in(&world, &operator).get("/console").expect(200));
        assert!(
            !said.contains("The telco company: 1.") && said.contains(owed[0]),
            "{said}"
        );
    }
}

#[test]
fn figures_of_checks_and_of_reports_begin_at_the_same_midnight() {
    let mut world = World::with(Engine::Embedded, |launch: Launch| {
        // The last hour before midnight in Brussels.
        launch.beginning_at("2026-11-10 22:30:00")
    });
    let dialler = world.dialler();
    let regulator = world.operator().regulator().key().to_owned();
    dialler.check(&number(1), "telco").expect(200);
    report(&world, &number(2), "energy", "");
    // Seven times 24 hours reach back to before that midnight, seven days do not.
    at(&mut world, "2026-11-17 10:00:00");
    let mut browser = signed_in(&world, &regulator);
    let week = visible(&browser.open("/console/figures?days=7").expect(200));
    assert_eq!(week.matches("Nothing yet.").count(), 3, "{week}");
    let month = visible(&browser.open("/console/figures").expect(200));
    assert!(!month.contains("Nothing yet."), "{month}");
    assert!(month.contains("The energy company"), "{month}");
}

#[test]
fn keys_are_guessed_no_faster_than_codes() {
    let world = World::with_real_limits(Engine::Embedded);
    world.dialler();
    let mut browser = world.browser();
    let mut refused = 0;
    for _ in 0..12 {
        let answer = show(&mut browser, "mtr_live_guess");
        match answer.status {
            422 => {}
            429 => {
                assert!(!answer.header("Retry-After").is_empty());
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(refused >= 1, "ten a minute");
    let key = world.operator().key().to_owned();
    show(&mut browser, &key).expect(429);
}
