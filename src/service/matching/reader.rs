//! Reading call-detail records: comma-separated values (RFC 4180) as switches, spreadsheets and
//! databases really write them.
//!
//! Nothing that was written is lost or changed: columns are carried as the bytes they are, in
//! whatever encoding, and a row that says too little comes with the reason.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use csv::ByteRecord;

use super::call::{Call, Row, Unreadable};
use super::columns::{CallsError, Mapping, Places};
use crate::domain::{AgencyId, SellerId};
use crate::table::{Cells, Form, HeadError, NoTime, Rows, RowsError};

/// Reads row after row.
pub struct CallReader<R> {
    rows: Rows<R>,
    cells: Cells,
    mapping: Mapping,
    shape: Shape,
    places: Places,
    /// Whether the row behind the heading is still to come.
    first: bool,
}

/// The outer form of the records, for whoever writes them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The names of the columns, if the first row has them.
    pub heading: Option<ByteRecord>,
    /// How many columns there are.
    pub columns: usize,
    /// What stands between them.
    pub delimiter: u8,
    /// Whether the file begins with the mark of UTF-8 (EF BB BF), as some spreadsheets want it.
    pub marked: bool,
}

/// Without what was read: it holds numbers.
impl<R> fmt::Debug for CallReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallReader").finish_non_exhaustive()
    }
}

impl<R: Read> CallReader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// [`CallsError`].
    pub fn new(input: R, mapping: &Mapping) -> Result<Self, CallsError> {
        let mut rows = Rows::new(input, Form::Csv, mapping.delimiter)?;
        let head = rows.head();
        if head.first.is_empty() {
            return Err(CallsError::Empty);
        }
        // How many columns there are, and which is which, is not known from it.
        if head.damaged {
            return Err(RowsError::Head(HeadError::Quotes).into());
        }
        let places = mapping.places(&head.first)?;
        let mut shape = Shape {
            heading: None,
            columns: head.first.len(),
            delimiter: head.delimiter,
            marked: head.marked,
        };
        let mut cells = Cells::default();
        if mapping.heading
            && let Some((row, _)) = rows.next_row()?
        {
            cells.split(row, shape.delimiter);
            shape.heading = Some(cells.iter(row).collect());
        }
        Ok(Self {
            rows,
            cells,
            first: shape.heading.is_some(),
            mapping: mapping.clone(),
            shape,
            places,
        })
    }

    /// The outer form.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Which columns say what, by their positions from 1 and their names, as in
    /// `called=4 (dst); time=1 (calldate)`.
    #[must_use]
    pub fn columns(&self) -> String {
        let places = self.places;
        let column = |what: &str, place: Option<usize>| {
            let place = place?;
            let name = self
                .shape
                .heading
                .as_ref()
                .and_then(|names| names.get(place));
            let name = name.map_or_else(String::new, |name| {
                let plain = |sign: char| sign == ' ' || sign.is_ascii_graphic();
                let name = String::from_utf8_lossy(name);
                let name = name.trim().chars().take(LONGEST_NAME);
                let name = name.map(|sign| if plain(sign) { sign } else { '?' });
                format!(" ({})", name.collect::<String>())
            });
            Some(format!("{what}={}{name}", place + 1))
        };
        let columns = [
            column("called", Some(places.called)),
            column("date", places.date),
            column("time", Some(places.time)),
            column("agency", places.agency),
            column("seller", places.seller),
        ];
        columns.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The next row; nothing at the end. Empty lines are no rows.
    ///
    /// # Errors
    /// [`CallsError`]: rows that come after cannot be read either.
    pub fn next_row(&mut self) -> Result<Option<Row>, CallsError> {
        let (columns, damaged) = loop {
            let Some((row, damaged)) = self.rows.next_row()? else {
                return Ok(None);
            };
            self.cells.split(row, self.shape.delimiter);
            // Cisco's CUCM writes the types of the columns below their names.
            if !std::mem::take(&mut self.first) || !self.cells.iter(row).all(is_type) {
                break (self.cells.iter(row).collect::<ByteRecord>(), damaged);
            }
        };
        if damaged || self.cells.damaged() || columns.len() != self.shape.columns {
            return Ok(Some(Row {
                columns,
                call: Err(Unreadable::Columns),
                agency: None,
            }));
        }
        let agency = self.agency(&columns);
        let call = self.call(&columns, &agency);
        Ok(Some(Row {
            columns,
            call,
            agency: agency.ok().flatten(),
        }))
    }

    fn call(
        &self,
        columns: &ByteRecord,
        agency: &Result<Option<AgencyId>, Unreadable>,
    ) -> Result<Call, Unreadable> {
        let cell = |place: usize| columns.get(place).unwrap_or_default();
        let text = |place: usize| String::from_utf8_lossy(cell(place));
        let date = self.places.date.map(text);
        let when = self
            .mapping
            .times
            .read(date.as_deref(), &text(self.places.time));
        let when = when.map_err(|error| match error {
            NoTime::Ambiguous => Unreadable::DateAmbiguous,
            NoTime::WithoutZone => Unreadable::WithoutZone,
            NoTime::NeverShown => Unreadable::NeverShown,
            NoTime::Unreadable => Unreadable::Time,
        })?;
        let agency = agency.clone()?;
        let known = self.mapping.known.as_ref();
        if let (Some(known), Some(agency)) = (known, &agency)
            && !known.agencies.contains_key(agency)
        {
            return Err(Unreadable::UnknownAgency);
        }
        let seller = name(self.places.seller.map(cell), SellerId::parse);
        let seller = seller.map_err(|()| Unreadable::Seller)?;
        if let (Some(known), Some(seller)) = (known, &seller)
            && !known.sellers.contains_key(seller)
        {
            return Err(Unreadable::UnknownSeller);
        }
        let number = cell(self.places.called).trim_ascii();
        let prefix = self.mapping.strip_prefix.as_ref();
        let rest = prefix.and_then(|prefix| number.strip_prefix(prefix.as_bytes()));
        let number = crate::table::number(rest.unwrap_or(number), None, self.mapping.notation);
        let number = number.map_err(Unreadable::Number)?;
        Ok(Call {
            number,
            time: when.moment,
            or_time: when.or,
            agency,
            seller: seller.or_else(|| self.mapping.default_seller.clone()),
        })
    }

    fn agency(&self, columns: &ByteRecord) -> Result<Option<AgencyId>, Unreadable> {
        let cell = self.places.agency.and_then(|place| columns.get(place));
        let agency = name(cell, AgencyId::parse).map_err(|()| Unreadable::Agency)?;
        Ok(agency.or_else(|| self.mapping.default_agency.clone()))
    }
}

/// How many rows are looked at before any is matched.
const LOOKED_AT: u64 = 1_000;

/// So much of a column's name is told.
const LONGEST_NAME: usize = 40;

/// Makes sure that there are rows, and that something can be found out about one of them; and that
/// nobody has to guess at the dates of the first ones. Returns [`CallReader::columns`].
///
/// # Errors
/// [`CallsError`].
pub fn probe(input: impl Read, mapping: &Mapping) -> Result<String, CallsError> {
    let mut reader = CallReader::new(input, mapping)?;
    let (mut rows, mut read, mut reasons) = (0_u64, false, BTreeMap::<&str, u64>::new());
    while !read || rows < LOOKED_AT {
        let Some(row) = reader.next_row()? else {
            break;
        };
        rows += 1;
        match row.call {
            Ok(_) => read = true,
            Err(Unreadable::DateAmbiguous) => return Err(CallsError::DateAmbiguous(rows)),
            Err(why) => *reasons.entry(why.code()).or_default() += 1,
        }
    }
    if read {
        return Ok(reader.columns());
    }
    if rows == 0 {
        return Err(CallsError::Empty);
    }
    let why = reasons.iter().map(|(why, rows)| format!("{why} ({rows})"));
    let why = why.collect::<Vec<_>>().join(", ");
    Err(CallsError::NoReadableRow { rows, why })
}

/// Every row of records that are in memory.
///
/// # Errors
/// [`CallsError`].
pub fn read_calls(bytes: &[u8], mapping: &Mapping) -> Result<Vec<Row>, CallsError> {
    let mut reader = CallReader::new(bytes, mapping)?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

/// Whether a cell is the name of a type in a database.
fn is_type(cell: &[u8]) -> bool {
    cell == b"INTEGER" || cell.starts_with(b"VARCHAR(")
}

/// The id in a cell; none when it is empty. Ids have small letters only, records often do not.
fn name<T, E>(cell: Option<&[u8]>, parse: fn(&str) -> Result<T, E>) -> Result<Option<T>, ()> {
    match cell.unwrap_or_default().trim_ascii() {
        b"" => Ok(None),
        id => {
            let text = std::str::from_utf8(id).map_err(drop)?;
            parse(&text.to_ascii_lowercase()).map(Some).map_err(drop)
        }
    }
}
