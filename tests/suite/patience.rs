//! What is asked of whoever might be a program, and that it never keeps a person from opting out.

use sha2::{Digest, Sha256};

use crate::harness::{Answer, Browser, Engine, World, html, number, on_every_store};

const ASKED: &str = "We want to be sure that a person is here.";

fn registrations(world: &World) -> usize {
    world.operator().entries(&[("op", "register")]).len()
}

/// Goes to the last step, and presses its button at once.
fn confirm(browser: &mut Browser, phone: &str) -> Answer {
    let review = browser.review(&[phone]).expect(200);
    let form = review.form_with("action", "confirm");
    browser.press(&form, "action", "confirm")
}

/// The work that a browser does where scripts run.
fn work_for(asked: &str, bits: u32) -> String {
    let mut numbers = (0_u64..).map(|number| number.to_string());
    let done = numbers.find(|number| {
        let hash = Sha256::digest(format!("{asked}:{number}"));
        u32::from_be_bytes(hash[..4].try_into().unwrap()).leading_zeros() >= bits
    });
    done.unwrap()
}

fn says(page: &Answer, text: &str) -> bool {
    html::visible(&page.text(), " ").contains(text)
}

/// Does the work that a page asks for, and presses the button once more.
fn with_work(browser: &mut Browser, page: &Answer) -> Answer {
    let tags = html::tags(&page.text());
    let asked = tags
        .iter()
        .find(|tag| tag.get("id") == Some("patience"))
        .unwrap();
    let bits = asked.get("data-bits").unwrap().parse().unwrap();
    let work = work_for(asked.get("value").unwrap(), bits);
    let mut form = page.form_with("action", "confirm");
    form.set("work", &[&work]);
    browser.press(&form, "action", "confirm")
}

on_every_store! {
    fn whoever_is_faster_than_a_reader_is_asked_for_patience_and_loses_nothing(world: &mut World) {
        let launch = world.service.launch().set("LIMITS__FORM_SECONDS", "3600");
        world.service.restart_as(&launch);
        let dialler = world.dialler();
        let mut browser = world.browser();
        let page = confirm(&mut browser, &number(1)).expect(403);
        assert!(says(&page, ASKED) && page.shows_digits(&number(1)[1..]), "{}", page.text());
        assert!(page.header("Content-Security-Policy").contains("script-src 'self'"));
        // Pressed again at once, or with work that is none, it is asked again.
        let form = page.form_with("action", "confirm");
        let again = browser.press(&form, "action", "confirm").expect(403);
        let mut form = again.form_with("action", "confirm");
        form.set("work", &["1"]);
        let again = browser.press(&form, "action", "confirm").expect(403);
        assert_eq!(registrations(world), 0);
        assert!(!dialler.suppresses(&number(1), "telco"));
        with_work(&mut browser, &again).expect(303);
        assert!(dialler.suppresses(&number(1), "telco"));
    }

    fn many_numbers_close_together_raise_an_alarm_and_the_next_ones_wait(world: &mut World) {
        let launch = world.service.launch().set("LIMITS__ADJACENT_PER_HOUR", "3");
        world.service.restart_as(&launch);
        let dialler = world.dialler();
        let mut browser = world.browser();
        for n in 1..=3 {
            confirm(&mut browser, &number(n)).expect(303);
        }
        let alarms = world.operator().entries(&[("op", "incident")]);
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        assert_eq!(alarms[0]["reason"], "adjacent_numbers");
        assert!(world.service.log().contains("that lie close together"));
        let page = confirm(&mut browser, &number(4)).expect(403);
        assert!(says(&page, ASKED));
        with_work(&mut browser, &page).expect(303);
        assert!(dialler.suppresses(&number(4), "telco"));
        // Numbers elsewhere go in as ever.
        confirm(&mut browser, &number(50_000)).expect(303);
        assert_eq!(world.operator().entries(&[("op", "incident")]).len(), 1);
    }
}

#[test]
fn many_addresses_of_one_network_do_not_help_one_person() {
    let world = World::with(Engine::Embedded, |launch| {
        launch
            .with_real_limits()
            .set("LIMITS__REGISTRATIONS_PER_MINUTE", "1000")
            .set("LIMITS__REGISTRATIONS_PER_MINUTE_NETWORK", "4")
            .set("HTTP__TRUSTED_PROXIES", "127.0.0.0/8")
    });
    let mut answers = Vec::new();
    for n in 1..=6 {
        let mut browser = world.browser();
        let review = browser.review(&[&number(n)]).expect(200);
        let (path, fields) = review
            .form_with("action", "confirm")
            .pressed("action", "confirm");
        let address = format!("203.0.113.{n}");
        let answer = browser.post_with(&path, &fields, &[("X-Forwarded-For", &address)]);
        answers.push(browser.shown_again(answer).status);
    }
    assert_eq!(answers, [303, 303, 303, 303, 429, 429]);
}
