//! One JSON object a row: the number is in one of its members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::is_phone;

/// What one object says.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    /// The member of the number as JSON, with its name, if there is one.
    pub number: Option<(Cow<'a, str>, &'a RawValue)>,
    /// Further members with numbers.
    pub also: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// A row that nothing can be added to: not an object, or one that has an answer already, or the
/// number twice. Whoever read it could take another value for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnObject;

impl<'a> Object<'a> {
    /// Reads a row whose numbers are in members of these names.
    pub fn read(row: &'a [u8], names: &mut Names) -> Result<Self, NotAnObject> {
        let text = std::str::from_utf8(row).map_err(|_| NotAnObject)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let object = json
            .deserialize_map(Reading { names })
            .map_err(|_| NotAnObject)?;
        json.end().map_err(|_| NotAnObject)?;
        Ok(object)
    }
}

/// The names of an object's members.
pub fn names(row: &[u8]) -> Result<Vec<String>, NotAnObject> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(row).map_err(|_| NotAnObject)?;
    Ok(object.into_iter().map(|(name, _)| name).collect())
}

/// The text of a member that should be a number: a string's content, or the digits of a whole
/// number, which may be written with zeros behind a point. Nothing when it is neither.
pub(super) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => match json.get(1..json.len().saturating_sub(1)) {
            Some(plain) if memchr::memchr(b'\\', plain.as_bytes()).is_none() => {
                Some(Cow::Borrowed(plain))
            }
            _ => serde_json::from_str(json).ok().map(Cow::Owned),
        },
        Some(b'0'..=b'9') => match json.split_once('.') {
            None => Some(Cow::Borrowed(json)),
            Some((whole, fraction)) => fraction
                .bytes()
                .all(|digit| digit == b'0')
                .then_some(Cow::Borrowed(whole)),
        },
        Some(b'n') => Some(Cow::Borrowed("")),
        _ => None,
    }
}

/// The members that hold numbers.
#[derive(Debug)]
pub(super) struct Names {
    known: Vec<(String, bool)>,
    and_usual: bool,
    /// Names that no member may have.
    taken: &'static [&'static str],
}

/// So many names of members are remembered; lists have fewer.
const REMEMBERED: usize = 64;

impl Names {
    pub fn new(members: &[String], and_usual: bool, taken: &'static [&'static str]) -> Self {
        let known = members.iter().map(|name| (name.clone(), true));
        Self {
            known: known.collect(),
            and_usual,
            taken,
        }
    }

    fn has(&mut self, name: &str) -> bool {
        if let Some((_, is)) = self.known.iter().find(|(known, _)| known == name) {
            return *is;
        }
        let is = self.and_usual && is_phone(name);
        if self.known.len() < REMEMBERED {
            self.known.push((name.to_owned(), is));
        }
        is
    }
}

struct Reading<'n> {
    names: &'n mut Names,
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        while let Some(Name(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            if self.names.taken.contains(&&*name) {
                return Err(de::Error::custom("it has an answer already"));
            }
            if !self.names.has(&name) {
                continue;
            }
            let before = object.number.iter().chain(&object.also);
            if before.into_iter().any(|(known, _)| *known == name) {
                return Err(de::Error::custom("the number stands twice"));
            }
            match object.number {
                None => object.number = Some((name, value)),
                Some(_) => object.also.push((name, value)),
            }
        }
        Ok(object)
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_a_text_or_digits_and_stands_once_beside_no_answer() {
        let names = || Names::new(&["phone".to_owned()], false, &["answer"]);
        let read = |row: &str| {
            let object = Object::read(row.as_bytes(), &mut names()).ok()?;
            let number = object.number.and_then(|(_, value)| text(value));
            number.map(Cow::into_owned)
        };
        assert_eq!(
            read(r#"{"a":[1,{"phone":2}],"phone":"+32"}"#).unwrap(),
            "+32"
        );
        assert_eq!(read(r#" {"ph\u006fne" : "\u002b32" } "#).unwrap(), "+32");
        assert_eq!(read(r#"{"phone":32470123456}"#).unwrap(), "32470123456");
        assert_eq!(read(r#"{"phone":32470123456.00}"#).unwrap(), "32470123456");
        assert_eq!(read(r#"{"phone":32470123456.5}"#), None);
        assert_eq!(read(r#"{"phone":3.2e10}"#), None);
        assert_eq!(read(r#"{"phone":null}"#).unwrap(), "");
        assert_eq!(read(r#"{"phone":true}"#), None);
        for row in [
            "",
            "1",
            "[]",
            r#"{"phone":"1""#,
            r#"{"phone":"1"}x"#,
            r#"{"phone":"1"}{}"#,
            r#"{"phone":"1","phone":"2"}"#,
            r#"{"phone":"1","answer":"not_listed"}"#,
            r#"{"phone":"1","\u0061nswer":"not_listed"}"#,
            "{\"phone\":\"\u{1}\"}",
        ] {
            assert!(Object::read(row.as_bytes(), &mut names()).is_err(), "{row}");
        }
        assert!(Object::read(b"{\"phone\":\"\xff\"}", &mut names()).is_err());
    }
}
