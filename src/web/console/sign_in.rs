//! Showing a key, and leaving.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::visitor::Visitor;
use super::{on_behalf, reports, session};
use crate::api::{State, client_network};
use crate::service::ServiceError;
use crate::web::answer::{
    language, language_cookie, message, page, refusal, retry_after, see_other,
};
use crate::web::form::Fields;
use crate::web::opt_out::failure;
use crate::web::pages::{ConsoleSignIn, Frame, KeyError, MessageKind, Notice};
use crate::web::texts::Language;
use crate::web::token::{Browser, Refused, accept};
use crate::web::{Desk, DeskData};

/// What the form itself sends; everything else was typed on another page and is carried along.
const OWN: [&str; 4] = ["token", "key", "lang", "action"];

/// Where what is carried along was typed.
const TO: &str = "to";

/// Why the form is shown.
#[derive(Default)]
struct Why {
    error: Option<KeyError>,
    notice: Option<Notice>,
    /// A session is over.
    over: bool,
    language: Option<Language>,
}

/// The form for whoever has no session: with a word of explanation if they had one.
pub(super) fn again(desk: &Desk, request: &HttpRequest, fields: Option<&Fields>) -> HttpResponse {
    let over = session::had_one(request);
    if !over && fields.is_none() && request.path() != "/console" {
        return see_other(desk, "/console", None);
    }
    let carried = fields.map_or_else(Vec::new, |fields| carried_from(request, fields));
    let why = Why {
        over: over || fields.is_some(),
        ..Why::default()
    };
    let status = if why.over {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    let mut response = form(desk, request, status, carried, why);
    if over {
        for cookie in session::end(desk) {
            // A cookie that is too long to be set cannot come from us.
            let _ = response.add_cookie(&cookie);
        }
    }
    response
}

/// The form when it cannot be told now whether a session still counts, so that what was typed is
/// not lost.
pub(super) fn away(desk: &Desk, request: &HttpRequest, fields: &Fields) -> HttpResponse {
    let why = Why {
        notice: Some(Notice::RegisterAway),
        ..Why::default()
    };
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let carried = carried_from(request, fields);
    let mut response = form(desk, request, status, carried, why);
    retry_after(&mut response, 5);
    response
}

/// What was typed, and on which page.
fn carried_from<'a>(request: &'a HttpRequest, fields: &'a Fields) -> Vec<(&'a str, &'a str)> {
    let mut carried = fields.without(&OWN);
    carried.retain(|(name, _)| *name != TO);
    carried.push((TO, request.path()));
    carried
}

fn form(
    desk: &Desk,
    request: &HttpRequest,
    status: StatusCode,
    carried: Vec<(&str, &str)>,
    why: Why,
) -> HttpResponse {
    let browser = Browser::of(request);
    let token = browser.token(desk);
    let view = ConsoleSignIn {
        frame: Frame {
            language: why.language.unwrap_or_else(|| language(desk, request)),
            site: &desk.site,
        },
        token: &token,
        carried,
        over: why.over,
        error: why.error,
        notice: why.notice,
    };
    let chosen = why.language.map(|chosen| language_cookie(desk, chosen));
    let cookies = browser.cookie(desk).into_iter().chain(chosen);
    page(desk, status, &view, cookies)
}

/// `POST /console`: the key.
pub(super) async fn enter(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let carried = fields.without(&OWN);
    let refuse = |status, why| form(&desk, &request, status, carried.clone(), why);
    match accept(&desk, &request, fields.get("token")) {
        Ok(_) => {}
        Err(Refused::Expired) => {
            let why = Why {
                notice: Some(Notice::FormExpired),
                ..Why::default()
            };
            return refuse(StatusCode::FORBIDDEN, why);
        }
        Err(refused) => return message(&desk, &request, refusal(refused)),
    }
    if let Some(chosen) = fields.get("lang").and_then(Language::parse) {
        let why = Why {
            language: Some(chosen),
            ..Why::default()
        };
        return refuse(StatusCode::OK, why);
    }
    let wrong = |status, error| {
        let error = Some(error);
        let why = Why {
            error,
            ..Why::default()
        };
        refuse(status, why)
    };
    let key = fields.get("key").unwrap_or_default().trim();
    if key.is_empty() {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, KeyError::Empty);
    }
    let from = client_network(&request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.code(from) {
        let retry = too_many.retry_after;
        let why = Why {
            notice: Some(Notice::TooManyRequests { retry_after: retry }),
            ..Why::default()
        };
        let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, why);
        retry_after(&mut response, retry);
        return response;
    }
    let who = match state.service.authenticate(key).await {
        Ok(who) => who,
        Err(ServiceError::UnknownKey) => {
            return wrong(StatusCode::UNPROCESSABLE_ENTITY, KeyError::Unknown);
        }
        Err(error) => match failure(&error) {
            MessageKind::RegisterAway => {
                let why = Why {
                    notice: Some(Notice::RegisterAway),
                    ..Why::default()
                };
                let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, why);
                retry_after(&mut response, 5);
                return response;
            }
            other => return message(&desk, &request, other),
        },
    };
    let cookie = session::begin(&desk, &who.key);
    let Some(visitor) = Visitor::of(&state, &desk, &request, who) else {
        return wrong(StatusCode::FORBIDDEN, KeyError::Dialler);
    };
    // What was typed before the session ended comes back, for its sender to look at and to send.
    let mut response = match fields.get(TO) {
        Some(on_behalf::PATH) => on_behalf::reopened(&visitor, &fields),
        Some(path) => reports::reopened(&visitor, path, &fields).await,
        None => see_other(&desk, "/console", None),
    };
    // A cookie that is too long to be set cannot come from us.
    let _ = response.add_cookie(&cookie);
    response
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
    match accept(&desk, &request, fields.get("token")) {
        // A form that lay open too long still means that somebody wants to leave.
        Ok(_) | Err(Refused::Expired) => see_other(&desk, "/console", session::end(&desk)),
        Err(refused) => message(&desk, &request, refusal(refused)),
    }
}
