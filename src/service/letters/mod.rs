//! Letters to people who asked for them, by e-mail.
//!
//! A letter waits in the store, sealed with its address, until the mail server has taken it: a
//! server that is down and a process that dies lose nothing (see [`sender`]). One letter document a
//! registration goes all the way: first it is the proof; once that is sent it becomes the question,
//! some weeks later, whether it is quiet now; after that it is removed, and with it the address. So
//! nothing else ever keeps an address.
//!
//! While a report is open the address is kept for news of it ([`Service::keep_address`]), until the
//! report closes ([`Service::release_address`]) and for 90 days at most.

mod address;
mod kept;
mod post;
mod record;
mod sender;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use lettre::message::Mailbox;
use tokio::sync::{Mutex, mpsc};

use super::{Access, RegistrationView, Sellers, Service, ServiceError};
use crate::domain::{Channel, Locator, Moment, ReportId};
use crate::privacy::{Keyring, Purpose, SecretKey};
use crate::settings::{LanguageCode, Settings, SettingsError, Transport};
use crate::store::Kind;
use record::{Envelope, damaged};

pub use address::{MailAddress, NotAnAddress};
pub use post::examine;
pub use record::{Letter, Proof, ReportNews, Subject};
pub use sender::Written;

/// How often one registration may ask for its proof.
const PER_REGISTRATION: u8 = 3;

/// The span in which letters to one address are counted.
const DAY: Duration = Duration::from_secs(86_400);

/// How often a change is tried again when somebody else was faster.
const ATTEMPTS: u8 = 8;

/// How many letters a process may be told of before it finds the others by looking.
const TOLD: usize = 1024;

/// Why a letter is not taken on.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// No mail server is set.
    #[error("there is no mail here")]
    Off,
    /// As many wait as may.
    #[error("as many letters wait as may")]
    Full,
    /// This registration, or this address, has had as many as it may.
    #[error("this registration or this address has had as many letters as it may")]
    TooMany,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// How far a person's letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterState {
    /// None was asked for, or all is done and forgotten.
    Nothing,
    /// It waits, and is sent at once.
    Waiting,
    /// It waits for the mail server, which does not take it.
    Delayed,
    /// The mail server says that it will never take it: the address may be wrong.
    Refused,
    /// The mail server has taken it.
    Sent,
}

/// What mail does, for the figures.
#[derive(Debug, Clone, Copy)]
pub struct MailStatus {
    /// Letters in the store, those that are due only in some weeks among them.
    pub waiting: u64,
    /// Letters that this process has sent since its start.
    pub sent: u64,
    /// Letters that this process has given up since its start.
    pub given_up: u64,
    /// Whether the mail server took nothing when it was last tried.
    pub failing: bool,
}

/// What the letters need.
#[derive(Debug)]
pub(super) struct Letters {
    post: Option<Post>,
    key: SecretKey,
    follow_up: Option<Duration>,
    retry: Duration,
    timeout: Duration,
    max_waiting: usize,
    per_address: u32,
    waiting: AtomicUsize,
    sent: AtomicU64,
    given_up: AtomicU64,
    failing: AtomicBool,
    /// Tells the sender of a letter of this process; taken by the sender.
    news: (mpsc::Sender<String>, Mutex<mpsc::Receiver<String>>),
    /// Held while a letter is with the mail server.
    sending: Mutex<()>,
    /// Whether no other may begin.
    stopping: AtomicBool,
}

/// The way out.
#[derive(Debug)]
struct Post {
    transport: Transport,
    from: Mailbox,
    /// Our host, for the names of letters.
    host: String,
}

impl Letters {
    pub(super) fn new(settings: &Settings, keyring: &Keyring) -> Result<Self, SettingsError> {
        let mail = &settings.mail;
        let post = match mail.is_on() {
            true => Some(Post {
                transport: mail.transport()?,
                from: mail.sender()?,
                host: host_of(&settings.http.public_url).to_owned(),
            }),
            false => None,
        };
        let (told, hears) = mpsc::channel(TOLD);
        Ok(Self {
            post,
            key: keyring.derive(Purpose::Letters),
            follow_up: mail.follow_up(),
            retry: Duration::from_secs(mail.retry_s),
            timeout: Duration::from_secs(mail.timeout_s),
            max_waiting: mail.max_waiting,
            per_address: mail.per_address_per_day,
            waiting: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            news: (told, Mutex::new(hears)),
            sending: Mutex::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// Waits for the letter that is with the mail server, and lets no other begin.
    pub(super) async fn finish(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.sending.lock().await);
    }

    /// The name of the letter of a registration.
    fn chain_of(&self, locator: Locator) -> String {
        self.name(&[b"registration", locator.as_str().as_bytes()])
    }

    fn name(&self, parts: &[&[u8]]) -> String {
        data_encoding::HEXLOWER.encode(&self.key.mac(parts)[..16])
    }

    /// Counts one more that waits, until all of them are counted again.
    fn count(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells this process's sender. One that is not told finds the letter by looking.
    fn tell(&self, id: String) {
        let _ = self.news.0.try_send(id);
    }
}

/// The host of a web address, without a port.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

impl Service {
    /// Whether letters are sent at all.
    #[must_use]
    pub fn has_mail(&self) -> bool {
        self.letters.post.is_some()
    }

    /// How long after the proof the second letter goes, if there is one.
    #[must_use]
    pub fn follow_up(&self) -> Option<Duration> {
        self.letters.follow_up
    }

    /// What mail does, where there is mail.
    #[must_use]
    pub fn mail_status(&self) -> Option<MailStatus> {
        let letters = &self.letters;
        self.has_mail().then(|| MailStatus {
            waiting: letters.waiting.load(Ordering::Relaxed) as u64,
            sent: letters.sent.load(Ordering::Relaxed),
            given_up: letters.given_up.load(Ordering::Relaxed),
            failing: letters.failing.load(Ordering::Relaxed),
        })
    }

    /// Takes on the letter with a registration's proof. `form` names the form that asks: sent
    /// again, it is the same letter. A letter to another address takes the place of one that waits.
    ///
    /// # Errors
    /// [`LetterError`].
    pub async fn send_proof(
        &self,
        access: &Access,
        to: &MailAddress,
        language: LanguageCode,
        form: &[u8],
    ) -> Result<(), LetterError> {
        if !self.has_mail() {
            return Err(LetterError::Off);
        }
        let locator = access.reference().locator();
        let id = self.letters.chain_of(locator);
        let view = self.registration(access).await?;
        if view.withdrawn_at.is_some() {
            return Err(ServiceError::UnknownReference.into());
        }
        let form = self.letters.name(&[b"form", form]);
        let letter = Letter {
            to: to.reveal().to_owned(),
            language,
            code: access.reference().reveal(),
            form,
            subject: Subject::Proof(Box::new(self.proof(&view))),
        };
        let mut counted = false;
        for _ in 0..ATTEMPTS {
            let there = self.store.get(Kind::Letter, &id).await.map_err(of_store)?;
            let mut envelope = Envelope::due(Moment::now());
            if let Some(document) = &there {
                let before = Envelope::read(&document.body)?;
                let kept = self.letters.open(&id, &before)?;
                let same = kept.to == letter.to && matches!(kept.subject, Subject::Proof(_));
                if (kept.form == letter.form && kept.to == letter.to) || same {
                    return Ok(());
                }
                envelope.keep_until = before.keep_until;
            } else if self.letters.waiting.load(Ordering::Relaxed) >= self.letters.max_waiting {
                return Err(LetterError::Full);
            }
            if !counted {
                let may = self.count_address(to).await?
                    && self.count_proof(locator, PER_REGISTRATION).await?;
                if !may {
                    return Err(LetterError::TooMany);
                }
                counted = true;
            }
            self.letters.seal(&id, &mut envelope, &letter)?;
            let body = envelope.write()?;
            let put = match &there {
                None => self.store.create(Kind::Letter, &id, body).await,
                Some(before) => {
                    let version = before.version;
                    self.store.replace(Kind::Letter, &id, version, body).await
                }
            };
            if put.map_err(of_store)? {
                if there.is_none() {
                    self.letters.count();
                }
                self.letters.tell(id);
                return Ok(());
            }
        }
        Err(ServiceError::Conflict.into())
    }

    fn proof(&self, view: &RegistrationView) -> Proof {
        let known = self.directory.known();
        let name = |id| {
            let seller = known.sellers.get(id);
            seller.map_or_else(|| format!("{id}"), |seller| seller.name.clone())
        };
        Proof {
            numbers: view.numbers.iter().map(|n| n.international()).collect(),
            companies: match &view.sellers {
                Sellers::All => None,
                Sellers::Chosen(ids) => Some(ids.iter().map(name).collect()),
            },
            voice: view.channels.covers(Channel::Voice),
            text: view.channels.covers(Channel::Text),
            since: view.effective_at,
        }
    }

    /// How far the letter of a registration is.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn letter_state(&self, access: &Access) -> Result<LetterState, ServiceError> {
        let id = self.letters.chain_of(access.reference().locator());
        let Some(document) = self.store.get(Kind::Letter, &id).await? else {
            return Ok(LetterState::Nothing);
        };
        let envelope = Envelope::read(&document.body)?;
        Ok(match self.letters.open(&id, &envelope)?.subject {
            Subject::Proof(_) if envelope.refused => LetterState::Refused,
            Subject::Proof(_) if envelope.attempts > 0 => LetterState::Delayed,
            Subject::Proof(_) => LetterState::Waiting,
            _ => LetterState::Sent,
        })
    }

    /// Takes on a letter with news of a report, if its person left an address with the registration
    /// of this locator; tells whether they did. The same news of one report is one letter while it
    /// waits.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn send_news(
        &self,
        locator: Locator,
        report: &ReportId,
        news: ReportNews,
    ) -> Result<bool, ServiceError> {
        let Some(kept) = self.kept_letter(locator).await? else {
            return Ok(false);
        };
        let what = serde_json::to_vec(&news).map_err(|_| damaged())?;
        let id = self.letters.name(&[b"news", report.as_bytes(), &what]);
        let letter = Letter {
            subject: Subject::News(news),
            ..kept
        };
        let mut envelope = Envelope::due(Moment::now());
        self.letters.seal(&id, &mut envelope, &letter)?;
        let body = envelope.write()?;
        if self.store.create(Kind::Letter, &id, body).await? {
            self.letters.count();
            self.letters.tell(id);
        }
        Ok(true)
    }
}

fn of_store(error: crate::store::StoreError) -> LetterError {
    LetterError::Service(error.into())
}

#[cfg(test)]
mod tests;
