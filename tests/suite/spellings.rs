//! Every number of every region, in every spelling that people and programs have: none is read as
//! another number, and few are refused. What is compared with is libphonenumber, in Python.

use std::collections::BTreeMap;
use std::process::Command;

use metrust::domain::{PhoneError, PhoneNumber, Region, metadata_version};

use crate::harness::rounds::rounds;

const SEED: &str = "20261130";

/// Of these kinds at most one in two hundred is refused.
const USUAL: [&str; 5] = ["international", "national", "rfc3966", "00", "bracketed"];

/// What became of the spellings of one kind.
#[derive(Default)]
struct Tally {
    read: u64,
    refused: BTreeMap<&'static str, u64>,
    /// An example of each reason.
    examples: BTreeMap<&'static str, String>,
    wrong: Vec<String>,
}

impl Tally {
    fn all(&self) -> u64 {
        self.read + self.refused.values().sum::<u64>() + self.wrong.len() as u64
    }
}

#[test]
fn no_spelling_of_a_number_is_read_as_another_one_long_spellings() {
    let numbers = rounds("spellings", 3, 45);
    let python = std::env::var("METRUST_SPELLINGS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/target/spellings").to_owned());
    let output = Command::new(format!("{python}/bin/python"))
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/suite/spellings.py"
        ))
        .args([&numbers.to_string(), SEED])
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .expect("tests/run installs the Python package phonenumbers");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut kinds = BTreeMap::<String, Tally>::new();
    let mut known = BTreeMap::<String, Result<PhoneNumber, PhoneError>>::new();
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines();
    // Older or newer plans have other numbers.
    assert_eq!(lines.next(), Some(metadata_version()));
    for line in lines {
        let cells: Vec<&str> = line.splitn(5, '\t').collect();
        let [number, others, region, kind, spelling] = cells.as_slice() else {
            panic!("{line}");
        };
        let forms = || std::iter::once(*number).chain(others.split(','));
        let expected = known
            .entry((*number).to_owned())
            .or_insert_with(|| PhoneNumber::parse(number, None));
        // What the number is itself, in one of its forms.
        if let Ok(read) = expected {
            assert!(
                forms().any(|form| form == read.e164()),
                "{number} is not {}",
                read.e164()
            );
        }
        let tally = kinds.entry((*kind).to_owned()).or_default();
        match PhoneNumber::parse(spelling, Region::parse(region).ok()) {
            Ok(read) if Ok(read) == *expected => tally.read += 1,
            Ok(read) if forms().any(|form| form == read.e164()) => tally.read += 1,
            Ok(read) => tally.wrong.push(format!(
                "{spelling:?} in {region}: {} for {number}",
                read.e164()
            )),
            Err(error) => {
                *tally.refused.entry(error.code()).or_default() += 1;
                let example = || format!("{spelling:?} in {region} ({number})");
                tally.examples.entry(error.code()).or_insert_with(example);
            }
        }
    }
    let all: u64 = kinds.values().map(Tally::all).sum();
    println!("{} numbers, {all} spellings", known.len());
    for (kind, tally) in &kinds {
        println!(
            "{kind}: {} read, refused {:?}, {} wrong",
            tally.read,
            tally.refused,
            tally.wrong.len()
        );
        for (reason, example) in &tally.examples {
            println!("    {reason}: {example}");
        }
        for wrong in tally.wrong.iter().take(20) {
            println!("    WRONG {wrong}");
        }
    }
    let wrong: Vec<_> = kinds.values().flat_map(|tally| &tally.wrong).collect();
    assert!(
        wrong.is_empty(),
        "{} are read as another number: {:?}",
        wrong.len(),
        &wrong[..5.min(wrong.len())]
    );
    let usual = || kinds.iter().filter(|(kind, _)| USUAL.contains(&&***kind));
    let refused: u64 = usual()
        .map(|(_, tally)| tally.refused.values().sum::<u64>())
        .sum();
    let usual: u64 = usual().map(|(_, tally)| tally.all()).sum();
    assert!(
        refused * 200 <= usual,
        "{refused} of {usual} usual spellings are refused"
    );
}
