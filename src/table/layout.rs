//! How a table is laid out: what its first row tells, where nobody said it.

use super::Form;
use super::columns::{Column, Numbers, NumbersError, is_perhaps, is_phone, named};
use super::head::{Head, HeadError};
use super::numbers::{Encoding, NumberRules};
use super::object;
use super::rows::Splitter;
use crate::domain::Notation;

/// What is known of a table beforehand. The rest is found out from its first row.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The form.
    pub form: Form,
    /// The column, or the member, of the number; or several, with commas between them. Among members
    /// `*` stands for every one that is named as that of a phone number usually is.
    pub column: Option<Column>,
    /// How many columns the table has; that of a table's middle does not have it from its first row.
    pub columns: Option<usize>,
    /// Between the columns.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub heading: Option<bool>,
    /// The encoding; where it is not known, a number that is not UTF-8 is taken for Windows-1252.
    pub encoding: Option<Encoding>,
    /// The column of each row's region: two letters, or a country code.
    pub region_column: Option<Column>,
    /// Names that no column may have, as the answer is put there.
    pub taken: &'static [&'static str],
}

/// How a table is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its beginning.
    pub head: Head,
    /// Whether the first row names the columns.
    pub heading: bool,
    /// How many columns the first row has.
    pub columns: usize,
    /// The columns of the numbers, from 0. A row with two numbers is suppressed if either is.
    pub numbers: Numbers,
    /// What these columns are called.
    pub names: Vec<String>,
    /// The members of the numbers.
    pub members: Vec<String>,
    /// Whether other members that are named as that of a phone number usually is count too: one that
    /// the first row does not have may stand in a later one.
    pub and_usual: bool,
    /// The encoding, if it is known.
    pub encoding: Option<Encoding>,
    /// The column of each row's region.
    pub region_column: Option<usize>,
    taken: &'static [&'static str],
}

/// Why a table cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Its beginning.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Nothing tells which column holds the numbers.
    #[error("nothing tells which column holds the numbers")]
    NoColumn,
    /// More than one column could be meant.
    #[error("more than one column could be that of the phone numbers")]
    SeveralColumns,
    /// The column that was named is not there.
    #[error("there is no column of the name or position {0}; the first row has {1}")]
    NoSuchColumn(String, usize),
    /// It was washed before.
    #[error(
        "the list has a column named {0} already, as one that was washed before: an old answer could \
         be taken for a new one"
    )]
    Answered(&'static str),
    /// The first line is not a JSON object.
    #[error("the first line is not a JSON object that an answer can be added to")]
    NotAnObject,
}

impl Layout {
    /// Finds the layout of a table that begins with `start`; nothing while that does not tell it
    /// yet. `end` says that nothing comes behind.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn find(start: &[u8], end: bool, wanted: &Wanted) -> Result<Option<Self>, LayoutError> {
        let Some(head) = Head::find(start, end, wanted.form, wanted.delimiter)? else {
            return Ok(None);
        };
        let mut layout = Self {
            heading: wanted.heading.unwrap_or(false),
            columns: 1,
            numbers: Numbers {
                places: vec![vec![0]],
                heading: false,
            },
            names: Vec::new(),
            members: Vec::new(),
            and_usual: false,
            encoding: wanted.encoding,
            region_column: None,
            taken: wanted.taken,
            head,
        };
        // A table without a single row is one too.
        if !layout.head.first.is_empty() {
            match wanted.form {
                Form::Lines => {}
                Form::Csv => layout.of_cells(wanted)?,
                Form::Ndjson => layout.of_objects(wanted)?,
            }
        }
        Ok(Some(layout))
    }

    /// What finds its rows.
    #[must_use]
    pub fn splitter(&self) -> Splitter {
        self.head.splitter()
    }

    /// What reads the numbers of its rows.
    #[must_use]
    pub fn rules(&self, notation: Notation) -> NumberRules {
        NumberRules {
            form: self.head.form,
            delimiter: self.head.delimiter,
            columns: self.columns,
            places: self.numbers.places.clone(),
            members: self.members.clone(),
            and_usual: self.and_usual,
            taken: self.taken,
            encoding: self.encoding,
            notation,
            region_column: self.region_column,
        }
    }

    /// The place of another column than those of the numbers.
    ///
    /// # Errors
    /// [`LayoutError::NoSuchColumn`].
    pub fn place(&self, column: &Column) -> Result<usize, LayoutError> {
        let heading = self.heading.then_some(self.head.first.as_slice());
        let place = column.position(heading, self.columns);
        place.ok_or_else(|| self.no_such(column))
    }

    fn no_such(&self, column: &Column) -> LayoutError {
        LayoutError::NoSuchColumn(column.as_str().to_owned(), self.columns)
    }

    fn of_cells(&mut self, wanted: &Wanted) -> Result<(), LayoutError> {
        // In the middle of a table all is known.
        let known = wanted.columns.is_some() && wanted.heading == Some(false);
        if self.head.damaged && !known {
            return Err(HeadError::Quotes.into());
        }
        let first = &self.head.first;
        self.columns = wanted.columns.unwrap_or(first.len()).max(1);
        let column = wanted.column.as_ref();
        let numbers = Numbers::find(first, self.columns, column, wanted.heading);
        let numbers = numbers.map_err(|error| match (error, column) {
            (NumbersError::NoSuchColumn, Some(column)) => self.no_such(column),
            (NumbersError::Several, _) => LayoutError::SeveralColumns,
            _ => LayoutError::NoColumn,
        })?;
        self.heading = numbers.heading;
        self.names = numbers.names(first);
        self.numbers = numbers;
        if self.heading {
            let mut taken = self.taken.iter().copied();
            if let Some(name) = taken.find(|name| named(first, name).is_some()) {
                return Err(LayoutError::Answered(name));
            }
        }
        let region = wanted.region_column.as_ref();
        self.region_column = region.map(|column| self.place(column)).transpose()?;
        Ok(())
    }

    fn of_objects(&mut self, wanted: &Wanted) -> Result<(), LayoutError> {
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
                true => Err(self.no_such(column)),
                false => Ok(()),
            };
        }
        let first = self.head.first.first().map_or("", String::as_str);
        let names = object::names(first.as_bytes()).map_err(|_| LayoutError::NotAnObject)?;
        let taken = self.taken.iter().copied();
        let mut taken = taken.filter(|name| names.iter().any(|known| known == name));
        if let Some(name) = taken.next() {
            return Err(LayoutError::Answered(name));
        }
        // A name with a comma in it could not be passed on.
        let of = |is: fn(&str) -> bool| -> Vec<String> {
            let names = names.iter().filter(|name| !name.contains(','));
            names.filter(|name| is(name)).cloned().collect()
        };
        self.and_usual = true;
        self.members = of(is_phone);
        if self.members.is_empty() {
            self.members = of(is_perhaps);
        }
        match self.members.len() {
            0 => Err(LayoutError::NoColumn),
            2.. if !is_phone(&self.members[0]) => Err(LayoutError::SeveralColumns),
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
            region_column: None,
            taken: &["answer", "reason"],
        }
    }

    type Told = (String, bool, u8);

    fn found(list: &str, column: Option<&str>) -> Result<Told, LayoutError> {
        let wanted = Wanted {
            column: column.map(Column::new),
            ..wanted(Form::Csv)
        };
        let layout = Layout::find(list.as_bytes(), true, &wanted)?.unwrap();
        Ok((
            layout.numbers.positions(),
            layout.heading,
            layout.head.delimiter,
        ))
    }

    fn no_such(name: &str) -> Result<Told, LayoutError> {
        Err(LayoutError::NoSuchColumn(name.to_owned(), 2))
    }

    #[test]
    fn the_first_row_of_a_table_tells_column_heading_and_delimiter() {
        assert_eq!(
            found("name;Phone-Number\na;1\n", None),
            Ok(("2".to_owned(), true, b';'))
        );
        assert_eq!(
            found("\u{feff}phone,tel\n", None),
            Ok(("1,2".to_owned(), true, b','))
        );
        assert_eq!(
            found("number,called\n", None),
            Err(LayoutError::SeveralColumns)
        );
        assert_eq!(
            found("\r\n\n\"tel\"\tx\n", None),
            Ok(("1".to_owned(), true, b'\t'))
        );
        assert_eq!(
            found("+32470123456\n", None),
            Ok(("1".to_owned(), false, b','))
        );
        assert_eq!(
            found("Nummer\n0470\n", None),
            Ok(("1".to_owned(), true, b','))
        );
        assert_eq!(
            found("a,+32470123456\n", Some("2")),
            Ok(("2".to_owned(), false, b','))
        );
        assert_eq!(
            found("a,b\nx,+32470123456\n", Some("2")),
            Ok(("2".to_owned(), true, b','))
        );
        assert_eq!(
            found("a,Work Phone\n", Some("work_phone")),
            Ok(("2".to_owned(), true, b','))
        );
        assert_eq!(found("a,b\n", None), Err(LayoutError::NoColumn));
        assert_eq!(found("a,b\n", Some("c")), no_such("c"));
        assert_eq!(found("a,b\n", Some("3")), no_such("3"));
        assert_eq!(found("a,b\n", Some("0")), no_such("0"));
        assert_eq!(
            found("phone,answer\n", None),
            Err(LayoutError::Answered("answer"))
        );
        assert_eq!(
            found("\"phone\n", None),
            Err(LayoutError::Head(HeadError::Quotes))
        );
        assert_eq!(found("", None), Ok(("1".to_owned(), false, b',')));
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
        let told = (layout.numbers.positions(), layout.heading, layout.columns);
        assert_eq!(told, ("1".to_owned(), false, 1));
    }

    #[test]
    fn it_waits_for_the_whole_first_row_and_takes_no_utf16() {
        assert_eq!(
            Layout::find(b"phone,na", false, &wanted(Form::Csv)),
            Ok(None)
        );
        assert_eq!(Layout::find(b"", false, &wanted(Form::Lines)), Ok(None));
        let utf16 = Layout::find(b"\xff\xfep\0h\0", false, &wanted(Form::Csv));
        assert!(matches!(
            utf16,
            Err(LayoutError::Head(HeadError::Foreign(_)))
        ));
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
