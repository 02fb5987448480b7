//! `/livez`, `/readyz`, `/metrics`.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::auth::operator;
use super::problem::Problem;
use super::{Shared, State};
use crate::store::Health;

/// The process runs.
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Content-Type", "text/plain; charset=utf-8"))
        .body("ok")
}

/// The store's health, asked at most once a second: anybody may ask this, and the answer costs a
/// write.
async fn remembered(state: &Shared) -> Health {
    let mut memory = state.health.lock().await;
    if let Some((at, health)) = &*memory
        && at.elapsed() < Duration::from_secs(1)
    {
        return health.clone();
    }
    let health = state.service.health().await;
    *memory = Some((Instant::now(), health.clone()));
    health
}

/// It can answer checks: the store takes writes and keeps them. A load balancer asks this. It says in
/// a word what is wrong; what exactly is for the operator: `metrust doctor` says it.
pub(super) async fn ready(state: State) -> HttpResponse {
    let store = remembered(&state).await;
    let confirmed = state.service.directory().current().is_ok();
    let draining = state.draining.load(Ordering::Relaxed);
    let log = state.service.log_status();
    let ready = store.ok && confirmed && !log.is_full() && !draining;
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    let mut response = response
        .insert_header(("Cache-Control", "no-store"))
        .json(json!({
            "ready": ready,
            "store": { "engine": store.engine, "ok": store.ok, "reason": store.reason },
            "directory": { "ok": confirmed },
            "log": {
                "ok": log.error.is_none() && !log.is_full(),
                "lag_ms": u64::try_from(log.lag.as_millis()).unwrap_or(u64::MAX),
                "unsealed_bytes": log.waiting,
            },
            "draining": draining,
        }));
    let polished = super::problem::Polished(None);
    response.extensions_mut().insert(polished);
    response
}

/// Figures for Prometheus.
pub(super) async fn metrics(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !state.settings.metrics.open {
        operator(&state, &request).await?;
    }
    state.meters.show_log(&state.service.log_status());
    if let Some(mail) = state.service.mail_status() {
        state.meters.show_mail(&mail);
    }
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", content_type))
        .body(state.meters.render()))
}
