//! The proof by e-mail, for those who ask for it.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{language, message, page, see_other};
use super::draft::{self, Draft, Why, accepted};
use super::form::Fields;
use super::pages::{AddressError, Frame, Mail, MailForm, MessageKind, Notice, Progress};
use super::{Desk, DeskData, visit};
use crate::api::{State, client_network};
use crate::service::{Access, LetterError, LetterState, MailAddress, ServiceError};

/// The form beside a registration's code; nothing where there is no mail.
pub(super) async fn offer<'a>(
    state: &State,
    access: &Access,
    token: &'a str,
) -> Result<Option<MailForm<'a>>, ServiceError> {
    if !state.service.has_mail() {
        return Ok(None);
    }
    let progress = match state.service.letter_state(access).await? {
        LetterState::Nothing => None,
        LetterState::Waiting => Some(Progress::OnItsWay),
        LetterState::Delayed => Some(Progress::Delayed),
        LetterState::Refused => Some(Progress::Refused),
        LetterState::Sent => Some(Progress::Sent),
    };
    Ok(Some(MailForm {
        token,
        typed: "",
        error: None,
        progress,
        days: days(state),
    }))
}

/// Where the form is sent to.
const FORM: &str = "/registration/mail";

/// Whole days until the second letter, for showing; nothing if there is none.
#[must_use]
pub fn days(state: &State) -> Option<u32> {
    let wait = state.service.follow_up()?;
    Some(u32::try_from(wait.as_secs().div_ceil(86_400).max(1)).unwrap_or(u32::MAX))
}

/// `POST /registration/mail`: the letter is taken on. The page after it shows how far it is, and
/// never the address.
pub(super) async fn send(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    if !state.service.has_mail() {
        return message(&desk, &request, MessageKind::NotFound);
    }
    let Ok(mut fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let why = match sent(&state, &desk, &request, &mut fields).await {
        Ok(done) => return done,
        Err(why) => why,
    };
    let show = async |draft: &Draft| again(&state, &desk, &request, draft);
    let draft = Draft { fields, why };
    draft::again(&desk, &request, (FORM, FORM), draft, show).await
}

/// `GET /registration/mail`: the form once more, with what was typed.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let show = async |draft: &Draft| again(&state, &desk, &request, draft);
    let page = draft::reopened(&state, &desk, &request, FORM, show).await;
    page.unwrap_or_else(|| see_other(&desk, "/done", None))
}

async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
) -> Result<HttpResponse, Why> {
    let named = accepted(desk, request, fields)?;
    let access = visit::access(state, desk, request).await;
    let access = access.map_err(|error| Why::failed(&error))?;
    let access = access.ok_or(MessageKind::SessionOver)?;
    let typed = fields.get("address").unwrap_or_default();
    let address = MailAddress::parse(typed).map_err(|_| Why::Wrong)?;
    let from = client_network(request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.letter(from) {
        let retry_after = too_many.retry_after;
        return Err(Notice::TooManyRequests { retry_after }.into());
    }
    let language = language(desk, request).into();
    let sent = state
        .service
        .send_proof(&access, &address, language, &named);
    match sent.await {
        Ok(()) => Ok(see_other(desk, "/done#mail", None)),
        Err(LetterError::Off) => Err(MessageKind::NotFound.into()),
        Err(LetterError::Full) => Err(Notice::MailFull.into()),
        Err(LetterError::TooMany) => Err(Notice::MailEnough.into()),
        Err(LetterError::Service(ServiceError::UnknownReference)) => {
            // Taken back since, or gone: the page there says which.
            Ok(see_other(desk, "/registration", None))
        }
        Err(LetterError::Service(error)) => Err(Why::failed(&error)),
    }
}

/// The form once more, with what was typed.
fn again(state: &State, desk: &Desk, request: &HttpRequest, draft: &Draft) -> HttpResponse {
    let typed = draft.fields.get("address").unwrap_or_default();
    let view = Mail {
        frame: Frame {
            language: language(desk, request),
            site: &desk.site,
        },
        mail: MailForm {
            token: draft.token(),
            typed,
            error: (draft.why == Why::Wrong).then(|| match typed.trim() {
                "" => AddressError::Empty,
                _ => AddressError::Wrong,
            }),
            progress: None,
            days: days(state),
        },
        notice: draft.why.notice(),
    };
    page(desk, StatusCode::OK, &view, None)
}
