//! Writing the calls again, each with what was found out about it.

use std::fmt;
use std::io::{self, Write};

use csv::{ByteRecord, Writer, WriterBuilder};
use serde_json::{Map, Value};

use super::call::Row;
use super::reader::Shape;
use super::verdict::Verdict;

/// The columns that are added, in this order.
pub const ADDED: [&str; 8] = [
    "finding",
    "registered",
    "check_id",
    "checked_at",
    "check_agency",
    "check_seller",
    "registration_id",
    "reason",
];

/// The form of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The table that came, with columns added.
    Csv,
    /// One JSON object a line (NDJSON).
    Ndjson,
}

/// Writes call after call.
pub struct Output<W: Write> {
    shape: Shape,
    to: To<W>,
}

enum To<W: Write> {
    Csv(Box<Writer<W>>),
    /// With the names of the columns, if each has one of its own.
    Ndjson(W, Option<Vec<String>>),
}

/// Without what waits to be written: it holds numbers.
impl<W: Write> fmt::Debug for Output<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl<W: Write> Output<W> {
    /// Writes the heading, if the records have one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut to: W, format: Format, shape: &Shape) -> io::Result<Self> {
        let to = match format {
            Format::Ndjson => To::Ndjson(to, names(shape)),
            Format::Csv => {
                if shape.marked {
                    to.write_all(b"\xef\xbb\xbf")?;
                }
                let mut writer = WriterBuilder::new()
                    .delimiter(shape.delimiter)
                    .flexible(true)
                    .from_writer(to);
                if let Some(heading) = &shape.heading {
                    write_record(&mut writer, heading, shape.columns, ADDED)?;
                }
                To::Csv(Box::new(writer))
            }
        };
        Ok(Self {
            shape: shape.clone(),
            to,
        })
    }

    /// Writes one call. What came is written as it came; only quotation marks may stand elsewhere.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, row: &Row, verdict: &Verdict) -> io::Result<()> {
        match &mut self.to {
            To::Csv(writer) => {
                // Nothing that is added can begin a formula: ids, times and words of ours.
                let added = added(verdict).map(Option::unwrap_or_default);
                write_record(writer, &row.columns, self.shape.columns, added)
            }
            To::Ndjson(to, names) => {
                let mut object = Map::new();
                object.insert("call".to_owned(), columns(row, names.as_deref()));
                for (name, value) in ADDED.into_iter().zip(added(verdict)) {
                    if let Some(value) = value {
                        object.insert(name.to_owned(), Value::String(value));
                    }
                }
                serde_json::to_writer(&mut *to, &object)?;
                to.write_all(b"\n")
            }
        }
    }

    /// Hands over what is still held back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Csv(writer) => writer.flush(),
            To::Ndjson(to, _) => to.flush(),
        }
    }
}

fn added(verdict: &Verdict) -> [Option<String>; 8] {
    let check = verdict.check.as_ref();
    let text = |text: &str| Some(text.to_owned());
    [
        text(verdict.finding.as_str()),
        verdict
            .registered
            .map(|registered| registered.as_str().to_owned()),
        check.map(|check| check.id.to_string()),
        check.map(|check| check.at.to_string()),
        check.and_then(|check| Some(check.agency.as_ref()?.to_string())),
        check.and_then(|check| Some(check.seller.as_ref()?.to_string())),
        verdict.registration.map(|id| id.to_string()),
        verdict.reason.and_then(text),
    ]
}

/// Writes a row filled up to the usual number of columns, so that what is added stands in line.
fn write_record<W: Write, T: AsRef<[u8]>>(
    writer: &mut Writer<W>,
    columns: &ByteRecord,
    usual: usize,
    added: [T; 8],
) -> io::Result<()> {
    for column in columns {
        writer.write_field(column)?;
    }
    for _ in columns.len()..usual {
        writer.write_field(b"")?;
    }
    for column in added {
        writer.write_field(column)?;
    }
    Ok(writer.write_record(None::<&[u8]>)?)
}

/// The names of the columns, unless two have the same: an object cannot hold both.
fn names(shape: &Shape) -> Option<Vec<String>> {
    let names: Vec<_> = shape.heading.as_ref()?.iter().map(text).collect();
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

fn columns(row: &Row, names: Option<&[String]>) -> Value {
    let values = row.columns.iter().map(|column| Value::String(text(column)));
    match names {
        Some(names) if names.len() == row.columns.len() => {
            names.iter().cloned().zip(values).collect()
        }
        _ => values.collect(),
    }
}

/// JSON is UTF-8. What is not is most likely ISO 8859-1, where every byte is the character of the
/// same number.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
