//! Who is in the console: a sealed, short-lived, strict cookie.
//!
//! It names the key and never holds it. Whether that key still counts is looked up with every
//! request, so the cookie proves only that the key was shown lately.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, CookieBuilder, time};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::domain::{KeyId, Moment, Reference};
use crate::privacy::{open, random, seal};
use crate::service::{Registered, SessionId};
use crate::web::Desk;
use crate::web::answer::strict_cookie;

const SESSION: &str = "metrust_console";
const HANDOVER: &str = "metrust_handover";

/// For how long the operator sees the code that they are to hand over.
const HANDOVER_LASTS: Duration = Duration::from_secs(600);

/// The cookie of somebody who has shown this key.
pub(super) fn begin(desk: &Desk, key: &KeyId) -> Cookie<'static> {
    let id: SessionId = random();
    let content = [&id, key.as_str().as_bytes()].concat();
    sealed(desk, SESSION, session_lasts(desk), &content)
}

fn session_lasts(desk: &Desk) -> Duration {
    Duration::from_secs(desk.console_minutes * 60)
}

/// The cookies that end a session.
pub(super) fn end(desk: &Desk) -> [Cookie<'static>; 2] {
    [SESSION, HANDOVER].map(|name| {
        let cookie = build(desk, name, String::new());
        cookie.max_age(time::Duration::ZERO).finish()
    })
}

/// What a session's cookie holds.
pub(super) struct Session {
    pub id: SessionId,
    /// When it ends by itself.
    pub until: Moment,
    /// The key that was shown.
    pub key: KeyId,
}

/// The session of a request, if it is not over by now. Whether it was closed before, the store knows.
pub(super) fn read(desk: &Desk, request: &HttpRequest) -> Option<Session> {
    let (until, content) = opened(desk, request, SESSION, session_lasts(desk))?;
    let (id, key) = content.split_at_checked(16)?;
    Some(Session {
        id: id.try_into().ok()?,
        until,
        key: KeyId::parse(std::str::from_utf8(key).ok()?).ok()?,
    })
}

/// Whether a request carries a session, be it over.
pub(super) fn had_one(request: &HttpRequest) -> bool {
    request
        .cookie(SESSION)
        .is_some_and(|cookie| !cookie.value().is_empty())
}

/// A code that is to be handed over: on its way to the page that shows it, and in no address.
pub(super) struct Handover {
    /// The code.
    pub code: String,
    /// Since when the opt-out holds.
    pub since: Moment,
}

/// The cookie that carries a code to the page that shows it, for this key alone.
pub(super) fn hand_over(desk: &Desk, key: &KeyId, made: &Registered) -> Cookie<'static> {
    let code = Zeroizing::new(made.access.reference().reveal());
    let since = made.effective_at.millis();
    let content = Zeroizing::new(format!("{key} {since} {}", *code));
    sealed(desk, HANDOVER, HANDOVER_LASTS, content.as_bytes())
}

/// The code that was made last with this key, for a while.
pub(super) fn handed_over(desk: &Desk, request: &HttpRequest, key: &KeyId) -> Option<Handover> {
    let (_, content) = opened(desk, request, HANDOVER, HANDOVER_LASTS)?;
    let (of, rest) = std::str::from_utf8(&content).ok()?.split_once(' ')?;
    let (since, code) = rest.split_once(' ')?;
    let since = Moment::from_millis(since.parse().ok()?);
    let code = Reference::parse(code).ok()?.reveal();
    (of == key.as_str()).then_some(Handover { code, since })
}

fn sealed(desk: &Desk, name: &'static str, lasts: Duration, content: &[u8]) -> Cookie<'static> {
    let until = Moment::now().plus(lasts).millis().to_be_bytes();
    let content = Zeroizing::new([until.as_slice(), content].concat());
    let boxed = seal(&desk.console_key, name.as_bytes(), &content);
    build(desk, name, BASE64URL_NOPAD.encode(&boxed))
        .max_age(time::Duration::seconds(
            i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX),
        ))
        .finish()
}

fn opened(
    desk: &Desk,
    request: &HttpRequest,
    name: &str,
    lasts: Duration,
) -> Option<(Moment, Zeroizing<Vec<u8>>)> {
    let cookie = request.cookie(name)?;
    let boxed = BASE64URL_NOPAD.decode(cookie.value().as_bytes()).ok()?;
    let content = Zeroizing::new(open(&desk.console_key, name.as_bytes(), &boxed).ok()?);
    let (until, rest) = content.split_at_checked(8)?;
    let until = Moment::from_millis(i64::from_be_bytes(until.try_into().ok()?));
    until
        .is_within(lasts)
        .then(|| (until, Zeroizing::new(rest.to_vec())))
}

fn build(desk: &Desk, name: &'static str, value: String) -> CookieBuilder<'static> {
    strict_cookie(desk, name, value, "/console")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::privacy::{ApiKey, SecretKey};
    use crate::service::Access;
    use crate::settings::{Overrides, Settings};

    fn desk() -> Desk {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let key = SecretKey::generate();
        Desk::new(&settings, |_| key.clone())
    }

    fn carrying(cookie: &Cookie<'static>) -> HttpRequest {
        let request = TestRequest::default().cookie(cookie.clone());
        request.to_http_request()
    }

    #[test]
    fn a_session_names_the_key_for_a_while_and_never_holds_it() {
        let mut desk = desk();
        let shown = ApiKey::generate();
        let cookie = begin(&desk, shown.id());
        assert!(!cookie.value().contains(shown.reveal()));
        let request = carrying(&cookie);
        assert_eq!(&read(&desk, &request).unwrap().key, shown.id());
        let mut other = cookie.clone();
        other.set_value(format!("A{}", &cookie.value()[1..]));
        if other.value() != cookie.value() {
            assert!(read(&desk, &carrying(&other)).is_none(), "forged");
        }
        // The clock was set back an hour since: nobody can say any more when it began.
        let later = Moment::now().plus(Duration::from_secs(3600));
        let content = [
            &later.millis().to_be_bytes()[..],
            &[7; 16],
            shown.id().as_str().as_bytes(),
        ]
        .concat();
        let boxed = seal(&desk.console_key, SESSION.as_bytes(), &content);
        let ahead = build(&desk, SESSION, BASE64URL_NOPAD.encode(&boxed)).finish();
        desk.console_minutes = 30;
        assert!(read(&desk, &carrying(&ahead)).is_none());
        desk.console_minutes = 0;
        let over = carrying(&begin(&desk, shown.id()));
        assert!(read(&desk, &over).is_none() && had_one(&over));
        desk.console_key = SecretKey::generate();
        assert!(read(&desk, &request).is_none(), "sealed with another key");
    }

    #[test]
    fn a_code_is_handed_over_to_whoever_made_it_and_is_no_session() {
        let desk = desk();
        let (mine, other) = (ApiKey::generate(), ApiKey::generate());
        let code = Reference::from_random([7; 10]);
        let made = Registered {
            access: Access::from_parts(code.clone(), SecretKey::generate()),
            effective_at: Moment::now(),
            numbers: 1,
        };
        let cookie = hand_over(&desk, mine.id(), &made);
        let request = carrying(&cookie);
        let seen = handed_over(&desk, &request, mine.id()).unwrap();
        assert_eq!((seen.code, seen.since), (code.reveal(), made.effective_at));
        assert!(handed_over(&desk, &request, other.id()).is_none());
        let mut renamed = cookie;
        renamed.set_name(SESSION);
        assert!(read(&desk, &carrying(&renamed)).is_none());
    }
}
