//! POST, redirect, GET: no page answers a form, so Back and Reload show pages and send nothing, and
//! what was typed is there again.

use crate::harness::{Answer, Browser, Engine, World, html, number, on_every_store};

/// Sends a form as it is, without going on: the address that it leads to.
#[track_caller]
fn led(browser: &mut Browser, to: &str, mut fields: Vec<(String, String)>) -> String {
    fields.retain(|(name, _)| name != "formaction");
    let answer = browser.post_with(to, &fields, &[("Sec-Fetch-Site", "same-origin")]);
    let answer = answer.expect(303);
    assert!(answer.body.is_empty(), "{to}");
    answer.header("Location")
}

#[track_caller]
fn pressed(browser: &mut Browser, page: &Answer, name: &str, value: &str) -> String {
    let (to, fields) = page.form_with(name, value).pressed(name, value);
    led(browser, &to, fields)
}

#[track_caller]
fn filled(page: &Answer, button: &str, fields: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
    let mut form = page.form_with("action", button);
    for (name, value) in fields {
        form.set(name, &[value]);
    }
    form.pressed("action", button)
}

fn registrations(world: &World) -> usize {
    world.operator().entries(&[("op", "register")]).len()
}

on_every_store! {
    fn back_and_reload_on_the_way_to_an_opt_out_show_what_was_typed_and_send_nothing(world: &World) {
        world.dialler();
        let mut browser = world.browser().reading("en");
        let page = browser.open("/").expect(200);
        let (to, fields) = filled(&page, "add", &[("number", "0475 12")]);
        let form = led(&mut browser, &to, fields);
        let page = browser.get(&form).expect(200);
        assert_eq!(page.form_with("action", "review").values("number"), ["0475 12", ""]);
        let (to, fields) = filled(&page, "review", &[("number", "0475 12")]);
        assert_eq!(led(&mut browser, &to, fields), form, "errors stand where the form stood");
        let page = browser.get(&form).expect(422);
        let (to, fields) = filled(&page, "review", &[("number", &number(1))]);
        let review = led(&mut browser, &to, fields);
        assert_ne!(review, form);
        let page = browser.get(&review).expect(200);
        assert_eq!(pressed(&mut browser, &page, "lang", "nl"), review);
        let page = browser.get(&review).expect(200);
        assert_eq!(page.language(), "nl");
        assert_eq!(pressed(&mut browser, &page, "action", "confirm"), "/done");
        let code = browser.open("/done").expect(200).code();
        // Back, and back again, with a reload at each.
        for _ in 0..2 {
            let back = browser.get(&review).expect(200);
            assert!(back.shows_digits(&number(1)[3..]));
            assert_eq!(browser.confirm(&back), code, "the same form is the same opt-out");
        }
        for _ in 0..2 {
            let back = browser.get(&form).expect(200).form_with("action", "review");
            assert_eq!(back.values("number")[0], number(1));
        }
        assert_eq!(registrations(world), 1);
        // A new form is empty.
        assert_eq!(browser.opt_out_form().values("number"), ["", ""]);
    }

    fn every_form_of_the_pages_leads_on_to_a_page_and_keeps_what_was_typed(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        let again = |browser: &mut Browser, page: &Answer, button, fields: &[(&str, &str)], status| {
            let (to, fields) = filled(page, button, fields);
            let at = led(browser, &to, fields.clone());
            assert!(at.starts_with(&format!("{to}?form=")), "{at}");
            let first = browser.get(&at).expect(status);
            let reloaded = browser.get(&at).expect(status);
            for (name, value) in &fields {
                if !["token", "action", "key"].contains(&name.as_str()) {
                    assert!(reloaded.text().contains(&**value), "{to}: {name}={value}");
                }
            }
            first
        };
        let page = browser.open("/report").expect(200);
        let told = [("number", "0475 12"), ("caller", "withheld"), ("words", "Again and again")];
        again(&mut browser, &page, "send", &told, 422);
        assert!(!browser.open("/report").expect(200).text().contains("withheld"), "a new form");
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/registration").expect(200);
        again(&mut browser, &page, "add-number", &[("number", "0475 12")], 422);
        // The code, and the key.
        let mut guest = world.browser();
        let mut form = guest.open("/registration").expect(200).form_to("/registration");
        form.set("reference", &["AB-CD"]);
        let (to, fields) = form.entered();
        let at = led(&mut guest, &to, fields);
        let wrong = guest.get(&at).expect(422);
        assert_eq!(wrong.form_to("/registration").values("reference"), ["AB-CD"]);
        assert!(guest.open("/registration").expect(200).form_to("/registration").values("reference")[0].is_empty());
        let page = guest.open("/console").expect(200);
        let wrong = again(&mut guest, &page, "enter", &[("key", "mtr_live_nothing")], 422);
        assert!(!wrong.text().contains("mtr_live_nothing"));
        let (to, fields) = filled(&wrong, "enter", &[("key", world.operator().key())]);
        assert_eq!(led(&mut guest, &to, fields), "/console");
        let page = guest.open("/console/on-behalf").expect(200);
        let helped = [("numbers", "0475 12"), ("reason", "asked by letter")];
        again(&mut guest, &page, "send", &helped, 422);
        assert_eq!(registrations(world), 1);
    }

    fn a_visit_that_is_over_is_told_on_a_page_that_can_be_reloaded(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/registration").expect(200);
        let (to, fields) = page.form_to("/registration/withdraw").entered();
        browser.set_cookie("metrust_visit", "over");
        let at = led(&mut browser, &to, fields);
        for _ in 0..2 {
            browser.get(&at).expect(403);
        }
        assert!(dialler.suppresses(&number(1), "telco"));
    }
}

#[test]
fn a_draft_is_sealed_for_one_browser_for_half_an_hour_and_sent_with_its_form_alone() {
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("HTTP__PUBLIC_URL", "https://rest.example")
    });
    world.dialler();
    let mut browser = world.browser();
    let page = browser.open("/").expect(200);
    let (to, fields) = filled(&page, "review", &[("number", &number(1))]);
    let at = led(&mut browser, &to, fields);
    let line = browser.cookies_seen.last().unwrap().clone();
    for part in [
        "metrust_draft=",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/opt-out",
        "Max-Age=1800",
        "Secure",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(
        line.len() <= 4096 && !line.contains(&number(1)[4..]),
        "{line}"
    );
    let draft = browser.cookie("metrust_draft").unwrap().to_owned();
    // In another browser it opens nothing, and the page says what became of it.
    let mut thief = world.browser();
    thief.open("/").expect(200);
    thief.set_cookie("metrust_draft", &draft);
    let gone = thief.get(&at).expect(410);
    assert!(!gone.shows_digits(&number(1)[3..]));
    assert!(html::visible(&gone.text(), " ").contains("no longer here"));
    // Nor does it without cookies, and the page says what to do.
    let off = world.browser().get(&at).expect(403);
    assert!(html::visible(&off.text(), " ").contains("does not keep our cookie"));
    browser.get(&at).expect(200);
}

#[test]
fn what_is_too_long_for_a_cookie_is_shown_all_the_same() {
    let world = World::on(Engine::Embedded);
    world.dialler();
    let mut browser = world.browser();
    let page = browser.open("/report").expect(200);
    let mut form = page.form_with("action", "send");
    // As little to pack as can be.
    let mut state = 1_u64;
    let words: String = (0..9_001)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + (state >> 33) as u8 % 26)
        })
        .collect();
    form.set("words", &[&words]).set("number", &["0475 12"]);
    let shown = browser.press(&form, "action", "send").expect(422);
    assert_eq!(shown.form_with("action", "send").values("words"), [&*words]);
    // Four thousand signs of what people write do fit.
    let plain = "Ze belden weer, voor de vierde keer deze week! ".repeat(90);
    form.set("words", &[&plain]);
    let (to, fields) = form.pressed("action", "send");
    let at = led(&mut browser, &to, fields);
    let shown = browser.get(&at).expect(422);
    assert_eq!(shown.form_with("action", "send").values("words"), [&*plain]);
}

#[test]
fn a_browser_that_keeps_no_cookies_is_told_what_to_do_and_by_no_page_that_answers_a_form() {
    let world = World::on(Engine::Embedded);
    world.dialler();
    let page = world.browser().open("/").expect(200);
    let (to, fields) = filled(&page, "review", &[("number", &number(1))]);
    let at = led(&mut world.browser(), &to, fields);
    let off = world.browser().get(&at).expect(403);
    assert!(html::visible(&off.text(), " ").contains("Allow cookies for this site"));
    assert_eq!(registrations(&world), 0);
}

#[test]
fn the_new_box_has_the_focus() {
    let world = World::on(Engine::Embedded);
    let mut browser = world.browser();
    let form = browser.opt_out_form();
    let page = browser.press(&form, "action", "add").expect(200);
    let tags = html::tags(&page.text());
    let focused: Vec<_> = tags
        .iter()
        .filter(|tag| tag.get("autofocus").is_some())
        .collect();
    assert_eq!(focused.len(), 1);
    assert_eq!(focused[0].get("id"), Some("number-3"));
}
