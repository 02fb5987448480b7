//! Reads the command line, hands over to [`metrust::cli`], and ends with its exit status.

use std::process::ExitCode;

use clap::Parser;
use metrust::cli::{self, Cli};

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(status) => status,
        Err(failure) => failure.tell(),
    }
}
