//! Which columns hold the numbers. A person may have two, in two columns: whoever is asked about a
//! row asks about both, or has been told which one is meant.

use csv::ByteRecord;

use super::{Column, plain};

/// Where the numbers stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Their columns, from 0, each once; at least one.
    pub places: Vec<usize>,
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
const PHONE: [&str; 40] = [
    "cell",
    "cellphone",
    "cellular",
    "cellulare",
    "festnetz",
    "festnetznummer",
    "gsm",
    "gsmnummer",
    "handy",
    "handynummer",
    "homephone",
    "landline",
    "mobiel",
    "mobil",
    "mobile",
    "mobilenumber",
    "mobilephone",
    "mobilfunk",
    "mobilnummer",
    "movil",
    "msisdn",
    "phone",
    "phoneno",
    "phonenumber",
    "phones",
    "rufnummer",
    "smartphone",
    "tel",
    "telefon",
    "telefone",
    "telefono",
    "telefonnummer",
    "telefoon",
    "telefoonnummer",
    "telephon",
    "telephone",
    "telephonenumber",
    "telnr",
    "telno",
    "workphone",
];

/// Words of which none does: such a column says something about a number.
const ABOUT: [&str; 29] = [
    "calls",
    "carrier",
    "code",
    "consent",
    "count",
    "country",
    "date",
    "do",
    "ext",
    "extension",
    "id",
    "label",
    "not",
    "note",
    "notes",
    "operator",
    "opt",
    "optin",
    "optout",
    "prefix",
    "provider",
    "soort",
    "status",
    "time",
    "typ",
    "type",
    "valid",
    "verified",
    "in",
];

/// Names that say it by themselves only.
const ALONE: [&str; 5] = ["e164", "called_number", "fixe", "portable", "whatsapp"];

/// Names that a column of telephone numbers has as well as one of other numbers.
const PERHAPS: [&str; 8] = [
    "number",
    "numbers",
    "nummer",
    "numero",
    "called",
    "to",
    "dst",
    "destination",
];

/// A first row that names columns has no cell of so many digits.
const DIGITS_OF_A_NUMBER: usize = 6;

/// A first row that is a heading although nothing in it is a usual name has none of so many.
const DIGITS_OF_A_DATE: usize = 3;

impl Numbers {
    /// Finds the columns of the numbers in a table of so many columns by its first row, or, where
    /// `wanted` names them, what they are called. `heading` says whether the first row names the
    /// columns, if that is known.
    pub fn find(
        first: &ByteRecord,
        columns: usize,
        wanted: Option<&Column>,
        heading: Option<bool>,
    ) -> Result<Self, NumbersError> {
        let of = |is: fn(&[u8]) -> bool| -> Vec<usize> {
            let cells = first.iter().enumerate();
            cells
                .filter(|(_, cell)| is(cell))
                .map(|(place, _)| place)
                .collect()
        };
        let (sure, perhaps) = (of(is_phone), of(is_perhaps));
        let most = first.iter().map(digits).max().unwrap_or(0);
        let named = match heading {
            Some(heading) => heading,
            None => most < DIGITS_OF_A_NUMBER,
        } && !(sure.is_empty() && perhaps.is_empty());
        let names = |places: &[usize]| {
            let mut cells = places
                .iter()
                .map(|place| first.get(*place).unwrap_or_default());
            most < DIGITS_OF_A_DATE && cells.all(is_name)
        };
        if let Some(wanted) = wanted {
            let counted = wanted.places(None, columns);
            let heading = heading.unwrap_or_else(|| match &counted {
                Some(places) => named || names(places),
                None => true,
            });
            let by_name = heading
                .then(|| wanted.places(Some(first), columns))
                .flatten();
            let places = by_name.or(counted).ok_or(NumbersError::NoSuchColumn)?;
            return Ok(Self { places, heading });
        }
        if named {
            let places = if sure.is_empty() { perhaps } else { sure };
            // Two columns of telephone numbers are both meant. Of two that perhaps are, one could
            // be anything, and a stranger would be listed, or nobody asked about.
            return match places.len() {
                2.. if !is_phone(first.get(places[0]).unwrap_or_default()) => {
                    Err(NumbersError::Several)
                }
                _ => Ok(Self {
                    places,
                    heading: true,
                }),
            };
        }
        match columns {
            1 => Ok(Self {
                places: vec![0],
                heading: heading.unwrap_or_else(|| names(&[0])),
            }),
            _ => Err(NumbersError::Nothing),
        }
    }

    /// What the columns are called, for whoever must know which were taken.
    pub fn names(&self, first: &ByteRecord) -> Vec<String> {
        let name = |place: &usize| {
            let cell = first.get(*place).filter(|_| self.heading);
            let cell = cell.filter(|cell| digits(cell) < DIGITS_OF_A_NUMBER && !cell.is_empty());
            match cell {
                Some(cell) => format!("\"{}\"", String::from_utf8_lossy(cell.trim_ascii())),
                None => (place + 1).to_string(),
            }
        };
        self.places.iter().map(name).collect()
    }
}

/// Whether a column or a member of this name holds telephone numbers.
pub(in crate::service) fn is_phone(name: &[u8]) -> bool {
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
pub(in crate::service) fn is_perhaps(name: &[u8]) -> bool {
    PERHAPS.contains(&&*simple(name))
}

/// A name without accents, also where these are in an encoding that is not known.
fn simple(name: &[u8]) -> String {
    let name = plain(name).replace(['é', '\u{fffd}'], "e");
    name.replace('ó', "o").replace('ú', "u")
}

/// How many digits of any script a cell has.
fn digits(cell: &[u8]) -> usize {
    let text = String::from_utf8_lossy(cell);
    text.chars().filter(|c| c.is_numeric()).count()
}

/// Whether a cell is a name and no number: letters, and no digit.
fn is_name(cell: &[u8]) -> bool {
    let text = String::from_utf8_lossy(cell);
    text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(first: &[&str], wanted: Option<&str>) -> Result<(Vec<usize>, bool), NumbersError> {
        let wanted = wanted.map(Column::new);
        let first = ByteRecord::from(first);
        let found = Numbers::find(&first, first.len(), wanted.as_ref(), None)?;
        Ok((found.places, found.heading))
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
            assert!(is_phone(name.as_bytes()), "{name}");
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
            assert!(!is_phone(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn two_columns_of_telephone_numbers_are_both_meant_and_two_that_perhaps_are_neither() {
        let both = find(&["id", "phone", "mobile", "number"], None);
        assert_eq!(both, Ok((vec![1, 2], true)));
        assert_eq!(find(&["phone", "phone"], None), Ok((vec![0, 1], true)));
        assert_eq!(
            find(&["phone", "phone"], Some("Phone")),
            Ok((vec![0, 1], true))
        );
        assert_eq!(find(&["name", "number"], None), Ok((vec![1], true)));
        assert_eq!(
            find(&["called", "number"], None),
            Err(NumbersError::Several)
        );
        assert_eq!(find(&["a", "b"], None), Err(NumbersError::Nothing));
        assert_eq!(find(&["a", "b"], Some("b,1")), Ok((vec![0, 1], true)));
        assert_eq!(find(&["a", "b, c"], Some("b, C")), Ok((vec![1], true)));
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
            assert_eq!(find(&[first], None), Ok((vec![0], false)), "{first}");
            assert_eq!(
                find(&["An", first], Some("2")),
                Ok((vec![1], false)),
                "{first}"
            );
        }
        // A label that looks like a name, beside a number.
        assert_eq!(
            find(&["Mobile", "0470000001"], Some("2")),
            Ok((vec![1], false))
        );
        assert_eq!(
            find(&["Mobile", "0470000001"], None),
            Err(NumbersError::Nothing)
        );
        assert_eq!(
            find(&["An", "n/a", "2019-05-01"], Some("2")),
            Ok((vec![1], false))
        );
        assert_eq!(
            find(&["id", "phone", "optout_2026"], None),
            Ok((vec![1], true))
        );
        assert_eq!(find(&["Nummer"], None), Ok((vec![0], true)));
        assert_eq!(find(&["who"], None), Ok((vec![0], true)));
    }
}
