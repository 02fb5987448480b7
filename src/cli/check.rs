//! `metrust check`: what a dialler would be told about one number.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::client::{Patience, Target};
use super::number::{NotationArgs, typed};
use super::output::{plain, say};
use super::{Failure, Outcome};

/// The exit status that says: this number must not be called.
const SUPPRESS: u8 = 10;

/// Ask whether a number is opted out, as a dialler does; the question goes on record
///
/// Use the dialler's key (METRUST_KEY or --key-file): it is recorded who asked. `not listed` means
/// that the registry holds no opt-out for this seller and channel; whether a call is lawful it does
/// not say.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust check +32475123456 --seller sunny-telecom
  metrust check - --seller sunny-telecom < number.txt
  metrust check '0475 12 34 56' --region BE --seller sunny-telecom --channel text

Exit status:
  0    not listed
  10   suppress: the number must not be called
  1    no answer; the number must not be called
  2    the command line or the settings cannot be used, so no answer either")]
pub(super) struct Check {
    /// The number, best with its country code; in quotes if it has blanks; - reads it from standard
    /// input
    number: String,

    /// The id of the seller for whom the call would be made
    #[arg(long, value_name = "ID")]
    seller: String,

    /// How the person would be reached [default: voice]
    #[arg(long)]
    channel: Option<Channel>,

    #[command(flatten)]
    notation: NotationArgs,

    /// The campaign, in your own words; it goes on record
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,

    /// Your name for this question: repeated within a few minutes, it is the same check
    #[arg(long = "ref", value_name = "TEXT")]
    reference: Option<String>,

    /// Print the service's answer as JSON
    #[arg(long)]
    json: bool,

    /// What follows the number by mistake; taken up here, so that no error message repeats it
    #[arg(hide = true)]
    rest: Vec<String>,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Channel {
    /// A call
    Voice,
    /// A text message
    Text,
}

/// Nothing in it may be missing: an answer that is not understood is no answer.
#[derive(Deserialize)]
struct Answer {
    suppress: bool,
    reason: Option<String>,
    valid_until: String,
}

impl Answer {
    fn sentence(&self) -> String {
        let until = plain(&self.valid_until);
        if self.suppress {
            let reason = self
                .reason
                .as_deref()
                .map_or_else(String::new, |reason| format!(" ({})", plain(reason)));
            format!("suppress{reason}, valid until {until}")
        } else {
            format!("not listed, valid until {until}")
        }
    }
}

impl Check {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        if !self.rest.is_empty() {
            return Err(Failure::usage(
                "one number at a time; put a number with blanks in quotes",
            ));
        }
        let number = typed(&self.number)?;
        let client = self.target.client(data, Patience::Usual)?;
        let body = client.get("/v1/check", &self.query(&number))?;
        let answer: Answer = client.understand(&body)?;
        if self.json {
            say(&body)?;
        } else {
            say(&answer.sentence())?;
        }
        Ok(if answer.suppress {
            ExitCode::from(SUPPRESS)
        } else {
            ExitCode::SUCCESS
        })
    }

    fn query<'a>(&'a self, number: &'a str) -> Vec<(&'a str, &'a str)> {
        let channel = self.channel.map(|channel| match channel {
            Channel::Voice => "voice",
            Channel::Text => "text",
        });
        let given = [
            ("phone", Some(number)),
            ("seller", Some(&self.seller)),
            ("channel", channel),
            ("campaign", self.campaign.as_deref()),
            ("ref", self.reference.as_deref()),
        ];
        given
            .into_iter()
            .chain(self.notation.parameters())
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_worded_as_a_fact_and_never_as_a_permission() {
        let listed = r#"{"suppress":true,"reason":"all_sellers","valid_until":"T","id":"x"}"#;
        let listed: Answer = serde_json::from_str(listed).unwrap();
        assert_eq!(listed.sentence(), "suppress (all_sellers), valid until T");
        let free = r#"{"suppress":false,"reason":null,"valid_until":"T"}"#;
        let free: Answer = serde_json::from_str(free).unwrap();
        assert_eq!(free.sentence(), "not listed, valid until T");
    }

    #[test]
    fn an_answer_without_a_decision_is_no_answer() {
        for body in [
            r#"{"valid_until":"T"}"#,
            r#"{"suppress":"no","valid_until":"T"}"#,
            "0",
            "",
        ] {
            assert!(serde_json::from_str::<Answer>(body).is_err(), "{body}");
        }
    }
}
