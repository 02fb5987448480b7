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
use crate::web::answer::{language, message, page};
use crate::web::draft::{self, Draft, Why, accepted};
use crate::web::form::Fields;
use crate::web::opt_out::failure;
use crate::web::pages::{ConsoleRole, Frame, MessageKind, Nav};
use crate::web::texts::Language;
use crate::web::token::Browser;

/// The answer for somebody who may not go on.
pub(super) type Turned = Box<HttpResponse>;

/// Who holds the key of a session that lasts, if that key counts.
async fn holder(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
) -> Result<Principal, ServiceError> {
    let session = session::read(desk, request).ok_or(ServiceError::UnknownKey)?;
    if state.service.is_closed(&session.id).await? {
        return Err(ServiceError::UnknownKey);
    }
    state.service.holder(&session.key)
}

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

/// A form comes again.
pub(super) enum Again {
    /// On its own page.
    Here(Why),
    /// Once the key was shown anew.
    SignIn(Why),
}

impl<T: Into<Why>> From<T> for Again {
    fn from(why: T) -> Self {
        Self::Here(why.into())
    }
}

/// What answers a form that comes again.
pub(super) async fn again(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: Fields,
    again: Again,
    show: impl AsyncFnOnce(&Visitor<'_>, &Draft) -> HttpResponse,
) -> HttpResponse {
    let why = match again {
        Again::Here(why) => why,
        Again::SignIn(why) => return sign_in::first(desk, request, fields, why).await,
    };
    let at = request.path();
    let show = async |draft: &Draft| match Visitor::enter(state, desk, request).await {
        Ok(visitor) => show(&visitor.with(draft), draft).await,
        Err(answer) => *answer,
    };
    draft::again(desk, request, (at, at), Draft { fields, why }, show).await
}

/// The page of the draft that the address asks for; nothing if it asks for none.
pub(super) async fn reopened(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    show: impl AsyncFnOnce(&Visitor<'_>, &Draft) -> HttpResponse,
) -> Option<HttpResponse> {
    let show = async |draft: &Draft| match Visitor::enter(state, desk, request).await {
        Ok(visitor) => show(&visitor.with(draft), draft).await,
        Err(answer) => *answer,
    };
    draft::reopened(state, desk, request, request.path(), show).await
}

impl<'a> Visitor<'a> {
    /// Whoever opens a page; for everybody else, the answer that leads them to the sign-in.
    pub(super) async fn enter(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
    ) -> Result<Self, Turned> {
        Err(Box::new(match holder(state, desk, request).await {
            Ok(who) => match Self::of(state, desk, request, who) {
                Some(visitor) => return Ok(visitor),
                None => message(desk, request, MessageKind::NotFound),
            },
            Err(ServiceError::UnknownKey) => sign_in::closed(desk, request),
            Err(error) => message(desk, request, failure(&error)),
        }))
    }

    /// Whoever sends a form, and the form's name; or why it comes again. What was typed goes
    /// through the sign-in when the session is over.
    pub(super) async fn send(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
        fields: &mut Fields,
    ) -> Result<(Self, Vec<u8>), Again> {
        // First: what another site sends is not even shown again.
        let named = accepted(desk, request, fields);
        if let Err(why @ Why::Message(_)) = named {
            return Err(Again::Here(why));
        }
        let who = holder(state, desk, request).await.map_err(|error| {
            Again::SignIn(match error {
                ServiceError::UnknownKey => Why::Over,
                error => Why::failed(&error),
            })
        })?;
        let visitor =
            Self::of(state, desk, request, who).ok_or(Again::Here(MessageKind::NotFound.into()))?;
        Ok((visitor, named?))
    }

    /// The same with a form that comes again.
    pub(super) fn with(mut self, draft: &Draft) -> Self {
        self.language = draft.language(self.desk, self.request);
        draft.token().clone_into(&mut self.token);
        self
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
