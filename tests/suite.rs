//! What metrust promises, tested from outside: the real binary, over HTTP and the command line, on
//! every store.
//!
//! Each file holds one promise or one surface; `harness` is what they stand on. `redis-server`,
//! Python, Go and `openssl` must be installed: no test is ever skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

#[path = "suite/asked.rs"]
mod asked;
#[path = "suite/attacks.rs"]
mod attacks;
#[path = "suite/audit.rs"]
mod audit;
#[path = "suite/audit_cli.rs"]
mod audit_cli;
#[path = "suite/autumn.rs"]
mod autumn;
#[path = "suite/browser.rs"]
mod browser;
#[cfg(feature = "s3")]
#[path = "suite/bucket.rs"]
mod bucket;
#[path = "suite/bundles.rs"]
mod bundles;
#[path = "suite/check.rs"]
mod check;
#[path = "suite/cli.rs"]
mod cli;
#[path = "suite/closing.rs"]
mod closing;
#[path = "suite/console.rs"]
mod console;
#[path = "suite/contract.rs"]
mod contract;
#[path = "suite/court.rs"]
mod court;
#[path = "suite/covered.rs"]
mod covered;
#[path = "suite/dialplans.rs"]
mod dialplans;
#[path = "suite/doctor.rs"]
mod doctor;
#[path = "suite/drafts.rs"]
mod drafts;
#[path = "suite/evidence.rs"]
mod evidence;
#[path = "suite/export.rs"]
mod export;
#[path = "suite/find.rs"]
mod find;
#[path = "suite/harness/mod.rs"]
mod harness;
#[path = "suite/imports.rs"]
mod imports;
#[path = "suite/interop.rs"]
mod interop;
#[path = "suite/keys.rs"]
mod keys;
#[path = "suite/lists.rs"]
mod lists;
#[path = "suite/losses.rs"]
mod losses;
#[path = "suite/mail.rs"]
mod mail;
#[path = "suite/many_companies.rs"]
mod many_companies;
#[path = "suite/matching.rs"]
mod matching;
#[path = "suite/misread.rs"]
mod misread;
#[path = "suite/notation.rs"]
mod notation;
#[path = "suite/openings.rs"]
mod openings;
#[path = "suite/opt_out.rs"]
mod opt_out;
#[path = "suite/order.rs"]
mod order;
#[path = "suite/own.rs"]
mod own;
#[path = "suite/page_safety.rs"]
mod page_safety;
#[path = "suite/pages.rs"]
mod pages;
#[path = "suite/patience.rs"]
mod patience;
#[path = "suite/problems.rs"]
mod problems;
#[path = "suite/receipts.rs"]
mod receipts;
#[path = "suite/recovery.rs"]
mod recovery;
#[path = "suite/redis_links.rs"]
mod redis_links;
#[path = "suite/redis_settings.rs"]
mod redis_settings;
#[path = "suite/reports.rs"]
mod reports;
#[path = "suite/rot.rs"]
mod rot;
#[path = "suite/sealing.rs"]
mod sealing;
#[path = "suite/searches.rs"]
mod searches;
#[path = "suite/secrecy.rs"]
mod secrecy;
#[path = "suite/spellings.rs"]
mod spellings;
#[path = "suite/start.rs"]
mod start;
#[path = "suite/storage.rs"]
mod storage;
#[path = "suite/store_away.rs"]
mod store_away;
#[path = "suite/store_failures.rs"]
mod store_failures;
#[path = "suite/switches.rs"]
mod switches;
#[path = "suite/texts.rs"]
mod texts;
#[path = "suite/unsigned.rs"]
mod unsigned;
#[path = "suite/wash.rs"]
mod wash;
#[path = "suite/wash_cli.rs"]
mod wash_cli;
#[path = "suite/withdrawal.rs"]
mod withdrawal;
#[path = "suite/witnesses.rs"]
mod witnesses;
