//! Spreadsheets: one sheet becomes a table in comma-separated values, and such a table a sheet.
//!
//! Row n of the sheet is line n of the table, so that whoever is told of a line finds it: an empty
//! row is an empty line, and line breaks in cells become blanks.

use std::io::{self, Cursor, Read, Seek, Write};

use bytes::Bytes;
use calamine::{Data, DataRef, Reader, SheetType, Sheets};
use rust_xlsxwriter::{Workbook, XlsxError};

use super::columns::text;
use super::{Cells, Form, Rows, RowsError};

/// The most rows that a sheet has.
pub const MOST_ROWS: u32 = 1 << 20;

/// Why a spreadsheet cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// No sheet has the name that was given.
    #[error("it has no sheet of that name; it has: {0}")]
    NoSuchSheet(String),
    /// It is locked.
    #[error("it has a password: save it without one")]
    Password,
    /// It is no spreadsheet, or a damaged one.
    #[error("it is no spreadsheet that can be read")]
    Unreadable,
    /// What it holds cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Whether a file that begins so may be a spreadsheet: a zip archive, as .xlsx and .ods are, or a
/// compound file, as .xls is.
#[must_use]
pub fn is_sheet(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"\xd0\xcf\x11\xe0")
}

/// Writes the sheet of this name, or the first one, of a spreadsheet as comma-separated values.
///
/// # Errors
/// [`SheetError`].
pub fn sheet_to_csv(file: Bytes, name: Option<&str>, out: impl Write) -> Result<(), SheetError> {
    let mut sheets = open(file)?;
    let all = sheets.sheets_metadata().to_vec();
    let tables = all.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<&str> = tables.map(|sheet| &*sheet.name).collect();
    let name = match name {
        Some(name) if names.contains(&name) => name,
        Some(_) => return Err(SheetError::NoSuchSheet(names.join(", "))),
        None => names.first().ok_or(SheetError::Unreadable)?,
    };
    let mut lines = Lines::new(io::BufWriter::new(out));
    if let Sheets::Xlsx(workbook) = &mut sheets {
        // A sheet of two cells may span all of its seventeen thousand million: it is read cell by
        // cell, once for its width.
        let unreadable = |_| SheetError::Unreadable;
        let mut width = 0;
        let mut cells = workbook.worksheet_cells_reader(name).map_err(unreadable)?;
        while let Some(cell) = cells.next_cell().map_err(unreadable)? {
            if *cell.get_value() != DataRef::Empty {
                width = width.max(cell.get_position().1 + 1);
            }
        }
        drop(cells);
        lines.width = width as usize;
        let mut cells = workbook.worksheet_cells_reader(name).map_err(unreadable)?;
        while let Some(cell) = cells.next_cell().map_err(unreadable)? {
            let (row, column) = cell.get_position();
            let value = Data::from(cell.get_value().clone());
            lines.add(row, column, &value)?;
        }
        return lines.finish();
    }
    let range = sheets.worksheet_range(name);
    let range = range.map_err(|_| SheetError::Unreadable)?;
    let (above, before) = range.start().unwrap_or_default();
    lines.width = before as usize + range.width();
    for (row, column, cell) in range.used_cells() {
        // A sheet has fewer rows and columns than that.
        lines.add(above + row as u32, before + column as u32, cell)?;
    }
    lines.finish()
}

/// The lines of a table as the cells of a sheet come, row after row.
struct Lines<W> {
    out: W,
    /// How many cells a line has.
    width: usize,
    /// The row that is being put together.
    row: u32,
    cells: Vec<String>,
}

impl<W: Write> Lines<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            width: 0,
            row: 0,
            cells: Vec::new(),
        }
    }

    fn add(&mut self, row: u32, column: u32, cell: &Data) -> Result<(), SheetError> {
        if *cell == Data::Empty {
            return Ok(());
        }
        if row < self.row {
            return Err(SheetError::Unreadable);
        }
        while self.row < row {
            self.end_row()?;
        }
        let place = column as usize;
        self.cells.resize(self.width.max(place + 1), String::new());
        self.cells[place] = shown(cell);
        Ok(())
    }

    fn end_row(&mut self) -> io::Result<()> {
        if !self.cells.is_empty() {
            let mut line = csv::Writer::from_writer(Vec::new());
            line.write_record(&self.cells)?;
            let line = line.into_inner().map_err(|error| error.into_error())?;
            self.out
                .write_all(line.strip_suffix(b"\n").unwrap_or(&line))?;
            self.cells.clear();
        }
        self.row += 1;
        self.out.write_all(b"\n")
    }

    fn finish(mut self) -> Result<(), SheetError> {
        if !self.cells.is_empty() {
            self.end_row()?;
        }
        Ok(self.out.flush()?)
    }
}

fn open(file: Bytes) -> Result<Sheets<Cursor<Bytes>>, SheetError> {
    let file = Cursor::new(file);
    // Each kind in turn: of what it is not, none of them makes anything.
    let xlsx = calamine::Xlsx::new(file.clone()).map(Sheets::Xlsx);
    if let Err(calamine::XlsxError::Password) = xlsx {
        return Err(SheetError::Password);
    }
    if let Ok(sheets) = xlsx {
        return Ok(sheets);
    }
    if let Ok(sheets) = calamine::Ods::new(file.clone()) {
        return Ok(Sheets::Ods(sheets));
    }
    let xls = calamine::Xls::new(file).map(Sheets::Xls);
    xls.map_err(|_| SheetError::Unreadable)
}

/// A whole number is exact in a sheet up to here; beyond it its last digits were lost.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A cell as it is read in a table.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            text.replace("\r\n", " ").replace(['\r', '\n'], " ")
        }
        Data::Int(number) => number.to_string(),
        // A telephone number that became an amount is a whole number.
        Data::Float(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            format!("{number:.0}")
        }
        Data::Float(number) if number.fract() == 0.0 => format!("{number:e}"),
        Data::Float(number) => number.to_string(),
        Data::Bool(yes) => yes.to_string(),
        Data::Error(error) => error.to_string(),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            let clock = match milli {
                0 => format!("{hour:02}:{minute:02}:{second:02}"),
                _ => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
            };
            // A time of day alone has no date.
            match (at.as_f64() < 1.0, at.as_f64().fract() == 0.0) {
                (true, _) => clock,
                (_, true) => date,
                _ => format!("{date} {clock}"),
            }
        }
    }
}

/// Why a sheet cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There are too many rows.
    #[error("a sheet has at most {MOST_ROWS} rows")]
    TooManyRows,
    /// A row has too many cells, or one of them is too long.
    #[error("a sheet has at most 16,384 columns, and a cell at most 32,767 characters")]
    TooWide,
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The sheet cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes a table as a spreadsheet (.xlsx) of one sheet. Every cell is text, so none is a formula.
///
/// # Errors
/// [`WriteError`].
pub fn csv_to_sheet(
    table: impl Read,
    delimiter: u8,
    out: impl Write + Seek + Send,
) -> Result<(), WriteError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory();
    let sheet = sheet.map_err(|error| io::Error::other(error.to_string()))?;
    let mut rows = Rows::new(table, Form::Csv, Some(delimiter))?;
    let mut cells = Cells::default();
    let mut line = 0;
    while let Some((row, _)) = rows.next_row()? {
        if line == MOST_ROWS {
            return Err(WriteError::TooManyRows);
        }
        cells.split(row, delimiter);
        for (column, cell) in cells.iter(row).enumerate() {
            let column = u16::try_from(column).map_err(|_| WriteError::TooWide)?;
            sheet
                .write_string(line, column, text(cell))
                .map_err(too_wide)?;
        }
        line += 1;
    }
    workbook.save_to_writer(out).map_err(|error| match error {
        XlsxError::IoError(error) => WriteError::Write(error),
        error => WriteError::Write(io::Error::other(error.to_string())),
    })
}

fn too_wide(_: XlsxError) -> WriteError {
    WriteError::TooWide
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(sheet: Vec<u8>, name: Option<&str>) -> Result<String, String> {
        let mut out = Vec::new();
        let done = sheet_to_csv(sheet.into(), name, &mut out);
        let text = String::from_utf8(out).unwrap();
        done.map(|()| text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_sheet_is_read_as_a_list_of_numbers_needs_it() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
        let at = rust_xlsxwriter::ExcelDateTime::from_ymd(2019, 5, 1).unwrap();
        sheet.write_string(1, 1, "phone").unwrap();
        sheet.write_string(1, 2, "since").unwrap();
        sheet.write_number(2, 1, 32_470_000_001_f64).unwrap();
        sheet.write_datetime_with_format(2, 2, &at, &date).unwrap();
        sheet.write_string(4, 1, "0470 00 00 02").unwrap();
        sheet.write_string(4, 2, "a \"b\",\nc").unwrap();
        sheet.write_number(5, 1, 1.5).unwrap();
        sheet
            .write_number(5, 2, 123_456_789_012_345_680_000.0)
            .unwrap();
        sheet.write_boolean(6, 1, true).unwrap();
        let more = workbook.add_worksheet().set_name("More").unwrap();
        // Two cells, as far from each other as can be.
        more.write_string(0, 0, "phone").unwrap();
        more.write_string(1_048_575, 16_383, "x").unwrap();
        let time = rust_xlsxwriter::Format::new().set_num_format("hh:mm:ss");
        let evening = rust_xlsxwriter::ExcelDateTime::from_hms(20, 22, 14).unwrap();
        workbook
            .add_worksheet()
            .write_datetime_with_format(0, 0, &evening, &time)
            .unwrap();
        let file = workbook.save_to_buffer().unwrap();
        assert!(is_sheet(&file));
        let table = "\n,phone,since\n,32470000001,2019-05-01\n\n,0470 00 00 02,\"a \"\"b\"\", c\"\n\
            ,1.5,1.2345678901234568e20\n,true,\n";
        assert_eq!(csv(file.clone(), None).as_deref(), Ok(table));
        let far = csv(file.clone(), Some("More")).unwrap();
        assert_eq!(
            (far.lines().count(), far.len()),
            (1 << 20, 2 * 16_383 + 6 + (1 << 20))
        );
        assert_eq!(
            csv(file.clone(), Some("Sheet3")).as_deref(),
            Ok("20:22:14\n")
        );
        let unknown = csv(file.clone(), Some("Nobody")).unwrap_err();
        assert!(unknown.contains("Sheet1, More"), "{unknown}");
        for wrong in [
            &file[..file.len() / 2],
            b"PK\x03\x04",
            b"\xd0\xcf\x11\xe0",
            b"",
        ] {
            assert!(csv(wrong.to_vec(), None).is_err());
        }
    }

    #[test]
    fn a_table_that_becomes_a_sheet_is_text_and_no_formula() {
        let table = "name;phone\n\"a;b\";=1+1\n;+32470000001\n";
        let mut file = Cursor::new(Vec::new());
        csv_to_sheet(table.as_bytes(), b';', &mut file).unwrap();
        let file = file.into_inner();
        let again = "name,phone\na;b,=1+1\n,+32470000001\n";
        assert_eq!(csv(file.clone(), None).as_deref(), Ok(again));
        let mut sheets = open(file.into()).unwrap();
        let formulas = sheets.worksheet_formula("Sheet1").unwrap();
        assert!(formulas.is_empty());
    }
}
