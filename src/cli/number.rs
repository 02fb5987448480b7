//! A phone number from the command line, or from standard input, where nobody else sees it.

use std::io::{self, BufRead, Read};

use clap::Args;
use serde_json::Value;

use super::Failure;
use crate::domain::{Notation, Region};

/// More than any number has, blanks and all.
const LONGEST: u64 = 1024;

/// More than any registration has.
const MOST: u64 = 64 << 10;

/// How numbers are written, on every command that takes some.
#[derive(Debug, Clone, Args)]
pub(super) struct NotationArgs {
    /// The country of numbers without country code, as two letters
    #[arg(long, value_name = "COUNTRY")]
    region: Option<Region>,

    /// Digits without a plus begin with the country code, as in 32475123456
    #[arg(long)]
    international: bool,
}

impl NotationArgs {
    /// As parameters of a query.
    pub(super) fn parameters(&self) -> [(&'static str, Option<&str>); 2] {
        let numbers = self.international.then_some("international");
        [
            ("region", self.region.as_ref().map(Region::as_str)),
            ("numbers", numbers),
        ]
    }

    /// Puts it into a body.
    pub(super) fn add_to(&self, body: &mut Value) {
        if let Some(region) = &self.region {
            body["region"] = region.as_str().into();
        }
        if self.international {
            body["international"] = true.into();
        }
    }
}

impl From<&NotationArgs> for Notation {
    fn from(args: &NotationArgs) -> Self {
        Self {
            region: args.region,
            international: args.international,
        }
    }
}

/// What was typed for a number; `-` stands for the first line of standard input. Arguments can be
/// seen by everybody on the machine and stay in the history of the shell.
///
/// Blanks before the first digit are left out: in a query they would be read as a plus that was
/// lost on the way.
pub(super) fn typed(argument: &str) -> Result<String, Failure> {
    let number = match argument {
        "-" => first_line(io::stdin().lock())?,
        _ => argument.to_owned(),
    };
    let digits = number.find(char::is_numeric).unwrap_or(number.len());
    let (before, rest) = number.split_at(digits);
    Ok(before.replace(' ', "") + rest)
}

/// Several numbers; `-` stands for all lines of standard input that are not blank.
pub(super) fn typed_all(arguments: &[String]) -> Result<Vec<String>, Failure> {
    if arguments.iter().any(|argument| argument == "-") {
        if arguments.len() > 1 {
            return Err(Failure::usage(
                "- reads every number from standard input, so no other number stands beside it",
            ));
        }
        return all_lines(io::stdin().lock());
    }
    Ok(arguments.to_vec())
}

fn all_lines(input: impl BufRead) -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    // The error's own text could hold pieces of a number.
    input
        .take(MOST)
        .read_to_string(&mut text)
        .map_err(|_| Failure::usage("the numbers cannot be read from standard input"))?;
    let lines = text.lines().map(str::trim);
    let numbers: Vec<String> = lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if numbers.is_empty() {
        return Err(Failure::usage("there is no number on standard input"));
    }
    Ok(numbers)
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
        assert_eq!(typed(" tel: 32 475").unwrap(), "tel:32 475");
    }

    #[test]
    fn every_line_is_a_number_of_a_registration() {
        let read = all_lines(b" 0475 12 34 56 \r\n\n+32475123457".as_slice()).unwrap();
        assert_eq!(read, ["0475 12 34 56", "+32475123457"]);
        assert!(all_lines(b"\n \n".as_slice()).is_err());
        let mixed = ["-".to_owned(), "+32475123456".to_owned()];
        assert!(typed_all(&mixed).is_err());
    }
}
