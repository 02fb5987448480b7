//! From the log to a finding.
//!
//! What can be said of a call whose moment and caller are not known exactly is in `doubt`. Here is
//! what it is said from: every check of the number before the end of the call's time, and what was
//! registered for it. A second finding leaves out what is not for whoever reports.

use std::time::Duration;

use super::doubt::{Change, Check, Weighed, opted_out, weigh};
use super::{CheckSeen, Company, Told};
use crate::domain::{
    AgencyId, Answer, Channel, EntryId, Finding, Moment, Month, Op, OptedOut, PhoneNumber,
    Pseudonym, SellerId, SellerRef,
};
use crate::log::index::{Header, Row};
use crate::privacy::MonthKey;
use crate::service::matching::Source;
use crate::service::record::index::RecordIndex;
use crate::service::{SearchPermit, Service, ServiceError};

/// How many days before a call are looked through for checks at least. The texts say so.
pub const LOOK_BACK_DAYS: u64 = 31;

/// How many checks are shown at most; the latest before the end of the call's time.
const MOST_CHECKS: usize = 20;

/// What was found out.
pub(super) struct FoundOut {
    /// The whole of it, for the regulator.
    pub finding: Finding,
    /// What whoever reports is told, and the log.
    pub told: Finding,
    /// What the company is told.
    pub to_company: Finding,
    pub agency: Option<AgencyId>,
    pub checks: Vec<CheckSeen>,
    pub opted_out: OptedOut,
    pub opted_out_since: Option<Moment>,
}

impl Service {
    /// Looks into the log, sealed and unsealed. `held_since` is since when the own opt-out of
    /// whoever reports held, if it did.
    pub(super) async fn find_out(
        &self,
        permit: &SearchPermit,
        told: &Told,
        seller: Option<&SellerId>,
        held_since: Option<Moment>,
    ) -> Result<FoundOut, ServiceError> {
        let look_back = self.look_back() + told.to.since(told.from);
        let earliest = told.to.minus(look_back);
        let (index, keys) = (self.record_index(permit).await?, self.months.all());
        let (number, to) = (told.number, told.to);
        let company = seller.cloned().map(SellerRef::One);
        let (seen, listed) = tokio::task::spawn_blocking(move || {
            let mut seen = checks_of(&index, &keys, &number, (earliest, to))?;
            seen.retain(|seen| company.is_none() || seen.seller == company);
            Ok::<_, ServiceError>((seen, listings_of(&index, &keys, &number, to)?))
        })
        .await
        .map_err(|_| damaged())??;
        Ok(found_out(
            told,
            seller,
            held_since,
            seen,
            &listed,
            self.validity,
        ))
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
}

/// A check that the index knows of.
struct Seen {
    id: EntryId,
    at: Moment,
    agency: Option<AgencyId>,
    seller: Option<SellerRef>,
    told_no: bool,
}

impl Seen {
    fn told(&self, told_no: Option<bool>) -> Check {
        Check {
            id: self.id,
            at: self.at,
            agency: self.agency.clone(),
            told_no,
        }
    }
}

/// A registration of the number for calls, or its end.
struct Listing {
    at: Moment,
    begins: bool,
    seller: SellerRef,
}

/// What all of this says of the call.
fn found_out(
    told: &Told,
    seller: Option<&SellerId>,
    held_since: Option<Moment>,
    seen: Vec<Seen>,
    listed: &[Listing],
    validity: Duration,
) -> FoundOut {
    let span = (told.from, told.to);
    let company = seller.cloned().map(SellerRef::One);
    let of_company =
        |one: &Listing| one.seller == SellerRef::All || Some(&one.seller) == company.as_ref();
    let changes: Vec<Change> = listed
        .iter()
        .filter(|one| of_company(one))
        .map(|one| Change {
            at: one.at,
            begins: one.begins,
            for_all: one.seller == SellerRef::All,
        })
        .collect();
    let (mut state, since) = opted_out(&changes, span);
    let for_some = listed.iter().any(|one| one.begins && !of_company(one));
    if told.company == Company::Unsaid && state == OptedOut::NotListed && for_some {
        state = OptedOut::Uncertain;
    }
    let (whole, told_finding) = match (&told.company, seller) {
        (Company::Named(_), _) => (certain(Finding::UnknownCompany), Finding::UnknownCompany),
        // Nobody said for whom the call was, so nobody is known to have made it.
        (_, None) if seen.is_empty() => (certain(Finding::NotAsked), Finding::NotAsked),
        (_, None) => (certain(Finding::Uncertain), Finding::Uncertain),
        (_, Some(_)) => {
            let checks: Vec<Check> = seen.iter().map(|one| one.told(Some(one.told_no))).collect();
            // Whoever opts a stranger's number out learns nothing of its past: of a check before
            // that only its age counts.
            let own = held_since.map(|since| {
                let checks = seen
                    .iter()
                    .map(|one| one.told((one.at >= since).then_some(one.told_no)));
                let own = Change {
                    at: since,
                    begins: true,
                    for_all: true,
                };
                weigh(&checks.collect::<Vec<_>>(), &[own], span, validity).finding
            });
            let whole = weigh(&checks, &changes, span, validity);
            let told = own.unwrap_or(whole.finding);
            (whole, told)
        }
    };
    let says_nothing_of_the_list =
        matches!(told_finding, Finding::NotAsked | Finding::UnknownCompany);
    let told_finding = match held_since.is_some() || says_nothing_of_the_list {
        true => told_finding,
        false => Finding::Asked,
    };
    FoundOut {
        finding: whole.finding,
        told: told_finding,
        // It knows what it was told. What depends on the list beyond that, it is told no more of
        // than whoever reports: a report that anybody may make is no way to look a number up.
        to_company: match whole.leans_on_list {
            true => told_finding,
            false => whole.finding,
        },
        agency: whole.agency,
        checks: match told.company {
            Company::Named(_) => Vec::new(),
            Company::Known(_) | Company::Unsaid => shown(seen, whole.decides),
        },
        opted_out: state,
        opted_out_since: since,
    }
}

fn certain(finding: Finding) -> Weighed {
    Weighed {
        finding,
        decides: None,
        agency: None,
        leans_on_list: false,
    }
}

/// The checks of calls to the number, in their order.
fn checks_of(
    index: &RecordIndex,
    keys: &[(Month, MonthKey)],
    number: &PhoneNumber,
    span: (Moment, Moment),
) -> Result<Vec<Seen>, ServiceError> {
    let mut seen = Vec::new();
    rows_of(index, keys, number, span, |row| {
        let told_no = match row.answer {
            Some(Answer::Suppress(_)) => true,
            Some(Answer::NotListed) => false,
            Some(Answer::Invalid) | None => return,
        };
        if row.op == Op::Check && of_calls(row) {
            seen.push(Seen {
                id: row.id,
                at: row.time,
                agency: row.agency.cloned(),
                seller: row.seller.cloned(),
                told_no,
            });
        }
    })?;
    seen.sort_by_key(|seen| (seen.at, seen.id));
    Ok(seen)
}

/// What was registered for calls to the number until then, in its order.
fn listings_of(
    index: &RecordIndex,
    keys: &[(Month, MonthKey)],
    number: &PhoneNumber,
    to: Moment,
) -> Result<Vec<Listing>, ServiceError> {
    let mut listed = Vec::new();
    let registrations =
        |header: &Header| header.count_of(Op::Register) + header.count_of(Op::Withdraw) > 0;
    let span = (Moment::from_millis(0), to);
    rows_where(index, keys, number, span, registrations, |row| {
        let begins = match row.op {
            Op::Register => true,
            Op::Withdraw => false,
            _ => return,
        };
        if let Some(seller) = row.seller.filter(|_| of_calls(row)) {
            listed.push(Listing {
                at: row.time,
                begins,
                seller: seller.clone(),
            });
        }
    })?;
    listed.sort_by_key(|listed| listed.at);
    Ok(listed)
}

/// Whether an entry is about calls. One without channels is about every one.
fn of_calls(row: &Row<'_>) -> bool {
    row.channels
        .is_none_or(|channels| channels.covers(Channel::Voice))
}

/// Everything that the index has about a number in a time, both ends included.
pub(in crate::service) fn rows_of(
    index: &RecordIndex,
    keys: &[(Month, MonthKey)],
    number: &PhoneNumber,
    span: (Moment, Moment),
    each: impl FnMut(&Row<'_>),
) -> Result<(), ServiceError> {
    rows_where(index, keys, number, span, |_| true, each)
}

/// The same, from the segments that are wanted.
fn rows_where(
    index: &RecordIndex,
    keys: &[(Month, MonthKey)],
    number: &PhoneNumber,
    (from, to): (Moment, Moment),
    wanted: impl Fn(&Header) -> bool,
    mut each: impl FnMut(&Row<'_>),
) -> Result<(), ServiceError> {
    let names = names(keys, number, from.month(), to.month());
    let headers = index.headers().map_err(|_| damaged())?;
    for (place, header) in headers.iter().enumerate() {
        if header.entries == 0 || header.earliest > to || from > header.latest || !wanted(header) {
            continue;
        }
        let segment = index.open(place).map_err(|_| damaged())?;
        let months = header.earliest.month()..=header.latest.month();
        for (_, pn) in names.iter().filter(|(month, _)| months.contains(month)) {
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
) -> Vec<(Month, Pseudonym)> {
    let months = keys.iter().filter(|(month, _)| (from..=to).contains(month));
    months
        .map(|(month, key)| (*month, key.opening(number).pseudonym(number)))
        .collect()
}

/// The latest of them, and the one that counts.
fn shown(seen: Vec<Seen>, decides: Option<EntryId>) -> Vec<CheckSeen> {
    let surplus = seen.len().saturating_sub(MOST_CHECKS);
    let kept = seen.into_iter().enumerate();
    kept.filter(|(place, seen)| *place >= surplus || decides == Some(seen.id))
        .map(|(_, seen)| CheckSeen {
            decides: decides == Some(seen.id),
            id: seen.id.to_string(),
            at: seen.at,
            agency: seen.agency,
            seller: seen.seller,
            suppress: Some(seen.told_no),
        })
        .collect()
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("the index of the log")
}
