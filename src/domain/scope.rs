//! What an opt-out covers: which sellers, which channels. The one place where that is decided.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::{NameError, SellerId};

/// How somebody would be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A call.
    Voice,
    /// A text message.
    Text,
}

impl Channel {
    /// Reads `voice` or `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "voice" => Some(Self::Voice),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// One channel or both; never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<Channel>", into = "Vec<Channel>")]
pub struct Channels(u8);

impl Channels {
    /// Calls and text messages.
    pub const BOTH: Self = Self(3);

    /// The channels of a list; `None` when it is empty.
    #[must_use]
    pub fn of(list: &[Channel]) -> Option<Self> {
        let mask = list
            .iter()
            .fold(0, |mask, channel| mask | Self::bit(*channel));
        (mask != 0).then_some(Self(mask))
    }

    /// From two bits: 1 voice, 2 text. `None` when neither or another bit is set.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Self> {
        (1..=3).contains(&bits).then_some(Self(bits))
    }

    /// Two bits: 1 voice, 2 text.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether an opt-out from these channels forbids `channel`.
    #[must_use]
    pub fn covers(self, channel: Channel) -> bool {
        self.0 & Self::bit(channel) != 0
    }

    /// Each set of channels that forbids `channel`.
    #[must_use]
    pub fn covering(channel: Channel) -> [Self; 2] {
        [Self(Self::bit(channel)), Self::BOTH]
    }

    /// Reads what the log writes; no other spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (1..=3).map(Self).find(|set| set.as_str() == text)
    }

    /// As the log writes it: `voice`, `text` or `voice,text`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self.0 {
            1 => "voice",
            2 => "text",
            _ => "voice,text",
        }
    }

    fn bit(channel: Channel) -> u8 {
        match channel {
            Channel::Voice => 1,
            Channel::Text => 2,
        }
    }
}

impl From<Channel> for Channels {
    fn from(channel: Channel) -> Self {
        Self(Self::bit(channel))
    }
}

impl From<Channels> for Vec<Channel> {
    fn from(channels: Channels) -> Self {
        [Channel::Voice, Channel::Text]
            .into_iter()
            .filter(|channel| channels.covers(*channel))
            .collect()
    }
}

impl TryFrom<Vec<Channel>> for Channels {
    type Error = &'static str;

    fn try_from(list: Vec<Channel>) -> Result<Self, Self::Error> {
        Self::of(&list).ok_or("channels is empty: name voice, text or both")
    }
}

/// Every seller, or one: what an audit entry speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SellerRef {
    /// Every seller, also those that join later.
    All,
    /// One seller.
    One(SellerId),
}

impl fmt::Display for SellerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl SellerRef {
    /// `all` or the seller's id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "all",
            Self::One(seller) => seller.as_str(),
        }
    }

    /// Reads `all` or a seller's id.
    ///
    /// # Errors
    /// [`NameError::Id`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            "all" => Ok(Self::All),
            id => SellerId::parse(id).map(Self::One),
        }
    }
}

impl Serialize for SellerRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SellerRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What one registration covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Every seller (one element, [`SellerRef::All`]), or the chosen ones, sorted, each once.
    sellers: Vec<SellerRef>,
    /// Calls, texts or both.
    pub channels: Channels,
}

/// How many chosen sellers one registration names at most. Every one of its numbers is listed for
/// each of them, and all of that comes or goes in one step of the store.
pub const MOST_SELLERS: usize = 100;

impl Scope {
    /// Every seller.
    #[must_use]
    pub fn all(channels: Channels) -> Self {
        Self {
            sellers: vec![SellerRef::All],
            channels,
        }
    }

    /// The chosen sellers; `None` when nobody is chosen.
    #[must_use]
    pub fn chosen(sellers: impl IntoIterator<Item = SellerId>, channels: Channels) -> Option<Self> {
        let mut sellers: Vec<_> = sellers.into_iter().map(SellerRef::One).collect();
        sellers.sort();
        sellers.dedup();
        (!sellers.is_empty()).then_some(Self { sellers, channels })
    }

    /// The sellers it covers; never empty.
    #[must_use]
    pub fn sellers(&self) -> &[SellerRef] {
        &self.sellers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opt_out_from_calls_leaves_texts_alone() {
        let calls = Channels::from(Channel::Voice);
        assert!(calls.covers(Channel::Voice) && !calls.covers(Channel::Text));
        assert!(Channels::BOTH.covers(Channel::Voice) && Channels::BOTH.covers(Channel::Text));
        for channel in [Channel::Voice, Channel::Text] {
            let covering = Channels::covering(channel);
            for bits in 1..=3 {
                let set = Channels::from_bits(bits).unwrap();
                assert_eq!(covering.contains(&set), set.covers(channel));
            }
        }
    }

    #[test]
    fn a_scope_names_each_seller_once_and_never_nobody() {
        let ids = ["b", "a", "b"].map(|id| SellerId::parse(id).unwrap());
        let scope = Scope::chosen(ids, Channels::BOTH).unwrap();
        assert_eq!(scope.sellers().len(), 2);
        assert!(Scope::chosen([], Channels::BOTH).is_none());
    }
}
