//! An opt-out is seen by the very next check: of every agency, on every replica, however it came
//! in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::harness::numbers::{SPELLINGS, SPELT};
use crate::harness::{World, number, on_every_store};

on_every_store! {
    fn an_opt_out_through_the_api_is_seen_by_the_very_next_check_of_every_agency_on_every_replica(
        world: &World,
    ) {
        let first = world.dialler();
        let operator = world.operator();
        operator.add_agency("others", &["energy"]);
        let second = operator.dialler_of("others");
        let replica = world.replica();
        let urls: Vec<_> = [Some(&world.service), replica.as_ref()]
            .into_iter()
            .flatten()
            .map(|service| service.url())
            .collect();
        let asking: Vec<_> = urls
            .iter()
            .flat_map(|url| {
                [
                    (first.on(url), "telco"),
                    (first.on(url), "energy"),
                    (second.on(url), "energy"),
                ]
            })
            .collect();
        for (dialler, seller) in &asking {
            assert_eq!(dialler.reason(&number(1), seller), None);
        }

        first.register(&[&number(1)], json!("all"));

        for (dialler, seller) in asking.iter().rev() {
            assert_eq!(
                dialler.reason(&number(1), seller).as_deref(),
                Some("all_sellers")
            );
            assert_eq!(
                dialler.reason(&number(2), seller),
                None,
                "nobody else is opted out"
            );
        }
    }

    fn an_opt_out_is_seen_even_by_those_who_asked_a_moment_before_it(world: &World) {
        let dialler = world.dialler();
        let replica = world.replica();
        let elsewhere = replica
            .as_ref()
            .map_or_else(|| world.service.url(), |other| other.url());
        for n in 0..3 {
            let done = AtomicBool::new(false);
            let code = thread::scope(|scope| {
                for url in [world.service.url(), elsewhere.clone()] {
                    let (asking, done) = (dialler.on(&url), &done);
                    scope.spawn(move || {
                        while !done.load(Ordering::Relaxed) {
                            asking.check(&number(n), "telco").expect(200);
                        }
                    });
                }
                let code = dialler.register(&[&number(n)], json!("all"));
                let seen = dialler.on(&elsewhere).suppresses(&number(n), "telco");
                let seen = seen && dialler.suppresses(&number(n), "telco");
                done.store(true, Ordering::Relaxed);
                seen.then_some(code)
            });
            dialler
                .withdraw(&code.expect("the very next check sees it"))
                .expect(200);
            assert!(!dialler.suppresses(&number(n), "telco"));
        }
    }

    fn an_opt_out_on_the_page_is_refused_by_the_very_next_check_of_every_agency(world: &World) {
        let first = world.dialler();
        let operator = world.operator();
        operator.add_agency("others", &["telco"]);
        let second = operator.dialler_of("others");
        let replica = world.replica();
        let elsewhere = replica
            .as_ref()
            .map_or_else(|| second.clone(), |replica| second.on(&replica.url()));
        for dialler in [&first, &second, &elsewhere] {
            assert!(!dialler.suppresses(&number(1), "telco"));
        }

        world.browser().opt_out(&[&number(1)]);

        for dialler in [&elsewhere, &second, &first] {
            assert_eq!(
                dialler.reason(&number(1), "telco").as_deref(),
                Some("all_sellers")
            );
        }
    }

    fn an_opt_out_from_one_seller_binds_that_seller_only_and_every_agency_that_dials_for_it(
        world: &World,
    ) {
        let calls = world.dialler();
        world.operator().add_agency("others", &["telco"]);
        let others = world.operator().dialler_of("others");

        calls.register(&[&number(1)], json!(["telco"]));

        assert_eq!(
            calls.reason(&number(1), "telco").as_deref(),
            Some("this_seller")
        );
        assert_eq!(
            others.reason(&number(1), "telco").as_deref(),
            Some("this_seller")
        );
        assert_eq!(calls.reason(&number(1), "energy"), None);
    }

    fn a_seller_registers_an_objection_to_itself_or_to_all_but_not_to_another(world: &World) {
        let dialler = world.dialler();
        let telco = world.operator().seller_key("telco");
        telco.register(&[&number(1)], json!(["telco"]));
        telco.register(&[&number(2)], json!("all"));
        let other = json!({"numbers": [number(3)], "sellers": ["energy"]});
        telco.post("/v1/registrations", other).expect(403);

        assert_eq!(
            dialler.reason(&number(1), "telco").as_deref(),
            Some("this_seller")
        );
        assert_eq!(dialler.reason(&number(1), "energy"), None);
        assert_eq!(
            dialler.reason(&number(2), "energy").as_deref(),
            Some("all_sellers")
        );
        assert_eq!(dialler.reason(&number(3), "energy"), None);
    }

    fn an_agency_registers_only_for_the_sellers_of_its_mandate_or_for_all(world: &World) {
        let dialler = world.dialler();
        world.operator().add_seller("bank");
        let foreign = json!({"numbers": [number(1)], "sellers": ["bank"]});
        dialler.post("/v1/registrations", foreign).expect(403);
        let mixed = json!({"numbers": [number(1)], "sellers": ["telco", "bank"]});
        dialler.post("/v1/registrations", mixed).expect(403);
        assert!(
            !dialler.suppresses(&number(1), "telco"),
            "a refused registration registers nothing"
        );

        let own = json!({"numbers": [number(1)], "sellers": ["telco", "energy"]});
        dialler.post("/v1/registrations", own).expect(201);
        assert!(dialler.suppresses(&number(1), "telco"));
        assert!(dialler.suppresses(&number(1), "energy"));
    }

    fn an_opt_out_from_calls_leaves_text_messages_alone_and_the_other_way_round(world: &World) {
        let dialler = world.dialler();
        for (n, channels) in [
            (1, json!(["voice"])),
            (2, json!(["text"])),
            (3, json!(["voice", "text"])),
        ] {
            let body = json!({"numbers": [number(n)], "sellers": "all", "channels": channels});
            dialler.post("/v1/registrations", body).expect(201);
        }
        let asked = |n, channel| {
            let phone = number(n);
            let parameters = [
                ("phone", phone.as_str()),
                ("seller", "telco"),
                ("channel", channel),
            ];
            dialler.check_with(&parameters).suppress()
        };
        assert_eq!([asked(1, "voice"), asked(1, "text")], [true, false]);
        assert_eq!([asked(2, "voice"), asked(2, "text")], [false, true]);
        assert_eq!([asked(3, "voice"), asked(3, "text")], [true, true]);
        assert!(
            dialler.suppresses(&number(1), "telco"),
            "a check that names no channel is about a call"
        );
    }

    fn an_opt_out_that_names_no_channel_holds_for_calls_and_text_messages(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        for channel in ["voice", "text"] {
            let parameters = [
                ("phone", &*number(1)),
                ("seller", "telco"),
                ("channel", channel),
            ];
            assert!(dialler.check_with(&parameters).suppress(), "{channel}");
        }
    }

    fn several_numbers_go_in_at_once_under_one_code_and_come_out_at_once(world: &World) {
        let dialler = world.dialler();
        let numbers: Vec<_> = (1..=10).map(number).collect();
        let code = dialler.register(
            &numbers.iter().map(String::as_str).collect::<Vec<_>>(),
            json!("all"),
        );
        for phone in &numbers {
            assert!(dialler.suppresses(phone, "telco"));
        }
        dialler.withdraw(&code).expect(200);
        for phone in &numbers {
            assert!(!dialler.suppresses(phone, "telco"));
        }
    }

    fn the_same_number_is_found_in_whatever_form_it_is_written(world: &World) {
        let dialler = world.dialler();
        for (spelling, region) in SPELLINGS {
            let mut body = json!({"numbers": [spelling], "sellers": ["telco"]});
            region.inspect(|region| body["region"] = json!(region));
            let code = dialler
                .post("/v1/registrations", body)
                .expect(201)
                .reference();
            assert!(
                dialler.suppresses(SPELT, "telco"),
                "registered as {spelling:?}"
            );
            dialler.withdraw(&code).expect(200);
            assert!(
                !dialler.suppresses(SPELT, "telco"),
                "withdrawn as {spelling:?}"
            );
        }
        dialler.register(&[SPELT], json!(["telco"]));
        for (spelling, region) in SPELLINGS {
            let mut parameters = vec![("phone", *spelling), ("seller", "telco")];
            parameters.extend(region.map(|region| ("region", region)));
            assert!(
                dialler.check_with(&parameters).suppress(),
                "asked as {spelling:?}"
            );
        }
    }

    fn one_bad_number_among_good_ones_is_named_and_nothing_is_registered(world: &World) {
        let dialler = world.dialler();
        let body = json!({"numbers": [number(1), "hello", number(2)], "sellers": "all"});
        let problem = dialler.post("/v1/registrations", body).expect(422).json();
        let bad = problem["numbers"]
            .as_array()
            .expect("the numbers that were not read");
        assert_eq!(bad.len(), 1, "{problem}");
        assert_eq!(bad[0]["index"], 1, "{problem}");
        assert!(bad[0]["problem"].is_string(), "{problem}");
        assert!(!dialler.suppresses(&number(1), "telco"));
        assert!(!dialler.suppresses(&number(2), "telco"));
    }

    fn a_registration_of_no_number_or_of_too_many_or_of_an_unknown_seller_is_refused(
        world: &World,
    ) {
        let dialler = world.dialler();
        let eleven: Vec<_> = (1..=11).map(number).collect();
        for body in [
            json!({"numbers": [], "sellers": "all"}),
            json!({"numbers": eleven, "sellers": "all"}),
            json!({"numbers": [number(1)], "sellers": []}),
            json!({"numbers": [number(1)], "sellers": ["nobody"]}),
            json!({"numbers": [number(1)], "sellers": "telco"}),
            json!({"numbers": [number(1)], "sellers": "all", "channels": []}),
            json!({"numbers": [number(1)], "sellers": "all", "channels": ["smoke"]}),
            json!({"numbers": [number(1)], "sellers": "all", "mail": "x@example.org"}),
            json!({"numbers": [number(1)]}),
            json!({"sellers": "all"}),
        ] {
            dialler.post("/v1/registrations", body).expect_refused();
        }
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn who_has_no_part_in_calls_registers_nothing_through_the_api(world: &World) {
        let dialler = world.dialler();
        let body = json!({"numbers": [number(1)], "sellers": "all"});
        world
            .anonymous()
            .post("/v1/registrations", body.clone())
            .expect(401);
        world
            .operator()
            .regulator()
            .post("/v1/registrations", body)
            .expect(403);
        assert!(!dialler.suppresses(&number(1), "telco"));
    }

    fn an_opt_out_holds_at_once_and_says_since_when(world: &World) {
        let dialler = world.dialler();
        let body = json!({"numbers": [number(1)], "sellers": "all"});
        let registration = dialler.post("/v1/registrations", body).expect(201).json();
        let check = dialler.check(&number(1), "telco").expect(200).json();
        let [since, asked] = [&registration["effective_at"], &check["checked_at"]].map(|time| {
            let text = time.as_str().unwrap();
            text.parse::<jiff::Timestamp>().unwrap()
        });
        assert!(since <= asked, "{registration} {check}");
    }

    fn opt_outs_and_withdrawals_survive_a_restart(world: &mut World) {
        let dialler = world.dialler();
        let kept = dialler.register(&[&number(1)], json!(["telco"]));
        let gone = dialler.register(&[&number(2)], json!("all"));
        dialler.withdraw(&gone).expect(200);
        world.service.restart();
        let dialler = dialler.on(&world.service.url());
        assert_eq!(
            dialler.reason(&number(1), "telco").as_deref(),
            Some("this_seller")
        );
        assert_eq!(dialler.reason(&number(1), "energy"), None);
        assert_eq!(dialler.reason(&number(2), "telco"), None);
        dialler.withdraw(&kept).expect(200);
        assert_eq!(dialler.reason(&number(1), "telco"), None);
    }
}
