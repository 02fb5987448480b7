//! A person's own registration: see it with the code, and take it back.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{language, message, page, refusal, retry_after, see_other};
use super::form::Fields;
use super::opt_out::{Shown, failure};
use super::pages::{CodeError, Frame, MessageKind, Notice, Registration, RegistrationLogin};
use super::token::{Browser, Refused, accept};
use super::{Desk, DeskData, visit};
use crate::api::{State, client_network};
use crate::domain::Reference;
use crate::service::ServiceError;

/// `GET /registration`: the box for the code or, during a visit, the registration.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let Some(access) = visit::access(&desk, &request) else {
        if visit::had_one(&request) {
            let mut over = message(&desk, &request, MessageKind::SessionOver);
            // A cookie that is too long to be set cannot come from us.
            let _ = over.add_cookie(&visit::end(&desk));
            return over;
        }
        return login(&desk, &request, StatusCode::OK, "", None, None);
    };
    match state.service.registration(&access).await {
        Ok(registration) => {
            let shown = Shown::of_registration(&state, &registration);
            let browser = Browser::of(&request);
            let token = browser.token(&desk);
            let view = Registration {
                frame: frame(&desk, &request),
                token: &token,
                facts: shown.facts(),
                since: desk.moment(registration.effective_at),
                withdrawn: registration.withdrawn_at.map(|at| desk.moment(at)),
                notice: None,
            };
            page(&desk, StatusCode::OK, &view, browser.cookie(&desk))
        }
        // The code of a report that was made without an opt-out.
        Err(ServiceError::UnknownReference) if state.service.reports_of(&access).await.is_ok() => {
            see_other(&desk, "/reports", None)
        }
        Err(ServiceError::UnknownReference) => {
            see_other(&desk, "/registration", Some(visit::end(&desk)))
        }
        Err(error) => message(&desk, &request, failure(&error)),
    }
}

/// `POST /registration`: the code.
pub(super) async fn enter(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let typed = fields.get("reference").unwrap_or_default();
    let refuse = |status, error, notice| login(&desk, &request, status, typed, error, notice);
    match accept(&desk, &request, fields.get("token")) {
        Ok(_) => {}
        Err(Refused::Expired) => {
            return refuse(StatusCode::FORBIDDEN, None, Some(Notice::FormExpired));
        }
        Err(refused) => return message(&desk, &request, refusal(refused)),
    }
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    if typed.trim().is_empty() {
        return refuse(wrong, Some(CodeError::Empty), None);
    }
    let from = client_network(&request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.code(from) {
        let retry = too_many.retry_after;
        let notice = Notice::TooManyRequests { retry_after: retry };
        let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, None, Some(notice));
        retry_after(&mut response, retry);
        return response;
    }
    let Ok(reference) = Reference::parse(typed) else {
        return refuse(wrong, Some(CodeError::Unknown), None);
    };
    match state.service.access(&reference).await {
        Ok(access) => see_other(&desk, "/registration", Some(visit::cookie(&desk, &access))),
        Err(ServiceError::UnknownReference) => refuse(wrong, Some(CodeError::Unknown), None),
        Err(error) => match failure(&error) {
            MessageKind::RegisterAway => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let mut response = refuse(status, None, Some(Notice::RegisterAway));
                retry_after(&mut response, 5);
                response
            }
            other => message(&desk, &request, other),
        },
    }
}

/// `POST /registration/withdraw`: the opt-out is taken back. Nobody asks why.
pub(super) async fn withdraw(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    if let Err(refused) = accept(&desk, &request, fields.get("token")) {
        return message(&desk, &request, refusal(refused));
    }
    let Some(access) = visit::access(&desk, &request) else {
        return message(&desk, &request, MessageKind::SessionOver);
    };
    match state.service.withdraw(&access).await {
        Ok(_) => {
            state.meters.count_withdrawal();
            see_other(&desk, "/registration", None)
        }
        Err(error) => message(&desk, &request, failure(&error)),
    }
}

/// `POST /leave`: forgets the visit.
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
        Ok(_) | Err(Refused::Expired) => see_other(&desk, "/", Some(visit::end(&desk))),
        Err(refused) => message(&desk, &request, refusal(refused)),
    }
}

fn frame<'a>(desk: &'a Desk, request: &HttpRequest) -> Frame<'a> {
    Frame {
        language: language(desk, request),
        site: &desk.site,
    }
}

fn login(
    desk: &Desk,
    request: &HttpRequest,
    status: StatusCode,
    typed: &str,
    error: Option<CodeError>,
    notice: Option<Notice>,
) -> HttpResponse {
    let browser = Browser::of(request);
    let token = browser.token(desk);
    let view = RegistrationLogin {
        frame: frame(desk, request),
        token: &token,
        typed,
        error,
        notice,
    };
    page(desk, status, &view, browser.cookie(desk))
}
