//! A registration of many companies: there is a bound, it is said, and at the bound nobody else
//! waits.

use serde_json::json;

use crate::harness::load::{Load, Outcome};
use crate::harness::{Api, Engine, World, eventually, number, on_every_store};

/// How many companies one registration may name.
const MOST: usize = 100;

/// What the page says above it, in each language.
const TOO_MANY: [(&str, &str); 4] = [
    (
        "nl",
        "Kies hoogstens 100 bedrijven, of kies “Alle bedrijven”",
    ),
    (
        "fr",
        "Choisissez au plus 100 entreprises, ou choisissez «\u{a0}Toutes les entreprises",
    ),
    (
        "de",
        "Wählen Sie höchstens 100 Firmen, oder wählen Sie „Alle Firmen“",
    ),
    (
        "en",
        "Choose at most 100 companies, or choose “All companies”",
    ),
];

/// So many companies, and the dialler of an agency that calls for all of them.
fn companies(world: &World, count: usize) -> (Vec<String>, Api) {
    let operator = world.operator();
    let ids: Vec<_> = (1..=count).map(|n| format!("company-{n:03}")).collect();
    ids.iter().for_each(|id| operator.add_seller(id));
    let all: Vec<_> = ids.iter().map(String::as_str).collect();
    operator.add_agency("calls", &all);
    (ids, operator.dialler_of("calls"))
}

on_every_store! {
    fn a_registration_names_a_hundred_companies_and_no_more(world: &World) {
        let (ids, dialler) = companies(world, MOST + 1);
        let (phone, last) = (number(1), ids.last().unwrap().as_str());
        let body = json!({"numbers": [phone], "sellers": ids});
        let problem = dialler.post("/v1/registrations", body.clone()).expect(422);
        let problem = problem.json();
        assert_eq!(problem["code"], "too_many_sellers", "{problem}");
        assert_eq!(problem["most"], MOST, "{problem}");
        assert!(
            problem["remedy"].as_str().unwrap().contains("\"sellers\":\"all\""),
            "{problem}"
        );
        let mut on_behalf = body;
        on_behalf["reason"] = json!("by letter");
        world
            .operator()
            .post("/v1/admin/registrations", on_behalf)
            .expect(422);
        assert!(!dialler.suppresses(&phone, last));

        // Named twice is named once.
        let mut most = ids[..MOST].to_vec();
        most.push(ids[0].clone());
        let code = dialler.register(&[&phone], json!(most));
        assert!(dialler.suppresses(&phone, &ids[MOST - 1]));

        // None comes in later, either.
        let mut browser = world.browser().reading("en");
        let page = browser.type_code(&code).expect(200);
        let mut form = page.form_with("action", "add-company");
        form.set("company", &[last]);
        let page = browser.press(&form, "action", "add-company").expect(409);
        assert!(
            page.text().contains("There is room for 100 companies under one code"),
            "{}",
            page.text()
        );
        assert!(!dialler.suppresses(&phone, last));
    }

    fn what_several_registrations_say_of_many_companies_goes_with_the_last_of_them(world: &World) {
        let (ids, dialler) = companies(world, 30);
        let phones = [number(1), number(2)];
        let register = |from: usize, to: usize| {
            dialler.register(&[&phones[0], &phones[1]], json!(ids[from..to]))
        };
        let codes = [register(0, 20), register(10, 30), register(15, 25)];
        let standing = |which: std::ops::Range<usize>| {
            for (place, id) in ids.iter().enumerate() {
                let expected = which.contains(&place);
                for phone in &phones {
                    assert_eq!(dialler.suppresses(phone, id), expected, "{id}");
                }
            }
        };
        standing(0..30);
        dialler.withdraw(&codes[1]).expect(200);
        standing(0..25);
        dialler.withdraw(&codes[0]).expect(200);
        standing(15..25);
        dialler.withdraw(&codes[2]).expect(200);
        standing(0..0);
    }

    fn checks_are_answered_beside_a_registration_at_its_bound_that_comes_and_goes(world: &World) {
        let (ids, dialler) = companies(world, MOST);
        let listed = number(50);
        dialler.register(&[&listed], json!("all"));
        let load = Load::start(&dialler, &ids[0], &listed, &number(51));
        let numbers: Vec<_> = (1..=10).map(number).collect();
        let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
        for _ in 0..3 {
            let code = dialler.register(&numbers, json!(ids));
            assert!(numbers.iter().all(|phone| dialler.suppresses(phone, &ids[7])));
            dialler.withdraw(&code).expect(200);
            assert!(numbers.iter().all(|phone| !dialler.suppresses(phone, &ids[7])));
        }
        load.wait_for(1, "the load goes on", Outcome::is_answered);
        let samples = load.finish();
        let unanswered: Vec<_> = samples
            .iter()
            .filter(|sample| !sample.outcome.is_answered())
            .collect();
        assert!(unanswered.is_empty(), "{unanswered:?}");
    }
}

#[test]
fn the_page_offers_all_companies_to_whoever_chooses_more_than_a_hundred() {
    let world = World::on(Engine::Embedded);
    let (ids, dialler) = companies(&world, MOST + 1);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    for (language, text) in TOO_MANY {
        let mut browser = world.browser().reading(language);
        let page = browser.review_as(&[&number(1)], |form| {
            form.set("scope", &["chosen"]).set("seller", &ids);
        });
        let page = page.expect(422);
        assert!(page.text().contains(text), "{}", page.text());
        let mut form = page.form_with("action", "review");
        assert_eq!(
            form.values("number")[0],
            number(1),
            "what was typed is kept"
        );
        assert_eq!(form.values("seller"), ids, "what was chosen is kept");
        form.set("scope", &["all"]);
        browser.press(&form, "action", "review").expect(200);
    }
    eventually("nothing was registered", || {
        !dialler.suppresses(&number(1), ids[0])
    });
}
