//! A person's visit to their registration.
//!
//! The reference code travels in a sealed, short-lived, strict cookie and never in a URL: URLs end
//! up in histories, logs and other people's hands.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use data_encoding::BASE64URL_NOPAD;

use super::Desk;
use super::answer::strict_cookie;
use crate::domain::{Moment, Reference};
use crate::privacy::{SecretKey, open, seal};
use crate::service::Access;

const COOKIE: &str = "metrust_visit";
const ABOUT: &[u8] = b"visit";

/// The cookie that carries a code, and what the code was stretched to: showing a page again costs
/// no new work.
pub(super) fn cookie(desk: &Desk, access: &Access) -> Cookie<'static> {
    let lasts = lasts(desk);
    let until = Moment::now().plus(lasts).millis().to_be_bytes();
    let code = zeroize::Zeroizing::new(access.reference().reveal());
    let parts = [until.as_slice(), access.key().bytes(), code.as_bytes()];
    let content = zeroize::Zeroizing::new(parts.concat());
    let boxed = seal(&desk.visit_key, ABOUT, &content);
    build(desk, BASE64URL_NOPAD.encode(&boxed))
        .max_age(Duration::seconds(lasts.as_secs() as i64))
        .finish()
}

fn lasts(desk: &Desk) -> std::time::Duration {
    std::time::Duration::from_secs(desk.visit_minutes * 60)
}

/// The cookie that ends a visit.
pub(super) fn end(desk: &Desk) -> Cookie<'static> {
    build(desk, String::new()).max_age(Duration::ZERO).finish()
}

/// The code that a request carries, if its visit still lasts.
pub(super) fn access(desk: &Desk, request: &HttpRequest) -> Option<Access> {
    let cookie = request.cookie(COOKIE)?;
    let boxed = BASE64URL_NOPAD.decode(cookie.value().as_bytes()).ok()?;
    let content = zeroize::Zeroizing::new(open(&desk.visit_key, ABOUT, &boxed).ok()?);
    let (until, rest) = content.split_at_checked(8)?;
    let (key, code) = rest.split_at_checked(32)?;
    let until = Moment::from_millis(i64::from_be_bytes(until.try_into().ok()?));
    if !until.is_within(lasts(desk)) {
        return None;
    }
    let reference = Reference::parse(std::str::from_utf8(code).ok()?).ok()?;
    let key = SecretKey::from_bytes(key.try_into().ok()?);
    Some(Access::from_parts(reference, key))
}

/// Whether a request carries a visit, be it over.
pub(super) fn had_one(request: &HttpRequest) -> bool {
    request
        .cookie(COOKIE)
        .is_some_and(|cookie| !cookie.value().is_empty())
}

fn build(desk: &Desk, value: String) -> actix_web::cookie::CookieBuilder<'static> {
    strict_cookie(desk, COOKIE, value, "/")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::settings::{Overrides, Settings};

    #[test]
    fn a_visit_carries_the_code_for_a_while_and_shows_it_to_nobody() {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let key = SecretKey::generate();
        let mut desk = Desk::new(&settings, |_| key.clone());
        let code = Reference::from_random([3; 10]);
        let access = Access::from_parts(code.clone(), SecretKey::from_bytes([4; 32]));
        let cookie = cookie(&desk, &access);
        assert!(!cookie.value().contains(&code.reveal()[..4]));
        let request = TestRequest::default()
            .cookie(cookie.clone())
            .to_http_request();
        let again = super::access(&desk, &request).unwrap();
        assert_eq!((again.reference(), again.key()), (&code, access.key()));
        desk.visit_key = SecretKey::generate();
        assert!(super::access(&desk, &request).is_none());
        desk.visit_minutes = 0;
        let over = super::cookie(&desk, &access);
        let request = TestRequest::default().cookie(over).to_http_request();
        assert!(super::access(&desk, &request).is_none());
        assert!(had_one(&request));
    }
}
