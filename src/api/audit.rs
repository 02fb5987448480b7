//! `GET /v1/audit/entries`: the regulator's export, streamed.

use std::sync::Arc;

use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Deserialize;
use tokio::runtime::Handle;

use super::State;
use super::auth::{only_principal, principal};
use super::blocking;
use super::body::read_json;
use super::problem::Problem;
use super::query::{Query, notation, words, wrong_parameter};
use crate::domain::{AgencyId, Entry, EntryId, Month, Op, PhoneNumber, SellerRef};
use crate::service::ServiceError;
use crate::service::audit::{Filter, Reader, write_csv_row};

const PARAMETERS: [&str; 12] = [
    "from", "to", "after", "agency", "seller", "op", "answer", "phone", "region", "numbers",
    "format", "key",
];

/// In the answer to whoever asked for more: entries of before this moment are no longer there.
pub(crate) const ENTRIES_SINCE: &str = "Metrust-Entries-Since";

/// How many entries go into one piece of the answer.
const PIECE: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

/// Every entry that the filters admit, oldest first.
pub(super) async fn entries(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string());
    let who = principal(&state, &request, &query).await?;
    let permit = state.service.audit_permit(&who).await?;
    query.only(&PARAMETERS)?;
    let format = match query.get("format") {
        None | Some("ndjson") => Format::Ndjson,
        Some("csv") => Format::Csv,
        Some(_) => return Err(wrong_parameter("format", "ndjson or csv")),
    };
    let filter = filter(&query)?;
    let reader = Reader::begin(Arc::clone(&state.service), permit, &who, filter).await?;
    let (content_type, name) = match format {
        Format::Ndjson => ("application/x-ndjson", "metrust-audit.ndjson"),
        Format::Csv => ("text/csv; charset=utf-8", "metrust-audit.csv"),
    };
    let gone_before = reader.gone_before();
    let pieces = stream::try_unfold((reader, true), move |(mut reader, first)| async move {
        let runtime = Handle::current();
        let piece = blocking(move || {
            let piece = runtime.block_on(next_piece(&mut reader, format, first))?;
            Ok(piece.map(|piece| (piece, (reader, false))))
        });
        let piece = piece.await;
        piece.inspect_err(|error| tracing::error!(%error, "an export broke off"))
    });
    let mut response = HttpResponse::Ok();
    if let Some(since) = gone_before {
        response.insert_header((ENTRIES_SINCE, since.to_string()));
    }
    Ok(response
        .insert_header(("Content-Type", content_type))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header((
            "Content-Disposition",
            format!("attachment; filename=\"{name}\""),
        ))
        // A reading that fails ends the connection without the closing chunk, so that no client
        // takes half an export for a whole one.
        .streaming(Box::pin(pieces)))
}

async fn next_piece(
    reader: &mut Reader,
    format: Format,
    first: bool,
) -> Result<Option<Bytes>, Problem> {
    let mut entries = Vec::with_capacity(PIECE);
    while entries.len() < PIECE {
        match reader.next().await? {
            Some(entry) => entries.push(entry),
            None => break,
        }
    }
    let header = first && format == Format::Csv;
    if entries.is_empty() && !header {
        return Ok(None);
    }
    Ok(Some(match format {
        Format::Ndjson => ndjson(&entries),
        Format::Csv => csv(&entries, header)?,
    }))
}

fn ndjson(entries: &[Entry]) -> Bytes {
    let mut out = Vec::with_capacity(entries.len() * 400);
    for entry in entries {
        entry.write_json(&mut out);
        out.push(b'\n');
    }
    out.into()
}

fn csv(entries: &[Entry], header: bool) -> Result<Bytes, Problem> {
    let damaged = |_| Problem::from(ServiceError::Damaged("a row of the export"));
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(entries.len() * 300));
    if header {
        writer.write_record(Entry::FIELDS).map_err(damaged)?;
    }
    for entry in entries {
        write_csv_row(entry, &mut writer).map_err(damaged)?;
    }
    let out = writer
        .into_inner()
        .map_err(|error| damaged(error.into_error().into()))?;
    Ok(out.into())
}

fn filter(query: &Query<'_>) -> Result<Filter, Problem> {
    const TIME: &str = "a date (2026-11-21) or an RFC 3339 time (2026-11-21T20:00:00Z)";
    let notation = query.notation()?;
    let phone = query
        .get("phone")
        .map(|text| PhoneNumber::parse_query(text, notation).map_err(Problem::unreadable));
    let from = query.parse("from", TIME, read_time)?;
    let to = query.parse("to", TIME, read_time)?;
    if from.is_some_and(|from| to.is_some_and(|to| to <= from)) {
        return Err(wrong_parameter("to", "a time after `from`"));
    }
    Ok(Filter {
        from,
        to,
        after: query.parse("after", "the id of an entry", EntryId::parse)?,
        agency: query.parse("agency", "an agency's id", |text| {
            AgencyId::parse(text).ok()
        })?,
        seller: query.parse("seller", "a seller's id, or all", |text| {
            SellerRef::parse(text).ok()
        })?,
        op: query.parse("op", &words(Op::ALL.map(Op::as_str)), Op::parse)?,
        answer: query.parse("answer", "suppress, not_listed or invalid", |text| {
            ["suppress", "not_listed", "invalid"]
                .contains(&text)
                .then(|| text.to_owned())
        })?,
        phone: phone.transpose()?,
    })
}

/// A raw `+` of an offset reaches us as a blank.
pub(super) fn read_time(text: &str) -> Option<crate::domain::Moment> {
    text.replace(' ', "+").parse().ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpeningsBody {
    phone: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    international: bool,
    #[serde(default)]
    months: Vec<String>,
}

/// `POST /v1/audit/openings`: what lets a regulator find one number in the log. The number is in
/// the body, so that no address and no proxy's log holds it.
pub(super) async fn openings(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let body: OpeningsBody = read_json(payload, &state.settings.http).await?;
    let notation = notation(body.region.as_deref(), body.international)?;
    let phone = PhoneNumber::parse(&body.phone, notation).map_err(Problem::unreadable)?;
    let months = body.months.iter().map(|text| month(text));
    let months: Vec<_> = months.collect::<Result<_, _>>()?;
    let openings = state.service.open_number(&who, &phone, &months).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", "text/plain; charset=utf-8"))
        .insert_header(("Cache-Control", "no-store"))
        .body(openings))
}

/// A month as it is written.
pub(super) fn month(text: &str) -> Result<Month, Problem> {
    text.parse()
        .map_err(|_| wrong_parameter("months", "written like 2026-11"))
}
