//! `POST /v1/registrations` and `POST /v1/registrations/withdraw`, and the operator's
//! `POST /v1/admin/registrations`.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::auth::{only_principal, operator};
use super::body::read_json;
use super::checks::REF;
use super::problem::Problem;
use super::query::{Query, notation, wrong_parameter};
use super::{State, client_network};
use crate::domain::{Channels, Moment, Reference, SellerId};
use crate::service::{Registrant, Sellers, ServiceError, Wanted};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    numbers: Vec<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    international: bool,
    sellers: SellersMember,
    #[serde(default)]
    channels: Option<Channels>,
    #[serde(default, rename = "ref")]
    reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "\"all\" or a list of seller ids")]
enum SellersMember {
    Word(String),
    List(Vec<String>),
}

#[derive(Serialize)]
struct Made {
    reference: String,
    effective_at: Moment,
    numbers: usize,
}

/// An objection made to an agent or a company.
pub(super) async fn register(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let body: New = read_json(payload, &state.settings.http).await?;
    let who = Registrant::Key {
        who: &who,
        reference: body.reference()?,
    };
    register_for(&state, who, &body.wanted()?).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnBehalf {
    numbers: Vec<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    international: bool,
    sellers: SellersMember,
    #[serde(default)]
    channels: Option<Channels>,
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    reason: String,
}

/// `POST /v1/admin/registrations`: the operator registers for a person who cannot use the page.
pub(super) async fn register_on_behalf(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let body: OnBehalf = read_json(payload, &state.settings.http).await?;
    let OnBehalf {
        numbers,
        region,
        international,
        sellers,
        channels,
        reference,
        reason,
    } = body;
    let body = New {
        numbers,
        region,
        international,
        sellers,
        channels,
        reference,
    };
    let who = Registrant::Operator {
        who: &who,
        reason: &reason,
        again: body.reference()?.map(str::as_bytes),
    };
    register_for(&state, who, &body.wanted()?).await
}

impl New {
    fn wanted(&self) -> Result<Wanted<'_>, Problem> {
        let sellers = match &self.sellers {
            SellersMember::Word(word) if word == "all" => Sellers::All,
            SellersMember::Word(_) => {
                return Err(wrong_parameter(
                    "sellers",
                    "\"all\" or a list of seller ids",
                ));
            }
            SellersMember::List(list) => Sellers::Chosen(
                list.iter()
                    .map(|id| SellerId::parse(id))
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Wanted {
            numbers: self.numbers.iter().map(|text| text.trim()).collect(),
            notation: notation(self.region.as_deref(), self.international)?,
            sellers,
            channels: self.channels.unwrap_or(Channels::BOTH),
        })
    }

    fn reference(&self) -> Result<Option<&str>, Problem> {
        let reference = self.reference.as_deref();
        if reference.is_some_and(|text| text.is_empty() || text.chars().count() > REF) {
            return Err(wrong_parameter("ref", "1 to 128 characters"));
        }
        Ok(reference)
    }
}

async fn register_for(
    state: &State,
    who: Registrant<'_>,
    wanted: &Wanted<'_>,
) -> Result<HttpResponse, Problem> {
    let made = state
        .service
        .register(who, wanted)
        .await
        .map_err(kept_nothing_sure)?;
    state.meters.count_registration();
    Ok(HttpResponse::Created()
        .insert_header(("Cache-Control", "no-store"))
        .json(Made {
            reference: made.access.reference().reveal(),
            effective_at: made.effective_at,
            numbers: made.numbers,
        }))
}

/// A registration that failed at the store is no confirmation, and no call is meant.
fn kept_nothing_sure(error: ServiceError) -> Problem {
    let away = matches!(error, ServiceError::Store(_));
    let unmandated = matches!(error, ServiceError::NoMandate);
    let problem = Problem::from(error);
    if unmandated {
        problem.keeping(
            "The objection is not recorded. For every company at once, say `\"sellers\":\"all\"`.",
        )
    } else if away {
        problem.keeping(
            "The opt-out is not confirmed. Register it again; with the same `ref` it is the same \
             registration, however often you try.",
        )
    } else {
        problem
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdraw {
    reference: String,
}

#[derive(Serialize)]
struct Withdrawn {
    withdrawn_at: Moment,
}

/// Whoever has the code takes the registration back. No key is needed.
pub(super) async fn withdraw(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    Query::read(request.query_string()).only(&[])?;
    let from = client_network(&request, &state.settings.http.trusted_proxies);
    state.limits.code(from)?;
    let body: Withdraw = read_json(payload, &state.settings.http).await?;
    let reference = Reference::parse(&body.reference).map_err(ServiceError::from)?;
    let withdrawn = async {
        let access = state.service.access(&reference).await?;
        state.service.withdraw(&access).await
    };
    let withdrawn_at = withdrawn.await.map_err(|error: ServiceError| {
        let away = matches!(error, ServiceError::Store(_));
        let problem = Problem::from(error);
        if away {
            problem.keeping("The registration may still stand; withdrawing again is harmless.")
        } else {
            problem
        }
    })?;
    state.meters.count_withdrawal();
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(Withdrawn { withdrawn_at }))
}
