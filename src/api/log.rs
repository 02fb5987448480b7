//! `/log/…`: the sealed log, as c2sp.org/tlog-tiles lays it out. Checkpoints, hashes and keys are
//! for everybody; entries for regulators and the operator.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::State;
use super::auth::only_principal;
use super::body::read;
use super::problem::Problem;
use crate::log::{LogName, Tile};
use crate::service::ServiceError;

/// What never changes may be kept.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What grows every few seconds may be kept for one.
const FRESH: &str = "public, max-age=1";

const TEXT: &str = "text/plain; charset=utf-8";

/// The page that says what there is: which logs, their keys, and how to check them.
pub(super) async fn about(state: State) -> Result<HttpResponse, Problem> {
    let mut text = String::from(
        "The audit log of this do-not-call registry\n\n\
         Every check, opt-out and withdrawal is an entry of a log that nobody can change unnoticed\n\
         (c2sp.org/tlog-tiles, RFC 6962). Keep a checkpoint: whoever holds an old one can tell\n\
         later that nothing before it was changed, removed or put in.\n\n\
         The keys that sign the logs, newest first. Compare them with what the operator publishes\n\
         elsewhere:\n\n",
    );
    for key in state.service.log_keys().await? {
        text.push_str(&format!("{}\n", key.vkey));
    }
    text.push_str("\nThe logs:\n\n");
    for log in state.service.logs().await? {
        text.push_str(&format!(
            "/log/{name}/checkpoint   {size} entries   {origin}\n",
            name = log.name,
            size = log.size,
            origin = log.origin
        ));
    }
    text.push_str(
        "\nHashes are under /log/<log>/tile/<level>/<number>, older checkpoints under\n\
         /log/<log>/checkpoints/<size>. Entries, under /log/<log>/tile/entries/<number>, take the\n\
         key of a regulator. What one check left on record: /v1/checks/<id>.\n",
    );
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", TEXT))
        .insert_header(("Cache-Control", FRESH))
        .body(text))
}

/// The same for programs.
pub(super) async fn logs(state: State) -> Result<HttpResponse, Problem> {
    let (logs, keys) = (state.service.logs().await?, state.service.log_keys().await?);
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", FRESH))
        .json(json!({ "logs": logs, "keys": keys })))
}

/// The verifier keys, one a line.
pub(super) async fn keys(state: State) -> Result<HttpResponse, Problem> {
    let keys = state.service.log_keys().await?;
    let lines: String = keys.iter().map(|key| format!("{}\n", key.vkey)).collect();
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", TEXT))
        .insert_header(("Cache-Control", FRESH))
        .body(lines))
}

/// The newest checkpoint of the log that is written now.
pub(super) async fn checkpoint(state: State) -> Result<HttpResponse, Problem> {
    let log = current(&state).await?;
    checkpoint_of(&state, log).await
}

/// The newest checkpoint of a log.
pub(super) async fn named_checkpoint(
    state: State,
    log: Path<String>,
) -> Result<HttpResponse, Problem> {
    checkpoint_of(&state, named(&log)?).await
}

async fn checkpoint_of(state: &State, log: LogName) -> Result<HttpResponse, Problem> {
    let found = state.service.archive().checkpoint(log).await;
    let found = found.map_err(ServiceError::from)?;
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", TEXT))
        .insert_header(("Cache-Control", FRESH))
        .body(found.ok_or_else(nothing)?))
}

/// The sizes of the older checkpoints that are kept.
pub(super) async fn checkpoints(state: State, log: Path<String>) -> Result<HttpResponse, Problem> {
    let sizes = state.service.archive().kept_checkpoints(named(&log)?).await;
    let sizes = sizes.map_err(ServiceError::from)?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", FRESH))
        .json(json!({ "sizes": sizes })))
}

/// An older checkpoint.
pub(super) async fn kept_checkpoint(
    state: State,
    path: Path<(String, u64)>,
) -> Result<HttpResponse, Problem> {
    let (log, size) = path.into_inner();
    let archive = state.service.archive();
    let found = archive.kept_checkpoint(named(&log)?, size).await;
    let found = found.map_err(ServiceError::from)?.ok_or_else(nothing)?;
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", TEXT))
        .insert_header(("Cache-Control", "public, max-age=3600"))
        .body(found))
}

/// A tile of the log that is written now.
pub(super) async fn tile(
    state: State,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let log = current(&state).await?;
    tile_of(&state, &request, log, &path).await
}

/// A tile of a log.
pub(super) async fn named_tile(
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (log, path) = path.into_inner();
    tile_of(&state, &request, named(&log)?, &path).await
}

async fn tile_of(
    state: &State,
    request: &HttpRequest,
    log: LogName,
    path: &str,
) -> Result<HttpResponse, Problem> {
    let tile = Tile::parse(&format!("tile/{path}")).ok_or_else(nothing)?;
    let mut cache = IMMUTABLE;
    if let Tile::Entries { .. } = tile {
        let who = only_principal(state, request).await?;
        if !who.role.reads_audit() {
            return Err(ServiceError::WrongRole("regulator").into());
        }
        cache = "private, no-store";
    }
    let found = state.service.archive().tile(log, tile).await;
    let found = found.map_err(ServiceError::from)?.ok_or_else(nothing)?;
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", "application/octet-stream"))
        .insert_header(("Cache-Control", cache))
        .body(found))
}

/// Takes the co-signatures of witnesses that the settings name.
pub(super) async fn cosign(
    state: State,
    log: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let log = named(&log)?;
    let body = read(payload, &state.settings.http).await?;
    let kept = state.service.keep_cosignatures(log, &body).await?;
    Ok(HttpResponse::Ok().json(json!({ "kept": kept })))
}

async fn current(state: &State) -> Result<LogName, Problem> {
    let head = state.service.archive().head().await;
    let head = head.map_err(ServiceError::from)?.ok_or_else(nothing)?;
    Ok(head.log)
}

fn named(text: &str) -> Result<LogName, Problem> {
    text.parse().map_err(|_| nothing())
}

fn nothing() -> Problem {
    Problem::of_status(actix_web::http::StatusCode::NOT_FOUND)
}
