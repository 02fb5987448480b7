//! The store goes away in the middle of each step of a person: nothing typed is lost, nothing false
//! is confirmed, the page says what happened and what to do, and with the store back its own button
//! goes on where the person was.

use crate::harness::html::Form;
use crate::harness::{Answer, Browser, Engine, World, eventually, html};

/// A step: how a person comes to it, and what they have typed there.
struct Step {
    name: &'static str,
    begin: fn(&mut Browser) -> Form,
    button: Option<(&'static str, &'static str)>,
    typed: &'static [&'static str],
    /// The entries of its kind on record, and how many the step adds.
    entries: fn(&World) -> usize,
    adds: usize,
}

const WORDS: &str = "Four times today. Please make it stop!";

const STEPS: [Step; 6] = [
    Step {
        name: "confirming an opt-out",
        begin: |browser| {
            let review = browser
                .review(&["+32470000001", "012 34 56 78"])
                .expect(200);
            review.form_with("action", "confirm")
        },
        button: Some(("action", "confirm")),
        typed: &["+32470000001", "012 34 56 78"],
        entries: |world| world.operator().entries(&[("op", "register")]).len(),
        adds: 2,
    },
    Step {
        name: "typing the code",
        begin: |browser| {
            let code = browser.opt_out(&["+32470000001"]);
            let page = browser.open("/registration").expect(200);
            let leave = page.form_to("/leave");
            browser.enter(&leave).expect(303);
            let page = browser.open("/registration").expect(200);
            let mut form = page.form_to("/registration");
            form.set("reference", &[&code]);
            form
        },
        button: None,
        typed: &[],
        entries: |world| world.operator().entries(&[("op", "register")]).len(),
        adds: 0,
    },
    Step {
        name: "withdrawing",
        begin: |browser| {
            browser.opt_out(&["+32470000001"]);
            let page = browser.open("/registration").expect(200);
            page.form_to("/registration/withdraw")
        },
        button: None,
        typed: &[],
        entries: |world| world.operator().entries(&[("op", "withdraw")]).len(),
        adds: 1,
    },
    Step {
        name: "undoing a withdrawal",
        begin: |browser| {
            browser.opt_out(&["+32470000001"]);
            browser.withdraw().form_to("/registration/restore")
        },
        button: None,
        typed: &[],
        entries: |world| world.operator().entries(&[("op", "register")]).len(),
        adds: 1,
    },
    Step {
        name: "adding a number",
        begin: |browser| {
            browser.opt_out(&["+32470000001"]);
            let page = browser.open("/registration").expect(200);
            let mut form = page.form_with("action", "add-number");
            form.set("number", &["012 34 56 78"]);
            form
        },
        button: Some(("action", "add-number")),
        typed: &["012 34 56 78"],
        entries: |world| world.operator().entries(&[("op", "register")]).len(),
        adds: 1,
    },
    Step {
        name: "reporting a call",
        begin: |browser| {
            browser.opt_out(&["+32470000001"]);
            let page = browser.open("/report").expect(200);
            let tags = html::tags(&page.text());
            let today = tags
                .iter()
                .find_map(|tag| tag.get("max"))
                .unwrap()
                .to_owned();
            let mut form = page.form_with("action", "send");
            for (name, value) in [
                ("own", "+32470000001"),
                ("company", "telco"),
                ("date", &today),
                ("sure", "day"),
                ("caller", "02 555 12 12"),
                ("words", WORDS),
            ] {
                form.set(name, &[value]);
            }
            form
        },
        button: Some(("action", "send")),
        typed: &["02 555 12 12", WORDS],
        entries: |world| world.operator().entries(&[("op", "report")]).len(),
        adds: 1,
    },
];

fn send(browser: &mut Browser, step: &Step, form: &Form) -> Answer {
    match step.button {
        Some((name, value)) if form.has_button(name, value) => browser.press(form, name, value),
        _ => browser.enter(form),
    }
}

/// The form of the page that came back: it is there, and sends the same.
#[track_caller]
fn again(step: &Step, page: &Answer, before: &Form) -> Form {
    let forms = html::forms(&page.text());
    let mut same = forms
        .into_iter()
        .filter(|form| form.action == before.action);
    let form = same.next();
    form.unwrap_or_else(|| panic!("{}: no form to go on with in: {}", step.name, page.text()))
}

fn goes_away_and_comes_back(leave: fn(&mut World), back: fn(&mut World)) {
    for step in &STEPS {
        let mut world = World::with(Engine::RedisAlways, |launch| {
            launch
                .set("STORE__TIMEOUT_MS", "3000")
                .set("WEB__CONTACT", "help@register.example")
        });
        world.dialler();
        let mut browser = world.browser();
        let form = (step.begin)(&mut browser);
        let before = (step.entries)(&world);
        leave(&mut world);
        let refused = send(&mut browser, step, &form).expect(503);
        let text = html::visible(&refused.text(), " ");
        for typed in step.typed {
            assert!(
                refused.text().contains(typed) || text.contains(typed),
                "{}: what was typed is kept: {typed}",
                step.name
            );
        }
        let code = form.values("reference");
        assert!(
            code.iter().all(|code| refused.text().contains(code)),
            "{}: the code is kept",
            step.name
        );
        for said in [
            "The register does not answer",
            "Earlier registrations stay as they are.",
            "help@register.example",
        ] {
            assert!(text.contains(said), "{}: {said} in: {text}", step.name);
        }
        assert!(!refused.header("Retry-After").is_empty());
        back(&mut world);
        let form = again(step, &refused, &form);
        eventually("the same button goes on", || {
            let answer = send(&mut browser, step, &form);
            answer.status == 303
        });
        // A code can be looked up before what was acknowledged has been compared; the audit cannot.
        eventually("the service is ready", || {
            world.anonymous().get("/readyz").status == 200
        });
        browser.open("/registration").expect(200);
        let after = (step.entries)(&world);
        assert_eq!(after - before, step.adds, "{}: done once", step.name);
    }
}

#[test]
fn a_store_that_hangs_in_the_middle_of_a_step_loses_nothing_typed_and_confirms_nothing_false() {
    goes_away_and_comes_back(|world| world.redis().stop(), |world| world.redis().cont());
}

#[test]
fn a_store_that_dies_in_the_middle_of_a_step_loses_nothing_typed_and_confirms_nothing_false() {
    goes_away_and_comes_back(
        |world| world.redis().kill9(),
        |world| world.redis().restart(),
    );
}
