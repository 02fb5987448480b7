//! The form's token: proof that a form was shown to this browser, lately.
//!
//! A token is tied to a random cookie of the browser (`SameSite=Strict`), so that no other site
//! can send the form for a person. It also names the form: the same form sent twice is one
//! registration.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::http::header::{HOST, ORIGIN};
use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use super::Desk;
use super::answer::strict_cookie;
use crate::domain::Moment;
use crate::privacy::random;
use crate::service::SessionId;

const COOKIE: &str = "metrust_form";

/// How long a form may lie open.
const VALID_MILLIS: i64 = 12 * 3600 * 1000;

/// Why a form is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another site sent it.
    ForeignOrigin,
    /// The browser keeps no cookies.
    NoCookie,
    /// It lay open too long, or its token is not ours.
    Expired,
}

/// The browser's cookie, new if it had none.
#[derive(Debug, Clone)]
pub(super) struct Browser {
    id: [u8; 16],
    new: bool,
}

impl Browser {
    /// Recognises a browser by its cookie.
    pub(super) fn of(request: &HttpRequest) -> Self {
        read(request).map_or_else(Self::new, |id| Self { id, new: false })
    }

    /// One that nobody has seen before.
    pub(super) fn new() -> Self {
        let id = random();
        Self { id, new: true }
    }

    /// What names it: random, and of this browser alone.
    pub(super) fn id(&self) -> SessionId {
        self.id
    }

    /// The cookie to set, if the browser has none yet.
    pub(super) fn cookie(&self, desk: &Desk) -> Option<Cookie<'static>> {
        self.new.then(|| {
            let value = BASE64URL_NOPAD.encode(&self.id);
            strict_cookie(desk, COOKIE, value, "/").finish()
        })
    }

    /// Whether it sent the cookie that it was given.
    pub(super) fn is_known(&self) -> bool {
        !self.new
    }

    /// What ties a draft to this browser and to where its form is sent.
    pub(super) fn names(&self, at: &str) -> Vec<u8> {
        [b"draft".as_slice(), &self.id, at.as_bytes()].concat()
    }

    /// A fresh token for a form that is shown to this browser.
    pub(super) fn token(&self, desk: &Desk) -> String {
        let nonce: [u8; 16] = random();
        let at = Moment::now().millis().to_be_bytes();
        let mac = self.mac(desk, &nonce, &at);
        BASE64URL_NOPAD.encode(&[nonce.as_slice(), &at, &mac[..16]].concat())
    }

    fn mac(&self, desk: &Desk, nonce: &[u8], at: &[u8]) -> [u8; 32] {
        desk.form_key.mac(&[b"token", &self.id, nonce, at])
    }
}

/// How many seconds ago a form was shown, as its token says; the token must have been accepted.
pub(super) fn age(token: &str) -> u64 {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap_or_default();
    let at = bytes.get(16..24).and_then(|at| at.try_into().ok());
    let at = Moment::from_millis(at.map_or(0, i64::from_be_bytes));
    Moment::now().since(at).as_secs()
}

/// Makes sure that a form comes from a page that we showed to this browser. Returns what names the
/// form.
pub(super) fn accept(
    desk: &Desk,
    request: &HttpRequest,
    token: Option<&str>,
) -> Result<Vec<u8>, Refused> {
    if !same_origin(desk, request) {
        return Err(Refused::ForeignOrigin);
    }
    let token = token.and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
    let Some(id) = read(request) else {
        return Err(Refused::NoCookie);
    };
    let token = token
        .filter(|token| token.len() == 40)
        .ok_or(Refused::Expired)?;
    let (nonce, rest) = token.split_at(16);
    let (at, mac) = rest.split_at(8);
    let browser = Browser { id, new: false };
    let expected = browser.mac(desk, nonce, at);
    let genuine: bool = expected[..16].ct_eq(mac).into();
    let at = <[u8; 8]>::try_from(at).map_or(0, i64::from_be_bytes);
    let age = Moment::now().millis() - at;
    if genuine && (-60_000..VALID_MILLIS).contains(&age) {
        Ok([nonce, &id].concat())
    } else {
        Err(Refused::Expired)
    }
}

fn read(request: &HttpRequest) -> Option<[u8; 16]> {
    let cookie = request.cookie(COOKIE)?;
    let id = BASE64URL_NOPAD.decode(cookie.value().as_bytes()).ok()?;
    id.try_into().ok()
}

/// Browsers say where a form was sent from; where they do, it must be here.
fn same_origin(desk: &Desk, request: &HttpRequest) -> bool {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or("unreadable"))
    };
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header(ORIGIN.as_str()) else {
        return true;
    };
    let sent_from = origin.split_once("://").map(|(_, host)| host);
    let here = [header(HOST.as_str()), desk.host.as_deref()];
    sent_from.is_some() && here.contains(&sent_from)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::privacy::SecretKey;
    use crate::settings::{Overrides, Settings};

    fn desk() -> Desk {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let key = SecretKey::generate();
        Desk::new(&settings, |_| key.clone())
    }

    #[test]
    fn a_token_is_good_for_the_browser_that_it_was_shown_to() {
        let desk = desk();
        let first = TestRequest::default().to_http_request();
        let browser = Browser::of(&first);
        let cookie = browser.cookie(&desk).unwrap();
        let token = browser.token(&desk);
        let again = TestRequest::default().cookie(cookie).to_http_request();
        assert!(Browser::of(&again).cookie(&desk).is_none());
        let named = accept(&desk, &again, Some(&token)).unwrap();
        assert_eq!(accept(&desk, &again, Some(&token)).unwrap(), named);
        assert_ne!(
            accept(&desk, &again, Some(&browser.token(&desk))).unwrap(),
            named
        );
        assert_eq!(accept(&desk, &first, Some(&token)), Err(Refused::NoCookie));
        assert_eq!(accept(&desk, &again, None), Err(Refused::Expired));
        let other = Browser::of(&first).cookie(&desk).unwrap();
        let other = TestRequest::default().cookie(other).to_http_request();
        assert_eq!(accept(&desk, &other, Some(&token)), Err(Refused::Expired));
    }

    #[test]
    fn a_form_from_another_site_is_refused() {
        let desk = desk();
        let sent = |headers: &[(&'static str, &'static str)]| {
            let mut request = TestRequest::default().insert_header(("host", "here.example"));
            for header in headers {
                request = request.insert_header(*header);
            }
            same_origin(&desk, &request.to_http_request())
        };
        assert!(sent(&[]));
        assert!(sent(&[("origin", "https://here.example")]));
        assert!(sent(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "null")
        ]));
        for headers in [
            [("origin", "https://there.example")],
            [("origin", "null")],
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
        ] {
            assert!(!sent(&headers), "{headers:?}");
        }
    }
}
