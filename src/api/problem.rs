//! Errors as RFC 9457 problems: what happened, what is kept, what to do next.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{NameError, PhoneError};
use crate::service::ServiceError;
use crate::store::StoreError;

/// One error, as its reader gets it. Never holds a number, a key or a code.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Content>);

#[derive(Debug, Clone, Serialize)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    code: &'static str,
    kept: &'static str,
    remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// Marks a response whose body is already meant for its reader.
#[derive(Debug, Clone)]
pub(super) struct Polished(pub Option<Problem>);

fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

const NOTHING: &str = "Nothing was recorded.";

impl Problem {
    /// An error that kept nothing.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self(Box::new(Content {
            kind: format!("urn:metrust:problem:{code}"),
            title,
            status,
            detail: detail.into(),
            code,
            kept: NOTHING,
            remedy: remedy.into(),
            request_id: None,
            more: Map::new(),
            retry_after: None,
        }))
    }

    /// Says what was kept.
    #[must_use]
    pub fn keeping(mut self, kept: &'static str) -> Self {
        self.0.kept = kept;
        self
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    pub(super) fn of_request(mut self, id: &str) -> Self {
        self.0.request_id = Some(id.to_owned());
        self
    }

    /// The error as letters alone, for a dialplan that reads the body whatever the status.
    pub(super) fn letters(&self) -> String {
        let words = self.0.code.split('_').map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        });
        words
            .collect::<String>()
            .replace(|c: char| !c.is_ascii_alphabetic(), "")
    }

    /// A request that cannot be understood.
    pub fn bad_request(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "The request cannot be understood",
            detail,
            remedy,
        )
    }

    /// 408: a body that does not come.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "The body came too slowly",
            "The request's body was not complete in time.",
            "Send the request again.",
        )
    }

    /// 401 without a key.
    #[must_use]
    pub fn no_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "no_key",
            "A key is needed",
            "This request carries no API key.",
            "Send `Authorization: Bearer KEY`, Basic with the key as password, or `key=` in the \
             query.",
        )
    }

    /// What a number that cannot be read is answered.
    #[must_use]
    pub fn unreadable(error: PhoneError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unreadable_number",
            "The number cannot be read",
            error.to_string(),
            "Write it with its country code, as in +32 followed by the digits, or give `region`. \
             Do not call it: nothing is known about it.",
        )
        .with("reason", error.code())
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// What is left for a status that something else gave.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(
                status,
                "not_found",
                "There is nothing at this address",
                "No resource of this interface has this path.",
                "See the README for the paths; all begin with /v1.",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "method_not_allowed",
                "This address does not take that method",
                "The path exists, but not with this HTTP method.",
                "See the README: checks are GET, lists of checks and registrations POST.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            status if status.is_server_error() => Self::new(
                status,
                "internal",
                "Something went wrong here",
                "The service failed in a way that it does not know.",
                "Try again; if it stays, give the operator the Request-Id of this answer.",
            ),
            status => Self::new(
                status,
                "refused",
                "The request was refused",
                status
                    .canonical_reason()
                    .unwrap_or("The request cannot be taken."),
                "See the README for what this address takes.",
            ),
        }
    }

    /// 413.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The request is too large",
            "The body is larger than this service takes.",
            "Send it in smaller parts.",
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if self.0.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"metrust\""));
        }
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        let mut response = response.body(serde_json::to_string(self).unwrap_or_default());
        response
            .extensions_mut()
            .insert(Polished(Some(self.clone())));
        response
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_name",
            "A name cannot be used",
            error.to_string(),
            "Choose another one.",
        )
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let unknown = matches!(error, StoreError::Late | StoreError::Away(_));
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            match error {
                StoreError::Busy => "busy",
                _ => "store_away",
            },
            "The registry cannot answer at the moment",
            // What exactly is wrong is the operator's business, and stands in the log.
            match error {
                StoreError::Late => "The store did not answer in time.",
                StoreError::Busy => "More requests are waiting than the store may take on.",
                _ => "The store is away or not safe to use.",
            },
            "Do not call the number. Try again in a moment.",
        )
        .retry_after(1);
        if unknown {
            problem.keeping("What you asked may or may not be recorded; asking again is harmless.")
        } else {
            problem
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        use StatusCode as S;
        let text = error.to_string();
        let new = |status, code, title, remedy: &str| Self::new(status, code, title, text, remedy);
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::Overloaded(_) | ServiceError::Unconfirmed | ServiceError::NoMonth => new(
                S::SERVICE_UNAVAILABLE,
                "busy",
                "The registry cannot answer at the moment",
                "Do not call the number. Try again in a moment.",
            )
            .retry_after(1),
            ServiceError::LogBehind => new(
                S::SERVICE_UNAVAILABLE,
                "log_behind",
                "Checks wait for the audit log",
                "Do not call: nothing is known about this number. Try again in a few seconds; the \
                 operator finds the cause with `metrust doctor`.",
            )
            .retry_after(5),
            // Its own text tells the operator where the log lies; that is nobody else's business.
            ServiceError::Log(_) => Self::new(
                S::SERVICE_UNAVAILABLE,
                "log_away",
                "The audit log cannot be read at the moment",
                "The storage of the audit log does not answer as it should.",
                "Try again in a few seconds; the operator finds the cause with `metrust doctor`.",
            )
            .keeping("What is on record stays on record.")
            .retry_after(5),
            ServiceError::UnknownEntry => new(
                S::NOT_FOUND,
                "unknown_entry",
                "There is no such entry",
                "See that the id is the one that the check answered, and that the key belongs to \
                 whoever made the check, to a regulator or to the operator.",
            ),
            ServiceError::UnknownWash => new(
                S::NOT_FOUND,
                "unknown_wash",
                "There is no such wash",
                "See that the id is that of the header `Wash-Id`, that the wash has ended, and that \
                 the key belongs to whoever began it, to a regulator or to the operator.",
            ),
            ServiceError::Withdrawn => new(
                S::CONFLICT,
                "withdrawn",
                "This registration was withdrawn",
                "Register the numbers again.",
            )
            .keeping("The registration stays withdrawn."),
            ServiceError::TooLate => new(
                S::CONFLICT,
                "too_late",
                "This withdrawal can no longer be undone",
                "Register the numbers again.",
            )
            .keeping("The registration stays withdrawn."),
            ServiceError::UnknownReport => new(
                S::NOT_FOUND,
                "unknown_report",
                "There is no such report",
                "See that the id is one that `GET /v1/reports` lists for this key.",
            ),
            ServiceError::TooManyReports(_) => new(
                S::CONFLICT,
                "too_many_reports",
                "This code holds as many reports as it may",
                "Report further calls without the code; that gives a new one.",
            )
            .keeping("The reports so far stay as they are. This one was not added."),
            ServiceError::TooManyWashes(_) => new(
                S::SERVICE_UNAVAILABLE,
                "too_many_washes",
                "As many lists are being washed as may be at once",
                "Send the list again in a while, or one list after the other.",
            )
            .retry_after(5),
            ServiceError::UnknownMonth => new(
                S::NOT_FOUND,
                "unknown_month",
                "There is no key of this month",
                "Name months in which this service ran, as in 2026-11.",
            ),
            ServiceError::TooYoung(_) => new(
                S::CONFLICT,
                "too_young",
                "Entries of these years must still be kept",
                "Name an earlier year. How long entries are kept at least is the setting \
                 audit.keep_years; the law of your country may ask for more.",
            )
            .keeping("Nothing was dropped."),
            ServiceError::UnknownKey => new(
                S::UNAUTHORIZED,
                "unknown_key",
                "The key is not valid",
                "Check that the whole key was copied, or ask the operator for a new one.",
            ),
            ServiceError::WrongRole(_) => new(
                S::FORBIDDEN,
                "wrong_role",
                "The key does not allow this",
                "Use a key of that role; the operator makes them.",
            ),
            ServiceError::NoMandate => new(
                S::FORBIDDEN,
                "no_mandate",
                "No mandate for this seller",
                "Do not call the number for this seller. The operator can add the mandate.",
            ),
            ServiceError::UnknownSeller => new(
                S::NOT_FOUND,
                "unknown_seller",
                "The seller is unknown",
                "Check the seller's id with the operator. If this was a check: do not call.",
            ),
            ServiceError::UnknownAgency => new(
                S::NOT_FOUND,
                "unknown_agency",
                "The agency is unknown",
                "Check the agency's id, or add the agency first.",
            ),
            ServiceError::NoSuchKey => new(
                S::NOT_FOUND,
                "unknown_key_id",
                "There is no such key",
                "`metrust key list` shows the ids.",
            ),
            ServiceError::Numbers(ref errors) => {
                let list: Vec<Value> = errors
                    .iter()
                    .map(|(index, error)| {
                        serde_json::json!({
                            "index": index,
                            "reason": error.code(),
                            "problem": error.to_string(),
                        })
                    })
                    .collect();
                new(
                    S::UNPROCESSABLE_ENTITY,
                    "unreadable_number",
                    "Some numbers cannot be read",
                    "Correct the numbers at the places named in `numbers` (counted from 0) and \
                     send all of them again.",
                )
                .keeping("Nothing was registered, the readable numbers neither.")
                .with("numbers", list)
            }
            ServiceError::NoNumbers => new(
                S::UNPROCESSABLE_ENTITY,
                "no_numbers",
                "No number was given",
                "Give at least one number in `numbers`.",
            ),
            ServiceError::TooManyNumbers(most) => new(
                S::PAYLOAD_TOO_LARGE,
                "too_many_numbers",
                "Too many numbers at once",
                "Send them in several requests.",
            )
            .with("most", most),
            ServiceError::Reference(_) => new(
                S::UNPROCESSABLE_ENTITY,
                "bad_reference",
                "The reference code cannot be read",
                "Look at each sign; 0 and O, 1, I and L are read as the same.",
            )
            .keeping("Every registration stands as it was."),
            ServiceError::UnknownReference => new(
                S::NOT_FOUND,
                "unknown_reference",
                "The reference code is unknown",
                "Look at each sign of the code.",
            )
            .keeping("Every registration stands as it was."),
            ServiceError::UnknownImport => new(
                S::NOT_FOUND,
                "unknown_import",
                "There is no such import",
                "GET /v1/admin/imports shows the ids.",
            ),
            ServiceError::ImportState(_) => new(
                S::CONFLICT,
                "import_state",
                "The import is not as far as that",
                "GET /v1/admin/imports/{id} shows which parts are in; beginning it again goes on \
                 where it broke off.",
            )
            .keeping("What is in stays in."),
            ServiceError::Taken => new(
                S::CONFLICT,
                "taken",
                "The id is taken",
                "Choose another id, or change the one that is there.",
            ),
            ServiceError::Conflict => new(
                S::CONFLICT,
                "conflict",
                "Somebody else was faster",
                "Look at the present state and try again.",
            ),
            ServiceError::Contradiction(_) => new(
                S::UNPROCESSABLE_ENTITY,
                "contradiction",
                "The request contradicts itself",
                "Correct it and send it again.",
            ),
            ServiceError::Damaged(_) => new(
                S::INTERNAL_SERVER_ERROR,
                "damaged",
                "Something that is kept cannot be read",
                "Do not call the number. Give the operator the Request-Id of this answer.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dialplan_may_read_of_an_error_is_letters_alone() {
        for problem in [
            Problem::no_key(),
            Problem::from(StoreError::Late),
            Problem::from(ServiceError::NoMandate),
            Problem::of_status(StatusCode::NOT_FOUND),
            Problem::of_status(StatusCode::IM_A_TEAPOT),
        ] {
            let letters = problem.letters();
            assert!(!letters.is_empty() && letters.bytes().all(|b| b.is_ascii_alphabetic()));
        }
        assert_eq!(
            Problem::from(ServiceError::NoMandate).letters(),
            "NoMandate"
        );
    }

    #[test]
    fn a_problem_says_what_happened_what_is_kept_and_what_to_do() {
        let text = serde_json::to_value(Problem::from(ServiceError::UnknownSeller)).unwrap();
        for member in [
            "type", "title", "status", "detail", "kept", "remedy", "code",
        ] {
            assert!(text.get(member).is_some(), "{member}");
        }
        assert_eq!(text["status"], 404);
    }
}
