//! `metrust audit export`: the entries, from the running service; as lines, or as a bundle of
//! evidence.

mod bundle;
mod download;
mod files;
mod lines;
mod part;
mod span;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::client::Target;
use crate::cli::number::{NotationArgs, typed};
use crate::cli::{Failure, Outcome, path_parser};
use crate::domain::Op;
use crate::log::LogName;

/// Export the entries as lines, or with --bundle as evidence that anybody can verify
///
/// As lines it gives the entries, oldest first, as one JSON object a line or as CSV, and streams:
/// the length does not matter. With --bundle it gives the sealed log itself: entries, hashes and
/// signed checkpoints, with the programs that verify them.
///
/// It takes the key of a regulator or an operator. An export that breaks off says so and ends with
/// status 1; its file or folder appears only when it is complete.
#[derive(Debug, Args)]
#[command(after_help = "\
A number given with --phone can be seen by others on the machine and stays in the history of the
shell; --phone - reads it from standard input.

Examples:
  metrust audit export --from 2026-11-01 --to 2026-12-01 --output november.ndjson
  metrust audit export --seller sunny-telecom --op check --format csv > checks.csv
  metrust audit export --phone - < number.txt | jq .
  metrust audit export --output all.ndjson --resume            goes on where it broke off
  metrust audit export --bundle evidence.tar.zst --log 2026
  metrust audit export --bundle case-17/ --from 2026-11-01 --to 2026-11-08 --phone - < number.txt")]
pub(super) struct Export {
    /// From this date or RFC 3339 time on (UTC)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Up to, and without, this date or RFC 3339 time (UTC)
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Entries of this agency
    #[arg(long, value_name = "ID")]
    agency: Option<String>,

    /// Entries about this seller; `all` for opt-outs from every seller
    #[arg(long, value_name = "ID")]
    seller: Option<String>,

    /// Entries of this kind
    #[arg(long, value_parser = Op::ALL.map(Op::as_str))]
    op: Option<String>,

    /// Checks with this answer
    #[arg(long, value_parser = ["suppress", "not_listed", "invalid"])]
    answer: Option<String>,

    /// Entries about this number, which goes on record; - reads it from standard input. In a
    /// bundle: its openings, too
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,

    #[command(flatten)]
    notation: NotationArgs,

    /// The form of the entries
    #[arg(long, default_value = "ndjson")]
    format: Format,

    /// Write to this file instead of standard output; readable by its owner only
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    output: Option<PathBuf>,

    /// Replace the file of --output, or of --bundle, if it is there
    #[arg(long)]
    force: bool,

    /// Go on behind the last whole line of an export to the same file that broke off; the filters
    /// must be the same
    #[arg(long, requires = "output", conflicts_with = "phone")]
    resume: bool,

    /// Make a bundle of the sealed log in this folder; or in one file, if the name ends with
    /// .tar.zst. It is verified before it gets its name
    #[arg(
        long,
        value_name = "DIR|FILE",
        value_parser = path_parser(),
        conflicts_with_all = ["agency", "seller", "op", "answer", "format", "output", "resume"]
    )]
    bundle: Option<PathBuf>,

    /// A log to put into the bundle, as in 2026; may be repeated [default: all of them]
    #[arg(long = "log", value_name = "LOG", requires = "bundle")]
    logs: Vec<LogName>,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One canonical JSON entry a line
    Ndjson,
    /// A table with a heading
    Csv,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

impl Export {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        if self.force && self.output.is_none() && self.bundle.is_none() {
            return Err(Failure::usage("--force goes with --output or --bundle"));
        }
        let number = self.phone.as_deref().map(typed).transpose()?;
        match &self.bundle {
            Some(bundle) => self.make_bundle(data, bundle, number.as_deref()),
            None => self.write_lines(data, number.as_deref()),
        }
    }

    /// What to ask for; the number last, if there is one.
    fn query<'a>(&'a self, number: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
        let given = [
            ("format", Some(self.format.name())),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("agency", self.agency.as_deref()),
            ("seller", self.seller.as_deref()),
            ("op", self.op.as_deref()),
            ("answer", self.answer.as_deref()),
            ("phone", number),
        ];
        given
            .into_iter()
            .chain(self.notation.parameters())
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}
