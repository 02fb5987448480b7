//! Which column of the records says what.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::domain::{AgencyId, Notation, SellerId};
use crate::service::Snapshot;
pub use crate::table::Column;
use crate::table::{RowsError, TimeRules, named};

/// Why records cannot be read at all, or not to their end.
#[derive(Debug, thiserror::Error)]
pub enum CallsError {
    /// There is no first row.
    #[error("there are no rows")]
    Empty,
    /// No column of something that is needed.
    #[error(
        "no column is named as the {0} of a call usually is: say which one it is, by its name or its \
         position, or that there is no heading; for the Master.csv of Asterisk or FreeSWITCH, give \
         the preset of that name"
    )]
    MissingColumn(&'static str),
    /// The column that was named is not there.
    #[error("there is no column of the name or position given for {0}")]
    NoSuchColumn(&'static str),
    /// In which order day and month stand must be known.
    #[error("in row {0} the day and the month of the call could be either")]
    DateAmbiguous(u64),
    /// There are rows, and nothing can be found out about any of them.
    #[error("none of the {rows} rows can be read: {why}")]
    NoReadableRow {
        /// How many there are.
        rows: u64,
        /// How many for which reason.
        why: String,
    },
    /// They are no table, or not to their end.
    #[error("these are no records: {0}")]
    Rows(#[from] RowsError),
}

/// A switch whose own file has no heading: where it writes what is needed is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// `Master.csv` of Asterisk (`cdr_csv`).
    Asterisk,
    /// `Master.csv` of FreeSWITCH (`mod_cdr_csv`, its template `default`).
    FreeSwitch,
}

impl Preset {
    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "asterisk" => Some(Self::Asterisk),
            "freeswitch" => Some(Self::FreeSwitch),
            _ => None,
        }
    }

    /// The columns of the called number and of the time, by their positions from 1.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Asterisk => ("3", "10"),
            Self::FreeSwitch => ("3", "5"),
        }
    }
}

/// How the records are to be read. Where nothing is said, the heading and the first line tell.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The called number. Needed.
    pub called: Option<Column>,
    /// When the call began. Needed.
    pub time: Option<Column>,
    /// The agency that called.
    pub agency: Option<Column>,
    /// The seller on whose behalf.
    pub seller: Option<Column>,
    /// The agency of rows that name none.
    pub default_agency: Option<AgencyId>,
    /// The seller of rows that name none.
    pub default_seller: Option<SellerId>,
    /// Whether the first row names the columns.
    pub heading: bool,
    /// Between the columns; one of `,`, `;`, `|` and a tab, found out from the first line if not
    /// given.
    pub delimiter: Option<u8>,
    /// How numbers are written.
    pub notation: Notation,
    /// How times are read. Without a zone those that do not say theirs are not: an hour off, a check
    /// that was made is not found.
    pub times: TimeRules,
    /// What a switch puts before every number that it dials, to be left out.
    pub strip_prefix: Option<String>,
    /// The agencies and sellers that there are: nobody asked under a name that is not among them,
    /// which proves nothing. Without it, every name passes.
    pub known: Option<Arc<Snapshot>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            called: None,
            time: None,
            agency: None,
            seller: None,
            default_agency: None,
            default_seller: None,
            heading: true,
            delimiter: None,
            notation: Notation::default(),
            times: TimeRules {
                zone: Some(TimeZone::UTC),
                order: None,
            },
            strip_prefix: None,
            known: None,
        }
    }
}

/// The names of the called number: of our own first, then what Asterisk and FreePBX (`dst`),
/// FreeSWITCH, Cisco CUCM, 3CX, Kamailio, VICIdial and Genesys write, the number as it was dialled
/// before the one that it was turned into.
const CALLED: &[&str] = &[
    "called",
    "called_number",
    "destination_number",
    "dst_ouser",
    "dst_user",
    "dst",
    "destination",
    "originalcalledpartynumber",
    "finalcalledpartynumber",
    "dial_no",
    "to_no",
    "phone_number_dialed",
    "dnis",
    "to",
    "phone_number",
    "phone",
    "number",
];

/// The names of the time of a call, in the same order. The clock of a call that was never answered
/// has but its beginning.
const TIME: &[&str] = &[
    "time",
    "timestamp",
    "start",
    "start_time",
    "time_start",
    "calldate",
    "call_date",
    "start_stamp",
    "datetimeorigination",
    "conversationstart",
    "date",
];
const AGENCY: &[&str] = &["agency", "call_centre", "call_center"];
const SELLER: &[&str] = &["seller", "company", "client"];

/// Where each thing stands, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub called: usize,
    pub time: usize,
    /// A date beside the time, for records that keep them apart.
    pub date: Option<usize>,
    pub agency: Option<usize>,
    pub seller: Option<usize>,
}

impl Mapping {
    /// The same for the own file of a switch.
    #[must_use]
    pub fn of_switch(self, preset: Preset) -> Self {
        let (called, time) = preset.columns();
        Self {
            called: Some(Column::new(called)),
            time: Some(Column::new(time)),
            heading: false,
            ..self
        }
    }

    /// Finds the columns in the heading, or by their positions in a first row without one.
    pub(super) fn places(&self, first: &[String]) -> Result<Places, CallsError> {
        let heading = self.heading.then_some(first);
        let find = |what, given: &Option<Column>, names: &[&str]| match given {
            Some(column) => match column.position(heading, first.len()) {
                Some(place) => Ok(Some(place)),
                None => Err(CallsError::NoSuchColumn(what)),
            },
            None => Ok(heading.and_then(|heading| {
                let mut places = names.iter().map(|name| named(heading, name));
                places.find_map(|place| place)
            })),
        };
        let needed = |what, place: Option<usize>| place.ok_or(CallsError::MissingColumn(what));
        let time = needed("time", find("time", &self.time, TIME)?)?;
        let date = heading.and_then(|heading| named(heading, "date"));
        Ok(Places {
            called: needed("called", find("called", &self.called, CALLED)?)?,
            time,
            date: date.filter(|date| *date != time),
            agency: find("agency", &self.agency, AGENCY)?,
            seller: find("seller", &self.seller, SELLER)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(mapping: &Mapping, first: &[&str]) -> Result<Places, CallsError> {
        mapping.places(&first.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_columns_of_usual_switches_are_found_by_their_names() {
        let mapping = Mapping::default();
        let asterisk = ["calldate", "clid", "src", "dst", "dcontext", "disposition"];
        let found = places(&mapping, &asterisk).unwrap();
        assert_eq!((found.called, found.time), (3, 0));
        assert_eq!((found.agency, found.seller, found.date), (None, None, None));
        let other = [
            "Call-Centre",
            " Start Time ",
            "FROM",
            "Called Number",
            "COMPANY",
        ];
        let found = places(&mapping, &other).unwrap();
        assert_eq!((found.called, found.time), (3, 1));
        assert_eq!((found.agency, found.seller), (Some(0), Some(4)));
        // The plainer name goes before the one further left.
        let both = ["phone", "date", "time", "called"];
        let found = places(&mapping, &both).unwrap();
        assert_eq!((found.called, found.time, found.date), (3, 2, Some(1)));
    }

    #[test]
    fn a_column_is_chosen_by_its_name_or_its_position() {
        let with = |called: &str, heading| Mapping {
            called: Some(Column::new(called)),
            time: Some(Column::new("1")),
            heading,
            ..Mapping::default()
        };
        let heading = ["when", "3", "Größe", "B number"];
        for (name, place) in [("3", 1), ("4", 3), ("größe", 2), ("b_number", 3)] {
            let found = places(&with(name, true), &heading).unwrap();
            assert_eq!(found.called, place, "{name}");
        }
        assert_eq!(places(&with("3", false), &heading).unwrap().called, 2);
        for wrong in ["0", "5", "-1", "", "called"] {
            assert!(matches!(
                places(&with(wrong, true), &heading),
                Err(CallsError::NoSuchColumn("called"))
            ));
        }
        let nothing = Mapping {
            heading: false,
            ..Mapping::default()
        };
        assert!(matches!(
            places(&nothing, &["called", "time"]),
            Err(CallsError::MissingColumn("time"))
        ));
    }
}
