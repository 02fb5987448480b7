//! What becomes of a letter and its address, step by step, on a store of its own.

use std::sync::Arc;
use std::time::Duration;

use super::post::PostError;
use super::record::{Claim, DUE};
use super::*;
use crate::domain::{Channels, Region};
use crate::service::{Registrant, Wanted};
use crate::settings::{Overrides, Secret};
use crate::store::List;

const DAY: Duration = Duration::from_secs(86_400);

/// A service with mail, and a registration on it.
struct World {
    service: Arc<Service>,
    access: Access,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, &Overrides::default()).unwrap();
        settings.http.public_url = "https://dnc.example".to_owned();
        // Nothing is sent here: nobody sends unless a test says so.
        settings.mail.url = Secret("smtp://127.0.0.1:9".to_owned());
        settings.mail.from = "hello@dnc.example".to_owned();
        settings.store.timeout_ms = 20_000;
        let (service, _) = Service::start(&settings, folder.path()).await.unwrap();
        let wanted = Wanted {
            numbers: vec!["+32486913572"],
            notation: Region::parse("BE").ok().into(),
            sellers: Sellers::All,
            channels: Channels::of(&[Channel::Voice]).unwrap(),
        };
        let who = Registrant::Person { form: b"form" };
        let access = service.register(who, &wanted).await.unwrap().access;
        Self {
            service,
            access,
            _folder: folder,
        }
    }

    fn locator(&self) -> Locator {
        self.access.reference().locator()
    }

    async fn ask(&self, address: &str, form: &[u8]) {
        let to = MailAddress::parse(address).unwrap();
        self.service
            .send_proof(&self.access, &to, LanguageCode::Nl, form)
            .await
            .unwrap();
    }

    /// The letters that wait: their names and what they are about.
    async fn letters(&self) -> Vec<(String, Envelope, Letter)> {
        let mut due = List::of(Kind::Letter, DUE);
        let all = self.service.store.page(&mut due, 100).await.unwrap();
        all.into_iter()
            .map(|listed| {
                let envelope = Envelope::read(&listed.document.body).unwrap();
                let letter = self.service.letters.open(&listed.id, &envelope).unwrap();
                (listed.id, envelope, letter)
            })
            .collect()
    }

    async fn one(&self) -> (String, Envelope, Letter) {
        let mut all = self.letters().await;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// Claims the one letter, as a sender does.
    async fn claim(&self) -> (String, Claim, Letter) {
        let (id, mut envelope, letter) = self.one().await;
        let claim = Claim {
            by: "me".to_owned(),
            until: Moment::now().plus(DAY),
        };
        envelope.claim = Some(claim.clone());
        let document = self.service.store.get(Kind::Letter, &id).await.unwrap();
        let version = document.unwrap().version;
        let body = envelope.write().unwrap();
        let put = self.service.store.replace(Kind::Letter, &id, version, body);
        assert!(put.await.unwrap());
        (id, claim, letter)
    }

    /// The mail server has taken the one letter.
    async fn sent(&self) {
        let (id, claim, letter) = self.claim().await;
        self.service
            .settle_letter(&id, &claim, &letter, Ok(()))
            .await
            .unwrap();
    }

    async fn address(&self) -> Option<String> {
        let kept = self.service.address_for(self.locator()).await.unwrap();
        kept.map(|(address, language)| {
            assert_eq!(language, LanguageCode::Nl);
            address.reveal().to_owned()
        })
    }
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

#[test]
fn the_address_lives_as_long_as_its_letters_and_no_longer() {
    run(async {
        let world = World::new().await;
        assert_eq!(world.address().await, None);
        world.ask("an@example.org", b"1").await;
        assert_eq!(world.address().await.unwrap(), "an@example.org");
        world.sent().await;
        let (_, envelope, letter) = world.one().await;
        assert!(matches!(letter.subject, Subject::FollowUp));
        let wait = envelope.due.since(Moment::now());
        assert!(wait > DAY * 13 && wait <= DAY * 14, "{wait:?}");
        assert_eq!(world.address().await.unwrap(), "an@example.org");
        world.sent().await;
        assert!(world.letters().await.is_empty());
        assert_eq!(world.address().await, None);
    });
}

#[test]
fn while_a_report_is_open_the_address_stays_for_news_of_it() {
    run(async {
        let world = World::new().await;
        let locator = world.locator();
        let report = ReportId::from_bytes([7; 16]);
        let news = async |news| {
            let taken = world.service.send_news(locator, &report, news).await;
            taken.unwrap()
        };
        assert!(!news(ReportNews::Answered).await, "no address was left");
        world.ask("an@example.org", b"1").await;
        world.sent().await;
        world.service.keep_address(locator).await.unwrap();
        world.sent().await;
        let (id, envelope, letter) = world.one().await;
        assert!(matches!(letter.subject, Subject::Resting));
        assert!(envelope.due.since(Moment::now()) <= DAY * 90);
        for _ in 0..2 {
            assert!(news(ReportNews::Overdue).await);
        }
        assert!(news(ReportNews::Answered).await);
        let letters = world.letters().await;
        assert_eq!(letters.len(), 3, "the same news is one letter");
        assert!(
            letters
                .iter()
                .all(|(.., letter)| letter.to == "an@example.org")
        );
        world.service.release_address(locator).await.unwrap();
        let kept = world.letters().await;
        let (_, envelope, _) = kept.iter().find(|(name, ..)| *name == id).unwrap();
        assert!(envelope.is_free(Moment::now()), "it goes at the next look");
    });
}

#[test]
fn what_changes_while_a_letter_is_sent_is_not_lost() {
    run(async {
        let world = World::new().await;
        world.ask("an@example.org", b"1").await;
        // A report is made: the letter still counts as sent.
        let (id, claim, letter) = world.claim().await;
        world.service.keep_address(world.locator()).await.unwrap();
        let settled = world.service.settle_letter(&id, &claim, &letter, Ok(()));
        settled.await.unwrap();
        let (_, envelope, letter) = world.one().await;
        assert!(matches!(letter.subject, Subject::FollowUp) && envelope.keep_until.is_some());
        // The person gives another address: that letter still has to be sent.
        let (id, claim, letter) = world.claim().await;
        world.ask("bo@example.org", b"2").await;
        let settled = world.service.settle_letter(&id, &claim, &letter, Ok(()));
        settled.await.unwrap();
        let (_, envelope, letter) = world.one().await;
        assert!(matches!(letter.subject, Subject::Proof(_)) && letter.to == "bo@example.org");
        assert!(envelope.is_free(Moment::now()) && envelope.keep_until.is_some());
    });
}

#[test]
fn a_letter_is_given_up_late_and_one_that_is_refused_for_good_sooner() {
    run(async {
        let world = World::new().await;
        world.ask("an@example.org", b"1").await;
        let (_, begun, _) = world.one().await;
        let after = |error: &PostError, wait: Duration| {
            let now = begun.begun.plus(wait);
            let next = world.service.again(begun.clone(), error, now);
            next.map(|envelope| envelope.due.since(now))
        };
        let away = PostError::Away("away".to_owned());
        let (not_now, never) = (PostError::NotNow(450), PostError::Never(550));
        let minute = Duration::from_secs(60);
        for error in [&away, &not_now, &never] {
            assert_eq!(after(error, Duration::ZERO), Some(minute));
        }
        assert!(after(&never, minute * 59).is_some());
        assert_eq!(after(&never, minute * 60), None);
        assert!(after(&not_now, DAY * 4).is_some() && after(&away, DAY * 4).is_some());
        assert_eq!(after(&not_now, DAY * 5), None);
        assert_eq!(after(&away, DAY * 5), None);
        // A letter that is given up is counted, and gone.
        let (id, claim, letter) = world.claim().await;
        let late = begun.begun.plus(DAY * 6);
        let sent = Err(PostError::NotNow(450));
        let gone = world.service.settle_once(&id, &claim, &letter, &sent, late);
        assert!(gone.await.unwrap());
        assert!(world.letters().await.is_empty());
        assert_eq!(world.service.mail_status().unwrap().given_up, 1);
    });
}

#[test]
fn an_address_is_read_and_never_shown() {
    for good in [
        "an@example.org",
        " An.Na+x@Mail.example.org ",
        "o'b@example.org",
    ] {
        let address = MailAddress::parse(good).unwrap();
        assert_eq!(address.reveal(), good.trim());
        assert_eq!(format!("{address:?}"), "MailAddress(hidden)");
    }
    let long = format!("{}@example.org", "a".repeat(65));
    for bad in [
        "",
        "an",
        "an@",
        "an@localhost",
        "an@[127.0.0.1]",
        "an@example.org, bo@example.org",
        "An <an@example.org>",
        "an@example.org\r\nBcc: bo@example.org",
        "an\n@example.org",
        "änne@example.org",
        &long,
    ] {
        assert_eq!(MailAddress::parse(bad), Err(NotAnAddress), "{bad:?}");
    }
}

#[test]
fn one_mailbox_is_one_however_it_is_written() {
    let mailbox = |text| MailAddress::parse(text).unwrap().mailbox();
    assert_eq!(mailbox("An+1@Example.org"), mailbox("an+2@example.ORG"));
    assert_ne!(mailbox("an@example.org"), mailbox("bo@example.org"));
}

#[test]
fn our_host_is_that_of_the_pages() {
    for url in [
        "https://dnc.example",
        "http://dnc.example:8080/",
        "https://dnc.example/x",
    ] {
        assert_eq!(host_of(url), "dnc.example");
    }
}
