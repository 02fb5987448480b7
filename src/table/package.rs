//! Packed files in one, as .xlsx and .ods are (ZIP, APPNOTE 6.3), and the XML in them, within bounds
//! that nothing declared in them moves: of a few bytes that hold gigabytes no more is unpacked than
//! was allowed, and of no file, however it is nested or cut up, more than a piece is in memory.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;
use zip::result::ZipError;

use super::SheetError;

/// So much of a file is read to find what is packed in it: some thousands of names.
const DIRECTORY: u64 = 512 << 10;

/// How long one piece of XML may be, a tag or the text before the next one. A cell of a spreadsheet
/// has at most 32,767 characters.
const LONGEST_PIECE: u64 = 256 << 10;

/// How deep XML may be nested: a workbook takes about ten.
const DEEPEST: usize = 64;

/// A file with others packed in it.
pub(super) struct Package<R> {
    archive: ZipArchive<Metered<R>>,
}

impl<R: Read + Seek> Package<R> {
    /// # Errors
    /// [`SheetError::NotASheet`] when it is none.
    pub fn open(file: R) -> Result<Self, SheetError> {
        let left = Rc::new(Cell::new(Some(DIRECTORY)));
        let file = Metered {
            from: file,
            left: left.clone(),
        };
        let archive = ZipArchive::new(file).map_err(|error| match unpacking(error) {
            SheetError::Damaged => SheetError::NotASheet(super::sheet::NO_WORKBOOK),
            error => error,
        })?;
        // From here on it is what comes out that is bounded.
        left.set(None);
        Ok(Self { archive })
    }

    /// The file of this name, in whatever case and with whatever slashes it was written, and no more
    /// of it than `most` bytes; nothing when there is none.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn file(&mut self, name: &str, most: u64) -> Result<Option<Unpacked<'_>>, SheetError> {
        let plain = |name: &[u8]| -> Vec<u8> {
            let name = name.strip_prefix(b"/").unwrap_or(name);
            let slash = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
            name.to_ascii_lowercase().iter().map(slash).collect()
        };
        let wanted = plain(name.as_bytes());
        let mut names = self.archive.file_names_raw();
        let Some(place) = names.position(|name| plain(name) == wanted) else {
            return Ok(None);
        };
        drop(names);
        let file = self.archive.by_index(place).map_err(unpacking)?;
        Ok(Some(Unpacked {
            from: Box::new(file),
            left: most,
            piece: most,
        }))
    }

    /// What is in a short file.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn short(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, SheetError> {
        let Some(mut file) = self.file(name, most)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(reading)?;
        Ok(Some(bytes))
    }

    /// The XML in a file, no more of it than `most` bytes.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn xml(&mut self, name: &str, most: u64) -> Result<Option<Xml<'_>>, SheetError> {
        let file = self.file(name, most)?;
        Ok(file.map(|file| Xml {
            reader: Reader::from_reader(BufReader::new(file)),
            piece: Vec::new(),
            depth: 0,
        }))
    }
}

fn unpacking(error: ZipError) -> SheetError {
    match error {
        ZipError::Io(error) => reading(error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => SheetError::Password,
        _ => SheetError::Damaged,
    }
}

/// Too much came out of too little.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to more than is read")]
struct TooMuch;

/// What a failed read means.
pub(super) fn reading(error: io::Error) -> SheetError {
    match error.kind() {
        io::ErrorKind::Other if error.get_ref().is_some_and(|why| why.is::<TooMuch>()) => {
            SheetError::TooLong
        }
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Other => SheetError::Damaged,
        _ => SheetError::Read(error),
    }
}

/// The file itself, of which only so much is read while its directory is looked for.
struct Metered<R> {
    from: R,
    /// How much more may be read; nothing for any amount.
    left: Rc<Cell<Option<u64>>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        if let Some(left) = self.left.get() {
            let left = left.checked_sub(read as u64);
            self.left.set(Some(
                left.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?,
            ));
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.from.seek(to)
    }
}

/// A file as it is unpacked.
pub(super) struct Unpacked<'a> {
    from: Box<dyn Read + 'a>,
    /// How much more of it may come.
    left: u64,
    /// How much more of it may come at once.
    piece: u64,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(self.piece).min(into.len() as u64);
        if most == 0 && !into.is_empty() {
            return match self.from.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other(TooMuch)),
            };
        }
        let read = self.from.read(&mut into[..most as usize])?;
        self.left -= read as u64;
        self.piece -= read as u64;
        Ok(read)
    }
}

/// XML, piece by piece.
pub(super) struct Xml<'a> {
    reader: Reader<BufReader<Unpacked<'a>>>,
    piece: Vec<u8>,
    depth: usize,
}

impl Xml<'_> {
    /// The next piece.
    ///
    /// # Errors
    /// [`SheetError`]: it is no XML, or there is more of it than is read.
    pub fn next(&mut self) -> Result<Event<'_>, SheetError> {
        self.piece.clear();
        self.reader.get_mut().get_mut().piece = LONGEST_PIECE;
        let event = self.reader.read_event_into(&mut self.piece);
        let event = event.map_err(|error| match error {
            quick_xml::Error::Io(error) => match error.get_ref() {
                Some(why) if why.is::<TooMuch>() => SheetError::TooLong,
                _ => SheetError::Damaged,
            },
            _ => SheetError::Damaged,
        })?;
        match &event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        match self.depth > DEEPEST {
            true => Err(SheetError::Damaged),
            false => Ok(event),
        }
    }

    /// Reads to the end, where it shows whether what was unpacked is what was packed.
    ///
    /// # Errors
    /// [`SheetError`].
    pub fn finish(mut self) -> Result<(), SheetError> {
        let rest = self.reader.get_mut();
        rest.get_mut().piece = u64::MAX;
        io::copy(rest, &mut io::sink()).map_err(reading)?;
        Ok(())
    }
}

/// What an attribute says, whatever namespace its name has.
///
/// # Errors
/// [`SheetError::Damaged`].
pub(super) fn attribute<'a>(
    element: &'a BytesStart<'_>,
    name: &str,
) -> Result<Option<Cow<'a, str>>, SheetError> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| SheetError::Damaged)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            return value.map(Some).map_err(|_| SheetError::Damaged);
        }
    }
    Ok(None)
}
