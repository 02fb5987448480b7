//! A page of its own for what stopped the person.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::super::texts::{Language, MessageText, fill};
use super::Frame;

/// What a page of its own reports when nothing typed can be shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageKind {
    /// There is no such page. Status 404 or 405.
    NotFound,
    /// Too many requests from this address. Status 429.
    TooManyRequests {
        /// Seconds until the next attempt.
        retry_after: u64,
    },
    /// The store does not answer. Status 503.
    RegisterAway,
    /// The visit with the code is over. Status 403.
    SessionOver,
    /// The form's token is too old. Status 403.
    FormExpired,
    /// What was typed is no longer kept. Status 410.
    DraftGone,
    /// The browser sent none of our cookies. Status 403.
    CookiesOff,
    /// The form was sent from another site. Status 403.
    ForbiddenOrigin,
    /// What was sent could not be read. Status 400, 413 or 415.
    BadRequest,
    /// Anything else. Status 500.
    Broken,
}

/// A page that says what happened, what is kept and what to do next.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// What happened.
    pub kind: MessageKind,
    /// The request's id, to mention when asking for help.
    pub request_id: Option<&'a str>,
    /// What was sent, to be sent again.
    pub again: Option<Again<'a>>,
}

/// A form that could not be taken: what was typed stays, and its button stands here too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again<'a> {
    /// Where it goes.
    pub to: &'a str,
    /// Ties it to this browser.
    pub token: &'a str,
    /// The number that was typed, to be seen and changed; nothing where none was.
    pub number: Option<&'a str>,
    /// The other fields.
    pub hidden: Vec<(&'a str, &'a str)>,
}

impl Message<'_> {
    fn text(&self) -> &'static MessageText {
        let texts = self.frame.texts();
        match self.kind {
            MessageKind::NotFound => &texts.not_found,
            MessageKind::TooManyRequests { .. } => &texts.too_many_requests,
            MessageKind::RegisterAway => &texts.register_away,
            MessageKind::SessionOver => &texts.session_over,
            MessageKind::FormExpired => &texts.form_expired,
            MessageKind::DraftGone => &texts.draft_gone,
            MessageKind::CookiesOff => &texts.cookies_off,
            MessageKind::ForbiddenOrigin => &texts.forbidden_origin,
            MessageKind::BadRequest => &texts.bad_request,
            MessageKind::Broken => &texts.broken,
        }
    }

    fn title(&self) -> &'static str {
        self.text().title
    }

    fn failed(&self) -> bool {
        true
    }

    fn back(&self) -> Option<&str> {
        Some("/")
    }

    fn next(&self) -> String {
        let wait = match self.kind {
            MessageKind::TooManyRequests { retry_after } => self.frame.texts().wait(retry_after),
            _ => String::new(),
        };
        fill(self.text().next, "wait", &wait)
    }

    /// Whether the person came here with a code rather than with the form.
    fn is_about_registration(&self) -> bool {
        self.kind == MessageKind::SessionOver
    }

    fn mention(&self, id: &str) -> String {
        fill(self.frame.texts().message_id, "id", id)
    }
}
