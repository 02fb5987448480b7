//! How a list is laid out: what its first row tells, where nobody said it.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder};

use super::answers::ADDED;
use super::object;
use super::rows::{LONGEST_ROW, RowError, Splitter};
use crate::service::table::{BYTE_ORDER_MARK, Column, delimiter_of, named, plain};

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A table, with a sign between its columns (RFC 4180).
    Csv,
    /// One number a line.
    Lines,
    /// One JSON object a line.
    Ndjson,
}

/// How characters beyond ASCII are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// ISO 8859-1: each byte is the character of the same number.
    Latin1,
}

/// What is known of a list beforehand. The rest is found out from its first row.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The form.
    pub form: Form,
    /// The column, or the member, of the number.
    pub column: Option<Column>,
    /// How many columns the table has; that of a list's middle does not have it from its first row.
    pub columns: Option<usize>,
    /// Between the columns.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub heading: Option<bool>,
    /// The encoding; where it is not known, a number that is not UTF-8 is taken for ISO 8859-1.
    pub encoding: Option<Encoding>,
}

/// How a list is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The form.
    pub form: Form,
    /// Between the columns, also before what is added.
    pub delimiter: u8,
    /// The column of the number, from 0.
    pub place: usize,
    /// The member of the number.
    pub member: String,
    /// How many columns the first row has.
    pub columns: usize,
    /// Whether the first row names the columns.
    pub heading: bool,
    /// Whether the list begins with the mark of UTF-8.
    pub marked: bool,
    /// The encoding, if it is known.
    pub encoding: Option<Encoding>,
}

/// Why a list cannot be washed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Nothing tells which column holds the numbers.
    #[error(
        "nothing tells which column holds the numbers: say which one it is, by its name or, from 1, \
         by its position"
    )]
    NoColumn,
    /// The column that was named is not there.
    #[error("there is no column of the name or position that was given")]
    NoSuchColumn,
    /// It was washed before.
    #[error(
        "the list has a column named {0} already, as one that was washed before: an old answer could \
         be taken for a new one. Take that column out, or give it another name"
    )]
    Answered(&'static str),
    /// Two bytes a character.
    #[error("the list is written in UTF-16: save it as UTF-8")]
    Utf16,
    /// The first line is not a JSON object.
    #[error("the first line is not a JSON object that an answer can be added to")]
    NotAnObject,
    /// It begins with more empty lines than are read.
    #[error("there is no row in the first 64 KiB of the list")]
    NoRow,
    /// The first row has no end.
    #[error(transparent)]
    Row(#[from] RowError),
}

/// The usual names of the column, the plainest first.
const USUAL: [&str; 12] = [
    "phone",
    "phone_number",
    "number",
    "telephone",
    "telephone_number",
    "tel",
    "msisdn",
    "mobile",
    "called",
    "telefoon",
    "telefoonnummer",
    "telefon",
];

impl Layout {
    /// Finds the layout of a list that begins with `start`; nothing while that does not tell it
    /// yet. `end` says that nothing comes behind.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn find(start: &[u8], end: bool, wanted: &Wanted) -> Result<Option<Self>, LayoutError> {
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            return Err(LayoutError::Utf16);
        }
        if !end && start.len() < BYTE_ORDER_MARK.len() {
            return Ok(None);
        }
        let marked = start.starts_with(BYTE_ORDER_MARK);
        let mark = if marked { BYTE_ORDER_MARK.len() } else { 0 };
        let delimiter = match wanted.form {
            Form::Csv => wanted
                .delimiter
                .unwrap_or_else(|| delimiter_of(&start[mark..])),
            _ => wanted.delimiter.unwrap_or(b'\t'),
        };
        let mut layout = Self {
            form: wanted.form,
            delimiter,
            place: 0,
            member: String::new(),
            columns: 1,
            heading: wanted.heading.unwrap_or(false),
            marked,
            encoding: wanted.encoding,
        };
        let Some(first) = layout.first_row(start, end)? else {
            if !end && start.len() > LONGEST_ROW {
                return Err(LayoutError::NoRow);
            }
            // A list without a single row is washed as well as any other.
            return Ok(end.then_some(layout));
        };
        match wanted.form {
            Form::Lines => {}
            Form::Csv => layout.of_table(&first, wanted)?,
            Form::Ndjson => layout.of_objects(&first, wanted)?,
        }
        Ok(Some(layout))
    }

    /// What finds its rows.
    #[must_use]
    pub fn splitter(&self) -> Splitter {
        let mark = if self.marked {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        Splitter::new(self.form, self.delimiter, mark)
    }

    /// Whether a row is an empty line, which comes back as it is.
    pub(super) fn is_blank(&self, row: &[u8]) -> bool {
        match self.form {
            Form::Csv => row.is_empty(),
            _ => row.trim_ascii().is_empty(),
        }
    }

    /// The content of the first row that is not blank.
    fn first_row<'a>(
        &self,
        start: &'a [u8],
        end: bool,
    ) -> Result<Option<Cow<'a, [u8]>>, LayoutError> {
        let mut splitter = self.splitter();
        let mut at = 0;
        while let Some(row) = splitter.next(&start[at..], end)? {
            let content = &start[at..at + row.content];
            let content = match at {
                0 if self.marked => &content[BYTE_ORDER_MARK.len()..],
                _ => content,
            };
            if !self.is_blank(content) {
                return Ok(Some(content.into()));
            }
            at += row.next;
        }
        Ok(None)
    }

    fn of_table(&mut self, first: &[u8], wanted: &Wanted) -> Result<(), LayoutError> {
        let mut first_cells = ByteRecord::new();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(first);
        // From memory nothing fails to be read, and a flexible reader takes rows of any length.
        let _ = reader.read_byte_record(&mut first_cells);
        self.columns = wanted.columns.unwrap_or(first_cells.len()).max(1);
        let usual = USUAL.iter().find_map(|name| named(&first_cells, name));
        let (place, heading) = match &wanted.column {
            Some(column) => {
                let heading = match column.counted() {
                    None => true,
                    Some(_) => {
                        usual.is_some()
                            || is_name(&first_cells, column.position(None, self.columns))
                    }
                };
                let heading = wanted.heading.unwrap_or(heading);
                let names = heading.then_some(&first_cells);
                let place = column.position(names, self.columns);
                (place.ok_or(LayoutError::NoSuchColumn)?, heading)
            }
            None => match usual.filter(|_| wanted.heading != Some(false)) {
                Some(place) => (place, true),
                None if self.columns == 1 => {
                    let heading = is_name(&first_cells, Some(0));
                    (0, wanted.heading.unwrap_or(heading))
                }
                None => return Err(LayoutError::NoColumn),
            },
        };
        (self.place, self.heading) = (place, heading);
        if heading {
            let answered = ADDED
                .into_iter()
                .find(|name| named(&first_cells, name).is_some());
            if let Some(name) = answered {
                return Err(LayoutError::Answered(name));
            }
        }
        Ok(())
    }

    fn of_objects(&mut self, first: &[u8], wanted: &Wanted) -> Result<(), LayoutError> {
        self.heading = false;
        if let Some(column) = &wanted.column {
            self.member = column.as_str().to_owned();
            return Ok(());
        }
        let names = object::names(first).map_err(|_| LayoutError::NotAnObject)?;
        if let Some(name) = ADDED
            .into_iter()
            .find(|name| names.iter().any(|known| known == name))
        {
            return Err(LayoutError::Answered(name));
        }
        let usual = |usual: &&str| {
            let mut names = names.iter();
            let found = names.find(|name| plain(name.as_bytes()) == **usual);
            found.cloned()
        };
        self.member = USUAL.iter().find_map(usual).ok_or(LayoutError::NoColumn)?;
        Ok(())
    }
}

/// Whether a cell is a name and no number: letters, and no digit.
fn is_name(first: &ByteRecord, place: Option<usize>) -> bool {
    let cell = place.and_then(|place| first.get(place)).unwrap_or_default();
    let text = String::from_utf8_lossy(cell);
    text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(form: Form) -> Wanted {
        Wanted {
            form,
            column: None,
            columns: None,
            delimiter: None,
            heading: None,
            encoding: None,
        }
    }

    fn found(list: &str, column: Option<&str>) -> Result<(usize, bool, u8), LayoutError> {
        let wanted = Wanted {
            column: column.map(Column::new),
            ..wanted(Form::Csv)
        };
        let layout = Layout::find(list.as_bytes(), true, &wanted)?.unwrap();
        Ok((layout.place, layout.heading, layout.delimiter))
    }

    #[test]
    fn the_first_row_of_a_table_tells_column_heading_and_delimiter() {
        assert_eq!(found("name;Phone-Number\na;1\n", None), Ok((1, true, b';')));
        assert_eq!(found("\u{feff}phone,tel\n", None), Ok((0, true, b',')));
        assert_eq!(found("\r\n\n\"tel\"\tx\n", None), Ok((0, true, b'\t')));
        assert_eq!(found("+32470123456\n", None), Ok((0, false, b',')));
        assert_eq!(found("Nummer\n0470\n", None), Ok((0, true, b',')));
        assert_eq!(found("a,+32470123456\n", Some("2")), Ok((1, false, b',')));
        assert_eq!(
            found("a,b\nx,+32470123456\n", Some("2")),
            Ok((1, true, b','))
        );
        assert_eq!(
            found("a,Work Phone\n", Some("work_phone")),
            Ok((1, true, b','))
        );
        assert_eq!(found("a,b\n", None), Err(LayoutError::NoColumn));
        assert_eq!(found("a,b\n", Some("c")), Err(LayoutError::NoSuchColumn));
        assert_eq!(found("a,b\n", Some("3")), Err(LayoutError::NoSuchColumn));
        assert_eq!(found("a,b\n", Some("0")), Err(LayoutError::NoSuchColumn));
        assert_eq!(
            found("phone,answer\n", None),
            Err(LayoutError::Answered("answer"))
        );
        assert_eq!(
            found("\"phone\n", None),
            Err(LayoutError::Row(RowError::OpenQuote))
        );
        assert_eq!(found("", None), Ok((0, false, b',')));
    }

    #[test]
    fn what_is_said_beforehand_is_not_found_out() {
        let said = Wanted {
            column: Some(Column::new("1")),
            delimiter: Some(b','),
            heading: Some(false),
            ..wanted(Form::Csv)
        };
        let layout = Layout::find(b"phone;x\n", true, &said).unwrap().unwrap();
        assert_eq!(
            (layout.place, layout.heading, layout.columns),
            (0, false, 1)
        );
    }

    #[test]
    fn it_waits_for_the_whole_first_row_and_takes_no_utf16() {
        assert_eq!(
            Layout::find(b"phone,na", false, &wanted(Form::Csv)),
            Ok(None)
        );
        assert_eq!(Layout::find(b"", false, &wanted(Form::Lines)), Ok(None));
        let utf16 = Layout::find(b"\xff\xfep\0h\0", false, &wanted(Form::Csv));
        assert_eq!(utf16, Err(LayoutError::Utf16));
    }

    #[test]
    fn the_first_object_tells_the_member() {
        let find = |row: &[u8]| Layout::find(row, true, &wanted(Form::Ndjson));
        let layout = find(b"{\"id\":1,\"Phone Number\":\"1\"}\n")
            .unwrap()
            .unwrap();
        assert_eq!(layout.member, "Phone Number");
        assert_eq!(find(b"[1]\n"), Err(LayoutError::NotAnObject));
        assert_eq!(find(b"{\"id\":1}\n"), Err(LayoutError::NoColumn));
        assert_eq!(
            find(b"{\"phone\":1,\"reason\":1}"),
            Err(LayoutError::Answered("reason"))
        );
    }
}
