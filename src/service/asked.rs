//! "Who asked about my number": every check of the numbers of a code, from the log's own index.
//!
//! Nobody proves that a number is theirs when they opt it out. So a code tells about the time since
//! its own opt-out began, and nothing of what others may have registered or asked before.

use super::registration::Access;
use super::report::rows_of;
use super::{Service, ServiceError};
use crate::domain::{AgencyId, Answer, Channels, Moment, Op, PhoneNumber, SellerRef};

/// How many checks are told at most, the newest.
pub const MOST: usize = 20_000;

/// What somebody asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The number.
    pub number: PhoneNumber,
    /// When.
    pub at: Moment,
    /// Its entry in the log.
    pub id: String,
    /// What it was.
    pub kind: Kind,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A call centre asked whether the number may be called.
    Check {
        /// Who asked, if it was a call centre.
        agency: Option<AgencyId>,
        /// For which company.
        seller: Option<SellerRef>,
        /// About calls, texts or both.
        channels: Option<Channels>,
        /// What they were told.
        answer: Option<Answer>,
    },
    /// Somebody who may read the log looked for the number's entries: the regulator, or the holder
    /// of a code for their evidence.
    Opening,
}

/// What a code is told.
#[derive(Debug, Clone)]
pub struct Askings {
    /// Each number, and since when it has been with this code: nothing earlier is told.
    pub numbers: Vec<(PhoneNumber, Moment)>,
    /// The newest first; at most [`MOST`].
    pub all: Vec<Asking>,
    /// Whether there were more than that.
    pub more: bool,
}

/// The newest askings, in memory that is bounded.
#[derive(Default)]
struct Newest {
    askings: Vec<Asking>,
    more: bool,
}

impl Newest {
    fn add(&mut self, asking: Asking) {
        self.askings.push(asking);
        if self.askings.len() >= 2 * MOST {
            self.cut();
        }
    }

    /// Leaves the newest, the newest first.
    fn cut(&mut self) {
        self.askings
            .sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        self.more |= self.askings.len() > MOST;
        self.askings.truncate(MOST);
    }
}

impl Service {
    /// Every check of the numbers of a code since its opt-out began, sealed or not.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no opt-out has this code.
    pub async fn asked(&self, access: &Access) -> Result<Askings, ServiceError> {
        let permit = self.search_permit().await?;
        let known = self.may_know(access).await?;
        let numbers = known.numbers();
        let until = known.until().unwrap_or_else(Moment::now);
        let begun = numbers.clone();
        let index = self.record_index(&permit).await?;
        let keys = self.months.all();
        let damaged = || ServiceError::Damaged("the index of the log");
        let mut all = tokio::task::spawn_blocking(move || {
            let mut all = Newest::default();
            for (number, since) in begun {
                rows_of(&index, &keys, &number, (since, until), |row| {
                    let kind = match row.op {
                        Op::Check if !known.covers(row.seller, row.channels, row.time) => return,
                        Op::Check => Kind::Check {
                            agency: row.agency.cloned(),
                            seller: row.seller.cloned(),
                            channels: row.channels,
                            answer: row.answer,
                        },
                        Op::Opening => Kind::Opening,
                        _ => return,
                    };
                    all.add(Asking {
                        number,
                        at: row.time,
                        id: row.id.to_string(),
                        kind,
                    });
                })?;
            }
            Ok::<_, ServiceError>(all)
        })
        .await
        .map_err(|_| damaged())??;
        all.cut();
        Ok(Askings {
            numbers,
            all: all.askings,
            more: all.more,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_it_is_known_that_there_were_more() {
        let number = PhoneNumber::parse("+32470000001", None).unwrap();
        let asking = |at: usize| Asking {
            number,
            at: Moment::from_millis(at as i64),
            id: at.to_string(),
            kind: Kind::Opening,
        };
        let mut newest = Newest::default();
        (0..5).for_each(|at| newest.add(asking(at)));
        newest.cut();
        assert!(!newest.more && newest.askings[0].id == "4");
        (5..3 * MOST).for_each(|at| newest.add(asking(at)));
        newest.cut();
        assert_eq!(newest.askings.len(), MOST);
        assert!(newest.more && newest.askings[0].id == (3 * MOST - 1).to_string());
    }
}
