//! `metrust audit openings`: what lets a regulator find one number in any copy of the log.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::place::Place;
use crate::cli::client::{Client, Patience, Target};
use crate::cli::number::{NotationArgs, typed};
use crate::cli::output::{note, say};
use crate::cli::{Failure, Outcome, path_parser};
use crate::domain::{Moment, Month};
use crate::log::Note;
use crate::service::record::opening::OPENINGS;

/// Get the openings of a number, which find its entries in any copy of the log
///
/// The log names a number by another pseudonym each month. The opening of a month lets its holder
/// compute that one pseudonym, and nobody else's. It takes the key of a regulator or an operator;
/// that you asked goes on record, under the number's pseudonyms.
#[derive(Debug, Args)]
#[command(after_help = "\
A NUMBER on the command line can be seen by others on the machine and stays in the history of the
shell; with - it is read from standard input.

Examples:
  metrust audit openings - --output openings.txt < number.txt
  metrust audit openings +32475123456 --month 2026-10 --month 2026-11
  metrust audit find - --bundle evidence.tar.zst --openings openings.txt < number.txt")]
pub(super) struct Openings {
    /// The number, best with its country code; - reads it from standard input
    number: String,

    /// A month to open, as in 2026-11; may be repeated [default: every month there is]
    #[arg(long = "month", value_name = "MONTH", value_parser = month)]
    months: Vec<Month>,

    #[command(flatten)]
    notation: NotationArgs,

    /// Write to this file instead of standard output; readable by its owner only
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    output: Option<PathBuf>,

    /// Replace the file of --output if it is there
    #[arg(long, requires = "output")]
    force: bool,

    /// What follows the number by mistake; taken up here, so that no error message repeats it
    #[arg(hide = true)]
    rest: Vec<String>,

    #[command(flatten)]
    target: Target,
}

impl Openings {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        if !self.rest.is_empty() {
            return Err(Failure::usage(
                "one number at a time; put a number with blanks in quotes",
            ));
        }
        let number = typed(&self.number)?;
        let place = match self.output.as_deref() {
            Some(file) => Some(Place::new(file, self.force)?),
            None => None,
        };
        let client = self.target.client(data, Patience::Usual)?;
        let text = get(&client, &number, &self.notation, &self.months)?;
        match &place {
            Some(place) => {
                place.write(&text)?;
                note(&format!("The openings are in {}", place.file.display()));
            }
            None => say(&text)?,
        }
        note("That you opened this number is on record.");
        Ok(ExitCode::SUCCESS)
    }
}

/// The signed text with the openings of a number; an empty list of months means all of them.
pub(super) fn get(
    client: &Client,
    number: &str,
    notation: &NotationArgs,
    months: &[Month],
) -> Result<String, Failure> {
    let months: Vec<String> = months.iter().map(ToString::to_string).collect();
    let mut body = json!({ "phone": number, "months": months });
    notation.add_to(&mut body);
    let text = client.send("POST", "/v1/audit/openings", &body)?;
    match Note::parse(text.as_bytes()) {
        Ok(note) if note.text.starts_with(OPENINGS) => Ok(text),
        _ => Err(Failure::new(
            "the service answers, but not with openings\n  remedy:     compare `metrust --version` \
             on both sides",
        )),
    }
}

/// When a service gave out these openings, by its own clock.
pub(super) fn given_at(text: &str) -> Option<Moment> {
    text.lines().nth(2)?.strip_prefix("time ")?.parse().ok()
}

/// Reads a month of the command line.
pub(super) fn month(text: &str) -> Result<Month, &'static str> {
    text.parse().map_err(|_| "write it like 2026-11")
}
