//! What the service asks of a store: the same of both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metrust::domain::{
    Answer, Channel, Channels, Context, Detail, Locator, Moment, Op, Pseudonym, Reason,
};
use metrust::privacy::Subject;
use metrust::store::{
    Action, Ask, Change, Draft, Durability, Engine, ImportPart, Kind, List, Listing, RedisOptions,
    SellerNumber, Spot, Store,
};

use crate::harness::rounds::rounds;
use crate::harness::{Redis, run_async};

async fn open(engine: Engine) -> Store {
    let opened = Store::open(engine, Duration::from_secs(20), Duration::from_secs(60));
    let store = opened.await.unwrap();
    store.begin([0; 16]).await.unwrap();
    store.join().await.unwrap();
    store
}

/// Numbers that look like chance, and are the same for a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

const LISTS: [&str; 3] = ["all", "open", "open=telco"];

/// What must be: each document's version, and its moment in each list that it stands in.
type Expected = BTreeMap<String, (u64, Vec<(&'static str, u64)>)>;

fn at(moment: u64) -> Moment {
    Moment::from_millis(i64::try_from(moment).unwrap())
}

/// Creates, replaces or removes one of a few documents.
async fn change(store: &Store, kind: Kind, chance: &mut Chance, expected: &mut Expected) {
    // Some with what stands between the parts of an entry.
    let id = ["a", "b", "c/d", "e//", "ff", "g"][usize::try_from(chance.below(6)).unwrap()];
    let version = expected.get(id).map(|(version, _)| *version);
    if let Some(version) = version.filter(|_| chance.below(4) == 0) {
        assert!(!store.remove(kind, id, version + 1).await.unwrap());
        assert!(store.remove(kind, id, version).await.unwrap());
        expected.remove(id);
        return;
    }
    let mut places = Vec::new();
    for list in LISTS {
        if chance.below(3) > 0 {
            places.push((list, chance.below(12)));
        }
    }
    let draft = Draft::from(format!("{{\"id\":\"{id}: {places:?}\"}}"));
    let listed = |draft: Draft, (list, moment): &(&str, u64)| draft.listed(list, at(*moment));
    let draft = places.iter().fold(draft, listed);
    let put = match version {
        None => store.create(kind, id, draft).await,
        Some(version) => store.replace(kind, id, version, draft).await,
    };
    assert!(put.unwrap());
    let version = version.map_or(1, |version| version + 1);
    expected.insert(id.to_owned(), (version, places));
}

/// Reads a part of a list in pages of any length, and counts it.
async fn compare(store: &Store, kind: Kind, chance: &mut Chance, expected: &Expected) {
    for name in LISTS {
        let (from, to) = (chance.below(12), chance.below(14));
        let newest_first = chance.below(2) == 0;
        let mut found = Vec::new();
        for (id, (version, places)) in expected {
            let place = places.iter().find(|(list, _)| *list == name);
            let inside = place.filter(|(_, moment)| (from..to).contains(moment));
            found.extend(inside.map(|(_, moment)| (*moment, id.clone(), *version)));
        }
        found.sort();
        let mut list = List::of(kind, name).from(at(from)).before(at(to));
        assert_eq!(store.count(&list).await.unwrap(), found.len() as u64);
        if newest_first {
            found.reverse();
            list = list.newest_first();
        }
        let (whole, mut read) = (list.clone(), Vec::new());
        loop {
            let limit = usize::try_from(1 + chance.below(3)).unwrap();
            let page = store.page(&mut list, limit).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            // What an entry says is where the list goes on.
            list = whole.clone().after(&last.entry).unwrap();
            read.extend(page.into_iter().map(|one| (one.id, one.document.version)));
        }
        let found: Vec<_> = found
            .into_iter()
            .map(|(_, id, version)| (id, version))
            .collect();
        assert_eq!(read, found, "{name} from {from} before {to}");
        assert!(whole.after("closed/0000000000000001/a").is_none());
    }
}

async fn lists_hold(store: &Store, rounds: u64) {
    for kind in [Kind::Report, Kind::Letter] {
        let (mut chance, mut expected) = (Chance(7), Expected::new());
        for _ in 0..rounds {
            change(store, kind, &mut chance, &mut expected).await;
            compare(store, kind, &mut chance, &expected).await;
        }
    }
}

/// A removal knows which lists there were. What has come in since stays in, however late it comes.
async fn late_removals_do_nothing(store: &Store) {
    let [telco, energy] = [1, 2].map(|number| SellerNumber::new(number).unwrap());
    let mut spots: Vec<Spot> = (0..40_000_u32)
        .map(|n| {
            let mut subject = [0; 16];
            subject[..4].copy_from_slice(&(n.wrapping_mul(0x9e37_79b1)).to_be_bytes());
            Spot::of(&Subject(subject))
        })
        .collect();
    spots.sort();
    spots.dedup();
    let import = async |seller, remove| {
        let spots = spots.clone();
        let part = ImportPart {
            seller,
            remove,
            spots,
        };
        store.import(part).await.unwrap()
    };
    let all = Some(spots.len() as u64);
    assert_eq!(store.puts(telco).await.unwrap(), 0);
    assert_eq!(import(telco, None).await, all);
    let known = store.puts(telco).await.unwrap();
    assert_eq!(import(telco, None).await, Some(0), "they were in");
    assert_eq!(import(telco, Some(known)).await, None);
    assert_eq!(import(telco, None).await, Some(0), "they are in still");
    let known = store.puts(telco).await.unwrap();
    assert_eq!(import(energy, None).await, all, "of another seller");
    assert_eq!(import(telco, Some(known)).await, all);
    assert_eq!(import(telco, Some(known)).await, Some(0), "that came twice");
    let known = store.puts(energy).await.unwrap();
    assert_eq!(import(energy, Some(known)).await, all);
}

/// What is listed for a number: for whom, and of which channels.
fn listings() -> [(SellerNumber, Channels); 6] {
    let all = [1, 2, 3].map(|bits| (SellerNumber::ALL, Channels::from_bits(bits).unwrap()));
    let telco = all.map(|(_, channels)| (SellerNumber::new(1).unwrap(), channels));
    [all[0], all[1], all[2], telco[0], telco[1], telco[2]]
}

fn context() -> Context {
    let what = "nothing".to_owned();
    Context::of_service(Op::Incident, Detail::Incident { what })
}

/// Every number that can be told apart by what is listed for it gets the answer that follows from
/// that, whoever asks, alone and among others.
async fn decides_by_what_is_listed(store: &Store) {
    let names = |n: u8| (Subject([n.wrapping_mul(37); 16]), Pseudonym([n; 16]));
    let mut changes = Vec::new();
    for which in 0..64_u8 {
        for (place, (seller, channels)) in listings().into_iter().enumerate() {
            let listing = Listing {
                subject: names(which).0,
                registration: Locator::parse(&format!("ABCDEF{}", place + 2)).unwrap(),
                version: 1,
                seller,
                channels,
            };
            let action = match which >> place & 1 {
                1 => Action::Put(listing),
                _ => Action::Remove(listing),
            };
            let (at, pn) = (Moment::now(), Some(names(which).1));
            let context = Arc::new(context());
            changes.push(Change {
                at,
                context,
                pn,
                action,
            });
        }
    }
    store.change(changes).await.unwrap();
    let mut asks = Vec::new();
    let mut expected = Vec::new();
    for which in 0..64_u8 {
        for (seller, channel) in [
            (1, Channel::Voice),
            (1, Channel::Text),
            (2, Channel::Voice),
            (2, Channel::Text),
        ] {
            let seller = SellerNumber::new(seller).unwrap();
            let holds = |wanted| {
                let listed = listings().into_iter().enumerate();
                let mut listed = listed.filter(|(place, _)| which >> place & 1 == 1);
                listed.any(|(_, (of, channels))| of == wanted && channels.covers(channel))
            };
            expected.push(match (holds(SellerNumber::ALL), holds(seller)) {
                (true, _) => Answer::Suppress(Reason::AllSellers),
                (_, true) => Answer::Suppress(Reason::ThisSeller),
                _ => Answer::NotListed,
            });
            asks.push(Ask {
                at: Moment::now(),
                context: Arc::new(context()),
                number: Some(names(which)),
                seller,
                channel,
                replay: None,
            });
        }
    }
    let mut alone = Vec::new();
    for ask in &asks {
        alone.push(store.decide(vec![ask.clone()]).await.unwrap()[0].answer);
    }
    let together = store.decide(asks).await.unwrap();
    let together: Vec<_> = together.iter().map(|decision| decision.answer).collect();
    assert_eq!(alone, expected);
    assert_eq!(together, expected);
}

fn on_both(holds: impl AsyncFn(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrust.redb");
    run_async(async { holds(&open(Engine::Embedded { file }).await).await });
    let redis = Redis::with(&[]);
    let options = RedisOptions {
        url: redis.url(),
        ca_certificate: None,
        durability: Durability::Everysec,
        verify: false,
        replicas: 0,
    };
    run_async(async { holds(&open(Engine::Redis(options)).await).await });
}

#[test]
fn long_lists_hold_what_the_documents_say_in_their_order() {
    let rounds = rounds("lists", 60, 3_000);
    on_both(async |store| lists_hold(store, rounds).await);
}

#[test]
fn every_combination_of_listings_has_the_same_answer_on_both() {
    on_both(async |store| decides_by_what_is_listed(store).await);
}

#[test]
fn a_removal_that_a_list_overtook_takes_nothing_out() {
    on_both(async |store| late_removals_do_nothing(store).await);
}
