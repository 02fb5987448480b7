//! `POST /v1/wash`: a calling list in, the same rows with their answers out, while it comes in; and
//! `GET /v1/washes/{id}`: its receipt.

mod encoding;
mod input;
mod output;
mod receipt;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

pub(super) use receipt::receipt;

use self::encoding::{Encoder, accepted};
use self::input::Body;
use self::output::Rows;
use super::State;
use super::auth::principal;
use super::problem::Problem;
use super::query::{Query, wrong_parameter};
use super::sheets::{self, SheetQuery};
use crate::domain::{Campaign, Channel, SellerId};
use crate::service::Question;
use crate::service::wash::{ADDED, BeginError, InputError};
use crate::table::{Coding, Column, Encoding, Form, HeadError, LayoutError, Wanted};

const PARAMETERS: [&str; 15] = [
    "seller",
    "channel",
    "campaign",
    "region",
    "numbers",
    "region_column",
    "format",
    "column",
    "columns",
    "delimiter",
    "heading",
    "encoding",
    "sheet",
    "summary",
    "key",
];

/// Washes a list.
pub(super) async fn wash(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(request.query_string());
    let who = principal(&state, &request, &query).await?;
    let place = state.service.wash_place(&who)?;
    query.only(&PARAMETERS)?;
    let question = Question {
        seller: SellerId::parse(query.need("seller")?)?,
        channel: query
            .parse("channel", "voice or text", Channel::parse)?
            .unwrap_or(Channel::Voice),
        campaign: query.get("campaign").map(Campaign::parse).transpose()?,
    };
    let notation = query.notation()?;
    let wanted = wanted(&request, &query)?;
    let with_summary = match query.get("summary") {
        None | Some("none") => false,
        Some("line") => true,
        Some(_) => return Err(wrong_parameter("summary", "line or none")),
    };
    let coming = coding_of(&request)?;
    let going = header(&request, &ACCEPT_ENCODING).map_or(Coding::Plain, accepted);
    let no_memory = |_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
    let encoder = Encoder::new(going).map_err(no_memory)?;
    let wash = state.service.begin_wash(place, &who, question, notation)?;
    let id = wash.id().to_string();

    let form = wanted.form;
    let is_sheet = Arc::new(AtomicBool::new(false));
    let sheet = (form == Form::Csv).then(|| {
        let query = SheetQuery {
            name: query.get("sheet").map(str::to_owned),
            delimiter: wanted.delimiter.unwrap_or(b','),
        };
        (query, Arc::downgrade(&is_sheet))
    });
    let input = Body::begin(state.clone(), payload, coming, sheet).map_err(no_memory)?;
    let idle = Duration::from_secs(state.settings.check.wash_idle_s);
    let (rows, answer) = Rows::new(state.clone(), encoder, form, with_summary, idle);
    let begun = wash.spawn(wanted, input, rows).map_err(|_| {
        Problem::from(crate::service::ServiceError::TooManyWashes(
            state.settings.check.max_washes,
        ))
    })?;
    // What cannot be read at all is told now, while there is still a status to tell it by.
    let begun = begun.await;
    let begun = begun.map_err(|_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    let columns = begun??;
    let media_type = match is_sheet.load(Ordering::Relaxed) {
        true => "text/csv; charset=utf-8".to_owned(),
        false => media_type(&request, form),
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Vary", "Accept-Encoding"))
        .insert_header(("Wash-Id", id));
    // Whoever did not say which columns hold the numbers is told which were taken.
    if form == Form::Csv {
        response.insert_header(("Wash-Columns", columns));
    }
    if let Some(name) = going.name() {
        response.insert_header((CONTENT_ENCODING, name));
    }
    Ok(response.streaming(Box::pin(answer)))
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Layout(error) => unreadable(error),
            BeginError::Input(InputError::Sheet(error)) => {
                sheets::refused(&error, "unreadable_list", "This list cannot be read")
            }
            BeginError::Input(InputError::TooLong(most)) => {
                Self::too_large().with("most_bytes", most)
            }
            BeginError::Input(InputError::Stalled) => Self::too_slow(),
            BeginError::Input(InputError::Broken) => Self::bad_request(
                "The list broke off before its first row, or its compression is damaged.",
                "Send the list again.",
            ),
        }
    }
}

fn unreadable(error: LayoutError) -> Problem {
    let remedy = match error {
        LayoutError::NoColumn | LayoutError::SeveralColumns | LayoutError::NoSuchColumn(..) => {
            "Say which column it is: column=NAME, or column=2; several, as in column=2,3; or two that \
             are one number together, as in column=1+2; and heading=no where the first row is a row \
             already."
        }
        LayoutError::Answered(_) => "Send the list as it was before it was washed.",
        LayoutError::Head(HeadError::Foreign(_)) => {
            "Send the list itself as text, in UTF-8, UTF-16 or Windows-1252, or as a workbook (.xlsx)."
        }
        LayoutError::NotAnObject => "Send one JSON object a line, or say which format it is.",
        LayoutError::Head(HeadError::NoRow) => "Take the empty lines at its beginning out.",
        LayoutError::Head(_) => "Look at its first row, and at the sign between its columns.",
    };
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "unreadable_list",
        "This list cannot be read",
        error.to_string(),
        remedy,
    )
}

fn wanted(request: &HttpRequest, query: &Query<'_>) -> Result<Wanted, Problem> {
    let form = query.parse("format", "csv, lines or ndjson", |text| match text {
        "csv" => Some(Form::Csv),
        "lines" => Some(Form::Lines),
        "ndjson" => Some(Form::Ndjson),
        _ => None,
    })?;
    let form = match form {
        Some(form) => form,
        None => form_of(request)?,
    };
    let encoding = query.parse("encoding", "utf-8 or windows-1252", Encoding::parse)?;
    if form == Form::Ndjson && encoding == Some(Encoding::Windows1252) {
        return Err(wrong_parameter("encoding", "utf-8, as JSON has no other"));
    }
    Ok(Wanted {
        form,
        column: query.get("column").map(Column::new),
        columns: query.parse("columns", "a number", |text| text.parse().ok())?,
        delimiter: query.parse("delimiter", "one sign, or tab", delimiter)?,
        heading: query.parse("heading", "yes or no", |text| match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })?,
        encoding,
        region_column: query.get("region_column").map(Column::new),
        taken: &ADDED,
    })
}

/// A sign that stands in no answer, in no time and in no number.
fn delimiter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" => Some(b'\t'),
        [sign] if b",;|\t~^!#$%&*/?@`=<>".contains(sign) => Some(*sign),
        _ => None,
    }
}

/// How spreadsheets are called: .xlsx, .xls and .ods.
const SPREADSHEETS: [&str; 3] = [
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
];

fn form_of(request: &HttpRequest) -> Result<Form, Problem> {
    let given = header(request, &CONTENT_TYPE).unwrap_or_default();
    let media = given.split(';').next().unwrap_or_default().trim();
    match media.to_ascii_lowercase().as_str() {
        "text/csv" => Ok(Form::Csv),
        // Where these are not what they say, their first bytes tell.
        media if SPREADSHEETS.contains(&media) => Ok(Form::Csv),
        "text/plain" => Ok(Form::Lines),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Form::Ndjson),
        _ => Err(unsupported(
            "The request does not say what form the list has.",
            "Send Content-Type text/csv, text/plain (one number a line) or application/x-ndjson, or \
             that of a workbook (.xlsx); or format=csv, lines or ndjson in the query.",
        )),
    }
}

fn media_type(request: &HttpRequest, form: Form) -> String {
    let own = match form {
        Form::Csv => "text/csv",
        Form::Lines => "text/plain",
        Form::Ndjson => "application/x-ndjson",
    };
    // With the charset that it came with: the bytes are the same.
    match header(request, &CONTENT_TYPE) {
        Some(given) if given.starts_with(own) => given.to_owned(),
        _ => own.to_owned(),
    }
}

fn coding_of(request: &HttpRequest) -> Result<Coding, Problem> {
    let given = header(request, &CONTENT_ENCODING).unwrap_or("identity");
    Coding::parse(given.trim()).ok_or_else(|| {
        unsupported(
            "The list is compressed in a way that is not known here.",
            "Send it as it is, or with Content-Encoding gzip or zstd.",
        )
    })
}

fn unsupported(detail: &str, remedy: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_form",
        "This form is not known here",
        detail,
        remedy,
    )
}

fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_delimiter_can_be_part_of_an_answer() {
        let at = crate::domain::Moment::from_millis(0).to_string();
        let parts = ["suppress", "not_listed", "invalid", "+32470", &at].concat();
        for sign in parts.chars() {
            assert_eq!(delimiter(&sign.to_string()), None, "{sign}");
        }
        for sign in [";", "|", "\t", "tab", "~"] {
            assert!(delimiter(sign).is_some(), "{sign}");
        }
        for wrong in ["", "\"", "\n", "\r", " ", ";;", "é"] {
            assert_eq!(delimiter(wrong), None, "{wrong:?}");
        }
    }
}
