//! Who is asking: `Authorization: Bearer KEY`, Basic with the key as password or user name, or
//! `key=` in the query for dialplans that can do no better.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use data_encoding::BASE64;

use super::problem::Problem;
use super::query::Query;
use super::{Shared, State};
use crate::domain::{Principal, Role};
use crate::service::ServiceError;

/// The holder of the key that a request carries.
pub(super) async fn principal(
    state: &Shared,
    request: &HttpRequest,
    query: &Query<'_>,
) -> Result<Principal, Problem> {
    let key = header_key(request)
        .or_else(|| query.get("key").map(str::to_owned))
        .ok_or_else(Problem::no_key)?;
    Ok(state.service.authenticate(key.trim()).await?)
}

/// The same, for a request whose query may hold nothing but a key.
pub(super) async fn only_principal(
    state: &State,
    request: &HttpRequest,
) -> Result<Principal, Problem> {
    let query = Query::read(request.query_string());
    let principal = principal(state, request, &query).await?;
    query.only(&["key"])?;
    Ok(principal)
}

/// The same, for operators only.
pub(super) async fn operator(state: &State, request: &HttpRequest) -> Result<Principal, Problem> {
    let principal = only_principal(state, request).await?;
    match principal.role {
        Role::Operator => Ok(principal),
        _ => Err(ServiceError::WrongRole("operator").into()),
    }
}

/// The key that a request's head carries.
pub(super) fn header_key(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(rest.trim().as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':').unwrap_or((&text, ""));
    Some(if password.is_empty() { user } else { password }.to_owned())
}
