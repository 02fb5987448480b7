//! The pages keep a person safe: headers, cookies, forged requests, guesses, and a code that never
//! stands in an address.

use serde_json::json;

use crate::harness::{Answer, Engine, World, html, number, on_every_store};

#[track_caller]
fn assert_safe_headers(page: &Answer) {
    let policy = page.header("Content-Security-Policy");
    let rules: Vec<_> = policy.split(';').map(str::trim).collect();
    assert!(
        rules.contains(&"default-src 'none'"),
        "{}: {policy}",
        page.request
    );
    for rule in [
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(rules.contains(&rule), "{rule} in {policy}");
    }
    for danger in [
        "unsafe-inline",
        "unsafe-eval",
        "*",
        "http:",
        "https:",
        "data:",
    ] {
        assert!(!policy.contains(danger), "{danger} in {policy}");
    }
    assert_eq!(
        page.header("X-Content-Type-Options"),
        "nosniff",
        "{}",
        page.request
    );
    let referrer = page.header("Referrer-Policy");
    assert!(
        ["no-referrer", "same-origin"].contains(&referrer.as_str()),
        "{}: {referrer:?}",
        page.request
    );
    assert!(
        page.header("Cache-Control").contains("no-store"),
        "{}: {:?}",
        page.request,
        page.headers
    );
    assert!(page.header("Server").is_empty(), "{}", page.request);
}

#[track_caller]
fn assert_loads_nothing_from_elsewhere(page: &Answer) {
    for tag in html::tags(&page.text()) {
        let loads = match tag.name.as_str() {
            "link" | "use" => tag.get("href"),
            // Of our own, in a file, and only where the policy says so.
            "script" => {
                let policy = page.header("Content-Security-Policy");
                assert!(policy.contains("script-src 'self'"), "{}", page.request);
                Some(tag.get("src").expect("no script stands in a page"))
            }
            "iframe" | "object" | "embed" => panic!("{tag:?}"),
            _ => tag.get("src"),
        };
        assert!(
            loads.is_none_or(|from| from.starts_with('/') && !from.starts_with("//")),
            "{tag:?}"
        );
        assert!(tag.get("style").is_none(), "the policy forbids it: {tag:?}");
        assert!(tag.get("onclick").is_none(), "{tag:?}");
    }
}

on_every_store! {
    fn every_page_is_locked_down_and_loads_nothing_from_elsewhere(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        let mut pages = vec![
            browser.get("/").expect(200),
            browser.get("/registration").expect(200),
        ];
        pages.push(browser.review(&["hello"]).expect(422));
        let review = browser.review(&[&number(1)]).expect(200);
        browser.confirm(&review);
        pages.push(review);
        for path in ["/done", "/registration"] {
            pages.push(browser.get(path).expect(200));
        }
        pages.push(browser.withdraw());
        pages.push(browser.get("/no-such-page").expect(404));
        let scripts = |page: &&Answer| html::tags(&page.text()).iter().any(|tag| tag.name == "script");
        assert_eq!(pages.iter().filter(scripts).count(), 1, "the page that asks for the code");
        for page in &pages {
            assert_safe_headers(page);
            assert_loads_nothing_from_elsewhere(page);
        }
    }

    fn the_code_stands_in_no_address_and_in_no_cookie_that_can_be_read(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        let code = browser.opt_out(&[&number(1)]);
        browser.open("/registration").expect(200);
        browser.type_code_again(&code);
        browser.withdraw();
        let bare = code.replace('-', "");
        for place in browser.addresses.iter().chain(&browser.cookies_seen) {
            let place = place.to_uppercase();
            assert!(!place.contains(&code) && !place.contains(&bare), "{place}");
            assert!(!place.contains(&number(1)[3..]), "{place}");
        }
    }

    fn cookies_are_strict_and_out_of_reach_of_scripts(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        browser.get("/language?to=nl&back=/").expect(303);
        browser.opt_out(&[&number(1)]);
        for name in ["metrust_visit", "metrust_form", "metrust_lang"] {
            let start = format!("{name}=");
            let seen: Vec<_> = browser
                .cookies_seen
                .iter()
                .filter(|line| line.starts_with(&start))
                .collect();
            assert!(!seen.is_empty(), "{name} in {:?}", browser.cookies_seen);
            for line in seen {
                let attributes: Vec<_> = line.split("; ").skip(1).map(str::to_lowercase).collect();
                let has = |attribute: &str| attributes.iter().any(|other| other == attribute);
                assert!(has("path=/"), "{line}");
                assert!(
                    has("samesite=strict") || (name == "metrust_lang" && has("samesite=lax")),
                    "{line}"
                );
                assert!(has("httponly"), "{line}");
                assert!(
                    !attributes
                        .iter()
                        .any(|attribute| attribute.starts_with("domain")),
                    "{line}"
                );
            }
        }
    }

    fn a_form_that_another_site_sends_is_refused(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let review = browser.review(&[&number(1)]).expect(200);
        let (path, fields) = review
            .form_with("action", "confirm")
            .pressed("action", "confirm");
        let own = world.service.url();
        for headers in [
            vec![("Origin", "https://evil.example")],
            vec![("Origin", "null")],
            vec![("Origin", "http://127.0.0.1:1")],
            vec![("Sec-Fetch-Site", "cross-site")],
            vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "cross-site")],
        ] {
            browser.post_with(&path, &fields, &headers).expect_refused();
        }
        let code = browser.confirm(&review);
        browser.open("/registration").expect(200);
        let evil = [
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ];
        browser
            .post_with("/registration/withdraw", &[], &evil)
            .expect_refused();
        browser
            .post_with("/registration", &[("reference".into(), code)], &evil)
            .expect_refused();
        assert!(dialler.suppresses(&number(1), "telco"));
    }

    fn a_form_without_its_token_or_with_anothers_registers_nothing(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let review = browser.review(&[&number(1)]).expect(200);
        let form = review.form_with("action", "confirm");
        let token = form.values("token")[0].to_string();
        assert!(token.len() >= 16, "{token:?}");
        for values in [&[][..], &[""], &["x"]] {
            let mut forged = form.clone();
            forged.set("token", values);
            let (path, fields) = forged.pressed("action", "confirm");
            browser.post(&path, &fields).expect_refused();
        }
        let mut stranger = world.browser();
        stranger.open("/").expect(200);
        let (path, fields) = form.pressed("action", "confirm");
        stranger.post(&path, &fields).expect_refused();
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert_eq!(world.operator().entries(&[("op", "register")]).len(), 0);
    }

    fn a_visit_cookie_that_was_tampered_with_opens_nothing(world: &World) {
        world.dialler();
        let mut browser = world.browser();
        browser.opt_out(&[&number(1)]);
        let visit = browser.cookie("metrust_visit").unwrap().to_string();
        let middle = visit.len() / 2;
        let other = if &visit[middle..=middle] == "A" {
            "B"
        } else {
            "A"
        };
        for value in [
            format!("{}{other}{}", &visit[..middle], &visit[middle + 1..]),
            "x".into(),
            visit[..middle].into(),
        ] {
            let mut thief = world.browser();
            thief.set_cookie("metrust_visit", &value);
            let page = thief.open("/registration");
            assert!(page.status < 500, "{}", page.status);
            assert!(
                !page.shows_digits(&number(1)[3..]) && !page.has_form_to("/registration/withdraw")
            );
            let next = thief.open("/registration").expect(200);
            assert!(
                next.has_form_to("/registration"),
                "a bad cookie is no dead end"
            );
        }
    }
}

/// Repeats a request until it is told to wait, and checks that it is told for how long.
#[track_caller]
fn limited(what: &str, mut request: impl FnMut() -> Answer) -> Answer {
    let limited = (0..40)
        .map(|_| request())
        .find(|answer| answer.status == 429);
    let answer = limited.unwrap_or_else(|| panic!("{what} without end"));
    let wait: u64 = answer.header("Retry-After").parse().expect("seconds");
    assert!((1..=120).contains(&wait), "{wait}");
    answer
}

#[test]
fn guesses_of_a_code_from_one_address_are_slowed_down_and_told_for_how_long() {
    // A code that is well formed, but of another registry.
    let elsewhere = World::on(Engine::Embedded);
    let code = elsewhere.browser().opt_out(&[&number(1)]);

    let world = World::with_real_limits(Engine::Embedded);
    let answer = limited("guessing through the API", || {
        world.anonymous().withdraw(&code)
    });
    assert!(
        answer
            .header("Content-Type")
            .starts_with("application/problem+json")
    );

    let world = World::with_real_limits(Engine::Embedded);
    let page = limited("guessing on the page", || world.browser().type_code(&code));
    assert!(page.header("Content-Type").starts_with("text/html"));
}

/// Tries a code in the name of the `n`th person behind a proxy.
fn guess_for(world: &World, code: &str, n: usize) -> Answer {
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Forwarded-For", &*format!("192.0.2.{n}")),
    ];
    let body = json!({"reference": code}).to_string().into_bytes();
    world
        .anonymous()
        .call("POST", "/v1/registrations/withdraw", &headers, body)
}

#[test]
fn a_made_up_forwarding_header_evades_no_limit_and_a_trusted_proxys_keeps_people_apart() {
    let elsewhere = World::on(Engine::Embedded);
    let code = elsewhere.browser().opt_out(&[&number(1)]);

    let world = World::with_real_limits(Engine::Embedded);
    let mut n = 0;
    limited("guessing under made-up addresses", || {
        n += 1;
        guess_for(&world, &code, n)
    });

    let world = World::with(Engine::Embedded, |launch| {
        launch
            .with_real_limits()
            .set("HTTP__TRUSTED_PROXIES", "127.0.0.0/8")
    });
    for n in 1..=40 {
        guess_for(&world, &code, n).expect(404);
    }
    limited("guessing from one address behind the proxy", || {
        guess_for(&world, &code, 1)
    });
}

#[test]
fn a_flood_of_opt_outs_from_one_address_is_slowed_down_but_a_family_gets_through() {
    let world = World::with_real_limits(Engine::Embedded);
    let dialler = world.dialler();
    let mut done = 0;
    let page = limited("opt-outs", || {
        let mut browser = world.browser();
        let review = browser.review(&[&number(done)]);
        if review.status == 429 {
            return review;
        }
        let answer = browser.press(
            &review.expect(200).form_with("action", "confirm"),
            "action",
            "confirm",
        );
        done += usize::from(answer.status == 303);
        answer
    });
    assert!(page.header("Content-Type").starts_with("text/html"));
    assert!(done >= 4, "only {done} went through");
    assert!(dialler.suppresses(&number(0), "telco"));
    assert!(!dialler.suppresses(&number(done), "telco"));
}

#[test]
fn behind_https_cookies_are_for_https_only() {
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("HTTP__PUBLIC_URL", "https://rest.example")
    });
    let mut browser = world.browser();
    browser.get("/").expect(200);
    browser.get("/language?to=nl&back=/").expect(303);
    assert!(!browser.cookies_seen.is_empty());
    for line in &browser.cookies_seen {
        assert!(line.to_lowercase().contains("; secure"), "{line}");
    }
}

#[test]
fn the_style_is_served_once_and_for_long_and_the_icon_too() {
    let world = World::on(Engine::Embedded);
    let page = world.browser().open("/").expect(200);
    let tags = html::tags(&page.text());
    let style = tags
        .iter()
        .find(|tag| tag.get("rel") == Some("stylesheet"))
        .expect("a style");
    let style = world.browser().get(style.get("href").unwrap()).expect(200);
    assert!(style.header("Content-Type").starts_with("text/css"));
    assert!(
        style.header("Cache-Control").contains("immutable"),
        "{:?}",
        style.headers
    );
    assert!(
        style.text().contains("@media print") || style.text().contains("@media only print"),
        "a print style"
    );
    let icon = world.browser().get("/assets/icon.svg").expect(200);
    assert!(icon.header("Content-Type").starts_with("image/svg+xml"));
}
