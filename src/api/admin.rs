//! `/v1/admin/…`: sellers, agencies, keys, and the doctor.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use super::State;
use super::auth::operator;
use super::blocking;
use super::body::read_json;
use super::problem::Problem;
use crate::domain::{AgencyId, KeyId, Role, SellerId};
use crate::service::{ServiceError, doctor as examine, letters};

/// The longest name of a seller or an agency, in characters.
const NAME: usize = 120;

fn name(text: String) -> Result<String, Problem> {
    let trimmed = text.trim();
    let fits = (1..=NAME).contains(&trimmed.chars().count());
    if fits && !trimmed.chars().any(char::is_control) {
        Ok(trimmed.to_owned())
    } else {
        Err(Problem::from(ServiceError::Contradiction(
            "a name is 1 to 120 characters, without control characters",
        )))
    }
}

fn sellers_of(list: &[String]) -> Result<BTreeSet<SellerId>, Problem> {
    Ok(list
        .iter()
        .map(|id| SellerId::parse(id))
        .collect::<Result<_, _>>()?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSeller {
    id: String,
    name: String,
}

pub(super) async fn add_seller(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let body: NewSeller = read_json(payload, &state.settings.http).await?;
    let id = SellerId::parse(&body.id)?;
    let made = state.service.add_seller(id, name(body.name)?).await?;
    Ok(HttpResponse::Created().json(made))
}

pub(super) async fn sellers(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let sellers = state.service.sellers().await?;
    Ok(HttpResponse::Ok().json(json!({ "sellers": sellers })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAgency {
    id: String,
    name: String,
    sellers: Vec<String>,
}

pub(super) async fn add_agency(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let body: NewAgency = read_json(payload, &state.settings.http).await?;
    let id = AgencyId::parse(&body.id)?;
    let sellers = sellers_of(&body.sellers)?;
    let made = state
        .service
        .add_agency(id, name(body.name)?, sellers)
        .await?;
    Ok(HttpResponse::Created().json(made))
}

pub(super) async fn agencies(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let agencies = state.service.agencies().await?;
    Ok(HttpResponse::Ok().json(json!({ "agencies": agencies })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyChange {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    sellers: Option<Vec<String>>,
}

pub(super) async fn change_agency(
    state: State,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let id = AgencyId::parse(&id)?;
    let body: AgencyChange = read_json(payload, &state.settings.http).await?;
    let new_name = body.name.map(name).transpose()?;
    let sellers = body.sellers.as_deref().map(sellers_of).transpose()?;
    let changed = state.service.change_agency(id, new_name, sellers).await?;
    Ok(HttpResponse::Ok().json(changed))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    role: String,
    #[serde(default)]
    agency: Option<String>,
    #[serde(default)]
    seller: Option<String>,
}

impl NewKeyBody {
    fn role(&self) -> Result<Role, Problem> {
        let wrong = |text| Err(Problem::from(ServiceError::Contradiction(text)));
        match (self.role.as_str(), &self.agency, &self.seller) {
            ("dialler", Some(agency), None) => Ok(Role::Dialler {
                agency: AgencyId::parse(agency)?,
            }),
            ("seller", None, Some(seller)) => Ok(Role::Seller {
                seller: SellerId::parse(seller)?,
            }),
            ("regulator", None, None) => Ok(Role::Regulator),
            ("operator", None, None) => Ok(Role::Operator),
            ("dialler", ..) => wrong("a dialler's key names its agency, and no seller"),
            ("seller", ..) => wrong("a seller's key names its seller, and no agency"),
            ("regulator" | "operator", ..) => {
                wrong("the key of a regulator or an operator names neither agency nor seller")
            }
            _ => wrong("role is dialler, seller, regulator or operator"),
        }
    }
}

pub(super) async fn create_key(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let body: NewKeyBody = read_json(payload, &state.settings.http).await?;
    let made = state.service.create_key(Some(&who), body.role()?).await?;
    let mut answer = serde_json::to_value(&made.view)
        .map_err(|_| ServiceError::Damaged("the new key's record"))?;
    answer["key"] = made.key.reveal().into();
    Ok(HttpResponse::Created()
        .insert_header(("Cache-Control", "no-store"))
        .json(answer))
}

pub(super) async fn keys(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let keys = state.service.keys().await?;
    Ok(HttpResponse::Ok().json(json!({ "keys": keys })))
}

pub(super) async fn revoke_key(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let id = KeyId::parse(&id)?;
    let revoked_at = state.service.revoke_key(Some(&who), &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "id": id, "revoked_at": revoked_at })))
}

pub(super) async fn doctor(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    operator(&state, &request).await?;
    let health = state.service.health().await;
    let mut checks = examine::examine_store(&state.settings, &health);
    checks.push(examine::examine_log(&state.service.log_status()));
    let seen = state.clone();
    let folder = blocking(move || Ok(examine::examine_folder(&seen.settings, &seen.data)));
    checks.extend(folder.await?);
    checks.extend(letters::examine(&state.settings.mail).await);
    Ok(HttpResponse::Ok().json(json!({
        "checks": checks,
        "time": crate::domain::Moment::now(),
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// How long the key before signs beside the new one.
    #[serde(default = "thirty_days")]
    overlap_s: u64,
}

fn thirty_days() -> u64 {
    30 * 86_400
}

/// Begins to sign the log with a new key.
pub(super) async fn rotate_log_key(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let body: Rotation = read_json(payload, &state.settings.http).await?;
    let overlap = Duration::from_secs(body.overlap_s);
    let keys = state.service.rotate_log_key(&who, overlap).await?;
    Ok(HttpResponse::Ok().json(json!({ "keys": keys })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    reason: String,
}

/// Releases the key of a month's pseudonyms.
pub(super) async fn release_month(
    state: State,
    request: HttpRequest,
    month: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let month = super::audit::month(&month)?;
    let body: Release = read_json(payload, &state.settings.http).await?;
    let released = state
        .service
        .release_month(&who, month, &body.reason)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(released))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pruning {
    before: u16,
}

/// Drops the entries of years that are over.
pub(super) async fn prune(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let body: Pruning = read_json(payload, &state.settings.http).await?;
    let pruned = state.service.prune(&who, body.before).await?;
    Ok(HttpResponse::Ok().json(json!({ "pruned": pruned })))
}

/// Makes the index of the log anew.
pub(super) async fn reindex(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let permit = state.service.audit_permit(&who).await?;
    let segments = state.service.reindex(&permit).await?;
    Ok(HttpResponse::Ok().json(json!({ "segments": segments })))
}
