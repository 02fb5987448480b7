//! A person's own registration: see it with the code, and take it back.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{language, message, page_with_script, see_other};
use super::assets::script_path;
use super::close::close;
use super::draft::{self, Draft, Why, accepted};
use super::form::Fields;
use super::opt_out::failure;
use super::pages::{CodeError, Frame, MessageKind, Next, Notice, RegistrationLogin};
use super::token::Browser;
use super::{Desk, DeskData, change, visit};
use crate::api::{State, client_network};
use crate::domain::Reference;
use crate::service::ServiceError;

/// Where the box for the code is, and the registration.
const PAGE: &str = "/registration";

/// `GET /registration`: the box for the code or, during a visit, the registration.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let again = async |draft: &Draft| entered(&desk, &request, draft);
    if let Some(page) = draft::reopened(&state, &desk, &request, PAGE, again).await {
        return page;
    }
    let (mut next, mut news) = (None, false);
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        match &*name {
            "next" => next = Next::parse(&value),
            "news" => news = true,
            _ => {}
        }
    }
    let access = match visit::access(&state, &desk, &request).await {
        Ok(access) => access,
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let Some(access) = access else {
        if visit::had_one(&request) {
            let mut over = message(&desk, &request, MessageKind::SessionOver);
            // A cookie that is too long to be set cannot come from us.
            let _ = over.add_cookie(&visit::end(&desk));
            return over;
        }
        return login(&desk, &request, next, None);
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
            change::show(&state, &desk, &request, &registration, &shown)
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
    let Ok(mut fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let why = match code(&state, &desk, &request, &mut fields).await {
        Ok(done) => return done,
        Err(why) => why,
    };
    let again = async |draft: &Draft| entered(&desk, &request, draft);
    let draft = Draft { fields, why };
    draft::again(&desk, &request, (PAGE, PAGE), draft, again).await
}

/// Opens what the code stands for, or says why the box comes again.
async fn code(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
) -> Result<HttpResponse, Why> {
    accepted(desk, request, fields)?;
    let typed = fields.get("reference").unwrap_or_default();
    if typed.trim().is_empty() {
        return Err(Why::Wrong);
    }
    let from = client_network(request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.code(from) {
        let retry_after = too_many.retry_after;
        return Err(Notice::TooManyRequests { retry_after }.into());
    }
    let reference = Reference::parse(typed).map_err(|_| Why::Wrong)?;
    match state.service.access(&reference).await {
        Ok(access) => {
            let next = fields.get("next").and_then(Next::parse);
            let to = next.map_or(PAGE, Next::path);
            Ok(see_other(desk, to, Some(visit::cookie(desk, &access))))
        }
        Err(ServiceError::UnknownReference) => Err(Why::Wrong),
        Err(error) => Err(Why::failed(&error)),
    }
}

/// `POST /registration/withdraw`: the opt-out is taken back. Nobody asks why.
pub(super) async fn withdraw(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    change::sent(&state, &desk, &request, payload, async |access, _| {
        state.service.withdraw(access).await?;
        state.meters.count_withdrawal();
        Ok(see_other(&desk, change::DONE, None))
    })
    .await
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
    let session = visit::read(&desk, &request).map(|visit| (visit.id, visit.until));
    close(
        &state,
        &desk,
        &request,
        &fields,
        session,
        [visit::end(&desk)],
        "/",
    )
    .await
}

pub(super) fn frame<'a>(desk: &'a Desk, request: &HttpRequest) -> Frame<'a> {
    Frame {
        language: language(desk, request),
        site: &desk.site,
    }
}

/// The box for the code once more, with what was typed.
fn entered(desk: &Desk, request: &HttpRequest, draft: &Draft) -> HttpResponse {
    let next = draft.fields.get("next").and_then(Next::parse);
    login(desk, request, next, Some(draft))
}

fn login(
    desk: &Desk,
    request: &HttpRequest,
    next: Option<Next>,
    draft: Option<&Draft>,
) -> HttpResponse {
    let browser = Browser::of(request);
    let fresh = browser.token(desk);
    let typed = draft.and_then(|draft| draft.fields.get("reference"));
    let typed = typed.unwrap_or_default();
    let why = draft.map(|draft| draft.why);
    let view = RegistrationLogin {
        frame: frame(desk, request),
        token: draft.map_or(&fresh, Draft::token),
        typed,
        error: (why == Some(Why::Wrong)).then(|| match typed.trim() {
            "" => CodeError::Empty,
            _ => CodeError::Unknown,
        }),
        next,
        script: &script_path("code"),
        notice: why.and_then(Why::notice),
    };
    page_with_script(desk, StatusCode::OK, &view, browser.cookie(desk))
}
