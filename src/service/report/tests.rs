//! Calls of which nobody can tell who had asked before them.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::domain::{KeyId, Principal, Role};
use crate::settings::{Overrides, Settings};

async fn begun() -> (Arc<Service>, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings::load(None, &Overrides::default()).unwrap();
    let (service, _) = Service::start(&settings, data.path()).await.unwrap();
    service.directory.renew().await.unwrap();
    (service, data)
}

fn operator() -> Principal {
    Principal {
        key: KeyId::parse("0123456789").unwrap(),
        role: Role::Operator,
    }
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
    let (who, all) = (operator(), Filter::default());
    let reports = service.each_report(&who, &all, |_| panic!("a report"));
    reports.await.unwrap();
    // One that may have come since is looked into.
    let made = report(call(now, 7200, 0)).await.unwrap();
    assert_eq!(made.view.finding, Finding::NotAsked);
    let mut found = 0;
    let reports = service.each_report(&who, &all, |_| found += 1);
    reports.await.unwrap();
    assert_eq!(found, 1);
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

/// `short` reports in `tests/run`, `long` ones as `tests/long` asks for them.
fn rounds(name: &str, short: u64, long: u64) -> u64 {
    match std::env::var("METRUST_LONG") {
        Ok(wanted) if wanted == name => long,
        _ => short,
    }
}

/// How many bytes the process has in memory.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    1024 * kibibytes.unwrap_or(0_u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn long_many_reports_are_read_in_little_memory() {
    use futures_util::{StreamExt, stream};

    let many = rounds("many_reports", 2_000, 1_000_000);
    let (service, _data) = begun().await;
    let sellers = ["telco", "energy"].map(|id| SellerId::parse(id).unwrap());
    let told = call(Moment::now(), 60, 0);
    let keep = |n: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let at = Moment::from_millis(1_700_000_000_000 + i64::try_from(n).unwrap() * 1000);
        let kept = Kept {
            at,
            called_from: told.from,
            called_to: told.to,
            seller: Some(sellers[usize::from(n.is_multiple_of(10))].clone()),
            finding: Finding::NotAsked,
            told: Finding::NotAsked,
            to_company: Finding::NotAsked,
            agency: None,
            checks: Vec::new(),
            opted_out: OptedOut::NotListed,
            opted_out_since: None,
            held_since: None,
            answer_by: Some(at),
            locator: "ABCDEFG".to_owned(),
            language: "en".to_owned(),
            recorded: Some(at),
            told_late: false,
            sealed: String::new(),
        };
        let (service, told) = (&service, &told);
        async move {
            let (id, content) = (ReportId::from_bytes(id), Content::of(told));
            service.keep_report(id, kept, &content).await.unwrap();
        }
    };
    let all = stream::iter((0..many).map(keep)).buffer_unordered(512);
    all.collect::<()>().await;
    let before = memory();
    let who = operator();
    let (mut found, mut last, mut most) = (0, i64::MAX, 0);
    let all = Filter::default();
    let reports = service.each_report(&who, &all, |report| {
        assert!(report.at.millis() < last, "the newest comes first");
        last = report.at.millis();
        found += 1;
        if found % 10_000 == 0 {
            most = most.max(memory());
        }
    });
    reports.await.unwrap();
    assert_eq!(found, many);
    let (late, _) = service.late_answers(&sellers[1]).await.unwrap().unwrap();
    assert_eq!(late, many / 10);
    let few = Filter {
        seller: Some(sellers[1].clone()),
        from: Some(Moment::from_millis(1_700_000_000_000)),
        to: Some(Moment::from_millis(1_700_000_100_000)),
        ..Filter::default()
    };
    let page = service.reports(&who, &few, None, 100).await.unwrap();
    assert_eq!((page.reports.len(), page.next), (10, None));
    println!("{many} reports: {before} bytes, at most {most} while they were read");
    assert!(most < before + (200 << 20), "{before}, then {most}");
}
