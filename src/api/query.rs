//! Query strings, read strictly: an unknown or repeated parameter is an error, because a mistyped
//! `channel` that went unnoticed would be a wrong answer.

use std::borrow::Cow;

use super::problem::Problem;
use crate::domain::{Notation, Region};

/// The parameters of a request, decoded.
#[derive(Debug)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Decodes a query string. A raw `+` becomes a blank, as forms have it.
    pub(super) fn read(text: &'a str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).collect())
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| &**value)
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| {
            Problem::bad_request(
                format!("The parameter `{name}` is missing."),
                format!("Add `{name}=` to the query."),
            )
        })
    }

    /// Makes sure that every parameter is known and stands once.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        for (place, (key, _)) in self.0.iter().enumerate() {
            if !known.contains(&&**key) {
                // The name itself is not repeated: it may be a number that lost its `phone=`.
                return Err(Problem::bad_request(
                    format!(
                        "The query has a parameter (number {}) that this address does not know.",
                        place + 1
                    ),
                    format!("It knows: {}.", known.join(", ")),
                ));
            }
            if self.0[..place].iter().any(|(before, _)| before == key) {
                return Err(Problem::bad_request(
                    format!("The parameter `{key}` stands twice in the query."),
                    "Give each parameter once; for several numbers use POST /v1/checks.",
                ));
            }
        }
        Ok(())
    }

    /// Reads a parameter, if it is there.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.get(name)
            .map(|text| read(text).ok_or_else(|| wrong_parameter(name, expected)))
            .transpose()
    }

    /// The parameters `region` and `numbers`: how numbers are written.
    pub(super) fn notation(&self) -> Result<Notation, Problem> {
        let international = match self.get("numbers") {
            None => false,
            Some("international") => true,
            Some(_) => {
                return Err(wrong_parameter(
                    "numbers",
                    "international, where digits without a plus begin with the country code; or \
                     nothing",
                ));
            }
        };
        notation(self.get("region"), international)
    }
}

/// What a region is, for the person who wrote another one.
const REGION: &str = "a country of two letters, for example BE (GB for the United Kingdom)";

/// The members `region` and `international` of a body: how its numbers are written.
pub(super) fn notation(region: Option<&str>, international: bool) -> Result<Notation, Problem> {
    let region = region.map(Region::parse).transpose();
    Ok(Notation {
        region: region.map_err(|_| wrong_parameter("region", REGION))?,
        international,
    })
}

/// What may stand in a parameter that takes one of these words.
pub(super) fn words<const N: usize>(words: [&str; N]) -> String {
    format!("one of {}", words.join(", "))
}

/// What a parameter with a wrong value is answered. The value is not repeated.
pub(super) fn wrong_parameter(name: &str, expected: &str) -> Problem {
    Problem::bad_request(
        format!("The parameter `{name}` cannot be read."),
        format!("Expected {expected}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_or_repeated_parameter_is_an_error_that_repeats_no_value() {
        let known = ["phone", "seller", "channel"];
        assert!(Query::read("phone=+32&seller=s").only(&known).is_ok());
        for query in ["phone=1&chanel=text", "+32475123456", "phone=1&phone=2"] {
            let text = Query::read(query).only(&known).unwrap_err().to_string();
            assert!(!text.contains("475"), "{text}");
        }
        assert_eq!(Query::read("phone=+32475").get("phone"), Some(" 32475"));
        assert_eq!(Query::read("phone=%2B32475").get("phone"), Some("+32475"));
        assert!(Query::read("phone=&seller=s").need("phone").is_err());
    }
}
