//! The rows as they come back, without the summary behind them.
//!
//! In a table the summary begins with a line `#summary,agency,calls,…`, and everything after it
//! begins with `#`. Records may hold such lines themselves, also inside of quotation marks; but
//! the last one is the service's. So what looks like a summary is held back until it ends the
//! answer, or until it turns out to be something else.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use indicatif::ProgressBar;

use super::Format;

/// No summary is longer: 10,000 agencies, each with a dozen numbers.
const LONGEST_SUMMARY: usize = 16 << 20;

/// So much of a line is looked at at a time.
const PIECE: u64 = 64 << 10;

/// Reads the rows. At the end it insists on a summary: without it the answer is not complete.
pub(super) struct Rows<R> {
    from: BufReader<R>,
    format: Format,
    bar: ProgressBar,
    /// On its way out, and how much of it is out.
    ready: Vec<u8>,
    given: usize,
    /// What may be the summary.
    held: Vec<u8>,
    /// Whether what comes next begins a line.
    at_start: bool,
}

impl<R: Read> Rows<R> {
    pub fn new(from: R, format: Format, bar: ProgressBar) -> Self {
        Self {
            from: BufReader::with_capacity(1 << 18, from),
            format,
            bar,
            ready: Vec::new(),
            given: 0,
            held: Vec::new(),
            at_start: true,
        }
    }

    /// What stood behind the rows, once they were read to their end.
    pub fn into_summary(self) -> Vec<u8> {
        self.bar.finish_and_clear();
        self.held
    }

    /// Makes more ready; nothing at the end.
    fn advance(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.len() < PIECE as usize {
            let mut piece = Vec::new();
            let mut line = (&mut self.from).take(PIECE);
            if line.read_until(b'\n', &mut piece)? == 0 {
                return match self.held.ends_with(b"\n") {
                    true => Ok(()),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
            let begins_line = self.at_start;
            self.at_start = piece.ends_with(b"\n");
            self.bar.inc(u64::from(self.at_start));
            let (begins, continues) = match self.format {
                Format::Csv => (
                    piece.starts_with(b"#summary,agency,calls,"),
                    piece.starts_with(b"#"),
                ),
                Format::Ndjson => (piece.starts_with(b"{\"summary\":"), false),
            };
            // A long summary in JSON comes in more than one piece.
            let continues = continues || !begins_line;
            if begins && begins_line {
                self.ready.append(&mut self.held);
                self.held = piece;
            } else if !self.held.is_empty()
                && continues
                && self.held.len() + piece.len() <= LONGEST_SUMMARY
            {
                self.held.append(&mut piece);
            } else {
                self.ready.append(&mut self.held);
                self.ready.append(&mut piece);
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Rows<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.advance()?;
        }
        let length = (&self.ready[self.given..]).read(into)?;
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "#summary,agency,calls,checked_clear\n";

    /// The rows and the summary of an answer that comes in pieces of any length.
    fn split(answer: &str, format: Format) -> io::Result<(String, String)> {
        let mut rows = Rows::new(answer.as_bytes(), format, ProgressBar::hidden());
        let mut text = String::new();
        rows.read_to_string(&mut text)?;
        Ok((text, String::from_utf8(rows.into_summary()).unwrap()))
    }

    #[test]
    fn the_summary_is_taken_from_the_end_and_nothing_else_is() {
        let summary = format!("{HEADING}#summary,(all),2,2\n#month without a key,2026-10\n");
        let long = "x".repeat(3 * PIECE as usize);
        for rows in [
            "",
            "called,time,finding\n1,2,never_checked\n",
            // Rows that look like a summary, alone, together, inside of a cell, and last.
            "#called,finding\n#summary,a,1,x\n",
            &format!("called,finding\n{HEADING}1,x\n#month without a key,x\n"),
            &format!("called,finding\n\"\n{HEADING}#summary,evil,1,1\n\",x\n"),
            &format!("called,finding\n\"\n{HEADING}#summary,\",never_checked\n"),
            &format!("called,finding\n\"\n{HEADING}#{long}{HEADING}\",x\n{long},x\n"),
        ] {
            let answer = format!("{rows}{summary}");
            let (found, behind) = split(&answer, Format::Csv).unwrap();
            assert!(found == rows, "{rows:.200}\n{found:.200}");
            assert_eq!(behind, summary);
        }
    }

    #[test]
    fn an_answer_without_its_summary_is_not_complete() {
        for answer in [
            "".to_owned(),
            "called,finding\n1,x\n".to_owned(),
            "called,finding\n1,x".to_owned(),
            format!("called,finding\n{HEADING}1,x\n"),
            format!("called,finding\n{HEADING}#summary,(al"),
        ] {
            let error = split(&answer, Format::Csv).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{answer:?}");
        }
        let error = split("{\"call\":{}}\n", Format::Ndjson).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn in_json_the_summary_is_the_last_line_however_long() {
        let rows = "{\"call\":{\"a\":\"{\\\"summary\\\":1}\"},\"finding\":\"x\"}\n";
        let summary = format!("{{\"summary\":\"{}\"}}\n", "x".repeat(3 * PIECE as usize));
        let (found, behind) = split(&format!("{rows}{rows}{summary}"), Format::Ndjson).unwrap();
        assert_eq!(found, rows.repeat(2));
        assert!(behind == summary);
    }
}
