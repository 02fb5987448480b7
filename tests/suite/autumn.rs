//! The night in which the clock is set back: every call of it has the finding that another program
//! computes, with another calendar.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::audit::text;
use crate::harness::csv::rows;
use crate::harness::service::Clock;
use crate::harness::world::Engine;
use crate::harness::{World, number};

const CALLS: u64 = 20_000;
const NUMBERS: u64 = 40;
const VALIDITY_S: u64 = 2_400;

/// Numbers that look random, the same ones every time.
fn dice(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

#[test]
fn twenty_thousand_calls_of_the_night_in_october_have_the_findings_of_another_program() {
    let folder = tempdir().unwrap();
    let at = |moment: &str| -> Timestamp { moment.parse().unwrap() };
    let set_to =
        |moment: Timestamp| format!("{}", moment.as_second() - Timestamp::now().as_second());
    let begins = at("2026-10-24T20:00:00Z");
    let clock = Clock::new(folder.path().join("clock"), &set_to(begins));
    let world = World::with(Engine::Embedded, |launch| launch.on_clock(&clock));
    let dialler = world.dialler();
    let mut state = 20_261_025;
    let mut checks = Vec::new();
    for step in 0..60 {
        clock.set(&set_to(begins + SignedDuration::from_mins(20 * (step + 1))));
        if step == 15 {
            for n in [5, 6, 7] {
                dialler.register(&[&number(n)], json!("all"));
            }
        }
        for _ in 0..8 {
            let n = number(dice(&mut state, NUMBERS) as usize);
            let told = dialler.check(&n, "telco").expect(200).json();
            checks
                .push(json!({"number": n, "at": told["checked_at"], "suppress": told["suppress"]}));
        }
    }
    let entries = world.operator().entries(&[]);
    let first = entries
        .iter()
        .map(|entry| text(entry, "time"))
        .min()
        .unwrap();

    // The clock in Brussels is set back at 01:00 UTC on the 25th.
    let start: jiff::civil::DateTime = "2026-10-24T21:30:00".parse().unwrap();
    let calls: Vec<(String, String)> = (0..CALLS)
        .map(|_| {
            // Some numbers nobody asked about.
            let n = number(dice(&mut state, NUMBERS + 10) as usize);
            let seconds = dice(&mut state, 19 * 3_600) as i64;
            let local = start + SignedDuration::from_secs(seconds);
            (n, local.strftime("%Y-%m-%d %H:%M:%S").to_string())
        })
        .collect();
    let table: String = calls
        .iter()
        .map(|(n, local)| format!("{n},{local}\n"))
        .collect();
    let file = folder.path().join("calls.csv");
    fs::write(&file, format!("called,time\n{table}")).unwrap();
    let validity = format!("{VALIDITY_S}s");
    let ended = world.service.cli(&[
        "audit",
        "match",
        file.to_str().unwrap(),
        "--time-zone",
        "Europe/Brussels",
        "--validity",
        &validity,
    ]);
    assert!(ended.status.success(), "{}", ended.stderr);
    let found: Vec<String> = rows(&ended.stdout)
        .iter()
        .map(|row| row["finding"].clone())
        .collect();

    let told = json!({
        "zone": "Europe/Brussels", "begins": first, "validity": VALIDITY_S, "checks": checks, "calls": calls,
    });
    let expected = computed(&told);
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(&expected).zip(&calls);
    let differences: Vec<_> = differences.filter(|((a, b), _)| a != b).collect();
    assert!(
        differences.is_empty(),
        "{} differences: {:?}",
        differences.len(),
        &differences[..3.min(differences.len())]
    );
    for finding in [
        "checked_clear",
        "checked_suppressed",
        "check_expired",
        "never_checked",
        "not_covered",
    ] {
        let count = found.iter().filter(|found| *found == finding).count();
        println!("{finding}: {count}");
        assert!(count > 20, "{finding}: {count}");
    }
}

/// The findings of the other program.
fn computed(told: &Value) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/autumn.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python
        .stdin
        .take()
        .unwrap()
        .write_all(told.to_string().as_bytes())
        .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}
