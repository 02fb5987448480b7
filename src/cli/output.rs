//! Writing to the terminal: results on standard output, everything else on standard error.

use std::io::{self, ErrorKind, Write};

use super::Failure;

/// Writes a line of result. A reader that has gone away is not an error.
pub(super) fn say(line: &str) -> Result<(), Failure> {
    match print(line) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(cannot_print(&error)),
        _ => Ok(()),
    }
}

/// Writes a line of result, and knows whether it got through.
pub(super) fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    if !line.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Why standard output does not take what is written to it.
pub(super) fn cannot_print(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write to standard output: {error}"))
}

/// Writes a line to standard error. Where that is impossible there is nobody left to tell.
pub(super) fn note(line: &str) {
    let mut out = io::stderr().lock();
    let _ = out
        .write_all(line.as_bytes())
        .and_then(|()| out.write_all(b"\n"));
}

/// A text from elsewhere without what could steer a terminal or begin a new line.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Rows under a heading, their columns aligned.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut all = vec![heading.map(str::to_owned)];
    all.extend(
        rows.iter()
            .map(|row| row.each_ref().map(|cell| plain(cell))),
    );
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let mut text = String::new();
    for row in &all {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_by_characters_and_steers_no_terminal() {
        let rows = [
            ["é".to_owned(), "x".to_owned()],
            ["long-id".to_owned(), "a\u{1b}[2Jb\nc".to_owned()],
        ];
        assert_eq!(
            table(["ID", "NAME"], &rows),
            "ID       NAME\né        x\nlong-id  a\u{fffd}[2Jb c\n"
        );
    }
}
