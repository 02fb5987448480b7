//! The values that canonical JSON (RFC 8785) can hold here, each with the one spelling it has:
//! what [`super::read`] is made of.

use std::borrow::Cow;

use data_encoding::HEXLOWER;

use super::EntryId;
use crate::domain::Moment;

/// A place in the bytes. Every reading gives nothing when what stands there is not that.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Where reading is, counted from 0.
    pub(super) at: usize,
    /// What stands before the next field: `{` before the first, `,` before the others.
    before: u8,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            before: b'{',
        }
    }

    /// Nothing inside when the field is not the next one, nothing at all when its value is wrong.
    #[inline]
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        value: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.name(name) {
            value(self).map(Some)
        } else {
            Some(None)
        }
    }

    #[inline]
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        value: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if self.name(name) { value(self) } else { None }
    }

    #[inline]
    fn name(&mut self, name: &str) -> bool {
        let after = |rest: &'a [u8]| {
            let rest = rest.strip_prefix(&[self.before, b'"'])?;
            rest.strip_prefix(name.as_bytes())?.strip_prefix(b"\":")
        };
        let Some(rest) = after(&self.bytes[self.at..]) else {
            return false;
        };
        self.at = self.bytes.len() - rest.len();
        self.before = b',';
        true
    }

    pub(super) fn end(&self) -> Option<()> {
        (&self.bytes[self.at..] == b"}").then_some(())
    }

    /// A string of exactly `N` bytes, without its quotes.
    #[inline]
    fn exactly<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (inside, rest) = self.bytes[self.at..]
            .strip_prefix(b"\"")?
            .split_first_chunk::<N>()?;
        let rest = rest.strip_prefix(b"\"")?;
        self.at = self.bytes.len() - rest.len();
        Some(inside)
    }

    /// Hexadecimal digits, small letters only.
    #[inline]
    pub(super) fn hex<const N: usize>(&mut self) -> Option<[u8; N]> {
        let start = self.at;
        let digits = match N {
            8 => self.exactly::<16>()?.as_slice(),
            16 => self.exactly::<32>()?.as_slice(),
            32 => self.exactly::<64>()?.as_slice(),
            _ => return None,
        };
        let bytes = from_hex(digits);
        if bytes.is_none() {
            self.at = start;
        }
        bytes
    }

    /// The 36 characters of a UUID, small letters only (RFC 9562, section 4, allows both).
    pub(super) fn uuid(&mut self) -> Option<EntryId> {
        let text = self.exactly::<36>()?;
        let mut digits = [0; 32];
        for (place, group) in [(0, 8), (8, 4), (12, 4), (16, 4), (20, 12)]
            .into_iter()
            .enumerate()
        {
            let (to, length) = group;
            let from = to + place;
            digits[to..to + length].copy_from_slice(&text[from..from + length]);
        }
        let dashes = [text[8], text[13], text[18], text[23]] == *b"----";
        dashes.then(|| from_hex(&digits).map(EntryId::from_bytes))?
    }

    pub(super) fn time(&mut self) -> Option<Moment> {
        Moment::read_text(self.exactly::<24>()?)
    }

    /// A whole number without a sign and without leading zeroes.
    pub(super) fn integer(&mut self) -> Option<u64> {
        let digits = &self.bytes[self.at..];
        let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        let digits = &digits[..length];
        if digits.is_empty() || (length > 1 && digits[0] == b'0') {
            return None;
        }
        let number = digits.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add((digit - b'0').into())
        })?;
        self.at += length;
        Some(number)
    }

    /// A string in which nothing is escaped.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        match self.text()? {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// A string; only what must be escaped is, and as RFC 8785, section 3.2.2.2 has it.
    pub(super) fn text(&mut self) -> Option<Cow<'a, str>> {
        let inside = self.bytes[self.at..].strip_prefix(b"\"")?;
        let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        let mut length = inside.iter().position(special)?;
        let mut text = Cow::Borrowed(std::str::from_utf8(&inside[..length]).ok()?);
        while inside[length] != b'"' {
            let (escaped, taken) = unescape(&inside[length..])?;
            length += taken;
            let plain = inside[length..].iter().position(special)?;
            let plain = &inside[length..length + plain];
            length += plain.len();
            let text = text.to_mut();
            text.push(escaped);
            text.push_str(std::str::from_utf8(plain).ok()?);
        }
        self.at += length + 2;
        Some(text)
    }
}

/// The character at the start, if it is escaped in the one way that is canonical, and how many
/// bytes that takes.
fn unescape(bytes: &[u8]) -> Option<(char, usize)> {
    let short = |byte: u8| Some((char::from(byte), 2));
    match bytes.strip_prefix(b"\\")? {
        [b'"', ..] => short(b'"'),
        [b'\\', ..] => short(b'\\'),
        [b'b', ..] => short(0x08),
        [b't', ..] => short(b'\t'),
        [b'n', ..] => short(b'\n'),
        [b'f', ..] => short(0x0c),
        [b'r', ..] => short(b'\r'),
        [b'u', b'0', b'0', high, low, ..] => {
            let [byte] = from_hex(&[*high, *low])?;
            let has_short = matches!(byte, 0x08 | b'\t' | b'\n' | 0x0c | b'\r');
            (byte < 0x20 && !has_short).then_some((char::from(byte), 6))
        }
        _ => None,
    }
}

/// Two digits a byte, small letters only.
fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let fits = digits.len() == 2 * N;
    (fits && HEXLOWER.decode_mut(digits, &mut bytes).is_ok()).then_some(bytes)
}
