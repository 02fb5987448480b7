//! `metrust audit find`: one number's entries in a bundle, without any service.

mod permit;
mod proofs;
mod search;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::unpack::Unpacked;
use super::verify::{OWN_KEYS, keys_of};
use crate::cli::number::{NotationArgs, typed};
use crate::cli::output::{cannot_print, note, plain};
use crate::cli::{Failure, Outcome, path_parser};
use crate::domain::{Entry, Op, PhoneNumber};
use crate::log::bundle::{self, SignedLog};
use crate::log::verify::keys_in;
use crate::service::audit::write_csv_row;

use permit::Permit;
use search::{Found, Hit};

/// Find one number's entries in a bundle of evidence, and prove them
///
/// It needs no service. The openings of the number (`metrust audit openings`) say how the log names
/// it in each month; the released key of a month says so for every number of that month. Both are
/// verified before they are believed, and every entry that is shown is shown to be in the signed
/// log.
///
/// That no entry was taken out of the bundle, `metrust audit verify` tells.
#[derive(Debug, Args)]
#[command(after_help = "\
A NUMBER on the command line can be seen by others on the machine and stays in the history of the
shell; with - it is read from standard input.

Examples:
  metrust audit find - --bundle evidence.tar.zst < number.txt
  metrust audit find +32475123456 --bundle evidence/ --openings openings.txt --proofs case-17/
  metrust audit find - --bundle data/log --month-key november.key --format csv < number.txt

Exit status: 0 done, whether entries were found or not, 1 the openings or the bundle cannot be relied
on or could not be read, 2 the command line cannot be used.")]
pub(super) struct Find {
    /// The number, best with its country code; - reads it from standard input
    number: String,

    /// The folder of a bundle, of all logs or of one log; or a bundle in one file (.tar.zst)
    #[arg(long, value_name = "DIR|FILE", value_parser = path_parser())]
    bundle: PathBuf,

    /// The openings of the number [default: openings.txt in the bundle]
    #[arg(long, value_name = "FILE", value_parser = path_parser(), conflicts_with = "month_key")]
    openings: Option<PathBuf>,

    /// The released key of a month, as `metrust audit release-month` prints it
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    month_key: Option<PathBuf>,

    /// A verifier key that you trust because you have it from elsewhere; may be repeated. Without
    /// it, those in the bundle are used
    #[arg(long = "key", value_name = "VKEY")]
    keys: Vec<String>,

    /// Write each entry (ID.json) and its proof (ID.tlog-proof) into this new folder, for
    /// `metrust audit verify --receipt ID.tlog-proof --entry ID.json`
    #[arg(long, value_name = "DIR", value_parser = path_parser())]
    proofs: Option<PathBuf>,

    /// The form of the entries
    #[arg(long, default_value = "ndjson")]
    format: Format,

    /// Show also who looked for the number
    #[arg(long)]
    lookups: bool,

    /// Read every entry, and do not rely on the index that may lie in the folder
    #[arg(long)]
    no_index: bool,

    #[command(flatten)]
    notation: NotationArgs,

    /// What follows the number by mistake; taken up here, so that no error message repeats it
    #[arg(hide = true)]
    rest: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One canonical JSON entry a line
    Ndjson,
    /// A table with a heading
    Csv,
}

impl Find {
    pub(super) fn run(&self) -> Outcome {
        let number = self.number()?;
        if let Some(folder) = &self.proofs {
            proofs::prepare(folder)?;
        }
        let mut keys = keys_of(&self.keys)?;
        let unpacked = Unpacked::if_file(&self.bundle)?;
        let folder = unpacked.as_ref().map(Unpacked::path);
        let folder = folder.as_deref().unwrap_or(&self.bundle);
        let failed = |error: bundle::ReadError| Failure::new(error.to_string());
        if keys.is_empty() {
            note(OWN_KEYS);
            keys = keys_in(folder).map_err(|error| Failure::new(error.to_string()))?;
        }
        let mut logs = bundle::open(folder, &keys).map_err(failed)?;
        let permit = match (&self.month_key, &self.openings) {
            (Some(file), _) => Permit::of_month_key(file, &number)?,
            (None, Some(file)) => {
                let name = file.display().to_string();
                Permit::of_openings(file, &name, &number, &keys, &logs)?
            }
            (None, None) => {
                let (file, name) = (folder.join("openings.txt"), "openings.txt of the bundle");
                Permit::of_openings(&file, name, &number, &keys, &logs)?
            }
        };
        let found = search::search(&mut logs, &permit, !self.no_index).map_err(failed)?;
        permit.confirm(&found, &mut logs)?;
        let (shown, lookups): (Vec<Hit>, Vec<Hit>) = found
            .hits
            .iter()
            .cloned()
            .partition(|hit| self.lookups || hit.entry.context.op != Op::Opening);
        if let Some(folder) = &self.proofs {
            proofs::write(folder, &shown)?;
        }
        match print(self.format, &shown) {
            // Whoever reads this has enough, as `head` does.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            printed => printed.map_err(|error| cannot_print(&error))?,
        }
        tell(&permit, &logs, &found, shown.len(), lookups.len());
        Ok(ExitCode::SUCCESS)
    }

    fn number(&self) -> Result<PhoneNumber, Failure> {
        if !self.rest.is_empty() {
            return Err(Failure::usage(
                "one number at a time; put a number with blanks in quotes",
            ));
        }
        let number = typed(&self.number)?;
        PhoneNumber::parse(&number, &self.notation)
            .map_err(|error| Failure::usage(format!("the number cannot be read: {error}")))
    }
}

fn print(format: Format, shown: &[Hit]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Ndjson => {
            for hit in shown {
                out.write_all(&hit.bytes)?;
                out.write_all(b"\n")?;
            }
        }
        Format::Csv => {
            let mut rows = csv::Writer::from_writer(Vec::new());
            rows.write_record(Entry::FIELDS)?;
            for hit in shown {
                write_csv_row(&hit.entry, &mut rows)?;
            }
            let rows = rows.into_inner().map_err(|error| error.into_error())?;
            out.write_all(&rows)?;
        }
    }
    out.flush()
}

/// What was looked at, so that nobody takes silence for more than it is.
fn tell(permit: &Permit, logs: &[SignedLog], found: &Found, shown: usize, lookups: usize) {
    for log in logs {
        let (name, size) = (plain(&log.name), log.checkpoint.size);
        let content = &log.content;
        if content.is_empty() && size > 0 {
            note(&format!(
                "{name}: ITS {size} ENTRIES ARE NOT HERE, only their hashes"
            ));
        } else if content.start > 0 || content.end < size {
            let last = content.end.saturating_sub(1);
            note(&format!(
                "{name}: ONLY THE ENTRIES {} TO {last} of {size} ARE HERE",
                content.start
            ));
        }
    }
    if found.by_index {
        note(
            "The index in the folder was relied on for what it covers; --no-index reads every \
             entry.",
        );
    }
    let entries = match shown {
        0 => "no entry".to_owned(),
        1 => "1 entry, in the signed log".to_owned(),
        more => format!("{more} entries, each in the signed log"),
    };
    let months = permit.months().join(", ");
    note(&format!("About this number in {months}: {entries}."));
    if lookups > 0 {
        note(&format!(
            "{lookups} more say that somebody looked for it: see --lookups."
        ));
    }
}
