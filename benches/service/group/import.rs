//! How fast an existing list is imported, and what its numbers take in memory.

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::group::lists;
use crate::report::{Bound, Line, Report, Spread};
use crate::server::metrust::{Metrust, Mode};
use crate::site::Site;

/// Each with what it must reach, in numbers a second.
const MODES: [(Mode, f64); 2] = [(Mode::Always, 500_000.0), (Mode::Embedded, 1_000_000.0)];

/// Measures and reports: every round is an empty registry that the whole list goes into.
pub fn run(site: &Site, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let mut rates = [Vec::new(), Vec::new()];
    let mut sizes = [Vec::new(), Vec::new()];
    let mut missing = false;
    for round in 0..arguments.import_rounds {
        for (place, (mode, _)) in MODES.iter().enumerate() {
            let mut service = Metrust::start(site, "import", *mode, &[])?;
            missing = !lists::has_command(&service, "import");
            if missing {
                break;
            }
            let list = lists::list(site, arguments.listed)?;
            eprintln!(
                "import: round {} of {}, {}",
                round + 1,
                arguments.import_rounds,
                mode.name()
            );
            let before = memory(&mut service)?;
            let time = lists::import(&service, &list, arguments.listed)?;
            let grown = memory(&mut service)?.saturating_sub(before);
            let numbers = arguments.listed as f64;
            rates[place].push(numbers / time.as_secs_f64());
            sizes[place].push(grown as f64 / numbers);
        }
    }
    if missing {
        report.remark("Import: not in this build (there is no `metrust import`).".to_owned());
    }
    for (place, (mode, least)) in MODES.into_iter().enumerate() {
        report.line(Line {
            group: Word::Import,
            what: format!("{}: {} numbers imported", mode.name(), arguments.listed),
            found: Spread::of(rates[place].iter().copied()),
            bound: Bound::AtLeast(least),
            unit: "/s",
            built: !missing,
        });
        let what = match mode {
            Mode::Embedded => "resident memory",
            _ => "`used_memory`",
        };
        let what = format!("{}: {what} a number imported", mode.name());
        report.other(what, Spread::of(sizes[place].iter().copied()), "bytes");
    }
    Ok(())
}

/// What the numbers take: in Redis, or in the process that holds them.
fn memory(service: &mut Metrust) -> Result<u64> {
    match &mut service.redis {
        Some(redis) => redis.figure("used_memory"),
        None => Ok(service.program.memory()?.now),
    }
}
