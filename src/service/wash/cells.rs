//! One cell of one row, without looking at the others more than needed.

use memchr::{memchr, memchr_iter};

/// How many cells a row has, and what is in one of them (counted from 0), unquoted. `room` is
/// where it is put together if it has to be.
#[inline]
pub(super) fn cell<'a>(
    row: &'a [u8],
    delimiter: u8,
    wanted: usize,
    room: &'a mut Vec<u8>,
) -> (usize, Option<&'a [u8]>) {
    if memchr(b'"', row).is_some() {
        return quoted(row, delimiter, wanted, room);
    }
    let (mut count, mut start, mut found) = (0, 0, None);
    for end in memchr_iter(delimiter, row).chain([row.len()]) {
        if count == wanted {
            found = Some(&row[start..end]);
        }
        start = end + 1;
        count += 1;
    }
    (count, found)
}

/// The same, where quotation marks may stand.
fn quoted<'a>(
    row: &'a [u8],
    delimiter: u8,
    wanted: usize,
    room: &'a mut Vec<u8>,
) -> (usize, Option<&'a [u8]>) {
    room.clear();
    let (mut count, mut at) = (0, 0);
    let mut found = false;
    loop {
        let here = count == wanted;
        found |= here;
        let mut keep = |bytes: &[u8]| {
            if here {
                room.extend_from_slice(bytes);
            }
        };
        if row.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let length = memchr(b'"', &row[at..]).unwrap_or(row.len() - at);
                keep(&row[at..at + length]);
                at = (at + length + 1).min(row.len());
                if row.get(at) != Some(&b'"') {
                    break;
                }
                keep(b"\"");
                at += 1;
            }
        }
        // Behind the closing mark, as in a cell without one, everything is what it is.
        let length = memchr(delimiter, &row[at..]).unwrap_or(row.len() - at);
        keep(&row[at..at + length]);
        at += length;
        count += 1;
        if at == row.len() {
            return (count, found.then_some(room));
        }
        at += 1;
    }
}
