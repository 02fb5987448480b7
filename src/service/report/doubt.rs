//! What may be said of a call of which neither the moment nor the caller is known exactly.
//!
//! A person does not look at the clock when the telephone rings, and several call centres may call
//! for one company. So a call is looked at for every moment at which it may have come, and for each
//! call centre that had asked by then. Only what is true of all of them is said; where they differ,
//! that is said, and doubt counts for the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{AgencyId, EntryId, Finding, Moment, OptedOut};

/// A check for the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub id: EntryId,
    pub at: Moment,
    pub agency: Option<AgencyId>,
    /// Whether the answer was that the number must not be called. Nothing where that is not for
    /// whoever reads the finding.
    pub told_no: Option<bool>,
}

/// An opt-out that covers the company, or the end of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub at: Moment,
    pub begins: bool,
    /// For every company. One for all and one for this company end apart from each other.
    pub for_all: bool,
}

/// What may be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weighed {
    pub finding: Finding,
    /// The check that counts, if the same one does whenever and by whom the call was made.
    pub decides: Option<EntryId>,
    /// The call centre, if there is one only.
    pub agency: Option<AgencyId>,
    /// Whether another opt-out would have made it another finding: then it tells of the list.
    pub leans_on_list: bool,
}

/// Weighs a call that came at some moment of a time, its ends included. Checks and changes are in
/// the order of their times.
pub(super) fn weigh(
    checks: &[Check],
    changes: &[Change],
    (from, to): (Moment, Moment),
    validity: Duration,
) -> Weighed {
    let mut findings = BTreeSet::new();
    let mut deciding = BTreeSet::new();
    let mut agencies = BTreeSet::new();
    let mut leans_on_list = false;
    let (mut next_check, mut next_change) = (0, 0);
    let mut latest: BTreeMap<Option<&AgencyId>, &Check> = BTreeMap::new();
    let mut listed = Listed::default();
    for moment in moments(checks, changes, (from, to), validity) {
        while let Some(check) = checks.get(next_check).filter(|check| check.at <= moment) {
            latest.insert(check.agency.as_ref(), check);
            next_check += 1;
        }
        while let Some(change) = changes.get(next_change).filter(|one| one.at <= moment) {
            listed.take(change);
            next_change += 1;
        }
        if latest.is_empty() {
            findings.insert(Finding::NotAsked);
            deciding.insert(None);
            agencies.insert(None);
        }
        for (agency, check) in &latest {
            let expired = moment > check.at.plus(validity);
            leans_on_list |= check.told_no == Some(expired);
            findings.insert(of_check(check, expired, listed.holds()));
            deciding.insert(Some(check.id));
            agencies.insert(*agency);
        }
    }
    Weighed {
        finding: true_of_all(&findings),
        decides: only(deciding).flatten(),
        agency: only(agencies).flatten().cloned(),
        leans_on_list,
    }
}

/// What a check says of a call of which it is the last one before.
fn of_check(check: &Check, expired: bool, listed: bool) -> Finding {
    match (check.told_no, expired) {
        (Some(true), false) => Finding::ToldNotToCall,
        // Nobody told them anything else since, and it still held.
        (Some(true), true) if listed => Finding::ToldNotToCall,
        (_, true) => Finding::AnswerExpired,
        (Some(false), false) if !listed => Finding::NotOptedOut,
        (_, false) => Finding::AskedBefore,
    }
}

/// The finding whose sentence is true whichever of these it was.
fn true_of_all(findings: &BTreeSet<Finding>) -> Finding {
    let harmless = [Finding::NotOptedOut, Finding::AskedBefore];
    match only(findings.iter().copied()) {
        Some(finding) => finding,
        // They asked, and the number was not listed then: whether it was when they called is open.
        None if findings.iter().all(|one| harmless.contains(one)) => Finding::NotOptedOut,
        None => Finding::Uncertain,
    }
}

fn only<T>(all: impl IntoIterator<Item = T>) -> Option<T> {
    let mut all = all.into_iter();
    all.next().filter(|_| all.next().is_none())
}

/// Moments of a time, between two of which nothing changes.
fn moments(
    checks: &[Check],
    changes: &[Change],
    (from, to): (Moment, Moment),
    validity: Duration,
) -> BTreeSet<Moment> {
    let asked = checks.iter().map(|check| check.at);
    let expired = checks
        .iter()
        .map(|check| Moment::from_millis(check.at.plus(validity).millis().saturating_add(1)));
    let changed = changes.iter().map(|change| change.at);
    let all = asked.chain(expired).chain(changed).chain([from]);
    all.filter(|moment| (from..=to).contains(moment)).collect()
}

/// How many opt-outs hold.
#[derive(Debug, Default)]
struct Listed {
    for_all: u64,
    for_one: u64,
}

impl Listed {
    fn take(&mut self, change: &Change) {
        let count = match change.for_all {
            true => &mut self.for_all,
            false => &mut self.for_one,
        };
        // What an end takes back may lie in a year whose entries were dropped.
        *count = match change.begins {
            true => count.saturating_add(1),
            false => count.saturating_sub(1),
        };
    }

    fn holds(&self) -> bool {
        self.for_all + self.for_one > 0
    }
}

/// Whether the number was opted out when the call came, and since when.
pub(super) fn opted_out(
    changes: &[Change],
    (from, to): (Moment, Moment),
) -> (OptedOut, Option<Moment>) {
    let mut listed = Listed::default();
    let (mut for_all, mut for_one) = (None, None);
    let mut held = false;
    for change in changes.iter().filter(|change| change.at <= to) {
        held |= change.at > from && listed.holds();
        listed.take(change);
        if change.begins {
            // Of several the latest: it cannot be told which of them an end took back.
            let since = match change.for_all {
                true => &mut for_all,
                false => &mut for_one,
            };
            *since = Some(change.at);
        }
    }
    let for_all = for_all.filter(|_| listed.for_all > 0);
    let for_one = for_one.filter(|_| listed.for_one > 0);
    match for_all.max(for_one) {
        Some(since) => (OptedOut::Listed, Some(since)),
        None if held => (OptedOut::Uncertain, None),
        None => (OptedOut::NotListed, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_millis(10);

    fn check(at: i64, agency: u8, told_no: Option<bool>) -> Check {
        let at = Moment::from_millis(at);
        Check {
            id: EntryId::new(at, [agency; 10]),
            at,
            agency: AgencyId::parse(&format!("agency-{agency}")).ok(),
            told_no,
        }
    }

    fn change(at: i64, begins: bool, for_all: bool) -> Change {
        let at = Moment::from_millis(at);
        Change {
            at,
            begins,
            for_all,
        }
    }

    fn finding(checks: &[Check], changes: &[Change], from: i64, to: i64) -> Finding {
        let span = (Moment::from_millis(from), Moment::from_millis(to));
        weigh(checks, changes, span, HOUR).finding
    }

    /// How much a finding holds against the caller. What no moment bears out is held by none.
    fn against(finding: Finding) -> u8 {
        match finding {
            Finding::Uncertain => 0,
            Finding::NotOptedOut => 1,
            Finding::AskedBefore => 2,
            Finding::AnswerExpired => 3,
            Finding::NotAsked => 4,
            Finding::ToldNotToCall => 5,
            Finding::UnknownCompany | Finding::Asked => unreachable!("no check says that"),
        }
    }

    #[test]
    fn a_day_without_a_time_is_as_doubtful_as_its_most_doubtful_moment() {
        let told = [check(105, 1, Some(true))];
        let since = [change(103, true, true)];
        assert_eq!(finding(&told, &since, 105, 110), Finding::ToldNotToCall);
        assert_eq!(finding(&told, &since, 100, 110), Finding::Uncertain);
        // An old no is still a no, while it holds.
        assert_eq!(finding(&told, &since, 150, 160), Finding::ToldNotToCall);
        let stopped = [since[0], change(155, false, true)];
        assert_eq!(finding(&told, &stopped, 150, 160), Finding::Uncertain);
        // Cleared, opted out, asked again and told, all on the day.
        let all = [check(101, 1, Some(false)), check(105, 1, Some(true))];
        assert_eq!(finding(&all, &since, 101, 110), Finding::Uncertain);
        assert_eq!(finding(&all, &since, 101, 104), Finding::NotOptedOut);
        assert_eq!(finding(&all, &since, 103, 104), Finding::AskedBefore);
        assert_eq!(finding(&all[..1], &since, 103, 111), Finding::AskedBefore);
        assert_eq!(finding(&all[..1], &since, 103, 112), Finding::Uncertain);
        assert_eq!(finding(&all[..1], &since, 112, 120), Finding::AnswerExpired);
        assert_eq!(finding(&[], &since, 100, 110), Finding::NotAsked);
    }

    #[test]
    fn of_two_call_centres_each_may_have_called() {
        let both = [check(101, 1, Some(false)), check(105, 2, Some(true))];
        let since = [change(103, true, true)];
        assert_eq!(finding(&both, &since, 106, 106), Finding::Uncertain);
        let span = (Moment::from_millis(106), Moment::from_millis(106));
        let weighed = weigh(&both[1..], &since, span, HOUR);
        assert_eq!(weighed.decides, Some(both[1].id));
        assert_eq!(weighed.agency, both[1].agency);
        let weighed = weigh(&both, &since, span, HOUR);
        assert_eq!((weighed.decides, weighed.agency), (None, None));
    }

    #[test]
    fn since_when_a_number_was_opted_out_is_said_only_where_that_held_to_the_end() {
        let at = Moment::from_millis;
        let of = |changes: &[Change]| opted_out(changes, (at(100), at(110)));
        assert_eq!(of(&[]), (OptedOut::NotListed, None));
        assert_eq!(of(&[change(111, true, true)]), (OptedOut::NotListed, None));
        let begun = change(90, true, true);
        assert_eq!(of(&[begun]), (OptedOut::Listed, Some(at(90))));
        assert_eq!(
            of(&[begun, change(99, false, true)]),
            (OptedOut::NotListed, None)
        );
        let ended = [begun, change(105, false, true)];
        assert_eq!(of(&ended), (OptedOut::Uncertain, None));
        assert_eq!(
            of(&[change(102, true, true), change(105, false, true)]),
            (OptedOut::Uncertain, None)
        );
        // The end of one for a company leaves the one for all.
        assert_eq!(of(&[begun, change(105, false, false)]).0, OptedOut::Listed);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whenever the call came, and whoever of those who had asked made it, what is said holds
        /// no more against them than what would be said had that been known.
        #[test]
        fn nothing_is_said_that_one_possible_moment_or_caller_does_not_bear_out(
            checks in prop::collection::vec((0_i64..60, 0_u8..3, prop::option::of(any::<bool>())), 0..6),
            changes in prop::collection::vec((0_i64..60, any::<bool>(), any::<bool>()), 0..5),
            from in 0_i64..60,
            length in 0_i64..30,
        ) {
            let mut checks: Vec<_> = checks.into_iter().map(|(at, by, no)| check(at, by, no)).collect();
            checks.sort_by_key(|check| (check.at, check.id));
            let mut changes: Vec<_> = changes.into_iter().map(|(at, begins, all)| change(at, begins, all)).collect();
            changes.sort_by_key(|change| change.at);
            let said = finding(&checks, &changes, from, from + length);
            for at in from..=from + length {
                let callers: BTreeSet<_> = checks
                    .iter()
                    .filter(|check| check.at.millis() <= at)
                    .map(|check| check.agency.clone())
                    .collect();
                let known = |own: &[Check]| finding(own, &changes, at, at);
                let possible: Vec<_> = match callers.is_empty() {
                    true => vec![known(&[])],
                    false => callers
                        .iter()
                        .map(|caller| {
                            let own = checks.iter().filter(|check| check.agency == *caller);
                            known(&own.cloned().collect::<Vec<_>>())
                        })
                        .collect(),
                };
                for one in possible {
                    prop_assert!(against(said) <= against(one), "{said:?}, but at {at}: {one:?}");
                    // And what is said is a fact of it, not only milder.
                    let fits = said == one
                        || said == Finding::Uncertain
                        || (said, one) == (Finding::NotOptedOut, Finding::AskedBefore);
                    prop_assert!(fits, "{said:?}, but at {at}: {one:?}");
                }
            }
        }

        /// What depends on the list in any way is known to do so.
        #[test]
        fn what_does_not_lean_on_the_list_is_the_same_whatever_is_listed(
            checks in prop::collection::vec((0_i64..60, 0_u8..3, any::<bool>()), 0..6),
            changes in prop::collection::vec((0_i64..60, any::<bool>(), any::<bool>()), 0..5),
            from in 0_i64..60,
            length in 0_i64..30,
        ) {
            let mut checks: Vec<_> = checks.into_iter().map(|(at, by, no)| check(at, by, Some(no))).collect();
            checks.sort_by_key(|check| (check.at, check.id));
            let mut changes: Vec<_> = changes.into_iter().map(|(at, begins, all)| change(at, begins, all)).collect();
            changes.sort_by_key(|change| change.at);
            let span = (Moment::from_millis(from), Moment::from_millis(from + length));
            let (with, without) = (weigh(&checks, &changes, span, HOUR), weigh(&checks, &[], span, HOUR));
            if !with.leans_on_list || !without.leans_on_list {
                prop_assert_eq!(with, without);
            }
        }
    }
}
