//! One JSON object a row: the number is in one of its members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::answers::ADDED;

/// What one object says.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    /// The member of the number as JSON, if there is one.
    pub number: Option<&'a RawValue>,
    /// Whether there is no member at all.
    pub empty: bool,
}

/// A row that nothing can be added to: not an object, or one that has an answer already, or the
/// number twice. Whoever read it could take another value for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAnObject;

impl<'a> Object<'a> {
    /// Reads a row whose number is in the member `name`.
    pub fn read(row: &'a [u8], name: &str) -> Result<Self, NotAnObject> {
        let text = std::str::from_utf8(row).map_err(|_| NotAnObject)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let object = json
            .deserialize_map(Reading { name })
            .map_err(|_| NotAnObject)?;
        json.end().map_err(|_| NotAnObject)?;
        Ok(object)
    }
}

/// The names of an object's members.
pub(super) fn names(row: &[u8]) -> Result<Vec<String>, NotAnObject> {
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

struct Reading<'n> {
    name: &'n str,
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object {
            empty: true,
            ..Object::default()
        };
        while let Some(Name(name)) = map.next_key()? {
            object.empty = false;
            let value: &RawValue = map.next_value()?;
            if ADDED.contains(&&*name) {
                return Err(de::Error::custom("it has an answer already"));
            }
            if name == self.name && object.number.replace(value).is_some() {
                return Err(de::Error::custom("the number stands twice"));
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
        let read = |row: &str| {
            let object = Object::read(row.as_bytes(), "phone").ok()?;
            object.number.and_then(text).map(Cow::into_owned)
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
        assert!(Object::read(b"{}", "phone").unwrap().empty);
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
            assert!(Object::read(row.as_bytes(), "phone").is_err(), "{row}");
        }
        assert!(Object::read(b"{\"phone\":\"\xff\"}", "phone").is_err());
    }
}
