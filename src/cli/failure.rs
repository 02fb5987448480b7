//! Why a command failed, told to the person in front of it.
//!
//! No failure repeats a key, a number or a code: terminals and job logs are read by others.

use std::fmt;
use std::process::ExitCode;

use serde::Deserialize;

use super::output::{note, plain};

/// Why a command failed: what to print, and the exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    text: String,
    status: u8,
    may_pass: bool,
}

impl Failure {
    /// The command could not be carried out; exit status 1.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: 1,
            may_pass: false,
        }
    }

    /// The command line or the settings cannot be used; exit status 2.
    #[must_use]
    pub fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: 2,
            may_pass: false,
        }
    }

    /// It is not finished, and goes on when it is run again; exit status 3.
    #[must_use]
    pub fn unfinished(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: 3,
            may_pass: true,
        }
    }

    /// Whether it goes on when it is run again.
    pub(super) fn is_unfinished(&self) -> bool {
        self.status == 3
    }

    /// The same, of a kind that passes by itself: a connection that broke, a service that starts.
    #[must_use]
    pub(super) fn passing(self) -> Self {
        Self {
            may_pass: true,
            ..self
        }
    }

    /// Whether the same may succeed in a moment.
    pub(super) fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// The failure that an answer of the service tells of: an RFC 9457 problem, or whatever else
    /// came back.
    pub(super) fn of_answer(status: u16, request_id: Option<&str>, body: &[u8]) -> Self {
        let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
        let failure = Self::new(problem.render(status, request_id));
        match status {
            429 | 502..=504 => failure.passing(),
            _ => failure,
        }
    }

    /// Prints the failure on standard error and gives the exit status to end with.
    #[must_use]
    pub fn tell(&self) -> ExitCode {
        note(&format!("error: {}", self.text));
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

/// The members of a problem that a person needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    kept: String,
    remedy: String,
    request_id: Option<String>,
}

impl Problem {
    fn render(&self, status: u16, request_id: Option<&str>) -> String {
        let mut text = if self.title.is_empty() {
            format!(
                "the answer has status {status}, but not the form that metrust gives its errors; \
                 is there a proxy in between, or another service at this address?"
            )
        } else {
            format!("{}: {}", plain(&self.title), plain(&self.detail))
        };
        for (label, value) in [
            ("kept:      ", self.kept.as_str()),
            ("remedy:    ", self.remedy.as_str()),
            (
                "Request-Id:",
                self.request_id
                    .as_deref()
                    .or(request_id)
                    .unwrap_or_default(),
            ),
        ] {
            if !value.is_empty() {
                text.push_str(&format!("\n  {label} {}", plain(value)));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_what_is_kept_what_to_do_and_its_request() {
        let body = br#"{"type":"urn:x","title":"No mandate","status":403,"detail":"Not yours.",
            "code":"no_mandate","kept":"Nothing.","remedy":"Ask.","request_id":"r-1"}"#;
        assert_eq!(
            Failure::of_answer(403, Some("r-2"), body).to_string(),
            "No mandate: Not yours.\n  kept:       Nothing.\n  remedy:     Ask.\n  Request-Id: r-1"
        );
    }

    #[test]
    fn an_answer_of_somebody_else_is_told_without_its_content() {
        let body = b"<html>secret\x1b[2J</html>";
        let text = Failure::of_answer(502, Some("r\x1b-2"), body).to_string();
        assert!(text.contains("502") && !text.contains("secret"), "{text}");
        assert!(text.ends_with("Request-Id: r\u{fffd}-2"), "{text}");
    }
}
