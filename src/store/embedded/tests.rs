use proptest::prelude::*;

use super::*;
use crate::domain::{AgencyId, Channel, Context, Detail, Entry, EntryId, Moment, Op};
use crate::store::layout::SellerNumber;

/// Small, so that the tail has many pages.
const PAGE: usize = 4;

fn ask() -> Ask {
    let what = "a test".to_owned();
    Ask {
        at: Moment::now(),
        context: Arc::new(Context::of_service(Op::Incident, Detail::Incident { what })),
        number: None,
        seller: SellerNumber::ALL,
        channel: Channel::Voice,
        replay: None,
    }
}

/// Whether an entry is found in the tail, page by page; `from` is where to begin, and where the
/// next search may.
async fn finds(store: &Embedded, id: EntryId, from: &mut Option<Position>) -> bool {
    loop {
        let page = store.tail(0, *from, PAGE).await.unwrap();
        let ids = page.iter().flat_map(|batch| batch.entries().unwrap());
        let found = ids.into_iter().any(|entry| entry.id == id);
        *from = page.last().map(|batch| batch.position).or(*from);
        if found || page.len() < PAGE {
            return found;
        }
    }
}

#[test]
fn whoever_was_answered_finds_the_entry_whoever_else_reads_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let file = folder.path().join("metrust.redb");
        let store = Embedded::open(file, Duration::from_secs(1)).await.unwrap();
        let store = Arc::new(store);
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut from = None;
                    for round in 0..100 {
                        let decisions = store.decide(vec![ask()]).await.unwrap();
                        let found = finds(&store, decisions[0].id, &mut from).await;
                        assert!(found, "in round {round}");
                    }
                })
            })
            .collect();
        for reader in readers {
            reader.await.unwrap();
        }
        store.close().await;
    });
}

#[test]
fn nobody_is_answered_from_a_store_of_which_a_file_was_deleted() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    for name in ["metrust.redb", "metrust.redb.journal"] {
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let file = folder.path().join("metrust.redb");
            let store = Embedded::open(file, Duration::from_secs(1)).await.unwrap();
            store.decide(vec![ask()]).await.unwrap();
            std::fs::remove_file(folder.path().join(name)).unwrap();
            // By the very next one, and whatever it asks for.
            let health = store.health().await;
            assert!(!health.ok && health.reason == Some("deleted"), "{health:?}");
            assert!(health.detail.contains(name), "{health:?}");
            let refused = |error| matches!(error, StoreError::Deleted(_));
            assert!(refused(store.decide(vec![ask()]).await.unwrap_err()));
            let note = Change::note(Moment::now(), (*ask().context).clone(), None);
            assert!(refused(store.change(vec![note]).await.unwrap_err()));
            let put = store.put(
                Kind::Seller,
                "telco",
                None,
                Some(String::new().into()),
                None,
            );
            assert!(refused(put.await.unwrap_err()));
            // What is recorded can still be sealed.
            assert_eq!(store.tail(0, None, PAGE).await.unwrap().len(), 1);
            store.close().await;
        });
    }
}

/// What can befall a store.
#[derive(Debug, Clone)]
enum Event {
    /// So many checks in one batch.
    Checks(usize),
    /// Something that goes into the database.
    Note,
    /// Everything before so much of the tail is sealed.
    Trim(prop::sample::Index),
    /// Stopped and started again.
    Restart,
    /// Killed and started again.
    Kill,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (1..20_usize).prop_map(Event::Checks),
        3 => Just(Event::Note),
        2 => any::<prop::sample::Index>().prop_map(Event::Trim),
        1 => Just(Event::Restart),
        1 => Just(Event::Kill),
    ]
}

/// A store, and what it was told.
struct Told {
    store: Embedded,
    /// The ids of each batch.
    batches: Vec<Vec<EntryId>>,
    /// The first one that may not be dropped.
    kept: usize,
    checks: u64,
}

impl Told {
    async fn befall(&mut self, event: Event, file: &Path) {
        match event {
            Event::Checks(checks) => {
                let agency = AgencyId::parse("quick-calls").unwrap();
                let context = Context {
                    agency: Some(agency),
                    ..(*ask().context).clone()
                };
                let context = Arc::new(context);
                let asks = (0..checks).map(|_| Ask {
                    context: context.clone(),
                    ..ask()
                });
                let decisions = self.store.decide(asks.collect()).await.unwrap();
                self.batches
                    .push(decisions.iter().map(|one| one.id).collect());
                self.checks += checks as u64;
            }
            Event::Note => {
                let context = (*ask().context).clone();
                let note = Change::note(Moment::now(), context, None);
                self.store.change(vec![note]).await.unwrap();
                // Its id is for the tail alone to know.
                let end = self.store.tail_end(0).await.unwrap();
                let batch = self.store.tail(0, end, 1).await.unwrap();
                self.batches.push(ids(&entries(&batch)));
            }
            Event::Trim(_) if self.batches.is_empty() => {}
            Event::Trim(index) => {
                self.kept = self.kept.max(index.index(self.batches.len()));
                let before = Position(self.kept as u64, 0);
                self.store.trim(0, before).await.unwrap();
            }
            Event::Restart | Event::Kill => {
                if matches!(event, Event::Restart) {
                    self.store.close().await;
                }
                // Whoever is killed closes nothing: the thread ends as nobody asks any more.
                let nobody = tempfile::tempdir().unwrap();
                let other = open(&nobody.path().join("metrust.redb")).await;
                drop(std::mem::replace(&mut self.store, other));
                self.store = open(file).await;
            }
        }
    }

    /// The tail is what was told, from the first on that may not be dropped, however it is read.
    async fn check(&self, limit: usize) {
        let mut from = Some(Position(self.kept as u64, 0)).filter(|_| !self.batches.is_empty());
        let (mut found, mut places) = (Vec::new(), Vec::new());
        loop {
            let page = self.store.tail(0, from, limit).await.unwrap();
            let known = places.last().copied();
            let new = page
                .iter()
                .skip_while(|batch| known >= Some(batch.position.0));
            for batch in new {
                places.push(batch.position.0);
                found.push(ids(&entries(std::slice::from_ref(batch))));
            }
            from = page.last().map(|batch| batch.position);
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(found, self.batches[self.kept..]);
        let expected = self.kept as u64..self.batches.len() as u64;
        assert_eq!(places, Vec::from_iter(expected.clone()));
        let end = self.store.tail_end(0).await.unwrap();
        assert_eq!(end.map(|end| end.0), expected.last());
        let all = self.store.tail(0, None, usize::MAX).await.unwrap();
        let numbers = entries(&all)
            .into_iter()
            .filter_map(|entry| entry.client_seq);
        let numbers: Vec<u64> = numbers.collect();
        let first = numbers.first().copied().unwrap_or(1);
        assert_eq!(numbers, Vec::from_iter(first..first + numbers.len() as u64));
        assert!(numbers.last().is_none_or(|last| *last == self.checks));
    }
}

async fn open(file: &Path) -> Embedded {
    let patience = std::time::Instant::now();
    loop {
        match Embedded::open(file.to_owned(), Duration::from_secs(1)).await {
            Ok(store) => return store,
            // The one before is still ending.
            Err(_) if patience.elapsed() < Duration::from_secs(20) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn entries(batches: &[TailBatch]) -> Vec<Entry> {
    batches
        .iter()
        .flat_map(|batch| batch.entries().unwrap())
        .collect()
}

fn ids(entries: &[Entry]) -> Vec<EntryId> {
    entries.iter().map(|entry| entry.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_tail_is_what_was_told_whatever_befalls_the_store(
        events in prop::collection::vec(event(), 1..40),
        limit in 2_usize..9,
    ) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let file = folder.path().join("metrust.redb");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = open(&file).await;
            let mut told = Told { store, batches: Vec::new(), kept: 0, checks: 0 };
            for event in events {
                told.befall(event, &file).await;
                told.check(limit).await;
            }
            told.store.close().await;
        });
    }
}
