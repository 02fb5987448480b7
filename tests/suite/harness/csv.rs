//! Reads CSV as RFC 4180 writes it, so that the export is judged by something other than its
//! writer.

use std::collections::BTreeMap;

/// Rows as maps from column name to cell.
#[track_caller]
pub fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut records = records(text).into_iter();
    let header = records.next().expect("a header");
    records
        .map(|record| {
            assert_eq!(
                record.len(),
                header.len(),
                "a row has as many cells as the header: {record:?}"
            );
            header.iter().cloned().zip(record).collect()
        })
        .collect()
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let cell = record.last_mut().unwrap();
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => records.push(std::mem::replace(&mut record, vec![String::new()])),
            other => cell.push(other),
        }
    }
    if record != [""] {
        records.push(record);
    }
    records
}

#[test]
fn quotes_commas_and_line_ends_stay_in_their_cell() {
    let rows = rows("a,b\r\n1,\"x,\"\"y\"\"\n\"\r\n");
    assert_eq!(
        (rows.len(), rows[0]["a"].as_str(), rows[0]["b"].as_str()),
        (1, "1", "x,\"y\"\n")
    );
}
