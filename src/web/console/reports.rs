//! Reports of calls: a company's own, or all of them for a regulator.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::visitor::{self, Again, Turned, Visitor, reopened};
use crate::api::{State, reports as files};
use crate::domain::{Finding, Moment, PhoneNumber, ReportId, SellerId};
use crate::service::report::{
    Filter, LONGEST_ANSWER, MOST_ANSWERS, Page, ReportView, State as Progress,
};
use crate::service::{ServiceError, Snapshot};
use crate::web::answer::{message, protect, see_other};
use crate::web::draft::{Draft, Why};
use crate::web::form::Fields;
use crate::web::moment::{Clock, read_day};
use crate::web::pages::{
    AnswerBox, AnswerError, ConsoleReport, ConsoleReports, ConsoleRole, FilterForm, MessageKind,
    ReportLine,
};
use crate::web::report::{Shown, company_name};
use crate::web::{Desk, DeskData};

/// Where the list is.
pub(super) const PATH: &str = "/console/reports";

/// How many reports one page shows.
const SHOWN: usize = 100;

/// The filter as it stands in the address.
#[derive(Debug, Default)]
struct Typed(BTreeMap<&'static str, String>);

const FILTERS: [&str; 6] = ["company", "finding", "state", "from", "to", AFTER];

/// Where in the list a page begins.
const AFTER: &str = "after";

impl Typed {
    fn of(query: &str) -> Self {
        let mut typed = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let known = FILTERS.into_iter().find(|known| *known == name);
            if let Some(known) = known.filter(|_| !value.trim().is_empty()) {
                typed.insert(known, value.trim().to_owned());
            }
        }
        Self(typed)
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same as part of an address.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.0);
        query.finish()
    }

    /// The same from another place in the list on, or from its beginning.
    fn from(&self, place: Option<String>) -> Self {
        let mut typed = self.0.clone();
        typed.remove(AFTER);
        typed.extend(place.map(|place| (AFTER, place)));
        Self(typed)
    }

    /// What is meant; nothing when a part cannot be read: the whole list would be mistaken for the
    /// part.
    fn read(&self, clock: Clock) -> Option<Filter> {
        fn part<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
            match text {
                "" => Some(None),
                text => read(text).map(Some),
            }
        }
        let midnight = |text: &str, minutes: i64| Some(clock.at(read_day(text)?, minutes).0);
        let state = |text: &str| Progress::ALL.into_iter().find(|one| one.as_str() == text);
        Some(Filter {
            seller: part(self.get("company"), |text| SellerId::parse(text).ok())?,
            agency: None,
            finding: part(self.get("finding"), Finding::parse)?,
            state: part(self.get("state"), state)?,
            from: part(self.get("from"), |text| midnight(text, 0))?,
            // The last day is meant with all of its hours.
            to: part(self.get("to"), |text| midnight(text, 24 * 60))?,
            urgent_first: false,
        })
    }
}

/// Where the list is with the filter of a query.
pub(super) fn address(query: &str) -> String {
    match Typed::of(query).query() {
        query if query.is_empty() => PATH.to_owned(),
        query => format!("{PATH}?{query}"),
    }
}

/// Somebody who deals with reports: a company or a regulator.
async fn enter<'a>(
    state: &'a State,
    desk: &'a Desk,
    request: &'a HttpRequest,
) -> Result<Visitor<'a>, Turned> {
    let visitor = Visitor::enter(state, desk, request).await?;
    match visitor.role {
        ConsoleRole::Seller | ConsoleRole::Regulator => Ok(visitor),
        ConsoleRole::Operator => Err(Box::new(visitor.not_found())),
    }
}

/// `GET /console/reports`: the list.
pub(super) async fn list(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let visitor = match enter(&state, &desk, &request).await {
        Ok(visitor) => visitor,
        Err(answer) => return *answer,
    };
    let typed = Typed::of(request.query_string());
    let filter = typed.read(desk.clock).map(|filter| Filter {
        urgent_first: visitor.role == ConsoleRole::Seller,
        ..filter
    });
    let after = typed.0.get(AFTER).map(String::as_str);
    let page = match &filter {
        Some(filter) => {
            let page = state.service.reports(&visitor.who, filter, after, SHOWN);
            match page.await {
                Ok(page) => page,
                Err(ServiceError::WrongCursor) => return visitor.not_found(),
                Err(error) => return visitor.failed(&error),
            }
        }
        None => Page::default(),
    };
    let known = state.service.directory().known();
    let now = Moment::now();
    let reports = page.reports.iter();
    let lines = reports
        .map(|report| line(&desk, report, &known, now))
        .collect();
    let is_all = after.is_none() && page.next.is_none();
    let next = page.next.map(|next| typed.from(Some(next)).query());
    let view = ConsoleReports {
        frame: visitor.frame(),
        nav: visitor.nav(PATH),
        address: address(&typed.query()),
        is_all,
        lines,
        next: next.map(|query| format!("{PATH}?{query}")),
        query: &typed.from(None).query(),
        filter: (visitor.role == ConsoleRole::Regulator).then(|| FilterForm {
            company: typed.get("company"),
            finding: typed.get("finding"),
            state: typed.get("state"),
            from: typed.get("from"),
            to: typed.get("to"),
            companies: companies(&known),
            wrong: filter.is_none(),
        }),
    };
    let status = match filter {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    visitor.page(status, &view)
}

fn companies(known: &Snapshot) -> Vec<(String, String)> {
    let sellers = known.sellers.iter();
    let mut companies: Vec<_> = sellers
        .map(|(id, seller)| (id.to_string(), seller.name.clone()))
        .collect();
    companies.sort_by_key(|(_, name)| name.to_lowercase());
    companies
}

fn line(desk: &Desk, report: &ReportView, known: &Snapshot, now: Moment) -> ReportLine {
    let number = report.telling.as_ref().map(|telling| &telling.number);
    let number = number.and_then(|number| PhoneNumber::parse(number, None).ok());
    ReportLine {
        path: path(report.id),
        company: company_name(report, known),
        number: number.map_or_else(String::new, |number| number.international()),
        called: desk.local_time(report.called_to),
        finding: report.finding,
        state: report.state,
        left: left(report, now),
    }
}

/// The seconds that are left for the answer, or, below zero, by which it is late.
fn left(report: &ReportView, now: Moment) -> Option<i64> {
    let waits = matches!(report.state, Progress::Open | Progress::Overdue);
    let by = report.answer_by.filter(|_| waits)?;
    Some((by.millis() - now.millis()) / 1000)
}

/// Where a report is.
pub(super) fn path(id: ReportId) -> String {
    format!("{PATH}/{id}")
}

/// `GET /console/reports.csv`: the same as a table.
pub(super) async fn csv(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let made = file(&state, &desk, &request, files::Format::Csv).await;
    made.unwrap_or_else(|answer| *answer)
}

/// `GET /console/reports.ndjson`: the same as lines of JSON.
pub(super) async fn ndjson(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let made = file(&state, &desk, &request, files::Format::Ndjson).await;
    made.unwrap_or_else(|answer| *answer)
}

async fn file(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    format: files::Format,
) -> Result<HttpResponse, Turned> {
    let visitor = enter(state, desk, request).await?;
    let Some(filter) = Typed::of(request.query_string()).read(desk.clock) else {
        return Err(Box::new(message(desk, request, MessageKind::BadRequest)));
    };
    let mut response = HttpResponse::Ok();
    protect(desk, &mut response);
    let file = files::file(response, state, visitor.who.clone(), filter, format).await;
    file.map_err(|problem| Box::new(problem.error_response()))
}

/// `GET /console/reports/{id}`: one report.
pub(super) async fn one(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    let path = request.path();
    let show = async |visitor: &Visitor<'_>, draft: &Draft| again(visitor, path, draft).await;
    if let Some(page) = reopened(&state, &desk, &request, show).await {
        return page;
    }
    let visitor = match enter(&state, &desk, &request).await {
        Ok(visitor) => visitor,
        Err(answer) => return *answer,
    };
    let Some(id) = ReportId::parse(&id) else {
        return visitor.not_found();
    };
    page_of(&visitor, id, "", None).await
}

/// The report at `path` once more, with the answer that was being written.
pub(super) async fn again(visitor: &Visitor<'_>, path: &str, draft: &Draft) -> HttpResponse {
    let id = path.strip_prefix(PATH).and_then(|id| id.strip_prefix('/'));
    match (id.and_then(ReportId::parse), visitor.role) {
        (Some(id), ConsoleRole::Seller) => {
            page_of(visitor, id, &text_of(&draft.fields), Some(draft.why)).await
        }
        _ => visitor.not_found(),
    }
}

/// Browsers send a line's end as two signs.
fn text_of(fields: &Fields) -> String {
    let text = fields.get("text").unwrap_or_default();
    text.replace("\r\n", "\n")
}

/// What is wrong with an answer, if anything.
fn wrong(text: &str) -> Option<AnswerError> {
    match text.trim().chars().count() {
        0 => Some(AnswerError::Empty),
        1..=LONGEST_ANSWER => None,
        _ => Some(AnswerError::Long(LONGEST_ANSWER)),
    }
}

/// `POST /console/reports/{id}`: the company's answer.
pub(super) async fn answer(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> HttpResponse {
    let Ok(mut fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let why = match sent(&state, &desk, &request, &id, &mut fields).await {
        Ok(done) => return done,
        Err(why) => why,
    };
    let path = request.path();
    let show = async |visitor: &Visitor<'_>, draft: &Draft| again(visitor, path, draft).await;
    visitor::again(&state, &desk, &request, fields, why, show).await
}

async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    id: &str,
    fields: &mut Fields,
) -> Result<HttpResponse, Again> {
    let (visitor, _) = Visitor::send(state, desk, request, fields).await?;
    let (Some(id), ConsoleRole::Seller) = (ReportId::parse(id), visitor.role) else {
        return Err(MessageKind::NotFound.into());
    };
    if fields.get("lang").is_some() {
        return Err(Why::NextStep.into());
    }
    let text = text_of(fields);
    if wrong(&text).is_some() {
        return Err(Why::Wrong.into());
    }
    match state.service.answer_report(&visitor.who, id, &text).await {
        Ok(_) => Ok(see_other(desk, &path(id), None)),
        Err(ServiceError::UnknownReport) => Err(MessageKind::NotFound.into()),
        Err(error) => Err(Why::failed(&error).into()),
    }
}

async fn page_of(
    visitor: &Visitor<'_>,
    id: ReportId,
    text: &str,
    why: Option<Why>,
) -> HttpResponse {
    let report = match visitor.state.service.report_for(&visitor.who, id).await {
        Ok(report) => report,
        Err(error) => return visitor.failed(&error),
    };
    let shown = Shown::new(visitor.state, &report);
    let path = path(id);
    let desk = visitor.desk;
    let answers = report.telling.as_ref().map_or(0, |told| told.answers.len());
    let may_answer = visitor.role == ConsoleRole::Seller && answers < MOST_ANSWERS;
    let view = ConsoleReport {
        frame: visitor.frame(),
        nav: visitor.nav(PATH),
        told: report.told,
        opted_out: report.opted_out,
        opted_out_since: report.opted_out_since.map(|at| desk.local_time(at)),
        left: left(&report, Moment::now()),
        answer: may_answer.then_some(AnswerBox {
            text,
            error: wrong(text).filter(|_| why == Some(Why::Wrong)),
            again: answers > 0,
        }),
        notice: why.and_then(Why::notice),
        report: shown.view(desk, visitor.frame(), visitor.token(), &path, None),
    };
    visitor.page(StatusCode::OK, &view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_what_it_shows_and_refuses_what_it_cannot_read() {
        let clock = Clock::of("Europe/Brussels", "");
        let whole =
            Typed::of("company=telco&finding=not_asked&state=open&from=2026-11-21&to=21/11/2026");
        let filter = whole.read(clock).unwrap();
        assert_eq!(
            filter.seller.map(|id| id.to_string()).as_deref(),
            Some("telco")
        );
        assert_eq!(filter.finding, Some(Finding::NotAsked));
        assert_eq!(filter.state, Some(Progress::Open));
        assert_eq!(filter.from.unwrap().to_string(), "2026-11-20T23:00:00.000Z");
        assert_eq!(filter.to.unwrap().to_string(), "2026-11-21T23:00:00.000Z");
        assert_eq!(Typed::of(&whole.query()).0, whole.0);
        assert_eq!(Typed::of("").read(clock), Some(Filter::default()));
        assert_eq!(Typed::of("state=&other=1").query(), "");
        for wrong in [
            "company=no%20id",
            "finding=x",
            "state=x",
            "from=soon",
            "to=2026-02-31",
        ] {
            assert!(Typed::of(wrong).read(clock).is_none(), "{wrong}");
        }
    }
}
