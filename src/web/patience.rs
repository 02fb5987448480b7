//! A little patience, asked of whoever might be a program: somebody who sends a form faster than
//! anybody can read it, or opts out one of many numbers that lie close together.
//!
//! A person notices little of it: they press the button once more, after a few seconds. Where
//! scripts run, the browser does a piece of work instead (a nonce whose SHA-256 begins with zeros)
//! and the wait is over as soon as that is done. Both need nobody but the browser and us, and
//! nothing that was typed is lost.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Desk;
use crate::domain::Moment;

/// How long somebody waits who does no work, in seconds.
pub(super) const WAIT: u64 = 20;

/// After how many seconds it has to be shown anew.
const LAPSES: u64 = 3600;

/// With how many zero bits the work's hash begins: tens of thousands of tries, a second or two.
pub(super) const BITS: u32 = 15;

/// What is asked of a form: its time, signed together with what names the form.
pub(super) fn ask(desk: &Desk, named: &[u8]) -> String {
    let at = Moment::now().millis().to_be_bytes();
    let mac = desk.form_key.mac(&[b"patience", named, &at]);
    BASE64URL_NOPAD.encode(&[at.as_slice(), &mac[..16]].concat())
}

/// Whether a form has shown what was asked: it waited, or did the work.
pub(super) fn is_shown(desk: &Desk, named: &[u8], asked: &str, work: &str) -> bool {
    let Ok(bytes) = BASE64URL_NOPAD.decode(asked.as_bytes()) else {
        return false;
    };
    let Some((at, mac)) = bytes.split_at_checked(8) else {
        return false;
    };
    let expected = desk.form_key.mac(&[b"patience", named, at]);
    if !bool::from(expected[..16].ct_eq(mac)) {
        return false;
    }
    let at = <[u8; 8]>::try_from(at).map_or(0, i64::from_be_bytes);
    let waited = Moment::now().since(Moment::from_millis(at));
    waited.as_secs() < LAPSES && (waited.as_secs() >= WAIT || is_done(asked, work))
}

/// Whether the work belongs to what was asked.
fn is_done(asked: &str, work: &str) -> bool {
    if work.is_empty() || work.len() > 20 {
        return false;
    }
    let hash = Sha256::digest(format!("{asked}:{work}"));
    let first = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    first.leading_zeros() >= BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::SecretKey;
    use crate::settings::{Overrides, Settings};

    #[test]
    fn patience_is_shown_by_work_and_only_for_the_form_it_was_asked_of() {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let key = SecretKey::generate();
        let desk = Desk::new(&settings, |_| key.clone());
        let asked = ask(&desk, b"form");
        assert!(!is_shown(&desk, b"form", &asked, ""));
        assert!(!is_shown(&desk, b"form", "", "1"));
        let work = (0_u64..)
            .map(|nonce| nonce.to_string())
            .find(|nonce| is_done(&asked, nonce))
            .unwrap();
        assert!(is_shown(&desk, b"form", &asked, &work));
        assert!(!is_shown(&desk, b"another form", &asked, &work));
        let old = Moment::now().millis() - 21_000;
        let at = old.to_be_bytes();
        let mac = desk.form_key.mac(&[b"patience", b"form", &at]);
        let waited = BASE64URL_NOPAD.encode(&[at.as_slice(), &mac[..16]].concat());
        assert!(is_shown(&desk, b"form", &waited, ""));
    }
}
