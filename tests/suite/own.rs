//! What a person does with their code: numbers come and go, a withdrawal is undone, and a proof is
//! kept.

use metrust::log::{Note, Verifier};
use serde_json::json;

use crate::harness::{Answer, Browser, World, html, number, on_every_store};
use crate::receipts::verifiers;

/// Presses a button of the registration's page, with a field filled in before.
fn change(browser: &mut Browser, action: &str, field: Option<(&str, &str)>) -> Answer {
    let page = browser.open("/registration").expect(200);
    let mut form = page.form_with("action", action);
    if let Some((name, value)) = field {
        form = html::forms(&page.text())
            .into_iter()
            .filter(|form| form.has_button("action", action))
            .find(|form| action.starts_with("add") || form.values(name).contains(&value))
            .unwrap_or(form);
        form.set(name, &[value]);
    }
    let answer = browser.press(&form, "action", action);
    browser.follow(answer)
}

on_every_store! {
    fn one_number_comes_or_goes_and_the_others_stay(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1), &number(2)]);
        change(&mut browser, "remove-number", Some(("number", &number(1)))).expect(200);
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert!(dialler.suppresses(&number(2), "telco"));
        change(&mut browser, "add-number", Some(("number", &number(3)))).expect(200);
        assert!(dialler.suppresses(&number(3), "telco"));
        assert!(dialler.suppresses(&number(2), "telco"));
        let wrong = change(&mut browser, "add-number", Some(("number", "0470"))).expect(422);
        assert!(wrong.text().contains("value=\"0470\""), "what was typed stays");
        // Each is an act on record.
        assert_eq!(world.operator().entries(&[("op", "register")]).len(), 3);
        assert_eq!(world.operator().entries(&[("op", "withdraw")]).len(), 1);
        // The last one cannot go without the registration.
        change(&mut browser, "remove-number", Some(("number", &number(2)))).expect(200);
        let page = change(&mut browser, "remove-number", Some(("number", &number(3)))).expect(200);
        assert!(page.has_form_to("/registration/restore"), "{}", page.text());
        assert!(!dialler.suppresses(&number(3), "telco"));
    }

    fn one_company_comes_or_goes(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let review = browser.review_as(&[&number(1)], |form| {
            form.set("scope", &["chosen"]).set("seller", &["telco"]);
        });
        browser.confirm(&review.expect(200));
        assert!(!dialler.suppresses(&number(1), "energy"));
        change(&mut browser, "add-company", Some(("company", "energy"))).expect(200);
        assert!(dialler.suppresses(&number(1), "energy"));
        change(&mut browser, "remove-company", Some(("company", "telco"))).expect(200);
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert!(dialler.suppresses(&number(1), "energy"));
    }

    fn a_withdrawal_is_undone_for_a_while_and_the_gap_is_told(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let code = browser.opt_out(&[&number(1)]);
        let withdrawn = browser.withdraw();
        assert!(!dialler.suppresses(&number(1), "telco"));
        let undo = withdrawn.form_to("/registration/restore");
        let answer = browser.enter(&undo).expect(303);
        let page = browser.follow(answer).expect(200);
        assert!(dialler.suppresses(&number(1), "telco"));
        let text = html::visible(&page.text(), " ");
        assert!(page.has_form_to("/registration/withdraw"), "{text}");
        assert!(text.contains("It did not hold between"), "{text}");
        // Sent again, nothing changes.
        browser.enter(&undo).expect(303);
        assert_eq!(world.operator().entries(&[("op", "register")]).len(), 2);
        // The same code still opens it.
        let mut again = world.browser();
        again.type_code(&code).expect(200);
    }

    fn after_that_while_it_stays_withdrawn(world: &mut World) {
        let launch = world.service.launch().set("REGISTRATION__UNDO_HOURS", "0");
        world.service.restart_as(&launch);
        let dialler = world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/registration").expect(200);
        let mut undo = page.form_to("/registration/withdraw");
        let withdrawn = browser.withdraw();
        assert!(!withdrawn.has_form_to("/registration/restore"));
        undo.action = "/registration/restore".to_owned();
        browser.enter(&undo).expect(409);
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn what_somebody_else_registered_stays_whatever_is_changed(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let mut browser = world.browser();
        browser.opt_out(&[&number(1), &number(2)]);
        change(&mut browser, "remove-number", Some(("number", &number(1)))).expect(200);
        assert!(dialler.suppresses(&number(1), "telco"));
        browser.withdraw();
        assert!(dialler.suppresses(&number(1), "telco"));
        assert!(!dialler.suppresses(&number(2), "telco"));
    }

    fn the_proof_to_keep_is_signed_and_holds_no_code(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let code = browser.opt_out(&[&number(1), &number(2)]);
        let file = browser.get("/registration/proof").expect(200);
        assert!(file.header("Content-Disposition").contains("attachment"));
        let note = Note::parse(file.text().as_bytes()).unwrap();
        let text = &note.text;
        assert!(text.starts_with("metrust registration v1\n"), "{text}");
        for phone in [number(1), number(2)] {
            assert!(text.contains(&phone), "{text}");
        }
        assert!(!text.contains(&code) && !text.contains(&code[9..]), "no secret in it");
        let origin = text.lines().nth(1).unwrap();
        let log = verifiers(&world.anonymous());
        let key = Verifier::new(origin, log[0].kind(), &log[0].public_key()).unwrap();
        assert_eq!(note.verify(&[key]).unwrap().len(), 1);
    }

    fn the_code_leads_on_to_where_the_person_was_going(world: &mut World) {
        world.dialler();
        let mut browser = world.browser();
        let code = browser.opt_out(&[&number(1)]);
        for (next, path) in [("report", "/report"), ("reports", "/reports"), ("asked", "/registration/asked")] {
            let mut guest = world.browser();
            let page = guest.open(&format!("/registration?next={next}")).expect(200);
            let mut form = page.form_to("/registration");
            form.set("reference", &[&code]);
            let answer = guest.enter(&form).expect(303);
            assert_eq!(answer.header("Location"), path);
            // Whoever is there already goes on at once.
            let again = guest.get(&format!("/registration?next={next}")).expect(303);
            assert_eq!(again.header("Location"), path);
        }
        let page = world.browser().open("/registration?next=https://elsewhere.example").expect(200);
        assert!(!page.text().contains("elsewhere"));
    }
}
