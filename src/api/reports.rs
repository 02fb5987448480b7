//! `GET /v1/reports`, `GET /v1/reports/{id}`, `POST /v1/reports/{id}/answer`: the side of the
//! companies, the regulator and the operator.

use std::sync::Arc;

use actix_web::web::{Bytes, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;

use super::State;
use super::audit::read_time;
use super::auth::{only_principal, principal};
use super::body::read_json;
use super::problem::Problem;
use super::query::{Query, words, wrong_parameter};
use crate::domain::{AgencyId, Finding, Principal, ReportId, SellerId};
use crate::service::ServiceError;
use crate::service::report::{Filter, ReportView, State as Progress};
use crate::table::harmless;

const PARAMETERS: [&str; 10] = [
    "seller", "agency", "finding", "state", "from", "to", "cursor", "limit", "format", "key",
];

/// How many reports a page holds unless another number is asked for, and at most.
const PAGE: (usize, usize) = (100, 1_000);

/// The columns of a table of reports.
const COLUMNS: [&str; 16] = [
    "id",
    "at",
    "called_from",
    "called_to",
    "seller",
    "finding",
    "agency",
    "opted_out",
    "opted_out_since",
    "state",
    "answer_by",
    "number",
    "company",
    "caller",
    "words",
    "answer",
];

/// The reports that a key may see, the newest first: a page of them, or a file of all.
pub(super) async fn list(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string());
    let who = principal(&state, &request, &query).await?;
    query.only(&PARAMETERS)?;
    let filter = filter(&query)?;
    // A company sees its own alone, whatever it asks for, and learns nothing about others.
    if who.role.reads_audit() {
        let (agency, seller) = (filter.agency.as_ref(), filter.seller.as_ref());
        state.service.directory().knowing(agency, seller).await?;
    }
    let format = match query.get("format") {
        None | Some("json") => None,
        Some("ndjson") => Some(Format::Ndjson),
        Some("csv") => Some(Format::Csv),
        Some(_) => return Err(wrong_parameter("format", "json, ndjson or csv")),
    };
    let Some(format) = format else {
        return page(&state, &who, &filter, &query).await;
    };
    if query.get("cursor").or(query.get("limit")).is_some() {
        return Err(wrong_parameter(
            "format",
            "json with cursor or limit: others hold all",
        ));
    }
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", "no-store"));
    file(response, &state, who, filter, format).await
}

/// One page of them.
async fn page(
    state: &State,
    who: &Principal,
    filter: &Filter,
    query: &Query<'_>,
) -> Result<HttpResponse, Problem> {
    let limit = |text: &str| {
        text.parse()
            .ok()
            .filter(|limit| (1..=PAGE.1).contains(limit))
    };
    let limit = query.parse("limit", "a number from 1 to 1000", limit)?;
    let cursor = query.get("cursor");
    let page = state
        .service
        .reports(who, filter, cursor, limit.unwrap_or(PAGE.0));
    let page = page.await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(json!({ "reports": page.reports, "next": page.next })))
}

/// The forms in which all of them are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines of JSON.
    Ndjson,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// The type of the file, and its name.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Ndjson => ("application/x-ndjson", "metrust-reports.ndjson"),
            Self::Csv => ("text/csv; charset=utf-8", "metrust-reports.csv"),
        }
    }

    fn write(self, reports: &[ReportView], first: bool) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Ndjson => lines(reports),
            Self::Csv => table(reports, first),
        }
    }
}

/// All of them, as a file that is put together page by page while it is sent.
pub(crate) async fn file(
    mut response: HttpResponseBuilder,
    state: &State,
    who: Principal,
    filter: Filter,
    format: Format,
) -> Result<HttpResponse, Problem> {
    let first = state.service.reports(&who, &filter, None, PAGE.1).await?;
    let start = format.write(&first.reports, true)?;
    let (service, next) = (Arc::clone(&state.service), first.next);
    let rest = stream::try_unfold(next, move |next| {
        let (service, who, filter) = (Arc::clone(&service), who.clone(), filter.clone());
        async move {
            let Some(next) = next else { return Ok(None) };
            let page = service.reports(&who, &filter, Some(&next), PAGE.1).await?;
            let piece = format.write(&page.reports, false)?;
            Ok::<_, Problem>(Some((Bytes::from(piece), page.next)))
        }
    });
    let start = stream::once(async { Ok(Bytes::from(start)) });
    let (content_type, name) = format.names();
    response.insert_header(("Content-Type", content_type));
    response.insert_header((
        "Content-Disposition",
        format!("attachment; filename=\"{name}\""),
    ));
    // One that fails on the way ends the connection without the closing chunk.
    Ok(response.streaming(Box::pin(start.chain(rest))))
}

/// One report.
pub(super) async fn one(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let id = ReportId::parse(&id).ok_or(ServiceError::UnknownReport)?;
    let report = state.service.report_for(&who, id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(report))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    text: String,
}

/// The company's answer.
pub(super) async fn answer(
    state: State,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let id = ReportId::parse(&id).ok_or(ServiceError::UnknownReport)?;
    let body: Answered = read_json(payload, &state.settings.http).await?;
    let report = state.service.answer_report(&who, id, &body.text).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(report))
}

/// Which reports are asked for.
fn filter(query: &Query<'_>) -> Result<Filter, Problem> {
    const TIME: &str = "a date (2026-11-21) or an RFC 3339 time (2026-11-21T20:00:00Z)";
    Ok(Filter {
        seller: query.parse("seller", "a seller's id", |text| SellerId::parse(text).ok())?,
        agency: query.parse("agency", "an agency's id", |text| {
            AgencyId::parse(text).ok()
        })?,
        finding: query.parse(
            "finding",
            &words(Finding::ALL.map(Finding::as_str)),
            Finding::parse,
        )?,
        state: query.parse(
            "state",
            &words(Progress::ALL.map(Progress::as_str)),
            |text| Progress::ALL.into_iter().find(|one| one.as_str() == text),
        )?,
        from: query.parse("from", TIME, read_time)?,
        to: query.parse("to", TIME, read_time)?,
        urgent_first: false,
    })
}

/// Reports as lines of JSON.
fn lines(reports: &[ReportView]) -> Result<Vec<u8>, Problem> {
    let mut lines = Vec::new();
    for report in reports {
        serde_json::to_writer(&mut lines, report)
            .map_err(|_| Problem::from(ServiceError::Damaged("a report")))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Reports as a table of comma-separated values, with its heading if it begins with them.
fn table(reports: &[ReportView], first: bool) -> Result<Vec<u8>, Problem> {
    let damaged = |_| Problem::from(ServiceError::Damaged("a row of the reports"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    if first {
        writer.write_record(COLUMNS).map_err(damaged)?;
    }
    for report in reports {
        let telling = report.telling.as_ref();
        let answers = telling.map(|telling| telling.answers.as_slice());
        let answers: Vec<&str> = answers
            .unwrap_or_default()
            .iter()
            .map(|answer| answer.text.as_str())
            .collect();
        let text = |moment: Option<crate::domain::Moment>| {
            moment.map(|moment| moment.to_string()).unwrap_or_default()
        };
        let row = [
            report.id.to_string(),
            report.at.to_string(),
            report.called_from.to_string(),
            report.called_to.to_string(),
            report
                .seller
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            report.finding.as_str().to_owned(),
            report
                .agency
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            report.opted_out.as_str().to_owned(),
            text(report.opted_out_since),
            report.state.as_str().to_owned(),
            text(report.answer_by),
            telling.map(|t| t.number.clone()).unwrap_or_default(),
            telling.and_then(|t| t.company.clone()).unwrap_or_default(),
            telling.map(|t| t.caller.clone()).unwrap_or_default(),
            telling.map(|t| t.words.clone()).unwrap_or_default(),
            answers.join("\n\n"),
        ];
        writer
            .write_record(row.iter().map(|cell| harmless(cell).into_owned()))
            .map_err(damaged)?;
    }
    writer
        .into_inner()
        .map_err(|error| damaged(error.into_error().into()))
}
