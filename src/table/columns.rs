//! Which columns hold what. A person may have two numbers, in two columns: whoever is asked about a
//! row asks about both, or has been told which one is meant.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::domain::PhoneNumber;

/// A column, as whoever brings the table names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column(String);

impl Column {
    /// A name from the heading, or a position from 1. Capitals, accents, blanks, dashes and
    /// underscores of names do not matter. A name goes before a position.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place from 0 in a table of so many columns.
    #[must_use]
    pub fn position(&self, heading: Option<&[String]>, columns: usize) -> Option<usize> {
        let of_name = named(heading.unwrap_or_default(), &self.0);
        let counted = || {
            let place = self.0.trim().parse::<usize>().ok()?.checked_sub(1)?;
            (place < columns).then_some(place)
        };
        of_name.or_else(counted)
    }

    /// The places of every number that is meant: all columns of this name, or of several names or
    /// positions with commas between them. Columns with a plus between them are one number
    /// together: `1+2`.
    pub(super) fn numbers(
        &self,
        heading: Option<&[String]>,
        columns: usize,
    ) -> Option<Vec<Vec<usize>>> {
        let of_name = |name: &str| -> Vec<Vec<usize>> {
            let name = simple(name);
            let cells = heading.unwrap_or_default().iter().enumerate();
            let cells = cells.filter(|(_, cell)| !name.is_empty() && simple(cell) == name);
            cells.map(|(place, _)| vec![place]).collect()
        };
        let mut numbers = of_name(&self.0);
        if numbers.is_empty() {
            for one in self.0.split(',') {
                let named = of_name(one);
                if !named.is_empty() {
                    numbers.extend(named);
                    continue;
                }
                let parts = one.split('+');
                let parts = parts.map(|part| Self::new(part).position(heading, columns));
                numbers.push(parts.collect::<Option<_>>()?);
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }
}

/// Where the numbers stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The columns of each number, from 0; at least one, and of a number that is put together from
    /// several cells, several.
    pub places: Vec<Vec<usize>>,
    /// Whether the first row names the columns.
    pub heading: bool,
}

/// Why that cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumbersError {
    /// Nothing tells it.
    Nothing,
    /// More than one column could be meant.
    Several,
    /// A column that was named is not there.
    NoSuchColumn,
}

/// Words of which one stands in the name of a column of telephone numbers.
#[rustfmt::skip]
const PHONE: &[&str] = &[
    "cell", "cellphone", "cellular", "cellulare", "celular", "celulare", "festnetz",
    "festnetznummer", "fijo", "fon", "fono", "gsm", "gsmnummer", "handy", "handynr",
    "handynummer", "homephone", "landline", "mobiel", "mobielnr", "mobielnummer", "mobil",
    "mobile", "mobilenumber", "mobilephone", "mobilfunk", "mobilnr", "mobilnummer",
    "mobiltelefon", "mobiltelefonnummer", "movel", "movil", "msisdn", "otherphone", "phone",
    "phonehome", "phonemobile", "phoneno", "phonenumber", "phones", "phonework", "primaryphone",
    "rufnr", "rufnummer", "smartphone", "tel", "telefon", "telefone", "telefonnr",
    "telefonnummer", "telefono", "telefoon", "telefoonnr", "telefoonnummer", "telemovel",
    "telephon", "telephone", "telephonenumber", "telf", "telno", "telnr", "tlf", "tlfn",
    "workphone",
];

/// Words of which none does: such a column says something about a number.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "calls", "carrier", "code", "consent", "count", "country", "date", "do", "ext", "extension",
    "fax", "id", "in", "label", "not", "note", "notes", "operator", "opt", "optin", "optout",
    "prefix", "provider", "soort", "status", "time", "typ", "type", "valid", "verified",
];

/// Names that say it by themselves only.
#[rustfmt::skip]
const ALONE: &[&str] = &[
    "called_number", "destination_number", "dial_no", "dnis", "dst_ouser", "dst_user", "e164",
    "finalcalledpartynumber", "fixe", "originalcalledpartynumber", "portable", "to_no", "whatsapp",
];

/// Names that a column of telephone numbers has as well as one of other numbers.
#[rustfmt::skip]
const PERHAPS: &[&str] = &[
    "number", "numbers", "nummer", "numero", "called", "to", "dst", "destination",
];

/// A first row that names columns has no cell of so many digits.
const DIGITS_OF_A_NUMBER: usize = 6;

/// A first row that is a heading although nothing in it is a usual name has none of so many.
const DIGITS_OF_A_DATE: usize = 3;

impl Numbers {
    /// Finds the columns of the numbers in a table of so many columns by its first row, or, where
    /// `wanted` names them, what they are called. `heading` says whether the first row names the
    /// columns, if that is known.
    ///
    /// # Errors
    /// [`NumbersError`].
    pub fn find(
        first: &[String],
        columns: usize,
        wanted: Option<&Column>,
        heading: Option<bool>,
    ) -> Result<Self, NumbersError> {
        let of = |is: fn(&str) -> bool| -> Vec<Vec<usize>> {
            let cells = first.iter().enumerate().filter(|(_, cell)| is(cell));
            cells.map(|(place, _)| vec![place]).collect()
        };
        let (sure, perhaps) = (of(is_phone), of(is_perhaps));
        let most = first.iter().map(|cell| digits(cell)).max().unwrap_or(0);
        let named = match heading {
            Some(heading) => heading,
            None => most < DIGITS_OF_A_NUMBER,
        } && !(sure.is_empty() && perhaps.is_empty());
        let names = |numbers: &[Vec<usize>]| {
            let mut cells = numbers.iter().flatten().map(|place| first.get(*place));
            most < DIGITS_OF_A_DATE && cells.all(|cell| cell.is_some_and(|cell| is_name(cell)))
        };
        if let Some(wanted) = wanted {
            let counted = wanted.numbers(None, columns);
            let heading = heading.unwrap_or_else(|| match &counted {
                Some(numbers) => named || names(numbers),
                None => true,
            });
            let by_name = heading
                .then(|| wanted.numbers(Some(first), columns))
                .flatten();
            let places = by_name.or(counted).ok_or(NumbersError::NoSuchColumn)?;
            return Ok(Self { places, heading });
        }
        let is_perhaps = sure.is_empty();
        let (places, heading) = match (named, columns) {
            (true, _) => (if is_perhaps { perhaps } else { sure }, true),
            (_, 1) => {
                let only = vec![vec![0]];
                let heading = heading.unwrap_or_else(|| names(&only));
                (only, heading)
            }
            // A number with its plus can be nothing else.
            _ => (of(is_international), false),
        };
        // Two columns of telephone numbers are both meant. Of two that perhaps are, one could be
        // anything, and a stranger would be listed, or nobody asked about.
        match places.len() {
            0 => Err(NumbersError::Nothing),
            2.. if named && is_perhaps => Err(NumbersError::Several),
            _ => Ok(Self { places, heading }),
        }
    }

    /// The columns of each number by their positions from 1, as [`positions`](Self::positions) writes
    /// them, in a table of so many columns.
    #[must_use]
    pub fn at(positions: &str, columns: usize) -> Option<Vec<Vec<usize>>> {
        Column::new(positions).numbers(None, columns)
    }

    /// What the columns are called, for whoever must know which were taken.
    #[must_use]
    pub fn names(&self, first: &[String]) -> Vec<String> {
        let name = |place: &usize| {
            let cell = first.get(*place).filter(|_| self.heading);
            let cell = cell.filter(|cell| digits(cell) < DIGITS_OF_A_NUMBER && !cell.is_empty());
            match cell {
                Some(cell) => format!("\"{}\"", cell.trim()),
                None => (place + 1).to_string(),
            }
        };
        let names = |number: &Vec<usize>| {
            let parts: Vec<_> = number.iter().map(name).collect();
            parts.join("+")
        };
        self.places.iter().map(names).collect()
    }

    /// The positions, from 1, as [`Column`] reads them: `2,3` or `1+2`.
    #[must_use]
    pub fn positions(&self) -> String {
        let number = |number: &Vec<usize>| {
            let parts: Vec<_> = number.iter().map(|place| (place + 1).to_string()).collect();
            parts.join("+")
        };
        let numbers: Vec<_> = self.places.iter().map(number).collect();
        numbers.join(",")
    }
}

/// The first column of this name.
#[must_use]
pub fn named(heading: &[String], name: &str) -> Option<usize> {
    let name = simple(name);
    heading
        .iter()
        .position(|column| !name.is_empty() && simple(column) == name)
}

/// Whether a column or a member of this name holds telephone numbers.
#[must_use]
pub fn is_phone(name: &str) -> bool {
    // No name is longer; whatever is has not to be looked at.
    if name.len() > 64 {
        return false;
    }
    let name = simple(name);
    if ALONE.contains(&&*name) {
        return true;
    }
    let words = || name.split(|c: char| !c.is_alphabetic());
    words().any(|word| PHONE.contains(&word)) && !words().any(|word| ABOUT.contains(&word))
}

/// Whether one of this name may.
#[must_use]
pub fn is_perhaps(name: &str) -> bool {
    PERHAPS.contains(&&*simple(name))
}

/// A name in small letters without accents, with underscores for blanks and dashes.
fn simple(name: &str) -> String {
    let plain = |c: char| match c {
        ' ' | '-' | '\u{a0}' => '_',
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        // A character in an encoding that is not known is an accented e most often.
        'è' | 'é' | 'ê' | 'ë' | '\u{fffd}' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        c => c,
    };
    name.trim().to_lowercase().chars().map(plain).collect()
}

/// A cell as text: UTF-8, or else Windows-1252.
pub(super) fn text(cell: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(cell) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(cell).0,
    }
}

/// How many digits of any script a cell has.
fn digits(cell: &str) -> usize {
    cell.chars().filter(|c| c.is_numeric()).count()
}

/// Whether a cell is a name and no number: letters, and no digit.
fn is_name(cell: &str) -> bool {
    cell.chars().any(char::is_alphabetic) && !cell.chars().any(char::is_numeric)
}

/// Whether a cell is a number with its country code.
fn is_international(cell: &str) -> bool {
    cell.trim_start().starts_with('+') && PhoneNumber::parse(cell.trim(), None).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(first: &[&str], wanted: Option<&str>) -> Result<(String, bool), NumbersError> {
        let wanted = wanted.map(Column::new);
        let first: Vec<String> = first.iter().map(|cell| (*cell).to_owned()).collect();
        let found = Numbers::find(&first, first.len(), wanted.as_ref(), None)?;
        Ok((found.positions(), found.heading))
    }

    #[test]
    fn columns_of_telephone_numbers_are_known_by_their_names() {
        for name in [
            "phone",
            " Phone Number ",
            "Phone No.",
            "phone2",
            "Home-Phone",
            "Phone 1 - Value",
            "MSISDN",
            "e164",
            "Téléphone",
            "T\u{fffd}l\u{fffd}phone mobile",
            "GSM",
            "Telefoonnummer",
            "Handy",
            "Móvil",
            "portable",
        ] {
            assert!(is_phone(name), "{name}");
        }
        for name in [
            "",
            "number",
            "customer number",
            "Phone 1 - Label",
            "phone_type",
            "mobile opt in",
            "phone country code",
            "telecom",
            "hotel",
            "do_not_phone",
        ] {
            assert!(!is_phone(name), "{name}");
        }
    }

    #[test]
    fn two_columns_of_telephone_numbers_are_both_meant_and_two_that_perhaps_are_neither() {
        let both = find(&["id", "phone", "mobile", "number"], None);
        assert_eq!(both, Ok(("2,3".to_owned(), true)));
        assert_eq!(
            find(&["phone", "phone"], None),
            Ok(("1,2".to_owned(), true))
        );
        assert_eq!(
            find(&["phone", "phone"], Some("Phone")),
            Ok(("1,2".to_owned(), true))
        );
        assert_eq!(find(&["name", "number"], None), Ok(("2".to_owned(), true)));
        assert_eq!(
            find(&["called", "number"], None),
            Err(NumbersError::Several)
        );
        assert_eq!(find(&["a", "b"], None), Err(NumbersError::Nothing));
        assert_eq!(find(&["a", "b"], Some("b,1")), Ok(("1,2".to_owned(), true)));
        assert_eq!(
            find(&["a", "b, c"], Some("b, C")),
            Ok(("2".to_owned(), true))
        );
        for wrong in ["c", "3", "0", "a,c", "1,3", "", ","] {
            assert_eq!(
                find(&["a", "b"], Some(wrong)),
                Err(NumbersError::NoSuchColumn)
            );
        }
    }

    #[test]
    fn a_row_of_numbers_is_no_heading_whatever_script_its_digits_are_of() {
        for first in [
            "0470000001",
            "۰۹۱۲۱۲۳۰۰۶۱",
            "０４７０００００１",
            "112",
            "-",
        ] {
            assert_eq!(find(&[first], None), Ok(("1".to_owned(), false)), "{first}");
            assert_eq!(
                find(&["An", first], Some("2")),
                Ok(("2".to_owned(), false)),
                "{first}"
            );
        }
        // A label that looks like a name, beside a number.
        assert_eq!(
            find(&["Mobile", "0470000001"], Some("2")),
            Ok(("2".to_owned(), false))
        );
        assert_eq!(
            find(&["Mobile", "0470000001"], None),
            Err(NumbersError::Nothing)
        );
        assert_eq!(
            find(&["An", "n/a", "2019-05-01"], Some("2")),
            Ok(("2".to_owned(), false))
        );
        assert_eq!(
            find(&["id", "phone", "optout_2026"], None),
            Ok(("2".to_owned(), true))
        );
        assert_eq!(find(&["Nummer"], None), Ok(("1".to_owned(), true)));
        assert_eq!(find(&["who"], None), Ok(("1".to_owned(), true)));
    }
}
