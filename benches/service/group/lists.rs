//! Long lists, and bringing them into a registry.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Result;
use crate::numbers;
use crate::program::run;
use crate::server::metrust::{Metrust, SELLER};
use crate::site::Site;

/// The list of all numbers that are opted out, made once.
pub fn list(site: &Site, count: u64) -> Result<PathBuf> {
    let path = site.path("list.csv");
    if !path.exists() {
        eprintln!("writing a list of {count} numbers");
        numbers::write_list(&path, count)?;
    }
    Ok(path)
}

/// Whether this build has a command.
pub fn has_command(service: &Metrust, name: &str) -> bool {
    // A name that is unknown is a command line that cannot be used: status 2.
    service.cli(&[name, "--help"]).is_ok()
}

/// Imports a list for all sellers, and sees that its numbers are suppressed and no others; gives
/// the time that the import took.
pub fn import(service: &Metrust, list: &Path, count: u64) -> Result<Duration> {
    let mut command = service.command(&["import"]);
    command.arg(list);
    command.args(["--source", "bench", "--all-sellers"]);
    let begun = Instant::now();
    run(&mut command)?;
    let time = begun.elapsed();
    let sample = (0..1_000).map(|n| numbers::number(n * (count / 1_000)));
    expect(service, sample.collect(), "suppress")?;
    expect(
        service,
        (0..1_000).map(numbers::clear).collect(),
        "not_listed",
    )?;
    Ok(time)
}

fn expect(service: &Metrust, numbers: Vec<String>, expected: &str) -> Result<()> {
    let count = numbers.len();
    let body = serde_json::json!({ "seller": SELLER, "numbers": numbers });
    let answer = service.post("/v1/checks", &body)?;
    let results = answer
        .pointer("/results")
        .and_then(|results| results.as_array());
    let rows = results.into_iter().flatten();
    let right = rows.filter(|row| row["answer"] == expected).count();
    match right == count {
        true => Ok(()),
        false => Err(format!("{right} of {count} numbers are {expected} after the import").into()),
    }
}
