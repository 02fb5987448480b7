//! Workbooks (.xlsx; ECMA-376, part 1, section 18), read cell by cell.
//!
//! What must be in memory is little and bounded: the names of the sheets, how numbers are shown, and
//! the texts that cells share. Libraries for this take a workbook's word for how much there is of
//! each; here nothing is made before it has come.

use std::collections::HashMap;
use std::io::{Read, Seek};

use quick_xml::events::{BytesStart, Event};

use super::number_format::NumberFormat;
use super::package::{Package, Xml, attribute};
use super::sheet::{SheetError, SheetLimits};
use super::workbook_cells::{Cells, Texts};

/// The most sheets, and files that they are related to, of a workbook that is read.
const MOST_SHEETS: usize = 4_096;

/// The longest name of a sheet or of a file: a name has 31 characters.
const LONGEST_NAME: usize = 1_024;

/// The most styles that a workbook has: the program that makes them stops at 65,490.
const MOST_STYLES: usize = 1 << 16;

/// How much of the files is read that say what a workbook is made of.
const FRAME: u64 = 64 << 20;

/// An open workbook.
pub(super) struct Workbook<R> {
    package: Package<R>,
    limits: SheetLimits,
    sheets: Vec<Sheet>,
    /// Where its texts and its styles are.
    texts_at: Option<String>,
    styles_at: Option<String>,
    /// Whether days are counted from 1904.
    from_1904: bool,
    styles: Vec<NumberFormat>,
    texts: Texts,
}

struct Sheet {
    name: String,
    hidden: bool,
    file: String,
}

/// What one file of a workbook is to another.
struct Related {
    kind: String,
    file: String,
}

impl<R: Read + Seek> Workbook<R> {
    /// # Errors
    /// [`SheetError`]; [`SheetError::NotASheet`] when there is no workbook in the package.
    pub fn open(mut package: Package<R>, limits: SheetLimits) -> Result<Self, SheetError> {
        let root = related(&mut package, "", "_rels/.rels")?;
        let mut root = root.into_values();
        let Some(book) = root.find(|file| file.kind == "officeDocument") else {
            return Err(SheetError::NotASheet(super::sheet::NO_WORKBOOK));
        };
        let (folder, name) = match book.file.rsplit_once('/') {
            Some((folder, name)) => (format!("{folder}/"), name),
            None => (String::new(), &*book.file),
        };
        let files = related(&mut package, &folder, &format!("{folder}_rels/{name}.rels"))?;
        let of = |kind: &str| {
            let mut files = files.values();
            files
                .find(|file| file.kind == kind)
                .map(|file| file.file.clone())
        };
        let mut book = Self {
            limits,
            sheets: Vec::new(),
            texts_at: of("sharedStrings"),
            styles_at: of("styles"),
            from_1904: false,
            styles: Vec::new(),
            texts: Texts::default(),
            package,
        };
        book.read_sheets(&folder, name, &files)?;
        Ok(book)
    }

    fn read_sheets(
        &mut self,
        folder: &str,
        name: &str,
        files: &HashMap<String, Related>,
    ) -> Result<(), SheetError> {
        let xml = self.package.xml(&format!("{folder}{name}"), FRAME)?;
        let mut xml = xml.ok_or(SheetError::Damaged)?;
        while let Some(element) = next_element(&mut xml)? {
            match element.local_name().as_ref() {
                // One of the same name, and without this, may stand in what other programs add.
                "workbookPr" => {
                    if let Some(said) = attribute(&element, "date1904")? {
                        self.from_1904 = matches!(&*said, "1" | "true");
                    }
                }
                "sheet" => {
                    let id = attribute(&element, "id")?.ok_or(SheetError::Damaged)?;
                    let file = files.get(&*id).ok_or(SheetError::Damaged)?;
                    // Charts are sheets, too.
                    if file.kind != "worksheet" {
                        continue;
                    }
                    let name = attribute(&element, "name")?.unwrap_or_default();
                    if name.len() > LONGEST_NAME || self.sheets.len() == MOST_SHEETS {
                        return Err(SheetError::Damaged);
                    }
                    let state = attribute(&element, "state")?;
                    self.sheets.push(Sheet {
                        name: name.into_owned(),
                        hidden: state.is_some_and(|state| state != "visible"),
                        file: file.file.clone(),
                    });
                }
                _ => {}
            }
        }
        xml.finish()
    }

    /// Its sheets, and whether each is hidden.
    pub fn sheets(&self) -> impl Iterator<Item = (&str, bool)> {
        self.sheets.iter().map(|sheet| (&*sheet.name, sheet.hidden))
    }

    /// Reads what the cells of all sheets refer to.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn read_shared(&mut self) -> Result<(), SheetError> {
        if let Some(file) = &self.styles_at
            && let Some(xml) = self.package.xml(file, FRAME)?
        {
            self.styles = styles(xml)?;
        }
        if let Some(file) = &self.texts_at
            && let Some(xml) = self.package.xml(file, self.limits.unpacked)?
        {
            self.texts = Texts::read(xml, self.limits.texts)?;
        }
        Ok(())
    }

    /// The cells of the sheet at this place.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn cells(&mut self, place: usize) -> Result<Cells<'_>, SheetError> {
        let sheet = self.sheets.get(place).ok_or(SheetError::Damaged)?;
        let xml = self.package.xml(&sheet.file, self.limits.unpacked)?;
        let xml = xml.ok_or(SheetError::Damaged)?;
        Ok(Cells::new(xml, &self.styles, &self.texts, self.from_1904))
    }
}

/// The files that one is related to, by their ids.
fn related<R: Read + Seek>(
    package: &mut Package<R>,
    folder: &str,
    name: &str,
) -> Result<HashMap<String, Related>, SheetError> {
    let mut files = HashMap::new();
    let Some(mut xml) = package.xml(name, FRAME)? else {
        return Ok(files);
    };
    while let Some(element) = next_element(&mut xml)? {
        if element.local_name().as_ref() != "Relationship" {
            continue;
        }
        let id = attribute(&element, "Id")?.unwrap_or_default();
        let kind = attribute(&element, "Type")?.unwrap_or_default();
        let target = attribute(&element, "Target")?.unwrap_or_default();
        // Of those there may be very many, to places in the world.
        let kind = kind.rsplit('/').next().unwrap_or_default();
        if ![
            "officeDocument",
            "worksheet",
            "chartsheet",
            "dialogsheet",
            "sharedStrings",
            "styles",
        ]
        .contains(&kind)
        {
            continue;
        }
        if id.len().max(target.len()) > LONGEST_NAME || files.len() == MOST_SHEETS {
            return Err(SheetError::Damaged);
        }
        let file = match target.strip_prefix('/') {
            Some(file) => file.to_owned(),
            None => format!("{folder}{target}"),
        };
        let kind = kind.to_owned();
        files.insert(id.into_owned(), Related { kind, file });
    }
    xml.finish()?;
    Ok(files)
}

/// How the numbers of each style are shown.
fn styles(mut xml: Xml<'_>) -> Result<Vec<NumberFormat>, SheetError> {
    let mut formats = HashMap::new();
    let mut styles = Vec::new();
    let mut inside = false;
    loop {
        let event = xml.next()?;
        let (element, empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(element) => {
                inside &= element.local_name().as_ref() != "cellXfs";
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let id = || -> Result<Option<u32>, SheetError> {
            let id = attribute(element, "numFmtId")?;
            Ok(id.and_then(|id| id.parse().ok()))
        };
        match element.local_name().as_ref() {
            "cellXfs" => inside = !empty,
            "numFmt" => {
                let code = attribute(element, "formatCode")?.unwrap_or_default();
                if let Some(id) = id()? {
                    formats.insert(id, NumberFormat::parse(&code));
                }
            }
            "xf" if inside => {
                let id = id()?.unwrap_or(0);
                let format = formats.get(&id).copied();
                styles.push(format.unwrap_or_else(|| NumberFormat::built_in(id)));
            }
            _ => {}
        }
        if styles.len().max(formats.len()) > MOST_STYLES {
            return Err(SheetError::Damaged);
        }
    }
    xml.finish()?;
    Ok(styles)
}

/// The next element that begins; nothing at the end.
fn next_element(xml: &mut Xml<'_>) -> Result<Option<BytesStart<'static>>, SheetError> {
    loop {
        match xml.next()? {
            Event::Start(element) | Event::Empty(element) => {
                return Ok(Some(element.into_owned()));
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}
