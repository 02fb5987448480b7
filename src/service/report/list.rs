//! Lists of reports, read page by page, whatever there are.

use super::record::{Content, Kept, damaged};
use super::{ReportView, State};
use crate::domain::{AgencyId, Finding, Moment, Principal, ReportId, Role, SellerId};
use crate::service::{Service, ServiceError};
use crate::store::{Draft, Kind, List};

/// How many reports are read at a time.
pub(super) const PIECE: usize = 100;

/// How many are looked through for one page at most.
const MOST_READ: usize = 5_000;

/// Which reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of calls for this company.
    pub seller: Option<SellerId>,
    /// Where this agency had asked before the call.
    pub agency: Option<AgencyId>,
    /// With this finding.
    pub finding: Option<Finding>,
    /// In this state.
    pub state: Option<State>,
    /// Made at or after this moment.
    pub from: Option<Moment>,
    /// Made before this moment.
    pub to: Option<Moment>,
    /// What is late first, then what will be, each in the order of its day; then what is answered,
    /// the newest first.
    pub urgent_first: bool,
}

/// A part of a list of reports.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The reports.
    pub reports: Vec<ReportView>,
    /// Where the list goes on, if it does. There may be nothing there that a filter admits.
    pub next: Option<String>,
}

impl Filter {
    fn admits(&self, view: &ReportView) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        is(self.seller.as_ref(), view.seller.as_ref())
            && is(self.agency.as_ref(), view.agency.as_ref())
            && is(self.finding.as_ref(), Some(&view.finding))
            && is(self.state.as_ref(), Some(&view.state))
            && self.from.is_none_or(|from| view.at >= from)
            && self.to.is_none_or(|to| view.at < to)
    }

    /// The lists that hold what is wanted, one after the other.
    fn lists(&self) -> Vec<List> {
        let list = |name: &str| match &self.seller {
            Some(seller) => List::of(Kind::Report, &of_seller(name, seller)),
            None => List::of(Kind::Report, name),
        };
        let made = |name: &str| {
            let mut list = list(name).newest_first();
            if let Some(from) = self.from {
                list = list.from(from);
            }
            match self.to {
                Some(to) => list.before(to),
                None => list,
            }
        };
        let now = Moment::now();
        match self.state {
            Some(State::Open) => vec![list(OPEN).from(now)],
            Some(State::Overdue) => vec![list(OPEN).before(now)],
            Some(State::Answered) => vec![made(ANSWERED)],
            Some(State::WithRegulator) => vec![made(WITH_REGULATOR)],
            None if self.urgent_first => vec![list(OPEN), made(ANSWERED)],
            None => vec![made(ALL)],
        }
    }

    /// The same behind a report.
    fn lists_after(&self, entry: Option<&str>) -> Option<Vec<List>> {
        let mut lists = self.lists();
        let Some(entry) = entry else {
            return Some(lists);
        };
        while !lists.is_empty() {
            if let Some(rest) = lists[0].clone().after(entry) {
                lists[0] = rest;
                return Some(lists);
            }
            lists.remove(0);
        }
        None
    }
}

/// All reports, by when they were made.
const ALL: &str = "all";

/// Those that wait for an answer, by when it is due.
const OPEN: &str = "open";

/// Those that have one, by when they were made.
const ANSWERED: &str = "answered";

/// Those that no company can answer, by when they were made.
const WITH_REGULATOR: &str = "with_regulator";

/// Those whose person is to be told when the answer is late, by when it is due.
const UNTOLD: &str = "untold";

fn of_seller(list: &str, seller: &SellerId) -> String {
    format!("{list}={seller}")
}

/// Those of a code that wait for an answer, by when it is due.
fn of_code(locator: &str) -> String {
    format!("code={locator}")
}

/// A report as the store keeps it, in its lists; in none as long as the log does not have it.
pub(super) fn draft(kept: &Kept, answered: bool) -> Result<Draft, ServiceError> {
    let body = serde_json::to_string(kept).map_err(|_| damaged())?;
    let mut draft = Draft::from(body);
    if kept.recorded.is_none() {
        return Ok(draft);
    }
    let state = match kept.answer_by {
        None => (WITH_REGULATOR, kept.at),
        Some(_) if answered => (ANSWERED, kept.at),
        Some(by) => (OPEN, by),
    };
    for (list, at) in [(ALL, kept.at), state] {
        draft = draft.listed(list, at);
        if let Some(seller) = &kept.seller {
            draft = draft.listed(&of_seller(list, seller), at);
        }
    }
    if let (OPEN, by) = state {
        draft = draft.listed(&of_code(&kept.locator), by);
        if !kept.told_late {
            draft = draft.listed(UNTOLD, by);
        }
    }
    Ok(draft)
}

impl Service {
    /// The reports that somebody may see, the newest first unless the filter says otherwise: a
    /// seller those of calls for it, a regulator and the operator all, the operator without what
    /// people told. Of whether the number was listed they tell what the person was told.
    ///
    /// At most `limit`, behind the place that the page before ended with. A page may hold fewer
    /// than that, and still not be the last.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`] for a dialler; [`ServiceError::WrongCursor`] for a place of
    /// another list.
    pub async fn reports(
        &self,
        who: &Principal,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, ServiceError> {
        let mut filter = filter.clone();
        if let Role::Seller { seller } = &who.role {
            if filter.seller.as_ref().is_some_and(|other| other != seller) {
                return Ok(Page::default());
            }
            filter.seller = Some(seller.clone());
        }
        if matches!(who.role, Role::Dialler { .. }) {
            return Err(ServiceError::WrongRole("seller or regulator"));
        }
        let lists = filter.lists_after(after).ok_or(ServiceError::WrongCursor)?;
        let mut lists = lists.into_iter().peekable();
        let mut page = Page::default();
        let mut read = 0;
        while let Some(list) = lists.peek_mut() {
            let wanted = limit - page.reports.len();
            if wanted == 0 || read >= MOST_READ {
                // What comes next is looked for, so that nobody is sent on to nothing.
                if self.store.page(&mut list.clone(), 1).await?.is_empty() {
                    lists.next();
                    continue;
                }
                return Ok(page);
            }
            let found = self.store.page(list, wanted.min(PIECE)).await?;
            read += found.len();
            match found.last() {
                Some(last) => page.next = Some(last.entry.clone()),
                None => drop(lists.next()),
            }
            for listed in found {
                let id = ReportId::parse(&listed.id).ok_or_else(damaged)?;
                let (kept, content) = self.read_report(id, &listed.document.body)?;
                let view = seen_by(who, id, kept, content);
                page.reports.extend(view.filter(|view| filter.admits(view)));
            }
        }
        page.next = None;
        Ok(page)
    }

    /// Goes through all of them, a page at a time.
    ///
    /// # Errors
    /// As of [`Self::reports`].
    pub async fn each_report(
        &self,
        who: &Principal,
        filter: &Filter,
        mut each: impl FnMut(ReportView),
    ) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.reports(who, filter, after.as_deref(), PIECE).await?;
            page.reports.into_iter().for_each(&mut each);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// How many answers a company owes that are late, and since when the oldest is; nothing where
    /// none is.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn late_answers(
        &self,
        seller: &SellerId,
    ) -> Result<Option<(u64, Moment)>, ServiceError> {
        let list = List::of(Kind::Report, &of_seller(OPEN, seller)).before(Moment::now());
        let first = self.store.page(&mut list.clone(), 1).await?;
        let Some(first) = first.first() else {
            return Ok(None);
        };
        let id = ReportId::parse(&first.id).ok_or_else(damaged)?;
        let (kept, _) = self.read_report(id, &first.document.body)?;
        let count = self.store.count(&list).await?;
        Ok(kept.answer_by.map(|since| (count, since)))
    }

    /// Whether a report of a code waits for an answer.
    pub(super) async fn has_open_report(&self, locator: &str) -> Result<bool, ServiceError> {
        let mut list = List::of(Kind::Report, &of_code(locator));
        Ok(!self.store.page(&mut list, 1).await?.is_empty())
    }
}

/// The reports whose answer is late and whose person was not told yet.
pub(super) fn untold() -> List {
    List::of(Kind::Report, UNTOLD).before(Moment::now())
}

/// A report as it stands in a list.
pub(super) fn seen_by(
    who: &Principal,
    id: ReportId,
    kept: Kept,
    content: Content,
) -> Option<ReportView> {
    // A report is there once the log has it.
    kept.recorded?;
    match &who.role {
        Role::Dialler { .. } => None,
        Role::Seller { seller } if kept.seller.as_ref() != Some(seller) => None,
        Role::Seller { .. } => Some(kept.for_company(id, content)),
        Role::Regulator => Some(kept.for_person(id, content)),
        Role::Operator => {
            let mut view = kept.for_person(id, content);
            view.telling = None;
            Some(view)
        }
    }
}
