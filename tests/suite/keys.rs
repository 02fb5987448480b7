//! Keys: who may do what, and how soon a key that was taken back stops.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Api, Engine, World, number, on_every_store, until};

/// The promise: a key that was taken back works nowhere after this.
const TAKEN_BACK_WITHIN: Duration = Duration::from_secs(5);

#[track_caller]
fn stops(client: &Api, status: u16) {
    until("the service stops answering", TAKEN_BACK_WITHIN, || {
        (client.check(&number(1), "telco").status == status).then_some(())
    });
    client.check(&number(1), "telco").expect(status);
}

on_every_store! {
    fn a_revoked_key_stops_within_five_seconds_on_every_replica(world: &World) {
        world.dialler();
        let operator = world.operator();
        let made = operator.add_key(json!({"role": "dialler", "agency": "calls"}));
        let here = operator.with_key(made["key"].as_str().unwrap());
        let replica = world.replica();
        let there = replica
            .as_ref()
            .map_or_else(|| here.clone(), |replica| here.on(&replica.url()));
        for client in [&here, &there] {
            client.check(&number(1), "telco").expect(200);
        }
        let id = made["id"].as_str().unwrap();
        let revoked = operator
            .delete(&format!("/v1/admin/keys/{id}"))
            .expect(200)
            .json();
        assert_eq!(revoked["id"], id);
        assert!(revoked["revoked_at"].is_string(), "{revoked}");
        stops(&there, 401);
        stops(&here, 401);
        let listed = operator.get("/v1/admin/keys").expect(200).json();
        let listed = listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["id"] == id)
            .unwrap();
        assert_eq!(listed["revoked_at"], revoked["revoked_at"]);
    }

    fn a_revoked_key_stays_revoked_after_a_restart(world: &mut World) {
        let dialler = world.dialler();
        let keys = world.operator().get("/v1/admin/keys").expect(200).json();
        let keys = keys["keys"].as_array().unwrap();
        let id = keys.iter().find(|key| key["role"] == "dialler").unwrap()["id"]
            .as_str()
            .unwrap();
        world.operator().revoke(id);
        world.service.restart();
        dialler
            .on(&world.service.url())
            .check(&number(1), "telco")
            .expect(401);
    }

    fn a_mandate_that_was_withdrawn_stops_within_five_seconds(world: &World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let answer = world
            .operator()
            .put("/v1/admin/agencies/calls", json!({"sellers": ["energy"]}))
            .expect(200);
        assert_eq!(answer.json()["sellers"], json!(["energy"]));
        stops(&dialler, 403);
        dialler.check(&number(1), "energy").expect(200);
        dialler
            .post(
                "/v1/checks",
                json!({"seller": "telco", "numbers": [number(1)]}),
            )
            .expect(403);
    }

    fn each_role_may_do_its_own_part_and_no_other(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let (seller, regulator) = (operator.seller_key("telco"), operator.regulator());
        let statuses = |method: &str, path: &str, body: Value| {
            [&dialler, &seller, &regulator, &world.anonymous()].map(|client| {
                let headers = [("Content-Type", "application/json")];
                let body = if method == "GET" {
                    Vec::new()
                } else {
                    body.to_string().into_bytes()
                };
                client.call(method, path, &headers, body).status
            })
        };
        let check = format!("/v1/check?phone={}&seller=telco", number(1));
        let list = json!({"seller": "telco", "numbers": [number(1)]});
        assert_eq!(statuses("GET", &check, Value::Null), [200, 403, 403, 401]);
        assert_eq!(statuses("POST", "/v1/checks", list), [200, 403, 403, 401]);
        assert_eq!(
            statuses("GET", "/v1/audit/entries", Value::Null),
            [403, 403, 200, 401]
        );
        for path in ["sellers", "agencies", "keys", "doctor"] {
            assert_eq!(
                statuses("GET", &format!("/v1/admin/{path}"), Value::Null),
                [403, 403, 403, 401],
                "{path}"
            );
        }
        let key = json!({"role": "operator"});
        assert_eq!(
            statuses("POST", "/v1/admin/keys", key),
            [403, 403, 403, 401]
        );
        let new = json!({"id": "new", "name": "New"});
        assert_eq!(
            statuses("POST", "/v1/admin/sellers", new),
            [403, 403, 403, 401]
        );
        assert_eq!(statuses("GET", "/metrics", Value::Null)[3], 401);
        operator.get("/metrics").expect(200);
        operator.get("/v1/audit/entries").expect(200);
    }

    fn a_401_writes_nothing(world: &World) {
        let dialler = world.dialler();
        let before = world.operator().entries(&[]);
        let key = dialler.key();
        let typo = format!(
            "{}{}",
            &key[..key.len() - 1],
            if key.ends_with('a') { 'b' } else { 'a' }
        );
        let others = [
            "",
            "x",
            "mtr_live_",
            &typo,
            &key[..key.len() - 1],
            &key.to_uppercase(),
            &format!("{key}{key}"),
        ];
        for other in others {
            let client = world.anonymous().with_key(other);
            let problem = client.check(&number(1), "telco").expect(401);
            assert!(
                !problem.header("WWW-Authenticate").is_empty(),
                "a 401 says how to come in (RFC 9110)"
            );
            client
                .post(
                    "/v1/checks",
                    json!({"seller": "telco", "numbers": [number(1)]}),
                )
                .expect(401);
            client
                .post(
                    "/v1/registrations",
                    json!({"numbers": [number(1)], "sellers": "all"}),
                )
                .expect(401);
        }
        assert_eq!(world.operator().entries(&[]), before);
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn a_key_is_shown_once_and_never_listed(world: &World) {
        let dialler = world.dialler();
        let made = world
            .operator()
            .add_key(json!({"role": "seller", "seller": "telco"}));
        let key = made["key"].as_str().unwrap();
        assert!(key.starts_with("mtr_live_"), "{made}");
        let listed = world.operator().get("/v1/admin/keys").expect(200);
        let roles: Vec<_> = listed.json()["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["role"].clone())
            .collect();
        for role in ["operator", "dialler", "seller"] {
            assert!(roles.contains(&json!(role)), "{role} in {roles:?}");
        }
        for key in [key, dialler.key(), &world.service.operator_key()] {
            let secret = key.rsplit('_').next().unwrap();
            assert!(!listed.text().contains(secret));
        }
        assert!(listed.text().contains(made["id"].as_str().unwrap()));
    }

    fn a_key_needs_a_role_and_what_goes_with_it(world: &World) {
        world.dialler();
        let operator = world.operator();
        for body in [
            json!({}),
            json!({"role": "king"}),
            json!({"role": "dialler"}),
            json!({"role": "dialler", "agency": "nobody"}),
            json!({"role": "dialler", "agency": "calls", "seller": "telco"}),
            json!({"role": "seller"}),
            json!({"role": "seller", "seller": "nobody"}),
            json!({"role": "regulator", "agency": "calls"}),
            json!({"role": "regulator", "colour": "red"}),
        ] {
            operator.post("/v1/admin/keys", body).expect_refused();
        }
        operator.delete("/v1/admin/keys/nobody").expect_refused();
    }

    fn sellers_and_agencies_have_plain_ids_that_are_given_once(world: &World) {
        world.dialler();
        let operator = world.operator();
        for id in [
            "",
            "-x",
            "Telco",
            "a b",
            "a/b",
            "é",
            "all!",
            &"x".repeat(64),
        ] {
            operator
                .post("/v1/admin/sellers", json!({"id": id, "name": "N"}))
                .expect_refused();
            operator
                .post(
                    "/v1/admin/agencies",
                    json!({"id": id, "name": "N", "sellers": []}),
                )
                .expect_refused();
        }
        operator
            .post("/v1/admin/sellers", json!({"id": "telco", "name": "Again"}))
            .expect_refused();
        operator
            .post(
                "/v1/admin/agencies",
                json!({"id": "calls", "name": "Again", "sellers": []}),
            )
            .expect_refused();
        let unknown = json!({"id": "new", "name": "N", "sellers": ["nobody"]});
        operator
            .post("/v1/admin/agencies", unknown)
            .expect_refused();
        operator
            .put("/v1/admin/agencies/calls", json!({"sellers": ["nobody"]}))
            .expect_refused();
        operator
            .put("/v1/admin/agencies/nobody", json!({"name": "N"}))
            .expect(404);

        let sellers = operator.get("/v1/admin/sellers").expect(200).json();
        let ids: Vec<_> = sellers["sellers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|seller| seller["id"].clone())
            .collect();
        assert_eq!(ids.len(), 2, "{sellers}");
        assert!(
            ids.contains(&json!("telco")) && ids.contains(&json!("energy")),
            "{sellers}"
        );
        let agencies = operator.get("/v1/admin/agencies").expect(200).json();
        assert_eq!(agencies["agencies"][0]["id"], "calls", "{agencies}");
    }
}

#[test]
fn a_key_of_another_registry_is_unknown_here() {
    let (here, there) = (World::on(Engine::Embedded), World::on(Engine::Embedded));
    let (dialler, stranger) = (here.dialler(), there.dialler());
    dialler.check(&number(1), "telco").expect(200);
    stranger
        .on(&here.service.url())
        .check(&number(1), "telco")
        .expect(401);
}
