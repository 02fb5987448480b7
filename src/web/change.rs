//! With the code: numbers and companies come and go, a withdrawal is undone, a proof is taken along.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{attachment, message, page, see_other};
use super::draft::{self, Draft, Why, accepted};
use super::form::Fields;
use super::opt_out::{Shown, failure};
use super::own::frame;
use super::pages::{ChangeError, Happened, MessageKind, Notice, Registration};
use super::token::Browser;
use super::{Desk, DeskData, visit};
use crate::api::{State, client_network};
use crate::domain::{MOST_SELLERS, Moment, PhoneNumber, Region, SellerId};
use crate::service::{Access, Amended, Amendment, RegistrationView, Sellers, ServiceError};

/// How long the page after a change tells of it.
const NEWS: Duration = Duration::from_secs(10 * 60);

/// Where the page is after something was done.
pub(super) const DONE: &str = "/registration?news=1";

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
        at: desk.local_time(event.at),
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
        since: desk.local_time(registration.effective_at),
        withdrawn: registration.withdrawn_at.map(|at| desk.local_time(at)),
        undo_until: registration.undo_until.map(|at| desk.local_time(at)),
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
    let status = match asked.error {
        Some(
            ChangeError::Full { .. } | ChangeError::FullOfCompanies { .. } | ChangeError::TooLate,
        ) => StatusCode::CONFLICT,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    page(desk, status, &view, browser.cookie(desk))
}

/// Where a withdrawal is undone.
const RESTORE: &str = "/registration/restore";

/// `POST /registration/change`: a number or a company comes or goes.
pub(super) async fn change(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    sent(&state, &desk, &request, payload, async |access, fields| {
        let amendment = read(fields).map_err(|unread| match unread {
            Unread::Wrong(_) => Why::Wrong,
            Unread::NoForm => MessageKind::BadRequest.into(),
        })?;
        if matches!(amendment, Amendment::AddNumber(_)) {
            let from = client_network(&request, &state.settings.http.trusted_proxies);
            if let Err(too_many) = state.limits.registration(from) {
                let retry_after = too_many.retry_after;
                return Err(MessageKind::TooManyRequests { retry_after }.into());
            }
        }
        match state.service.amend(access, &amendment).await {
            Ok(Amended::Done) => {
                if let Amendment::AddNumber(number) = &amendment
                    && let Err(error) = state.service.count_opted_out(&[*number]).await
                {
                    tracing::warn!(%error, "an alarm about adjacent numbers is not on record");
                }
                Ok(see_other(&desk, DONE, None))
            }
            Ok(Amended::Withdrawn) => {
                state.meters.count_withdrawal();
                Ok(see_other(&desk, DONE, None))
            }
            // The page says how it is, which is how it was asked to be.
            Ok(Amended::Already)
            | Err(ServiceError::Withdrawn | ServiceError::Contradiction(_)) => {
                Ok(see_other(&desk, "/registration", None))
            }
            Err(
                ServiceError::TooManyNumbers(_)
                | ServiceError::TooManySellers(_)
                | ServiceError::UnknownSeller,
            ) => Err(Why::Wrong),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// `POST /registration/restore`: the withdrawal is undone.
pub(super) async fn restore(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    sent(
        &state,
        &desk,
        &request,
        payload,
        async |access, _| match state.service.take_up(access).await {
            Ok(_) => {
                state.meters.count_registration();
                Ok(see_other(&desk, DONE, None))
            }
            Err(ServiceError::TooLate) => Err(Why::Wrong),
            Err(error) => Err(error.into()),
        },
    )
    .await
}

/// `GET /registration/proof`: a signed text to keep.
pub(super) async fn proof(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let access = match visit::access(&state, &desk, &request).await {
        Ok(Some(access)) => access,
        Ok(None) => return see_other(&desk, "/registration", None),
        Err(error) => return message(&desk, &request, failure(&error)),
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

/// What a form of a registration's page asks for, during a visit: it is done, or the page comes
/// again.
pub(super) async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    payload: Payload,
    act: impl AsyncFnOnce(&Access, &Fields) -> Result<HttpResponse, Why>,
) -> HttpResponse {
    let Ok(mut fields) = Fields::read(state, payload).await else {
        return message(desk, request, MessageKind::BadRequest);
    };
    let done = match accepted(desk, request, &mut fields) {
        Err(Why::Notice(Notice::FormExpired)) => Err(MessageKind::FormExpired.into()),
        Err(why) => Err(why),
        Ok(_) => match visit::access(state, desk, request).await {
            Ok(Some(access)) => act(&access, &fields).await,
            Ok(None) => Err(MessageKind::SessionOver.into()),
            Err(error) => Err(error.into()),
        },
    };
    let why = match done {
        Ok(done) => return done,
        Err(why) => why,
    };
    let at = request.path();
    let show = async |draft: &Draft| again(state, desk, request, draft).await;
    draft::again(desk, request, (at, at), Draft { fields, why }, show).await
}

/// `GET` of where such a form is sent to: the page once more.
pub(super) async fn reopened(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let show = async |draft: &Draft| again(&state, &desk, &request, draft).await;
    let page = draft::reopened(&state, &desk, &request, request.path(), show).await;
    page.unwrap_or_else(|| see_other(&desk, "/registration", None))
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
async fn again(state: &State, desk: &Desk, request: &HttpRequest, draft: &Draft) -> HttpResponse {
    let access = match visit::access(state, desk, request).await {
        Ok(Some(access)) => access,
        Ok(None) => return message(desk, request, MessageKind::SessionOver),
        Err(error) => return message(desk, request, failure(&error)),
    };
    let fields = &draft.fields;
    let error = match (request.path(), read(fields)) {
        (RESTORE, _) => ChangeError::TooLate,
        (_, Err(Unread::Wrong(error))) => error,
        // What can be read was refused by what the register knows.
        (_, Ok(Amendment::AddNumber(_))) => ChangeError::Full {
            max: state.service.max_registration_numbers(),
        },
        (_, Ok(Amendment::AddSeller(id)))
            if state.service.directory().known().sellers.contains_key(&id) =>
        {
            ChangeError::FullOfCompanies { max: MOST_SELLERS }
        }
        _ => ChangeError::NoCompany,
    };
    let adds = fields.get("action") == Some("add-number");
    let asked = Asked {
        typed: fields.get("number").filter(|_| adds).unwrap_or_default(),
        region: fields.get("region"),
        error: Some(error),
        news: false,
    };
    match state.service.registration(&access).await {
        Ok(registration) => show(state, desk, request, &registration, &asked),
        Err(error) => failed(desk, request, &error),
    }
}

fn failed(desk: &Desk, request: &HttpRequest, error: &ServiceError) -> HttpResponse {
    match error {
        ServiceError::UnknownReference => see_other(desk, "/registration", None),
        error => message(desk, request, failure(error)),
    }
}
