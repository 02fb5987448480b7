//! `metrust audit prune`: dropping the entries of years that need not be kept any longer.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::client::{Patience, Target};
use crate::cli::output::{plain, say};

/// Drop the entries of years that are over and need not be kept any longer
///
/// It cannot be undone, and asks nothing. Hashes and signed checkpoints stay, so a receipt or a
/// bundle that somebody kept can still be verified; that the entries were dropped goes on record.
/// Years that the setting audit.keep_years protects are refused, and then nothing is dropped.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust audit export --bundle 2019.tar.zst --log 2019        keeps a copy elsewhere first
  metrust audit prune --before 2020")]
pub(super) struct Prune {
    /// The first year whose entries stay
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1970..=9999))]
    before: u16,

    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Pruned {
    pruned: Vec<Dropped>,
}

#[derive(Deserialize)]
struct Dropped {
    log: String,
    entries: u64,
}

#[derive(Deserialize)]
struct Logs {
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    name: String,
    size: u64,
    dropped: bool,
}

impl Prune {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let client = self.target.client(data, Patience::Work)?;
        let body = json!({ "before": self.before });
        let answer = client.send("POST", "/v1/admin/log/prune", &body)?;
        let now: Pruned = client.understand(&answer)?;
        let all: Logs = client.get_as("/log/logs.json")?;
        say(&in_words(self.before, &now.pruned, &all.logs))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn in_words(before: u16, now: &[Dropped], all: &[Log]) -> String {
    let mut text = String::new();
    for Dropped { log, entries } in now {
        text.push_str(&format!(
            "Dropped: the {entries} entries of {}\n",
            plain(log)
        ));
    }
    if now.is_empty() {
        text.push_str(&format!(
            "Nothing to drop: no log from before {before} has entries\n"
        ));
    }
    // The service lists the newest first.
    for Log {
        name,
        size,
        dropped,
    } in all.iter().rev()
    {
        let what = if *dropped {
            "the hashes and checkpoints of"
        } else {
            "all of"
        };
        text.push_str(&format!("Stays: {what} {} ({size} entries)\n", plain(name)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_and_what_stays_is_told_oldest_first() {
        let log = |name: &str, dropped| Log {
            name: name.to_owned(),
            size: 7,
            dropped,
        };
        let now = [Dropped {
            log: "2019".to_owned(),
            entries: 7,
        }];
        let all = [log("2020", false), log("2019", true)];
        assert_eq!(
            in_words(2020, &now, &all),
            "Dropped: the 7 entries of 2019\n\
             Stays: the hashes and checkpoints of 2019 (7 entries)\n\
             Stays: all of 2020 (7 entries)\n"
        );
        assert!(in_words(2020, &[], &all).starts_with("Nothing to drop"));
    }
}
