//! `/livez`, `/readyz`, `/metrics`.

use std::sync::atomic::Ordering;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::State;
use super::auth::operator;
use super::problem::Problem;

/// The process runs.
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Content-Type", "text/plain; charset=utf-8"))
        .body("ok")
}

/// It can answer checks: the store takes writes and keeps them. A load balancer asks this.
pub(super) async fn ready(state: State) -> HttpResponse {
    let store = state.service.health().await;
    let confirmed = state.service.directory().current().is_ok();
    let draining = state.draining.load(Ordering::Relaxed);
    let ready = store.ok && confirmed && !draining;
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    let mut response = response
        .insert_header(("Cache-Control", "no-store"))
        .json(json!({
            "ready": ready,
            "store": store,
            "directory": { "ok": confirmed },
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
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", content_type))
        .body(state.meters.render()))
}
