//! What the store knows of an import: where it comes from, and how far it is.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::kept::BLOCKS;
use super::removal::TakenFrom;
use jiff::civil::Date;

use super::{NewImport, Rows};
use crate::domain::{KeyId, Moment, SellerRef};
use crate::service::ServiceError;

/// Whether all of a list is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Some of it may be.
    UnderWay,
    /// All of it is.
    Finished,
}

/// What became of a part, or of all parts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many rows there are. Empty lines and the heading are none.
    pub rows: u64,
    /// How many of them were rejected.
    pub rejected: u64,
    /// How many were passed over, as they have not the value that was asked for.
    pub passed_over: u64,
    /// How many are in without the date that they have, as it cannot be read.
    pub undated: u64,
    /// How many numbers the others have; a number that stands twice in a part counts once.
    pub numbers: u64,
}

/// An import as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct ImportView {
    /// Its name.
    pub id: String,
    /// Where the list comes from.
    pub source: String,
    /// For whom its numbers are listed.
    pub seller: SellerRef,
    /// Whether its numbers are taken out.
    pub remove: bool,
    /// The date of the objection, for rows that have none.
    pub date: Option<Date>,
    /// The first date of an objection so far.
    pub earliest: Option<Date>,
    /// The last date of an objection so far.
    pub latest: Option<Date>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// How long the file is.
    pub bytes: u64,
    /// How far it is.
    pub state: State,
    /// How often it was begun, and had not been under way.
    pub runs: u32,
    /// In how many parts it comes.
    pub parts: u32,
    /// How many of them are in.
    pub parts_in: u32,
    /// The counts of those.
    #[serde(flatten)]
    pub counts: Counts,
    /// In how many steps the numbers of all parts are put into the list, or taken out.
    pub steps: u32,
    /// How many of them are done.
    pub steps_done: u32,
    /// How many numbers were not listed like this before; or, of a removal, were. What an attempt
    /// that broke off had changed already does not count again.
    pub changed: u64,
    /// How many numbers of a removal stay in, because another list has them.
    pub staying: u64,
    /// When it was begun the last time.
    pub begun_at: Moment,
    /// By which key.
    pub begun_by: KeyId,
    /// When all of it was in.
    pub finished_at: Option<Moment>,
}

/// The document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub source: String,
    pub seller: SellerRef,
    pub remove: bool,
    pub from: TakenFrom,
    pub date: Option<Date>,
    sha256: String,
    bytes: u64,
    pub parts: u32,
    pub rows: Rows,
    pub state: State,
    pub runs: u32,
    pub begun_at: Moment,
    begun_by: KeyId,
    pub finished_at: Option<Moment>,
    pub days: Option<(Date, Date)>,
    #[serde(with = "compact")]
    pub done: BTreeMap<u32, Counts>,
    pub steps: u32,
    /// What each step changed.
    pub stepped: BTreeMap<u32, u64>,
    /// How many numbers stay although they were to be taken out.
    pub staying: u64,
}

impl Record {
    pub fn new(new: &NewImport, from: TakenFrom, runs: u32, by: KeyId) -> Self {
        Self {
            source: new.source.clone(),
            seller: new.seller.clone(),
            remove: new.remove,
            from,
            date: new.date,
            sha256: HEXLOWER.encode(&new.file),
            bytes: new.bytes,
            parts: new.parts,
            rows: new.rows.clone(),
            state: State::UnderWay,
            runs,
            begun_at: Moment::now(),
            begun_by: by,
            finished_at: None,
            days: None,
            done: BTreeMap::new(),
            steps: steps(new.bytes),
            stepped: BTreeMap::new(),
            staying: 0,
        }
    }

    pub fn read(body: &str) -> Result<Self, ServiceError> {
        serde_json::from_str(body).map_err(|_| damaged())
    }

    pub fn write(&self) -> Result<String, ServiceError> {
        serde_json::to_string(self).map_err(|_| damaged())
    }

    /// SHA-256 of the file.
    pub fn file(&self) -> Result<[u8; 32], ServiceError> {
        let bytes = HEXLOWER.decode(self.sha256.as_bytes());
        let bytes = bytes.map_err(|_| damaged())?;
        bytes.try_into().map_err(|_| damaged())
    }

    /// The counts of all parts that are in.
    pub fn total(&self) -> Counts {
        self.done
            .values()
            .fold(Counts::default(), |sum, part| Counts {
                rows: sum.rows + part.rows,
                rejected: sum.rejected + part.rejected,
                passed_over: sum.passed_over + part.passed_over,
                undated: sum.undated + part.undated,
                numbers: sum.numbers + part.numbers,
            })
    }

    /// How many listings all steps have changed.
    pub fn changed(&self) -> u64 {
        self.stepped.values().sum()
    }

    pub fn view(&self, id: &str) -> ImportView {
        ImportView {
            id: id.to_owned(),
            source: self.source.clone(),
            seller: self.seller.clone(),
            remove: self.remove,
            date: self.date,
            earliest: self.days.map(|(earliest, _)| earliest),
            latest: self.days.map(|(_, latest)| latest),
            sha256: self.sha256.clone(),
            bytes: self.bytes,
            state: self.state,
            runs: self.runs,
            parts: self.parts,
            parts_in: self.done.len() as u32,
            counts: self.total(),
            steps: self.steps,
            steps_done: self.stepped.len() as u32,
            changed: self.changed(),
            staying: self.staying,
            begun_at: self.begun_at,
            begun_by: self.begun_by.clone(),
            finished_at: self.finished_at,
        }
    }
}

/// A step for each half million numbers or so; a power of two, so that each has as many blocks.
fn steps(bytes: u64) -> u32 {
    let wanted = (bytes >> 23).clamp(1, BLOCKS as u64) as u32;
    wanted.next_power_of_two()
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("the record of an import")
}

/// Parts as rows of numbers: a list may have many, and each one writes all of them again.
mod compact {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Counts;

    pub fn serialize<S: Serializer>(
        parts: &BTreeMap<u32, Counts>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(parts.iter().map(|(number, part)| {
            let number = u64::from(*number);
            let (left_out, undated) = (part.passed_over, part.undated);
            [
                number,
                part.rows,
                part.rejected,
                left_out,
                undated,
                part.numbers,
            ]
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<u32, Counts>, D::Error> {
        let rows = Vec::<(u32, u64, u64, u64, u64, u64)>::deserialize(from)?;
        let part = |(number, rows, rejected, passed_over, undated, numbers)| {
            let counts = Counts {
                rows,
                rejected,
                passed_over,
                undated,
                numbers,
            };
            (number, counts)
        };
        Ok(rows.into_iter().map(part).collect())
    }
}
