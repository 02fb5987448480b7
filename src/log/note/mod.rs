//! Text with signatures under it, after C2SP signed-note (<https://c2sp.org/signed-note>), with two
//! kinds of key: Ed25519 (type 0x01), with which a log signs, and the Ed25519 cosignatures (type
//! 0x04) of C2SP tlog-cosignature (<https://c2sp.org/tlog-cosignature>), with which witnesses say
//! what they saw and when. Keys are told as "vkeys": `name+key id+base64(type ‖ public key)`.
//!
//! Stricter than the specifications where that costs nothing: DEL and the C1 control characters are
//! refused too, and so are weak keys and the signatures that only some verifiers accept.

mod key;

use std::fmt;

use data_encoding::BASE64;

use key::is_name;
pub use key::{Kind, Signer, Verifier};

/// The longest note that is read or made, in bytes.
pub const MAX_NOTE: usize = 64 * 1024;
/// The most signatures that a note may carry.
pub const MAX_SIGNATURES: usize = 100;

/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

/// Why a note, a key or a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More bytes than [`MAX_NOTE`].
    #[error("the note is longer than {MAX_NOTE} bytes")]
    TooLong,
    /// More signatures than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// It is not UTF-8 text, an empty line, and signature lines.
    #[error("this is not a signed note")]
    Malformed,
    /// The text to be signed does not end its last line, or has control characters.
    #[error("this text cannot be signed: it must end its last line and have no control characters")]
    Text,
    /// A line is not an em dash, a name and base64.
    #[error("this is not a line with a signature")]
    SignatureLine,
    /// A key's name is empty, or has blanks, control characters or a plus.
    #[error("a key's name must not be empty and must have no blanks and no +")]
    Name,
    /// A vkey that cannot be read, or whose key id is another key's.
    #[error("this is not a verifier key of a log or a witness")]
    Key,
    /// A signature of a key that is known, but over another text.
    #[error("the signature of {0} is wrong")]
    WrongSignature(
        /// The key's name.
        String,
    ),
    /// None of the keys that are known has signed.
    #[error("the note is not signed by a key that is known")]
    NoKnownSignature,
}

/// One signature of a note, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key that signed.
    pub name: String,
    /// The key's id.
    pub key_id: [u8; 4],
    /// What the key's kind makes of it: 64 bytes from a log, 72 from a witness.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// Reads one line, without its newline.
    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = super::base64(base64)?;
        let (key_id, bytes) = bytes.split_first_chunk()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: *key_id,
            bytes: bytes.to_vec(),
        })
    }

    /// Whether it names this key. Whether it is really the key's, [`Note::verify`] tells.
    #[must_use]
    pub fn is_by(&self, key: &Verifier) -> bool {
        self.key_id == key.key_id() && self.name == key.name()
    }

    /// The time and the Ed25519 signature of a cosignature.
    fn cosigned(&self) -> Option<(u64, &[u8])> {
        let (time, bytes) = self.bytes.split_first_chunk()?;
        let time = u64::from_be_bytes(*time);
        (time <= i64::MAX.unsigned_abs()).then_some((time, bytes))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.bytes].concat();
        write!(f, "{DASH}{} {}", self.name, BASE64.encode_display(&bytes))
    }
}

/// A text and the signatures under it. That it could be read does not mean that anybody signed it:
/// see [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed; it ends with a newline.
    pub text: String,
    /// Whoever signed, in the note's order.
    pub signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note, in its one spelling.
    ///
    /// # Errors
    /// If it is too long, has too many signatures or none, or is not a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed)?;
        // The last empty line is the one that matters: the text may have empty lines too.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let text = format!("{text}\n");
        if !is_text(&text) {
            return Err(NoteError::Malformed);
        }
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(Signature::parse(line).ok_or(NoteError::SignatureLine)?);
        }
        Ok(Self { text, signatures })
    }

    /// Makes a note of a text that ends with a newline.
    ///
    /// # Errors
    /// If the text cannot be signed, the note would be too long, or nobody signs.
    pub fn sign(text: String, signers: &[&Signer]) -> Result<Self, NoteError> {
        if !is_text(&text) {
            return Err(NoteError::Text);
        }
        let mut note = Self {
            text,
            signatures: Vec::new(),
        };
        for signer in signers {
            note.append(signer.signature(&note.text))?;
        }
        match note.signatures.is_empty() {
            true => Err(NoteError::Malformed),
            false => Ok(note),
        }
    }

    /// Adds the line of somebody else who signed this text, such as a witness; the newline at its
    /// end may be missing. Adding the same line again changes nothing. The signature is not
    /// verified.
    ///
    /// # Errors
    /// If it is not one signature line, or the note has no room for it.
    pub fn add(&mut self, line: &str) -> Result<(), NoteError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        self.append(Signature::parse(line).ok_or(NoteError::SignatureLine)?)
    }

    fn append(&mut self, signature: Signature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        if self.to_string().len() > MAX_NOTE {
            self.signatures.pop();
            return Err(NoteError::TooLong);
        }
        Ok(())
    }

    /// The keys that signed it, of those that are known: at least one, each once, in the note's
    /// order. Signatures of other keys say nothing and are passed over.
    ///
    /// # Errors
    /// If a signature of a known key is wrong, or if none is of a known key.
    pub fn verify<'v>(&self, known: &'v [Verifier]) -> Result<Vec<&'v Verifier>, NoteError> {
        let mut signed: Vec<&Verifier> = Vec::new();
        for signature in &self.signatures {
            let mut meant = known
                .iter()
                .filter(|verifier| verifier.is_meant_by(signature))
                .peekable();
            if meant.peek().is_none() {
                continue;
            }
            // Two keys of one name may share an id by chance: then either may have signed.
            let verifier = meant
                .find(|verifier| verifier.has_signed(&self.text, signature))
                .ok_or_else(|| NoteError::WrongSignature(signature.name.clone()))?;
            if !signed.contains(&verifier) {
                signed.push(verifier);
            }
        }
        match signed.is_empty() {
            true => Err(NoteError::NoKnownSignature),
            false => Ok(signed),
        }
    }

    /// When a witness cosigned, in seconds since 1970, if it did; the signature is verified first.
    /// The latest time if it signed more than once.
    #[must_use]
    pub fn cosigned_at(&self, witness: &Verifier) -> Option<u64> {
        self.signatures
            .iter()
            .filter(|_| witness.kind() == Kind::Witness)
            .filter(|signature| witness.is_meant_by(signature))
            .filter(|signature| witness.has_signed(&self.text, signature))
            .filter_map(|signature| Some(signature.cosigned()?.0))
            .max()
    }
}

/// Whether a note may have this text: it ends its last line, and has no control characters but
/// newlines.
fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.contains(|c: char| c.is_control() && c != '\n')
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
