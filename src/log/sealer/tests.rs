use super::*;
use crate::domain::{Channel, Context, Detail, Op};
use crate::log::storage::{Folder, Storage};
use crate::log::{Archive, Generation};
use crate::privacy::SecretKey;
use crate::store::{Ask, Engine, SellerNumber};

/// A sealer on a store of its own.
async fn sealer(folder: &std::path::Path) -> Sealer {
    let file = folder.join("store.redb");
    let wait = Duration::from_secs(60);
    let store = Store::open(Engine::Embedded { file }, wait, wait).await;
    let keys = LogKeys::new(SecretKey::generate());
    keys.learn(vec![Generation {
        number: 1,
        since: Moment::now(),
        until: None,
    }]);
    let log = Folder::open(folder.join("log")).unwrap();
    let plan = Sealing {
        archive: Archive::new(Storage::Folder(log)),
        store: Arc::new(store.unwrap()),
        keys: Arc::new(keys),
        origin: "example.org/log".to_owned(),
        part: 1,
        store_id: "00".repeat(16),
        period: Duration::from_secs(60),
    };
    Sealer::new(plan, Arc::default())
}

/// Puts so many entries into the store's tail, 512 in a batch.
async fn record(sealer: &Sealer, count: usize) {
    let what = "a test".to_owned();
    let context = Arc::new(Context::of_service(Op::Incident, Detail::Incident { what }));
    let asks: Vec<_> = (0..count)
        .map(|_| Ask {
            at: Moment::now(),
            context: context.clone(),
            number: None,
            seller: SellerNumber::ALL,
            channel: Channel::Voice,
            replay: None,
        })
        .collect();
    for asks in asks.chunks(512) {
        sealer.plan.store.decide(asks.to_vec()).await.unwrap();
    }
}

#[tokio::test]
async fn all_counts_as_sealed_that_was_there_when_the_tails_were_read_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut sealer = sealer(folder.path()).await;
    let progress = sealer.progress.clone();
    record(&sealer, CYCLE + 1000).await;
    let before = Instant::now();

    // As many as one commit holds. Meanwhile the next is made ready, of what there is by then.
    let first = sealer.cycle(false).await.unwrap();
    assert!(
        matches!(
            first,
            Cycle::Sealed {
                all_until: None,
                ..
            }
        ),
        "{first:?}"
    );
    assert_eq!(progress.load().current_at, None);
    let later = Instant::now();
    record(&sealer, 10).await;

    let second = sealer.cycle(false).await.unwrap();
    let Cycle::Sealed {
        entries,
        all_until: Some(until),
    } = second
    else {
        panic!("{second:?}");
    };
    assert!((1000..CYCLE as u64).contains(&entries), "{entries}");
    assert!(until < later, "what came later is not sealed yet");
    let told = progress.load().current_at.unwrap();
    assert!(before <= told && told < later);

    let third = sealer.cycle(false).await.unwrap();
    assert!(
        matches!(third, Cycle::Sealed { entries: 10, all_until: Some(until) } if until > later),
        "{third:?}"
    );
    assert!(progress.load().current_at.unwrap() >= later);
    assert_eq!(sealer.cycle(false).await.unwrap(), Cycle::Idle);
    assert_eq!(progress.load().sealed, CYCLE as u64 + 1010);
    sealer.plan.store.close().await;
}
