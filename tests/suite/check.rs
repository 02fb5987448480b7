//! The check: what it answers, to whom, and how it refuses.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::api::{Api, encoded};
use crate::harness::numbers::UNREADABLE;
use crate::harness::{Answer, World, number, on_every_store, raw};

fn time_of(answer: &Value, field: &str) -> Timestamp {
    let text = answer[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {answer}"));
    text.parse()
        .unwrap_or_else(|problem| panic!("{field} of {answer}: {problem}"))
}

#[track_caller]
fn assert_uuid_v7(id: &str) {
    let groups: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
    assert_eq!(id.as_bytes()[14], b'7', "a UUIDv7: {id}");
}

/// What a dialplan may read as an answer must not stand in a refusal: no digit, nothing but letters
/// and blanks.
#[track_caller]
pub fn assert_letters_only(status: u16, body: &str) {
    assert!(
        !(200..300).contains(&status),
        "a failure with status {status}: {body:?}"
    );
    assert!(!body.trim().is_empty(), "a failure says something");
    assert!(
        body.chars()
            .all(|letter| letter.is_ascii_alphabetic() || letter == ' '),
        "{status}: {body:?}"
    );
}

/// Requests that cannot be answered: the status that each must have (0: any that is a refusal), who
/// sends it, and its path.
fn refused(world: &World, dialler: &Api) -> Vec<(u16, Api, String)> {
    world.operator().add_seller("bank");
    let (nobody, stranger) = (
        world.anonymous(),
        world.anonymous().with_key("mtr_live_abc_0123456789"),
    );
    let regulator = world.operator().regulator();
    let good = encoded(&number(1));
    let paths = [
        (401, &nobody, format!("/v1/check?phone={good}&seller=telco")),
        (
            401,
            &stranger,
            format!("/v1/check?phone={good}&seller=telco"),
        ),
        (
            401,
            &nobody,
            format!("/v1/check?phone={good}&seller=telco&key=1"),
        ),
        (
            403,
            &regulator,
            format!("/v1/check?phone={good}&seller=telco"),
        ),
        (403, dialler, format!("/v1/check?phone={good}&seller=bank")),
        (
            404,
            dialler,
            format!("/v1/check?phone={good}&seller=nobody"),
        ),
        (422, dialler, "/v1/check?phone=1234&seller=telco".into()),
        (0, dialler, "/v1/check?phone=&seller=telco".into()),
        (0, dialler, "/v1/check?seller=telco".into()),
        (0, dialler, format!("/v1/check?phone={good}")),
        (0, dialler, format!("/v1/check?phone={good}&seller=")),
        (
            0,
            dialler,
            format!("/v1/check?phone={good}&seller=telco&channel=smoke"),
        ),
        (
            0,
            dialler,
            format!("/v1/check?phone={good}&seller=telco&region=Mars"),
        ),
        (
            400,
            dialler,
            format!("/v1/check?phone={good}&seller=telco&colour=1"),
        ),
        (
            400,
            dialler,
            format!("/v1/check?phone={good}&phone={good}&seller=telco"),
        ),
        (0, dialler, "/v1/check?phone=%zz&seller=telco".into()),
        (0, dialler, "/v1/check?phone=%FF%FE&seller=telco".into()),
        (404, dialler, format!("/v1/chek?phone={good}&seller=telco")),
    ];
    paths
        .into_iter()
        .map(|(status, client, path)| (status, client.clone(), path))
        .collect()
}

/// What an answer says whenever it is given: not which one it is, nor the time.
fn lasting(answer: &raw::RawAnswer) -> (Option<String>, Value) {
    let head = answer.head.to_ascii_lowercase();
    let kind = head
        .lines()
        .find_map(|line| line.strip_prefix("content-type: "));
    let mut body = match serde_json::from_str(&answer.body) {
        Ok(Value::Object(body)) => body,
        _ => return (kind.map(str::to_owned), json!(answer.body)),
    };
    for passing in ["id", "checked_at", "valid_until", "request_id"] {
        body.remove(passing);
    }
    (kind.map(str::to_owned), body.into())
}

on_every_store! {
    fn an_answer_says_suppress_why_when_and_until_when_it_may_be_used(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let listed = dialler.check(&number(1), "telco").expect(200).json();
        let clear = dialler.check(&number(2), "telco").expect(200).json();
        assert_eq!(
            (&listed["suppress"], &listed["reason"]),
            (&json!(true), &json!("all_sellers")),
            "{listed}"
        );
        assert_eq!(
            (&clear["suppress"], &clear["reason"]),
            (&json!(false), &Value::Null),
            "{clear}"
        );
        for answer in [&listed, &clear] {
            let valid = time_of(answer, "valid_until") - time_of(answer, "checked_at");
            assert_eq!(valid.as_hours(), 24, "{answer}");
            assert_uuid_v7(answer["id"].as_str().unwrap());
        }
        assert_ne!(listed["id"], clear["id"]);
    }

    fn no_answer_ever_says_that_one_may_call_or_may_be_cached(world: &World) {
        let dialler = world.dialler();
        for format in ["json", "text"] {
            let answer = dialler
                .check_with(&[
                    ("phone", &number(1)),
                    ("seller", "telco"),
                    ("format", format),
                ])
                .expect(200);
            let text = answer.text().to_lowercase();
            for word in ["may", "allow", "permi", "ok", "clear", "free"] {
                assert!(!text.contains(word), "{word:?} in {text}");
            }
            assert!(
                answer.header("Cache-Control").contains("no-store"),
                "{:?}",
                answer.headers
            );
        }
    }

    fn in_text_form_the_answer_is_exactly_one_or_zero(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        for (phone, expected) in [(number(1), "1"), (number(2), "0")] {
            let parameters = [
                ("phone", phone.as_str()),
                ("seller", "telco"),
                ("format", "text"),
            ];
            let by_format = dialler.check_with(&parameters).expect(200);
            assert_eq!(by_format.text(), expected);
            assert!(by_format.header("Content-Type").starts_with("text/plain"));
            let path = format!("/v1/check?phone={}&seller=telco", encoded(&phone));
            let by_accept = dialler
                .call("GET", &path, &[("Accept", "text/plain")], Vec::new())
                .expect(200);
            assert_eq!(by_accept.text(), expected);
        }
    }

    fn in_text_form_every_failure_is_letters_only_with_a_status_that_is_not_success(world: &World) {
        for (status, client, path) in refused(world, &world.dialler()) {
            let by_format = client.get(&format!("{path}&format=text"));
            let by_accept = client.call("GET", &path, &[("Accept", "text/plain")], Vec::new());
            let is_check = path.starts_with("/v1/check?");
            for answer in [Some(by_format), is_check.then_some(by_accept)]
                .into_iter()
                .flatten()
            {
                if status != 0 {
                    assert_eq!(answer.status, status, "{path}: {}", answer.text());
                }
                assert_letters_only(answer.status, &answer.text());
            }
        }
    }

    fn the_short_way_and_the_long_way_answer_alike(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let check = |n| format!("/v1/check?phone={}&seller=telco", encoded(&number(n)));
        let answered = [1, 2].map(|n| (200, dialler.clone(), check(n)));
        for (_, client, path) in refused(world, &dialler).into_iter().chain(answered) {
            for (query, accept) in [("", "*/*"), ("&format=text", "*/*"), ("", "text/plain")] {
                let path = format!("{path}{query}");
                let key = client.key_if_any().map(|key| format!("Bearer {key}"));
                let mut headers = vec![("Accept", accept)];
                headers.extend(key.iter().map(|key| ("Authorization", key.as_str())));
                let short = raw::get(&world.service, &path, &headers);
                // A body, be it of no length, makes it an odd one.
                headers.push(("Content-Length", "0"));
                let long = raw::get(&world.service, &path, &headers);
                assert_eq!(
                    (short.status, lasting(&short)),
                    (long.status, lasting(&long)),
                    "{path}, {accept}"
                );
            }
        }
    }

    fn a_number_that_cannot_be_read_is_never_answered_and_always_on_record(world: &World) {
        let dialler = world.dialler();
        let mut asked = Vec::new();
        for phone in UNREADABLE {
            let problem = dialler.check(phone, "telco").expect(422).json();
            assert!(problem.get("suppress").is_none(), "{problem}");
            asked.push(problem["id"].clone());
        }
        let entries = world.operator().entries(&[("op", "check")]);
        let recorded: Vec<_> = entries
            .iter()
            .filter(|entry| entry["answer"] == "invalid")
            .map(|entry| entry["id"].clone())
            .collect();
        assert_eq!(recorded, asked);
        dialler.check("", "telco").expect_refused();
        dialler.check(&"4".repeat(10_000), "telco").expect_refused();
    }

    fn an_unknown_seller_and_a_missing_mandate_are_never_answered(world: &World) {
        let dialler = world.dialler();
        world.operator().add_seller("bank");
        let unknown = dialler.check(&number(1), "nobody").expect(404).json();
        assert_eq!(unknown["code"], "unknown_seller", "{unknown}");
        let foreign = dialler.check(&number(1), "bank").expect(403).json();
        assert_eq!(foreign["code"], "no_mandate", "{foreign}");
        for seller in ["", "TELCO!", "../telco", "*"] {
            dialler.check(&number(1), seller).expect_refused();
        }
    }

    fn an_unknown_or_doubled_parameter_is_refused_rather_than_guessed(world: &World) {
        let dialler = world.dialler();
        let phone = encoded(&number(1));
        for rest in [
            "&chanel=text",
            "&seller=telco",
            "&PHONE=1",
            "&channel=voice&channel=text",
        ] {
            dialler
                .get(&format!("/v1/check?phone={phone}&seller=telco{rest}"))
                .expect(400);
        }
    }

    fn the_same_ref_from_the_same_client_is_one_check_but_never_hides_an_opt_out(world: &World) {
        let dialler = world.dialler();
        let ask = |phone: &str| -> Answer {
            dialler
                .check_with(&[("phone", phone), ("seller", "telco"), ("ref", "call-17")])
                .expect(200)
        };
        let first = ask(&number(1)).id();
        for _ in 0..3 {
            assert_eq!(ask(&number(1)).id(), first, "a repeat gets the same id");
        }
        assert_ne!(
            ask(&number(2)).id(),
            first,
            "another number is another check"
        );
        let checks = || world.operator().entries(&[("op", "check")]).len();
        assert_eq!(checks(), 2, "a repeat adds no entry");

        dialler.register(&[&number(1)], json!("all"));
        let told = ask(&number(1));
        assert_ne!(told.id(), first, "another answer is another check");
        assert!(told.suppress(), "an opt-out in between is seen");
        assert_eq!(checks(), 3);
        let without = dialler
            .check_with(&[("phone", &number(2)), ("seller", "telco")])
            .expect(200)
            .id();
        let again = dialler
            .check_with(&[("phone", &number(2)), ("seller", "telco")])
            .expect(200)
            .id();
        assert_ne!(without, again, "without a ref each check is its own");
    }

    fn another_client_with_the_same_ref_makes_its_own_check(world: &World) {
        let dialler = world.dialler();
        world.operator().add_agency("others", &["telco"]);
        let colleague = world.operator().dialler_of("others");
        let ids = [&dialler, &colleague].map(|client| {
            client
                .check_with(&[("phone", &number(1)), ("seller", "telco"), ("ref", "1")])
                .expect(200)
                .id()
        });
        assert_ne!(ids[0], ids[1]);
    }

    fn a_list_of_numbers_is_answered_in_order_with_the_unreadable_ones_marked(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        dialler.register(&[&number(2)], json!(["telco"]));
        let numbers = json!([
            number(3),
            number(1),
            "hello",
            "0470000002",
            number(1),
            "",
            number(2)
        ]);
        let body = json!({
            "seller": "telco", "channel": "voice", "region": "BE", "campaign": "spring", "numbers": numbers,
        });
        let answer = dialler.post("/v1/checks", body).expect(200).json();
        assert!(time_of(&answer, "checked_at") < time_of(&answer, "valid_until"));
        let results = answer["results"].as_array().unwrap();
        let told: Vec<_> = results
            .iter()
            .map(|result| result["answer"].as_str().unwrap())
            .collect();
        assert_eq!(
            told,
            [
                "not_listed",
                "suppress",
                "invalid",
                "suppress",
                "suppress",
                "invalid",
                "suppress"
            ],
            "{answer}"
        );
        for (result, sent) in results.iter().zip(numbers.as_array().unwrap()) {
            assert_eq!(
                &result["phone"], sent,
                "each number comes back as it was sent"
            );
            if result["answer"] != "invalid" {
                assert_uuid_v7(result["id"].as_str().unwrap());
            }
        }
        assert_eq!(results[1]["reason"], "all_sellers");
        assert_eq!(results[3]["reason"], "this_seller");
        assert_eq!(results[0]["reason"], Value::Null);
        let entries = world
            .operator()
            .entries(&[("op", "check"), ("answer", "suppress")]);
        assert_eq!(entries.len(), 4, "every number of a list is on record");
    }

    fn a_list_of_ten_thousand_is_answered_and_a_longer_one_refused_without_a_trace(world: &World) {
        let dialler = world.dialler();
        let numbers: Vec<_> = (0..10_001).map(number).collect();
        dialler
            .post("/v1/checks", json!({"seller": "telco", "numbers": numbers}))
            .expect_refused();
        assert_eq!(world.operator().entries(&[("op", "check")]).len(), 0);
        let answer = dialler
            .post(
                "/v1/checks",
                json!({"seller": "telco", "numbers": numbers[..10_000]}),
            )
            .expect(200);
        assert_eq!(answer.json()["results"].as_array().unwrap().len(), 10_000);
    }

    fn a_list_that_is_empty_malformed_or_for_someone_else_is_refused(world: &World) {
        let dialler = world.dialler();
        world.operator().add_seller("bank");
        let empty = dialler.post("/v1/checks", json!({"seller": "telco", "numbers": []}));
        assert!(
            empty.status != 200 || empty.json()["results"] == json!([]),
            "{}",
            empty.text()
        );
        dialler
            .post(
                "/v1/checks",
                json!({"seller": "bank", "numbers": [number(1)]}),
            )
            .expect(403);
        dialler
            .post(
                "/v1/checks",
                json!({"seller": "nobody", "numbers": [number(1)]}),
            )
            .expect(404);
        for body in [
            json!({"seller": "telco", "numbers": [number(1)], "colour": "red"}),
            json!({"seller": "telco", "numbers": [number(1)], "channel": "smoke"}),
            json!({"seller": "telco", "numbers": number(1)}),
            json!({"seller": "telco", "numbers": [32_475_123_456_u64]}),
            json!({"seller": "telco"}),
            json!({"numbers": [number(1)]}),
            json!([]),
        ] {
            dialler.post("/v1/checks", body).expect_refused();
        }
        let headers = [("Content-Type", "application/json")];
        dialler
            .call("POST", "/v1/checks", &headers, b"{\"seller\":".to_vec())
            .expect_refused();
        dialler
            .call("POST", "/v1/checks", &headers, b"\xff\xfe".to_vec())
            .expect_refused();
        world
            .anonymous()
            .post(
                "/v1/checks",
                json!({"seller": "telco", "numbers": [number(1)]}),
            )
            .expect(401);
    }
}
