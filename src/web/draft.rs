//! A form that comes again: POST, redirect, GET.
//!
//! A page that answered a POST would be lost to Back and Reload, which send a form anew or not at
//! all. So what was typed, and why the form comes again, goes into a cookie that only we can open:
//! sealed for this form, this browser and half an hour. What is too long for a cookie is shown in
//! answer to the POST after all, for nothing that was typed is lost.

use std::time::Duration;

use actix_web::cookie::{Cookie, time};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::Desk;
use super::answer::{
    language, language_cookie, message, message_again, retry_after, see_other, status_of,
    strict_cookie,
};
use super::form::Fields;
use super::opt_out::failure;
use super::pages::{KeyError, MessageKind, Notice};
use super::texts::Language;
use super::token::{Browser, Refused, accept};
use crate::api::State;
use crate::domain::Moment;
use crate::privacy::{open, seal};
use crate::service::ServiceError;

const COOKIE: &str = "metrust_draft";

/// The part of an address that says whose draft is meant. It is no secret.
const NAME: &str = "form";

/// How long a draft is kept.
pub(super) const LASTS: Duration = Duration::from_secs(30 * 60);

/// How long a cookie may be with its name and attributes: browsers need keep no longer ones
/// (RFC 6265, section 6.1).
const LONGEST: usize = 4096;

/// How long a draft is at most when it is unpacked: a small cookie must not grow without end.
const LONGEST_UNPACKED: usize = 64 * 1024;

/// A form as it was sent, and why it comes again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Draft {
    pub fields: Fields,
    pub why: Why,
}

/// Why a form comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Why {
    /// Nothing is wrong: it is the next step, or the same in another language.
    NextStep,
    /// There is a new box for one more number.
    NewBox,
    /// A session is over: first the key is asked for.
    Over,
    /// What was typed cannot be taken. The page finds out once more what it is.
    Wrong,
    /// The key cannot be taken; it is not in the draft.
    Key(KeyError),
    /// The call came before this moment (milliseconds since 1970), when the record begins.
    BeforeRecord(i64),
    /// The form could not be taken now.
    Notice(Notice),
    /// The same on a page of its own, or there is nothing to show again.
    Message(MessageKind),
}

impl Why {
    pub(super) fn notice(self) -> Option<Notice> {
        match self {
            Self::Notice(notice) => Some(notice),
            _ => None,
        }
    }

    /// A use case failed, and the form can be sent again.
    pub(super) fn failed(error: &ServiceError) -> Self {
        Self::Notice(match failure(error) {
            MessageKind::RegisterAway => Notice::RegisterAway,
            _ => Notice::Broken,
        })
    }

    fn status(self) -> StatusCode {
        match self {
            Self::NextStep | Self::NewBox => StatusCode::OK,
            Self::Over | Self::Key(KeyError::Dialler) => StatusCode::FORBIDDEN,
            Self::Wrong | Self::Key(_) | Self::BeforeRecord(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Notice(notice) => match notice {
                Notice::RegisterAway | Notice::MailFull => StatusCode::SERVICE_UNAVAILABLE,
                Notice::Broken => StatusCode::INTERNAL_SERVER_ERROR,
                Notice::FormExpired | Notice::Patience { .. } => StatusCode::FORBIDDEN,
                Notice::TooManyRequests { .. } | Notice::MailEnough => {
                    StatusCode::TOO_MANY_REQUESTS
                }
            },
            Self::Message(kind) => status_of(kind),
        }
    }

    /// In how many seconds it may be tried again.
    fn wait(self) -> Option<u64> {
        match self {
            Self::Notice(Notice::TooManyRequests { retry_after }) => Some(retry_after),
            Self::Notice(Notice::RegisterAway) => Some(5),
            _ => None,
        }
    }
}

impl From<Notice> for Why {
    fn from(notice: Notice) -> Self {
        Self::Notice(notice)
    }
}

impl From<MessageKind> for Why {
    fn from(kind: MessageKind) -> Self {
        Self::Message(kind)
    }
}

impl From<ServiceError> for Why {
    fn from(error: ServiceError) -> Self {
        match error {
            // What the code opened is gone since.
            ServiceError::UnknownReference => MessageKind::SessionOver.into(),
            error => failure(&error).into(),
        }
    }
}

/// Makes sure that a form comes from a page that we showed to this browser. Returns what names the
/// form. One that lay open too long gets a fresh token, with which it can be sent again.
pub(super) fn accepted(
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
) -> Result<Vec<u8>, Why> {
    accept(desk, request, fields.get("token")).map_err(|refused| match refused {
        Refused::ForeignOrigin => MessageKind::ForbiddenOrigin.into(),
        Refused::NoCookie => MessageKind::CookiesOff.into(),
        Refused::Expired => {
            fields.set("token", &Browser::of(request).token(desk));
            Notice::FormExpired.into()
        }
    })
}

/// What answers a form that comes again: on to the page `to`, which opens the draft. `at` is where
/// the form is sent to; `to` is there or below. `show` makes the page, should the draft be too long.
pub(super) async fn again(
    desk: &Desk,
    request: &HttpRequest,
    (at, to): (&str, &str),
    mut draft: Draft,
    show: impl AsyncFnOnce(&Draft) -> HttpResponse,
) -> HttpResponse {
    // No page of ours sends this, so there is none to lead back to.
    if let Why::Message(
        kind @ (MessageKind::ForbiddenOrigin | MessageKind::BadRequest | MessageKind::NotFound),
    ) = draft.why
    {
        return message(desk, request, kind);
    }
    let address = format!("{to}?{NAME}={}", draft.name());
    let chosen = draft.fields.take("lang");
    let browser = Browser::of(request);
    let mut response = match draft.cookie(desk, &browser, at) {
        _ if !browser.is_known() => see_other(desk, &address, None),
        Some(cookie) => see_other(desk, &address, Some(cookie)),
        None => {
            draft
                .fields
                .set("lang", chosen.as_deref().unwrap_or_default());
            shown(desk, request, at, &draft, show).await
        }
    };
    if let Some(language) = chosen.as_deref().and_then(Language::parse) {
        // A cookie that is too long to be set cannot come from us.
        let _ = response.add_cookie(&language_cookie(desk, language));
    }
    response
}

/// The page of the draft that the address asks for; nothing if it asks for none.
pub(super) async fn reopened(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    at: &str,
    show: impl AsyncFnOnce(&Draft) -> HttpResponse,
) -> Option<HttpResponse> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let (_, name) = query.find(|(key, _)| key == NAME)?;
    let browser = Browser::of(request);
    if !browser.is_known() {
        return Some(message(desk, request, MessageKind::CookiesOff));
    }
    // While the store is away nobody loses what they typed: a browser that closed here holds another
    // id since, and no visit opens.
    let closed = state.service.is_closed(&browser.id()).await;
    let draft = match closed {
        Ok(true) => None,
        Ok(false) | Err(_) => Draft::open(desk, request, &browser, at),
    };
    Some(match draft.filter(|draft| draft.name() == name) {
        Some(draft) => shown(desk, request, at, &draft, show).await,
        None => message(desk, request, MessageKind::DraftGone),
    })
}

async fn shown(
    desk: &Desk,
    request: &HttpRequest,
    at: &str,
    draft: &Draft,
    show: impl AsyncFnOnce(&Draft) -> HttpResponse,
) -> HttpResponse {
    let mut response = match draft.why {
        Why::Message(kind) => return message_again(desk, request, kind, at, &draft.fields),
        _ => show(draft).await,
    };
    // What went wrong since, while the page was made, says so itself.
    if response.status() == StatusCode::OK {
        *response.status_mut() = draft.why.status();
        if let Some(seconds) = draft.why.wait() {
            retry_after(&mut response, seconds);
        }
    }
    response
}

impl Draft {
    /// The form's token, so that the same form sent again is known to be the same.
    pub(super) fn token(&self) -> &str {
        self.fields.get("token").unwrap_or_default()
    }

    /// The language of the page, which is the one just chosen.
    pub(super) fn language(&self, desk: &Desk, request: &HttpRequest) -> Language {
        let chosen = self.fields.get("lang").and_then(Language::parse);
        chosen.unwrap_or_else(|| language(desk, request))
    }

    /// What names it in an address: the token's first, random bytes.
    fn name(&self) -> &str {
        self.token().get(..8).unwrap_or("none")
    }

    fn cookie(&self, desk: &Desk, browser: &Browser, at: &str) -> Option<Cookie<'static>> {
        let until = Moment::now().plus(LASTS).millis();
        let plain = zeroize::Zeroizing::new(postcard::to_allocvec(&(until, self)).ok()?);
        if plain.len() > LONGEST_UNPACKED {
            return None;
        }
        let packed = zstd::bulk::compress(&plain, 19).ok()?;
        let boxed = seal(&desk.draft_key, &browser.names(at), &packed);
        let value = BASE64URL_NOPAD.encode(&boxed);
        let cookie = strict_cookie(desk, COOKIE, value, at)
            .max_age(time::Duration::seconds(LASTS.as_secs().cast_signed()))
            .finish();
        (cookie.to_string().len() <= LONGEST).then_some(cookie)
    }

    fn open(desk: &Desk, request: &HttpRequest, browser: &Browser, at: &str) -> Option<Self> {
        let cookies = request.cookies().ok()?;
        // Those of the paths above come along, under the same name.
        let mut ours = cookies.iter().filter(|cookie| cookie.name() == COOKIE);
        let packed = ours.find_map(|cookie| {
            let boxed = BASE64URL_NOPAD.decode(cookie.value().as_bytes()).ok()?;
            open(&desk.draft_key, &browser.names(at), &boxed).ok()
        })?;
        let plain =
            zeroize::Zeroizing::new(zstd::bulk::decompress(&packed, LONGEST_UNPACKED).ok()?);
        let (until, draft) = postcard::from_bytes::<(i64, Self)>(&plain).ok()?;
        Moment::from_millis(until).is_within(LASTS).then_some(draft)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::privacy::SecretKey;
    use crate::settings::{Overrides, Settings};

    fn draft(desk: &Desk, browser: &Browser, words: &str) -> Draft {
        let mut fields = Fields::default();
        fields.push("token", &browser.token(desk));
        fields.push("words", words);
        let why = Why::Wrong;
        Draft { fields, why }
    }

    #[test]
    fn a_draft_opens_for_its_form_and_its_browser_and_fits_a_cookie_or_is_none() {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let key = SecretKey::generate();
        let mut desk = Desk::new(&settings, |_| key.clone());
        let request = TestRequest::default().to_http_request();
        let browser = Browser::of(&request);
        let draft = draft(&desk, &browser, "+32 470 12 34 56");
        let cookie = draft.cookie(&desk, &browser, "/report").unwrap();
        assert!(!cookie.value().contains("470"));
        let request = TestRequest::default()
            .cookie(cookie.clone())
            .to_http_request();
        let opened = Draft::open(&desk, &request, &browser, "/report").unwrap();
        assert_eq!(opened.fields.get("words"), Some("+32 470 12 34 56"));
        assert_eq!((opened.name(), opened.why), (draft.name(), Why::Wrong));
        let other = Browser::of(&TestRequest::default().to_http_request());
        assert!(Draft::open(&desk, &request, &other, "/report").is_none());
        assert!(Draft::open(&desk, &request, &browser, "/opt-out").is_none());
        desk.draft_key = SecretKey::generate();
        assert!(Draft::open(&desk, &request, &browser, "/report").is_none());
    }

    #[test]
    fn whatever_is_sealed_is_no_longer_than_a_cookie_may_be() {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let key = SecretKey::generate();
        let desk = Desk::new(&settings, |_| key.clone());
        let browser = Browser::of(&TestRequest::default().to_http_request());
        let random: String = (0..8000)
            .map(|_| char::from(b'a' + crate::privacy::random::<1>()[0] % 26))
            .collect();
        let mut fit = 0;
        for length in (0..=random.len()).step_by(100) {
            let draft = draft(&desk, &browser, &random[..length]);
            if let Some(cookie) = draft.cookie(&desk, &browser, "/console/reports/0123") {
                assert!(cookie.to_string().len() <= LONGEST);
                fit = length;
            }
        }
        assert!((4000..7000).contains(&fit), "{fit}");
        let long = draft(&desk, &browser, &"a".repeat(LONGEST_UNPACKED));
        assert!(long.cookie(&desk, &browser, "/report").is_none());
        let plain = "They called me again, at dinner. ".repeat(120);
        let draft = draft(&desk, &browser, &plain);
        assert!(draft.cookie(&desk, &browser, "/report").is_some());
    }
}
