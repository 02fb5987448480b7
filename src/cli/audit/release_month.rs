//! `metrust audit release-month`: giving away the key of a month's pseudonyms.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::openings::month;
use super::place::Place;
use crate::cli::client::{Patience, Target};
use crate::cli::output::{note, say};
use crate::cli::{Failure, Outcome, path_parser};
use crate::domain::Month;

/// The first line of a month's key as it is printed.
pub(super) const MONTH_KEY: &str = "metrust month key v1";

/// Release the key of a month, which opens every number's entries of that month
///
/// Whoever holds it and a copy of the log can tell, for any number, whether it was asked about in
/// that month and what happened to it; by trying all numbers, for all of them. For one number, a
/// regulator needs `metrust audit openings` only. The reason stays on record for everybody who may
/// read the log.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust audit release-month 2026-11 --reason 'court order of the regulator' --output november.key
  metrust audit find - --bundle evidence.tar.zst --month-key november.key")]
pub(super) struct ReleaseMonth {
    /// The month, as in 2026-11
    #[arg(value_parser = month)]
    month: Month,

    /// To whom and why; it stays on record, so without names and numbers of persons
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Write to this file instead of standard output; readable by its owner only
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    output: Option<PathBuf>,

    /// Replace the file of --output if it is there
    #[arg(long, requires = "output")]
    force: bool,

    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Released {
    month: String,
    key: String,
    commitment: String,
}

impl ReleaseMonth {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let place = match self.output.as_deref() {
            Some(file) => Some(Place::new(file, self.force)?),
            None => None,
        };
        let client = self.target.client(data, Patience::Usual)?;
        let path = format!("/v1/admin/months/{}/release", self.month);
        let answer = client.send("POST", &path, &json!({ "reason": self.reason }))?;
        let text = client.understand::<Released>(&answer)?.text(self.month)?;
        match &place {
            Some(place) => {
                place.write(&text)?;
                note(&format!("The key is in {}", place.file.display()));
            }
            None => say(&text)?,
        }
        note(&format!(
            "WARNING: this key opens the entries of EVERY number in {}, to whoever holds it and a \
             copy of the log. It cannot be called back: give it to nobody else. That it was \
             released, and why, is on record.",
            self.month
        ));
        Ok(ExitCode::SUCCESS)
    }
}

impl Released {
    /// The key as a file of its own, which says what it is.
    fn text(&self, asked: Month) -> Result<String, Failure> {
        let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if self.month != asked.to_string() || !hex(&self.key) || !hex(&self.commitment) {
            return Err(Failure::new(
                "the service answers, but not with the key of this month\n  remedy:     compare \
                 `metrust --version` on both sides",
            ));
        }
        Ok(format!(
            "{MONTH_KEY}\nmonth {}\nkey {}\ncommitment {}\n",
            self.month, self.key, self.commitment
        ))
    }
}
