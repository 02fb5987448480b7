//! Minutes at seventy per cent of what it can: memory stays flat, no request fails, and every
//! answer that was given is found in the audit.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::load::open::{Open, Protocol, http};
use crate::load::wrk::{Connections, Wrk};
use crate::numbers;
use crate::program::Program;
use crate::report::{Bound, Line, Report, Spread};
use crate::server::metrust::{Metrust, Mode};
use crate::site::Site;

/// The share of its capacity that it is asked for.
const SHARE: f64 = 0.7;
const LINES: u32 = 64;

/// How long it is asked for all that it can before that counts: sealing waits for some periods of
/// `audit.period_ms` until it takes its part, and only what can be gone on with is a capacity.
const UNCOUNTED: Duration = Duration::from_secs(30);

/// How long it is asked for all that it can, to learn what that is.
const TO_THE_FULL: Duration = Duration::from_secs(60);

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Soaks each store, one after the other.
pub fn run(site: &Site, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let time = Duration::from_secs_f64(arguments.minutes * 60.0);
    for mode in [Mode::Always, Mode::Embedded] {
        soak(site, mode, time, report)?;
    }
    Ok(())
}

fn soak(site: &Site, mode: Mode, time: Duration, report: &mut Report) -> Result<()> {
    let service = Metrust::start(site, "soak", mode, &[])?;
    service.fill()?;
    let asked = numbers::asked();
    let file = site.path("soak.txt");
    fs::write(&file, asked.join("\n"))?;
    let route = service.check("json");
    let (wrk, lines) = (Wrk::new(site)?, Connections::Kept(LINES));
    wrk.run(&route, &file, lines, UNCOUNTED)?;
    let capacity = wrk.run(&route, &file, lines, TO_THE_FULL)?;
    service.settle()?;
    let before = audit(&service)?;

    let rate = (capacity.rate * SHARE).round();
    eprintln!(
        "soak: {}, {rate} checks a second for {:.1} minutes",
        mode.name(),
        time.as_secs_f64() / 60.0
    );
    let open = Open {
        address: route.address,
        requests: http(&route, &asked),
        protocol: Protocol::Http,
        rate,
        connections: LINES as usize,
        warm_up: Duration::ZERO,
        time,
        keep_ids: true,
    };
    let (found, memory) = watched(&service.program, || open.run())?;
    let mut found = found?;
    service.settle()?;

    let name = mode.name();
    let sample = found.sample();
    let minutes = time.as_secs_f64() / 60.0;
    report.measured(
        format!("{name}: soak of {minutes:.1} minutes"),
        [sample].iter(),
    );
    let mut line = |what: &str, value: f64, bound, unit| {
        report.line(Line {
            group: Word::Soak,
            what: format!("{name}: {what}"),
            found: Spread::of([value].into_iter()),
            bound,
            unit,
            built: true,
        });
    };
    line(
        "requests that failed",
        found.failed as f64,
        Bound::AtMost(0.0),
        "",
    );
    // What a service fills once it fills early; the first fifth is left to it.
    let fifth = memory.len() / 5;
    if fifth > 0 {
        let early = middle(&memory[fifth..2 * fifth]);
        let late = middle(&memory[memory.len() - fifth..]);
        line(
            "memory at the end ÷ memory early on",
            late / early,
            Bound::AtMost(1.05),
            "×",
        );
        let mebibytes = memory.iter().map(|bytes| *bytes as f64 / 1024.0 / 1024.0);
        report.other(
            format!("{name}: resident memory"),
            Spread::of(mebibytes),
            "MiB",
        );
    }
    let mut after = audit(&service)?;
    after.retain(|id| before.binary_search(id).is_err());
    found.ids.sort_unstable();
    let lost = found
        .ids
        .iter()
        .filter(|id| after.binary_search(id).is_err())
        .count();
    let unread = found.answered - found.ids.len() as u64;
    let mut line = |what: &str, value: u64| {
        report.line(Line {
            group: Word::Soak,
            what: format!("{name}: {what}, of {}", found.answered),
            found: Spread::of([value as f64].into_iter()),
            bound: Bound::AtMost(0.0),
            unit: "",
            built: true,
        });
    };
    line("answers that the export has not", lost as u64 + unread);
    // A request that was given up is on record all the same, if the store had it.
    let beyond = (after.len() - (found.ids.len() - lost)) as f64;
    let what = format!("{name}: checks on record that were answered with an error");
    report.other(what, Spread::of([beyond].into_iter()), "");
    Ok(())
}

fn middle(memory: &[u64]) -> f64 {
    let mut memory = memory.to_vec();
    memory.sort_unstable();
    memory
        .get(memory.len() / 2)
        .map_or(f64::NAN, |bytes| *bytes as f64)
}

/// Does the work, and looks at the resident memory of a program meanwhile.
fn watched<T>(program: &Program, work: impl FnOnce() -> T) -> Result<(T, Vec<u64>)> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let begun = Instant::now();
            let mut memory = Vec::new();
            while !done.load(Ordering::Relaxed) {
                if let Ok(seen) = program.memory() {
                    memory.push(seen.now);
                }
                let next = LOOK * memory.len().max(1) as u32;
                thread::sleep(
                    next.saturating_sub(begun.elapsed())
                        .max(Duration::from_millis(10)),
                );
            }
            memory
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        let memory = watcher
            .join()
            .map_err(|_| "the watcher of memory panicked")?;
        Ok((result, memory))
    })
}

/// The ids of all checks in the audit, sorted; read from the export as it comes.
fn audit(service: &Metrust) -> Result<Vec<u128>> {
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let mut child = service
        .command(&["audit", "export", "--op", "check"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no output of the export")?;
    let mut ids = Vec::new();
    for line in BufReader::with_capacity(1 << 20, stdout).lines() {
        let entry: Entry = serde_json::from_str(&line?)?;
        ids.push(uuid::Uuid::try_parse(&entry.id)?.as_u128());
    }
    if !child.wait()?.success() {
        return Err("the export broke off".into());
    }
    ids.sort_unstable();
    Ok(ids)
}
