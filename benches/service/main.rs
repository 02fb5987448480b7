//! The bench of the whole: what a dialler waits for, beside what others need for less.
//!
//! ```sh
//! benches/service/peers.sh                              # once: installs what it compares with
//! cargo bench --bench service                           # everything but the soak
//! cargo bench --bench service -- checks open --rounds 9 # what these words stand for
//! cargo bench --bench service -- soak --minutes 10
//! cargo bench --bench service -- cost --against OTHER-BINARY
//! ```
//!
//! It starts its own Redis servers, its own services and their peers, each in a folder of its own,
//! and ends them all. The server under test has core 1, the load and Redis have core 0. All that is
//! compared is measured once a round, one after the other, and compared within its round: a machine
//! that is slow for a while is slow for both sides. Nothing is measured that was not seen to answer
//! rightly first, and a round with a single failed request does not count.
//!
//! `METRUST_BENCH_BINARY` names another binary than the one Cargo built.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints: what it does to standard error, what it found to standard output"
)]

mod arguments;
mod compare;
mod group;
mod load;
mod machine;
mod numbers;
mod program;
mod report;
mod server;
mod site;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Word};
use report::Report;
use site::Site;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.bench {
        // `cargo test --benches` starts every bench, too; this one is nothing to be tested by it.
        eprintln!("run this with `cargo bench --bench service`");
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\nservice bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let words = arguments.words();
    machine::require(&words)?;
    eprintln!("{}", arguments.plan());
    if arguments.plan {
        return Ok(());
    }
    program::take_core_0()?;
    let site = Site::new()?;
    let mut report = Report::new(machine::heading()?);

    let compared: Vec<Word> = words
        .iter()
        .copied()
        .filter(|word| word.is_compared())
        .collect();
    let mut broken = Vec::new();
    let mut note = |name: &str, result: Result<()>| {
        // What was found until then is worth keeping.
        if let Err(problem) = result {
            broken.push(format!("**{name} broke off**: {problem}"));
        }
    };
    if !compared.is_empty() {
        let result = compare::run(&site, arguments, &compared, &mut report);
        note("The comparison of checks", result);
    }
    for word in words {
        let result = match word {
            Word::Wash => group::wash::run(&site, arguments, &mut report),
            Word::Import => group::import::run(&site, arguments, &mut report),
            Word::Audit => group::audit::run(&site, arguments, &mut report),
            Word::Attacks => group::attacks::run(&site, arguments, &mut report),
            Word::Cost => group::cost::run(&site, arguments, &mut report),
            Word::Soak => group::soak::run(&site, arguments, &mut report),
            _ => Ok(()),
        };
        note(&word.name(), result);
    }
    for sentence in &broken {
        report.remark(sentence.clone());
    }
    println!("{report}");
    match broken.is_empty() {
        true => Ok(()),
        false => Err("not everything could be measured; see the end of the report".into()),
    }
}
