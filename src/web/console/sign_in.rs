//! Showing a key, and leaving.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::visitor::Visitor;
use super::{on_behalf, reports, session};
use crate::api::{State, client_network};
use crate::domain::{Principal, Role};
use crate::service::ServiceError;
use crate::web::answer::{language, message, page, see_other};
use crate::web::close::close;
use crate::web::draft::{self, Draft, Why, accepted};
use crate::web::form::Fields;
use crate::web::pages::{ConsoleSignIn, Frame, KeyError, MessageKind, Notice};
use crate::web::token::Browser;
use crate::web::{Desk, DeskData};

/// Where the form is.
pub(super) const PATH: &str = "/console";

/// What the form itself sends; everything else was typed on another page and is carried along.
const OWN: [&str; 4] = ["token", "key", "lang", "action"];

/// Where what is carried along was typed.
const TO: &str = "to";

/// The form for whoever opens a page and has no session: with a word of explanation if they had one.
pub(super) fn closed(desk: &Desk, request: &HttpRequest) -> HttpResponse {
    let over = session::had_one(request);
    if !over && request.path() != PATH {
        return see_other(desk, PATH, None);
    }
    let mut response = form(desk, request, over.then_some(Why::Over), None);
    if over {
        *response.status_mut() = StatusCode::FORBIDDEN;
        end(desk, &mut response);
    }
    response
}

fn end(desk: &Desk, response: &mut HttpResponse) {
    for cookie in session::end(desk) {
        // A cookie that is too long to be set cannot come from us.
        let _ = response.add_cookie(&cookie);
    }
}

/// The form for whoever has sent another one and has no session, or none that can be looked up now:
/// what was typed there is carried along.
pub(super) async fn first(
    desk: &Desk,
    request: &HttpRequest,
    mut fields: Fields,
    why: Why,
) -> HttpResponse {
    fields.set(TO, request.path());
    let over = why == Why::Over && session::had_one(request);
    let show = async |draft: &Draft| form(desk, request, Some(draft.why), Some(draft));
    let draft = Draft { fields, why };
    let mut response = draft::again(desk, request, (PATH, PATH), draft, show).await;
    if over {
        end(desk, &mut response);
    }
    response
}

/// `GET /console` of a form that comes again; nothing if the address asks for none.
pub(super) async fn reopened(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
) -> Option<HttpResponse> {
    let show = async |draft: &Draft| form(desk, request, Some(draft.why), Some(draft));
    draft::reopened(state, desk, request, PATH, show).await
}

fn form(
    desk: &Desk,
    request: &HttpRequest,
    why: Option<Why>,
    draft: Option<&Draft>,
) -> HttpResponse {
    let browser = Browser::of(request);
    let fresh = browser.token(desk);
    let view = ConsoleSignIn {
        frame: Frame {
            language: draft.map_or_else(
                || language(desk, request),
                |draft| draft.language(desk, request),
            ),
            site: &desk.site,
        },
        token: draft.map_or(&fresh, Draft::token),
        carried: draft.map_or_else(Vec::new, |draft| draft.fields.without(&OWN)),
        over: why == Some(Why::Over),
        error: match why {
            Some(Why::Key(error)) => Some(error),
            _ => None,
        },
        notice: why.and_then(Why::notice),
    };
    page(desk, StatusCode::OK, &view, browser.cookie(desk))
}

/// `POST /console`: the key.
pub(super) async fn enter(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(mut fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    // It is shown to nobody again, and no cookie carries it.
    let key = fields.take("key").unwrap_or_default();
    let who = match shown(&state, &desk, &request, &mut fields, key.trim()).await {
        Ok(who) => who,
        Err(why) => {
            let show = async |draft: &Draft| form(&desk, &request, Some(draft.why), Some(draft));
            let draft = Draft { fields, why };
            return draft::again(&desk, &request, (PATH, PATH), draft, show).await;
        }
    };
    let cookie = session::begin(&desk, &who.key);
    // What was typed before the session ended comes back, for its sender to look at and to send.
    let to = fields.take(TO).and_then(|to| super::way_back(&to));
    let mut response = match to {
        Some(to) => {
            let show = async |draft: &Draft| match Visitor::of(&state, &desk, &request, who) {
                Some(visitor) if to == on_behalf::PATH => {
                    on_behalf::again(&visitor.with(draft), draft)
                }
                Some(visitor) => reports::again(&visitor.with(draft), &to, draft).await,
                None => message(&desk, &request, MessageKind::NotFound),
            };
            let why = Why::NextStep;
            draft::again(&desk, &request, (&to, &to), Draft { fields, why }, show).await
        }
        None => see_other(&desk, PATH, None),
    };
    // A cookie that is too long to be set cannot come from us.
    let _ = response.add_cookie(&cookie);
    response
}

/// The holder of the key that was shown.
async fn shown(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
    key: &str,
) -> Result<Principal, Why> {
    accepted(desk, request, fields)?;
    if fields.get("lang").is_some() {
        return Err(Why::NextStep);
    }
    if key.is_empty() {
        return Err(Why::Key(KeyError::Empty));
    }
    let from = client_network(request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.code(from) {
        let retry_after = too_many.retry_after;
        return Err(Notice::TooManyRequests { retry_after }.into());
    }
    let who = state.service.authenticate(key).await;
    let who = who.map_err(|error| match error {
        ServiceError::UnknownKey => Why::Key(KeyError::Unknown),
        error => Why::failed(&error),
    })?;
    match who.role {
        Role::Dialler { .. } => Err(Why::Key(KeyError::Dialler)),
        _ => Ok(who),
    }
}

/// `POST /console/leave`.
pub(super) async fn leave(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let session = session::read(&desk, &request).map(|session| (session.id, session.until));
    let cookies = session::end(&desk);
    close(&state, &desk, &request, &fields, session, cookies, PATH).await
}
