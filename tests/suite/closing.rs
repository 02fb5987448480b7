//! "Close on this device" and signing out end what was open: a copy of a cookie opens nothing more,
//! in no process, and what browsers keep in memory for Back goes.

use serde_json::json;

use crate::harness::{Browser, Engine, World, eventually, number, on_every_store};

const COOKIES: [&str; 5] = [
    "metrust_visit",
    "metrust_form",
    "metrust_draft",
    "metrust_console",
    "metrust_handover",
];

/// A browser with everything that this one holds.
fn copied(browser: &Browser, url: &str) -> Browser {
    let mut copy = Browser::at(url);
    for name in COOKIES {
        if let Some(value) = browser.cookie(name) {
            copy.set_cookie(name, value);
        }
    }
    copy
}

#[test]
fn what_was_closed_while_the_store_was_away_is_closed_when_it_is_back() {
    let mut world = World::with(Engine::RedisAlways, |launch| {
        launch.set("STORE__TIMEOUT_MS", "500")
    });
    world.dialler();
    let mut browser = world.browser();
    browser.opt_out(&[&number(1)]);
    let mut copy = copied(&browser, &world.service.url());
    let page = browser.open("/registration").expect(200);
    world.redis().stop();
    browser.enter(&page.form_to("/leave")).expect(303);
    assert!(browser.cookie("metrust_visit").is_none());
    assert_ne!(copy.get("/done").status, 200, "nobody can tell now");
    world.redis().cont();
    eventually("the copy opens nothing", || copy.get("/done").status == 303);
}

/// The addresses of all processes that share the store.
fn urls(world: &World, replica: Option<&crate::harness::Service>) -> Vec<String> {
    let services = [Some(&world.service), replica];
    services
        .into_iter()
        .flatten()
        .map(|service| service.url())
        .collect()
}

on_every_store! {
    fn a_visit_that_was_closed_opens_nothing_with_a_cookie_copied_before_in_any_process(world: &World) {
        let dialler = world.dialler();
        let replica = world.replica();
        let urls = urls(world, replica.as_ref());
        let mut browser = world.browser();
        let review = browser.review(&[&number(1)]).expect(200);
        review.form_with("action", "confirm");
        let draft = browser.addresses.last().unwrap().clone();
        assert!(draft.starts_with("/opt-out/review?form="), "{draft}");
        let code = browser.confirm(&review);
        let copies = || urls.iter().map(|url| copied(&browser, url)).collect::<Vec<_>>();
        let mut before = copies();
        for copy in &mut before {
            assert_eq!(copy.get("/done").expect(200).code(), code);
            assert!(copy.get(&draft).expect(200).shows_digits(&number(1)[3..]));
        }
        let mut elsewhere = world.browser();
        elsewhere.type_code(&code).expect(200);
        let withdraw = browser.open("/registration").expect(200).form_to("/registration/withdraw");
        let form = browser.cookie("metrust_form").unwrap().to_owned();
        let page = browser.open("/registration").expect(200);
        let closed = browser.enter(&page.form_to("/leave")).expect(303);
        assert_eq!(closed.header("Location"), "/");
        // Browsers drop the pages that they hold in memory when such a cookie changes.
        assert!(browser.cookie("metrust_form").is_some_and(|new| new != form));
        for copy in &mut before {
            copy.get("/done").expect(303);
            let over = copy.get("/registration").expect(403);
            assert!(!over.shows_digits(&number(1)[3..]));
            let gone = copy.get(&draft).expect(410);
            assert!(!gone.shows_digits(&number(1)[3..]));
        }
        for mut copy in before {
            copy.set_cookie("metrust_form", &form);
            copy.enter(&withdraw).expect_refused();
        }
        assert!(dialler.suppresses(&number(1), "telco"));
        // It was closed on that device alone.
        assert_eq!(elsewhere.open("/done").expect(200).code(), code);
    }

    fn a_session_of_the_console_that_was_signed_out_opens_nothing_with_a_cookie_copied_before(world: &World) {
        world.dialler();
        let replica = world.replica();
        let urls = urls(world, replica.as_ref());
        let key = world.operator().add_key(json!({"role": "regulator"}));
        let key = key["key"].as_str().unwrap();
        let sign_in = |url: &str| {
            let mut browser = Browser::at(url);
            let mut form = browser.get("/console").expect(200).form_to("/console");
            form.set("key", &[key]);
            browser.press(&form, "action", "enter").expect(303);
            browser
        };
        let mut browser = sign_in(&urls[0]);
        let mut colleague = sign_in(&urls[0]);
        // Another process hears of a new key a moment later.
        for url in &urls {
            eventually("the copy opens the console", || {
                copied(&browser, url).get("/console/reports").status == 200
            });
        }
        let mut copies: Vec<_> = urls.iter().map(|url| copied(&browser, url)).collect();
        let page = browser.get("/console/reports").expect(200);
        browser.enter(&page.form_to("/console/leave")).expect(303);
        for copy in &mut copies {
            copy.get("/console/reports").expect(403);
            copy.get("/console/figures").expect(303);
        }
        colleague.get("/console/reports").expect(200);
    }
}
