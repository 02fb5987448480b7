//! `GET /v1/check` and `POST /v1/checks`.

use actix_web::http::header::{ACCEPT, CONTENT_TYPE};
use actix_web::web::{self, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::auth::{header_key, only_principal};
use super::body::read_json;
use super::problem::Problem;
use super::query::{Query, notation, wrong_parameter};
use super::{Shared, State};
use crate::domain::{
    Answer, Campaign, Channel, EntryId, Moment, PhoneError, PhoneNumber, Reason, SellerId,
};
use crate::service::record::receipt::Proof;
use crate::service::{Asked, CheckAuthorization, Checker, Question, ServiceError};

const PARAMETERS: [&str; 10] = [
    "phone", "seller", "region", "numbers", "channel", "campaign", "ref", "receipt", "format",
    "key",
];

/// The longest `ref`, in characters.
pub(super) const REF: usize = 128;

/// The answer to one check.
#[derive(Serialize)]
pub(crate) struct One {
    suppress: bool,
    reason: Option<Reason>,
    checked_at: Moment,
    valid_until: Moment,
    #[serde(serialize_with = "as_text")]
    id: EntryId,
    #[serde(skip_serializing_if = "Option::is_none")]
    promise: Option<String>,
}

fn as_text<S: serde::Serializer>(id: &EntryId, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

/// One number, asked over any connection.
pub(crate) struct Wanted<'a> {
    /// The query string.
    pub query: &'a str,
    /// The key that the request's head carries.
    pub key: Option<&'a str>,
    /// Whether its head asks for plain text.
    pub text: bool,
}

/// What one check is answered.
pub(crate) enum Given {
    /// As text: whether the number must not be called.
    Text(bool),
    /// As an object.
    Object(One),
}

/// One number.
pub(super) async fn one(
    state: State,
    checker: web::Data<Checker>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let key = header_key(&request);
    let wanted = Wanted {
        query: request.query_string(),
        key: key.as_deref(),
        text: accepts_text(&request),
    };
    let given = answer(&state, &checker, &wanted).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", "no-store"));
    Ok(match given {
        Given::Text(suppress) => {
            response.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"));
            response.body(if suppress { "1" } else { "0" })
        }
        Given::Object(one) => response.json(one),
    })
}

/// Answers one check, and records it.
pub(crate) async fn answer(
    state: &Shared,
    checker: &Checker,
    wanted: &Wanted<'_>,
) -> Result<Given, Problem> {
    let query = Query::read(wanted.query);
    let key = wanted.key.or_else(|| query.get("key"));
    let key = key.ok_or_else(Problem::no_key)?.trim();
    let who = state.service.authenticate(key).await?;
    query.only(&PARAMETERS)?;
    let text = match query.get("format") {
        None => wanted.text,
        Some("text") => true,
        Some("json") => false,
        Some(_) => return Err(wrong_parameter("format", "json or text")),
    };
    let receipt = match query.get("receipt") {
        None | Some("0") => false,
        Some("1") if !text => true,
        Some("1") => {
            return Err(wrong_parameter(
                "receipt",
                "left out where the answer is text",
            ));
        }
        Some(_) => return Err(wrong_parameter("receipt", "1 or 0")),
    };
    let question = question(&query)?;
    let reference = query.parse("ref", "at most 128 characters", |text| {
        (text.chars().count() <= REF).then(|| text.to_owned())
    })?;
    let notation = query.notation()?;
    let number = PhoneNumber::parse_query(query.need("phone")?, notation);
    let authorization = state.service.authorize(who, question)?;
    let asked = checker
        .check(&authorization, number, reference.as_deref())
        .await?;
    state.meters.count_answer(asked.decision.answer);
    give(state, &authorization, &asked, text, receipt)
}

fn question(query: &Query<'_>) -> Result<Question, Problem> {
    Ok(Question {
        seller: SellerId::parse(query.need("seller")?)?,
        channel: query
            .parse("channel", "voice or text", Channel::parse)?
            .unwrap_or(Channel::Voice),
        campaign: query.get("campaign").map(Campaign::parse).transpose()?,
    })
}

fn give(
    state: &Shared,
    authorization: &CheckAuthorization,
    asked: &Asked,
    text: bool,
    receipt: bool,
) -> Result<Given, Problem> {
    let decision = asked.decision;
    let suppress = match decision.answer {
        Answer::Suppress(_) => true,
        Answer::NotListed => false,
        Answer::Invalid => {
            let error = asked.unreadable.unwrap_or(PhoneError::NotValid);
            return Err(Problem::unreadable(error)
                .keeping("That an unreadable number was asked is on record.")
                .with("id", decision.id.to_string()));
        }
    };
    if text {
        return Ok(Given::Text(suppress));
    }
    Ok(Given::Object(One {
        suppress,
        reason: decision.answer.reason(),
        checked_at: decision.at,
        valid_until: decision.at.plus(state.service.validity()),
        id: decision.id,
        promise: match receipt {
            true => Some(state.service.promise_of(authorization, asked)?),
            false => None,
        },
    }))
}

/// What one act left on record, and the proof that it stays there.
pub(super) async fn receipt(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let id = EntryId::parse(&id).ok_or(ServiceError::UnknownEntry)?;
    let receipt = state.service.receipt(&who, id).await?;
    let entry = String::from_utf8(receipt.entry)
        .ok()
        .and_then(|text| RawValue::from_string(text).ok())
        .ok_or(ServiceError::Damaged("an entry of the log"))?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(ReceiptView {
            sealed: matches!(receipt.proof, Proof::Sealed { .. }),
            entry,
            proof: receipt.proof,
        }))
}

/// The entry stands as it was hashed, byte for byte.
#[derive(Serialize)]
struct ReceiptView {
    entry: Box<RawValue>,
    sealed: bool,
    #[serde(flatten)]
    proof: Proof,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    seller: String,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    international: bool,
    #[serde(default)]
    campaign: Option<String>,
    numbers: Vec<String>,
}

#[derive(Serialize)]
struct Results<'a> {
    checked_at: Moment,
    valid_until: Moment,
    results: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    phone: &'a str,
    answer: &'static str,
    reason: Option<&'static str>,
    id: String,
}

/// Several numbers.
pub(super) async fn many(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = only_principal(&state, &request).await?;
    let body: Many = read_json(payload, &state.settings.http).await?;
    let question = Question {
        seller: SellerId::parse(&body.seller)?,
        channel: body.channel.unwrap_or(Channel::Voice),
        campaign: body.campaign.as_deref().map(Campaign::parse).transpose()?,
    };
    let notation = notation(body.region.as_deref(), body.international)?;
    if body.numbers.is_empty() {
        return Err(crate::service::ServiceError::NoNumbers.into());
    }
    let most = state.service.max_check_numbers();
    if body.numbers.len() > most {
        return Err(crate::service::ServiceError::TooManyNumbers(most).into());
    }
    let numbers: Vec<_> = body
        .numbers
        .iter()
        .map(|text| PhoneNumber::parse(text, notation))
        .collect();
    let asked = state.service.check(who, question, &numbers).await?;
    count(&state, &asked);
    let checked_at = asked.iter().map(|asked| asked.decision.at).min();
    let checked_at = checked_at.unwrap_or_else(Moment::now);
    let results = body
        .numbers
        .iter()
        .zip(&asked)
        .map(|(phone, asked)| Row {
            phone,
            answer: asked.decision.answer.as_str(),
            reason: match asked.unreadable {
                Some(error) => Some(error.code()),
                None => asked.decision.answer.reason().map(Reason::as_str),
            },
            id: asked.decision.id.to_string(),
        })
        .collect();
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(Results {
            checked_at,
            valid_until: checked_at.plus(state.service.validity()),
            results,
        }))
}

/// Whether a request asks for plain text, in its query or its `Accept` header.
pub(super) fn wants_text(request: &HttpRequest) -> bool {
    asks_for_text(request.query_string()) || accepts_text(request)
}

/// Whether a query asks for plain text.
pub(crate) fn asks_for_text(query: &str) -> bool {
    query.split('&').any(|pair| pair == "format=text")
}

/// Whether an `Accept` header asks for plain text.
pub(crate) fn is_text(accept: &str) -> bool {
    accept.trim_start().starts_with("text/plain")
}

fn accepts_text(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT);
    accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_text)
}

fn count(state: &Shared, asked: &[Asked]) {
    for asked in asked {
        state.meters.count_answer(asked.decision.answer);
    }
}
