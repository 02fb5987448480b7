//! Taking an opt-out back: it needs the code, and touches nobody else's.

use serde_json::json;

use crate::harness::{Api, World, number, on_every_store};

fn register_as(dialler: &Api, name: &str) -> String {
    let body = json!({"numbers": [number(1)], "sellers": "all", "ref": name});
    dialler
        .post("/v1/registrations", body)
        .expect(201)
        .reference()
}

on_every_store! {
    fn registering_twice_gives_two_codes_and_withdrawing_one_leaves_the_other_standing(
        world: &World,
    ) {
        let dialler = world.dialler();
        let mine = dialler.register(&[&number(1)], json!("all"));
        let theirs = dialler.register(&[&number(1), &number(2)], json!("all"));
        assert_ne!(mine, theirs);

        world.anonymous().withdraw(&mine).expect(200);

        assert!(
            dialler.suppresses(&number(1), "telco"),
            "another person's registration stands"
        );
        assert!(dialler.suppresses(&number(2), "telco"));
        world.anonymous().withdraw(&theirs).expect(200);
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert!(!dialler.suppresses(&number(2), "telco"));
    }

    fn withdrawing_an_opt_out_from_all_leaves_one_from_a_seller_standing(world: &World) {
        let dialler = world.dialler();
        let all = dialler.register(&[&number(1)], json!("all"));
        let telco = dialler.register(&[&number(1)], json!(["telco"]));
        dialler.withdraw(&all).expect(200);
        assert_eq!(
            dialler.reason(&number(1), "telco").as_deref(),
            Some("this_seller")
        );
        assert_eq!(dialler.reason(&number(1), "energy"), None);
        dialler.withdraw(&telco).expect(200);
        assert_eq!(dialler.reason(&number(1), "telco"), None);
    }

    fn withdrawing_twice_says_the_same_as_once_and_does_not_undo_a_later_opt_out(world: &World) {
        let dialler = world.dialler();
        let code = dialler.register(&[&number(1)], json!("all"));
        let once = dialler.withdraw(&code).expect(200).json();
        assert!(once["withdrawn_at"].is_string(), "{once}");
        dialler.register(&[&number(1)], json!("all"));
        let twice = dialler.withdraw(&code).expect(200).json();
        assert_eq!(once["withdrawn_at"], twice["withdrawn_at"]);
        assert!(dialler.suppresses(&number(1), "telco"));
        let entries = world.operator().entries(&[("op", "withdraw")]);
        assert_eq!(
            entries.len(),
            1,
            "what changed nothing leaves no entry: {entries:?}"
        );
    }

    fn withdrawal_needs_the_code(world: &World) {
        let dialler = world.dialler();
        let code = dialler.register(&[&number(1)], json!("all"));
        // The same place, another secret: the sign before the last differs, and the last, which
        // may depend on the others, is any sign there is.
        let other = if &code[17..18] == "7" { '8' } else { '7' };
        let mut unknown = 0;
        for last in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars() {
            let near = format!("{}{other}{last}", &code[..17]);
            let answer = world.anonymous().withdraw(&near).expect_refused();
            if answer.status == 404 {
                assert_eq!(answer.json()["code"], "unknown_reference");
                unknown += 1;
            }
        }
        assert!(unknown > 0, "a wrong code is unknown");
        for wrong in [
            "7777-7777-7777-7777",
            "AAAA-BBBB-CCCC",
            "",
            &number(1),
            &"7".repeat(4000),
        ] {
            let answer = world.anonymous().withdraw(wrong).expect_refused();
            assert_ne!(answer.status, 403, "no key is asked for");
        }
        assert!(dialler.suppresses(&number(1), "telco"));
    }

    fn an_opt_out_sent_again_with_its_ref_is_the_same_until_it_is_withdrawn(world: &World) {
        let dialler = world.dialler();
        let send = || register_as(&dialler, "call-1");
        let code = send();
        assert_eq!(send(), code, "the same ref finds the same registration");
        let recorded = world.operator().entries(&[("op", "register")]);
        assert_eq!(recorded.len(), 1, "and is on record once");
        world.anonymous().withdraw(&code).expect(200);
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert_ne!(send(), code, "sent after its withdrawal it is a new opt-out");
        assert!(dialler.suppresses(&number(1), "telco"));
    }

    fn a_code_is_understood_as_people_type_it(world: &World) {
        let dialler = world.dialler();
        let spellings: [fn(&str) -> String; 5] = [
            |code| code.to_lowercase(),
            |code| code.replace('-', " "),
            |code| format!("  {}\n", code.replace('-', "")),
            |code| code.replace('0', "O").replace('1', "I"),
            |code| {
                code.to_lowercase()
                    .replace('0', "o")
                    .replace('1', "l")
                    .replace('-', " - ")
            },
        ];
        for spell in spellings {
            let code = dialler.register(&[&number(1)], json!("all"));
            let typed = spell(&code);
            let answer = world.anonymous().withdraw(&typed);
            assert_eq!(
                answer.status,
                200,
                "{code} typed as {typed:?}: {}",
                answer.text()
            );
            assert!(!dialler.suppresses(&number(1), "telco"));
        }
    }
}
