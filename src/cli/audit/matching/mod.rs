//! `metrust audit match`: call-detail records in, the same records with what is on record about
//! each call out.

mod rows;
mod sending;
mod summary;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use self::rows::Rows;
use self::sending::Sending;
use self::summary::{Form, Summary};
use super::place::Place;
use super::stream::{deliver, whole_can_be_told};
use crate::cli::client::{Patience, Target, good};
use crate::cli::number::NotationArgs;
use crate::cli::output::{note, plain};
use crate::cli::{Failure, Outcome, path_parser};

const PATH: &str = "/v1/audit/match";

/// The exit status where some rows cannot be read.
const UNREADABLE: u8 = 4;

/// The status of an answer to records without a single row: everything else was in order.
const NO_ROWS: u16 = 422;

/// Match call-detail records with the audit: was each number checked before it was called?
///
/// It takes the key of a regulator or an operator. The table is sent to the service as it is (CSV,
/// whatever its length) and comes back with a finding for each row; how many there are of each, by
/// agency, is told on standard error. Matching is on record: the audit names the key that was used
/// and the SHA-256 of the records, but keeps nothing of them.
///
/// The columns are found by their usual names. Say which they are where that fails: by name, or by
/// position, counted from 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust audit match november.csv --region BE --time-zone Europe/Brussels --output matched.csv
  metrust audit match cdr.csv.gz --heading no --called 3 --time 10 --time-zone +01:00 \\
    --default-agency ring-ring --format ndjson | jq 'select(.finding == \"never_checked\")'

Exit status: 0 all rows are matched, whatever was found; 1 failed, INCOMPLETE, or none of the rows can
be read; 2 the command line cannot be used; 4 all rows are there, but some cannot be read.")]
pub(super) struct Match {
    /// The records, as CSV with one call a row; - for standard input
    #[arg(value_name = "FILE|-", value_parser = path_parser())]
    file: PathBuf,

    /// The switch that wrote a file without a heading: its Master.csv
    #[arg(long, value_name = "asterisk|freeswitch", help_heading = "The records",
        value_parser = ["asterisk", "freeswitch"], conflicts_with_all = ["called", "time", "heading"])]
    preset: Option<String>,

    /// The column of the number that was called
    #[arg(long, value_name = "COLUMN", help_heading = "The records")]
    called: Option<String>,

    /// The column of the time of the call
    #[arg(long, value_name = "COLUMN", help_heading = "The records")]
    time: Option<String>,

    /// The column of the agency that called
    #[arg(long, value_name = "COLUMN", help_heading = "The records")]
    agency: Option<String>,

    /// The column of the seller for whom it called
    #[arg(long, value_name = "COLUMN", help_heading = "The records")]
    seller: Option<String>,

    /// The agency of rows that name none
    #[arg(long, value_name = "ID", help_heading = "The records")]
    default_agency: Option<String>,

    /// The seller of rows that name none
    #[arg(long, value_name = "ID", help_heading = "The records")]
    default_seller: Option<String>,

    /// The sheet of a spreadsheet (.xlsx, .xls, .ods) [default: the first one]
    #[arg(long, value_name = "NAME", help_heading = "The records")]
    sheet: Option<String>,

    /// Whether the first row names the columns [default: yes]
    #[arg(long, value_name = "yes|no", help_heading = "The records", value_parser = ["yes", "no"])]
    heading: Option<String>,

    /// What stands between columns: one character, or `tab` [default: what the first line has]
    #[arg(long, value_name = "CHARACTER", help_heading = "The records")]
    delimiter: Option<String>,

    #[command(flatten, next_help_heading = "The records")]
    notation: NotationArgs,

    /// The zone of times that do not say theirs, as in Europe/Brussels or +01:00; without it, such
    /// times are not read
    #[arg(
        long,
        value_name = "ZONE",
        allow_hyphen_values = true,
        help_heading = "The records"
    )]
    time_zone: Option<String>,

    /// In which order day and month stand where they could be either (05/11/2026)
    #[arg(long, value_name = "dmy|mdy", help_heading = "The records", value_parser = ["dmy", "mdy"])]
    date_format: Option<String>,

    /// Digits that the switch puts before every number that it dials, to be left out
    #[arg(long, value_name = "DIGITS", help_heading = "The records")]
    strip_prefix: Option<String>,

    /// How long a check may be used, as in 24h [default: the service's check.validity_s]
    #[arg(long, value_name = "DURATION", value_parser = seconds, help_heading = "The rules")]
    validity: Option<u64>,

    /// How much later than the call a check may be, for records with whole seconds [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = seconds, help_heading = "The rules")]
    tolerance: Option<u64>,

    /// How long before the call a check is looked for, in whole days [default: 31d]
    #[arg(long, value_name = "DURATION", value_parser = days, help_heading = "The rules")]
    look_back: Option<u64>,

    /// The form of the rows that come back
    #[arg(long, default_value = "csv")]
    format: Format,

    /// Write the rows to this file, readable by its owner only [default: -, standard output]
    #[arg(long, value_name = "FILE|-", value_parser = path_parser())]
    output: Option<PathBuf>,

    /// Write the counts to this file too: CSV or JSON, as its name ends
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    summary: Option<PathBuf>,

    /// Replace the files of --output and --summary if they are there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The table that was sent, with columns added
    Csv,
    /// One JSON object a line
    Ndjson,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

impl Match {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let form = self.summary.as_deref().map(Form::of).transpose()?;
        let output = self.place(self.output.as_deref())?;
        let counts = self.place(self.summary.as_deref())?;
        let mut sending = Sending::open(&self.file, self.sheet.as_deref())?;
        let client = self.target.client(data, Patience::Match)?;
        let query = self.query(sending.delimiter);
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        // What can be refused without the records is refused before they are sent: a refusal in
        // the middle of them would be lost with the connection.
        let asked = client.upload(PATH, &query, &mut io::empty())?;
        if asked.status().as_u16() != NO_ROWS {
            good(asked)?;
        }
        let answered = client.upload(PATH, &query, &mut sending);
        let response = good(answered.map_err(|failure| sending.broke_off(&failure))?)?;
        whole_can_be_told(&response, self.format.media_type())?;
        let columns = response.headers().get("Match-Columns");
        if let Some(columns) = columns.and_then(|columns| columns.to_str().ok()) {
            note(&format!("columns: {}", plain(columns)));
        }
        let visible = self.output.is_some() || !io::stdout().is_terminal();
        let bar = sending.receiving(visible);
        let mut rows = Rows::new(response.into_body().into_reader(), self.format, bar);
        if !deliver(&mut rows, output.as_ref())? {
            return Ok(ExitCode::SUCCESS);
        }
        let summary = rows.into_summary();
        let summary = Summary::read(&summary, self.format).ok_or_else(|| {
            Failure::new(
                "the rows are complete, but their counts are not in the form that this metrust \
                 understands\n  remedy:     compare `metrust --version` on both sides",
            )
        })?;
        if let (Some(place), Some(form)) = (&counts, form) {
            deliver(&mut &*summary.as_file(form)?, Some(place))?;
        }
        note(&summary.in_words());
        Ok(match summary.unreadable() {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::from(UNREADABLE),
        })
    }

    fn place<'a>(&self, file: Option<&'a Path>) -> Result<Option<Place<'a>>, Failure> {
        let file = file.filter(|file| *file != Path::new("-"));
        file.map(|file| Place::new(file, self.force)).transpose()
    }

    fn query(&self, delimiter: Option<u8>) -> Vec<(&'static str, String)> {
        let delimiter = delimiter.map(|sign| char::from(sign).to_string());
        let text = |value: &Option<String>| value.clone();
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let given = [
            ("preset", text(&self.preset)),
            ("called", text(&self.called)),
            ("time", text(&self.time)),
            ("agency", text(&self.agency)),
            ("seller", text(&self.seller)),
            ("default_agency", text(&self.default_agency)),
            ("default_seller", text(&self.default_seller)),
            ("heading", text(&self.heading)),
            ("delimiter", delimiter.or_else(|| text(&self.delimiter))),
            ("time_zone", text(&self.time_zone)),
            ("date_format", text(&self.date_format)),
            ("strip_prefix", text(&self.strip_prefix)),
            ("validity_s", number(self.validity)),
            ("tolerance_s", number(self.tolerance)),
            ("look_back_days", number(self.look_back)),
            ("format", Some(self.format.name().to_owned())),
        ];
        let notation = self.notation.parameters();
        let notation = notation.map(|(name, value)| (name, value.map(str::to_owned)));
        given
            .into_iter()
            .chain(notation)
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// Reads a length of time: a number and s, m, h, d or w.
fn seconds(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "it must be a whole number with s, m, h, d or w behind it, as in 24h";
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or(WRONG)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return Err(WRONG),
    };
    let number = Some(number).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|text| text.parse::<u64>().ok());
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or(WRONG)
}

fn days(text: &str) -> Result<u64, &'static str> {
    match seconds(text)? {
        seconds if seconds.is_multiple_of(DAY) => Ok(seconds / DAY),
        _ => Err("it must be whole days, as in 31d"),
    }
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_a_unit() {
        for (text, means) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("24h", 86_400),
            ("31d", 31 * DAY),
            ("2w", 14 * DAY),
        ] {
            assert_eq!(seconds(text), Ok(means), "{text}");
        }
        for text in [
            "",
            "h",
            "24",
            "+1h",
            "-1h",
            "1.5h",
            "1 h",
            "1H",
            "1é",
            "99999999999999999w",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(days("48h"), Ok(2));
        assert_eq!(days("1w"), Ok(7));
        assert!(days("36h").is_err());
    }
}
