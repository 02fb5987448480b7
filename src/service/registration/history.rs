//! What was done with a registration, and when, in its own record.

use serde::{Deserialize, Serialize};

use crate::domain::{Moment, SellerId};

/// How many events a record keeps. Beyond that the oldest go, so that no record grows without end.
const MOST: usize = 200;

/// Something that was done with a registration. No number stands in it: whoever takes a number out
/// wants it gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it was done. For what makes checks refused: since when they are.
    pub at: Moment,
    /// What.
    pub deed: Deed,
    /// The company it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<SellerId>,
    /// Whether the index does not hold it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) pending: bool,
}

/// What can be done with a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It was made.
    Made,
    /// A number came in.
    NumberAdded,
    /// A number was taken out.
    NumberRemoved,
    /// A company came in.
    CompanyAdded,
    /// A company was taken out.
    CompanyRemoved,
    /// It was taken back.
    Withdrawn,
    /// The withdrawal was undone.
    TakenUp,
}

impl Event {
    pub(super) fn new(at: Moment, deed: Deed) -> Self {
        Self {
            at,
            deed,
            seller: None,
            pending: false,
        }
    }

    pub(super) fn about(mut self, seller: &SellerId) -> Self {
        self.seller = Some(seller.clone());
        self
    }

    /// The same, while the index does not hold it yet.
    pub(super) fn pending(mut self) -> Self {
        self.pending = true;
        self
    }
}

/// Adds an event. The first, which says when it was made, always stays.
pub(super) fn add(history: &mut Vec<Event>, event: Event) {
    if history.len() >= MOST {
        history.remove(1);
    }
    history.push(event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_does_not_grow_without_end_and_keeps_its_beginning() {
        let at = Moment::from_millis;
        let mut history = vec![Event::new(at(0), Deed::Made)];
        for n in 1..1000 {
            add(&mut history, Event::new(at(n), Deed::NumberAdded));
        }
        assert_eq!(history.len(), MOST);
        assert_eq!(history[0].deed, Deed::Made);
        assert_eq!(history[MOST - 1].at, at(999));
    }

    #[test]
    fn an_event_is_kept_in_plain_words_and_old_ones_are_read() {
        let event = Event::new(Moment::from_millis(1_700_000_000_000), Deed::TakenUp).pending();
        let text = serde_json::to_string(&event).unwrap();
        assert!(
            text.contains("\"taken_up\"") && text.contains("\"pending\":true"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
