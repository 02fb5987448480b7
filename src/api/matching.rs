//! `POST /v1/audit/match`: call-detail records in, the same records with what is on record about
//! each out.

use std::io::{self, Read, Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::State;
use super::auth::principal;
use super::blocking;
use super::problem::Problem;
use super::query::{Query, wrong_parameter};
use super::sheets::{self, SheetQuery};
use super::spool::{self, Spool, Spooled};
use crate::domain::{AgencyId, SellerId};
use crate::service::matching::{
    CallsError, Column, Finding, Format, Mapping, MatchError, Options, Preset, Registered, Report,
    Tally,
};
use crate::table::{DateOrder, TimeRules, may_be_workbook, read_zone};

const PARAMETERS: [&str; 21] = [
    "called",
    "time",
    "agency",
    "seller",
    "default_agency",
    "default_seller",
    "heading",
    "delimiter",
    "sheet",
    "preset",
    "region",
    "numbers",
    "time_zone",
    "date_format",
    "strip_prefix",
    "validity_s",
    "tolerance_s",
    "look_back_days",
    "format",
    "summary",
    "key",
];

/// How many pieces of the answer wait for the client at most.
const WAITING: usize = 8;

/// How large a piece of the answer is, about.
const PIECE: usize = 64 << 10;

/// Matches call-detail records with what is on record.
pub(super) async fn records(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string());
    let who = principal(&state, &request, &query).await?;
    let permit = state.service.audit_permit(&who).await?;
    query.only(&PARAMETERS)?;
    let mut mapping = mapping(&query)?;
    let (agency, seller) = (
        mapping.default_agency.as_ref(),
        mapping.default_seller.as_ref(),
    );
    let known = state.service.directory().knowing(agency, seller).await?;
    mapping.known = Some(known);
    let options = options(&state, &query)?;
    let format = match query.get("format") {
        None | Some("csv") => Format::Csv,
        Some("ndjson") => Format::Ndjson,
        Some(_) => return Err(wrong_parameter("format", "csv or ndjson")),
    };
    let with_summary = match query.get("summary") {
        None | Some("1") => true,
        Some("0") => false,
        Some(_) => return Err(wrong_parameter("summary", "1 or 0")),
    };
    let (mut records, digest) = spool(&state, payload).await?;
    let mut start = Vec::new();
    let read = Read::by_ref(&mut records).take(4).read_to_end(&mut start);
    let read = read.and_then(|_| records.rewind());
    read.map_err(|_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    if may_be_workbook(&start) {
        if records.length() > sheets::LONGEST {
            return Err(Problem::too_large().with("most_bytes", sheets::LONGEST));
        }
        let sheet = SheetQuery {
            name: query.get("sheet").map(str::to_owned),
            delimiter: *mapping.delimiter.get_or_insert(b','),
        };
        records = as_table(&state, records, sheet).await?;
    }
    // What cannot be read at all is told now, while there is still a status to tell it by.
    let probed = blocking(move || Ok((probe(records, &mapping)?, mapping))).await?;
    let ((records, columns), mapping) = probed;
    let matching = state.service.begin_match(permit, &who, options, digest);
    let matching = matching.await?;
    let (pieces, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces::new(pieces);
        let done = matching.run(records, &mapping, &mut out, format);
        let ended = match done {
            Ok(report) if with_summary => summary(&mut out, &report, format),
            Ok(_) => Ok(()),
            Err(error) => Err(match error {
                MatchError::Write(error) => error,
                error => io::Error::other(error.to_string()),
            }),
        };
        let ended = ended.and_then(|()| out.flush());
        if let Err(error) = ended {
            tracing::warn!("a match broke off");
            out.break_off(error);
        }
    });
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Ndjson => "application/x-ndjson",
    };
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", content_type))
        .insert_header(("Match-Columns", columns))
        .insert_header(("Cache-Control", "no-store"))
        // A match that fails ends the connection without the closing chunk.
        .streaming(Box::pin(pieces)))
}

/// The records of a workbook.
async fn as_table(state: &State, book: Spooled, sheet: SheetQuery) -> Result<Spooled, Problem> {
    let waiting = Arc::new(());
    let one = state.sheets.acquire().await;
    let _one = one.map_err(|_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    let (state, who) = (state.clone(), Arc::downgrade(&waiting));
    let table = blocking(move || {
        sheets::as_table(&state, book, &sheet, who).map_err(|error| {
            sheets::refused(&error, "unreadable_records", "These records cannot be read")
        })
    });
    table.await
}

/// Takes the whole body in, out of memory.
async fn spool(state: &State, mut payload: Payload) -> Result<(Spooled, [u8; 32]), Problem> {
    let no_room = |_: io::Error| sheets::no_room();
    let limit = state.settings.audit.max_match_bytes;
    let patience = Duration::from_millis(state.settings.http.body_timeout_ms);
    let folder = state.data.clone();
    let mut spool = blocking(move || Spool::new(&folder).map_err(no_room)).await?;
    let (mut came, mut waiting, mut total) = (Vec::new(), 0, 0_u64);
    loop {
        let part = tokio::time::timeout(patience, payload.next()).await;
        let part = part.map_err(|_| Problem::too_slow())?;
        let Some(part) = part else { break };
        let part = part
            .map_err(|_| Problem::bad_request("The body broke off.", "Send the request again."))?;
        total += part.len() as u64;
        if total > limit {
            return Err(Problem::too_large().with("most_bytes", limit));
        }
        waiting += part.len();
        came.push(part);
        if waiting >= spool::PIECE {
            let parts = std::mem::take(&mut came);
            spool = blocking(move || spool.with(&parts).map_err(no_room)).await?;
            waiting = 0;
        }
    }
    let finish = move || spool.with(&came)?.finish();
    blocking(move || finish().map_err(no_room)).await
}

/// Makes sure that these are call-detail records: that a row of them can be read.
/// Says which columns were taken, too.
fn probe(mut records: Spooled, mapping: &Mapping) -> Result<(Spooled, String), Problem> {
    let columns = crate::service::matching::probe(&mut records, mapping).map_err(|error| {
        let remedy = match error {
            CallsError::NoReadableRow { .. } => {
                "Look at the first rows. Times that do not say their zone need \
                 time_zone=Europe/Brussels (or an offset: time_zone=+01:00); numbers without a country \
                 code need region=…; agencies and sellers are named by their ids here."
            }
            CallsError::DateAmbiguous(_) => {
                "Say in which order they stand: date_format=dmy, or date_format=mdy."
            }
            _ => {
                "Send CSV with a heading, or name the columns: called=…, time=…, and heading=no where \
                 there is none."
            }
        };
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unreadable_records",
            "These records cannot be read",
            error.to_string(),
            remedy,
        )
    })?;
    let rewound = records.rewind();
    rewound.map_err(|_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok((records, columns))
}

fn mapping(query: &Query<'_>) -> Result<Mapping, Problem> {
    let column = |name| query.get(name).map(Column::new);
    let heading = query.parse("heading", "yes or no", |text| match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    })?;
    let id = "an id";
    let preset = query.parse("preset", "asterisk or freeswitch", Preset::parse)?;
    let told = ["called", "time", "heading"].map(|name| query.get(name));
    if preset.is_some() && told.iter().any(Option::is_some) {
        return Err(wrong_parameter(
            "preset",
            "no called, time or heading beside it",
        ));
    }
    let mapping = Mapping {
        called: column("called"),
        time: column("time"),
        agency: column("agency"),
        seller: column("seller"),
        default_agency: query.parse("default_agency", id, |text| AgencyId::parse(text).ok())?,
        default_seller: query.parse("default_seller", id, |text| SellerId::parse(text).ok())?,
        heading: heading.unwrap_or(true),
        delimiter: query.parse("delimiter", "one character, or tab", |text| match text {
            "tab" => Some(b'\t'),
            text => (text.len() == 1).then(|| text.as_bytes()[0]),
        })?,
        notation: query.notation()?,
        times: TimeRules {
            zone: query.parse(
                "time_zone",
                "a time zone, as in Europe/Brussels, or an offset from UTC, as in +02:00",
                read_zone,
            )?,
            order: query.parse("date_format", "dmy or mdy", DateOrder::parse)?,
        },
        strip_prefix: query.parse("strip_prefix", "some digits", |text| {
            let digits = (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.to_owned())
        })?,
        known: None,
    };
    Ok(match preset {
        Some(preset) => mapping.of_switch(preset),
        None => mapping,
    })
}

fn options(state: &State, query: &Query<'_>) -> Result<Options, Problem> {
    let number = |text: &str| text.parse::<u64>().ok();
    let mut options = Options::new(state.service.validity());
    let seconds = "a number of seconds";
    if let Some(validity) = query.parse("validity_s", seconds, number)? {
        options.validity = Duration::from_secs(validity);
    }
    if let Some(tolerance) = query.parse("tolerance_s", seconds, number)? {
        options.tolerance = Duration::from_secs(tolerance);
    }
    if let Some(days) = query.parse("look_back_days", "a number of days", number)? {
        options.look_back = Duration::from_secs(days.saturating_mul(86_400));
    }
    Ok(options)
}

/// The last lines: by agency, what became of its calls. In a table they begin with `#`, so that
/// they are not taken for calls.
fn summary(out: &mut impl Write, report: &Report, format: Format) -> io::Result<()> {
    let missing: Vec<_> = report
        .missing_keys
        .iter()
        .map(ToString::to_string)
        .collect();
    if format == Format::Ndjson {
        let mut agencies = Map::new();
        for (agency, tally) in report.summary.agencies() {
            agencies.insert(agency.to_owned(), counts(tally));
        }
        let line = json!({ "summary": {
            "agencies": agencies,
            "total": counts(report.summary.total()),
            "months_without_key": missing,
        }});
        return writeln!(out, "{line}");
    }
    let findings = Finding::ALL.map(Finding::as_str).join(",");
    let registered = Registered::ALL.map(|value| format!("registered_{}", value.as_str()));
    writeln!(
        out,
        "#summary,agency,calls,{findings},{}",
        registered.join(",")
    )?;
    let total = [("(all)", report.summary.total())];
    for (agency, tally) in report.summary.agencies().chain(total) {
        let mut row = csv::Writer::from_writer(Vec::new());
        row.write_field("#summary")?;
        row.write_field(agency)?;
        row.write_field(tally.calls().to_string())?;
        for finding in Finding::ALL {
            row.write_field(tally.found(finding).to_string())?;
        }
        for registered in Registered::ALL {
            row.write_field(tally.registered(registered).to_string())?;
        }
        row.write_record(None::<&[u8]>)?;
        out.write_all(&row.into_inner().map_err(io::Error::other)?)?;
    }
    for month in missing {
        writeln!(out, "#month without a key,{month}")?;
    }
    Ok(())
}

fn counts(tally: &Tally) -> Value {
    let mut counts = Map::new();
    counts.insert("calls".to_owned(), tally.calls().into());
    for finding in Finding::ALL {
        counts.insert(finding.as_str().to_owned(), tally.found(finding).into());
    }
    for registered in Registered::ALL {
        let name = format!("registered_{}", registered.as_str());
        counts.insert(name, tally.registered(registered).into());
    }
    counts.into()
}

/// Hands what is written over to the answer, piece by piece, and waits where the client does.
struct Pieces {
    to: mpsc::Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Pieces {
    fn new(to: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self {
            to,
            waiting: Vec::with_capacity(PIECE),
        }
    }

    fn break_off(self, error: io::Error) {
        // A client that is gone need not be told.
        let _ = self.to.blocking_send(Err(error));
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        let sent = self.to.blocking_send(Ok(piece.into()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
