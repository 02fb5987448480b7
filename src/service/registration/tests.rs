//! Changes that break off half-way, and what the next use of the code makes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tempfile::TempDir;

use super::change::Amendment;
use super::work::{Outcome, Work};
use super::*;
use crate::domain::{AgencyId, Answer, Channel, KeyId, Notation};
use crate::service::Question;
use crate::settings::{Overrides, Settings};
use crate::store::Kind;

struct Here {
    service: Arc<Service>,
    asks: Principal,
    access: Access,
    _data: TempDir,
}

fn phone(n: u8) -> PhoneNumber {
    PhoneNumber::parse(&format!("+324700000{n:02}"), None).unwrap()
}

fn seller(id: &str) -> SellerId {
    SellerId::parse(id).unwrap()
}

impl Here {
    /// A registry with two sellers, and an opt-out of numbers 1 and 2 for one of them.
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let (service, _) = Service::start(&settings, data.path()).await.unwrap();
        for id in ["telco", "energy"] {
            service.add_seller(seller(id), id.to_owned()).await.unwrap();
        }
        let agency = AgencyId::parse("calls").unwrap();
        let sellers = BTreeSet::from(["telco", "energy"].map(seller));
        service
            .add_agency(agency.clone(), "Calls".to_owned(), sellers)
            .await
            .unwrap();
        service.directory.renew().await.unwrap();
        let wanted = Wanted {
            numbers: vec!["+32470000001", "+32470000002"],
            notation: Notation::default(),
            sellers: Sellers::Chosen(vec![seller("telco")]),
            channels: Channels::BOTH,
        };
        let form = Registrant::Person { form: b"form" };
        let access = service.register(form, &wanted).await.unwrap().access;
        Self {
            asks: Principal {
                key: KeyId::parse("0123456789").unwrap(),
                role: Role::Dialler { agency },
            },
            service,
            access,
            _data: data,
        }
    }

    /// For each of four numbers, whether the very next check says that it must not be called.
    async fn refused(&self, id: &str) -> [bool; 4] {
        let question = Question {
            seller: seller(id),
            channel: Channel::Voice,
            campaign: None,
        };
        let numbers = [1, 2, 3, 4].map(|n| Ok(phone(n)));
        let asked = self
            .service
            .check(self.asks.clone(), question, &numbers)
            .await;
        let asked = asked.unwrap();
        std::array::from_fn(|n| matches!(asked[n].decision.answer, Answer::Suppress(_)))
    }

    /// Only the first step of a change, as if the machine had stopped there; and the work that is
    /// left.
    async fn begin(&self, amendment: Amendment) -> Work {
        let at = Moment::now();
        self.first_step(|record, held| record.amend(held, &amendment, at, 10).map(drop))
            .await
    }

    async fn first_step(
        &self,
        change: impl Fn(&mut record::Record, &mut Vec<held::Held>) -> Result<(), ServiceError>,
    ) -> Work {
        let begun = self.service.begin(&self.access, &change).await.unwrap();
        begun.and_then(|(_, _, work)| work).unwrap()
    }

    /// Work that comes late, as a message that a network kept.
    async fn late(&self, work: &Work) -> Outcome {
        let registration = self.access.reference().locator();
        self.service.carry_out(registration, work).await.unwrap()
    }

    async fn view(&self) -> RegistrationView {
        self.service.registration(&self.access).await.unwrap()
    }
}

#[tokio::test]
async fn a_change_that_broke_off_is_finished_when_the_code_is_next_used() {
    let here = Here::new().await;
    assert_eq!(here.refused("telco").await, [true, true, false, false]);

    here.begin(Amendment::RemoveNumber(phone(1))).await;
    let refused = here.refused("telco").await;
    assert_eq!(refused, [true, true, false, false], "errs on not calling");
    assert_eq!(here.view().await.numbers, [phone(2)]);
    assert_eq!(here.refused("telco").await, [false, true, false, false]);

    here.begin(Amendment::AddNumber(phone(3))).await;
    let before = Moment::now();
    let view = here.view().await;
    assert_eq!(view.numbers, [phone(2), phone(3)]);
    assert_eq!(here.refused("telco").await, [false, true, true, false]);
    let (number, since) = view.added_numbers[0];
    assert!(
        number == phone(3) && since >= before,
        "holds since it was finished"
    );
    assert!(view.history.last().unwrap().at >= before);

    here.begin(Amendment::AddSeller(seller("energy"))).await;
    assert_eq!(here.refused("energy").await, [false; 4]);
    here.view().await;
    assert_eq!(here.refused("energy").await, [false, true, true, false]);
    here.begin(Amendment::RemoveSeller(seller("telco"))).await;
    assert_eq!(here.refused("telco").await, [false, true, true, false]);
    here.view().await;
    assert_eq!(here.refused("telco").await, [false; 4]);
    assert_eq!(here.refused("energy").await, [false, true, true, false]);
    let deeds: Vec<_> = here
        .view()
        .await
        .history
        .iter()
        .map(|event| event.deed)
        .collect();
    assert_eq!(
        deeds,
        [
            Deed::Made,
            Deed::NumberRemoved,
            Deed::NumberAdded,
            Deed::CompanyAdded,
            Deed::CompanyRemoved
        ]
    );
}

#[tokio::test]
async fn withdrawing_lets_go_of_everything_that_was_ever_under_way() {
    let here = Here::new().await;
    let withdrawn = here.service.withdraw(&here.access).await.unwrap();
    let back = here.service.take_up(&here.access).await.unwrap();
    assert!(back >= withdrawn);
    here.begin(Amendment::AddNumber(phone(3))).await;
    here.begin(Amendment::RemoveNumber(phone(1))).await;
    here.service.withdraw(&here.access).await.unwrap();
    assert_eq!(here.refused("telco").await, [false; 4]);
    here.service.take_up(&here.access).await.unwrap();
    assert_eq!(here.refused("telco").await, [false, true, true, false]);
}

#[tokio::test]
async fn what_came_in_later_holds_only_since_then() {
    let here = Here::new().await;
    let (service, access) = (&here.service, &here.access);
    let began = async |n, id: &str| {
        let seller = SellerId::parse(id).unwrap();
        service
            .began(access, &phone(n), Some(&seller))
            .await
            .unwrap()
    };
    let first = began(1, "telco").await.unwrap();
    let add = Amendment::AddNumber(phone(3));
    service.amend(access, &add).await.unwrap();
    let add = Amendment::AddSeller(seller("energy"));
    service.amend(access, &add).await.unwrap();
    assert_eq!(began(1, "telco").await.unwrap(), first);
    let number = began(3, "telco").await.unwrap();
    let company = began(1, "energy").await.unwrap();
    assert!(first.since <= number.asked_at && number.asked_at <= number.since);
    assert!(number.since <= company.asked_at && company.asked_at <= company.since);
    assert_eq!(began(3, "energy").await.unwrap(), company);
    assert_eq!(began(4, "telco").await, None);
    service.withdraw(access).await.unwrap();
    let back = service.take_up(access).await.unwrap();
    assert_eq!(began(1, "telco").await.unwrap().since, back);
    assert_eq!(began(3, "energy").await.unwrap().since, back);
}

#[tokio::test]
async fn changes_at_the_same_time_leave_the_index_as_the_record_says() {
    let here = Here::new().await;
    let mut tasks = Vec::new();
    for n in 0..12_u8 {
        let (service, access) = (here.service.clone(), here.access.clone());
        tasks.push(tokio::spawn(async move {
            let number = phone(3 + n % 2);
            let amendment = match n % 3 {
                0 => Amendment::RemoveNumber(number),
                _ => Amendment::AddNumber(number),
            };
            // Too many at once give up, and say so; nothing is left half done.
            match service.amend(&access, &amendment).await {
                Ok(_) | Err(ServiceError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let view = here.view().await;
    let refused = here.refused("telco").await;
    assert_eq!(
        refused,
        [1, 2, 3, 4].map(|n| view.numbers.contains(&phone(n)))
    );
}

#[tokio::test]
async fn a_removal_that_comes_after_the_undo_removes_nothing() {
    let here = Here::new().await;
    let now = Moment::now();
    let withdraw = |record: &mut record::Record, _: &mut Vec<held::Held>| {
        record.withdraw(now);
        Ok(())
    };
    let stalled = here.first_step(withdraw).await;
    here.service.take_up(&here.access).await.unwrap();
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
    assert!(matches!(here.late(&stalled).await, Outcome::Outdated(_)));
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
}

#[tokio::test]
async fn a_listing_that_comes_after_the_withdrawal_lists_nobody() {
    let here = Here::new().await;
    let stalled = here.begin(Amendment::AddNumber(phone(3))).await;
    here.service.withdraw(&here.access).await.unwrap();
    assert!(matches!(here.late(&stalled).await, Outcome::Outdated(_)));
    assert_eq!(here.refused("telco").await, [false; 4]);
    // Also where the withdrawal had found nothing to remove.
    here.service.take_up(&here.access).await.unwrap();
    let stalled = here.begin(Amendment::AddNumber(phone(4))).await;
    let now = Moment::now();
    let gone = Amendment::RemoveNumber(phone(4));
    let remove = |record: &mut record::Record, held: &mut Vec<held::Held>| {
        record.amend(held, &gone, now, 10).map(drop)
    };
    let newer = here.first_step(remove).await;
    here.late(&newer).await;
    assert!(matches!(here.late(&stalled).await, Outcome::Outdated(_)));
    assert_eq!(here.refused("telco").await, [true, true, true, false]);
}

#[tokio::test]
async fn work_that_was_left_is_finished_without_the_code() {
    let here = Here::new().await;
    let service = &here.service;
    service.close_all_done().await.unwrap();
    let work = here.begin(Amendment::AddNumber(phone(3))).await;
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
    let seen = service.finish_left_work(&Default::default()).await.unwrap();
    assert_eq!(
        here.refused("telco").await,
        [true, true, false, false],
        "it may be under way"
    );
    let before = Moment::now();
    service.finish_left_work(&seen).await.unwrap();
    assert_eq!(here.refused("telco").await, [true, true, true, false]);
    service.close_all_done().await.unwrap();
    assert!(service.store.list(Kind::Open).await.unwrap().is_empty());
    // Once more, it changes nothing, and the record knows since when it holds.
    here.late(&work).await;
    let (number, since) = here.view().await.added_numbers[0];
    assert!(number == phone(3) && since >= before);
    let entries = service.finish_left_work(&seen).await.unwrap();
    assert!(entries.is_empty());
}

#[tokio::test]
async fn a_record_that_came_back_from_a_backup_is_raised_above_what_the_index_has_seen() {
    let here = Here::new().await;
    let (service, access) = (&here.service, &here.access);
    service.close_all_done().await.unwrap();
    let id = access.reference().locator();
    let old = service
        .store
        .get(Kind::Registration, id.as_str())
        .await
        .unwrap()
        .unwrap();
    for _ in 0..3 {
        service.withdraw(access).await.unwrap();
        service.take_up(access).await.unwrap();
    }
    service.withdraw(access).await.unwrap();
    service.close_all_done().await.unwrap();
    assert_eq!(here.refused("telco").await, [false; 4]);
    // The record of before: not withdrawn, and so it must hold.
    let now = service
        .store
        .get(Kind::Registration, id.as_str())
        .await
        .unwrap()
        .unwrap();
    let replaced = service
        .store
        .replace(Kind::Registration, id.as_str(), now.version, old.body);
    assert!(replaced.await.unwrap());
    service
        .amend(access, &Amendment::AddNumber(phone(3)))
        .await
        .unwrap();
    assert_eq!(here.refused("telco").await, [true, true, true, false]);
}
