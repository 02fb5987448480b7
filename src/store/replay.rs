//! What is remembered of a check that carried a `ref`, in the same words in both engines.

use std::fmt;

use super::batch::Verdict;
use crate::domain::{Decision, EntryId, Moment};

/// An earlier answer: its verdict, its entry and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remembered {
    pub verdict: Verdict,
    pub id: EntryId,
    pub at: Moment,
}

impl Remembered {
    /// Reads what [`fmt::Display`] writes: the verdict's character, the 36 of the id, milliseconds.
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(Self {
            verdict: Verdict::from_byte(*text.as_bytes().first()?)?,
            id: EntryId::parse(text.get(1..37)?)?,
            at: Moment::from_millis(text.get(37..)?.parse().ok()?),
        })
    }

    /// What follows the verdict: the part that is known before the store decides.
    pub(super) fn rest(id: EntryId, at: Moment) -> String {
        format!("{id}{}", at.millis())
    }

    /// The answer, given again.
    pub(super) fn decision(&self) -> Option<Decision> {
        Some(Decision {
            answer: self.verdict.answer()?,
            id: self.id,
            at: self.at,
        })
    }
}

impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = char::from(self.verdict as u8);
        write!(f, "{verdict}{}", Self::rest(self.id, self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes_and_nothing_else() {
        let at = Moment::from_millis(1_795_000_000_123);
        let remembered = Remembered {
            verdict: Verdict::ThisSeller,
            id: EntryId::new(at, [5; 10]),
            at,
        };
        let text = remembered.to_string();
        assert_eq!(Remembered::read(&text), Some(remembered));
        for wrong in [
            "",
            "2",
            &text[..36],
            &text[..37],
            &format!("9{}", &text[1..]),
        ] {
            assert_eq!(Remembered::read(wrong), None, "{wrong}");
        }
    }
}
