//! Where nobody can know whether somebody asked, nothing says that nobody did.

use super::*;
use crate::harness::sealed;

const SENT: [(&str, &str); 2] = [("caller", "02 555 00 00"), ("words", "Every evening!")];

/// What refuses a call, and the moment since which one can be looked into.
fn refused(world: &World, page: &Answer, since: &str) {
    let text = format!("We can look into calls since {since}.");
    assert!(says(page, &text), "{}", page.text());
    assert!(!says(page, NOT_ASKED) && !says(page, UNKNOWN));
    // Both the summary and the day itself say so, and nothing typed is lost.
    assert!(page.text().contains("href=\"#date\"") && page.text().contains("id=\"date-error\""));
    let form = page.form_with("action", "send");
    for (name, value) in SENT {
        assert_eq!(form.values(name), [value]);
    }
    assert!(says(
        page,
        "These authorities take complaints about phone calls."
    ));
    assert!(page.text().contains("https://meldpunt.belgie.be"));
    assert!(
        !page.text().contains("https://signal.conso.gouv.fr"),
        "of another country"
    );
    assert!(reports(&world.operator()).is_empty());
    assert!(world.operator().entries(&[("op", "report")]).is_empty());
}

over_days! {
    fn a_call_from_before_the_record_is_not_said_to_be_unasked(world: &mut World) {
        world.dialler();
        let launch = world.service.launch().beginning_at("2026-11-12 10:00:00");
        world.service.restart_as(&launch);
        let since = "Tuesday 10 November 2026 at 11:00 (Central European Time)";
        let phone = number(1);
        let unknown = [("company", "other:"), ("company-name", "Solar Roofs"), ("date", "2026-11-09"), ("sure", "day")];
        for told in [call("2026-11-10", "10:30"), unknown.to_vec()] {
            let mut browser = world.browser();
            let mut fields = told.clone();
            fields.push(("number", &phone));
            fields.extend(SENT);
            let page = report(&mut browser, &fields).expect(422);
            refused(world, &page, since);
            // There is no code either, for there is nothing to come back to.
            assert!(browser.cookie("metrust_visit").is_none());
        }
        // With a code it is the same.
        let mut browser = world.browser();
        browser.opt_out(&[&phone]);
        let mut fields = call("2026-11-10", "10:30");
        fields.push(("own", &phone));
        fields.extend(SENT);
        let page = report(&mut browser, &fields).expect(422);
        refused(world, &page, since);
        // A day that was corrected is taken.
        let mut form = page.form_with("action", "send");
        form.set("time", &["11:30"]);
        let answer = browser.press(&form, "action", "send");
        let page = browser.follow(answer).expect(200);
        assert!(says(&page, NOT_ASKED), "{}", page.text());
        assert_eq!(finding(world), "not_asked");
    }

    fn years_that_were_dropped_may_have_held_a_question(world: &mut World) {
        let dialler = world.dialler();
        assert!(!dialler.suppresses(&number(1), "telco"));
        let folder = world.log_folder();
        eventually("the year has a log", || sealed::names(&folder) == ["2026"]);
        let launch = world.service.launch().beginning_at("2032-01-10 10:00:00");
        world.service.restart_as(&launch);
        let operator = world.operator();
        eventually("the year's log is closed", || {
            let pruned = operator.post("/v1/admin/log/prune", json!({ "before": 2027 }));
            pruned.expect(200).json()["pruned"].as_array().is_some_and(|all| !all.is_empty())
        });
        let phone = number(1);
        let sent = |date| {
            let mut fields = vec![("number", phone.as_str()), ("company", "telco"), ("date", date), ("sure", "day")];
            fields.extend(SENT);
            report(&mut world.browser(), &fields)
        };
        let since = "Monday 1 February 2027 at 02:00 (Central European Time)";
        for date in ["2026-12-20", "2027-01-20", "2027-02-01"] {
            refused(world, &sent(date).expect(422), since);
        }
        let page = sent("2027-02-02").expect(200);
        assert!(says(&page, NOT_ASKED), "{}", page.text());
        assert_eq!(finding(world), "not_asked");
    }

    fn a_log_that_was_lost_may_have_held_a_question(world: &mut World) {
        world.dialler();
        let folder = world.scratch("anew");
        std::fs::create_dir(&folder).unwrap();
        let launch = world.service.launch().beginning_at("2026-12-20 10:00:00");
        let launch = launch.set("AUDIT__FOLDER", &folder);
        world.service.kill9();
        world.service.restart_as(&launch.clone().argument("--new-log"));
        world.service.restart_as(&launch.beginning_at("2027-02-20 10:00:00"));
        let phone = number(1);
        let sent = |date| {
            let mut fields = vec![("number", phone.as_str()), ("company", "telco"), ("date", date), ("sure", "day")];
            fields.extend(SENT);
            report(&mut world.browser(), &fields)
        };
        let since = "Wednesday 20 January 2027 at 11:00 (Central European Time)";
        for date in ["2026-12-01", "2026-12-21", "2027-01-20"] {
            refused(world, &sent(date).expect(422), since);
        }
        assert!(says(&sent("2027-01-21").expect(200), NOT_ASKED));
    }
}
