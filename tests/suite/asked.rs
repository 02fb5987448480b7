//! Who asked about my number: everything since the opt-out began, nothing of anybody else's.

use crate::harness::{Answer, Browser, World, eventually, html, number, on_every_store};

fn lines(browser: &mut Browser) -> Vec<Vec<String>> {
    let file = browser.get("/registration/asked.csv").expect(200);
    assert!(
        file.header("Content-Disposition")
            .contains("metrust-asked.csv")
    );
    let text = file.text();
    let text = text
        .strip_prefix('\u{feff}')
        .expect("spreadsheets need the mark");
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

fn says(page: &Answer, text: &str) -> bool {
    html::visible(&page.text(), " ").contains(text)
}

on_every_store! {
    fn each_check_is_shown_with_who_for_whom_and_the_answer_sealed_or_not(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1), &number(2)]);
        let page = browser.open("/registration/asked").expect(200);
        assert!(says(&page, "No checks here so far."));
        let id = dialler.check(&number(1), "telco").id();
        dialler.check(&number(3), "telco").expect(200);
        for sealed in [false, true] {
            if sealed {
                eventually("the check is sealed", || {
                    let receipt = dialler.get(&format!("/v1/checks/{id}")).expect(200).json();
                    receipt["sealed"] == true
                });
            }
            let page = browser.open("/registration/asked").expect(200);
            let text = html::visible(&page.text(), " ");
            let sentence = "The calls agency asked for The telco company. Our answer: do not call.";
            assert_eq!(text.matches(sentence).count(), 1, "{text}");
            assert!(says(&page, "No checks here so far."), "of the other number");
            assert!(page.text().contains("<svg") && page.text().contains("Questions per day"));
            let lines = lines(&mut browser);
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0][1..4], [number(1), "The calls agency".into(), "The telco company".into()]);
            assert_eq!(lines[0][6], id);
        }
    }

    fn a_second_opt_out_of_the_same_number_learns_nothing_of_before(world: &mut World) {
        let dialler = world.dialler();
        let mut first = world.browser();
        first.opt_out(&[&number(1)]);
        dialler.check(&number(1), "telco").expect(200);
        let mut second = world.browser();
        second.opt_out(&[&number(1)]);
        assert!(lines(&mut second).is_empty());
        dialler.check(&number(1), "energy").expect(200);
        assert_eq!(lines(&mut second).len(), 1);
        assert_eq!(lines(&mut first).len(), 2);
        // The newest comes first.
        assert_eq!(lines(&mut first)[0][3], "The energy company");
    }

    fn a_number_that_came_in_later_learns_nothing_of_before(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        dialler.check(&number(2), "telco").expect(200);
        let page = browser.open("/registration").expect(200);
        let mut form = page.form_with("action", "add-number");
        form.set("number", &[&number(2)]);
        browser.press(&form, "action", "add-number").expect(303);
        assert!(lines(&mut browser).is_empty());
        dialler.check(&number(2), "telco").expect(200);
        assert_eq!(lines(&mut browser).len(), 1);
        // And once it is withdrawn, nothing of what comes after.
        browser.withdraw();
        dialler.check(&number(2), "telco").expect(200);
        assert_eq!(lines(&mut browser).len(), 1);
    }

    fn an_opt_out_for_one_company_tells_nothing_about_the_others(world: &mut World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let review = browser.review_as(&[&number(1)], |form| {
            form.set("scope", &["chosen"]).set("seller", &["telco"]);
        });
        browser.confirm(&review.expect(200));
        // Somebody else has listed the number for everybody.
        dialler.register(&[&number(1)], serde_json::json!("all"));
        dialler.check(&number(1), "energy").expect(200);
        assert!(lines(&mut browser).is_empty());
        dialler.check(&number(1), "telco").expect(200);
        assert_eq!(lines(&mut browser).len(), 1);
    }

    fn of_an_opt_out_for_some_the_page_speaks_of_no_more_than_it_shows(world: &mut World) {
        let dialler = world.dialler();
        let mut chosen = world.browser();
        let review = chosen.review_as(&[&number(1)], |form| {
            form.set("scope", &["chosen"]).set("seller", &["telco"]);
        });
        let code = chosen.confirm(&review.expect(200));
        let mut texts = world.browser();
        let review = texts.review_as(&[&number(1)], |form| {
            form.set("scope", &["all"]).set("channel", &["text"]);
        });
        let for_texts = texts.confirm(&review.expect(200));
        // For another company, and before a call: neither is theirs to see.
        let energy = [("phone", &*number(1)), ("seller", "energy"), ("channel", "voice")];
        assert!(!dialler.check_with(&energy).suppress());
        for (language, companies, only_texts, never) in [
            ("en", "checks by the companies you chose", "for text messages", ["every question", "whoever calls you", "have to ask"]),
            ("nl", "controles door de bedrijven die u koos", "voor sms-berichten", ["elke vraag", "wie u nu belt", "moeten bedrijven"]),
            ("fr", "vérifications faites par les entreprises que vous avez choisies", "pour des SMS", ["chaque question", "celui qui vous appelle", "doivent demander"]),
            ("de", "Abfragen der Unternehmen, die Sie gewählt haben", "für SMS", ["jede Frage", "Wer Sie jetzt anruft", "müssen Unternehmen"]),
        ] {
            for (code, covered) in [(&code, companies), (&for_texts, only_texts)] {
                let mut browser = world.browser().reading(language);
                browser.type_code(code).expect(200);
                let page = browser.open("/registration/asked").expect(200);
                assert!(says(&page, covered), "{}", page.text());
                for text in never {
                    let text = |page: &Answer| html::visible(&page.text(), " ").to_lowercase().contains(&text.to_lowercase());
                    assert!(!text(&page), "{}", page.text());
                }
                assert!(!page.text().contains("class=\"asked\""), "{}", page.text());
            }
        }
    }

    fn without_the_code_it_is_asked_first(world: &mut World) {
        let mut stranger = world.browser();
        for path in ["/registration/asked", "/registration/asked.csv"] {
            let answer = stranger.get(path).expect(303);
            assert_eq!(answer.header("Location"), "/registration?next=asked");
        }
    }
}
