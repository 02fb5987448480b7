//! The cells of a workbook's sheet, one after the other, and the texts that they share.

use calamine::{ExcelDateTime, ExcelDateTimeType};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use super::number_format::NumberFormat;
use super::package::{Xml, attribute};
use super::rows::LONGEST_ROW;
use super::sheet::{MOST_ROWS, SheetError, date, number};

/// The most columns that a sheet has.
const MOST_COLUMNS: u32 = 1 << 14;

/// The texts that cells share.
#[derive(Default)]
pub(super) struct Texts {
    blocks: Vec<Block>,
    /// How many there are.
    count: usize,
    /// How many bytes they have.
    bytes: usize,
}

/// Some of them, one behind the other. All of them together would be copied again and again as they
/// grow, and take twice the memory.
#[derive(Default)]
struct Block {
    /// How many come before.
    first: usize,
    all: String,
    ends: Vec<u32>,
}

/// A block has so many texts at most, and one with so many bytes takes no more.
const BLOCK: usize = 64 << 10;

impl Texts {
    /// # Errors
    /// [`SheetError`].
    pub fn read(mut xml: Xml<'_>, most: usize) -> Result<Self, SheetError> {
        let mut texts = Self::default();
        let (mut text, mut unused) = (String::new(), String::new());
        loop {
            let begun = match xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "si" => true,
                Event::Empty(element) if element.local_name().as_ref() == "si" => false,
                Event::Eof => break,
                _ => continue,
            };
            let taken = texts.bytes + size_of::<u32>() * (texts.count + 1);
            let room = most.checked_sub(taken).ok_or(SheetError::TooManyTexts)?;
            text.clear();
            unused.clear();
            if begun && !content(&mut xml, "si", room, &mut text, &mut unused)? {
                return Err(SheetError::TooManyTexts);
            }
            texts.push(&text)?;
        }
        xml.finish()?;
        Ok(texts)
    }

    fn push(&mut self, text: &str) -> Result<(), SheetError> {
        let full = |block: &Block| block.ends.len() >= BLOCK || block.all.len() >= BLOCK;
        if self.blocks.last().is_none_or(full) {
            self.blocks.push(Block {
                first: self.count,
                ..Block::default()
            });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.all.push_str(text);
            let end = u32::try_from(block.all.len());
            block.ends.push(end.map_err(|_| SheetError::TooManyTexts)?);
        }
        self.count += 1;
        self.bytes += text.len();
        Ok(())
    }

    fn get(&self, place: usize) -> Option<&str> {
        let after = self.blocks.partition_point(|block| block.first <= place);
        let block = &self.blocks[after.checked_sub(1)?];
        let place = place - block.first;
        let end = *block.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| block.ends[before]);
        block.all.get(start as usize..end as usize)
    }
}

/// The cells of a sheet, one after the other.
pub(super) struct Cells<'a> {
    xml: Xml<'a>,
    styles: &'a [NumberFormat],
    texts: &'a Texts,
    from_1904: bool,
    /// Whether the cells have begun.
    inside: bool,
    row: u32,
    next_row: u32,
    column: u32,
    text: String,
    value: String,
}

impl<'a> Cells<'a> {
    pub fn new(
        xml: Xml<'a>,
        styles: &'a [NumberFormat],
        texts: &'a Texts,
        from_1904: bool,
    ) -> Self {
        Self {
            xml,
            styles,
            texts,
            from_1904,
            inside: false,
            row: 0,
            next_row: 0,
            column: 0,
            text: String::new(),
            value: String::new(),
        }
    }

    /// The row and the column of the next cell, from 0, and what it shows; nothing at the end.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn next(&mut self) -> Result<Option<(u32, u32, &str)>, SheetError> {
        let (kind, style) = loop {
            let event = self.xml.next()?;
            let (element, empty) = match &event {
                Event::Start(element) => (element, false),
                Event::Empty(element) => (element, true),
                Event::End(element) if element.local_name().as_ref() == "sheetData" => {
                    return Ok(None);
                }
                Event::Eof => return Err(SheetError::Damaged),
                _ => continue,
            };
            match element.local_name().as_ref() {
                "sheetData" if empty => return Ok(None),
                "sheetData" => self.inside = true,
                // Around the cells these are something else.
                _ if !self.inside => {}
                "row" => {
                    self.row = match attribute(element, "r")? {
                        Some(row) => place(&row, MOST_ROWS)?,
                        None => self.next_row,
                    };
                    (self.next_row, self.column) = (self.row + 1, 0);
                }
                "c" => {
                    let cell = Cell::of(element)?;
                    if let Some((row, column)) = cell.at {
                        (self.row, self.column) = (row, column);
                    }
                    if self.row >= MOST_ROWS || self.column >= MOST_COLUMNS {
                        return Err(SheetError::Damaged);
                    }
                    self.column += 1;
                    if !empty {
                        break (cell.kind, cell.style);
                    }
                }
                _ => {}
            }
        };
        self.text.clear();
        self.value.clear();
        if !content(
            &mut self.xml,
            "c",
            LONGEST_ROW,
            &mut self.text,
            &mut self.value,
        )? {
            return Err(SheetError::RowTooLong(self.row + 1));
        }
        self.shown(kind, style)?;
        Ok(Some((self.row, self.column - 1, &self.text)))
    }

    /// Makes `text` what the cell shows.
    fn shown(&mut self, kind: Kind, style: usize) -> Result<(), SheetError> {
        let (text, value) = (&mut self.text, self.value.trim());
        match kind {
            // A text of its own stands in the cell.
            Kind::Text => {}
            Kind::Shared if !value.is_empty() => {
                let place = value.parse().ok();
                let shared = place.and_then(|place| self.texts.get(place));
                text.push_str(shared.ok_or(SheetError::Damaged)?);
            }
            Kind::Result => text.push_str(&unescaped(&self.value)),
            Kind::Bool => text.push_str(match value {
                "" => "",
                "0" | "false" => "false",
                "1" | "true" => "true",
                _ => return Err(SheetError::Damaged),
            }),
            Kind::AsItIs => text.push_str(value),
            Kind::Number if !value.is_empty() => {
                let amount = value.parse::<f64>().map_err(|_| SheetError::Damaged)?;
                let style = self.styles.get(style);
                match style.copied().unwrap_or(NumberFormat::Plain) {
                    NumberFormat::Date => text.push_str(&date(ExcelDateTime::new(
                        amount,
                        ExcelDateTimeType::DateTime,
                        self.from_1904,
                    ))),
                    NumberFormat::Digits(digits) if amount.fract() == 0.0 && amount >= 0.0 => {
                        let digits = usize::from(digits);
                        text.push_str(&format!("{:0>digits$}", number(amount)));
                    }
                    _ => text.push_str(&number(amount)),
                }
            }
            Kind::Shared | Kind::Number => {}
        }
        Ok(())
    }

    /// Reads to the end of its file; see [`Xml::finish`].
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn finish(self) -> Result<(), SheetError> {
        self.xml.finish()
    }
}

/// What a cell says before what is in it.
struct Cell {
    at: Option<(u32, u32)>,
    kind: Kind,
    style: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Number,
    /// One of the texts that cells share.
    Shared,
    /// A text of its own.
    Text,
    /// The text that a formula gave.
    Result,
    Bool,
    /// A date, or an error.
    AsItIs,
}

impl Cell {
    fn of(element: &BytesStart<'_>) -> Result<Self, SheetError> {
        let mut cell = Self {
            at: None,
            kind: Kind::Number,
            style: 0,
        };
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| SheetError::Damaged)?;
            let value = &*attribute.value;
            match attribute.key.as_ref() {
                "r" => cell.at = Some(reference(value)?),
                "s" => cell.style = value.parse().unwrap_or(0),
                "t" => {
                    cell.kind = match value {
                        "n" => Kind::Number,
                        "s" => Kind::Shared,
                        "inlineStr" => Kind::Text,
                        "str" => Kind::Result,
                        "b" => Kind::Bool,
                        "d" | "e" => Kind::AsItIs,
                        _ => return Err(SheetError::Damaged),
                    }
                }
                _ => {}
            }
        }
        Ok(cell)
    }
}

/// The row and the column of a reference such as `B7`, from 0.
fn reference(text: &str) -> Result<(u32, u32), SheetError> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, row) = text.split_at(letters);
    if letters.is_empty() || letters.len() > 3 {
        return Err(SheetError::Damaged);
    }
    let letter = |byte: u8| u32::from(byte.to_ascii_uppercase() - b'A') + 1;
    let column = letters.bytes().fold(0, |all, byte| all * 26 + letter(byte));
    Ok((place(row, MOST_ROWS)?, column - 1))
}

/// A number from 1 to `most`, from 0.
fn place(text: &str, most: u32) -> Result<u32, SheetError> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.map(|number| number - 1).ok_or(SheetError::Damaged)
}

/// Reads to the end of an element: adds the text in it to `text`, without what says how it is
/// pronounced, and the value in it to `value`. False as soon as `text` is longer than `most`, or the
/// value than any row.
fn content(
    xml: &mut Xml<'_>,
    end: &str,
    most: usize,
    text: &mut String,
    value: &mut String,
) -> Result<bool, SheetError> {
    #[derive(Clone, Copy)]
    enum Inside {
        Nothing,
        Value,
        /// Where it begins, and whether blanks around it count.
        Text(usize, bool),
    }
    let (mut inside, mut spoken) = (Inside::Nothing, false);
    loop {
        let event = xml.next()?;
        let piece = match &event {
            Event::Start(element) => {
                match element.local_name().as_ref() {
                    "rPh" => spoken = true,
                    "v" => inside = Inside::Value,
                    "t" if !spoken => {
                        let kept = attribute(element, "space")?;
                        let kept = kept.is_some_and(|said| said == "preserve");
                        inside = Inside::Text(text.len(), kept);
                    }
                    _ => {}
                }
                continue;
            }
            Event::End(element) => {
                match element.local_name().as_ref() {
                    name if name == end => return Ok(true),
                    "rPh" => spoken = false,
                    "t" => {
                        if let Inside::Text(start, kept) = inside {
                            end_text(text, start, kept);
                        }
                        inside = Inside::Nothing;
                    }
                    "v" => inside = Inside::Nothing,
                    _ => {}
                }
                continue;
            }
            Event::Text(piece) => piece.xml10_content(),
            Event::CData(piece) => piece.xml10_content(),
            Event::GeneralRef(name) => {
                let sign = name.resolve_char_ref().map_err(|_| SheetError::Damaged)?;
                match sign {
                    Some(sign) => sign.to_string().into(),
                    None => resolve_xml_entity(name).ok_or(SheetError::Damaged)?.into(),
                }
            }
            Event::Eof => return Err(SheetError::Damaged),
            _ => continue,
        };
        match inside {
            Inside::Nothing => continue,
            Inside::Value => value.push_str(&piece),
            Inside::Text(..) => text.push_str(&piece),
        }
        if text.len() > most || value.len() > LONGEST_ROW {
            return Ok(false);
        }
    }
}

/// Ends the text that began at `start`.
fn end_text(text: &mut String, start: usize, kept: bool) {
    const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
    if !kept {
        let end = start + text[start..].trim_end_matches(BLANKS).len();
        text.truncate(end);
        let before = text[start..].len() - text[start..].trim_start_matches(BLANKS).len();
        text.drain(start..start + before);
    }
    if text[start..].contains("_x") {
        let plain = unescaped(&text[start..]);
        text.truncate(start);
        text.push_str(&plain);
    }
}

/// A text without the signs that were written as `_x000D_` (ECMA-376, part 1, section 22.9.2.19).
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest
            .get(at + 2..at + 7)
            .and_then(|code| code.strip_suffix('_'));
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let sign = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match sign.map(|sign| char::from_u32(sign).unwrap_or(char::REPLACEMENT_CHARACTER)) {
            Some(sign) => {
                plain.push_str(&rest[..at]);
                plain.push(sign);
                rest = &rest[at + 7..];
            }
            None => {
                plain.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    plain.push_str(rest);
    plain
}
