//! Errors as RFC 9457 problems: what happened, what is kept, what to do next.

mod errors;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::PhoneError;

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
            "Write it with its country code, as in +32 followed by the digits, or give `region`; or \
             `numbers=international`, where digits without a plus begin with the country code. Do \
             not call it: nothing is known about it.",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceError;
    use crate::store::StoreError;

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
