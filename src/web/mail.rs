//! The proof by e-mail, for those who ask for it.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{language, message, page, refusal, retry_after, see_other};
use super::form::Fields;
use super::opt_out::failure;
use super::pages::{AddressError, Frame, Mail, MailForm, MessageKind, Notice, Progress};
use super::token::{Browser, Refused, accept};
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
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let typed = fields.get("address").unwrap_or_default();
    let again = Again {
        state: &state,
        desk: &desk,
        request: &request,
        typed,
    };
    let named = match accept(&desk, &request, fields.get("token")) {
        Ok(named) => named,
        Err(Refused::Expired) => {
            return again.notice(StatusCode::FORBIDDEN, Notice::FormExpired, None);
        }
        Err(refused) => return message(&desk, &request, refusal(refused)),
    };
    let Some(access) = visit::access(&desk, &request) else {
        return message(&desk, &request, MessageKind::SessionOver);
    };
    if typed.trim().is_empty() {
        return again.error(AddressError::Empty);
    }
    let Ok(address) = MailAddress::parse(typed) else {
        return again.error(AddressError::Wrong);
    };
    let from = client_network(&request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.letter(from) {
        let wait = too_many.retry_after;
        let notice = Notice::TooManyRequests { retry_after: wait };
        return again.notice(StatusCode::TOO_MANY_REQUESTS, notice, Some(wait));
    }
    let language = language(&desk, &request).into();
    let sent = state
        .service
        .send_proof(&access, &address, language, &named)
        .await;
    match sent {
        Ok(()) => see_other(&desk, "/done#mail", None),
        Err(LetterError::Off) => message(&desk, &request, MessageKind::NotFound),
        Err(LetterError::Full) => {
            again.notice(StatusCode::SERVICE_UNAVAILABLE, Notice::MailFull, None)
        }
        Err(LetterError::TooMany) => {
            again.notice(StatusCode::TOO_MANY_REQUESTS, Notice::MailEnough, None)
        }
        Err(LetterError::Service(ServiceError::UnknownReference)) => {
            // Taken back since, or gone: the page there says which.
            see_other(&desk, "/registration", None)
        }
        Err(LetterError::Service(error)) => match failure(&error) {
            MessageKind::RegisterAway => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                again.notice(status, Notice::RegisterAway, Some(5))
            }
            other => message(&desk, &request, other),
        },
    }
}

/// The form once more, with what was typed.
struct Again<'a> {
    state: &'a State,
    desk: &'a Desk,
    request: &'a HttpRequest,
    typed: &'a str,
}

impl Again<'_> {
    fn error(&self, error: AddressError) -> HttpResponse {
        self.show(StatusCode::UNPROCESSABLE_ENTITY, Some(error), None)
    }

    fn notice(&self, status: StatusCode, notice: Notice, wait: Option<u64>) -> HttpResponse {
        let mut response = self.show(status, None, Some(notice));
        if let Some(seconds) = wait {
            retry_after(&mut response, seconds);
        }
        response
    }

    fn show(
        &self,
        status: StatusCode,
        error: Option<AddressError>,
        notice: Option<Notice>,
    ) -> HttpResponse {
        let browser = Browser::of(self.request);
        let token = browser.token(self.desk);
        let view = Mail {
            frame: Frame {
                language: language(self.desk, self.request),
                site: &self.desk.site,
            },
            mail: MailForm {
                token: &token,
                typed: self.typed,
                error,
                progress: None,
                days: days(self.state),
            },
            notice,
        };
        page(self.desk, status, &view, browser.cookie(self.desk))
    }
}
