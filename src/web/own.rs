//! A person's own registration: see it with the code, and take it back.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{language, message, page_with_script, refusal, retry_after, see_other};
use super::assets::script_path;
use super::change::failed_form;
use super::form::Fields;
use super::opt_out::failure;
use super::pages::{CodeError, Frame, MessageKind, Next, Notice, RegistrationLogin};
use super::token::{Browser, Refused, accept};
use super::{Desk, DeskData, change, visit};
use crate::api::{State, client_network};
use crate::domain::Reference;
use crate::service::ServiceError;

/// `GET /registration`: the box for the code or, during a visit, the registration.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let (mut next, mut news) = (None, false);
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        match &*name {
            "next" => next = Next::parse(&value),
            "news" => news = true,
            _ => {}
        }
    }
    let Some(access) = visit::access(&desk, &request) else {
        if visit::had_one(&request) {
            let mut over = message(&desk, &request, MessageKind::SessionOver);
            // A cookie that is too long to be set cannot come from us.
            let _ = over.add_cookie(&visit::end(&desk));
            return over;
        }
        return login(&desk, &request, StatusCode::OK, &Code::blank(next));
    };
    if let Some(next) = next {
        return see_other(&desk, next.path(), None);
    }
    match state.service.registration(&access).await {
        Ok(registration) => {
            let shown = change::Asked {
                news,
                ..change::Asked::default()
            };
            change::show(
                &state,
                &desk,
                &request,
                StatusCode::OK,
                &registration,
                &shown,
            )
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
    let next = fields.get("next").and_then(Next::parse);
    let refuse = |status, error, notice| {
        let code = Code {
            typed,
            error,
            next,
            notice,
        };
        login(&desk, &request, status, &code)
    };
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
        Ok(access) => {
            let to = next.map_or("/registration", Next::path);
            see_other(&desk, to, Some(visit::cookie(&desk, &access)))
        }
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
            see_other(&desk, "/registration?news=1", None)
        }
        Err(error) => {
            let to = "/registration/withdraw";
            failed_form(&desk, &request, &error, to, &fields)
        }
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

pub(super) fn frame<'a>(desk: &'a Desk, request: &HttpRequest) -> Frame<'a> {
    Frame {
        language: language(desk, request),
        site: &desk.site,
    }
}

/// The box for the code, as it was sent.
struct Code<'a> {
    typed: &'a str,
    error: Option<CodeError>,
    next: Option<Next>,
    notice: Option<Notice>,
}

impl Code<'_> {
    fn blank(next: Option<Next>) -> Self {
        Self {
            typed: "",
            error: None,
            next,
            notice: None,
        }
    }
}

fn login(desk: &Desk, request: &HttpRequest, status: StatusCode, code: &Code<'_>) -> HttpResponse {
    let browser = Browser::of(request);
    let token = browser.token(desk);
    let view = RegistrationLogin {
        frame: frame(desk, request),
        token: &token,
        typed: code.typed,
        error: code.error,
        next: code.next,
        script: &script_path("code"),
        notice: code.notice,
    };
    page_with_script(desk, status, &view, browser.cookie(desk))
}
