//! `metrust audit verify`: is this log what was signed? Needs no service and no key of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::unpack::Unpacked;
use crate::cli::output::{plain, say};
use crate::cli::{Failure, Outcome, path_parser};
use crate::log::Verifier;
use crate::log::verify::{Content, LogReport, Options, Receipt, Report, count, keys_in, verify};

/// Verify a bundle of the audit log, or a log's folder, by its entries, hashes and signatures
///
/// It needs no service. Every hash is computed again from the entries and compared with what was
/// signed; the counters in the entries must have no gap, and nothing may lie in a bundle that was not
/// signed for. In the folder of a running service what is not signed yet is told instead. Older
/// checkpoints and receipts that you kept show whether what was signed then has been changed since.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust audit verify evidence.tar.zst --key \"$(cat key-from-the-newspaper.txt)\"
  metrust audit verify data/log --checkpoint checkpoint-of-last-month
  metrust audit verify evidence/ --receipt call.tlog-proof --entry call.json

Exit status: 0 all of it holds, 1 it does not or could not be read, 2 the command line cannot be used.")]
pub(super) struct Verify {
    /// The folder of a bundle, of all logs or of one log; or a bundle in one file (.tar.zst)
    #[arg(value_name = "DIR|FILE", value_parser = path_parser())]
    bundle: PathBuf,

    /// A verifier key that you trust because you have it from elsewhere; may be repeated. Without
    /// it, those in the bundle are used
    #[arg(long = "key", value_name = "VKEY")]
    keys: Vec<String>,

    /// A checkpoint that you kept; may be repeated
    #[arg(long = "checkpoint", value_name = "FILE", value_parser = path_parser())]
    checkpoints: Vec<PathBuf>,

    /// A receipt (.tlog-proof); may be repeated
    #[arg(long = "receipt", value_name = "FILE", value_parser = path_parser())]
    receipts: Vec<PathBuf>,

    /// The entry that the receipt proves, as JSON; one for each receipt, in the same order
    #[arg(long = "entry", value_name = "FILE", value_parser = path_parser(), requires = "receipts")]
    entries: Vec<PathBuf>,
}

/// Said before keys are used that nobody vouches for.
pub(super) const OWN_KEYS: &str = "\
WARNING: no --key was given, so the keys in the bundle are used. Whoever wrote the bundle chose them:
WARNING: this shows that the bundle agrees with itself, not who wrote it.";

impl Verify {
    pub(super) fn run(&self) -> Outcome {
        let mut options = self.options()?;
        let unpacked = Unpacked::if_file(&self.bundle)?;
        let folder = unpacked.as_ref().map(Unpacked::path);
        let folder = folder.as_deref().unwrap_or(&self.bundle);
        let failed = |error: crate::log::verify::VerifyError| Failure::new(error.to_string());
        if options.keys.is_empty() {
            say(OWN_KEYS)?;
            options.keys = keys_in(folder).map_err(failed)?;
        }
        let bar = bar(count(folder).map_err(failed)?);
        let report = verify(folder, &options, &|entries| bar.inc(entries));
        bar.finish_and_clear();
        let report = report.map_err(failed)?;
        say(&in_words(&report))?;
        Ok(ExitCode::from(u8::from(!report.holds())))
    }

    fn options(&self) -> Result<Options, Failure> {
        if !self.entries.is_empty() && self.entries.len() != self.receipts.len() {
            return Err(Failure::usage(
                "give one --entry for each --receipt, in the same order, or none at all",
            ));
        }
        let keys = keys_of(&self.keys)?;
        let checkpoints = self
            .checkpoints
            .iter()
            .map(|file| Ok((name(file), read(file)?)));
        let receipts = self.receipts.iter().enumerate().map(|(place, file)| {
            let entry = self.entries.get(place).map(|entry| read(entry));
            Ok(Receipt {
                name: name(file),
                proof: read(file)?,
                entry: entry.transpose()?,
            })
        });
        Ok(Options {
            keys,
            checkpoints: checkpoints.collect::<Result<_, Failure>>()?,
            receipts: receipts.collect::<Result<_, Failure>>()?,
            beside: [&self.checkpoints, &self.receipts, &self.entries]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        })
    }
}

/// The keys of `--key`.
pub(super) fn keys_of(texts: &[String]) -> Result<Vec<Verifier>, Failure> {
    let keys = texts.iter().map(|text| {
        Verifier::parse(text.trim())
            .map_err(|error| Failure::usage(format!("--key {}: {error}", plain(text))))
    });
    keys.collect()
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

/// Shown on a terminal only.
pub(super) fn bar(entries: u64) -> ProgressBar {
    let style = "{wide_bar} {human_pos} of {human_len} entries, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(style);
    ProgressBar::new(entries).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The report as lines of text.
pub(super) fn in_words(report: &Report) -> String {
    let mut text = String::new();
    for log in &report.logs {
        of_log(log, report, &mut text);
    }
    for finding in &report.findings {
        line(&mut text, "WRONG: ", &finding.to_string());
    }
    let wrong = report.logs.iter().filter_map(|log| {
        let at = report.first_wrong(&log.name)?;
        Some(match at.end - at.start {
            1 => format!("{}: the first wrong entry is entry {}", log.name, at.start),
            _ => format!(
                "{}: the first wrong entry is one of the entries {} to {}",
                log.name,
                at.start,
                at.end - 1
            ),
        })
    });
    for first in wrong {
        line(&mut text, "WRONG: ", &first);
    }
    let all_signed = report.logs.iter().all(|log| log.not_signed.is_empty());
    text.push_str(match (report.holds(), all_signed) {
        (true, true) => "All of it holds.",
        (true, false) => "All that is signed holds.",
        (false, _) => "It does not hold.",
    });
    text
}

fn of_log(log: &LogReport, report: &Report, text: &mut String) {
    let LogReport {
        name, size, root, ..
    } = log;
    line(text, "", &format!("{name}: {size} entries, root {root}"));
    let mut more = |what: &str| line(text, "  ", what);
    match &log.content {
        Content::All => {}
        Content::Nothing => {
            more("ITS ENTRIES ARE NOT HERE: only their hashes were verified, not what they say");
            more(&match report.deletion_of(name, *size) {
                Some((log, index)) => {
                    format!("that they were deleted is on record: {log}, entry {index}")
                }
                None => "no log that is here has it on record that they were deleted".to_owned(),
            });
        }
        Content::Range(_) => {
            let range = log.content.range(*size);
            more(&format!(
                "ONLY THE ENTRIES {} TO {} ARE HERE and were read; of the others, only the hashes \
                 were verified",
                range.start,
                range.end.saturating_sub(1)
            ));
        }
    }
    if let Some(first) = log.not_signed.first() {
        let files = log.not_signed.len();
        more(&format!(
            "THIS IS THE FOLDER OF A SERVICE, NOT A BUNDLE: files beyond the checkpoint: {files}, the \
             first of them {first}. They are not signed yet, were not read, and prove nothing"
        ));
    }
    if log.older > 0 {
        more(&format!("{} older checkpoints confirmed", log.older));
    }
    for (label, size) in &log.held {
        more(&format!(
            "{label} confirmed: the first {size} entries are as they were signed then"
        ));
    }
    for (label, index) in &log.receipts {
        more(&format!("{label} confirmed: it proves entry {index}"));
    }
    for witness in &log.witnesses {
        more(&format!("cosigned by the witness {witness}"));
    }
    if !log.writers.is_empty() {
        more(&format!("processes that wrote: {}", log.writers.len()));
    }
    for (agency, entries) in &log.agencies {
        more(&format!("agency {agency}: {entries} entries"));
    }
    for incident in &log.incidents {
        more(&format!(
            "incident: entry {}, {}, {}",
            incident.index, incident.time, incident.word
        ));
    }
    for loss in &log.losses {
        more(&format!("loss: {loss}"));
    }
}

/// Names and words come from files that anybody may have written.
fn line(text: &mut String, before: &str, what: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{before}{}", plain(what));
}
