//! How long the first page takes, as a browser waits for it: `cargo bench --bench page`.
//!
//! A service of its own on the embedded store, one connection that is kept, one request after the
//! other. Beside it, in the same rounds, the smallest answer that the service gives (`/livez`): the
//! difference is what the page itself costs.

#![allow(clippy::print_stdout, reason = "a bench prints what it found")]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const REQUESTS: usize = 2_000;

/// Ended when dropped, also after a failure.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --benches` starts every bench, too; this one is nothing to be tested by it.
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("page bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let mut service = Ends(
        Command::new(env!("CARGO_BIN_EXE_metrust"))
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?,
    );
    let output = service.0.stdout.take().ok_or("no output")?;
    let mut lines = BufReader::new(output).lines();
    let address = loop {
        let line = lines.next().ok_or("the service did not start")??;
        if let Some(at) = line.find("http://") {
            let address = line[at..].split_whitespace().next().unwrap_or_default();
            break address.trim_end_matches('/').to_owned();
        }
    };
    // What it prints on, so that it never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    let agent = ureq::Agent::new_with_defaults();
    let (mut page, mut least) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        for (path, times) in [("/", &mut page), ("/livez", &mut least)] {
            let url = format!("{address}{path}");
            for _ in 0..REQUESTS {
                let begun = Instant::now();
                let body = agent.get(&url).call()?.into_body().read_to_vec()?;
                times.push(begun.elapsed());
                if path == "/" {
                    bytes = body.len();
                }
            }
        }
    }
    let (page, least) = (middle(&mut page), middle(&mut least));
    println!(
        "the first page ({bytes} bytes): {} us in the middle of {} requests; /livez: {} us. The page \
         itself: {} us, {:.1} times the smallest answer.",
        page.as_micros(),
        ROUNDS * REQUESTS,
        least.as_micros(),
        page.saturating_sub(least).as_micros(),
        page.as_secs_f64() / least.as_secs_f64(),
    );
    Ok(())
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
