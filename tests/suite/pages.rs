//! The pages, as a browser without JavaScript sees them: what a person does there, in four
//! languages.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Answer, Browser, Engine, World, html, number, on_every_store};

const LANGUAGES: [&str; 4] = ["nl", "fr", "de", "en"];

fn registrations(world: &World) -> usize {
    world.operator().entries(&[("op", "register")]).len()
}

/// The links of the error summary lead to fields that are there.
#[track_caller]
fn assert_errors_are_linked(page: &Answer) {
    let tags = html::tags(&page.text());
    let ids: Vec<_> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    let targets = tags
        .iter()
        .filter(|tag| tag.name == "a")
        .filter_map(|tag| tag.get("href")?.strip_prefix('#'));
    let fields: Vec<_> = targets.filter(|target| !target.is_empty()).collect();
    assert!(
        fields.iter().all(|field| ids.contains(field)),
        "{fields:?} in {ids:?}"
    );
    let invalid = tags
        .iter()
        .filter(|tag| tag.get("aria-invalid") == Some("true"));
    let marked: Vec<_> = invalid.filter_map(|tag| tag.get("id")).collect();
    assert!(
        marked.iter().any(|id| fields.contains(id)),
        "a summary links to a field in error: {}",
        page.text()
    );
}

on_every_store! {
    fn a_person_opts_out_in_any_of_the_four_languages_without_a_script(world: &World) {
        let dialler = world.dialler();
        for (n, language) in LANGUAGES.iter().enumerate() {
            let mut browser = world.browser().reading(language);
            let first = browser.open("/").expect(200);
            let review = browser.review(&[&number(n)]).expect(200);
            assert!(
                review.shows_digits(&number(n)[1..]),
                "the number as it will be registered: {}",
                review.text()
            );
            let code = browser.confirm(&review);
            let done = browser.open("/done").expect(200);
            assert_eq!(done.code(), code);
            let registration = browser.open("/registration").expect(200);
            for page in [first, review, done, registration] {
                assert_eq!(page.language(), *language);
                let tags = html::tags(&page.text());
                assert!(
                    tags.iter().all(|tag| tag.name != "script"),
                    "no page needs a script"
                );
                assert_eq!(tags.iter().filter(|tag| tag.name == "h1").count(), 1);
                assert_eq!(tags.iter().filter(|tag| tag.name == "title").count(), 1);
            }
            assert!(dialler.suppresses(&number(n), "telco"));
        }
    }

    fn several_numbers_go_in_at_once_with_one_box_for_each(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let mut form = browser.opt_out_form();
        let boxes = form.values("number").len();
        let phone = number(1);
        let mut typed = vec![""; boxes];
        typed[0] = &phone;
        form.set("number", &typed);
        let page = browser.press(&form, "action", "add").expect(200);
        let more = page.form_with("action", "review");
        assert_eq!(more.values("number").len(), boxes + 1, "one more box");
        assert_eq!(
            more.values("number")[0],
            number(1),
            "what was typed is kept"
        );
        browser.opt_out(&[&number(1), &number(2), "0470 00 00 03"]);
        for n in 1..=3 {
            assert!(dialler.suppresses(&number(n), "telco"), "{n}");
        }
    }

    fn a_box_left_empty_among_filled_ones_is_no_error(world: &World) {
        let dialler = world.dialler();
        world.browser().opt_out(&[&number(1), "", "  "]);
        assert!(dialler.suppresses(&number(1), "telco"));
        assert_eq!(registrations(world), 1);
    }

    fn a_person_chooses_companies_and_calls_or_text_messages(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let page = browser.open("/").expect(200);
        for seller in ["telco", "energy"] {
            assert!(
                page.text().contains(&format!("The {seller} company")),
                "sellers are offered by name"
            );
        }
        let review = browser.review_as(&[&number(1)], |form| {
            form.set("scope", &["chosen"])
                .set("seller", &["telco"])
                .set("channel", &["voice"]);
        });
        let review = review.expect(200);
        assert!(
            review.text().contains("The telco company")
                && !review.text().contains("The energy company")
        );
        browser.confirm(&review);
        // Whoever asks about texts is told nothing, and the page does not say so.
        let done = html::visible(&browser.open("/done").expect(200).text(), " ");
        assert!(done.contains("for these companies about phone calls from now on"), "{done}");
        assert_eq!(
            dialler.reason(&number(1), "telco").as_deref(),
            Some("this_seller")
        );
        assert_eq!(dialler.reason(&number(1), "energy"), None);
        let text = [
            ("phone", &*number(1)),
            ("seller", "telco"),
            ("channel", "text"),
        ];
        assert!(!dialler.check_with(&text).suppress());
    }

    fn an_error_is_told_on_the_same_page_with_what_was_typed_kept(world: &World) {
        world.dialler();
        for typed in [
            "bel mij <b>op</b> \"0475\" & co",
            "112",
            "0475 12",
            "+99 123",
        ] {
            let page = world.browser().review(&[typed, &number(2)]).expect(422);
            let form = page.form_with("action", "review");
            assert!(
                form.values("number").starts_with(&[typed, &number(2)]),
                "{form:?}"
            );
            assert!(
                !page.text().contains("<b>op</b>"),
                "what was typed is text, not markup"
            );
            assert_errors_are_linked(&page);
        }
        let page = world.browser().review(&[""]).expect(422);
        assert_errors_are_linked(&page);
        let nobody = world.browser().review_as(&[&number(1)], |form| {
            form.set("scope", &["chosen"])
                .set("seller", &[])
                .set("channel", &["voice"]);
        });
        let form = nobody.expect(422).form_with("action", "review");
        assert_eq!(form.values("number")[0], number(1));
        let nothing = world.browser().review_as(&[&number(1)], |form| {
            form.set("scope", &["all"]).set("channel", &[]);
        });
        nothing.expect(422);
        assert_eq!(registrations(world), 0);
    }

    fn each_reason_why_a_number_is_refused_is_told_in_words_of_its_own(world: &World) {
        world.dialler();
        let short = [("nl", "noodnummer"), ("fr", "urgence"), ("de", "Notruf"), ("en", "emergency")];
        for (language, word) in short {
            let told = |typed: &str| {
                let mut browser = world.browser().reading(language);
                let page = browser.review(&[typed]).expect(422).text();
                let (_, behind) = page.split_once("id=\"number-1-error\">").unwrap();
                behind.split('<').next().unwrap().to_owned()
            };
            for typed in ["112", "1207", "1722"] {
                assert!(told(typed).contains(word), "{typed}: {}", told(typed));
            }
            let reasons = ["112", "bel mij", "0475 ! 12", "+99 123", "0475123456;2", &"1".repeat(65)];
            let sentences: BTreeSet<_> = reasons.into_iter().map(told).collect();
            assert_eq!(sentences.len(), reasons.len(), "{sentences:#?}");
        }
    }

    fn the_review_can_be_left_for_the_form_with_everything_kept(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        let review = browser.review_as(&[&number(1), &number(2)], |form| {
            form.set("scope", &["chosen"])
                .set("seller", &["energy"])
                .set("channel", &["text"]);
        });
        let form = review.expect(200).form_with("action", "edit");
        let form = browser
            .press(&form, "action", "edit")
            .expect(200)
            .form_with("action", "review");
        assert!(
            form.values("number").starts_with(&[&number(1), &number(2)]),
            "{form:?}"
        );
        assert_eq!(form.values("scope"), ["chosen"]);
        assert_eq!(form.values("seller"), ["energy"]);
        assert_eq!(form.values("channel"), ["text"]);
    }

    fn confirming_twice_reloading_and_going_back_register_once(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        let review = browser.review(&[&number(1)]).expect(200);
        let code = browser.confirm(&review);
        let again = browser.confirm(&review);
        assert_eq!(code, again, "the same form gives the same code");
        for _ in 0..3 {
            assert_eq!(browser.open("/done").expect(200).code(), code);
        }
        assert_eq!(registrations(world), 1);
        browser.opt_out(&[&number(2)]);
        assert_eq!(registrations(world), 2, "a new form is a new registration");
    }

    fn a_review_that_was_tampered_with_registers_nothing(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let review = browser.review(&[&number(1)]).expect(200);
        let mut form = review.form_with("action", "confirm");
        form.set("number", &["hello"]);
        let answer = browser.press(&form, "action", "confirm").expect_refused();
        assert!(!answer.text().contains("panicked"));
        assert_eq!(registrations(world), 0);
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn with_the_code_a_person_sees_the_registration_and_withdraws_it(world: &World) {
        let dialler = world.dialler();
        let code = world.browser().opt_out(&[&number(1), &number(2)]);
        let mut visitor = world.browser();
        let page = visitor
            .type_code(&code.to_lowercase().replace('-', " "))
            .expect(200);
        for n in [1, 2] {
            assert!(page.shows_digits(&number(n)[3..]), "{}", page.text());
        }
        let page = visitor.withdraw();
        assert!(
            !page.has_form_to("/registration/withdraw"),
            "withdrawn is withdrawn: {}",
            page.text()
        );
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert!(!dialler.suppresses(&number(2), "telco"));
    }

    fn the_page_shows_a_registration_that_an_agent_made_during_a_call(world: &World) {
        let dialler = world.dialler();
        let code = dialler.register(&[&number(1)], json!(["telco"]));
        let mut visitor = world.browser();
        let page = visitor.type_code(&code).expect(200);
        assert!(
            page.shows_digits(&number(1)[3..]) && page.text().contains("The telco company"),
            "{}",
            page.text()
        );
        visitor.withdraw();
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn without_the_code_nothing_shows_whether_a_number_is_listed(world: &World) {
        world.dialler();
        let opted_out = world.browser().opt_out(&[&number(1)]);
        let mut stranger = world.browser();
        let page = stranger.open("/registration").expect(200);
        assert!(page.has_form_to("/registration") && !page.shows_digits(&number(1)[3..]));
        let done = stranger.get("/done").expect(303);
        assert_eq!(done.header("Location"), "/registration");
        let near = format!(
            "{}{}",
            &opted_out[..18],
            if opted_out.ends_with('7') { '8' } else { '7' }
        );
        for wrong in [&near, "7777-7777-7777-7777", "", "hello", &number(1)] {
            let page = stranger.type_code(wrong).expect_refused();
            assert!(!page.has_form_to("/registration/withdraw"));
        }
        // A listed and an unlisted number go through the same pages.
        let pages = [1, 2].map(|n| {
            let page = world.browser().review(&[&number(n)]).expect(200);
            html::visible(&page.text(), "\n").lines().count()
        });
        assert_eq!(pages[0], pages[1]);
    }

    fn leaving_forgets_the_visit_on_this_device(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/registration").expect(200);
        let answer = browser.enter(&page.form_to("/leave")).expect(303);
        assert_eq!(answer.header("Location"), "/");
        assert!(browser.cookie("metrust_visit").is_none());
        assert!(
            !browser
                .open("/registration")
                .expect(200)
                .shows_digits(&number(1)[3..])
        );
    }
}

#[test]
fn the_language_is_the_readers_and_the_switch_sticks() {
    let world = World::on(Engine::Embedded);
    for (languages, expected) in [
        ("nl", "nl"),
        ("fr-BE, nl;q=0.5", "fr"),
        ("de;q=0.5, fr;q=0.9", "fr"),
        ("es, de-AT;q=0.8", "de"),
        ("es", "en"),
        ("*", "en"),
        ("nonsense;;q=x", "en"),
        ("fr;q=0, nl;q=0.1", "nl"),
    ] {
        let page = world.browser().reading(languages).open("/").expect(200);
        assert_eq!(page.language(), expected, "{languages}");
    }
    let mut browser = world.browser().reading("fr");
    let answer = browser
        .get("/language?to=nl&back=/registration")
        .expect(303);
    assert_eq!(answer.header("Location"), "/registration");
    for path in ["/registration", "/", "/registration"] {
        assert_eq!(browser.open(path).expect(200).language(), "nl", "{path}");
    }
    for language in LANGUAGES {
        let page = browser.open("/registration").expect(200);
        let links = html::tags(&page.text());
        let links: Vec<_> = links.iter().filter_map(|tag| tag.get("href")).collect();
        let switch = format!("/language?to={language}&");
        let shown =
            links.iter().any(|link| link.starts_with(&switch)) || page.language() == language;
        assert!(shown, "a switch to {language} is in sight: {links:?}");
    }
}

#[test]
fn the_switch_inside_the_form_keeps_what_was_typed() {
    let world = World::on(Engine::Embedded);
    world.dialler();
    let mut browser = world.browser().reading("fr");
    let mut form = browser.opt_out_form();
    form.set("number", &["0475 12"])
        .set("scope", &["chosen"])
        .set("seller", &["energy"])
        .set("channel", &["text"]);
    for language in ["de", "nl", "en", "fr"] {
        let page = browser.press(&form, "lang", language).expect(200);
        assert_eq!(page.language(), language);
        form = page.form_with("action", "review");
        assert_eq!(form.values("number")[0], "0475 12");
        assert_eq!(
            (form.values("scope"), form.values("seller")),
            (vec!["chosen"], vec!["energy"])
        );
        assert_eq!(form.values("channel"), ["text"]);
    }
    assert_eq!(
        browser.open("/").expect(200).language(),
        "fr",
        "and it sticks"
    );
}

#[test]
fn the_switch_leads_nowhere_else() {
    let world = World::on(Engine::Embedded);
    for back in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
    ] {
        let answer = world.browser().get(&format!(
            "/language?to=nl&back={}",
            crate::harness::api::encoded(back)
        ));
        let target = answer.header("Location");
        let away = target.contains("evil") || target.contains("javascript");
        assert!(
            answer.status >= 400 || !away || target.starts_with("/%"),
            "{back} leads to {target}"
        );
    }
    let mut browser = world.browser().reading("fr");
    browser.get("/language?to=xx&back=/");
    assert_eq!(
        browser.open("/").expect(200).language(),
        "fr",
        "an unknown language changes nothing"
    );
}

#[test]
fn with_the_pages_switched_off_only_the_api_answers() {
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("WEB__ENABLED", "false")
    });
    let mut browser: Browser = world.browser();
    browser.get("/").expect(404);
    browser.get("/registration").expect(404);
    assert!(!world.dialler().suppresses(&number(1), "telco"));
}

/// The way to opt out, counted as a person walks it: pages that they see, and fields on them that
/// ask for something. Buttons are no fields; a choice among several is one; fields that are filled
/// in already or may stay empty count too.
#[test]
fn opting_out_takes_at_most_three_pages_and_six_fields_and_the_first_page_is_light() {
    let world = World::on(Engine::Embedded);
    world.dialler();
    let mut browser = world.browser();
    let first = browser.open("/").expect(200);
    let review = browser.review(&[&number(1)]).expect(200);
    let form = review.form_with("action", "confirm");
    let done = browser.press(&form, "action", "confirm");
    let done = browser.follow(done).expect(200);
    done.code();
    let pages = [first, review, done];
    let mut fields = std::collections::BTreeSet::new();
    for (place, page) in pages.iter().take(2).enumerate() {
        for tag in html::tags(&page.text()) {
            let field = matches!(tag.name.as_str(), "input" | "select" | "textarea");
            let hidden = tag.get("type") == Some("hidden");
            if field && !hidden && tag.get("form").is_none() {
                let name = tag.get("name").unwrap_or_default().to_owned();
                // Two boxes for numbers are two fields; a group of choices is one.
                let grouped = matches!(tag.get("type"), Some("radio" | "checkbox"));
                let own = tag.get("id").unwrap_or_default().to_owned();
                fields.insert((place, name, if grouped { String::new() } else { own }));
            }
        }
    }
    assert!(fields.len() <= 6, "{fields:?}");
    let mut bytes = pages[0].text().len();
    for tag in html::tags(&pages[0].text()) {
        let part = match tag.name.as_str() {
            "link" => tag.get("href"),
            "script" | "img" => tag.get("src"),
            _ => None,
        };
        if let Some(path) = part {
            bytes += browser.get(path).expect(200).body.len();
        }
    }
    assert!(bytes < 30_000, "the first page takes {bytes} bytes in all");
}
