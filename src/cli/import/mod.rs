//! `metrust import`: a list that was kept elsewhere is brought in, or taken out again.
//!
//! The file is read twice: once for its hash and the places where it is cut, once to send it. The
//! service names an import after the hash and what was said of the list, so the same command goes
//! on where an earlier one broke off, from any machine.

mod layout;
mod parts;
mod report;
mod sending;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde::Deserialize;
use serde_json::json;

use self::layout::{Columns, Said};
use self::parts::Parts;
use self::report::Report;
use super::client::{Client, Patience, Target};
use super::number::NotationArgs;
use super::output::note;
use super::source::Source;
use super::{Failure, Outcome, path_parser, yes_or_no};

const PATH: &str = "/v1/admin/imports";

/// How long a part is at most: some hundred thousand numbers.
const PART: usize = 4 << 20;

/// The exit status of an import of which some rows were rejected.
const REJECTED: u8 = 1;

/// Bring in a list of numbers that was kept elsewhere, or take it out again
///
/// The list is a table (CSV), or one number a line. What it lists is suppressed for calls and texts
/// from the next check on. A person's own registration of the same number stands beside it: neither
/// is taken away with the other. Where the list comes from, and the date of each objection, is kept.
///
/// Running the same command again goes on where it broke off; when all is in, it changes nothing
/// but what has changed since. Rows that cannot be used are told by line and reason, and the others
/// are brought in.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("for").required(true).args(["seller", "all_sellers"])),
    after_help = "\
Examples:
  metrust import old-list.csv --source 'CRM of 2019' --seller sunny-telecom --date 2019-05-01
  metrust import national.csv --source 'National list, May' --all-sellers --column msisdn \\
    --date-column registered --region BE
  metrust import gone.txt --source 'National list, June: taken off' --all-sellers --remove \\
    --from 'National list, May'

Exit status: 0 every row is in; 1 all are but those in the file of rejected rows; 2 the command line
or the file cannot be used; 3 not finished, the same command goes on."
)]
pub(super) struct Import {
    /// The list
    #[arg(value_name = "FILE", value_parser = path_parser())]
    file: PathBuf,

    /// Where it comes from, in words; on record
    #[arg(long, value_name = "TEXT")]
    source: String,

    /// List the numbers for this seller
    #[arg(long, value_name = "ID")]
    seller: Option<String>,

    /// List the numbers for all sellers, also those that join later
    #[arg(long)]
    all_sellers: bool,

    /// The date of the objection, for rows that have none
    #[arg(long, value_name = "DATE")]
    date: Option<String>,

    /// Take the numbers out: what was imported of them, not what people registered, and not what
    /// another list still has
    #[arg(long)]
    remove: bool,

    /// Out of which list: its source, or its id; may be given again [default: the only list that
    /// was imported for these sellers]
    #[arg(
        long,
        value_name = "LIST",
        requires = "remove",
        conflicts_with = "from_every_list"
    )]
    from: Vec<String>,

    /// Out of every list for these sellers: also what another list still has
    #[arg(long, requires = "remove")]
    from_every_list: bool,

    /// The column of the number: its name, or its position from 1; several with commas between
    /// them; 1+2 is one number in two columns [default: every column named as that of a phone number
    /// usually is]
    #[arg(long, value_name = "COLUMN", help_heading = "The rows")]
    column: Option<String>,

    /// The sheet of a spreadsheet (.xlsx, .xls, .ods) [default: the first one]
    #[arg(long, value_name = "NAME", help_heading = "The rows")]
    sheet: Option<String>,

    /// The column of the date of the objection
    #[arg(long, value_name = "COLUMN", help_heading = "The rows")]
    date_column: Option<String>,

    /// In which order day and month stand where they could be either (01/05/2019)
    #[arg(long, value_name = "dmy|mdy", help_heading = "The rows", value_parser = ["dmy", "mdy"])]
    date_format: Option<String>,

    /// Only the rows with this value in this column, for lists with a flag
    #[arg(long = "where", value_name = "COLUMN=VALUE", help_heading = "The rows")]
    only: Option<String>,

    /// What stands between columns: one character, or `tab` [default: what the first line has]
    #[arg(long, value_name = "CHARACTER", help_heading = "The rows")]
    delimiter: Option<String>,

    /// Whether the first row names the columns [default: found out]
    #[arg(long, value_name = "yes|no", help_heading = "The rows", value_parser = yes_or_no)]
    heading: Option<bool>,

    /// The column of each row's country: two letters, or a country code [default: --region for all]
    #[arg(long, value_name = "COLUMN", help_heading = "The rows")]
    region_column: Option<String>,

    #[command(flatten, next_help_heading = "The rows")]
    notation: NotationArgs,

    /// Write here the lines and reasons of rows that are not in, or in without their date [default: FILE.rejected.csv]
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    rejected: Option<PathBuf>,

    #[command(flatten)]
    target: Target,
}

/// An import, as the service tells of it.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    state: String,
    runs: u32,
    #[serde(flatten)]
    counts: Counts,
    steps: u32,
    changed: u64,
    staying: u64,
    #[serde(default)]
    done: Done,
}

/// What need not be done again.
#[derive(Debug, Default, Deserialize)]
struct Done {
    parts: Vec<u32>,
    steps: Vec<u32>,
}

/// The counts of a part, or of all.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Counts {
    rows: u64,
    rejected: u64,
    passed_over: u64,
    undated: u64,
    numbers: u64,
}

impl Import {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let source = Source::open(&self.file, self.sheet.as_deref())?;
        let columns = Columns::find(self, &source)?;
        let table = &columns.table;
        let client = self.target.client(data, Patience::Import)?;
        if table.heading {
            note("the first row is taken for a heading");
        }
        let parts = Parts::cut(&source, PART, &table.head)?;
        let begun = client.send("POST", PATH, &self.begin(&columns, &parts))?;
        let begun: Told = client.understand(&begun)?;
        if !begun.done.parts.is_empty() {
            let all = parts.len();
            note(&format!(
                "going on: {} of {all} parts are there",
                begun.done.parts.len()
            ));
        } else if begun.runs > 1 {
            note("this list was imported before; what has changed since is done again");
        }
        let finished = sending::send_all(&client, &begun, &parts)
            .and_then(|()| parts.unchanged())
            .and_then(|()| sending::take_steps(&client, &begun, self.remove))
            .and_then(|()| finish(&client, &begun.id))
            .map_err(|failure| unfinished(&failure))?;
        self.tell(&client, &parts, &finished)
    }

    /// What is said of the columns.
    fn said(&self) -> Said<'_> {
        Said {
            number: self.column.as_deref(),
            date: self.date_column.as_deref(),
            region: self.region_column.as_deref(),
            only: self.only.as_deref(),
            delimiter: self.delimiter.as_deref(),
            heading: self.heading,
        }
    }

    fn begin(&self, columns: &Columns, parts: &Parts) -> serde_json::Value {
        let table = &columns.table;
        let only = columns.only.as_ref();
        let only = only.map(|(column, value)| json!({"column": column + 1, "value": value}));
        let mut body = json!({
            "source": self.source,
            "seller": self.seller.as_deref().unwrap_or("all"),
            "remove": self.remove,
            "from": self.from,
            "every_list": self.from_every_list,
            "date": self.date,
            "sha256": parts.sha256(),
            "bytes": parts.bytes(),
            "parts": parts.len(),
            "part_bytes": PART,
            "column": table.numbers.positions(),
            "columns": table.columns,
            "date_column": columns.date.map(|column| column + 1),
            "date_order": self.date_format,
            "region_column": table.region_column.map(|column| column + 1),
            "where": only,
            "delimiter": columns.delimiter(),
            "heading": table.heading,
        });
        self.notation.add_to(&mut body);
        body
    }

    fn tell(&self, client: &Client, parts: &Parts, told: &Told) -> Outcome {
        let Counts {
            rows,
            rejected,
            passed_over,
            undated,
            numbers,
        } = told.counts;
        let (changed, staying) = (told.changed, told.staying);
        let (verb, before) = match self.remove {
            true => ("taken out", "were not in"),
            false => ("imported", "were in before"),
        };
        let stay = match staying {
            0 => String::new(),
            _ => format!("{staying} stay because another list has them, "),
        };
        note(&format!(
            "{rows} rows, {numbers} numbers: {changed} {verb}, {stay}{} {before}",
            numbers.saturating_sub(changed + staying)
        ));
        if passed_over > 0 {
            note(&format!(
                "{passed_over} rows were passed over: they have not the value of --where"
            ));
        }
        if rejected + undated == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        let place = self.rejected.clone().unwrap_or_else(|| {
            let mut name = self.file.clone().into_os_string();
            name.push(".rejected.csv");
            name.into()
        });
        let mut report = Report::create(&place)?;
        for part in parts.all() {
            let path = format!("{PATH}/{}/parts/{}/rejected", told.id, part.number);
            report.add(&client.get(&path, &[])?, part.first_line)?;
        }
        report.finish()?;
        let place = place.display();
        if undated > 0 {
            note(&format!(
                "{undated} rows are in without the date that they have, as it cannot be read: their \
                 lines and the reasons are in {place}. Run the command again with --date-format if day \
                 and month are not told apart"
            ));
        }
        if rejected == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        note(&format!(
            "{rejected} rows were REJECTED: their lines and the reasons are in {place}"
        ));
        Ok(ExitCode::from(REJECTED))
    }
}

fn finish(client: &Client, id: &str) -> Result<Told, Failure> {
    let answer =
        sending::patiently(|| client.send("POST", &format!("{PATH}/{id}/finish"), &json!({})))?;
    let told: Told = client.understand(&answer)?;
    match told.state.as_str() {
        "finished" => Ok(told),
        _ => Err(Failure::new("the service has not finished it")),
    }
}

fn unfinished(failure: &Failure) -> Failure {
    Failure::unfinished(format!(
        "NOT FINISHED: {failure}\n  kept:       what is in stays in\n  remedy:     run the same \
         command again; it goes on where it broke off"
    ))
}

/// Shown on a terminal only, and gone when it is dropped.
fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(ProgressFinish::AndClear)
}
