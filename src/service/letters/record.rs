//! A letter as the store keeps it.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DAY, Letters, MailAddress};
use crate::domain::{Moment, Reference};
use crate::privacy::{open, seal};
use crate::service::{Service, ServiceError};
use crate::settings::LanguageCode;
use crate::store::{Draft, Kind};

/// What a letter is made of, and where it goes.
#[derive(Serialize, Deserialize)]
pub struct Letter {
    /// The address.
    pub(super) to: String,
    /// The language that the person reads.
    pub language: LanguageCode,
    /// The code of the registration: whoever asks for their own proof wants it.
    pub code: String,
    /// Names the form that asked.
    pub(super) form: String,
    /// What it is about.
    pub subject: Subject,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(hidden)")
    }
}

impl Letter {
    /// The public half of the code.
    pub(super) fn reference(&self) -> Result<Reference, ServiceError> {
        Reference::parse(&self.code).map_err(|_| damaged())
    }
}

/// What a letter is about.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The proof of an opt-out, at once.
    Proof(Box<Proof>),
    /// Some weeks later: is it quiet now?
    FollowUp,
    /// A report has changed.
    News(ReportNews),
    /// Nothing: the address is kept for news of a report that is open.
    Resting,
}

/// What was registered.
#[derive(Serialize, Deserialize)]
pub struct Proof {
    /// The numbers, in international form.
    pub numbers: Vec<String>,
    /// The companies by name; nothing for all of them.
    pub companies: Option<Vec<String>>,
    /// Whether calls must stop.
    pub voice: bool,
    /// Whether text messages must stop.
    pub text: bool,
    /// Since when it holds.
    pub since: Moment,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportNews {
    /// The company has answered.
    Answered,
    /// The company has not answered in time.
    Overdue,
}

/// What stands readable around a letter: when, and nothing of whom or what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Envelope {
    /// When it is to be sent, or tried again.
    pub due: Moment,
    /// When it was first to be sent.
    pub begun: Moment,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the mail server said, when it was last tried, that it will never take it.
    #[serde(default)]
    pub refused: bool,
    /// Who is sending it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Until when the address is kept beyond its letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Moment>,
    sealed: String,
}

/// One process's right to send a letter, while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    /// Random; one for each attempt.
    pub by: String,
    /// When another may take its place.
    pub until: Moment,
}

impl Envelope {
    /// Around a letter that is first to be sent at a moment.
    pub fn due(at: Moment) -> Self {
        Self {
            due: at,
            begun: at,
            attempts: 0,
            refused: false,
            claim: None,
            keep_until: None,
            sealed: String::new(),
        }
    }

    pub fn read(body: &str) -> Result<Self, ServiceError> {
        serde_json::from_str(body).map_err(|_| damaged())
    }

    /// As the store keeps it, in the list of letters.
    pub fn write(&self) -> Result<Draft, ServiceError> {
        let body = serde_json::to_string(self).map_err(|_| damaged())?;
        let claimed = self.claim.as_ref().map(|claim| claim.until);
        let free = claimed.map_or(self.due, |until| until.max(self.due));
        Ok(Draft::from(body).listed(DUE, free))
    }

    /// Whether somebody may send it at a moment.
    pub fn is_free(&self, at: Moment) -> bool {
        let claimed = self.claim.as_ref().is_some_and(|claim| claim.until > at);
        self.due <= at && !claimed
    }
}

impl Letters {
    /// Puts a letter into its envelope. It opens only under its own name.
    pub(super) fn seal(
        &self,
        id: &str,
        envelope: &mut Envelope,
        letter: &Letter,
    ) -> Result<(), ServiceError> {
        let content = Zeroizing::new(serde_json::to_vec(letter).map_err(|_| damaged())?);
        envelope.sealed = BASE64.encode(&seal(&self.key, id.as_bytes(), &content));
        Ok(())
    }

    pub(super) fn open(&self, id: &str, envelope: &Envelope) -> Result<Letter, ServiceError> {
        let sealed = BASE64.decode(envelope.sealed.as_bytes());
        let sealed = sealed.map_err(|_| damaged())?;
        let content = open(&self.key, id.as_bytes(), &sealed).map_err(|_| damaged())?;
        serde_json::from_slice(&Zeroizing::new(content)).map_err(|_| damaged())
    }
}

/// The list of letters, by when somebody may send them.
pub(super) const DUE: &str = "due";

/// The list of tallies, by when they are over.
pub(super) const TALLIES: &str = "tallies";

/// How many letters an address was promised since a moment. Under a keyed hash of the address,
/// among the letters, and forgotten after a day.
#[derive(Serialize, Deserialize)]
pub(super) struct Tally {
    pub since: Moment,
    pub count: u32,
}

/// What the names of tallies begin with; letters have names of hexadecimal digits.
const TALLY: char = 'n';

impl Tally {
    fn over(&self) -> Moment {
        self.since.plus(DAY)
    }
}

impl Service {
    /// Counts a letter to an address; false if it may have no more for now.
    pub(super) async fn count_address(&self, to: &MailAddress) -> Result<bool, ServiceError> {
        let name = self.letters.name(&[b"address", to.mailbox().as_bytes()]);
        let id = format!("{TALLY}{name}");
        for _ in 0..super::ATTEMPTS {
            let now = Moment::now();
            let there = self.store.get(Kind::Letter, &id).await?;
            let mut tally = Tally {
                since: now,
                count: 0,
            };
            if let Some(document) = &there {
                let before: Tally = serde_json::from_str(&document.body).map_err(|_| damaged())?;
                if now < before.over() {
                    tally = before;
                }
            }
            if tally.count >= self.letters.per_address {
                return Ok(false);
            }
            tally.count += 1;
            let body = serde_json::to_string(&tally).map_err(|_| damaged())?;
            let draft = Draft::from(body).listed(TALLIES, tally.over());
            let put = match there {
                None => self.store.create(Kind::Letter, &id, draft).await?,
                Some(before) => {
                    let version = before.version;
                    self.store
                        .replace(Kind::Letter, &id, version, draft)
                        .await?
                }
            };
            if put {
                return Ok(true);
            }
        }
        Err(ServiceError::Conflict)
    }
}

pub(super) fn damaged() -> ServiceError {
    ServiceError::Damaged("a letter")
}
