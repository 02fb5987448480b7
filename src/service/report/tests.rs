//! Calls of which nobody can tell who had asked before them.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::settings::{Overrides, Settings};
use crate::store::Kind;

async fn begun() -> (Arc<Service>, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings::load(None, &Overrides::default()).unwrap();
    let (service, _) = Service::start(&settings, data.path()).await.unwrap();
    service.directory.renew().await.unwrap();
    (service, data)
}

/// A call that came between two moments, this many seconds before and after `at`.
fn call(at: Moment, before: i64, after: i64) -> Told {
    let moment = |seconds: i64| Moment::from_millis(at.millis() + seconds * 1000);
    Told {
        number: PhoneNumber::parse("+32470000001", None).unwrap(),
        from: moment(-before),
        to: moment(after),
        company: Company::Unsaid,
        caller: String::new(),
        words: "Again!".to_owned(),
        language: "en".to_owned(),
    }
}

#[tokio::test]
async fn a_call_from_before_the_record_is_refused_and_leaves_nothing_behind() {
    let (service, _data) = begun().await;
    let now = Moment::now();
    let report = |told: Told| {
        let service = service.clone();
        async move { service.report(Reporter::Anyone, b"form", &told).await }
    };
    let refused = report(call(now, 7200, -3600)).await;
    let Err(ServiceError::BeforeRecord(since)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        since <= now && now.since(since) < Duration::from_secs(60),
        "{since}"
    );
    assert!(service.store.list(Kind::Case).await.unwrap().is_empty());
    assert!(service.store.list(Kind::Report).await.unwrap().is_empty());
    // One that may have come since is looked into.
    let made = report(call(now, 7200, 0)).await.unwrap();
    assert_eq!(made.view.finding, Finding::NotAsked);
    assert_eq!(service.store.list(Kind::Case).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_report_that_was_taken_stays_the_same_report_whatever_is_dropped_later() {
    let (service, _data) = begun().await;
    let told = call(Moment::now(), 60, 0);
    let first = service
        .report(Reporter::Anyone, b"form", &told)
        .await
        .unwrap();
    let again = service
        .report(Reporter::Anyone, b"form", &told)
        .await
        .unwrap();
    assert_eq!(first.view.id, again.view.id);
    // What makes it the same is everything that was typed; a changed one is looked at anew.
    let early = Told {
        to: Moment::from_millis(told.from.millis()),
        from: Moment::from_millis(told.from.millis() - 1000),
        ..told
    };
    let early = service.report(Reporter::Anyone, b"form", &early).await;
    assert!(
        matches!(early, Err(ServiceError::BeforeRecord(_))),
        "{early:?}"
    );
}
