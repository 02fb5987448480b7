//! Every finding, and every boundary between two of them.

use super::*;

/// What the log says about one call.
fn said(log: &Log, time: &str, by: &str, about: &str) -> Verdict {
    let call = Call {
        or_time: None,
        number: number(1),
        time: moment(time),
        agency: agency(by),
        seller: seller(about),
    };
    // However the log is cut into segments, it says the same.
    let calls = [Ok(call)];
    let verdicts = [1, 2, 1000].map(|segment| log.verdicts(&calls, segment, options()).remove(0));
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]));
    verdicts[0].clone()
}

fn finding(log: &Log, time: &str) -> Finding {
    said(log, time, "", "").finding
}

const VOICE: (&str, &str, &str) = ("ring", "telco", "voice");

fn checked(answer: Option<Answer>, how: (&str, &str, &str), time: &str) -> Log {
    let mut log = Log::new();
    log.add((Op::Check, answer), 2, how, moment(time));
    log.add((Op::Check, answer), 1, how, moment(time));
    log
}

#[test]
fn a_check_holds_until_exactly_the_end_of_its_validity() {
    let log = checked(CLEAR, VOICE, "2026-11-10T12:00:00.250Z");
    for (time, means) in [
        ("2026-11-10T11:59:59.249Z", Finding::NeverChecked),
        ("2026-11-10T11:59:59.250Z", Finding::CheckedClear),
        ("2026-11-10T12:00:00.250Z", Finding::CheckedClear),
        ("2026-11-11T12:00:00.250Z", Finding::CheckedClear),
        ("2026-11-11T12:00:00.251Z", Finding::CheckExpired),
        ("2026-12-11T12:00:00.250Z", Finding::CheckExpired),
        ("2026-12-11T12:00:00.251Z", Finding::NeverChecked),
        ("1970-01-01T00:00:00Z", Finding::NeverChecked),
        ("9999-12-30T21:59:59Z", Finding::NeverChecked),
    ] {
        assert_eq!(finding(&log, time), means, "{time}");
    }
    let verdict = said(&log, "2026-11-11T13:00:00Z", "", "");
    let check = verdict.check.unwrap();
    assert_eq!(check.id, log.entries[1].id);
    assert_eq!(check.at, moment("2026-11-10T12:00:00.250Z"));
    assert_eq!(check.agency, agency("ring"));
    assert_eq!(check.seller, SellerRef::parse("telco").ok());
    assert_eq!(verdict.registered, Some(Registered::No));
    assert_eq!((verdict.registration, verdict.reason), (None, None));
}

#[test]
fn the_last_check_before_the_call_decides() {
    let mut log = checked(SUPPRESS, VOICE, "2026-11-10T12:00:00Z");
    assert_eq!(
        finding(&log, "2026-11-10T12:00:00Z"),
        Finding::CheckedSuppressed
    );
    log.add((Op::Check, CLEAR), 1, VOICE, moment("2026-11-10T13:00:00Z"));
    log.add(
        (Op::Check, SUPPRESS),
        1,
        VOICE,
        moment("2026-11-10T14:00:00Z"),
    );
    for (time, means) in [
        ("2026-11-10T12:59:58.999Z", Finding::CheckedSuppressed),
        ("2026-11-10T12:59:59Z", Finding::CheckedClear),
        ("2026-11-10T13:30:00Z", Finding::CheckedClear),
        ("2026-11-10T14:00:00Z", Finding::CheckedSuppressed),
        ("2026-11-11T14:00:00Z", Finding::CheckedSuppressed),
        ("2026-11-11T14:00:00.001Z", Finding::CheckExpired),
    ] {
        assert_eq!(finding(&log, time), means, "{time}");
    }
    // Of two at the same moment the later one in the log.
    let same = log.add((Op::Check, CLEAR), 1, VOICE, moment("2026-11-10T14:00:00Z"));
    let verdict = said(&log, "2026-11-10T14:00:00Z", "", "");
    assert_eq!(verdict.finding, Finding::CheckedClear);
    assert_eq!(verdict.check.unwrap().id, same);
}

#[test]
fn a_check_is_found_under_the_name_of_the_month_before() {
    let mut log = checked(CLEAR, VOICE, "2026-11-30T23:59:59.999Z");
    assert_eq!(finding(&log, "2026-12-01T00:00:00Z"), Finding::CheckedClear);
    assert_eq!(finding(&log, "2026-12-02T00:00:00Z"), Finding::CheckExpired);
    log.add(
        (Op::Check, SUPPRESS),
        1,
        VOICE,
        moment("2027-01-01T00:00:00.500Z"),
    );
    assert_eq!(
        finding(&log, "2026-12-31T23:59:59.500Z"),
        Finding::CheckedSuppressed,
        "in the month after, by the tolerance"
    );
    assert_eq!(
        finding(&log, "2026-12-31T23:59:59.499Z"),
        Finding::CheckExpired,
        "of the first check"
    );
}

#[test]
fn another_agency_s_or_seller_s_check_is_none() {
    let log = checked(CLEAR, VOICE, "2026-11-10T12:00:00Z");
    for (by, about, means) in [
        ("", "", Finding::CheckedClear),
        ("ring", "", Finding::CheckedClear),
        ("", "telco", Finding::CheckedClear),
        ("ring", "telco", Finding::CheckedClear),
        ("bell", "", Finding::NeverChecked),
        ("", "power", Finding::NeverChecked),
        ("ring", "power", Finding::NeverChecked),
        ("bell", "telco", Finding::NeverChecked),
    ] {
        let verdict = said(&log, "2026-11-10T13:00:00Z", by, about);
        assert_eq!(verdict.finding, means, "{by} {about}");
    }
    let nameless = checked(CLEAR, ("", "", "voice"), "2026-11-10T12:00:00Z");
    for (by, about, means) in [
        ("", "", Finding::CheckedClear),
        ("ring", "", Finding::NeverChecked),
        ("", "telco", Finding::NeverChecked),
    ] {
        let verdict = said(&nameless, "2026-11-10T13:00:00Z", by, about);
        assert_eq!(verdict.finding, means, "{by} {about}");
    }
}

#[test]
fn a_check_for_texts_does_not_cover_a_call() {
    for (how, means) in [
        ("text", Finding::NeverChecked),
        ("voice", Finding::CheckedClear),
        ("voice,text", Finding::CheckedClear),
        ("", Finding::CheckedClear),
    ] {
        let log = checked(CLEAR, ("ring", "telco", how), "2026-11-10T12:00:00Z");
        assert_eq!(finding(&log, "2026-11-10T13:00:00Z"), means, "{how}");
    }
    for useless in [None, Some(Answer::Invalid)] {
        let log = checked(useless, VOICE, "2026-11-10T12:00:00Z");
        assert_eq!(finding(&log, "2026-11-10T13:00:00Z"), Finding::NeverChecked);
    }
}

/// A log of registrations (`+`) and withdrawals (`-`) of the first number, an hour apart from
/// midnight of the first of October on.
fn registered(changes: &[(char, &str, &str)]) -> Log {
    let mut log = Log::new();
    for (hour, (sign, about, how)) in changes.iter().enumerate() {
        let op = if *sign == '+' {
            Op::Register
        } else {
            Op::Withdraw
        };
        let time = moment(&format!("2026-10-01T{hour:02}:00:00Z"));
        log.add((op, None), 1, ("", about, how), time);
        log.add((op, None), 2, ("", "all", ""), time);
    }
    log
}

#[test]
fn an_opt_out_holds_from_its_entry_to_its_withdrawal() {
    let log = registered(&[('+', "all", "voice"), ('-', "all", "voice")]);
    for (time, means) in [
        ("2026-09-30T23:59:59.999Z", Registered::No),
        ("2026-10-01T00:00:00Z", Registered::AllSellers),
        ("2026-10-01T00:59:59.999Z", Registered::AllSellers),
        ("2026-10-01T01:00:00Z", Registered::No),
        ("2026-12-24T00:00:00Z", Registered::No),
    ] {
        let verdict = said(&log, time, "", "");
        assert_eq!(verdict.registered, Some(means), "{time}");
        let holds = (means != Registered::No).then(|| log.entries[0].id);
        assert_eq!(verdict.registration, holds, "{time}");
        assert_eq!(verdict.finding, Finding::NeverChecked);
    }
}

#[test]
fn of_two_registrations_one_stays_when_the_other_is_withdrawn() {
    let log = registered(&[
        ('+', "all", "voice,text"),
        ('+', "all", "voice"),
        ('-', "all", "voice,text"),
        ('+', "telco", "voice"),
        ('-', "all", "voice"),
    ]);
    for (hour, means, entry) in [
        (0, Registered::AllSellers, 0),
        (1, Registered::AllSellers, 2),
        (2, Registered::AllSellers, 2),
        (3, Registered::AllSellers, 2),
        (4, Registered::ThisSeller, 6),
    ] {
        let verdict = said(&log, &format!("2026-10-01T{hour:02}:30:00Z"), "", "telco");
        assert_eq!(verdict.registered, Some(means), "{hour}");
        assert_eq!(verdict.registration, Some(log.entries[entry].id), "{hour}");
    }
}

#[test]
fn an_opt_out_is_for_a_seller_and_for_calls() {
    for (about, how, known, means) in [
        ("all", "voice", "telco", Registered::AllSellers),
        ("all", "", "telco", Registered::AllSellers),
        ("all", "text", "telco", Registered::No),
        ("telco", "voice", "telco", Registered::ThisSeller),
        ("telco", "text", "telco", Registered::No),
        ("telco", "voice", "power", Registered::No),
        ("telco", "voice", "", Registered::OtherSeller),
        ("telco", "text", "", Registered::No),
    ] {
        let log = registered(&[('+', about, how)]);
        let verdict = said(&log, "2026-12-01T00:00:00Z", "", known);
        assert_eq!(verdict.registered, Some(means), "{about} {how} {known}");
    }
    // A withdrawal for texts takes nothing from calls.
    let log = registered(&[('+', "all", "voice"), ('-', "all", "text")]);
    let verdict = said(&log, "2026-12-01T00:00:00Z", "", "");
    assert_eq!(verdict.registered, Some(Registered::AllSellers));
    // Who knows the seller from the check, knows it.
    for (about, means) in [("telco", Registered::ThisSeller), ("power", Registered::No)] {
        let mut log = registered(&[('+', about, "voice")]);
        log.add(
            (Op::Check, SUPPRESS),
            1,
            VOICE,
            moment("2026-11-30T23:00:00Z"),
        );
        let verdict = said(&log, "2026-12-01T00:00:00Z", "", "");
        assert_eq!(verdict.registered, Some(means), "{about}");
    }
    // An opening of the number is not an opt-out.
    let mut log = Log::new();
    log.add(
        (Op::Opening, None),
        1,
        ("", "all", ""),
        moment("2026-10-01T00:00:00Z"),
    );
    let verdict = said(&log, "2026-12-01T00:00:00Z", "", "");
    assert_eq!(verdict.registered, Some(Registered::No));
}

#[test]
fn a_month_whose_key_is_gone_is_named_and_only_if_it_mattered() {
    let mut log = checked(CLEAR, VOICE, "2026-10-20T12:00:00Z");
    log.add(
        (Op::Register, None),
        2,
        ("", "all", ""),
        moment("2026-09-20T12:00:00Z"),
    );
    let segments = log.segments(1);
    let keys: Vec<_> = log.keys.iter().skip(2).cloned().collect();
    let mut matcher = Matcher::new(&segments[..], keys, options()).unwrap();
    let mut missing = |time: &str| {
        let call = Call {
            or_time: None,
            number: number(1),
            time: moment(time),
            agency: None,
            seller: None,
        };
        let verdict = matcher.verdicts(&[Ok(call)]).unwrap().remove(0);
        let missing: Vec<_> = matcher
            .missing_keys()
            .iter()
            .map(Month::to_string)
            .collect();
        (missing.join(" "), verdict.finding, verdict.registered)
    };
    let (never, hidden) = (Finding::NeverChecked, Finding::NotCovered);
    let (no, unknown) = (Some(Registered::No), Some(Registered::Unknown));
    let said = |months: &str, finding, registered| (months.to_owned(), finding, registered);
    assert_eq!(missing("2026-08-20T12:00:00Z"), said("", never, no));
    assert_eq!(
        missing("2026-12-20T12:00:00Z"),
        said("2026-09", never, unknown)
    );
    assert_eq!(
        missing("2026-11-20T12:00:00Z"),
        said("2026-09 2026-10", hidden, unknown)
    );
}
