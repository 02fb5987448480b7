//! The keys under notes: who signs, and whose signature is believed. After C2SP signed-note,
//! sections "Signatures" and "Ed25519 signatures", and C2SP tlog-cosignature, section "Ed25519
//! signed message".

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{NoteError, Signature};
use crate::log::base64;

/// Who signs with a key, and so how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A log, over the text itself (type 0x01).
    Log,
    /// A witness, over the text and the time (type 0x04).
    Witness,
}

impl Kind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        [Self::Log, Self::Witness]
            .into_iter()
            .find(|kind| kind.to_byte() == byte)
    }
}

/// Whether a key may have this name: not empty, no blanks of any script, no plus, no control
/// characters.
pub(super) fn is_name(name: &str) -> bool {
    let refused = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    !name.is_empty() && !name.contains(refused)
}

/// The first bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
fn key_id(name: &str, kind: Kind, public_key: &[u8; 32]) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind.to_byte()])
        .chain_update(public_key)
        .finalize();
    let [a, b, c, d, ..]: [u8; 32] = digest.into();
    [a, b, c, d]
}

/// A key that signs notes for a log. Its secret leaves memory with it.
pub struct Signer {
    key: SigningKey,
    verifier: Verifier,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.verifier).finish()
    }
}

impl Signer {
    /// The key that grows from these 32 secret bytes (RFC 8032, section 5.1.5), under the name of
    /// the log.
    ///
    /// # Errors
    /// If a key may not have that name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = Verifier::new(name, Kind::Log, &key.verifying_key().to_bytes())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// Signs a note's text: one signature line, its newline with it. [`super::Note::sign`] makes the
    /// whole note, and looks at the text first.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        format!("{}\n", self.signature(text))
    }

    pub(super) fn signature(&self, text: &str) -> Signature {
        Signature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.key_id,
            bytes: self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

/// A public key and its name: what one must have to trust a note.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    kind: Kind,
    key_id: [u8; 4],
    key: VerifyingKey,
}

impl Verifier {
    /// A key of that name and kind from its 32 public bytes (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    /// If a key may not have that name, or the bytes are no key that can be relied on.
    pub fn new(name: &str, kind: Kind, public_key: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| NoteError::Key)?;
        // A second spelling of a point is a key for some programs and none for others.
        let canonical = VerifyingKey::from(key.to_edwards()).to_bytes() == *public_key;
        if key.is_weak() || !canonical {
            return Err(NoteError::Key);
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            key_id: key_id(name, kind, public_key),
            key,
        })
    }

    /// Reads a vkey in its one spelling, lower-case hexadecimal included.
    ///
    /// # Errors
    /// If it is none, if its key id does not belong to it, or if the key is of another type than a
    /// log's or a witness's.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let (name, rest) = vkey.split_once('+').ok_or(NoteError::Key)?;
        // The base64 may have a plus of its own.
        let (id, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        // A type and 32 bytes: the length first, so that a long text is not decoded in vain.
        if key.len() != 44 {
            return Err(NoteError::Key);
        }
        let key = base64(key).ok_or(NoteError::Key)?;
        let (kind, public_key) = key.split_first().ok_or(NoteError::Key)?;
        let kind = Kind::of_byte(*kind).ok_or(NoteError::Key)?;
        let public_key = public_key.try_into().map_err(|_| NoteError::Key)?;
        let verifier = Self::new(name, kind, public_key)?;
        if id != HEXLOWER.encode(&verifier.key_id) {
            return Err(NoteError::Key);
        }
        Ok(verifier)
    }

    /// The key's name; a log's is the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who signs with it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The four bytes by which signatures refer to it, together with its name.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The 32 public bytes.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Whether the signature says that it is this key's.
    pub(super) fn is_meant_by(&self, signature: &Signature) -> bool {
        signature.key_id == self.key_id && signature.name == self.name
    }

    /// Whether the signature is this key's over that text.
    pub(super) fn has_signed(&self, text: &str, signature: &Signature) -> bool {
        let checked = |message: &[u8], bytes: &[u8]| {
            ed25519_dalek::Signature::from_slice(bytes)
                .and_then(|signature| self.key.verify_strict(message, &signature))
                .is_ok()
        };
        match self.kind {
            Kind::Log => checked(text.as_bytes(), &signature.bytes),
            Kind::Witness => signature.cosigned().is_some_and(|(time, bytes)| {
                checked(
                    format!("cosignature/v1\ntime {time}\n{text}").as_bytes(),
                    bytes,
                )
            }),
        }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = [0; 33];
        key[0] = self.kind.to_byte();
        key[1..].copy_from_slice(self.key.as_bytes());
        let (name, id) = (&self.name, HEXLOWER.encode(&self.key_id));
        write!(f, "{name}+{id}+{}", BASE64.encode_display(&key))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
