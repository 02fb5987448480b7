//! `metrust register`: the operator registers for a person who cannot use a page.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::client::{Patience, Target};
use super::number::{NotationArgs, typed_all};
use super::output::{note, plain, say};
use super::{Failure, Outcome};

const PATH: &str = "/v1/admin/registrations";

/// Opt numbers out for a person who cannot use the page; who did it, and why, goes on record
///
/// Prints the reference code. Hand it over to the person: it alone opens and ends the opt-out, and
/// nobody can look it up again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust register --on-behalf-of-person --reason 'asked by letter' +32475123456
  metrust register --on-behalf-of-person --reason 'asked at the town hall' --region BE - < numbers.txt
  metrust register --on-behalf-of-person --reason 'asked by phone' --seller sunny-telecom -")]
pub(super) struct Register {
    /// The numbers, best with their country code; in quotes if they have blanks; - reads them from
    /// standard input, one a line
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<String>,

    /// Says that a person asked for this, and that you enter it for them
    #[arg(long, required = true)]
    on_behalf_of_person: bool,

    /// Why, in your words: 1 to 200 characters, without a number or a name; it stays on record
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Only for this seller; may be given several times [default: every seller]
    #[arg(long = "seller", value_name = "ID")]
    sellers: Vec<String>,

    /// Only calls, or only text messages [default: both]
    #[arg(long)]
    channel: Option<Channel>,

    #[command(flatten)]
    notation: NotationArgs,

    /// Your name for this registration: sent again with the same numbers, it is the same one
    #[arg(long = "ref", value_name = "TEXT")]
    reference: Option<String>,

    /// Print the service's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Channel {
    /// Calls
    Voice,
    /// Text messages
    Text,
}

#[derive(Deserialize)]
struct Made {
    reference: String,
    effective_at: String,
    numbers: usize,
}

impl Register {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        if !self.on_behalf_of_person {
            return Err(Failure::usage(
                "this is for opt-outs that a person asked for",
            ));
        }
        let numbers = typed_all(&self.numbers)?;
        let client = self.target.client(data, Patience::Usual)?;
        let mut body = json!({
            "numbers": numbers,
            "sellers": "all",
            "reason": self.reason,
        });
        if !self.sellers.is_empty() {
            body["sellers"] = json!(self.sellers);
        }
        match self.channel {
            Some(Channel::Voice) => body["channels"] = json!(["voice"]),
            Some(Channel::Text) => body["channels"] = json!(["text"]),
            None => {}
        }
        self.notation.add_to(&mut body);
        if let Some(reference) = &self.reference {
            body["ref"] = json!(reference);
        }
        let answer = client.send("POST", PATH, &body)?;
        if self.json {
            say(&answer)?;
        } else {
            let made: Made = client.understand(&answer)?;
            say(&plain(&made.reference))?;
            note(&format!(
                "{} number(s) opted out since {}. The line above is the person's reference code: \
                 hand it over now, nobody can look it up again.",
                made.numbers,
                plain(&made.effective_at)
            ));
        }
        Ok(std::process::ExitCode::SUCCESS)
    }
}
