//! The names that sellers, agencies, keys and campaigns go by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text cannot be a name. The text itself is not repeated: it may hold what nobody should see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Seller and agency ids.
    #[error("an id is 1 to 63 characters: a-z, 0-9 and '-', starting with a letter or digit")]
    Id,
    /// Key ids.
    #[error("a key id is 10 letters and digits, as `key list` shows it")]
    Key,
    /// Campaign names.
    #[error("a campaign is at most 64 characters, without control characters or semicolons")]
    Campaign,
    /// Campaign names that could be somebody's number.
    #[error(
        "a campaign with nine or more digits may be a phone number, and those are not recorded"
    )]
    CampaignLikeANumber,
}

fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads a name.
            ///
            /// # Errors
            /// [`NameError`] when the text is not one.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name!(
    /// The company for whose benefit a call is made.
    SellerId,
    |text| if is_id(text) && text != "all" { Ok(()) } else { Err(NameError::Id) }
);
name!(
    /// The call centre that dials.
    AgencyId,
    |text| if is_id(text) { Ok(()) } else { Err(NameError::Id) }
);
name!(
    /// The public half of an API key; never its secret.
    KeyId,
    |text| if text.len() == 10 && is_id(text) && !text.contains('-') { Ok(()) } else { Err(NameError::Key) }
);
name!(
    /// The campaign a check belongs to, in the dialler's own words.
    Campaign,
    |text| {
        // A semicolon would begin a new cell, and perhaps a formula, in spreadsheets of countries
        // that write decimals with a comma.
        let unfit = |c: char| c.is_control() || c == ';';
        if text.is_empty() || text.chars().count() > 64 || text.contains(unfit) {
            Err(NameError::Campaign)
        } else if text.chars().filter(|c| c.is_numeric()).count() >= 9 {
            Err(NameError::CampaignLikeANumber)
        } else {
            Ok(())
        }
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain_and_all_is_not_a_seller() {
        for good in ["a", "demo-telecom", "7days", &"x".repeat(63)] {
            assert!(SellerId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "é", "a_b", "all", &"x".repeat(64)] {
            assert!(SellerId::parse(bad).is_err(), "{bad}");
        }
        assert!(AgencyId::parse("all").is_ok());
    }

    #[test]
    fn a_campaign_that_may_be_a_phone_number_is_refused() {
        assert!(Campaign::parse("=Winter 2026-11-21").is_ok());
        assert_eq!(
            Campaign::parse("call +32 475 12 34 56"),
            Err(NameError::CampaignLikeANumber)
        );
        assert_eq!(Campaign::parse("a\nb"), Err(NameError::Campaign));
        assert_eq!(Campaign::parse("x;=1+1"), Err(NameError::Campaign));
    }
}
