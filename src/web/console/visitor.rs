//! Who is in the console.
//!
//! The cookie says which key was shown; whether that key counts now, and for what, is looked up
//! with every request.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{session, sign_in};
use crate::api::State;
use crate::domain::{KeyId, Principal, Role};
use crate::service::ServiceError;
use crate::web::Desk;
use crate::web::answer::{language, language_cookie, message, page, refusal};
use crate::web::form::Fields;
use crate::web::opt_out::failure;
use crate::web::pages::{ConsoleRole, Frame, MessageKind, Nav};
use crate::web::texts::Language;
use crate::web::token::{Browser, Refused, accept};

/// The answer for somebody who may not go on.
pub(super) type Turned = Box<HttpResponse>;

/// Somebody with a key that counts.
pub(super) struct Visitor<'a> {
    pub state: &'a State,
    pub desk: &'a Desk,
    pub request: &'a HttpRequest,
    pub who: Principal,
    pub role: ConsoleRole,
    /// The company's name, for a seller.
    company: Option<String>,
    language: Language,
    token: String,
    cookies: Vec<Cookie<'static>>,
}

impl<'a> Visitor<'a> {
    /// Whoever opens a page; for everybody else, the answer that leads them to the sign-in.
    pub(super) fn enter(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
    ) -> Result<Self, Turned> {
        Self::with_fields(state, desk, request, None)
    }

    /// Whoever sends a form, and the form's name, or that the form lay open too long. What was
    /// typed is carried through the sign-in when the session is over.
    pub(super) fn send(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
        fields: &Fields,
    ) -> Result<(Self, Option<Vec<u8>>), Turned> {
        // First: what another site sends is not even shown again.
        let named = match accept(desk, request, fields.get("token")) {
            Ok(named) => Some(named),
            Err(Refused::Expired) => None,
            Err(refused) => return Err(Box::new(message(desk, request, refusal(refused)))),
        };
        let mut visitor = Self::with_fields(state, desk, request, Some(fields))?;
        if let Some(chosen) = fields.get("lang").and_then(Language::parse) {
            visitor.language = chosen;
            visitor.cookies.push(language_cookie(desk, chosen));
        }
        // A form that comes again is the same form, unless it lay open too long.
        if let (Some(_), Some(token)) = (&named, fields.get("token")) {
            token.clone_into(&mut visitor.token);
        }
        Ok((visitor, named))
    }

    fn with_fields(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
        fields: Option<&Fields>,
    ) -> Result<Self, Turned> {
        let key = session::key(desk, request);
        let holder = key.map(|key| state.service.holder(&key));
        match holder {
            Some(Ok(who)) => Self::of(state, desk, request, who)
                .ok_or_else(|| Box::new(message(desk, request, MessageKind::NotFound))),
            None | Some(Err(ServiceError::UnknownKey)) => {
                Err(Box::new(sign_in::again(desk, request, fields)))
            }
            Some(Err(error)) => Err(Box::new(match (failure(&error), fields) {
                (MessageKind::RegisterAway, Some(fields)) => sign_in::away(desk, request, fields),
                (kind, _) => message(desk, request, kind),
            })),
        }
    }

    /// The holder of a key that has just been verified; nothing for a dialler.
    pub(super) fn of(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
        who: Principal,
    ) -> Option<Self> {
        let role = match who.role {
            Role::Seller { .. } => ConsoleRole::Seller,
            Role::Regulator => ConsoleRole::Regulator,
            Role::Operator => ConsoleRole::Operator,
            Role::Dialler { .. } => return None,
        };
        let company = match &who.role {
            Role::Seller { seller } => {
                let known = state.service.directory().known();
                let name = known.sellers.get(seller).map(|seller| seller.name.clone());
                Some(name.unwrap_or_else(|| seller.to_string()))
            }
            _ => None,
        };
        let browser = Browser::of(request);
        Some(Self {
            state,
            desk,
            request,
            who,
            role,
            company,
            language: language(desk, request),
            token: browser.token(desk),
            cookies: browser.cookie(desk).into_iter().collect(),
        })
    }

    pub(super) fn key(&self) -> &KeyId {
        &self.who.key
    }

    pub(super) fn frame(&self) -> Frame<'a> {
        Frame {
            language: self.language,
            site: &self.desk.site,
        }
    }

    pub(super) fn nav<'b>(&'b self, here: &'b str) -> Nav<'b> {
        Nav {
            role: self.role,
            company: self.company.as_deref(),
            here,
            token: &self.token,
        }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn page(&self, status: StatusCode, view: &impl Template) -> HttpResponse {
        page(self.desk, status, view, self.cookies.clone())
    }

    /// There is no such page for this key.
    pub(super) fn not_found(&self) -> HttpResponse {
        message(self.desk, self.request, MessageKind::NotFound)
    }

    /// What went wrong, on a page of its own.
    pub(super) fn failed(&self, error: &ServiceError) -> HttpResponse {
        match error {
            ServiceError::UnknownReport => self.not_found(),
            error => message(self.desk, self.request, failure(error)),
        }
    }
}
