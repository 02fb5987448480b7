//! The counts behind the rows: what became of each agency's calls.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Format;
use crate::cli::Failure;
use crate::cli::output::{plain, table};
use crate::service::matching::{Finding, Registered};

/// Calls, calls of each finding, calls to numbers that were opted out in each way.
const COUNTS: usize = 1 + Finding::ALL.len() + Registered::ALL.len();

/// The name under which the counts of all agencies stand.
const ALL: &str = "(all)";

/// How many agencies are shown.
const MOST_SHOWN: usize = 40;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    agencies: Vec<(String, [u64; COUNTS])>,
    total: [u64; COUNTS],
    months_without_key: Vec<String>,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Json,
}

impl Form {
    /// By the end of the file's name.
    pub fn of(file: &Path) -> Result<Self, Failure> {
        match file.extension().and_then(|end| end.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            _ => Err(Failure::usage(
                "the file of --summary must end in .csv or .json, so that its form is known",
            )),
        }
    }
}

/// As the last line of an answer in JSON has it.
#[derive(Deserialize)]
struct Line {
    summary: Told,
}

#[derive(Deserialize)]
struct Told {
    agencies: Map<String, Value>,
    total: Value,
    months_without_key: Vec<String>,
}

fn names() -> impl Iterator<Item = String> {
    let findings = Finding::ALL.map(|finding| finding.as_str().to_owned());
    let registered = Registered::ALL.map(|value| format!("registered_{}", value.as_str()));
    ["calls".to_owned()]
        .into_iter()
        .chain(findings)
        .chain(registered)
}

impl Summary {
    /// Reads what stood behind the rows; nothing if it is in no form that is known here.
    pub fn read(text: &[u8], format: Format) -> Option<Self> {
        match format {
            Format::Csv => Self::read_table(text),
            Format::Ndjson => {
                let told = serde_json::from_slice::<Line>(text).ok()?.summary;
                let agencies = told.agencies.iter();
                let agencies = agencies.map(|(name, value)| Some((name.clone(), counts(value)?)));
                Some(Self {
                    agencies: agencies.collect::<Option<_>>()?,
                    total: counts(&told.total)?,
                    months_without_key: told.months_without_key,
                })
            }
        }
    }

    fn read_table(text: &[u8]) -> Option<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let mut lines = reader.records();
        let heading = lines.next()?.ok()?;
        // The columns may stand in another order, or be more.
        let mut places = [0; COUNTS];
        for (place, name) in places.iter_mut().zip(names()) {
            *place = heading.iter().position(|column| column == name)?;
        }
        let mut agencies = Vec::new();
        let mut months_without_key = Vec::new();
        for line in lines {
            let line = line.ok()?;
            match line.get(0)? {
                "#summary" => {
                    let mut counts = [0; COUNTS];
                    for (count, place) in counts.iter_mut().zip(places) {
                        *count = line.get(place)?.parse().ok()?;
                    }
                    agencies.push((line.get(1)?.to_owned(), counts));
                }
                "#month without a key" => months_without_key.push(line.get(1)?.to_owned()),
                _ => {}
            }
        }
        let (_, total) = agencies.pop().filter(|(name, _)| name == ALL)?;
        Some(Self {
            agencies,
            total,
            months_without_key,
        })
    }

    /// How many rows could not be read.
    pub fn unreadable(&self) -> u64 {
        let [_, _, _, _, _, _, unreadable, ..] = self.total;
        unreadable
    }

    /// For a terminal.
    pub fn in_words(&self) -> String {
        let mut largest: Vec<_> = self.agencies.iter().collect();
        largest.sort_by_key(|(_, counts)| std::cmp::Reverse(counts[0]));
        largest.truncate(MOST_SHOWN);
        largest.sort();
        let total = (ALL.to_owned(), self.total);
        let rows = || largest.iter().copied().chain([&total]);
        fn row<const N: usize>(name: &str, counts: &[u64]) -> [String; N] {
            let cell = |place: usize| counts.get(place).map(u64::to_string).unwrap_or_default();
            std::array::from_fn(|place| match place {
                0 => name.to_owned(),
                place => cell(place - 1),
            })
        }
        let first = 1 + Finding::ALL.len();
        let checked: Vec<_> = rows()
            .map(|(name, n)| row::<9>(name, &n[..first]))
            .collect();
        let opted: Vec<_> = rows()
            .map(|(name, n)| row::<7>(name, &n[first..]))
            .collect();
        let mut text = format!(
            "Was the number checked before the call?\n{}\nWas it opted out when it was called?\n{}",
            table(
                [
                    "AGENCY",
                    "CALLS",
                    "CLEAR",
                    "SUPPRESSED",
                    "EXPIRED",
                    "NEVER CHECKED",
                    "INVALID NUMBER",
                    "UNREADABLE",
                    "NOT COVERED"
                ],
                &checked
            ),
            table(
                [
                    "AGENCY",
                    "FROM ALL SELLERS",
                    "FROM THIS SELLER",
                    "FROM ANOTHER",
                    "NO",
                    "ON AN IMPORTED LIST",
                    "UNKNOWN"
                ],
                &opted
            ),
        );
        if self.agencies.len() > largest.len() {
            text.push_str(&format!(
                "{} more agencies with fewer calls are in the file of --summary\n",
                self.agencies.len() - largest.len()
            ));
        }
        let [_, _, _, _, _, _, unreadable, not_covered, .., unknown] = self.total;
        if unreadable > 0 {
            text.push_str(&format!(
                "WARNING: {unreadable} rows could not be read; the column `reason` says why\n"
            ));
        }
        if not_covered > 0 {
            text.push_str(&format!(
                "WARNING: of {not_covered} calls the record cannot tell whether the number was \
                 checked; the column `reason` says why\n"
            ));
        }
        if unknown > 0 {
            text.push_str(&format!(
                "WARNING: of {unknown} calls the log cannot tell whether the number was opted out: \
                 it does not go back far enough, or lists were imported by then, and the number may \
                 have been taken out since\n"
            ));
        }
        if !self.months_without_key.is_empty() {
            text.push_str(&format!(
                "WARNING: the keys of these months are not there, so nothing of them could be \
                 seen: {}\n",
                plain(&self.months_without_key.join(", "))
            ));
        }
        text.trim_end().to_owned()
    }

    /// For a file.
    pub fn as_file(&self, form: Form) -> Result<Vec<u8>, Failure> {
        let cannot = |_| Failure::new("the counts cannot be written");
        match form {
            Form::Json => {
                let object = |counts: &[u64; COUNTS]| -> Map<String, Value> {
                    names()
                        .zip(counts.iter().map(|count| json!(count)))
                        .collect()
                };
                let agencies = self.agencies.iter();
                let agencies: Map<_, _> = agencies
                    .map(|(name, counts)| (name.clone(), object(counts).into()))
                    .collect();
                let all = json!({
                    "agencies": agencies,
                    "total": object(&self.total),
                    "months_without_key": self.months_without_key,
                });
                Ok(format!("{all:#}\n").into_bytes())
            }
            Form::Csv => {
                let mut rows = csv::Writer::from_writer(Vec::new());
                let mut write = |first: &str, counts: Vec<String>, last: &str| {
                    let row = [first.to_owned()].into_iter().chain(counts);
                    rows.write_record(row.chain([last.to_owned()]))
                        .map_err(|_| ())
                };
                let text = |counts: &[u64; COUNTS]| counts.iter().map(u64::to_string).collect();
                write("agency", names().collect(), "months_without_key").map_err(cannot)?;
                for (name, counts) in &self.agencies {
                    write(name, text(counts), "").map_err(cannot)?;
                }
                let missing = self.months_without_key.join(" ");
                write(ALL, text(&self.total), &missing).map_err(cannot)?;
                rows.into_inner().map_err(|_| cannot(()))
            }
        }
    }
}

fn counts(value: &Value) -> Option<[u64; COUNTS]> {
    let mut counts = [0; COUNTS];
    for (count, name) in counts.iter_mut().zip(names()) {
        *count = value.get(name)?.as_u64()?;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Summary {
        Summary {
            agencies: vec![
                ("-".to_owned(), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
                (
                    "ring".to_owned(),
                    [7, 1, 2, 0, 4, 0, 0, 0, 2, 1, 0, 3, 1, 0],
                ),
            ],
            total: [8, 1, 2, 0, 4, 1, 0, 0, 2, 1, 0, 3, 1, 0],
            months_without_key: vec!["2026-09".to_owned(), "2026-10".to_owned()],
        }
    }

    #[test]
    fn both_forms_of_the_service_say_the_same() {
        let table = format!(
            "#summary,agency,{}\n#summary,-,1,0,0,0,0,1,0,0,0,0,0,0,0,0\n\
             #summary,ring,7,1,2,0,4,0,0,0,2,1,0,3,1,0\n#summary,(all),8,1,2,0,4,1,0,0,2,1,0,3,1,0\n\
             #month without a key,2026-09\n#month without a key,2026-10\n",
            names().collect::<Vec<_>>().join(",")
        );
        assert_eq!(Summary::read(table.as_bytes(), Format::Csv), Some(some()));
        let file = String::from_utf8(some().as_file(Form::Json).unwrap()).unwrap();
        let line = format!("{{\"summary\":{}}}\n", file.trim_end().replace('\n', ""));
        assert_eq!(Summary::read(line.as_bytes(), Format::Ndjson), Some(some()));
        let cut = table.replace("#summary,(all)", "#summary,others");
        assert_eq!(Summary::read(cut.as_bytes(), Format::Csv), None);
        assert_eq!(Summary::read(b"{}", Format::Ndjson), None);
    }

    #[test]
    fn the_counts_are_told_in_words_with_a_warning_where_something_could_not_be_seen() {
        let text = some().in_words();
        let lines = |name: &str| -> Vec<Vec<&str>> {
            let lines = text.lines().filter(|line| line.starts_with(name));
            lines
                .map(|line| line.split_whitespace().skip(1).collect())
                .collect()
        };
        assert_eq!(lines("ring")[0], ["7", "1", "2", "0", "4", "0", "0", "0"]);
        assert_eq!(lines("ring")[1], ["2", "1", "0", "3", "1", "0"]);
        assert_eq!(lines("(all)")[0][0], "8");
        assert!(
            text.contains("WARNING") && text.contains("2026-09, 2026-10"),
            "{text}"
        );
        let mut all_seen = some();
        all_seen.months_without_key.clear();
        assert!(!all_seen.in_words().contains("WARNING"));
        let file = String::from_utf8(some().as_file(Form::Csv).unwrap()).unwrap();
        assert!(file.starts_with("agency,calls,checked_clear,"), "{file}");
        assert!(
            file.ends_with("(all),8,1,2,0,4,1,0,0,2,1,0,3,1,0,2026-09 2026-10\n"),
            "{file}"
        );
        assert!(Form::of(Path::new("a.txt")).is_err() && Form::of(Path::new("a")).is_err());
    }

    #[test]
    fn of_many_agencies_the_largest_are_shown() {
        let mut many = some();
        many.agencies = (0..100)
            .map(|n| {
                (
                    format!("a{n:02}"),
                    [n, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, n, 0, 0],
                )
            })
            .collect();
        let text = many.in_words();
        assert!(text.contains("\na99 ") && text.contains("\na60 ") && !text.contains("\na59 "));
        assert!(text.contains("60 more agencies"), "{text}");
    }
}
