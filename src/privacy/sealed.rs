//! Sealed boxes: XChaCha20-Poly1305 with a random 24-byte nonce in front.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{SecretKey, random};

const NONCE: usize = 24;

/// How much longer a box is than what is in it: the nonce, and the code that shows every change.
pub const SEAL: usize = NONCE + 16;

/// The box was made with another key, for another purpose, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the box does not open with this key")]
pub struct SealError;

/// Seals `content`. The same `about` must be given to open it: it ties the box to its place.
#[must_use]
#[allow(
    clippy::expect_used,
    reason = "the cipher refuses only contents of over 256 GiB"
)]
pub fn seal(key: &SecretKey, about: &[u8], content: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = random();
    let payload = Payload {
        msg: content,
        aad: about,
    };
    let sealed = XChaCha20Poly1305::new(key.bytes().into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("contents are far smaller than the cipher's limit");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens a box.
///
/// # Errors
/// [`SealError`] when key, `about` or content differ from what was sealed.
pub fn open(key: &SecretKey, about: &[u8], boxed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, sealed) = boxed.split_at_checked(NONCE).ok_or(SealError)?;
    let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| SealError)?;
    let payload = Payload {
        msg: sealed,
        aad: about,
    };
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_so_much_longer_than_its_content() {
        for length in [0, 1, 1_000] {
            let boxed = seal(&SecretKey::generate(), b"", &vec![7; length]);
            assert_eq!(boxed.len(), length + SEAL);
        }
    }

    #[test]
    fn a_box_opens_only_with_its_key_for_its_purpose_and_unchanged() {
        let key = SecretKey::generate();
        let boxed = seal(&key, b"here", b"secret");
        assert_eq!(open(&key, b"here", &boxed).unwrap(), b"secret");
        assert!(open(&key, b"there", &boxed).is_err());
        assert!(open(&SecretKey::generate(), b"here", &boxed).is_err());
        for place in 0..boxed.len() {
            let mut changed = boxed.clone();
            changed[place] ^= 1;
            assert!(open(&key, b"here", &changed).is_err());
        }
        assert!(open(&key, b"here", b"short").is_err());
    }
}
