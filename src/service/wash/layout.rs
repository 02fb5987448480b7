//! How a list is laid out: what its first row tells, where nobody said it.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder};

use super::answers::ADDED;
use super::object;
use super::rows::{LONGEST_ROW, RowError, Splitter};
use crate::service::table::{
    BYTE_ORDER_MARK, Column, ENOUGH, Foreign, Numbers, NumbersError, delimiter_of, foreign,
    is_perhaps, is_phone, named,
};

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
    /// The column, or the member, of the number; or several, with commas between them. Among members
    /// `*` stands for every one that is named as that of a phone number usually is.
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
    /// The columns of the numbers, from 0. A row with two numbers is suppressed if either is.
    pub places: Vec<usize>,
    /// What these columns are called.
    pub names: Vec<String>,
    /// The members of the numbers.
    pub members: Vec<String>,
    /// Whether other members that are named as that of a phone number usually is are asked about
    /// too: one that the first row does not have may stand in a later one.
    pub and_usual: bool,
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
    /// More than one column could be meant.
    #[error(
        "more than one column could be that of the phone numbers: say which one it is, by its name \
         or, from 1, by its position; or several, with commas between them"
    )]
    SeveralColumns,
    /// The column that was named is not there.
    #[error("there is no column of the name or position that was given")]
    NoSuchColumn,
    /// It was washed before.
    #[error(
        "the list has a column named {0} already, as one that was washed before: an old answer could \
         be taken for a new one. Take that column out, or give it another name"
    )]
    Answered(&'static str),
    /// It is no list.
    #[error(transparent)]
    Foreign(#[from] Foreign),
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

impl Layout {
    /// Finds the layout of a list that begins with `start`; nothing while that does not tell it
    /// yet. `end` says that nothing comes behind.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn find(start: &[u8], end: bool, wanted: &Wanted) -> Result<Option<Self>, LayoutError> {
        if !end && start.len() < ENOUGH {
            return Ok(None);
        }
        if let Some(foreign) = foreign(start, wanted.form == Form::Ndjson) {
            return Err(foreign.into());
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
            places: vec![0],
            names: Vec::new(),
            members: Vec::new(),
            and_usual: false,
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
        let numbers = Numbers::find(
            &first_cells,
            self.columns,
            wanted.column.as_ref(),
            wanted.heading,
        );
        let numbers = numbers.map_err(|error| match error {
            NumbersError::Nothing => LayoutError::NoColumn,
            NumbersError::Several => LayoutError::SeveralColumns,
            NumbersError::NoSuchColumn => LayoutError::NoSuchColumn,
        })?;
        self.heading = numbers.heading;
        self.names = numbers.names(&first_cells);
        self.places = numbers.places;
        if self.heading {
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
            let members = column.as_str().split(',').map(str::trim);
            for member in members.filter(|member| !member.is_empty()) {
                match member {
                    "*" => self.and_usual = true,
                    member => self.members.push(member.to_owned()),
                }
            }
            return match self.members.is_empty() {
                true => Err(LayoutError::NoSuchColumn),
                false => Ok(()),
            };
        }
        let names = object::names(first).map_err(|_| LayoutError::NotAnObject)?;
        if let Some(name) = ADDED
            .into_iter()
            .find(|name| names.iter().any(|known| known == name))
        {
            return Err(LayoutError::Answered(name));
        }
        // A name with a comma in it could not be passed on.
        let of = |is: fn(&[u8]) -> bool| -> Vec<String> {
            let names = names.iter().filter(|name| !name.contains(','));
            names.filter(|name| is(name.as_bytes())).cloned().collect()
        };
        self.and_usual = true;
        self.members = of(is_phone);
        if self.members.is_empty() {
            self.members = of(is_perhaps);
        }
        match self.members.len() {
            0 => Err(LayoutError::NoColumn),
            2.. if !is_phone(self.members[0].as_bytes()) => Err(LayoutError::SeveralColumns),
            _ => Ok(()),
        }
    }
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

    type Told = (Vec<usize>, bool, u8);

    fn found(list: &str, column: Option<&str>) -> Result<Told, LayoutError> {
        let wanted = Wanted {
            column: column.map(Column::new),
            ..wanted(Form::Csv)
        };
        let layout = Layout::find(list.as_bytes(), true, &wanted)?.unwrap();
        Ok((layout.places, layout.heading, layout.delimiter))
    }

    #[test]
    fn the_first_row_of_a_table_tells_column_heading_and_delimiter() {
        assert_eq!(
            found("name;Phone-Number\na;1\n", None),
            Ok((vec![1], true, b';'))
        );
        assert_eq!(
            found("\u{feff}phone,tel\n", None),
            Ok((vec![0, 1], true, b','))
        );
        assert_eq!(
            found("number,called\n", None),
            Err(LayoutError::SeveralColumns)
        );
        assert_eq!(
            found("\r\n\n\"tel\"\tx\n", None),
            Ok((vec![0], true, b'\t'))
        );
        assert_eq!(found("+32470123456\n", None), Ok((vec![0], false, b',')));
        assert_eq!(found("Nummer\n0470\n", None), Ok((vec![0], true, b',')));
        assert_eq!(
            found("a,+32470123456\n", Some("2")),
            Ok((vec![1], false, b','))
        );
        assert_eq!(
            found("a,b\nx,+32470123456\n", Some("2")),
            Ok((vec![1], true, b','))
        );
        assert_eq!(
            found("a,Work Phone\n", Some("work_phone")),
            Ok((vec![1], true, b','))
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
        assert_eq!(found("", None), Ok((vec![0], false, b',')));
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
            (layout.places, layout.heading, layout.columns),
            (vec![0], false, 1)
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
        assert!(matches!(utf16, Err(LayoutError::Foreign(_))));
    }

    #[test]
    fn the_first_object_tells_the_member() {
        let find = |row: &[u8]| Layout::find(row, true, &wanted(Form::Ndjson));
        let layout = find(b"{\"id\":1,\"Phone Number\":\"1\"}\n")
            .unwrap()
            .unwrap();
        assert_eq!(layout.members, ["Phone Number"]);
        let both = find(b"{\"tel\":1,\"number\":2,\"Mobile\":3}\n")
            .unwrap()
            .unwrap();
        assert_eq!(both.members, ["Mobile", "tel"]);
        let two = find(b"{\"called\":1,\"number\":2}\n");
        assert_eq!(two, Err(LayoutError::SeveralColumns));
        assert_eq!(find(b"[1]\n"), Err(LayoutError::NotAnObject));
        assert_eq!(find(b"{\"id\":1}\n"), Err(LayoutError::NoColumn));
        assert_eq!(
            find(b"{\"phone\":1,\"reason\":1}"),
            Err(LayoutError::Answered("reason"))
        );
    }
}
