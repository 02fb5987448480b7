//! From the log to a finding: the same rules by which call-detail records are matched.
//!
//! A person does not look at the clock when the telephone rings. So a call has a time within which
//! it came, and whatever cannot be told apart within that time counts for the caller: a check is
//! taken to have come before the call, an answer is expired only if it was so from the start, and
//! they were told not to call only if no answer within that time said otherwise.

use std::time::Duration;

use super::{CheckSeen, Company, Told};
use crate::domain::{
    AgencyId, Answer, Entry, EntryId, Finding, Moment, Month, Op, PhoneNumber, Pseudonym, SellerId,
    SellerRef,
};
use crate::log::index::Row;
use crate::privacy::MonthKey;
use crate::service::matching::{self, Call, Check, Matcher, Options, Registered, Source, Verdict};
use crate::service::record::index::RecordIndex;
use crate::service::{Service, ServiceError};

/// How many days before a call are looked through for checks at least. The texts say so.
pub const LOOK_BACK_DAYS: u64 = 31;

/// How many checks are shown at most; the latest before the end of the call's time.
const MOST_CHECKS: usize = 20;

/// What was found out.
pub(super) struct FoundOut {
    pub finding: Finding,
    pub agency: Option<AgencyId>,
    /// When the check was made that the finding rests on.
    pub decided_at: Option<Moment>,
    pub checks: Vec<CheckSeen>,
    pub opted_out_since: Option<Moment>,
}

impl Service {
    /// Looks into the log, sealed and unsealed.
    pub(super) async fn find_out(
        &self,
        told: &Told,
        seller: Option<&SellerId>,
    ) -> Result<FoundOut, ServiceError> {
        if matches!(told.company, Company::Named(_)) {
            return Ok(FoundOut {
                finding: Finding::UnknownCompany,
                agency: None,
                decided_at: None,
                checks: Vec::new(),
                opted_out_since: None,
            });
        }
        let index = self.record_index().await?;
        let range = told.to.since(told.from);
        let options = Options {
            validity: self.validity + range,
            tolerance: Duration::ZERO,
            // From the earliest moment at which the call may have come.
            look_back: self.look_back() + range,
        };
        let call = Call {
            number: told.number,
            time: told.to,
            agency: None,
            seller: seller.cloned(),
        };
        let keys = self.months.all();
        let _turn = self.turn_to_search().await?;
        let asked = Asked {
            from: told.from,
            validity: self.validity,
            call,
        };
        let (verdict, seen) =
            tokio::task::spawn_blocking(move || look(index, keys, options, asked))
                .await
                .map_err(|_| damaged())??;
        let told_before = match &verdict.check {
            Some(check) if verdict.finding == matching::Finding::CheckExpired => {
                self.answer_of(check).await?
            }
            _ => None,
        };
        let decides = verdict.check.as_ref().filter(|_| seller.is_some());
        Ok(FoundOut {
            finding: finding(&verdict, told_before),
            // Where nobody said for whom the call was, nobody is named as the caller either.
            agency: decides.and_then(|check| check.agency.clone()),
            decided_at: verdict.check.as_ref().map(|check| check.at),
            checks: shown(seen, decides),
            opted_out_since: verdict
                .registration
                .map(|id| Moment::from_millis(id.millis())),
        })
    }

    /// How far before a call checks are looked for: at least as long as an answer may be used.
    fn look_back(&self) -> Duration {
        Duration::from_secs(LOOK_BACK_DAYS * 86_400).max(self.validity)
    }

    /// Refuses a call of which the record cannot tell who had asked before it: a finding that
    /// nobody had would be one that it does not bear.
    pub(super) async fn can_be_known(&self, told: &Told) -> Result<(), ServiceError> {
        let reach = self.reach().await?;
        reach
            .covers(self.look_back(), (told.from, told.to))
            .map_err(ServiceError::BeforeRecord)
    }

    async fn answer_of(&self, check: &Check) -> Result<Option<Answer>, ServiceError> {
        let found = self.find(check.id).await?;
        let entry = found.map(|found| Entry::read_json(&found.entry).map_err(|_| damaged()));
        Ok(entry.transpose()?.and_then(|entry| entry.answer))
    }
}

/// What the log says in the words of a report. `expired` is the answer of a check that was too old.
fn finding(verdict: &Verdict, expired: Option<Answer>) -> Finding {
    match verdict.finding {
        matching::Finding::NeverChecked
        | matching::Finding::InvalidNumber
        | matching::Finding::UnreadableRow => Finding::NotAsked,
        matching::Finding::CheckedSuppressed => Finding::ToldNotToCall,
        matching::Finding::CheckExpired => match expired {
            // Nobody told them anything else since, and it still held.
            Some(Answer::Suppress(_)) if is_opted_out(verdict) => Finding::ToldNotToCall,
            _ => Finding::AnswerExpired,
        },
        matching::Finding::CheckedClear if is_opted_out(verdict) => Finding::AskedBefore,
        matching::Finding::CheckedClear => Finding::NotOptedOut,
    }
}

fn is_opted_out(verdict: &Verdict) -> bool {
    verdict
        .registered
        .is_some_and(|registered| registered != Registered::No)
}

/// What is asked of the log: a call at the latest moment at which it may have come.
struct Asked {
    /// The earliest one.
    from: Moment,
    /// How long an answer may be used.
    validity: Duration,
    call: Call,
}

/// The verdict on a call, and every check of the number before its end.
fn look(
    index: RecordIndex,
    keys: Vec<(Month, MonthKey)>,
    options: Options,
    asked: Asked,
) -> Result<(Verdict, Vec<Seen>), ServiceError> {
    let call = asked.call.clone();
    let earliest = Moment::from_millis(
        call.time
            .millis()
            .saturating_sub(i64::try_from(options.look_back.as_millis()).unwrap_or(i64::MAX)),
    );
    let seen = checks_of(&index, &keys, &call, earliest)?;
    let mut matcher = Matcher::new(index, keys, options).map_err(|_| damaged())?;
    let mut verdict_at = |time| {
        let call = Ok(Call {
            time,
            ..asked.call.clone()
        });
        let verdict = matcher.verdicts([&call]).map_err(|_| damaged())?.pop();
        verdict.ok_or_else(damaged)
    };
    let mut verdict = verdict_at(asked.call.time)?;
    if verdict.finding == matching::Finding::CheckedSuppressed
        && let Some(time) = excuse(&seen, asked.from, asked.validity)
    {
        verdict = verdict_at(time)?;
    }
    Ok((verdict, seen))
}

/// A moment within the call's time at which the last answer was not a no and could be used; of
/// several the latest.
fn excuse(seen: &[Seen], from: Moment, validity: Duration) -> Option<Moment> {
    let within = seen
        .iter()
        .rev()
        .find(|seen| seen.at >= from && !seen.suppress);
    if let Some(seen) = within {
        return Some(seen.at);
    }
    let before = seen.iter().rev().find(|seen| seen.at < from)?;
    (!before.suppress && before.at.plus(validity) >= from).then_some(from)
}

/// A check that the index knows of.
struct Seen {
    id: EntryId,
    at: Moment,
    agency: Option<AgencyId>,
    seller: Option<SellerRef>,
    suppress: bool,
}

fn checks_of(
    index: &RecordIndex,
    keys: &[(Month, MonthKey)],
    call: &Call,
    earliest: Moment,
) -> Result<Vec<Seen>, ServiceError> {
    let company = call.seller.clone().map(SellerRef::One);
    let mut seen = Vec::new();
    rows_of(index, keys, &call.number, (earliest, call.time), |row| {
        let of_company = company.is_none() || row.seller == company.as_ref();
        if row.op == Op::Check && of_company {
            seen.push(Seen {
                id: row.id,
                at: row.time,
                agency: row.agency.cloned(),
                seller: row.seller.cloned(),
                suppress: matches!(row.answer, Some(Answer::Suppress(_))),
            });
        }
    })?;
    seen.sort_by_key(|seen| (seen.at, seen.id));
    Ok(seen)
}

/// Everything that the index has about a number in a time, both ends included.
pub(in crate::service) fn rows_of(
    index: &RecordIndex,
    keys: &[(Month, MonthKey)],
    number: &PhoneNumber,
    (from, to): (Moment, Moment),
    mut each: impl FnMut(&Row<'_>),
) -> Result<(), ServiceError> {
    let names = names(keys, number, from.month(), to.month());
    let headers = index.headers().map_err(|_| damaged())?;
    for (place, header) in headers.iter().enumerate() {
        if header.entries == 0 || header.earliest > to || from > header.latest {
            continue;
        }
        let segment = index.open(place).map_err(|_| damaged())?;
        for pn in &names {
            let rows = segment.rows_of(pn).map_err(|_| damaged())?;
            rows.iter()
                .filter(|row| (from..=to).contains(&row.time))
                .for_each(&mut each);
        }
    }
    Ok(())
}

/// A number's names in the months from one to another.
fn names(
    keys: &[(Month, MonthKey)],
    number: &PhoneNumber,
    from: Month,
    to: Month,
) -> Vec<Pseudonym> {
    let months = keys.iter().filter(|(month, _)| (from..=to).contains(month));
    months
        .map(|(_, key)| key.opening(number).pseudonym(number))
        .collect()
}

/// The latest of them, and the one that decides.
fn shown(seen: Vec<Seen>, decides: Option<&Check>) -> Vec<CheckSeen> {
    let surplus = seen.len().saturating_sub(MOST_CHECKS);
    let decides_on = |seen: &Seen| decides.is_some_and(|check| check.id == seen.id);
    let kept = seen.into_iter().enumerate();
    kept.filter(|(place, seen)| *place >= surplus || decides_on(seen))
        .map(|(_, seen)| seen)
        .map(|seen| CheckSeen {
            decides: decides.is_some_and(|check| check.id == seen.id),
            id: seen.id.to_string(),
            at: seen.at,
            agency: seen.agency,
            seller: seen.seller,
            suppress: Some(seen.suppress),
        })
        .collect()
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("the index of the log")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: i64, suppress: bool) -> Seen {
        let at = Moment::from_millis(at);
        Seen {
            id: EntryId::new(at, [0; 10]),
            at,
            agency: None,
            seller: None,
            suppress,
        }
    }

    #[test]
    fn doubt_about_when_the_call_came_counts_for_the_caller() {
        let (from, hour) = (Moment::from_millis(10_000_000), Duration::from_secs(3600));
        let excused = |all: &[(i64, bool)]| {
            let all: Vec<_> = all.iter().map(|(at, no)| seen(*at, *no)).collect();
            excuse(&all, from, hour).map(Moment::millis)
        };
        assert_eq!(excused(&[(11_000_000, true)]), None);
        // Cleared in the morning, called, opted out, asked again and told: all on the day.
        assert_eq!(
            excused(&[(10_500_000, false), (11_000_000, true)]),
            Some(10_500_000)
        );
        assert_eq!(
            excused(&[(9_000_000, false), (11_000_000, true)]),
            Some(10_000_000)
        );
        // What was cleared was too old, or was followed by a no, before the call can have come.
        assert_eq!(excused(&[(1_000_000, false), (11_000_000, true)]), None);
        assert_eq!(excused(&[(9_000_000, false), (9_500_000, true)]), None);
    }
}
