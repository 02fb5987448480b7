//! An export to a file that broke off, and going on behind its last whole line.
//!
//! Beside the part lies a small file with the filters, so that no export is put together from two
//! different ones. A phone number is never written there: an export of one number is short, and is
//! begun again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::Format;
use crate::cli::Failure;
use crate::cli::audit::place::{Place, beside, cannot_write, new_file};
use crate::domain::{Entry, EntryId};

/// Longer than any line of an export.
const LONGEST_LINE: u64 = 256 << 10;

/// The file of an export while it is not complete.
pub(super) struct Part<'a> {
    pub(super) place: Place<'a>,
    format: Format,
    /// Where the filters are kept; nothing if they hold a number.
    side: Option<PathBuf>,
    filters: String,
}

/// What an export left that broke off.
#[derive(Debug)]
pub(super) struct Left {
    /// The file, which ends with its last whole line.
    pub(super) file: File,
    /// The id of the last entry.
    pub(super) last: String,
    /// How many entries there are.
    pub(super) entries: u64,
}

impl<'a> Part<'a> {
    /// The part of an export with these filters.
    pub(super) fn new(
        place: Place<'a>,
        format: Format,
        query: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        let has_number = query.iter().any(|(name, _)| *name == "phone");
        let side = beside(&place.part, ".filters")?;
        let lines = query
            .iter()
            .map(|(name, value)| format!("{name} {value}\n"));
        Ok(Self {
            place,
            format,
            side: (!has_number).then_some(side),
            filters: lines.collect(),
        })
    }

    /// Whether what is left of it can be gone on with.
    pub(super) fn can_go_on(&self) -> bool {
        self.side.is_some()
    }

    /// A new, empty file, and the filters beside it.
    pub(super) fn begin(&self) -> Result<File, Failure> {
        self.forget_filters()?;
        let file = self.place.begin()?;
        if let Some(side) = &self.side {
            new_file(side)
                .and_then(|mut file| file.write_all(self.filters.as_bytes()))
                .map_err(|error| cannot_write(side, &error))?;
        }
        Ok(file)
    }

    /// Removes the file with the filters.
    pub(super) fn forget_filters(&self) -> Result<(), Failure> {
        let Some(side) = &self.side else {
            return Ok(());
        };
        match fs::remove_file(side) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(cannot_write(side, &error)),
            _ => Ok(()),
        }
    }

    /// What is left of an export that broke off, cut behind its last whole line; nothing if there
    /// is none, or not one whole entry.
    pub(super) fn left(&self) -> Result<Option<Left>, Failure> {
        let part = &self.place.part;
        let cannot = |error: &io::Error| cannot_write(part, error);
        let mut file = match OpenOptions::new().read(true).write(true).open(part) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| cannot(&error))?,
        };
        self.same_filters()?;
        let found = last_line(&mut file).map_err(|error| cannot(&error))?;
        let Some(line) = found else {
            return Ok(None);
        };
        if self.format == Format::Csv && line == heading() {
            return Ok(None);
        }
        let last = self.id(&line).ok_or_else(|| {
            Failure::usage(format!(
                "{} is not what an export of this version left\n  remedy:     run it again without \
                 --resume",
                part.display()
            ))
        })?;
        file.seek(SeekFrom::Start(0))
            .map_err(|error| cannot(&error))?;
        let lines = count_lines(&mut file).map_err(|error| cannot(&error))?;
        let entries = lines - u64::from(self.format == Format::Csv);
        Ok(Some(Left {
            file,
            last: last.to_string(),
            entries,
        }))
    }

    fn same_filters(&self) -> Result<(), Failure> {
        let before = match &self.side {
            Some(side) => fs::read_to_string(side).ok(),
            None => None,
        };
        if before.as_deref() == Some(self.filters.as_str()) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{} was begun with other filters, or by another version\n  remedy:     give the same \
             filters, or run it again without --resume",
            self.place.part.display()
        )))
    }

    fn id(&self, line: &[u8]) -> Option<EntryId> {
        match self.format {
            Format::Ndjson => Entry::read_json(line.strip_suffix(b"\n")?)
                .ok()
                .map(|entry| entry.id),
            Format::Csv => {
                let mut rows = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .from_reader(line);
                let row = rows.records().next()?.ok()?;
                let column = Entry::FIELDS.iter().position(|name| *name == "id")?;
                (row.len() == Entry::FIELDS.len()).then_some(())?;
                EntryId::parse(row.get(column)?)
            }
        }
    }
}

/// The first line of a table.
pub(super) fn heading() -> Vec<u8> {
    format!("{}\n", Entry::FIELDS.join(",")).into_bytes()
}

/// The last whole line, behind which the file is cut; nothing if there is none.
fn last_line(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * LONGEST_LINE);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(2 * LONGEST_LINE).read_to_end(&mut end)?;
    let Some(last) = memchr::memrchr(b'\n', &end) else {
        return Ok(None);
    };
    end.truncate(last + 1);
    file.set_len(start + end.len() as u64)?;
    let before = memchr::memrchr(b'\n', &end[..last]);
    if before.is_none() && start > 0 {
        return Ok(None);
    }
    Ok(Some(end.split_off(before.map_or(0, |before| before + 1))))
}

/// Counts the lines, and leaves the file at its end.
fn count_lines(file: &mut File) -> io::Result<u64> {
    let mut piece = vec![0; 64 << 10];
    let mut lines = 0;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(lines),
            length => lines += memchr::memchr_iter(b'\n', &piece[..length]).count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn entry(number: u8) -> Vec<u8> {
        format!(
            concat!(
                r#"{{"agency":"a","answer":"not_listed","channel":"voice","client_seq":4,"#,
                r#""id":"01a1ee56-5e7b-7707-8707-0707070707{number:02}","key":"abcdefgh12","#,
                r#""op":"check","pn":"abababababababababababababababab","#,
                r#""salt":"01010101010101010101010101010101","seller":"telco","#,
                r#""time":"2026-11-18T11:06:40.123Z","v":1,"writer":"0202020202020202","#,
                r#""writer_seq":9}}"#
            ),
            number = number
        )
        .into_bytes()
    }

    fn part(file: &Path, format: Format, seller: &str) -> Part<'static> {
        let file: &'static Path = Box::leak(file.to_owned().into_boxed_path());
        let place = Place::new(file, false).unwrap();
        Part::new(place, format, &[("seller", seller)]).unwrap()
    }

    #[test]
    fn an_export_goes_on_behind_its_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let part = part(&file, Format::Ndjson, "telco");
        assert!(part.left().unwrap().is_none(), "nothing is there yet");
        let whole = [entry(1), entry(2)].map(|entry| [&entry[..], b"\n"].concat());
        let whole = whole.concat();
        for cut in [&b""[..], b"{", &entry(3)] {
            let mut to = part.begin().unwrap();
            to.write_all(&[&whole, cut].concat()).unwrap();
            let mut left = part.left().unwrap().unwrap();
            assert_eq!(left.entries, 2);
            assert!(left.last.ends_with("02"), "{}", left.last);
            left.file.write_all(b"more\n").unwrap();
            let now = fs::read(&part.place.part).unwrap();
            assert_eq!(now, [&whole[..], b"more\n"].concat());
        }
        part.begin().unwrap().write_all(b"{").unwrap();
        assert!(part.left().unwrap().is_none(), "not one whole line");
        part.begin().unwrap().write_all(b"{}\n").unwrap();
        assert!(part.left().is_err(), "not an entry");
    }

    #[test]
    fn a_table_goes_on_behind_its_last_whole_row() {
        let folder = tempfile::tempdir().unwrap();
        let part = part(&folder.path().join("a"), Format::Csv, "telco");
        let entry = Entry::read_json(&entry(7)).unwrap();
        let mut rows = csv::Writer::from_writer(heading());
        crate::service::audit::write_csv_row(&entry, &mut rows).unwrap();
        let mut rows = rows.into_inner().unwrap();
        let whole = rows.len();
        rows.extend_from_slice(b"a,b");
        part.begin().unwrap().write_all(&rows).unwrap();
        let left = part.left().unwrap().unwrap();
        assert_eq!((left.entries, left.last.ends_with("07")), (1, true));
        assert_eq!(left.file.metadata().unwrap().len(), whole as u64);
        part.begin().unwrap().write_all(&heading()).unwrap();
        assert!(part.left().unwrap().is_none(), "only the heading");
    }

    #[test]
    fn an_export_with_other_filters_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let telco = part(&file, Format::Ndjson, "telco");
        let line = [&entry(1)[..], b"\n"].concat();
        telco.begin().unwrap().write_all(&line).unwrap();
        assert!(part(&file, Format::Ndjson, "energy").left().is_err());
        assert!(
            part(&file, Format::Ndjson, "telco")
                .left()
                .unwrap()
                .is_some()
        );
        telco.forget_filters().unwrap();
        assert!(telco.left().is_err(), "nobody knows with which filters");
    }

    #[test]
    fn a_number_is_never_written_beside_the_part() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let place = Place::new(&file, false).unwrap();
        let part = Part::new(place, Format::Ndjson, &[("phone", "+32475123456")]).unwrap();
        part.begin().unwrap();
        assert!(!part.can_go_on());
        let names = fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = names.map(|item| item.unwrap().file_name()).collect();
        assert_eq!(names, ["a.part"]);
    }
}
