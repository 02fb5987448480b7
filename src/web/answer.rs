//! How a page becomes an answer: headers, language, messages.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieBuilder, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::form::Fields;
use super::pages::{Again, Frame, Message, MessageKind};
use super::texts::Language;
use super::token::{Browser, Refused};
use super::{Desk, DeskData, console};
use crate::api::Problem;
use crate::domain::ReportId;

const LANGUAGE: &str = "metrust_lang";

/// No scripts at all, nothing from elsewhere, no framing, forms only to ourselves.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The same with scripts of our own, for the pages that have one: of use, and needed by nobody.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                                  img-src 'self'; form-action 'self'; base-uri 'none'; \
                                  frame-ancestors 'none'";

/// The person's language: what they chose, else what their browser asks for, else the default.
pub(super) fn language(desk: &Desk, request: &HttpRequest) -> Language {
    let chosen = request
        .cookie(LANGUAGE)
        .and_then(|cookie| Language::parse(cookie.value()));
    let asked = || {
        let header = request.headers().get(ACCEPT_LANGUAGE)?;
        Language::from_accept_language(header.to_str().ok()?)
    };
    chosen.or_else(asked).unwrap_or(desk.default_language)
}

/// The cookie that keeps a chosen language for a year.
pub(super) fn language_cookie(desk: &Desk, language: Language) -> Cookie<'static> {
    Cookie::build(LANGUAGE, language.code())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(desk.secure)
        .max_age(Duration::days(365))
        .finish()
}

/// A cookie for these pages and for nobody else: no script reads it, and no other site has it sent.
pub(super) fn strict_cookie<'a>(
    desk: &Desk,
    name: &'a str,
    value: String,
    path: &str,
) -> CookieBuilder<'a> {
    Cookie::build(name, value)
        .path(path.to_owned())
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(desk.secure)
}

/// A page, with everything a browser should know about it.
pub(super) fn page(
    desk: &Desk,
    status: StatusCode,
    view: &impl Template,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
) -> HttpResponse {
    let Ok(html) = view.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    let mut response = HttpResponse::build(status);
    response.insert_header(("Content-Type", "text/html; charset=utf-8"));
    protect(desk, &mut response);
    for cookie in cookies {
        response.cookie(cookie);
    }
    response.body(html)
}

/// The same for a page with a script of ours.
pub(super) fn page_with_script(
    desk: &Desk,
    status: StatusCode,
    view: &impl Template,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
) -> HttpResponse {
    let mut response = page(desk, status, view, cookies);
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY_WITH_SCRIPT),
    );
    response
}

/// A file to keep.
pub(super) fn attachment(
    desk: &Desk,
    content_type: &'static str,
    name: &str,
    content: Vec<u8>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header(("Content-Type", content_type));
    response.insert_header((
        "Content-Disposition",
        format!("attachment; filename=\"{name}\""),
    ));
    protect(desk, &mut response);
    response.body(content)
}

/// On to another page, so that reloading sends nothing again.
pub(super) fn see_other(
    desk: &Desk,
    to: &str,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, to));
    protect(desk, &mut response);
    for cookie in cookies {
        response.cookie(cookie);
    }
    response.finish()
}

pub(super) fn protect(desk: &Desk, response: &mut actix_web::HttpResponseBuilder) {
    for (name, value) in [
        ("Content-Security-Policy", POLICY),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        (
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        ("X-Robots-Tag", "noarchive"),
        ("Vary", "Accept-Language, Cookie"),
    ] {
        response.insert_header((name, value));
    }
    if desk.secure {
        response.insert_header(("Strict-Transport-Security", "max-age=63072000"));
    }
}

/// The status of a page that only says something.
pub(super) fn status_of(kind: MessageKind) -> StatusCode {
    match kind {
        MessageKind::NotFound => StatusCode::NOT_FOUND,
        MessageKind::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        MessageKind::RegisterAway => StatusCode::SERVICE_UNAVAILABLE,
        MessageKind::SessionOver
        | MessageKind::FormExpired
        | MessageKind::CookiesOff
        | MessageKind::ForbiddenOrigin => StatusCode::FORBIDDEN,
        MessageKind::DraftGone => StatusCode::GONE,
        MessageKind::BadRequest => StatusCode::BAD_REQUEST,
        MessageKind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A page that only says something.
pub(super) fn message(desk: &Desk, request: &HttpRequest, kind: MessageKind) -> HttpResponse {
    say(desk, request, kind, None)
}

/// The same after a form that could not be taken now: it can be sent again from there.
pub(super) fn message_again(
    desk: &Desk,
    request: &HttpRequest,
    kind: MessageKind,
    to: &str,
    fields: &Fields,
) -> HttpResponse {
    use MessageKind::{Broken, RegisterAway, TooManyRequests};
    if !matches!(kind, TooManyRequests { .. } | RegisterAway | Broken) {
        return message(desk, request, kind);
    }
    let adds = fields.get("action") == Some("add-number");
    let shown = |name: &str| name == "token" || (adds && name == "number");
    let again = Again {
        to,
        token: fields.get("token").unwrap_or_default(),
        number: fields.get("number").filter(|_| adds),
        hidden: fields.pairs().filter(|(name, _)| !shown(name)).collect(),
    };
    say(desk, request, kind, Some(again))
}

fn say(
    desk: &Desk,
    request: &HttpRequest,
    kind: MessageKind,
    again: Option<Again<'_>>,
) -> HttpResponse {
    let frame = Frame {
        language: language(desk, request),
        site: &desk.site,
    };
    let view = Message {
        frame,
        kind,
        request_id: None,
        again,
    };
    let cookie = Browser::of(request).cookie(desk);
    let mut response = page(desk, status_of(kind), &view, cookie);
    let wait = match kind {
        MessageKind::TooManyRequests { retry_after } => Some(retry_after),
        MessageKind::RegisterAway => Some(5),
        _ => None,
    };
    if let Some(seconds) = wait {
        retry_after(&mut response, seconds);
    }
    response
}

/// Says when to try again.
pub(super) fn retry_after(response: &mut HttpResponse, seconds: u64) {
    use actix_web::http::header::RETRY_AFTER;
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
}

/// The message for a form that is not taken.
pub(super) fn refusal(refused: Refused) -> MessageKind {
    match refused {
        Refused::ForeignOrigin => MessageKind::ForbiddenOrigin,
        Refused::NoCookie => MessageKind::CookiesOff,
        Refused::Expired => MessageKind::FormExpired,
    }
}

/// `GET /language?to=nl&back=/registration`: for pages where nothing is typed.
pub(super) async fn change_language(desk: DeskData, request: HttpRequest) -> HttpResponse {
    let mut to = None;
    let mut back = "/".to_owned();
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        match &*name {
            "to" => to = Language::parse(&value),
            // Only to pages of ours: an address from outside would lead people anywhere.
            "back" => {
                let known = [
                    "/",
                    "/done",
                    "/registration",
                    "/registration?next=report",
                    "/registration?next=reports",
                    "/registration?next=asked",
                    "/registration/asked",
                    "/reports",
                ];
                let report = value
                    .strip_prefix("/reports/")
                    .is_some_and(|id| ReportId::parse(id).is_some());
                if report || known.contains(&&*value) {
                    back = value.into_owned();
                } else if let Some(page) = console::way_back(&value) {
                    back = page;
                }
            }
            _ => {}
        }
    }
    let cookie = to.map(|language| language_cookie(&desk, language));
    see_other(&desk, &back, cookie)
}

/// What is nowhere: a page for people, a problem for programs.
pub(super) async fn not_found(desk: DeskData, request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get("accept");
    let wants_page = accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    if wants_page && !request.path().starts_with("/v1/") {
        message(&desk, &request, MessageKind::NotFound)
    } else {
        Problem::not_found().error_response()
    }
}
