//! Spreadsheets: one sheet becomes a table in comma-separated values, and such a table a sheet.
//!
//! Row n of the sheet is line n of the table, so that whoever is told of a line finds it: an empty
//! row is an empty line, and line breaks in cells become blanks.

use std::io::{self, Read, Seek, Write};

use calamine::{Data, ExcelDateTime, OdsError, Range, Reader, SheetType, XlsError, XlsxError};
use rust_xlsxwriter::{Workbook as NewWorkbook, XlsxError as NotWritten};

use super::columns::text;
use super::package::Package;
use super::rows::LONGEST_ROW;
use super::workbook::Workbook;
use super::{Cells, Form, Rows, RowsError};

/// The most rows that a sheet has.
pub const MOST_ROWS: u32 = 1 << 20;

/// How much is read of a spreadsheet, whatever it says of itself.
#[derive(Debug, Clone, Copy)]
pub struct SheetLimits {
    /// The texts that its cells share, which are all in memory, in bytes.
    pub texts: usize,
    /// Each of the files in it, unpacked, in bytes.
    pub unpacked: u64,
    /// The table that is made of it, in bytes.
    pub table: u64,
}

impl SheetLimits {
    /// For the lists of others, on a machine that has something else to do.
    pub const SERVICE: Self = Self {
        texts: 16 << 20,
        unpacked: 512 << 20,
        table: 256 << 20,
    };
    /// For one's own list, on one's own machine: more than the longest sheet takes.
    pub const COMMAND: Self = Self {
        texts: 1 << 30,
        unpacked: 8 << 30,
        table: 8 << 30,
    };
}

/// Why a spreadsheet cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// No sheet has the name that was given.
    #[error("it has no sheet of that name; it has: {0}")]
    NoSuchSheet(String),
    /// None is shown.
    #[error("all of its sheets are hidden; name one of them: {0}")]
    Hidden(String),
    /// It is locked.
    #[error("it is locked with a password: save it without one")]
    Password,
    /// It is no spreadsheet.
    #[error("{0}")]
    NotASheet(&'static str),
    /// It is one of another kind.
    #[error("this is {0}: save it as .xlsx, or as CSV in UTF-8")]
    OtherKind(&'static str),
    /// A part of it is missing, or is not what it was when it was packed.
    #[error("this spreadsheet is damaged: open it in the program that made it, and save it again")]
    Damaged,
    /// It unpacks to more than is read.
    #[error(
        "this spreadsheet unpacks to more than is read of one: save the sheet as CSV, in UTF-8"
    )]
    TooLong,
    /// It has more different texts than is read.
    #[error(
        "this spreadsheet holds more different texts than is read of one: save the sheet as CSV, in \
         UTF-8"
    )]
    TooManyTexts,
    /// A row is too long.
    #[error("row {0} of the sheet is longer than 64 KiB")]
    RowTooLong(u32),
    /// It does not come.
    #[error("it cannot be read to its end")]
    Read(#[source] io::Error),
    /// What it holds cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// What a packed file is told to be in which there is no spreadsheet.
pub(super) const NO_WORKBOOK: &str = "this is a zip archive without a workbook (.xlsx) in it: save the list as .xlsx, or as CSV in UTF-8";

/// Whether a file that begins so may be a spreadsheet: a zip archive, as .xlsx and .ods are, or a
/// compound file, as .xls is.
#[must_use]
pub fn is_sheet(start: &[u8]) -> bool {
    may_be_workbook(start) || start.starts_with(b"\xd0\xcf\x11\xe0")
}

/// Whether a file that begins so may be a workbook (.xlsx).
#[must_use]
pub fn may_be_workbook(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04")
}

/// Writes the sheet of this name of a workbook (.xlsx), or the first one that is shown, as a table
/// with `delimiter` between its columns. Spreadsheets of other kinds are refused by name.
///
/// # Errors
/// [`SheetError`].
pub fn workbook_to_table(
    file: impl Read + Seek,
    name: Option<&str>,
    delimiter: u8,
    limits: SheetLimits,
    out: impl Write,
) -> Result<(), SheetError> {
    let mut package = Package::open(file)?;
    if package.file("xl/workbook.bin", 0)?.is_some() {
        return Err(SheetError::OtherKind("a binary workbook (.xlsb)"));
    }
    if is_open_document(&mut package)? {
        return Err(SheetError::OtherKind("an OpenDocument spreadsheet (.ods)"));
    }
    let mut book = Workbook::open(package, limits)?;
    let place = choose(book.sheets(), name)?;
    book.read_shared()?;
    // Its first row is as wide as any, so that no cell of a later one is one too many.
    let mut width = 0;
    let mut cells = book.cells(place)?;
    while let Some((_, column, text)) = cells.next()? {
        if !text.is_empty() {
            width = width.max(column as usize + 1);
        }
    }
    cells.finish()?;
    let mut lines = Lines::new(out, delimiter, width, limits.table);
    let mut cells = book.cells(place)?;
    while let Some((row, column, text)) = cells.next()? {
        lines.add(row, column, text)?;
    }
    lines.finish()
}

/// Writes a sheet of a spreadsheet of any kind (.xlsx, .ods, .xls) as a table, as
/// [`workbook_to_table`] does. What is not .xlsx is in memory as a whole.
///
/// # Errors
/// [`SheetError`].
pub fn sheet_to_table(
    mut file: impl Read + Seek,
    name: Option<&str>,
    delimiter: u8,
    limits: SheetLimits,
    out: impl Write,
) -> Result<(), SheetError> {
    let mut start = Vec::new();
    let from_start = |file: &mut dyn Seek| file.rewind().map_err(SheetError::Read);
    Read::by_ref(&mut file)
        .take(4)
        .read_to_end(&mut start)
        .map_err(SheetError::Read)?;
    from_start(&mut file)?;
    if !may_be_workbook(&start) {
        // A locked .xlsx lies in such a file, too.
        if let Err(XlsxError::Password) = calamine::Xlsx::new(&mut file) {
            return Err(SheetError::Password);
        }
        from_start(&mut file)?;
        let sheets = calamine::Xls::new(&mut file).map_err(|error| match error {
            XlsError::Password => SheetError::Password,
            _ => SheetError::NotASheet(
                "this is a file of older Office programs without a spreadsheet (.xls) in it",
            ),
        })?;
        return of_range(sheets, name, delimiter, limits, out);
    }
    let mut package = Package::open(&mut file)?;
    if is_open_document(&mut package)? {
        for part in ["META-INF/manifest.xml", "content.xml"] {
            if let Some(mut part) = package.file(part, limits.unpacked)? {
                io::copy(&mut part, &mut io::sink()).map_err(super::package::reading)?;
            }
        }
        drop(package);
        from_start(&mut file)?;
        let sheets = calamine::Ods::new(&mut file).map_err(|error| match error {
            OdsError::Password => SheetError::Password,
            _ => SheetError::Damaged,
        })?;
        return of_range(sheets, name, delimiter, limits, out);
    }
    drop(package);
    from_start(&mut file)?;
    workbook_to_table(file, name, delimiter, limits, out)
}

fn is_open_document<R: Read + Seek>(package: &mut Package<R>) -> Result<bool, SheetError> {
    const SPREADSHEET: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
    let kind = package.short("mimetype", 1 << 10)?;
    Ok(kind.is_some_and(|kind| kind.starts_with(SPREADSHEET)))
}

/// The place of the sheet of this name, or of the first one that is shown.
fn choose<'a>(
    sheets: impl Iterator<Item = (&'a str, bool)>,
    name: Option<&str>,
) -> Result<usize, SheetError> {
    let sheets: Vec<(&str, bool)> = sheets.collect();
    let names = || {
        let names: Vec<&str> = sheets.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    let place = sheets.iter().position(|(known, hidden)| match name {
        Some(name) => *known == name,
        None => !hidden,
    });
    place.ok_or_else(|| match name {
        Some(_) => SheetError::NoSuchSheet(names()),
        None if sheets.is_empty() => SheetError::Damaged,
        None => SheetError::Hidden(names()),
    })
}

fn of_range<R: Read + Seek, S: Reader<R>>(
    mut sheets: S,
    name: Option<&str>,
    delimiter: u8,
    limits: SheetLimits,
    out: impl Write,
) -> Result<(), SheetError> {
    let mut tables = sheets.sheets_metadata().to_vec();
    tables.retain(|sheet| sheet.typ == SheetType::WorkSheet);
    let hidden = |sheet: &calamine::Sheet| sheet.visible != calamine::SheetVisible::Visible;
    let place = choose(
        tables.iter().map(|sheet| (&*sheet.name, hidden(sheet))),
        name,
    )?;
    let range: Range<Data> = sheets
        .worksheet_range(&tables[place].name)
        .map_err(|_| SheetError::Damaged)?;
    let (above, before) = range.start().unwrap_or_default();
    let width = before as usize + range.width();
    let mut lines = Lines::new(out, delimiter, width, limits.table);
    for (row, column, cell) in range.used_cells() {
        // A sheet has fewer rows and columns than that.
        lines.add(above + row as u32, before + column as u32, &shown(cell))?;
    }
    lines.finish()
}

/// The lines of a table as the cells of a sheet come, row after row.
struct Lines<W: Write> {
    out: io::BufWriter<W>,
    delimiter: u8,
    /// How many cells the first line has; one that has fewer is not filled up behind it.
    width: usize,
    /// How many bytes may still be written.
    left: u64,
    /// The row that is being put together.
    row: u32,
    cells: Vec<String>,
    /// How many of its bytes there are.
    length: usize,
}

impl<W: Write> Lines<W> {
    fn new(out: W, delimiter: u8, width: usize, most: u64) -> Self {
        Self {
            out: io::BufWriter::new(out),
            delimiter,
            width,
            left: most,
            row: 0,
            cells: Vec::new(),
            length: 0,
        }
    }

    fn add(&mut self, row: u32, column: u32, text: &str) -> Result<(), SheetError> {
        if text.is_empty() {
            return Ok(());
        }
        if row < self.row {
            return Err(SheetError::Damaged);
        }
        while self.row < row {
            self.end_row()?;
        }
        let place = column as usize;
        self.cells
            .resize(self.cells.len().max(place + 1), String::new());
        let cell = &mut self.cells[place];
        self.length = self.length + text.len() - cell.len();
        if self.length > LONGEST_ROW {
            return Err(SheetError::RowTooLong(row + 1));
        }
        cell.clear();
        cell.push_str(text);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), SheetError> {
        let mut line = Vec::new();
        if !self.cells.is_empty() {
            let width = std::mem::take(&mut self.width).max(self.cells.len());
            self.cells.resize(width, String::new());
            let mut writer = csv::WriterBuilder::new();
            let mut writer = writer.delimiter(self.delimiter).from_writer(line);
            let cells = self.cells.iter().map(|cell| without_breaks(cell));
            writer
                .write_record(cells.map(String::into_bytes))
                .map_err(io::Error::from)?;
            line = writer.into_inner().map_err(|error| error.into_error())?;
            line.pop();
            if line.len() > LONGEST_ROW {
                return Err(SheetError::RowTooLong(self.row + 1));
            }
            self.cells.clear();
            self.length = 0;
        }
        line.push(b'\n');
        let left = self.left.checked_sub(line.len() as u64);
        self.left = left.ok_or(SheetError::TooLong)?;
        self.row += 1;
        Ok(self.out.write_all(&line)?)
    }

    fn finish(mut self) -> Result<(), SheetError> {
        if !self.cells.is_empty() {
            self.end_row()?;
        }
        Ok(self.out.flush()?)
    }
}

/// A text on one line.
fn without_breaks(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\r', '\n'], " ")
}

/// A whole number is exact in a sheet up to here; beyond it its last digits were lost.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A cell as it is read in a table.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(amount) => number(*amount),
        Data::Bool(yes) => yes.to_string(),
        Data::Error(error) => error.to_string(),
        Data::DateTime(at) => date(*at),
    }
}

/// A number as it is read in a table. A telephone number that became an amount is a whole number.
pub(super) fn number(amount: f64) -> String {
    match amount.fract() == 0.0 {
        true if amount.abs() < EXACT => format!("{amount:.0}"),
        true => format!("{amount:e}"),
        false => amount.to_string(),
    }
}

/// A date, a time or both as they are read in a table.
pub(super) fn date(at: ExcelDateTime) -> String {
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

/// Why a sheet cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There are too many rows.
    #[error("a sheet has at most {MOST_ROWS} rows; --output washed.csv writes text")]
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
    let mut workbook = NewWorkbook::new();
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
        NotWritten::IoError(error) => WriteError::Write(error),
        error => WriteError::Write(io::Error::other(error.to_string())),
    })
}

fn too_wide(_: NotWritten) -> WriteError {
    WriteError::TooWide
}
