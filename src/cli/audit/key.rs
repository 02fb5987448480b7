//! `metrust audit key`: the keys that verify the log, and changing to a new one.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::cli::client::{Patience, Target};
use crate::cli::output::{note, say};
use crate::cli::{Failure, Outcome};
use crate::domain::Moment;
use crate::log::Verifier;

/// Print the keys that verify the log, newest first; with --rotate, begin to sign with a new one
///
/// Printing takes no key of your own. Publish what it prints where nobody who breaks into this
/// service can change it: a newspaper, a law gazette, the regulator's own site. Whoever verifies
/// the log trusts these lines and nothing else.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust audit key
  metrust audit key --url https://dnc.example.org > published-keys.txt
  metrust audit key --rotate --overlap 60d")]
pub(super) struct Key {
    /// Begin to sign with a new key (takes the operator's key); that goes on record
    #[arg(long)]
    rotate: bool,

    /// How long the key before goes on signing beside the new one: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration, requires = "rotate")]
    overlap: Duration,

    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Rotated {
    keys: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    vkey: String,
}

impl Key {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        if self.rotate {
            self.rotate(data)?;
        } else {
            let client = self.target.service.client(data, Patience::Usual)?;
            let text = client.get("/log/vkeys", &[])?;
            say(&all(text.lines())?)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn rotate(&self, data: &Path) -> Result<(), Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let body = json!({ "overlap_s": self.overlap.as_secs() });
        let answer = client.send("POST", "/v1/admin/log/keys", &body)?;
        let rotated: Rotated = client.understand(&answer)?;
        say(&all(rotated.keys.iter().map(|key| key.vkey.as_str()))?)?;
        let until = Moment::now().plus(self.overlap);
        let beside = if self.overlap.is_zero() {
            "The key before signs no more: whoever trusts only that one cannot verify what comes from \
             now on."
                .to_owned()
        } else {
            format!("The key before goes on signing beside it until {until}.")
        };
        note(&format!(
            "A new key signs the log from now on; it stands first for each log. {beside}\n\
             What to do next:\n  \
             1. Publish the lines above where you published the key before, before that time.\n  \
             2. Tell whoever verifies the log, and its witnesses, to trust the new key as well.\n  \
             3. Leave the older lines published: what they signed is verified with them for as \
             long as it is kept."
        ));
        Ok(())
    }
}

/// The keys, one a line; anything that is none was not said by a metrust.
fn all<'a>(keys: impl Iterator<Item = &'a str>) -> Result<String, Failure> {
    let mut lines = String::new();
    for key in keys {
        let key = Verifier::parse(key).map_err(|_| {
            Failure::new(
                "what answers does not list the keys of a log\n  remedy:     look whether the \
                 address is right, and compare `metrust --version` on both sides",
            )
        })?;
        lines.push_str(&format!("{key}\n"));
    }
    Ok(lines)
}

/// The longest overlap: by then nobody knows the older key any more.
const LONGEST: u64 = 10 * 366 * 86_400;

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with s, m, h or d, such as 30d; ten years at most".to_owned();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "" if number == 0 => 1,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= LONGEST)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        for (text, seconds) in [
            ("30d", 2_592_000),
            ("12h", 43_200),
            ("90m", 5400),
            ("5s", 5),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in [
            "",
            "d",
            "30",
            "30w",
            "-1d",
            "1.5d",
            "5000d",
            "99999999999999999999d",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
