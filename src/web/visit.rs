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
use crate::api::State;
use crate::domain::{Moment, Reference};
use crate::privacy::{SecretKey, open, random, seal};
use crate::service::{Access, ServiceError, SessionId};

const COOKIE: &str = "metrust_visit";
const ABOUT: &[u8] = b"visit";

/// The cookie that carries a code, and what the code was stretched to: showing a page again costs
/// no new work.
pub(super) fn cookie(desk: &Desk, access: &Access) -> Cookie<'static> {
    let lasts = lasts(desk);
    let until = Moment::now().plus(lasts).millis().to_be_bytes();
    let id: SessionId = random();
    let code = zeroize::Zeroizing::new(access.reference().reveal());
    let parts = [until.as_slice(), &id, access.key().bytes(), code.as_bytes()];
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

/// The code that a request carries, if its visit lasts: neither over by now nor closed before.
///
/// # Errors
/// When the store cannot say whether it was closed.
pub(super) async fn access(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
) -> Result<Option<Access>, ServiceError> {
    match read(desk, request) {
        Some(visit) if !state.service.is_closed(&visit.id).await? => Ok(Some(visit.access)),
        _ => Ok(None),
    }
}

/// What a visit's cookie holds.
pub(super) struct Visit {
    pub id: SessionId,
    pub until: Moment,
    access: Access,
}

/// The visit of a request, closed or not.
pub(super) fn read(desk: &Desk, request: &HttpRequest) -> Option<Visit> {
    let cookie = request.cookie(COOKIE)?;
    let boxed = BASE64URL_NOPAD.decode(cookie.value().as_bytes()).ok()?;
    let content = zeroize::Zeroizing::new(open(&desk.visit_key, ABOUT, &boxed).ok()?);
    let (until, rest) = content.split_at_checked(8)?;
    let (id, rest) = rest.split_at_checked(16)?;
    let (key, code) = rest.split_at_checked(32)?;
    let until = Moment::from_millis(i64::from_be_bytes(until.try_into().ok()?));
    if !until.is_within(lasts(desk)) {
        return None;
    }
    let reference = Reference::parse(std::str::from_utf8(code).ok()?).ok()?;
    let key = SecretKey::from_bytes(key.try_into().ok()?);
    Some(Visit {
        id: id.try_into().ok()?,
        until,
        access: Access::from_parts(reference, key),
    })
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
        let again = read(&desk, &request).unwrap().access;
        assert_eq!((again.reference(), again.key()), (&code, access.key()));
        desk.visit_key = SecretKey::generate();
        assert!(read(&desk, &request).is_none());
        desk.visit_minutes = 0;
        let over = super::cookie(&desk, &access);
        let request = TestRequest::default().cookie(over).to_http_request();
        assert!(read(&desk, &request).is_none());
        assert!(had_one(&request));
    }
}
