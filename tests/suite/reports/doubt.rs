//! Where two moments or two callers fit, doubt counts for the caller; and who may see what was
//! found out beyond that.

use super::*;

pub const UNCERTAIN: &str = "We were asked for this company.";
const UNNAMED: &str = "You named no company, so we cannot know";

fn found(world: &World) -> Vec<String> {
    let found = reports(&world.operator());
    let found = found.iter().rev();
    found
        .map(|report| report["finding"].as_str().unwrap_or("nothing").to_owned())
        .collect()
}

over_days! {
    fn where_no_company_was_named_nobody_is_said_to_have_known(world: &mut World) {
        let dialler = world.dialler();
        let code = world.browser().opt_out(&[&number(1)]);
        later(world, "2026-11-12 10:00:00", &code);
        assert!(dialler.on(&world.service.url()).suppresses(&number(1), "telco"));
        let mut browser = later(world, "2026-11-12 11:00:00", &code);
        let own = number(1);
        let mut fields = call("2026-11-12", "12:00");
        fields.push(("own", &own));
        let named = report(&mut browser, &fields).expect(200);
        assert!(says(&named, TOLD), "{}", named.text());
        fields[0] = ("company", "unsaid:");
        for (language, they_called) in [("en", "According to your report"), ("nl", "Volgens uw melding"), ("fr", "D’après votre signalement"), ("de", "Laut Ihrer Meldung")] {
            let mut browser = world.browser().reading(language);
            browser.type_code(&code).expect(200);
            let page = report(&mut browser, &fields).expect(200);
            assert!(!says(&page, they_called), "{}", page.text());
            assert!(language != "en" || says(&page, UNNAMED), "{}", page.text());
            // The check stands there all the same, but none is said to count.
            assert!(page.text().contains("<ol>") && !says(&page, "This answer counts for your call."));
        }
        assert_eq!(found(world), ["told_not_to_call", "uncertain", "uncertain", "uncertain", "uncertain"]);
        // Of another number nobody was asked, for no company.
        let other = number(2);
        let mut stranger = world.browser();
        let page = report(&mut stranger, &[
            ("number", &other), ("company", "unsaid:"), ("date", "2026-11-12"), ("time", "12:00"), ("sure", "exact"),
        ]).expect(200);
        assert!(says(&page, "In the 31 days before this call, nobody asked us about calls to this number."), "{}", page.text());
        assert!(!says(&page, "this company"));
    }

    fn a_day_without_a_time_is_not_taken_for_the_time_after_the_only_check(world: &mut World) {
        let dialler = world.dialler();
        let code = world.browser().opt_out(&[&number(1)]);
        later(world, "2026-11-10 12:00:00", &code);
        assert!(dialler.on(&world.service.url()).suppresses(&number(1), "telco"));
        let mut browser = later(world, "2026-11-11 11:00:00", &code);
        let own = number(1);
        let mut day = vec![("company", "telco"), ("date", "2026-11-10"), ("sure", "day"), ("own", own.as_str())];
        let page = report(&mut browser, &day).expect(200);
        assert!(says(&page, UNCERTAIN) && !says(&page, TOLD), "{}", page.text());
        let folder = unpacked(world, &mut browser, &page);
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.contains(UNCERTAIN) && !readme.contains(TOLD), "{readme}");
        // Of the day after it is known.
        day[1] = ("date", "2026-11-11");
        let page = report(&mut browser, &day).expect(200);
        assert!(says(&page, TOLD), "{}", page.text());
        assert_eq!(found(world), ["uncertain", "told_not_to_call"]);
        let entries = world.operator().entries(&[("op", "report")]);
        assert_eq!(entries[0]["finding"], "uncertain");
        // The company reads no more than the person.
        let seller = world.operator().seller_key("telco");
        assert_eq!(reports(&seller)[1]["finding"], "uncertain");
    }

    fn of_two_call_centres_the_one_that_was_not_told_may_have_called(world: &mut World) {
        let first = world.dialler();
        let operator = world.operator();
        operator.add_agency("other", &["telco"]);
        let second = operator.dialler_of("other");
        let launch = world.service.launch().beginning_at("2026-11-10 10:30:00");
        world.service.restart_as(&launch);
        assert!(!first.on(&world.service.url()).suppresses(&number(1), "telco"));
        let code = world.browser().opt_out(&[&number(1)]);
        later(world, "2026-11-10 11:30:00", &code);
        assert!(second.on(&world.service.url()).suppresses(&number(1), "telco"));
        let mut browser = later(world, "2026-11-10 13:00:00", &code);
        let own = number(1);
        let mut fields = call("2026-11-10", "14:00");
        fields.push(("own", &own));
        let page = report(&mut browser, &fields).expect(200);
        assert!(says(&page, UNCERTAIN) && !says(&page, TOLD), "{}", page.text());
        assert_eq!(found(world), ["uncertain"]);
    }
}

on_every_store! {
    fn a_company_is_not_told_that_a_number_was_not_listed_when_that_is_only_hidden(world: &mut World) {
        world.dialler();
        world.browser().opt_out(&[&number(1)]);
        let mut stranger = world.browser();
        let page = stranger.open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let phone = number(1);
        let mut fields = call(&today, "");
        fields.extend([("number", phone.as_str()), ("sure", "day")]);
        report(&mut stranger, &fields).expect(200);
        let seller = world.operator().seller_key("telco");
        let report = reports(&seller).remove(0);
        assert_eq!(report["opted_out"], "not_shown", "{report}");
        assert!(report["opted_out_since"].is_null());
        let table = seller.get("/v1/reports?format=csv").expect(200).text();
        assert!(table.contains("not_shown") && !table.contains("not_listed"), "{table}");
        let path = format!("/console/reports/{}", report["id"].as_str().unwrap());
        for (language, never, shown) in [
            ("en", "No registration that held", "Not shown to you"),
            ("nl", "geen inschrijving bekend", "Wordt u niet getoond"),
            ("fr", "Aucune inscription valable", "Ne vous est pas montré"),
            ("de", "Keine Eintragung bekannt", "Wird Ihnen nicht gezeigt"),
        ] {
            let mut browser = world.browser().reading(language);
            let mut form = browser.get("/console").form_to("/console");
            form.set("key", &[seller.key()]);
            browser.press(&form, "action", "enter").expect(303);
            let page = browser.get(&path).expect(200);
            assert!(!says(&page, never) && says(&page, shown), "{}", page.text());
        }
        // The regulator sees it, and that it was looked up is on record with the key.
        let regulator = world.operator().regulator();
        assert_eq!(reports(&regulator)[0]["opted_out"], "not_shown");
        let path = format!("/v1/reports/{}", report["id"].as_str().unwrap());
        let whole = regulator.get(&path).expect(200).json();
        assert_eq!(whole["opted_out"], "listed", "{whole}");
        let openings = world.operator().entries(&[("op", "opening")]);
        assert!(openings.len() == 1 && openings[0]["key"].is_string(), "{openings:?}");
    }

    fn a_report_tells_nobody_whether_a_number_is_listed_without_their_key_on_record(world: &mut World) {
        let dialler = world.dialler();
        world.browser().opt_out(&[&number(1)]);
        let page = world.browser().open("/report").expect(200);
        let tags = html::tags(&page.text());
        let today = tags.iter().find_map(|tag| tag.get("max")).unwrap().to_owned();
        let shown = |report: &Value| {
            let mut report = report.clone();
            for own in ["id", "at", "answer_by", "called_to", "called_from", "telling"] {
                report[own] = Value::Null;
            }
            for check in report["checks"].as_array_mut().unwrap() {
                check["id"] = Value::Null;
                check["at"] = Value::Null;
            }
            report
        };
        let (operator, regulator) = (world.operator(), world.operator().regulator());
        for company in ["unsaid:", "energy", "telco"] {
            let mut seen = Vec::new();
            for n in [1, 2] {
                if company == "telco" {
                    dialler.check(&number(n), "telco").expect(200);
                }
                let phone = number(n);
                let fields = [("number", phone.as_str()), ("company", company), ("date", &today), ("sure", "day")];
                report(&mut world.browser(), &fields).expect(200);
                let newest = |api: &Api| shown(&reports(api)[0]);
                let id = reports(&operator)[0]["id"].as_str().unwrap().to_owned();
                let single = operator.get(&format!("/v1/reports/{id}")).expect(200).json();
                let entry = operator.entries(&[("op", "report")]).pop().unwrap();
                seen.push([newest(&operator), newest(&regulator), shown(&single), entry["finding"].clone()]);
            }
            assert_eq!(seen[0], seen[1], "{company}: listed or not is the same");
        }
    }
}
