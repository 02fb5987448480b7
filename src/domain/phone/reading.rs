//! What digits mean: every way to read them is tried, and only if all ways
//! that lead to a valid number lead to the same one is it taken.
//!
//! A wrong number would be someone else's: an opt-out that does not hold, or
//! an answer about a stranger. So where a text could mean two numbers it is
//! refused, and the person is asked to write the country code. The
//! `phonenumber` crate's own parser guesses (it takes away what looks like a
//! trunk prefix, twice if need be), and is therefore not used; its metadata is.

use super::error::PhoneError;
use super::metadata::database;
use super::other_names::OtherName;
use super::plan::{Dialling, MAX_DIGITS, Plan, Prefix, plan};
use super::typed::{Fraction, TWO_NUMBERS, Typed};
use super::{Notation, PhoneNumber};
use phonenumber::{Mode, Type};

/// Up to this many digits in a country's own notation are taken for a short
/// number when they are not a valid number.
const SHORT_NATIONAL: usize = 6;

/// The same for what follows a country code.
const SHORT_INTERNATIONAL: usize = 4;

/// The regions that dial a 0 before national numbers, and write some long ones
/// without it all the same.
pub(super) const WITHOUT_ZERO: [&[u8; 2]; 8] =
    [b"BR", b"CN", b"EC", b"IL", b"IN", b"NP", b"PH", b"PY"];

/// Reads a typed text.
pub(super) fn read(typed: &Typed, notation: Notation) -> Result<PhoneNumber, PhoneError> {
    // "07673 2202/2203" is two numbers, "0475/12 34 56" is one: what stands
    // before the slash is a number too, or it is not.
    for (before, behind) in typed.cuts() {
        if match read_digits(typed, before, notation) {
            Ok(_) | Err(PhoneError::Ambiguous) => true,
            Err(PhoneError::NeedsRegion) => behind.len() >= before.len(),
            Err(_) => false,
        } {
            return Err(PhoneError::TwoNumbers);
        }
    }
    // "07673 2202-2203" is two, "030/123456-0" and "650-253-2530" are one.
    if let Some(before) = typed.before_next_one()
        && is_number(read_digits(typed, before, notation))
    {
        return Err(PhoneError::TwoNumbers);
    }
    let read = match typed.fraction() {
        None => read_digits(typed, typed.digits(), notation),
        Some(fraction) => read_with_fraction(typed, fraction, notation),
    };
    let two = |read: &Result<_, _>| {
        matches!(read, Err(PhoneError::NotValid))
            && typed.gaps().any(|(before, behind)| {
                behind.len() >= TWO_NUMBERS && is_number(read_digits(typed, before, notation))
            })
    };
    match two(&read) {
        true => Err(PhoneError::TwoNumbers),
        false => read,
    }
}

/// Whether digits are a number, or several.
fn is_number(read: Result<PhoneNumber, PhoneError>) -> bool {
    matches!(read, Ok(_) | Err(PhoneError::Ambiguous))
}

/// "49301234567.0" is a number that went through a spreadsheet as an amount.
/// "(650) 253.0000" is not.
fn read_with_fraction(
    typed: &Typed,
    fraction: Fraction,
    notation: Notation,
) -> Result<PhoneNumber, PhoneError> {
    let before = typed.digits().get(..fraction.at).unwrap_or_default();
    let without = read_digits(typed, before, notation);
    if fraction.certain {
        return match fraction.zeros {
            true => without,
            false => without.and(Err(PhoneError::Decimal)),
        };
    }
    let whole = read_digits(typed, typed.digits(), notation);
    match (without, whole) {
        (Ok(_) | Err(PhoneError::Ambiguous), Ok(_)) | (Ok(_), Err(PhoneError::Ambiguous)) => {
            Err(PhoneError::Ambiguous)
        }
        (Ok(number), Err(_)) if fraction.zeros => Ok(number),
        (Ok(_), Err(_)) => Err(PhoneError::Decimal),
        (Err(_), whole) => whole,
    }
}

fn read_digits(
    typed: &Typed,
    digits: &[u8],
    notation: Notation,
) -> Result<PhoneNumber, PhoneError> {
    let mut found = Found::new();
    let dialling = notation.region.and_then(|r| plan().dialling(r.0));
    let zeros = digits.starts_with(b"00");
    if typed.plus {
        // "+00 32…" can only be both ways of writing a plus at once.
        let skip = if zeros { 2 } else { 0 };
        found.international(typed, digits, skip);
        return found.or_else(|| too_short(digits, skip));
    }
    if zeros {
        found.international(typed, digits, 2);
    }
    if notation.international && !digits.starts_with(b"0") {
        found.international(typed, digits, 0);
        // Unless it is what the region dials for a call abroad (`8~10` in some).
        if let Some(skip) = dialling.and_then(|dialling| abroad(dialling, digits)) {
            found.international(typed, digits, skip);
        }
        return found.or_else(|| too_short(digits, 0));
    }
    // The harmonised numbers of social value in Europe; in Jersey 116000 would
    // else be taken for the end of a local number.
    if matches!(digits, [b'1', b'1', b'6', _, _, _]) {
        return Err(PhoneError::EmergencyOrShort);
    }
    let Some(dialling) = dialling else {
        if is_long(digits) {
            let mut abroad = Found::new();
            abroad.international(typed, digits, 0);
            if !abroad.is_dialled_without_plus(digits) {
                found.merge(&abroad);
            }
        }
        return found.or_else(|| match digits.len() {
            ..=SHORT_NATIONAL => PhoneError::EmergencyOrShort,
            _ if zeros => too_short(digits, 2),
            _ => PhoneError::NeedsRegion,
        });
    };
    if let Some(skip) = abroad(dialling, digits) {
        found.international(typed, digits, skip);
        // "99 291…" from North Korea, or +992 91… without its plus.
        if !found.is_none() && !digits.starts_with(b"0") {
            found.international(typed, digits, 0);
        }
    }
    found.national(typed, digits, dialling);
    found.or_else(|| match digits.len() {
        ..=SHORT_NATIONAL => PhoneError::EmergencyOrShort,
        _ if zeros => too_short(digits, 2),
        _ => PhoneError::NotValid,
    })
}

/// How many digits the region's own prefix for calls abroad takes.
fn abroad(dialling: &Dialling, digits: &[u8]) -> Option<usize> {
    dialling
        .abroad
        .as_ref()?
        .length_in(std::str::from_utf8(digits).ok()?)
}

/// Why international digits, the first `skip` of them a prefix, are refused.
fn too_short(digits: &[u8], skip: usize) -> PhoneError {
    let digits = digits.get(skip..).unwrap_or_default();
    let code = plan().split(digits).map_or(0, |(length, ..)| length);
    if digits.len() <= code + SHORT_INTERNATIONAL {
        PhoneError::EmergencyOrShort
    } else {
        PhoneError::NotValid
    }
}

/// Whether digits are so many that they have their country code, if they are a
/// number at all: hardly any country has national numbers as long.
fn is_long(digits: &[u8]) -> bool {
    (11..=MAX_DIGITS).contains(&digits.len()) && !digits.starts_with(b"0")
}

/// The valid numbers found so far, as far as it matters.
struct Found {
    number: Option<PhoneNumber>,
    several: bool,
    plan: &'static Plan,
}

impl Found {
    fn new() -> Self {
        Self {
            number: None,
            several: false,
            plan: plan(),
        }
    }

    fn is_none(&self) -> bool {
        self.number.is_none()
    }

    fn or_else(self, why: impl FnOnce() -> PhoneError) -> Result<PhoneNumber, PhoneError> {
        match self.number {
            Some(_) if self.several => Err(PhoneError::Ambiguous),
            Some(number) => Ok(number),
            None => Err(why()),
        }
    }

    /// Takes what another search has found.
    fn merge(&mut self, other: &Self) {
        if let Some(number) = other.number {
            self.several |= other.several || self.number.is_some_and(|mine| mine != number);
            self.number = Some(number);
        }
    }

    /// Takes digits, in parts, as a number if they are valid. True if so.
    fn take(&mut self, parts: [&[u8]; 2]) -> bool {
        let mut all = [0; MAX_DIGITS];
        let [first, second] = parts;
        let length = first.len() + second.len();
        let Some(digits) = all.get_mut(..length) else {
            return false;
        };
        let (head, tail) = digits.split_at_mut(first.len());
        head.copy_from_slice(first);
        tail.copy_from_slice(second);
        let other = self.plan.other_name(digits);
        let digits = other.as_ref().map_or(&*digits, OtherName::digits);
        if !self.plan.is_valid(digits) {
            return false;
        }
        let number = PhoneNumber::from_digits(digits);
        self.several |= self.number.is_some_and(|other| other != number);
        self.number = Some(number);
        true
    }

    /// Reads `digits` without the first `skip` as country code and number.
    fn international(&mut self, typed: &Typed, digits: &[u8], skip: usize) {
        let digits = digits.get(skip..).unwrap_or_default();
        let Some((length, _, country)) = self.plan.split(digits) else {
            return;
        };
        let (code, national) = digits.split_at(length);
        let exact = self.take([code, national]);
        let trunk = country.trunk.as_deref().unwrap_or_default().as_bytes();
        // "+32 (0)475…", "+44 (020) 7946…": the zero in brackets is for calls
        // within the country. Where the number with it is valid too (Italy),
        // nobody can tell.
        let hint = typed.bracketed.filter(|(start, _)| *start == skip + length);
        let hinted = hint.and_then(|(start, end)| national.split_at_checked(end - start));
        if let Some((b"0", rest)) = hinted {
            self.take([code, rest]);
        } else if (hinted.is_some() || !exact)
            && !trunk.is_empty()
            && let Some(rest) = national.strip_prefix(trunk)
        {
            self.take([code, rest]);
        }
        // "+32 0475…", "+54 11 15…": no number as it stands, but as it is
        // dialled within the country. Nothing is added, as without its area
        // code a number may be another one's end; but San Marino has one area.
        if !exact && let Some(before) = country.main.and_then(|id| self.plan.dialling(id)) {
            let most = match code {
                b"378" => MAX_DIGITS,
                _ => national.len().saturating_sub(1),
            };
            self.without_prefix(code, national, before, most);
        }
    }

    /// Takes national digits without what may stand before them, if at most so
    /// many are left.
    fn without_prefix(&mut self, code: &[u8], digits: &[u8], dialling: &Dialling, most: usize) {
        match &dialling.before {
            Some(Prefix::Plain(before)) => {
                if let Some(rest) = digits.strip_prefix(before.as_bytes()) {
                    self.take([code, rest]);
                }
            }
            Some(rule @ Prefix::Rule(..)) => {
                let rest = by_rule(rule, dialling.becomes.as_deref(), digits);
                if let Some(rest) = rest.filter(|rest| rest.len() <= most) {
                    self.take([code, rest.as_bytes()]);
                }
            }
            None => {}
        }
    }

    /// Whether people in some country write these digits, without a plus, for
    /// another number than the one found: where national numbers have no trunk
    /// prefix, or another than 0, or are written without their 0.
    fn is_dialled_without_plus(&self, digits: &[u8]) -> bool {
        self.plan.regions().any(|dialling| {
            let national = match dialling.trunk.as_deref() {
                // As many digits are an extension of a switchboard, or a mailbox.
                _ if matches!(dialling.code, 39 | 352) => return false,
                Some("0") if WITHOUT_ZERO.contains(&&dialling.id) => digits,
                Some("0") => return false,
                Some(trunk) => match digits.strip_prefix(trunk.as_bytes()) {
                    Some(national) => national,
                    None => return false,
                },
                None => digits,
            };
            let mut buffer = [0; 3];
            let mut home = Self::new();
            home.take([decimal(dialling.code, &mut buffer), national]);
            home.number.is_some() && home.number != self.number
        })
    }

    /// Reads digits as someone in the region would dial them.
    fn national(&mut self, typed: &Typed, digits: &[u8], dialling: &Dialling) {
        let mut buffer = [0; 3];
        let code = decimal(dialling.code, &mut buffer);
        let mut home = Self::new();
        home.take([code, digits]);
        if let Some(rest) = dialling
            .trunk
            .as_ref()
            .and_then(|t| digits.strip_prefix(t.as_bytes()))
        {
            home.take([code, rest]);
        }
        home.without_prefix(code, digits, dialling, MAX_DIGITS);
        // Without the 0 that is dialled before every number, digits may as well
        // be an international number without its plus, and then both readings
        // must agree; unless they are in the form in which the region itself
        // writes this number (a Chinese mobile). Of so many digits that a
        // country code may be among them only mobiles are: refusing those, too,
        // would refuse 55 of 100 in China and 16 of 100 in Brazil.
        // Elsewhere the national reading is the natural one, and the other
        // ("32475…" for "+32475…" in Belgium itself) comes second.
        let bare = dialling.trunk.as_deref() == Some("0") && !digits.starts_with(b"0");
        // So many digits are hardly ever national ones.
        let long = is_long(digits) && (home.is_none() || dialling.trunk.is_none());
        let mut abroad = Self::new();
        if bare || long || digits.starts_with(code) {
            abroad.international(typed, digits, 0);
        }
        let own = abroad.number.is_some_and(|n| n.digits().starts_with(code));
        match (home.number, abroad.number) {
            (Some(at_home), Some(_)) if bare && !own && is_written_so(at_home, digits) => {}
            (None, Some(_)) if !own && !long => {}
            (Some(_), Some(_)) if dialling.trunk.is_none() && (own || !long) => {}
            _ => self.merge(&abroad),
        }
        self.merge(&home);
        // "8112 06 57 510" may be a national number and something behind it.
        if long && !own && home.is_none() && self.number.is_some() {
            let mut parts = typed.gaps();
            self.several |= parts.any(|(before, _)| {
                home.take([code, before]);
                home.number.is_some()
            });
        }
    }
}

/// Whether the region itself writes this number in these digits, and, if they
/// are [many](is_long), it is a mobile. Slow, and asked only where another
/// reading is at hand.
fn is_written_so(number: PhoneNumber, digits: &[u8]) -> bool {
    phonenumber::parse_with(database(), None, number.e164())
        .ok()
        .filter(|read| read.to_string() == number.e164())
        .filter(|read| !is_long(digits) || read.number_type(database()) == Type::Mobile)
        .map(|read| {
            let format = read.format().database(database());
            format.mode(Mode::National).to_string()
        })
        .is_some_and(|text| {
            text.bytes()
                .filter(u8::is_ascii_digit)
                .eq(digits.iter().copied())
        })
}

/// What stands after carrier codes and the like, put in the form in which the
/// country writes the number abroad.
fn by_rule(rule: &Prefix, becomes: Option<&str>, digits: &[u8]) -> Option<String> {
    let digits = std::str::from_utf8(digits).ok()?;
    let groups = rule.rule()?.captures(digits)?;
    let whole = groups.get(0)?;
    let last = groups.get(groups.len() - 1).filter(|_| groups.len() > 1);
    let mut number = String::with_capacity(digits.len() + 4);
    if let (Some(becomes), Some(_)) = (becomes, last) {
        let mut parts = becomes.chars();
        while let Some(c) = parts.next() {
            if c == '$' {
                let group = parts.next()?.to_digit(10)?;
                number.push_str(groups.get(group as usize)?.as_str());
            } else {
                number.push(c);
            }
        }
    }
    number.push_str(&digits[whole.end()..]);
    Some(number)
}

/// A country code in ASCII.
fn decimal(code: u16, buffer: &mut [u8; 3]) -> &[u8] {
    let mut rest = code;
    let mut start = buffer.len();
    for (i, place) in buffer.iter_mut().enumerate().rev() {
        if rest == 0 {
            break;
        }
        // A remainder of ten is below ten.
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        start = i;
    }
    &buffer[start..]
}
