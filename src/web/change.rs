//! With the code: numbers and companies come and go, a withdrawal is undone, a proof is taken along.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{attachment, message, message_again, page, refusal, see_other};
use super::form::Fields;
use super::opt_out::{Shown, failure};
use super::own::frame;
use super::pages::{ChangeError, Happened, MessageKind, Registration};
use super::token::{Browser, accept};
use super::{Desk, DeskData, visit};
use crate::api::{State, client_network};
use crate::domain::{Moment, PhoneNumber, Region, SellerId};
use crate::service::{Access, Amended, Amendment, RegistrationView, Sellers, ServiceError};

/// How long the page after a change tells of it.
const NEWS: Duration = Duration::from_secs(10 * 60);

/// Where the page is after something was done.
const DONE: &str = "/registration?news=1";

/// What was typed on the page of a registration, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    /// One more number.
    pub typed: &'a str,
    /// The country it was typed for.
    pub region: Option<&'a str>,
    /// What is wrong.
    pub error: Option<ChangeError>,
    /// Whether to tell of the last change.
    pub news: bool,
}

/// The page of a registration.
pub(super) fn show(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    status: StatusCode,
    registration: &RegistrationView,
    asked: &Asked<'_>,
) -> HttpResponse {
    let shown = Shown::of_registration(state, registration);
    let known = state.service.directory().known();
    let name = |id: &SellerId| known.seller_name(id);
    let named = |id: &SellerId| (id.to_string(), name(id));
    let (chosen, mut others) = match &registration.sellers {
        Sellers::All => (Vec::new(), Vec::new()),
        Sellers::Chosen(chosen) => {
            let others = known.sellers.keys().filter(|id| !chosen.contains(id));
            (
                chosen.iter().map(named).collect(),
                others.map(named).collect::<Vec<_>>(),
            )
        }
    };
    others.sort_by_key(|(_, name)| name.to_lowercase());
    let history = registration.history.iter().map(|event| Happened {
        at: desk.moment(event.at),
        what: event.deed,
        company: event.seller.as_ref().map(name).unwrap_or_default(),
    });
    // The address alone says nothing: only what was really done lately is told.
    let last = registration.history.last();
    let lately = last.is_some_and(|event| Moment::now() < event.at.plus(NEWS));
    let default_region = state.settings.web.default_region.to_ascii_uppercase();
    let browser = Browser::of(request);
    let token = browser.token(desk);
    let view = Registration {
        frame: frame(desk, request),
        token: &token,
        facts: shown.facts(),
        since: desk.moment(registration.effective_at),
        withdrawn: registration.withdrawn_at.map(|at| desk.moment(at)),
        undo_until: registration.undo_until.map(|at| desk.moment(at)),
        undo_hours: u32::from(state.settings.registration.undo_hours),
        history: history.collect(),
        news: asked.news && lately,
        numbers: registration
            .numbers
            .iter()
            .map(|number| number.e164().to_owned())
            .collect(),
        max_numbers: state.service.max_registration_numbers(),
        chosen,
        others,
        typed: asked.typed,
        region: asked.region.unwrap_or(&default_region),
        error: asked.error,
        notice: None,
    };
    page(desk, status, &view, browser.cookie(desk))
}

/// Where the forms of a registration's page go.
const CHANGE: &str = "/registration/change";
const RESTORE: &str = "/registration/restore";

/// `POST /registration/change`: a number or a company comes or goes.
pub(super) async fn change(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let (fields, access) = match sent(&state, &desk, &request, payload).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let amendment = match read(&fields) {
        Ok(amendment) => amendment,
        Err(Unread::Wrong(error)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return again(&state, &desk, &request, &access, &fields, status, error).await;
        }
        Err(Unread::NoForm) => return message(&desk, &request, MessageKind::BadRequest),
    };
    if matches!(amendment, Amendment::AddNumber(_)) {
        let from = client_network(&request, &state.settings.http.trusted_proxies);
        if let Err(too_many) = state.limits.registration(from) {
            let retry_after = too_many.retry_after;
            let kind = MessageKind::TooManyRequests { retry_after };
            return message_again(&desk, &request, kind, CHANGE, &fields);
        }
    }
    match state.service.amend(&access, &amendment).await {
        Ok(Amended::Done) => {
            if let Amendment::AddNumber(number) = &amendment
                && let Err(error) = state.service.count_opted_out(&[*number]).await
            {
                tracing::warn!(%error, "an alarm about adjacent numbers is not on record");
            }
            see_other(&desk, DONE, None)
        }
        Ok(Amended::Withdrawn) => {
            state.meters.count_withdrawal();
            see_other(&desk, DONE, None)
        }
        // The page says how it is, which is how it was asked to be.
        Ok(Amended::Already) | Err(ServiceError::Withdrawn | ServiceError::Contradiction(_)) => {
            see_other(&desk, "/registration", None)
        }
        Err(ServiceError::TooManyNumbers(max)) => {
            let (status, error) = (StatusCode::CONFLICT, ChangeError::Full { max });
            again(&state, &desk, &request, &access, &fields, status, error).await
        }
        Err(ServiceError::TooManySellers(max)) => {
            let (status, error) = (StatusCode::CONFLICT, ChangeError::FullOfCompanies { max });
            again(&state, &desk, &request, &access, &fields, status, error).await
        }
        Err(ServiceError::UnknownSeller) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let error = ChangeError::NoCompany;
            again(&state, &desk, &request, &access, &fields, status, error).await
        }
        Err(error) => failed_form(&desk, &request, &error, CHANGE, &fields),
    }
}

/// `POST /registration/restore`: the withdrawal is undone.
pub(super) async fn restore(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let (fields, access) = match sent(&state, &desk, &request, payload).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    match state.service.take_up(&access).await {
        Ok(_) => {
            state.meters.count_registration();
            see_other(&desk, DONE, None)
        }
        Err(ServiceError::TooLate) => {
            let (status, error) = (StatusCode::CONFLICT, ChangeError::TooLate);
            again(&state, &desk, &request, &access, &fields, status, error).await
        }
        Err(error) => failed_form(&desk, &request, &error, RESTORE, &fields),
    }
}

/// `GET /registration/proof`: a signed text to keep.
pub(super) async fn proof(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let Some(access) = visit::access(&desk, &request) else {
        return see_other(&desk, "/registration", None);
    };
    match state.service.registration_proof(&access).await {
        Ok(text) => attachment(
            &desk,
            "text/plain; charset=utf-8",
            "metrust-registration.txt",
            text.into_bytes(),
        ),
        Err(error) => failed(&desk, &request, &error),
    }
}

/// What a form of a registration's page sends, during a visit.
async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(Fields, Access), HttpResponse> {
    let Ok(fields) = Fields::read(state, payload).await else {
        return Err(message(desk, request, MessageKind::BadRequest));
    };
    if let Err(refused) = accept(desk, request, fields.get("token")) {
        return Err(message(desk, request, refusal(refused)));
    }
    match visit::access(desk, request) {
        Some(access) => Ok((fields, access)),
        None => Err(message(desk, request, MessageKind::SessionOver)),
    }
}

/// Why a form is no change.
enum Unread {
    /// Something in it is to be mended.
    Wrong(ChangeError),
    /// No page of ours sends such a form.
    NoForm,
}

fn read(fields: &Fields) -> Result<Amendment, Unread> {
    let number = |region| {
        let text = fields.get("number").unwrap_or_default().trim();
        PhoneNumber::parse(text, region).map_err(ChangeError::Number)
    };
    let seller = || SellerId::parse(fields.get("company").unwrap_or_default());
    match fields.get("action") {
        Some("add-number") => {
            let region = fields.get("region").unwrap_or_default();
            let number = number(Region::parse(region).ok());
            number.map(Amendment::AddNumber).map_err(Unread::Wrong)
        }
        Some("remove-number") => {
            let number = number(None).map_err(|_| Unread::NoForm)?;
            Ok(Amendment::RemoveNumber(number))
        }
        Some("add-company") => {
            let seller = seller().map_err(|_| Unread::Wrong(ChangeError::NoCompany))?;
            Ok(Amendment::AddSeller(seller))
        }
        Some("remove-company") => {
            let seller = seller().map_err(|_| Unread::NoForm)?;
            Ok(Amendment::RemoveSeller(seller))
        }
        _ => Err(Unread::NoForm),
    }
}

/// The page once more, with what was typed and what is wrong.
async fn again(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    access: &Access,
    fields: &Fields,
    status: StatusCode,
    error: ChangeError,
) -> HttpResponse {
    let adds = fields.get("action") == Some("add-number");
    let typed = fields.get("number").filter(|_| adds).unwrap_or_default();
    let asked = Asked {
        typed,
        region: fields.get("region"),
        error: Some(error),
        news: false,
    };
    match state.service.registration(access).await {
        Ok(registration) => show(state, desk, request, status, &registration, &asked),
        Err(error) => failed_form(desk, request, &error, CHANGE, fields),
    }
}

/// A form that the store could not take: it can be sent again from the page that says so.
pub(super) fn failed_form(
    desk: &Desk,
    request: &HttpRequest,
    error: &ServiceError,
    to: &str,
    fields: &Fields,
) -> HttpResponse {
    match error {
        ServiceError::UnknownReference => see_other(desk, "/registration", None),
        error => message_again(desk, request, failure(error), to, fields),
    }
}

fn failed(desk: &Desk, request: &HttpRequest, error: &ServiceError) -> HttpResponse {
    match error {
        ServiceError::UnknownReference => see_other(desk, "/registration", None),
        error => message(desk, request, failure(error)),
    }
}
