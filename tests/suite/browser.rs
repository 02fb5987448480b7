//! The pages in a real Chromium, with scripts and without: the whole way in four languages, on a
//! narrow phone and on a desk, with axe-core on every page. What is done there, and in what order,
//! stands in `tests/browser`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::tempdir;

use crate::harness::process::Process;
use crate::harness::smtp::Smtp;
use crate::harness::{Launch, until};

/// A hundred pages, each looked over twice: minutes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

#[test]
fn browsers_go_the_whole_way_in_four_languages_and_neither_axe_nor_html_validate_objects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    assert!(
        folder.join("node_modules/playwright-core").is_dir(),
        "what the browser needs is not there: run tests/run, or `npm ci` in {}",
        folder.display()
    );
    let data = tempdir().unwrap();
    let smtp = Smtp::start();
    let service = smtp
        .serves(Launch::on(&data.path().join("data")).with_demo())
        .start();
    let mut browser = Process::start(
        Command::new("node")
            .arg("pages.mjs")
            .arg(service.url())
            .current_dir(&folder)
            .env("METRUST_KEY", service.operator_key()),
    );
    until("the browser has gone all the way", PATIENCE, || {
        browser.ended()
    });
    let ended = browser.finish();
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(
        ended.status.success() && last.ends_with(" passed, 0 failed"),
        "{}\n{}{}",
        ended.status,
        ended.stdout,
        ended.stderr
    );
    // In four languages, on a phone and on a desk; and on the phone news of a report.
    assert_eq!(smtp.wait_for(12).len(), 12, "letters");
}
