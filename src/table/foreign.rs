//! What a file is that is no list, by its first bytes: of a spreadsheet or an archive every line
//! would be a row that cannot be read, and the list would seem to be done.

/// A file that is not text in columns or lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is {what}: {remedy}")]
pub struct Foreign {
    what: &'static str,
    remedy: &'static str,
}

const AS_TEXT: &str = "save the list as CSV, in UTF-8";
const UNPACK: &str = "unpack it first";

/// How many bytes are needed before any of these can be told.
pub const ENOUGH: usize = 4;

/// No text begins like this. Each is told by its first four bytes.
const MAGIC: [(&[u8], Foreign); 16] = {
    const fn of(what: &'static str, remedy: &'static str) -> Foreign {
        Foreign { what, remedy }
    }
    const ZIP: Foreign = of("a zip archive, as spreadsheets (.xlsx, .ods) are", AS_TEXT);
    const UTF16: Foreign = of("text in UTF-16", "save it as UTF-8");
    const BINARY: Foreign = of("a database or a picture and no text", AS_TEXT);
    [
        (b"PK\x03\x04", ZIP),
        (b"PK\x05\x06", ZIP),
        (
            b"\xd0\xcf\x11\xe0",
            of(
                "a file of older Excel or Word (.xls, .doc), or one that is locked with a password",
                "save the list without a password, as .xlsx or as CSV in UTF-8",
            ),
        ),
        (b"%PDF", of("a PDF", AS_TEXT)),
        (b"{\\rt", of("a text document (.rtf)", AS_TEXT)),
        (b"\x1f\x8b", of("a file packed by gzip", UNPACK)),
        (b"\x28\xb5\x2f\xfd", of("a file packed by zstd", UNPACK)),
        (b"\xfd7zX", of("a file packed by xz", UNPACK)),
        (b"BZh", of("a file packed by bzip2", UNPACK)),
        (b"7z\xbc\xaf", of("a 7z archive", UNPACK)),
        (b"Rar!", of("a rar archive", UNPACK)),
        (b"\xff\xfe", UTF16),
        (b"\xfe\xff", UTF16),
        (b"SQLi", BINARY),
        (b"PAR1", BINARY),
        (b"\x89PNG", BINARY),
    ]
};

/// What a file is that begins with `start`, if it is no table, no lines of text, and, where it may
/// be (`objects`), no JSON objects either. Its whole first line should be there.
#[must_use]
pub fn foreign(start: &[u8], objects: bool) -> Option<Foreign> {
    let magic = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
    if let Some((_, what)) = magic {
        return Some(*what);
    }
    if in_first_line(start, 0) {
        // Of two bytes a character most are nothing, unless it is no text at all.
        let pairs = start.as_chunks::<2>().0.iter().take(8);
        let halves = pairs
            .filter(|pair| (pair[0] == 0) != (pair[1] == 0))
            .count();
        return Some(match halves {
            4.. => Foreign {
                what: "text in UTF-16",
                remedy: "save it as UTF-8",
            },
            _ => Foreign {
                what: "no text",
                remedy: AS_TEXT,
            },
        });
    }
    let text = start.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(start);
    let (first, second) = two(text)?;
    match first {
        b'<' if second.is_ascii_alphabetic() || matches!(second, b'!' | b'?') => Some(Foreign {
            what: "a page or a sheet in HTML or XML",
            remedy: AS_TEXT,
        }),
        b'[' if !objects && matches!(second, b'{' | b'[' | b'"') => Some(JSON),
        b'{' if !objects && second == b'"' => Some(JSON),
        _ => None,
    }
}

const JSON: Foreign = Foreign {
    what: "JSON",
    remedy: "send one object a line, and say that the format is ndjson",
};

/// Whether a byte stands in the first line that is not blank, or before it.
fn in_first_line(start: &[u8], byte: u8) -> bool {
    let text = start.iter().position(|byte| !byte.is_ascii_whitespace());
    let text = text.unwrap_or(start.len());
    let line = memchr::memchr(b'\n', &start[text..]).unwrap_or(start.len() - text);
    memchr::memchr(byte, &start[..text + line]).is_some()
}

/// The first two characters that are no blanks.
fn two(text: &[u8]) -> Option<(u8, u8)> {
    let mut ink = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    Some((*ink.next()?, *ink.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_no_foreign_files_and_foreign_files_are_no_lists() {
        for list in [
            "",
            "+",
            "+32470000001",
            "phone\n",
            "\u{feff}phone;naam\r\n",
            "\r\n \n0470\n",
            "[phone];<name>\n",
            "<+32470000001>\n",
            "\"a\nb\",c\n",
            "P\n",
            "phone\n+32470000314\0\n",
        ] {
            assert_eq!(foreign(list.as_bytes(), false), None, "{list:?}");
        }
        let objects = b"{\"phone\":\"1\"}\n";
        assert_eq!(foreign(objects, true), None);
        for (bytes, what) in [
            (objects.as_slice(), "JSON"),
            (b" [\n {\"phone\"", "JSON"),
            (b"\xef\xbb\xbf<?xml version", "HTML"),
            (b"\n<!DOCTYPE html>", "HTML"),
            (b"p\0h\0o\0n\0e\0\r\0\n\0", "UTF-16"),
            (b"\0p\0h\0o\0n\0e\0\r\0\n", "UTF-16"),
            (b"\xfb\x96q\\\r\0\n\0", "no text"),
            (b"GIF89a\x01\0\x01\0\n", "no text"),
            (b"PK\x03\x04", "zip"),
        ] {
            let told = foreign(bytes, false).unwrap().to_string();
            assert!(told.contains(what), "{what}: {told}");
            assert!(!told.contains("470"));
        }
        assert!(MAGIC.iter().all(|(magic, _)| magic.len() <= ENOUGH));
    }
}
