//! Clients as dialplans are: they send `+` raw, open a connection for each call, speak HTTP/1.0,
//! and some only dribble.

#[path = "dialplans/kamailio.rs"]
mod kamailio;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::check::assert_letters_only;
use crate::harness::{Engine, World, number, on_every_store, raw};

/// Base64, as Basic authentication needs it.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for position in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * position)) as usize & 63];
            text.push(if position > group.len() {
                '='
            } else {
                char::from(sign)
            });
        }
    }
    text
}

on_every_store! {
    fn a_key_is_taken_as_bearer_as_basic_user_or_password_and_from_the_query(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let key = dialler.key();
        let target = format!("/v1/check?phone={}&seller=telco&format=text", number(1));
        let basic = |pair: String| format!("Basic {}", base64(pair.as_bytes()));
        for authorization in [
            format!("Bearer {key}"),
            format!("bearer {key}"),
            basic(format!("{key}:")),
            basic(format!("dialler:{key}")),
            basic(format!(":{key}")),
        ] {
            let answer = raw::get(
                &world.service,
                &target,
                &[("Authorization", &authorization)],
            );
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, "1"),
                "{authorization}"
            );
        }
        let answer = raw::get(&world.service, &format!("{target}&key={key}"), &[]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "1"));
        for authorization in [
            "Bearer",
            "Basic",
            "Basic !!!",
            "Digest x",
            "Bearer  ",
            &basic("a:b".into()),
        ] {
            let answer = raw::get(&world.service, &target, &[("Authorization", authorization)]);
            assert_eq!(answer.status, 401, "{authorization}");
            assert_letters_only(answer.status, &answer.body);
        }
    }

    fn a_plus_may_be_sent_raw_encoded_or_lost_to_a_blank(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let digits = &number(1)[1..];
        let plainly = [
            format!("+{digits}"),
            format!("%2B{digits}"),
            format!("%20{digits}"),
            format!("00{digits}"),
        ];
        for phone in plainly {
            let target = format!(
                "/v1/check?phone={phone}&seller=telco&format=text&key={}",
                dialler.key()
            );
            let answer = raw::get(&world.service, &target, &[]);
            assert_eq!((answer.status, answer.body.as_str()), (200, "1"), "{phone}");
        }
    }

    fn http_1_0_without_a_host_is_answered_and_the_connection_closed(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        for (n, expected) in [(1, "1"), (2, "0")] {
            let phone = number(n);
            let target = format!(
                "/v1/check?phone={phone}&seller=telco&format=text&key={}",
                dialler.key()
            );
            let answer = raw::exchange(&world.service, format!("GET {target} HTTP/1.0\r\n\r\n"));
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, expected),
                "{}",
                answer.head
            );
        }
    }

    fn a_connection_for_each_request_is_served(world: &World) {
        let dialler = world.dialler().without_keeping_connections();
        for n in 0..200 {
            assert!(!dialler.suppresses(&number(n), "telco"));
        }
        assert_eq!(world.operator().entries(&[("op", "check")]).len(), 200);
    }

    fn what_is_not_http_is_refused_without_an_answer(world: &World) {
        let dialler = world.dialler();
        let good = format!(
            "/v1/check?phone={}&seller=telco&format=text&key={}",
            number(1),
            dialler.key()
        );
        for request in [
            format!("GET {good} \u{1} HTTP/1.1\r\n\r\n"),
            "HELLO\r\n\r\n".to_string(),
            format!(
                "GET {good} HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\nConnection: close\r\n\r\n"
            ),
            format!(
                "GET {good} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {}\r\n\r\n",
                "x".repeat(1 << 20)
            ),
        ] {
            let mut stream = raw::connect(&world.service);
            let _ = stream.write_all(request.as_bytes());
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.starts_with("HTTP/1.1 200"), "{text}");
        }
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_with_413_however_its_length_is_told() {
    let world = World::on(Engine::Embedded);
    let dialler = world.dialler();
    let body = format!(
        "{{\"seller\":\"telco\",\"numbers\":[\"{}\"]}}",
        "4".repeat(1_100_000)
    );
    let head = format!(
        "POST /v1/checks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {}\r\n",
        dialler.key()
    );
    let known = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let unknown = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for request in [known, unknown] {
        assert_eq!(raw::exchange(&world.service, request).status, 413);
    }
}

#[test]
fn a_client_that_dribbles_its_headers_or_its_body_is_cut_off() {
    let world = World::with(Engine::Embedded, |launch| {
        launch
            .set("HTTP__HEADER_TIMEOUT_MS", "400")
            .set("HTTP__BODY_TIMEOUT_MS", "400")
    });
    let dialler = world.dialler();
    let head = format!(
        "POST /v1/checks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n",
        dialler.key()
    );
    let body = format!("{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{");
    for beginning in [head, body] {
        let mut stream = raw::connect(&world.service);
        stream.write_all(beginning.as_bytes()).unwrap();
        let begun = Instant::now();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "still open after {:?}",
            begun.elapsed()
        );
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
    assert!(
        !dialler.suppresses(&number(1), "telco"),
        "others are served as ever"
    );
}

const ASTERISK: &str = include_str!("../../deploy/diallers/asterisk.conf");
const FREESWITCH: &str = include_str!("../../deploy/diallers/freeswitch.xml");

/// The lines of one section of Asterisk's recipe, without comments.
fn section(name: &str) -> Vec<&'static str> {
    let lines = ASTERISK.lines().map(str::trim);
    let lines = lines
        .skip_while(|line| *line != format!("[{name}]"))
        .skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .collect()
}

#[test]
fn asterisk_s_recipe_prints_no_key_and_takes_no_answer_of_another_status() {
    // At verbose 3 each step of the dialplan is printed with its variables filled in; what stands
    // under [globals] is not.
    let steps = [section("metrust"), section("outgoing")].concat();
    assert!(
        steps
            .iter()
            .all(|step| !step.to_lowercase().contains("key") && !step.contains("userpwd"))
    );
    let globals = section("globals");
    assert!(
        globals
            .iter()
            .any(|line| line.starts_with("CURLOPT(userpwd)=metrust:mtr_live_"))
    );
    assert!(globals.iter().all(|line| !line.starts_with("METRUST_KEY")));

    let asks = steps
        .iter()
        .position(|step| step.contains("${CURL("))
        .unwrap();
    let codes = steps[..asks].iter().find_map(|step| {
        let (_, codes) = step.split_once("Set(CURLOPT(failurecodes)=")?;
        codes.strip_suffix(')')
    });
    let codes: Vec<u16> = codes
        .unwrap()
        .split(',')
        .map(|code| code.parse().unwrap())
        .collect();
    assert!(codes.is_sorted() && !codes.contains(&200));
    for code in (201..=208)
        .chain(300..=308)
        .chain(400..=418)
        .chain(500..=511)
    {
        assert!(codes.contains(&code), "{code}");
    }
    assert!(steps[asks].contains("&region=${ARG2}&"), "{}", steps[asks]);
    assert!(
        steps[asks + 1].contains(r#"$["x${answer}" = "x0"]?not_listed"#),
        "nothing between"
    );
    let ends = |what: &str| steps.iter().any(|step| step.ends_with(what));
    assert!(
        ends("Hangup(21)") && ends("Hangup(34)"),
        "no, and could not ask"
    );
}

#[test]
fn freeswitch_s_recipe_dials_on_an_exact_zero_alone_and_tells_no_from_could_not_ask() {
    let before = |what: &str| FREESWITCH.split(what).next().unwrap().len();
    assert_eq!(FREESWITCH.matches("application=\"bridge\"").count(), 1);
    let order = [
        "curl_response_data=unasked",
        "application=\"curl\"",
        r#"expression="^200:1$" break="on-true">"#,
        "603 Do not call",
        r#"expression="^200:0$">"#,
        "application=\"bridge\"",
        r#"<anti-action application="respond" data="503 "#,
    ];
    let places: Vec<_> = order.iter().map(|what| before(what)).collect();
    assert!(
        places.is_sorted() && places.iter().all(|place| *place < FREESWITCH.len()),
        "{places:?}"
    );
    assert!(FREESWITCH.contains("&amp;region=$${metrust_region}&amp;"));
}
