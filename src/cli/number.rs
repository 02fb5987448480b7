//! A phone number from the command line, or from standard input, where nobody else sees it.

use std::borrow::Cow;
use std::io::{self, BufRead};

use super::Failure;

/// More than any number has, blanks and all.
const LONGEST: u64 = 1024;

/// What was typed for a number; `-` stands for the first line of standard input. Arguments can be
/// seen by everybody on the machine and stay in the history of the shell.
pub(super) fn typed(argument: &str) -> Result<Cow<'_, str>, Failure> {
    if argument != "-" {
        return Ok(Cow::Borrowed(argument));
    }
    first_line(io::stdin().lock()).map(Cow::Owned)
}

fn first_line(input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let read = input.take(LONGEST).read_line(&mut line);
    // The error's own text could hold pieces of the number.
    read.map_err(|_| Failure::usage("the number cannot be read from standard input"))?;
    match line.trim() {
        "" => Err(Failure::usage("there is no number on standard input")),
        number => Ok(number.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_number() {
        let read = |text: &[u8]| first_line(text);
        assert_eq!(read(b" 0475 12 34 56 \nmore\n").unwrap(), "0475 12 34 56");
        assert_eq!(read(b"+32475123456").unwrap(), "+32475123456");
        assert!(read(b"\n+32475123456").is_err());
        let failure = read(b"\xff0475").unwrap_err().to_string();
        assert!(!failure.contains("0475"), "{failure}");
        assert_eq!(typed("+32475123456").unwrap(), "+32475123456");
    }
}
