//! Letters: a proof that is asked for by e-mail arrives, whatever happens in between, and the
//! address goes as was promised.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::harness::smtp::{Mail, Smtp};
use crate::harness::wait::PATIENCE;
use crate::harness::{
    Answer, Api, Browser, Launch, Service, World, eventually, html, number, on_every_store, until,
};

const ADDRESS: &str = "Anna.De-Vrolijke+rust@post.example.org";

/// A mail server, and the world's service restarted so that it uses it.
fn with_mail(world: &mut World, adapt: impl FnOnce(Launch) -> Launch) -> Smtp {
    let smtp = Smtp::start();
    let launch = adapt(smtp.serves(world.service.launch()));
    world.service.restart_as(&launch);
    smtp
}

/// Asks for the proof on the page with the code: what the form is answered with.
#[track_caller]
fn ask(browser: &mut Browser, address: &str) -> Answer {
    let page = browser.open("/done").expect(200);
    let mut form = page.form_to("/registration/mail");
    form.set("address", &[address]);
    browser.enter(&form)
}

/// Opts out and asks for the proof: the code.
#[track_caller]
fn opt_out_and_ask(service: &Service, number: &str, address: &str) -> (Browser, String) {
    let mut browser = service.browser();
    let code = browser.opt_out(&[number]);
    let answer = ask(&mut browser, address).expect(303);
    assert_eq!(answer.header("Location"), "/done#mail");
    let page = browser.follow(answer).expect(200);
    assert!(!page.text().contains(address), "the address is shown again");
    (browser, code)
}

#[track_caller]
fn figure(operator: &Api, name: &str) -> u64 {
    let all = operator.get("/metrics").expect(200).text();
    let name = format!("metrust_mail_{name} ");
    let line = all.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("no {name} in {all}"))
        .parse()
        .unwrap()
}

/// Waits until no letter, and so no address, is in the store.
#[track_caller]
fn wait_for_none(operator: &Api) {
    eventually("no letter is left", || {
        figure(operator, "waiting_letters") == 0
    });
}

#[track_caller]
fn wait_until_page_says(browser: &mut Browser, what: &str) {
    eventually(what, || {
        let page = browser.open("/done").expect(200).text();
        html::visible(&page, " ").contains(what)
    });
}

fn plain(letter: &Mail) -> String {
    letter.text.replace("\r\n", "\n")
}

on_every_store! {
    fn a_proof_arrives_once_with_the_code_and_since_when(world: &mut World) {
        let smtp = with_mail(world, |launch| launch);
        let mut browser = world.service.browser();
        let code = browser.opt_out(&["0486 91 35 72"]);
        let page = browser.open("/done").expect(200);
        let mut form = page.form_to("/registration/mail");
        form.set("address", &[ADDRESS]);
        browser.enter(&form).expect(303);
        let letters = smtp.wait_for(1);
        let letter = &letters[0];
        assert_eq!(letter.to, [ADDRESS]);
        let text = plain(letter);
        let shown = html::visible(&page.text(), " ");
        let (_, exact) = shown.split_once("Exact time: ").unwrap();
        let exact: String = exact.chars().take("2026-01-01 00:00:00 UTC".len()).collect();
        assert!(exact.ends_with(" UTC"), "{exact}");
        for part in [
            code.as_str(),
            "+32 486 91 35 72",
            &exact,
            "All companies that use this register",
            "http://dnc.example/registration\n",
            "In 14 days we ask you once",
        ] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        assert_eq!(letter.header("auto-submitted"), "auto-generated");
        assert_eq!(letter.header("content-type"), r#"text/plain; charset="utf-8""#);
        assert!(letter.header("message-id").ends_with("@dnc.example>"));
        assert!(letter.header("from").contains("<hello@dnc.example>"));
        assert!(letter.headers.contains_key("date"));
        let subject = letter.header("subject");
        assert!(!subject.chars().any(|c| c.is_ascii_digit()), "{subject}");
        wait_until_page_says(&mut browser, "The letter was sent");

        // The same form once more is the same letter; another person's comes after it.
        browser.enter(&form).expect(303);
        opt_out_and_ask(&world.service, &number(2), "bo@example.org");
        let letters = smtp.wait_for(2);
        let to: Vec<_> = letters.iter().map(|letter| letter.to[0].as_str()).collect();
        assert_eq!(to, [ADDRESS, "bo@example.org"]);
        // A letter counts as sent when the mail server has said so.
        let operator = world.operator();
        eventually("both count", || figure(&operator, "sent_letters") == 2);
    }

    fn a_mail_server_that_is_down_loses_nothing(world: &mut World) {
        let mut smtp = with_mail(world, |launch| launch);
        smtp.kill();
        let (mut browser, code) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
        wait_until_page_says(&mut browser, "It will be sent as soon as our mail works again");
        assert_eq!(figure(&world.operator(), "failing"), 1);
        world.service.restart();
        eventually("it is tried again", || figure(&world.operator(), "failing") == 1);
        assert_eq!(figure(&world.operator(), "waiting_letters"), 1);
        smtp.restart();
        assert!(plain(&smtp.wait_for(1)[0]).contains(&code));
        let mut browser = world.service.browser();
        browser.type_code(&code).expect(200);
        wait_until_page_says(&mut browser, "The letter was sent");
        assert_eq!(figure(&world.operator(), "failing"), 0);
        assert_eq!(smtp.letters().len(), 1);
    }

    fn nothing_of_a_letter_is_readable_anywhere_else(world: &mut World) {
        // A server that says the address aloud: what it says must not be logged.
        let mut smtp = with_mail(world, |launch| launch.set("LOG__FILTER", "trace"));
        smtp.restart_with(&["refuse=450 {address} is on holiday"]);
        let (mut browser, code) = opt_out_and_ask(&world.service, "+32 486 91 35 72", ADDRESS);
        ask(&mut browser, "Frits.De-Vrolijke").expect(422);
        wait_until_page_says(&mut browser, "It will be sent as soon as our mail works again");
        let secrets = [
            ADDRESS.to_lowercase(),
            "vrolijke".to_owned(),
            "post.example.org".to_owned(),
            code.to_lowercase(),
            code.to_lowercase().replace('-', ""),
            "486913572".to_owned(),
            "486 91 35 72".to_owned(),
        ];
        let assert_absent = |place: &str, bytes: &[u8]| {
            assert!(!bytes.is_empty(), "{place} is empty: nothing was searched");
            let text = String::from_utf8_lossy(bytes).to_lowercase();
            for secret in &secrets {
                assert!(!text.contains(secret), "{secret} stands in {place}");
            }
        };
        assert_absent("the log", world.service.log().as_bytes());
        let metrics = world.operator().get("/metrics").expect(200).text();
        assert_absent("the metrics", metrics.as_bytes());
        let folder = match &world.redis {
            Some(redis) => redis.folder().to_path_buf(),
            None => world.service.data().to_path_buf(),
        };
        let mut searched = 0;
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = fs::read(&path)
                    && !bytes.is_empty()
                {
                    searched += 1;
                    assert_absent(&path.display().to_string(), &bytes);
                }
            }
        }
        assert!(searched > 0);
        smtp.restart();
        assert!(plain(&smtp.wait_for(1)[0]).contains(&code));
        assert_absent("the log", world.service.log().as_bytes());
    }

    fn some_time_later_one_question_follows_and_then_the_address_is_gone(world: &mut World) {
        let smtp = with_mail(world, |launch| launch.set("MAIL__FOLLOW_UP_DAYS", "0.00003"));
        let (_, code) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
        let letters = smtp.wait_for(2);
        let question = &letters[1];
        assert_eq!(question.to, [ADDRESS]);
        assert_eq!(question.header("subject"), "Is it quiet now?");
        let text = plain(question);
        let link = format!("http://dnc.example/registration?next=report#{code}\n");
        assert!(text.contains(&link), "{text}");
        assert_ne!(question.header("message-id"), letters[0].header("message-id"));
        wait_for_none(&world.operator());
        assert_eq!(smtp.letters().len(), 2);
    }

    fn without_a_second_letter_the_address_goes_with_the_first(world: &mut World) {
        let smtp = with_mail(world, |launch| launch.set("MAIL__FOLLOW_UP_DAYS", "0"));
        let (_, code) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
        let text = plain(&smtp.wait_for(1)[0]);
        assert!(text.contains(&code) && text.contains("We now delete your e-mail address"));
        wait_for_none(&world.operator());
    }

    fn who_takes_the_last_number_out_is_not_asked_anything(world: &mut World) {
        let smtp = with_mail(world, |launch| launch.set("MAIL__FOLLOW_UP_DAYS", "1"));
        let (mut browser, _) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
        smtp.wait_for(1);
        let page = browser.open("/registration").expect(200);
        let form = page.form_with("action", "remove-number");
        browser.press(&form, "action", "remove-number").expect(303);
        wait_for_none(&world.operator());
    }

    fn who_takes_the_opt_out_back_is_not_asked_anything(world: &mut World) {
        let smtp = with_mail(world, |launch| launch.set("MAIL__FOLLOW_UP_DAYS", "1"));
        let (mut browser, _) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
        wait_until_page_says(&mut browser, "The letter was sent");
        browser.withdraw();
        wait_for_none(&world.operator());
        assert_eq!(smtp.letters().len(), 1);
    }

    fn what_is_wrong_with_an_address_is_said_and_what_was_typed_stays(world: &mut World) {
        let smtp = with_mail(world, |launch| launch);
        let mut browser = world.service.browser();
        browser.opt_out(&[&number(1)]);
        for (typed, said) in [
            ("", "Fill in your e-mail address"),
            ("anna", "This does not look like an e-mail address"),
            ("anna@example.org\r\nBcc: bo@example.org", "This does not look like"),
            ("anna@example.org, bo@example.org", "This does not look like"),
        ] {
            let page = ask(&mut browser, typed).expect(422);
            assert!(html::visible(&page.text(), " ").contains(said), "{typed:?}");
            let kept = page.form_to("/registration/mail");
            let kept = html::unescaped(kept.values("address")[0]);
            assert_eq!(kept.replace("\r\n", "\n"), typed.replace("\r\n", "\n"));
            assert!(page.text().contains("<title>Error: "));
        }
        ask(&mut browser, "anna@example.org").expect(303);
        smtp.wait_for(1);
    }

    fn nobody_fills_a_strangers_mailbox(world: &mut World) {
        let smtp = with_mail(world, |launch| {
            launch
                .set("MAIL__PER_ADDRESS_PER_DAY", "4")
                .set("MAIL__MAX_WAITING", "3")
        });
        let mut browser = world.service.browser();
        browser.opt_out(&[&number(1)]);
        for sent in 1..=3 {
            ask(&mut browser, "stranger@example.org").expect(303);
            smtp.wait_for(sent);
            wait_until_page_says(&mut browser, "The letter was sent");
        }
        // A fourth for this registration, whatever the address.
        let page = ask(&mut browser, "other@example.org").expect(429);
        assert!(page.text().contains("We do not send another letter"));
        // A fifth for this address, however it is written, from whomever.
        opt_out_and_ask(&world.service, &number(2), "Stranger+1@Example.org");
        smtp.wait_for(4);
        let mut other = world.service.browser();
        other.opt_out(&[&number(3)]);
        let page = ask(&mut other, "stranger+2@example.org").expect(429);
        assert!(page.text().contains("We do not send another letter"));
        // And not more people's than may wait.
        ask(&mut other, "third@example.org").expect(303);
        smtp.wait_for(5);
        eventually("three are counted", || figure(&world.operator(), "waiting_letters") == 3);
        let mut fourth = world.service.browser();
        fourth.opt_out(&[&number(4)]);
        let page = ask(&mut fourth, "fourth@example.org").expect(503);
        assert!(page.text().contains("We cannot take your address now"));
        assert_eq!(smtp.letters().len(), 5);
    }

    fn a_refused_address_is_said_and_can_be_mended(world: &mut World) {
        let mut smtp = with_mail(world, |launch| launch);
        smtp.restart_with(&["refuse=550 nobody of this name"]);
        let (mut browser, code) = opt_out_and_ask(&world.service, &number(1), "ann@example.org");
        wait_until_page_says(&mut browser, "Is the address right?");
        smtp.restart();
        ask(&mut browser, "anna@example.org").expect(303);
        let letter = until("the letter arrives", PATIENCE, || {
            let mut letters = smtp.letters().into_iter();
            letters.find(|letter| letter.to == ["anna@example.org"])
        });
        assert!(plain(&letter).contains(&code));
        wait_until_page_says(&mut browser, "The letter was sent");
    }

    fn letters_are_written_in_the_language_of_the_page(world: &mut World) {
        let smtp = with_mail(world, |launch| launch);
        let table = [
            ("nl", "Dag,", "Numéros"),
            ("fr", "Bonjour,", "Nummern"),
            ("de", "Guten Tag,", "Numéros"),
            ("en", "Hello,", "Numéros"),
        ];
        for (place, (language, hello, foreign)) in table.into_iter().enumerate() {
            let mut browser = world.service.browser().reading(language);
            let code = browser.opt_out(&[&number(place + 1)]);
            ask(&mut browser, "an@example.org").expect(303);
            let text = plain(smtp.wait_for(place + 1).last().unwrap());
            assert!(text.starts_with(hello) && text.contains(&code), "{text}");
            assert!(!text.contains(foreign) && !text.contains('{'), "{text}");
        }
    }

    fn the_doctor_tries_the_mail_server(world: &mut World) {
        let mut smtp = with_mail(world, |launch| launch);
        let said = world.service.cli(&["doctor"]).stdout;
        let line = |said: &str| {
            let line = said.lines().find(|line| line.contains(" mail "));
            line.unwrap_or_else(|| panic!("no mail in {said}")).to_owned()
        };
        assert!(line(&said).starts_with("ok "), "{said}");
        smtp.kill();
        let said = world.service.cli(&["doctor"]);
        assert_eq!(said.status.code(), Some(1));
        assert!(line(&said.stdout).starts_with("ERROR "), "{}", said.stdout);
    }

    fn an_answer_and_one_that_is_late_are_told_by_mail(world: &mut World) {
        world.dialler();
        let seller = world.operator().seller_key("telco");
        let smtp = with_mail(world, |launch| launch.set("REPORT__ANSWER_DAYS", "0"));
        let (mut browser, code) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
        smtp.wait_for(1);
        let page = browser.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let mut form = page.form_with("action", "send");
        for (name, value) in [("own", &*number(1)), ("company", "telco"), ("date", &today), ("sure", "day")] {
            form.set(name, &[value]);
        }
        browser.press(&form, "action", "send").expect(303);
        // Late answers are looked for when a process begins, and now and then.
        world.service.restart();
        let letters = smtp.wait_for(2);
        let link = format!("http://dnc.example/registration?next=reports#{code}");
        assert!(plain(&letters[1]).contains("did not answer your report in time"));
        assert!(plain(&letters[1]).contains(&link));
        let seller = seller.on(&world.service.url());
        let all = seller.get("/v1/reports").expect(200).json();
        let id = all["reports"][0]["id"].as_str().unwrap().to_owned();
        let answer = json!({"text": "It was our mistake."});
        seller.post(&format!("/v1/reports/{id}/answer"), answer).expect(200);
        let letters = smtp.wait_for(3);
        assert!(plain(&letters[2]).contains("The company has answered your report."));
        assert!(!plain(&letters[2]).contains("our mistake"), "a letter may be read by others");
        // Told once, also by a process that begins anew.
        world.service.restart();
        opt_out_and_ask(&world.service, &number(2), "bo@example.org");
        assert_eq!(smtp.wait_for(4).len(), 4);
    }

    fn without_a_mail_server_no_page_offers_it(world: &mut World) {
        let mut browser = world.service.browser();
        browser.opt_out(&[&number(1)]);
        let page = browser.open("/done").expect(200);
        assert!(!page.has_form_to("/registration/mail"));
        let mut form = page.form_to("/leave");
        form.set("address", &["an@example.org"]);
        let (_, fields) = form.entered();
        browser.post("/registration/mail", &fields).expect(404);
    }
}

#[test]
fn one_address_of_the_internet_asks_for_few_letters_a_minute() {
    let mut world = World::with_real_limits(crate::harness::Engine::Embedded);
    let smtp = with_mail(&mut world, |launch| {
        launch.set("LIMITS__LETTERS_PER_MINUTE", "1")
    });
    let mut browser = world.service.browser();
    browser.opt_out(&[&number(1)]);
    ask(&mut browser, "an@example.org").expect(303);
    let page = ask(&mut browser, "bo@example.org").expect(429);
    assert!(page.header("Retry-After").parse::<u64>().unwrap() <= 60);
    assert!(
        page.text().contains("bo@example.org"),
        "what was typed is lost"
    );
    assert_eq!(smtp.wait_for(1)[0].to, ["an@example.org"]);
}

/// Both look for what is due all the time; each letter is sent by one of them.
#[test]
fn of_two_processes_on_one_store_one_sends() {
    let mut world = World::on(crate::harness::Engine::RedisAlways);
    let mut smtp = with_mail(&mut world, |launch| launch.set("MAIL__FOLLOW_UP_DAYS", "0"));
    smtp.kill();
    let other = world.replica_with(|launch| smtp.serves(launch).set("MAIL__FOLLOW_UP_DAYS", "0"));
    let other = other.unwrap();
    const EACH: usize = 6;
    for (place, service) in [&world.service, &other].into_iter().enumerate() {
        for n in 0..EACH {
            let n = place * EACH + n;
            let address = format!("person-{n}@example.org");
            opt_out_and_ask(service, &number(n + 1), &address);
        }
    }
    // So slow that the other process finds each letter while it is being sent.
    smtp.restart_with(&["slow=0.7"]);
    let letters = smtp.wait_for(2 * EACH);
    let operators = [world.operator(), world.operator().on(&other.url())];
    operators.iter().for_each(wait_for_none);
    let names: BTreeSet<_> = letters.iter().map(|l| l.header("message-id")).collect();
    let people: BTreeSet<_> = letters.iter().map(|l| &l.to[0]).collect();
    assert_eq!((names.len(), people.len()), (2 * EACH, 2 * EACH));
    assert_eq!(smtp.letters().len(), 2 * EACH);
    let sent = operators.map(|operator| figure(&operator, "sent_letters"));
    assert_eq!(sent.iter().sum::<u64>(), 2 * EACH as u64, "{sent:?}");
}

/// A process that dies while a letter is with the mail server leaves it to the next.
#[test]
fn a_claim_lapses_with_its_process() {
    let mut world = World::on(crate::harness::Engine::Embedded);
    let mut smtp = Smtp::start();
    smtp.kill();
    // Takes the connection, and never says a word.
    let silent = std::net::TcpListener::bind(("127.0.0.1", smtp.port())).unwrap();
    let launch = smtp.serves(world.service.launch());
    world.service.restart_as(&launch);
    let (_, code) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
    let (held, _) = silent.accept().unwrap();
    world.service.kill9();
    drop((held, silent));
    smtp.restart();
    world.service.restart();
    let letters = smtp.wait_for(1);
    assert!(plain(&letters[0]).contains(&code));
    let sent = until("it is written down", PATIENCE, || {
        Some(figure(&world.operator(), "sent_letters")).filter(|sent| *sent > 0)
    });
    assert_eq!((sent, smtp.letters().len()), (1, 1));
}

/// STARTTLS with a certificate of an authority of one's own, and a password.
#[test]
fn a_password_goes_through_tls_to_a_server_that_is_trusted() {
    let mut world = World::on(crate::harness::Engine::Embedded);
    let folder = world.scratch("tls");
    fs::create_dir(&folder).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    fs::write(path("ca.pem"), authority.pem()).unwrap();
    fs::write(path("smtp.pem"), certificate.pem()).unwrap();
    fs::write(path("smtp.key"), key.serialize_pem()).unwrap();
    fs::write(path("password"), "not-for-any-eyes\n").unwrap();
    let tls = format!("tls={},{}", path("smtp.pem"), path("smtp.key"));
    let smtp = Smtp::with(&[&tls, "login=metrust:not-for-any-eyes"]);
    let url = format!("smtp://localhost:{}?tls=required", smtp.port());
    let stranger = smtp
        .serves(world.service.launch())
        .set("MAIL__URL", &url)
        .set("MAIL__USER", "metrust")
        .set("MAIL__PASSWORD_FILE", path("password"));
    world.service.restart_as(&stranger);
    let (mut browser, code) = opt_out_and_ask(&world.service, &number(1), ADDRESS);
    wait_until_page_says(
        &mut browser,
        "It will be sent as soon as our mail works again",
    );
    assert!(smtp.letters().is_empty(), "sent to a stranger");

    let launch = stranger.set("MAIL__CA_CERTIFICATE", path("ca.pem"));
    world.service.restart_as(&launch);
    let letters = smtp.wait_for(1);
    assert!(letters[0].tls && letters[0].login);
    assert!(plain(&letters[0]).contains(&code) && letters[0].raw.is_ascii());
    assert!(!world.service.log().contains("not-for-any-eyes"));
}

#[test]
fn settings_that_contradict_each_other_stop_the_start() {
    let world = World::on(crate::harness::Engine::Embedded);
    let on = || Launch::on(&world.scratch("refused"));
    let mail = || {
        on().set("MAIL__URL", "smtps://mail.example")
            .set("MAIL__FROM", "hello@dnc.example")
            .set("HTTP__PUBLIC_URL", "http://dnc.example")
    };
    for (launch, named) in [
        (mail().set("MAIL__URL", "https://mail.example"), "mail.url"),
        (
            mail().set("MAIL__URL", "smtp://u:p-w@mail.example"),
            "mail.url",
        ),
        (mail().set("MAIL__FROM", "nobody"), "mail.from"),
        (mail().set("MAIL__USER", "u"), "mail.user"),
        (
            mail().set("MAIL__FOLLOW_UP_DAYS", "-1"),
            "mail.follow_up_days",
        ),
        (mail().set("HTTP__PUBLIC_URL", ""), "http.public_url"),
        (on().set("MAIL__FROM", "hello@dnc.example"), "mail.url"),
    ] {
        let refusal = launch.refused();
        assert!(refusal.stderr.contains(named), "{named}: {refusal:?}");
        assert!(!refusal.stderr.contains("p-w"), "{refusal:?}");
    }
}
