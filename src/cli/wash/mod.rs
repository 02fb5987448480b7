//! `metrust wash`: a whole calling list asked about, row by row.
//!
//! * `list`: the list in pieces of whole rows.
//! * `flight`: rows that were sent and are not answered yet; they are sent again if a connection
//!   breaks.
//! * `connection`: one request, whose answer is read while its body is still being sent.
//! * `answered`: rows as they come back, matched with those that were sent.
//! * `work`: request after request until all is done.
//! * `output`, `progress`: where the rows go, and how far they have come.
//! * `receipts`: the proofs.

mod answered;
mod connection;
mod flight;
mod list;
mod output;
mod progress;
mod receipts;
mod work;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::client::{Patience, Target};
use super::number::NotationArgs;
use super::output::note;
use super::source::Source;
use super::{Failure, Outcome, path_parser, yes_or_no};
use crate::domain::Notation;
use crate::service::wash::ADDED;
use crate::table::{Column, Encoding, Form, MOST_ROWS, Wanted};
use list::List;
use output::Destination;
use progress::Progress;
use work::{Question, Work};

/// Wash a calling list: every row comes back, in order, with its answer behind it
///
/// Each row is a check of its own and goes on record, so use the dialler's key (METRUST_KEY or
/// --key-file). `answer` is suppress (must not be called), not_listed or invalid (no number that can
/// be read: must not be called either); `valid_until` says until when it may be used at the latest.
///
/// Whatever happens on the way, a list that is not complete never gets its name: until then it lies
/// beside it, with `.partial` at its end. A connection that breaks is taken up again by itself; a
/// command that ended is, by running it again. Proxies (HTTPS_PROXY) are not used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust wash list.csv --seller sunny-telecom
  metrust wash list.csv --seller sunny-telecom --only-clear --output may-be-dialled.csv
  metrust wash list.xlsx --sheet Leads --seller sunny-telecom --output washed.csv
  zcat list.gz | metrust wash - --seller sunny-telecom --column 3 --region BE > washed.csv

Exit status:
  0    every row is answered, whatever the answers
  1    failed: the list cannot be read, or the service refuses it
  2    the command line or the settings cannot be used
  3    not finished; run it again and it goes on where it stopped")]
pub(super) struct Wash {
    /// The list: CSV, a spreadsheet (.xlsx, .xls, .ods), one number a line (.txt) or JSON objects
    /// (.ndjson, .jsonl), also packed (.gz, .zst); - for standard input
    #[arg(value_name = "FILE|-", value_parser = path_parser())]
    file: PathBuf,

    /// The id of the seller for whom the calls would be made
    #[arg(long, value_name = "ID")]
    seller: String,

    /// How the people would be reached [default: voice]
    #[arg(long)]
    channel: Option<Channel>,

    #[command(flatten)]
    notation: NotationArgs,

    /// The column of each row's country: two letters, or a country code [default: --region for all]
    #[arg(long, value_name = "COLUMN", help_heading = "The list")]
    region_column: Option<String>,

    /// The campaign, in your own words; it goes on record
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,

    /// The sheet of a spreadsheet (.xlsx, .xls, .ods) [default: the first one]
    #[arg(long, value_name = "NAME", help_heading = "The list")]
    sheet: Option<String>,

    /// The form of the list [default: as the file's name ends, else csv]
    #[arg(long, help_heading = "The list")]
    format: Option<Format>,

    /// The column (or the JSON member) of the number: its name, or its position from 1; several with
    /// commas between them, and a row is suppressed if one of its numbers is; 1+2 is one number in
    /// two columns [default: every one named as that of a phone number usually is]
    #[arg(long, value_name = "COLUMN", help_heading = "The list")]
    column: Option<String>,

    /// What stands between columns: one character, or `tab` [default: what the first row has]
    #[arg(long, value_name = "CHARACTER", help_heading = "The list", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// Whether the first row names the columns [default: found out]
    #[arg(long, value_name = "yes|no", help_heading = "The list", value_parser = yes_or_no)]
    heading: Option<bool>,

    /// How characters beyond ASCII are written [default: found out]
    #[arg(long, value_name = "utf-8|windows-1252", help_heading = "The list", value_parser = encoding)]
    encoding: Option<Encoding>,

    /// Write only the rows that nobody opted out of (not_listed)
    #[arg(long, conflicts_with = "only_suppressed")]
    only_clear: bool,

    /// Write only the rows that must not be called (suppress)
    #[arg(long)]
    only_suppressed: bool,

    /// Write to this file, or with - to standard output; a spreadsheet if it ends in .xlsx, else text
    /// [default: NAME.washed.EXTENSION beside the list; standard output for standard input]
    #[arg(long, value_name = "FILE|-", value_parser = path_parser())]
    output: Option<PathBuf>,

    /// Write the signed receipts to this file, one JSON object a line [default: the output's name
    /// with .receipts.ndjson at its end; none for standard output]
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    receipts: Option<PathBuf>,

    /// Replace the output and the receipts if they are there
    #[arg(long)]
    force: bool,

    /// Begin anew, even where an earlier run could go on
    #[arg(long)]
    restart: bool,

    /// For how many seconds a broken connection is taken up again without any progress
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Csv,
    /// One number a line
    Lines,
    /// One JSON object a line
    Ndjson,
}

/// Which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    All,
    Clear,
    Suppressed,
}

impl Wash {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let client = self.target.client(data, Patience::Usual)?;
        let wanted = self.wanted()?;
        let destination = Destination::of(
            &self.file,
            self.output.as_deref(),
            self.receipts.as_deref(),
            self.force,
        )?;
        if destination.is_sheet() && wanted.form != Form::Csv {
            return Err(Failure::usage("only a table becomes a spreadsheet"));
        }
        let question = self.question();
        let asked = format!("{question:?} {wanted:?} {:?} {:?}", self.only(), self.sheet);
        let mut progress = Progress::of(&destination, &self.file, &asked, self.restart)?;
        let notation = Notation::from(&self.notation);
        // Of some of the rows nobody knows beforehand how many there will be.
        let whole_sheet = destination.is_sheet() && self.only() == Only::All;
        let list = List::open(
            &self.file,
            self.sheet.as_deref(),
            &wanted,
            notation,
            progress.done().offset,
            whole_sheet.then_some(MOST_ROWS),
        )?;
        let output = destination.open(progress.done())?;
        let mut work = Work::new(&client, &list, question, self.only(), output)?;
        let done = work.run(list, &mut progress, Duration::from_secs(self.patience));
        let washes = progress.done().washes.clone();
        if let Err(failure) = done {
            return Err(progress.unfinished(failure, &destination));
        }
        let counts = progress.done().counts;
        // The rows are complete when everything else is.
        let told = receipts::fetch(&client, &washes, counts.rows(), destination.receipts()?)?;
        if !work.finish(&destination, &progress)? {
            // Whoever reads this has enough, as `head` does.
            return Ok(ExitCode::SUCCESS);
        }
        note(&format!(
            "{}: {}{told}",
            destination.complete(),
            counts.in_words()
        ));
        if counts.invalid > 0 {
            note(&format!(
                "{} rows hold no number that can be read; they must not be called either",
                counts.invalid
            ));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn only(&self) -> Only {
        match (self.only_clear, self.only_suppressed) {
            (true, _) => Only::Clear,
            (_, true) => Only::Suppressed,
            _ => Only::All,
        }
    }

    fn question(&self) -> Question {
        Question {
            seller: self.seller.clone(),
            channel: self.channel.map(|channel| match channel {
                Channel::Voice => "voice",
                Channel::Text => "text",
            }),
            notation: self.notation.clone(),
            campaign: self.campaign.clone(),
        }
    }

    fn wanted(&self) -> Result<Wanted, Failure> {
        // `list.txt.gz` is a `list.txt`.
        let name = self.file.to_str().unwrap_or_default();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
        let extension = Path::new(name).extension().and_then(|text| text.to_str());
        let said = self.column.is_some() || self.delimiter.is_some() || self.heading.is_some();
        let form = match (self.format, extension) {
            (Some(Format::Csv), _) => Form::Csv,
            (Some(Format::Lines), _) => Form::Lines,
            (Some(Format::Ndjson), _) | (None, Some("ndjson" | "jsonl")) => Form::Ndjson,
            (None, Some("txt")) if !said && !self.is_table()? => Form::Lines,
            _ => Form::Csv,
        };
        Ok(Wanted {
            form,
            column: self.column.as_deref().map(Column::new),
            columns: None,
            delimiter: self.delimiter,
            heading: self.heading,
            encoding: self.encoding,
            region_column: self.region_column.as_deref().map(Column::new),
            taken: &ADDED,
        })
    }

    /// Whether the first line of a text has columns: spreadsheets write tables as .txt, too.
    fn is_table(&self) -> Result<bool, Failure> {
        let source = Source::open(&self.file, self.sheet.as_deref())?;
        let mut start = Vec::new();
        let read = source.reader();
        let read = read.and_then(|from| from.take(1 << 16).read_to_end(&mut start));
        read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", source.name)))?;
        let mut lines = start.split(|byte| matches!(byte, b'\n' | b'\r'));
        let first = lines.find(|line| !line.trim_ascii().is_empty());
        Ok(first.is_some_and(|line| line.iter().any(|byte| b"\t;|,".contains(byte))))
    }
}

fn delimiter(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [sign] => Ok(*sign),
        _ => Err("it must be one character, or tab"),
    }
}

fn encoding(text: &str) -> Result<Encoding, &'static str> {
    Encoding::parse(text).ok_or("it must be utf-8 or windows-1252")
}
