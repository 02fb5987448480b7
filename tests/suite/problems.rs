//! Errors are for the person who reads them: RFC 9457 problems, an id on every answer, and probes
//! that tell the truth.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, World, number, on_every_store};

#[track_caller]
fn assert_problem(answer: &Answer) -> Value {
    assert!(
        answer
            .header("Content-Type")
            .starts_with("application/problem+json"),
        "{answer:?}"
    );
    let problem = answer.json();
    for field in ["type", "title", "detail", "code", "request_id"] {
        assert!(
            problem[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field} of {problem}"
        );
    }
    assert_eq!(problem["status"], answer.status, "{problem}");
    assert_eq!(
        problem["request_id"],
        answer.header("Request-Id").as_str(),
        "{problem}"
    );
    assert!(
        problem["code"]
            .as_str()
            .unwrap()
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
        "{problem}"
    );
    problem
}

on_every_store! {
    fn every_refusal_of_the_api_is_a_problem_that_says_what_and_names_the_request(world: &World) {
        let dialler = world.dialler();
        let nobody = world.anonymous();
        let operator = world.operator();
        let answers = [
            nobody.check(&number(1), "telco").expect(401),
            nobody.with_key("x").check(&number(1), "telco").expect(401),
            dialler.check("hello", "telco").expect(422),
            dialler.check(&number(1), "nobody").expect(404),
            dialler.get("/v1/check").expect_refused(),
            dialler.get("/v1/check?colour=red").expect(400),
            dialler.get("/v1/nothing-here").expect(404),
            dialler.get("/v1/audit/entries").expect(403),
            dialler.delete("/v1/check").expect_refused(),
            dialler
                .post("/v1/checks", json!({"colour": "red"}))
                .expect_refused(),
            dialler
                .call(
                    "POST",
                    "/v1/checks",
                    &[("Content-Type", "application/json")],
                    b"{".to_vec(),
                )
                .expect_refused(),
            dialler
                .call(
                    "POST",
                    "/v1/checks",
                    &[("Content-Type", "text/xml")],
                    b"<a/>".to_vec(),
                )
                .expect_refused(),
            dialler.withdraw("7777-7777-7777-7777").expect_refused(),
            operator
                .post("/v1/admin/sellers", json!({"id": "telco", "name": "N"}))
                .expect_refused(),
            operator
                .put("/v1/admin/agencies/nobody", json!({"name": "N"}))
                .expect(404),
        ];
        let ids: BTreeSet<_> = answers
            .iter()
            .map(|answer| assert_problem(answer)["request_id"].to_string())
            .collect();
        assert_eq!(
            ids.len(),
            answers.len(),
            "each request has an id of its own"
        );
    }

    fn no_problem_repeats_the_number_or_the_key_that_was_sent(world: &World) {
        let dialler = world.dialler();
        let text = [
            dialler.check("+32 475 98 76 5", "telco"),
            dialler.check("+32475987654", "nobody"),
            dialler.get(&format!(
                "/v1/check?phone=%2B32475987654&seller=telco&colour={}",
                dialler.key()
            )),
            dialler.get(&format!(
                "/v1/check?phone=%2B32475987654&phone=%2B32475987654&key={}",
                dialler.key()
            )),
            dialler.get(&format!(
                "/v1/nothing?phone=%2B32475987654&key={}",
                dialler.key()
            )),
        ]
        .map(|answer| answer.expect_refused().text())
        .concat();
        assert!(
            !text.contains("475987654") && !text.contains("475 98 76"),
            "{text}"
        );
        assert!(!text.contains(dialler.key()), "{text}");
    }

    fn every_answer_carries_a_request_id(world: &World) {
        let dialler = world.dialler();
        let mut browser = world.browser();
        let answers = [
            dialler.check(&number(1), "telco").expect(200),
            dialler
                .check_with(&[
                    ("phone", &*number(1)),
                    ("seller", "telco"),
                    ("format", "text"),
                ])
                .expect(200),
            dialler
                .check_with(&[("phone", "x"), ("seller", "telco"), ("format", "text")])
                .expect(422),
            world.anonymous().get("/v1/check").expect_refused(),
            world.anonymous().get("/no/such/page").expect(404),
            world.anonymous().get("/livez").expect(200),
            world.anonymous().get("/readyz").expect(200),
            world.operator().get("/v1/audit/entries").expect(200),
            world.operator().get("/metrics").expect(200),
            browser.get("/").expect(200),
            browser.get("/registration").expect(200),
            browser.get("/done").expect(303),
        ];
        let ids: BTreeSet<_> = answers
            .iter()
            .map(|answer| answer.header("Request-Id"))
            .collect();
        assert!(
            !ids.contains(""),
            "{:?}",
            answers
                .iter()
                .find(|answer| answer.header("Request-Id").is_empty())
        );
        assert_eq!(ids.len(), answers.len());
    }

    fn a_client_cannot_choose_a_request_id_that_breaks_the_log(world: &World) {
        let answer = world
            .anonymous()
            .call(
                "GET",
                "/livez",
                &[("Request-Id", "\"><script>")],
                Vec::new(),
            )
            .expect(200);
        assert!(!answer.header("Request-Id").contains('<'));
    }

    fn a_healthy_service_is_live_and_ready(world: &World) {
        let live = world.anonymous().get("/livez").expect(200);
        assert_eq!(live.text().trim(), "ok");
        let ready = world.anonymous().get("/readyz").expect(200).json();
        assert_eq!(ready["ready"], true, "{ready}");
        assert!(ready["store"].is_object(), "{ready}");
    }

    fn metrics_are_the_operators_and_count_checks(world: &World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        for client in [world.anonymous(), dialler] {
            let status = client.get("/metrics").status;
            assert!([401, 403].contains(&status), "{status}");
        }
        let text = world.operator().get("/metrics").expect(200).text();
        assert!(text.contains("# TYPE"), "{text}");
        assert!(
            text.lines()
                .any(|line| line.contains("check") && line.ends_with(" 1")),
            "{text}"
        );
    }
}

#[test]
fn metrics_are_open_to_all_where_the_operator_says_so() {
    use crate::harness::Engine;
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("METRICS__OPEN", "true")
    });
    assert!(
        world
            .anonymous()
            .get("/metrics")
            .expect(200)
            .text()
            .contains("# TYPE")
    );
}
