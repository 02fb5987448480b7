//! Washes that do not come to their end: nobody takes them for complete, and the audit is true about
//! them.

use serde_json::{Value, json};

use super::{CSV, LINES, receipt, wash};
use crate::audit::text;
use crate::harness::washing::{Washing, ending};
use crate::harness::{Engine, Launch, World, number, on_every_store, until};

on_every_store! {
    fn a_client_that_hangs_up_leaves_the_audit_true_about_what_it_was_told(world: &mut World) {
        let dialler = world.dialler();
        let mut washing = Washing::begin(&world.service, dialler.key(), "seller=telco", LINES);
        let id = {
            washing.send(format!("{}\n{}\n", number(1), number(2)));
            washing.rows(2);
            washing.id()
        };
        dialler.get(&format!("/v1/washes/{id}")).expect(404);
        washing.hang_up();
        let operator = world.operator();
        let entry = ending(&operator, &id);
        assert!(["input_broken", "client_gone"].contains(&text(&entry, "reason")), "{entry}");
        assert_eq!((&entry["rows"], &entry["handed_over"]), (&json!(2), &json!(2)));
        let told = format!("{}\n{}\n", number(1), number(2));
        let digest = <sha2::Sha256 as sha2::Digest>::digest(told.as_bytes());
        assert_eq!(text(&entry, "commitment"), data_encoding::HEXLOWER.encode(&digest));
        assert_eq!(operator.entries(&[("op", "check")]).len(), 2);
        let view: Value = serde_json::from_str(&receipt(&dialler, &id)).unwrap();
        assert_eq!(view["wash"]["complete"], false);
    }

    fn what_cannot_go_on_is_cut_so_that_nobody_takes_it_for_all(world: &mut World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let begin = |key: &str| Washing::begin(&world.service, key, "seller=telco&column=1&heading=no", CSV);
        let first = format!("{}\n", number(1));

        let mut washing = begin(dialler.key());
        washing.send(&first);
        let id = washing.id();
        washing.send("x".repeat(70_000));
        let washed = washing.rest();
        assert!(!washed.complete && washed.body.lines().count() == 1, "{washed:?}");
        assert_eq!(ending(&operator, &id)["reason"], "row_too_long");

        // A quotation mark that nothing closes costs its own row and no other.
        let mut washing = begin(dialler.key());
        washing.send(format!("{first}\"{}\n{first}", number(2)));
        let washed = washing.end();
        let rows: Vec<_> = washed.body.lines().collect();
        assert!(washed.complete && rows.len() == 3, "{washed:?}");
        assert!(rows[1].contains(",invalid,row_quotes,") && rows[2].contains(",not_listed,"), "{washed:?}");

        let key = operator.add_key(json!({"role": "dialler", "agency": "calls"}));
        let mut washing = begin(text(&key, "key"));
        washing.send(&first);
        washing.rows(1);
        let id = washing.id();
        operator.revoke(text(&key, "id"));
        // Until this process has heard of it, rows are answered; then no more.
        let mut rows = 1;
        until("the wash is cut", crate::harness::wait::PATIENCE, || {
            washing.send(&first);
            rows += 1;
            (!washing.come(rows)).then_some(())
        });
        let washed = washing.rest();
        assert!(!washed.complete, "{washed:?}");
        assert_eq!(ending(&operator, &id)["reason"], "refused");
        let rows = washed.body.lines().count();
        let by_key = operator.entries(&[("op", "check")]);
        let by_key = by_key.iter().filter(|entry| entry["key"] == key["id"]).count();
        assert_eq!(by_key, rows, "what was told is what was recorded");
    }
}

#[test]
fn no_more_lists_are_washed_at_once_than_may_be_and_one_that_stands_still_makes_room() {
    let world = World::with(Engine::Embedded, |launch| {
        launch
            .set("CHECK__MAX_WASHES", "1")
            .set("CHECK__WASH_IDLE_S", "1")
    });
    let dialler = world.dialler();
    let mut washing = Washing::begin(&world.service, dialler.key(), "seller=telco", LINES);
    washing.send(format!("{}\n", number(1)));
    washing.rows(1);
    let id = washing.id();
    let refused = wash(&dialler, "", LINES, "1\n");
    assert!([200, 503].contains(&refused.status), "{refused:?}");
    let washed = washing.rest();
    assert!(!washed.complete);
    assert_eq!(ending(&world.operator(), &id)["reason"], "input_stalled");
    until(
        "there is room again",
        crate::harness::wait::PATIENCE,
        || (wash(&dialler, "", LINES, "1\n").status == 200).then_some(()),
    );
}

#[test]
fn a_store_that_stops_in_the_middle_makes_nothing_clear_and_the_wash_is_cut() {
    let mut world = World::with(Engine::RedisAlways, Launch::with_real_timeout);
    let dialler = world.dialler();
    dialler.register(&[&number(2)], json!("all"));
    let mut washing = Washing::begin(&world.service, dialler.key(), "seller=telco", LINES);
    washing.send(format!("{}\n", number(1)));
    washing.rows(1);
    let id = washing.id();
    world.redis().stop();
    washing.send(format!("{}\n{}\n", number(2), number(3)));
    let washed = washing.rest();
    assert!(!washed.complete, "{washed:?}");
    assert_eq!(
        washed.body.lines().count(),
        1,
        "nothing but what was answered: {washed:?}"
    );
    world.redis().cont();
    let entry = ending(&world.operator(), &id);
    assert_eq!(entry["reason"], "unavailable");
    assert_eq!(
        (&entry["rows"], &entry["handed_over"]),
        (&json!(1), &json!(1))
    );
    let view: Value = serde_json::from_str(&receipt(&dialler, &id)).unwrap();
    assert_eq!(view["wash"]["complete"], false);
}

#[test]
fn a_service_that_is_told_to_stop_puts_the_wash_that_it_cuts_off_on_record() {
    let mut world = World::with(Engine::Embedded, |launch| {
        launch.set("HTTP__DRAIN_TIMEOUT_S", "1")
    });
    let dialler = world.dialler();
    let mut washing = Washing::begin(&world.service, dialler.key(), "seller=telco", LINES);
    washing.send(format!("{}\n", number(1)));
    washing.rows(1);
    let id = washing.id();
    world.service.ask_to_end();
    let washed = washing.rest();
    assert!(!washed.complete, "{washed:?}");
    assert!(world.service.wait().success());
    world.service.restart();
    let entry = ending(&world.operator(), &id);
    assert_eq!(
        (&entry["rows"], &entry["handed_over"]),
        (&json!(1), &json!(1))
    );
}
