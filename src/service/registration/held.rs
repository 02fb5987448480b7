//! What stands in a registration's box: its numbers, one a line.

use serde::{Deserialize, Serialize};

use crate::domain::{Moment, PhoneNumber};

/// Marks a number that the index has not let go of yet.
const LEAVING: &str = "leaving";

/// When something came to a registration that was there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::service) struct Added {
    /// When it was asked for.
    pub asked_at: Moment,
    /// When the index held it, on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
}

impl Added {
    pub(super) fn asked(at: Moment) -> Self {
        Self {
            asked_at: at,
            since: None,
        }
    }
}

/// A number of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub number: PhoneNumber,
    /// When it came, unless it was there from the beginning.
    pub added: Option<Added>,
    /// Whether it is on its way out.
    pub leaving: bool,
}

impl Held {
    pub(super) fn new(number: PhoneNumber) -> Self {
        Self {
            number,
            added: None,
            leaving: false,
        }
    }
}

/// The numbers as a text. Those that were there from the beginning stand alone on their line.
pub(super) fn write(numbers: &[Held]) -> String {
    let lines: Vec<String> = numbers.iter().map(line).collect();
    lines.join("\n")
}

fn line(held: &Held) -> String {
    let mut line = held.number.e164().to_owned();
    if held.leaving {
        return line + " " + LEAVING;
    }
    if let Some(added) = held.added {
        line.push_str(&format!(" {}", added.asked_at.millis()));
        if let Some(since) = added.since {
            line.push_str(&format!(" {}", since.millis()));
        }
    }
    line
}

/// Reads such a text; `None` when it is damaged.
pub(super) fn read(text: &str) -> Option<Vec<Held>> {
    text.lines().map(read_line).collect()
}

fn read_line(line: &str) -> Option<Held> {
    let mut words = line.split(' ');
    let number = PhoneNumber::parse(words.next()?, None).ok()?;
    let moment = |word: &str| word.parse().ok().map(Moment::from_millis);
    let mut held = Held::new(number);
    match (words.next(), words.next(), words.next()) {
        (None, ..) => {}
        (Some(LEAVING), None, _) => held.leaving = true,
        (Some(asked), since, None) => {
            let since = match since {
                Some(word) => Some(moment(word)?),
                None => None,
            };
            held.added = Some(Added {
                asked_at: moment(asked)?,
                since,
            });
        }
        _ => return None,
    }
    Some(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_as_they_were_written() {
        let number = |text| PhoneNumber::parse(text, None).unwrap();
        let asked = Added::asked(Moment::from_millis(1_700_000_000_000));
        let numbers = vec![
            Held::new(number("+32470000001")),
            Held {
                added: Some(asked),
                ..Held::new(number("+32470000002"))
            },
            Held {
                added: Some(Added {
                    since: Some(Moment::from_millis(1_700_000_000_500)),
                    ..asked
                }),
                ..Held::new(number("+32470000003"))
            },
            Held {
                leaving: true,
                ..Held::new(number("+32470000004"))
            },
        ];
        let text = write(&numbers);
        assert_eq!(text.lines().next(), Some("+32470000001"), "as ever");
        assert_eq!(read(&text).unwrap(), numbers);
    }

    #[test]
    fn a_damaged_line_is_not_read_as_something_else() {
        for text in [
            "",
            "+32470000001 soon",
            "+32470000001 leaving leaving",
            "+32470000001 1 2 3",
            "+32470000001 1 x",
            "hello",
        ] {
            // No line at all is no number, and nothing to misread.
            assert!(read(text).is_none() || text.is_empty(), "{text:?}");
        }
    }
}
