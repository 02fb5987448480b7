//! Calling lists (RFC 4180, lines, NDJSON): in whatever pieces a list comes, its rows are the same,
//! and together they are the list.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metrust::service::wash::{Form, Layout, Row, RowError, Wanted};

fn rows(layout: &Layout, list: &[u8], piece: usize) -> (Vec<Row>, Option<RowError>) {
    let mut splitter = layout.splitter();
    let mut rows = Vec::new();
    let (mut start, mut come) = (0, 0);
    loop {
        let end = come == list.len();
        match splitter.next(&list[start..come], end) {
            Ok(Some(row)) => {
                start += row.next;
                rows.push(row);
            }
            Ok(None) if end => return (rows, None),
            Ok(None) => come = (come + piece).min(list.len()),
            Err(error) => return (rows, Some(error)),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, list)) = data.split_first() else {
        return;
    };
    let wanted = Wanted {
        form: match choice % 3 {
            0 => Form::Csv,
            1 => Form::Lines,
            _ => Form::Ndjson,
        },
        column: None,
        columns: None,
        delimiter: None,
        heading: None,
        encoding: None,
    };
    let Ok(found) = Layout::find(list, true, &wanted) else {
        return;
    };
    let layout = found.expect("the whole list is there");
    assert!(layout.places.iter().all(|place| *place < layout.columns));
    let (all, error) = rows(&layout, list, list.len().max(1));
    if error.is_none() {
        assert_eq!(all.iter().map(|row| row.next).sum::<usize>(), list.len());
    }
    let piece = usize::from(choice / 3) + 1;
    assert_eq!(rows(&layout, list, piece), (all, error));
});
