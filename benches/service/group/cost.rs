//! What a check and a washed row cost in processor time, beside another binary of metrust: rates
//! depend too much on the machine's mood to tell a few per cent.

use std::time::Duration;

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::group::{lists, wash};
use crate::load::open::{Open, Protocol, http};
use crate::numbers;
use crate::report::{Bound, Line, Report, Spread};
use crate::server::metrust::{Metrust, Mode, binary};
use crate::site::Site;

const MODES: [Mode; 2] = [Mode::Always, Mode::Embedded];

/// Checks a second, and over how many connections: the same for both, so that as many go together.
const RATE: f64 = 10_000.0;
const LINES: usize = 64;

/// How much more than the other it may cost.
const MOST: f64 = 1.03;

/// Measures both by turns, and reports the ratios.
pub fn run(site: &Site, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let against = arguments
        .against
        .as_ref()
        .ok_or("cost needs --against BINARY")?;
    for mode in MODES {
        let name = mode.name();
        let ours = Metrust::start_binary(binary(), site, "cost", mode, &[])?;
        let theirs = Metrust::start_binary(against.clone(), site, "cost-against", mode, &[])?;
        let both = [&ours, &theirs];
        let files = wash::files(site, arguments)?;
        for service in both {
            lists::import(service, &files.list, arguments.listed)?;
            service.settle()?;
        }
        let (mut checks, mut rows) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for round in 0..arguments.rounds {
            eprintln!("cost: round {} of {}, {name}", round + 1, arguments.rounds);
            // Who is first takes turns, too.
            for turn in 0..both.len() {
                let place = (turn + round as usize) % both.len();
                checks[place].push(check(both[place], arguments.time())?);
                rows[place].push(spent(both[place], || {
                    wash::wash(both[place], &files).map(|_| files.count)
                })?);
            }
        }
        for (what, [ours, theirs]) in [("a check", checks), ("a washed row", rows)] {
            let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs);
            report.line(Line {
                group: Word::Cost,
                what: format!("{name}: processor time of {what} ÷ that of the other"),
                found: Spread::of(ratios),
                bound: Bound::AtMost(MOST),
                unit: "×",
                built: true,
            });
            let ours = Spread::of(ours.into_iter());
            report.other(format!("{name}: processor time of {what}"), ours, "µs");
            let theirs = Spread::of(theirs.into_iter());
            report.other(format!("the other on the same store: {what}"), theirs, "µs");
        }
    }
    Ok(())
}

fn check(service: &Metrust, time: Duration) -> Result<f64> {
    let route = service.check("text");
    let checks = Open {
        address: route.address,
        requests: http(&route, &numbers::asked()),
        protocol: Protocol::Http,
        rate: RATE,
        connections: LINES,
        warm_up: Duration::ZERO,
        time,
        keep_ids: false,
    };
    spent(service, || {
        let found = checks.run()?;
        match found.failed {
            0 => Ok(found.answered),
            failed => Err(format!("{failed} checks failed").into()),
        }
    })
}

/// Processor time for each of what was done, until all of it is sealed, in microseconds.
fn spent(service: &Metrust, work: impl FnOnce() -> Result<u64>) -> Result<f64> {
    let before = service.processor_time()?;
    let done = work()?;
    service.settle()?;
    let spent = service.processor_time()? - before;
    Ok(spent as f64 / done as f64)
}
