//! What surrounds every request: its id, its figures, its line in the log, and the last touch on
//! errors. Neither query strings nor addresses are logged: a query may hold a number or a key.

use std::sync::atomic::Ordering;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};

use super::State;
use super::checks::wants_text;
use super::problem::{Polished, Problem};
use crate::telemetry::{CHECK, request_id};

static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Runs a request.
///
/// # Errors
/// None of its own; handlers and extractors have turned theirs into answers before they come here.
pub async fn layer(
    state: State,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let id = request_id();
    let mut response = next.call(request).await?.map_into_boxed_body();
    // Only now: while the request is being routed nobody else may hold it.
    let http = response.request().clone();
    if response.status().is_client_error() || response.status().is_server_error() {
        response = polish(&http, response, &id);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    let is_wash = http.method() == Method::POST && http.uri().path().starts_with("/v1/wash");
    if is_wash || state.draining.load(Ordering::Relaxed) {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    let route = http.match_pattern().unwrap_or_else(|| "(none)".to_owned());
    let status = response.status();
    state.meters.count_request(&route, status, began.elapsed());
    log(http.method().as_str(), &route, status, &id, began);
    Ok(response)
}

/// Gives an error the form that its reader can use: letters alone where plain text was asked for,
/// a problem otherwise, and pages as they are.
fn polish(
    request: &HttpRequest,
    response: ServiceResponse<BoxBody>,
    id: &str,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let polished = response.response().extensions().get::<Polished>().cloned();
    let problem = match polished {
        Some(Polished(None)) => return response,
        Some(Polished(Some(problem))) => problem,
        None if is_page(&response) => return response,
        None => Problem::of_status(status),
    };
    let mut new = written(problem, wants_text(request), id);
    let (request, old) = response.into_parts();
    for (name, value) in old.headers() {
        if name != CONTENT_TYPE && !new.headers().contains_key(name) {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, new)
}

/// An error as its reader gets it: as letters alone, or as a problem.
pub(crate) fn written(problem: Problem, text: bool, id: &str) -> HttpResponse {
    let problem = problem.of_request(id);
    let mut response = if text {
        let mut letters = HttpResponse::build(problem.status_code());
        letters.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"));
        letters.body(problem.letters())
    } else {
        problem.error_response()
    };
    response.headers_mut().insert(
        HeaderName::from_static("cache-control"),
        HeaderValue::from_static("no-store"),
    );
    response
}

/// The line in the log of a check that did not come through [`layer`].
pub(crate) fn log_check(status: StatusCode, id: &str, began: Instant) {
    log("GET", CHECK, status, id, began);
}

fn is_page(response: &ServiceResponse<BoxBody>) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/html"))
}

fn log(method: &str, route: &str, status: StatusCode, id: &str, began: Instant) {
    let micros = began.elapsed().as_micros() as u64;
    let status_code = status.as_u16();
    if status.is_server_error() {
        tracing::warn!(
            request_id = id,
            method,
            route,
            status = status_code,
            micros,
            "request"
        );
    } else {
        tracing::debug!(
            request_id = id,
            method,
            route,
            status = status_code,
            micros,
            "request"
        );
    }
}
