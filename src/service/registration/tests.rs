//! Changes that break off half-way, and what the next use of the code makes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tempfile::TempDir;

use super::change::Amendment;
use super::*;
use crate::domain::{AgencyId, Answer, Channel, Notation};
use crate::service::Question;
use crate::settings::{Overrides, Settings};

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
        // Whoever breaks off keeps its turn for twice as long.
        Self::waiting_for(100).await
    }

    /// The same with a store that is waited for so many milliseconds.
    async fn waiting_for(store_timeout_ms: u64) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, &Overrides::default()).unwrap();
        settings.store.timeout_ms = store_timeout_ms;
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

    /// Only the first step of a change, as if the machine had stopped there.
    async fn begin(&self, amendment: Amendment) {
        let at = Moment::now();
        self.service
            .rewrite(&self.access, &self.service.taker(), |record, held| {
                record.amend(held, &amendment, at, 10)
            })
            .await
            .unwrap();
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
async fn nobody_changes_the_index_while_it_is_somebody_elses_turn() {
    let here = Here::waiting_for(5_000).await;
    let taker = here.service.taker();
    let now = Moment::now();
    let withdraw = |record: &mut record::Record, _: &mut Vec<held::Held>| Ok(record.withdraw(now));
    let rewritten = here.service.rewrite(&here.access, &taker, withdraw).await;
    rewritten.unwrap();
    // The undo comes before the withdrawal has reached the index, and waits for it.
    let (service, access) = (here.service.clone(), here.access.clone());
    let undo = tokio::spawn(async move { service.take_up(&access).await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!undo.is_finished(), "it is not its turn");
    let acting = Acting::default();
    let settled = here.service.settle(&here.access, &acting, &taker).await;
    settled.unwrap();
    undo.await.unwrap().unwrap();
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
    assert!(here.view().await.withdrawn_at.is_none());
}

#[tokio::test]
async fn a_turn_of_somebody_who_is_gone_ends_also_where_the_clock_was_set_back() {
    let here = Here::new().await;
    let (service, access) = (&here.service, &here.access);
    // By the clock it lasts for much longer than anybody waits.
    let gone = turn::Taker::new(std::time::Duration::from_secs(3600));
    let now = Moment::now();
    let withdraw = |record: &mut record::Record, _: &mut Vec<held::Held>| Ok(record.withdraw(now));
    service.rewrite(access, &gone, withdraw).await.unwrap();
    service.take_up(access).await.unwrap();
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
}

#[tokio::test]
async fn a_change_that_comes_after_its_turn_makes_good_what_it_undid() {
    let here = Here::new().await;
    let (service, access) = (&here.service, &here.access);
    let gone = turn::Taker::new(std::time::Duration::ZERO);
    let now = Moment::now();
    let withdraw = |record: &mut record::Record, _: &mut Vec<held::Held>| Ok(record.withdraw(now));
    service.rewrite(access, &gone, withdraw).await.unwrap();
    let late = service.open_whole(access).await.unwrap();
    // Its turn is over; another one undoes it, and the index has everything again.
    service.take_up(access).await.unwrap();
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
    // Now the first one goes on where it stood: out of the index, and then it looks again.
    let acting = Acting::default();
    let late = Some(late);
    let settled = service
        .settle_from(access, &acting, &service.taker(), late)
        .await;
    settled.unwrap();
    assert_eq!(here.refused("telco").await, [true, true, false, false]);
}

#[test]
fn a_record_of_before_there_were_histories_is_read_and_tells_what_it_can() {
    let old = r#"{"sellers":["*"],"channels":3,"created_at":1700000000000,
        "effective_at":1700000000001,"withdrawn_at":1700000009000,"released":true,
        "salt":"","sealed":""}"#;
    let mut value: serde_json::Value = serde_json::from_str(old).unwrap();
    // As this version spells sellers, channels and moments.
    value["sellers"] = serde_json::to_value([SellerRef::All]).unwrap();
    value["channels"] = serde_json::to_value(Channels::BOTH).unwrap();
    for name in ["created_at", "effective_at", "withdrawn_at"] {
        let millis = value[name].as_i64().unwrap();
        value[name] = serde_json::to_value(Moment::from_millis(millis)).unwrap();
    }
    let record: record::Record = serde_json::from_value(value).unwrap();
    assert!(!record.is_open());
    let told: Vec<_> = record
        .told()
        .iter()
        .map(|event| (event.deed, event.at.millis()))
        .collect();
    assert_eq!(
        told,
        [
            (Deed::Made, 1_700_000_000_001),
            (Deed::Withdrawn, 1_700_000_009_000)
        ]
    );
}
