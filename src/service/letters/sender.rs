//! Sends what is due.
//!
//! Every process looks at the letters now and then, and is told at once of those that it took on
//! itself. Before a letter is sent it is claimed, by a compare-and-set in the store, so that of
//! several processes one sends it. The claim lapses: a process that dies while it sends leaves the
//! letter to the others. Only one that dies between the mail server's yes and the next write to the
//! store makes a letter go twice, with the same Message-ID.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::post::PostError;
use super::record::{Claim, DUE, Envelope, Letter, Subject, TALLIES};
use super::{MailAddress, Post};
use crate::domain::Moment;
use crate::privacy::random;
use crate::service::{Service, ServiceError};
use crate::store::{Kind, List, StoreError};

/// How often a process looks for letters, at least.
const LOOK: Duration = Duration::from_secs(10);

/// How many letters are read at a time.
const PIECE: usize = 100;

/// The longest pause between two attempts at a letter that is refused.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// The longest pause while the mail server is away: it is not the letter's fault.
const LONGEST_AWAY: Duration = Duration::from_secs(15 * 60);

/// After so long a letter is given up.
const GIVE_UP: Duration = Duration::from_secs(5 * 86_400);

/// After so long a letter is given up that the mail server says it will never take.
const GIVE_UP_REFUSED: Duration = Duration::from_secs(3600);

/// A letter in words.
#[derive(Debug)]
pub struct Written {
    /// What stands above it. It holds neither a number nor a code.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// What a round may do after a letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    /// The mail server is away: the other letters wait for the next round.
    Pause,
}

impl Service {
    /// Sends letters as `write` puts them into words, until the process ends; nothing where there
    /// is no mail.
    pub fn spawn_letters(
        self: &Arc<Self>,
        write: impl Fn(&Letter) -> Written + Send + Sync + 'static,
    ) {
        if self.has_mail() {
            let write = Arc::new(write);
            self.keep_running("letters", move |service| {
                let write = write.clone();
                async move { service.keep_sending(&*write).await }
            });
        }
    }

    async fn keep_sending(&self, write: impl Fn(&Letter) -> Written) {
        let mut told = self.letters.news.1.lock().await;
        let mut looks = tokio::time::interval(LOOK.min(self.letters.retry));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                _ = looks.tick() => self.send_due(&write).await,
                Some(id) = told.recv() => self.send_one(&id, &write).await.map(drop),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "letters cannot be looked after");
            }
        }
    }

    /// Sends what is due, and forgets the tallies that are over.
    async fn send_due(&self, write: &impl Fn(&Letter) -> Written) -> Result<(), ServiceError> {
        let now = Moment::now();
        let mut over = List::of(Kind::Letter, TALLIES).before(now);
        loop {
            let tallies = self.store.page(&mut over, PIECE).await?;
            if tallies.is_empty() {
                break;
            }
            for tally in tallies {
                let version = tally.document.version;
                self.store.remove(Kind::Letter, &tally.id, version).await?;
            }
        }
        let letters = List::of(Kind::Letter, DUE);
        let waiting = self.store.count(&letters).await?;
        let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
        self.letters.waiting.store(waiting, Ordering::Relaxed);
        let mut due = letters.before(now.plus(Duration::from_millis(1)));
        loop {
            let page = self.store.page(&mut due, PIECE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for letter in page {
                match self.send_one(&letter.id, write).await {
                    Ok(Next::GoOn) => {}
                    Ok(Next::Pause) => return Ok(()),
                    Err(ServiceError::Store(error)) => return Err(error.into()),
                    // One that cannot be sent keeps no other waiting.
                    Err(error) => tracing::error!(%error, "a letter stays where it is"),
                }
            }
        }
    }

    /// Sends a letter, if it is due and nobody else is sending it.
    async fn send_one(
        &self,
        id: &str,
        write: &impl Fn(&Letter) -> Written,
    ) -> Result<Next, ServiceError> {
        let letters = &self.letters;
        let _one = letters.sending.lock().await;
        let (false, Some(post)) = (letters.stopping.load(Ordering::Relaxed), &letters.post) else {
            return Ok(Next::Pause);
        };
        let Some(document) = self.store.get(Kind::Letter, id).await? else {
            return Ok(Next::GoOn);
        };
        let mut envelope = Envelope::read(&document.body)?;
        let now = Moment::now();
        if !envelope.is_free(now) {
            return Ok(Next::GoOn);
        }
        let Ok(letter) = letters.open(id, &envelope) else {
            // Of other keys, or damaged. It is kept, for whoever can mend that.
            tracing::error!("a letter does not open; it is kept");
            envelope.due = now.plus(LONGEST_PAUSE);
            self.put(id, document.version, Some(&envelope)).await?;
            return Ok(Next::GoOn);
        };
        if self.is_needless(&letter).await? {
            self.put(id, document.version, None).await?;
            return Ok(Next::GoOn);
        }
        let claim = Claim {
            by: data_encoding::HEXLOWER.encode(&random::<8>()),
            // Longer than the mail server may take, so that a claim lapses only with its process.
            until: now.plus(letters.timeout * 2),
        };
        envelope.claim = Some(claim.clone());
        if !self.put(id, document.version, Some(&envelope)).await? {
            return Ok(Next::GoOn);
        }
        let begun = envelope.begun;
        let sent = self.hand_over(post, id, begun, &letter, write).await;
        self.settle_letter(id, &claim, &letter, sent).await
    }

    async fn hand_over(
        &self,
        post: &Post,
        id: &str,
        begun: Moment,
        letter: &Letter,
        write: &impl Fn(&Letter) -> Written,
    ) -> Result<(), PostError> {
        let to = MailAddress::parse(&letter.to)
            .map_err(|_| PostError::Away("a letter has no address".to_owned()))?;
        // The same at every attempt, so that a letter that arrives twice is known for one.
        let at = begun.millis().to_be_bytes();
        let name = self.letters.name(&[b"message", id.as_bytes(), &at]);
        post.send(&to, &name, write(letter), self.letters.timeout)
            .await
    }

    /// Whether a letter need not be sent: its registration was taken back, or it has rested long
    /// enough.
    async fn is_needless(&self, letter: &Letter) -> Result<bool, ServiceError> {
        match letter.subject {
            Subject::Resting => Ok(true),
            Subject::News(_) => Ok(false),
            Subject::Proof(_) | Subject::FollowUp => {
                let locator = letter.reference()?.locator();
                self.is_taken_back(locator).await
            }
        }
    }

    /// Writes down what became of a letter. This must not be lost: it is tried until it is written,
    /// until somebody else has put another letter in its place, or until the process must end.
    pub(super) async fn settle_letter(
        &self,
        id: &str,
        claim: &Claim,
        letter: &Letter,
        sent: Result<(), PostError>,
    ) -> Result<Next, ServiceError> {
        let letters = &self.letters;
        match &sent {
            Ok(()) => drop(letters.sent.fetch_add(1, Ordering::Relaxed)),
            Err(error) => tracing::warn!(%error, "a letter was not taken; it is kept"),
        }
        let away = matches!(sent, Err(PostError::Away(_)));
        letters.failing.store(away, Ordering::Relaxed);
        let now = Moment::now();
        loop {
            let settled = self.settle_once(id, claim, letter, &sent, now).await;
            match settled {
                Ok(true) => break,
                Ok(false) => {}
                Err(ServiceError::Store(error)) if !letters.stopping.load(Ordering::Relaxed) => {
                    tracing::warn!(%error, "what became of a letter is not written down yet");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(if away { Next::Pause } else { Next::GoOn })
    }

    pub(super) async fn settle_once(
        &self,
        id: &str,
        claim: &Claim,
        letter: &Letter,
        sent: &Result<(), PostError>,
        now: Moment,
    ) -> Result<bool, ServiceError> {
        let Some(document) = self.store.get(Kind::Letter, id).await? else {
            return Ok(true);
        };
        let mut envelope = Envelope::read(&document.body)?;
        if envelope.claim.as_ref() != Some(claim) {
            return Ok(true);
        }
        envelope.claim = None;
        let after = match sent {
            Ok(()) => self.after(id, &envelope, letter, now)?,
            Err(error) => self.again(envelope, error, now),
        };
        let given_up = after.is_none() && sent.is_err();
        let version = document.version;
        let written = self.put(id, version, after.as_ref()).await?;
        if written && given_up {
            self.letters.given_up.fetch_add(1, Ordering::Relaxed);
            tracing::error!("a letter is given up");
        }
        Ok(written)
    }

    /// What follows a letter that was sent: another one, the address alone, or nothing.
    fn after(
        &self,
        id: &str,
        envelope: &Envelope,
        letter: &Letter,
        now: Moment,
    ) -> Result<Option<Envelope>, ServiceError> {
        let (subject, due) = match (&letter.subject, self.letters.follow_up) {
            (Subject::News(_) | Subject::Resting, _) => return Ok(None),
            (Subject::Proof(_), Some(wait)) => (Subject::FollowUp, now.plus(wait)),
            _ => match envelope.keep_until.filter(|until| *until > now) {
                None => return Ok(None),
                Some(until) => (Subject::Resting, until),
            },
        };
        let next = Letter {
            to: letter.to.clone(),
            language: letter.language,
            code: letter.code.clone(),
            form: letter.form.clone(),
            subject,
        };
        let mut after = Envelope::due(due);
        after.keep_until = envelope.keep_until;
        self.letters.seal(id, &mut after, &next)?;
        Ok(Some(after))
    }

    /// When a letter that was not taken is tried again; nothing when it is given up.
    pub(super) fn again(
        &self,
        mut envelope: Envelope,
        error: &PostError,
        now: Moment,
    ) -> Option<Envelope> {
        let (patience, longest) = match error {
            PostError::Away(_) => (GIVE_UP, LONGEST_AWAY),
            PostError::NotNow(_) => (GIVE_UP, LONGEST_PAUSE),
            PostError::Never(_) => (GIVE_UP_REFUSED, LONGEST_PAUSE),
        };
        if now.since(envelope.begun) >= patience {
            return None;
        }
        envelope.due = now.plus(pause(self.letters.retry, envelope.attempts).min(longest));
        envelope.refused = matches!(error, PostError::Never(_));
        envelope.attempts = envelope.attempts.saturating_add(1);
        Some(envelope)
    }

    /// Replaces or removes a letter; false if it has changed since.
    async fn put(
        &self,
        id: &str,
        version: u64,
        envelope: Option<&Envelope>,
    ) -> Result<bool, ServiceError> {
        let put: Result<bool, StoreError> = match envelope {
            Some(envelope) => {
                let body = envelope.write()?;
                self.store.replace(Kind::Letter, id, version, body).await
            }
            None => self.store.remove(Kind::Letter, id, version).await,
        };
        Ok(put?)
    }
}

/// The pause after so many failures: it doubles each time.
fn pause(first: Duration, attempts: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(attempts.min(20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let minute = Duration::from_secs(60);
        let pauses: Vec<_> = (0..4).map(|n| pause(minute, n).as_secs()).collect();
        assert_eq!(pauses, [60, 120, 240, 480]);
        assert!(pause(minute, 9) > LONGEST_PAUSE);
        assert!(pause(minute, u32::MAX) > LONGEST_PAUSE);
    }
}
