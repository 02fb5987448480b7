//! The same verdicts as whoever looks at every entry for every call comes to.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Half a minute around the end of November, in steps of half a second, with rules as short: so
/// that calls fall on and beside every boundary.
fn at() -> impl Strategy<Value = Moment> {
    let midnight = moment("2026-12-01T00:00:00Z").millis();
    (-30_i64..60).prop_map(move |step| Moment::from_millis(midnight + step * 500))
}

fn rules() -> Options {
    Options {
        validity: Duration::from_secs(8),
        tolerance: Duration::from_secs(1),
        look_back: Duration::from_secs(12),
    }
}

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(names)
}

prop_compose! {
    fn log()(entries in vec((
        prop::sample::select(vec![
            (Op::Check, CLEAR), (Op::Check, SUPPRESS), (Op::Check, None),
            (Op::Register, None), (Op::Register, None), (Op::Withdraw, None),
            (Op::Opening, None),
        ]),
        0_u32..3,
        one_of(&["", "ring", "bell"]),
        one_of(&["", "telco", "power", "all"]),
        one_of(&["voice", "voice", "voice,text", "text", ""]),
        at(),
    ), 0..60)) -> Log {
        let mut log = Log::new();
        for (what, of, by, about, how, time) in entries {
            log.add(what, of, (by, about, how), time);
        }
        log
    }
}

prop_compose! {
    fn call()(
        of in 0_u32..4,
        by in one_of(&["", "", "ring", "bell"]),
        about in one_of(&["", "", "telco", "power"]),
        time in at(),
    ) -> Result<Call, Unreadable> {
        Ok(Call { number: number(of), time, or_time: None, agency: agency(by), seller: seller(about) })
    }
}

fn naive(log: &Log, call: &Call, rules: Options) -> Verdict {
    let mine = |entry: &&Entry| {
        let (_, key) = log
            .keys
            .iter()
            .find(|(m, _)| *m == entry.time.month())
            .unwrap();
        let calls = ["", "voice", "voice,text"].map(channels);
        entry.pn == Some(key.opening(&call.number).pseudonym(&call.number))
            && calls.contains(&entry.context.channels)
    };
    let mine: Vec<_> = log.entries.iter().filter(mine).collect();
    let mut check: Option<&Entry> = None;
    for entry in &mine {
        let context = &entry.context;
        let seller = call.seller.clone().map(SellerRef::One);
        if context.op == Op::Check
            && entry.answer.is_some()
            && (call.agency.is_none() || call.agency == context.agency)
            && (seller.is_none() || seller == context.seller)
            && entry.time <= call.time.plus(rules.tolerance)
            && entry.time.plus(rules.look_back) >= call.time
            && check.is_none_or(|check| check.time <= entry.time)
        {
            check = Some(entry);
        }
    }
    let finding = match check {
        None => Finding::NeverChecked,
        Some(check) if call.time > check.time.plus(rules.validity) => Finding::CheckExpired,
        Some(check) if check.answer == CLEAR => Finding::CheckedClear,
        Some(_) => Finding::CheckedSuppressed,
    };
    let holds = |about: &SellerRef| {
        let (mut count, mut latest) = (0_i64, None::<&Entry>);
        let mut in_time = mine.clone();
        in_time.sort_by_key(|entry| entry.time);
        for entry in in_time {
            if entry.context.seller.as_ref() == Some(about) && entry.time <= call.time {
                match entry.context.op {
                    Op::Register => {
                        count += 1;
                        if latest.is_none_or(|latest| latest.time <= entry.time) {
                            latest = Some(entry);
                        }
                    }
                    Op::Withdraw => count = i64::max(count - 1, 0),
                    _ => {}
                }
            }
        }
        latest.filter(|_| count > 0)
    };
    let known = match (&call.seller, check) {
        (Some(seller), _) => Some(SellerRef::One(seller.clone())),
        (None, check) => check.and_then(|check| check.context.seller.clone()),
    };
    let [all, telco, power] = ["all", "telco", "power"].map(|id| SellerRef::parse(id).unwrap());
    let place = |entry: &Entry| (entry.time, entry.writer_seq);
    let (registered, registration) = if let Some(entry) = holds(&all) {
        (Registered::AllSellers, Some(entry))
    } else if let Some(known) = known {
        match holds(&known) {
            Some(entry) => (Registered::ThisSeller, Some(entry)),
            None => (Registered::No, None),
        }
    } else {
        let some = [holds(&telco), holds(&power)].into_iter().flatten();
        match some.max_by_key(|entry| place(entry)) {
            Some(entry) => (Registered::OtherSeller, Some(entry)),
            None => (Registered::No, None),
        }
    };
    Verdict {
        finding,
        registered: Some(registered),
        check: check.map(|entry| Check {
            id: entry.id,
            at: entry.time,
            agency: entry.context.agency.clone(),
            seller: entry.context.seller.clone(),
        }),
        registration: registration.map(|entry| entry.id),
        reason: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn verdicts_are_those_of_a_look_at_every_entry_for_every_call(
        log in log(), calls in vec(call(), 0..30), segment in 1_usize..20, chunk in 1_usize..40,
    ) {
        let naive: Vec<_> = calls
            .iter()
            .map(|call| naive(&log, call.as_ref().unwrap(), rules()))
            .collect();
        let segments = log.segments(segment);
        let mut matcher = Matcher::new(&segments[..], log.keys.clone(), rules()).unwrap();
        let mut verdicts = Vec::new();
        for chunk in calls.chunks(chunk) {
            verdicts.extend(matcher.verdicts(chunk).unwrap());
        }
        prop_assert_eq!(verdicts, naive);
    }
}
