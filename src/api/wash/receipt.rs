//! `GET /v1/washes/{id}`.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::State;
use crate::api::auth::only_principal;
use crate::api::problem::Problem;
use crate::domain::EntryId;
use crate::service::ServiceError;
use crate::service::record::receipt::Proof;

/// What is known of a wash.
#[derive(Serialize)]
struct View {
    wash: Wash,
    /// As it was hashed, byte for byte.
    entry: Box<RawValue>,
    sealed: bool,
    #[serde(flatten)]
    proof: Proof,
}

#[derive(Serialize)]
struct Wash {
    id: String,
    complete: bool,
    end: &'static str,
    rows: u64,
    suppress: u64,
    not_listed: u64,
    invalid: u64,
    handed_over: u64,
    bytes: u64,
    input_sha256: String,
}

/// What a wash came to, and the proof that it stays on record.
pub(in crate::api) async fn receipt(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let id = EntryId::parse(&id).ok_or(ServiceError::UnknownWash)?;
    let found = state.service.wash_receipt(&who, id).await?;
    let washed = found.washed;
    let entry = String::from_utf8(found.receipt.entry)
        .ok()
        .and_then(|text| RawValue::from_string(text).ok())
        .ok_or(ServiceError::Damaged("an entry of the log"))?;
    let proof = found.receipt.proof;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(View {
            wash: Wash {
                id: id.to_string(),
                complete: washed.end.is_complete(),
                end: washed.end.as_str(),
                rows: washed.rows,
                suppress: washed.suppress,
                not_listed: washed.not_listed,
                invalid: washed.invalid,
                handed_over: washed.handed_over,
                bytes: washed.bytes,
                input_sha256: data_encoding::HEXLOWER.encode(&washed.input),
            },
            entry,
            sealed: matches!(proof, Proof::Sealed { .. }),
            proof,
        }))
}
