//! A calling list washed over HTTP, audited and durable, beside tools that compare two files and
//! record nothing.

mod peers;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::group::lists;
use crate::load::open::{Open, Protocol, http};
use crate::numbers;
use crate::program::{Core, command};
use crate::report::{Bound, Line, Report, Spread};
use crate::server::metrust::{Metrust, Mode, SELLER};
use crate::site::Site;

/// Each with what its time may be, in times of DuckDB's.
const MODES: [(Mode, f64); 2] = [(Mode::Always, 1.0), (Mode::Embedded, 0.5)];

/// By how many MiB the service may grow.
const GROWTH: f64 = 64.0;

/// Single checks a second beside a wash, and over how many connections.
const BESIDE: f64 = 1_000.0;
const LINES: usize = 16;

/// The files of a wash.
pub struct Files {
    /// The numbers that are opted out, under a heading.
    pub list: PathBuf,
    /// The calling list: `id,phone,name,campaign`.
    pub rows: PathBuf,
    /// How many rows it has.
    pub count: u64,
    /// How many of them must not be called.
    pub suppressed: u64,
    /// Where results go.
    pub out: PathBuf,
}

/// What one wash took.
pub(super) struct Washed {
    seconds: f64,
    /// MiB of resident memory.
    grown: f64,
}

/// Measures and reports.
pub fn run(site: &Site, arguments: &Arguments, report: &mut Report) -> Result<()> {
    let services = MODES
        .iter()
        .map(|(mode, _)| Metrust::start(site, "wash", *mode, &[]))
        .collect::<Result<Vec<_>>>()?;
    let mut washed: [Vec<Option<Washed>>; 2] = [Vec::new(), Vec::new()];
    let mut duckdb = Vec::new();
    let problem = can(site, &services)?;
    let built = problem.is_none();
    match problem {
        Some(problem) => report.remark(format!("Wash: not in this build ({problem}).")),
        None => {
            let files = files(site, arguments)?;
            for (service, (mode, _)) in services.iter().zip(MODES) {
                eprintln!("wash: importing the list, {}", mode.name());
                lists::import(service, &files.list, arguments.listed)?;
                service.settle()?;
            }
            for round in 0..arguments.rounds {
                eprintln!("wash: round {} of {}", round + 1, arguments.rounds);
                duckdb.push(peers::duckdb(&files)?);
                for (place, (service, (mode, _))) in services.iter().zip(MODES).enumerate() {
                    let this = wash(service, &files).map_err(|problem| {
                        let name = mode.name();
                        report.remark(format!("Void: round {} of {name}: {problem}", round + 1));
                    });
                    washed[place].push(this.ok());
                    service.settle()?;
                }
            }
            for (service, (mode, _)) in services.iter().zip(MODES) {
                if let Err(problem) = beside(service, mode, &files, report) {
                    let name = mode.name();
                    report.remark(format!("Single checks beside a wash, {name}: {problem}"));
                }
            }
            // They are much slower, and nothing is judged by them: once is enough.
            for (name, seconds) in peers::others(&files) {
                match seconds {
                    Ok(seconds) => {
                        report.other(name.to_owned(), Spread::of([seconds].into_iter()), "s")
                    }
                    Err(problem) => report.remark(format!("{name}: {problem}")),
                }
            }
        }
    }
    let rows = arguments.rows;
    for (place, (mode, most)) in MODES.into_iter().enumerate() {
        let of_both = washed[place].iter().zip(&duckdb);
        let ratios = of_both.filter_map(|(ours, theirs)| Some(ours.as_ref()?.seconds / theirs));
        report.line(Line {
            group: Word::Wash,
            what: format!("{}: time for {rows} rows ÷ that of DuckDB", mode.name()),
            found: Spread::of(ratios),
            bound: Bound::AtMost(most),
            unit: "×",
            built,
        });
        report.line(Line {
            group: Word::Wash,
            what: format!("{}: memory the service grows by", mode.name()),
            found: Spread::of(washed[place].iter().flatten().map(|washed| washed.grown)),
            bound: Bound::AtMost(GROWTH),
            unit: "MiB",
            built,
        });
        let seconds = washed[place].iter().flatten().map(|washed| washed.seconds);
        report.other(
            format!("{}: wash of {rows} rows", mode.name()),
            Spread::of(seconds),
            "s",
        );
    }
    report.other(
        format!("DuckDB: anti-join of {rows} rows"),
        Spread::of(duckdb.into_iter()),
        "s",
    );
    Ok(())
}

pub(super) fn files(site: &Site, arguments: &Arguments) -> Result<Files> {
    let list = lists::list(site, arguments.listed)?;
    let rows = site.path("rows.csv");
    let suppressed = numbers::write_rows(&rows, arguments.rows, arguments.listed)?;
    Ok(Files {
        list,
        rows,
        count: arguments.rows,
        suppressed,
        out: site.path("washed.csv"),
    })
}

/// What this build cannot do of what a wash needs.
fn can(site: &Site, services: &[Metrust]) -> Result<Option<String>> {
    let Some(service) = services.first() else {
        return Ok(None);
    };
    let rows = site.path("one-row.csv");
    std::fs::write(&rows, format!("id,phone\n1,{}\n", numbers::clear(0)))?;
    if post(service, &rows, &site.path("one-row-washed.csv"))? == 404 {
        return Ok(Some("there is no `POST /v1/wash`".to_owned()));
    }
    if !lists::has_command(service, "import") {
        return Ok(Some(
            "there is no `metrust import` to list the numbers".to_owned(),
        ));
    }
    Ok(None)
}

/// Sends a file and keeps what comes back; gives the status. curl sends while it reads, as a wash
/// that streams needs it.
fn post(service: &Metrust, rows: &Path, out: &Path) -> Result<u16> {
    let url = format!("{}/v1/wash?seller={SELLER}&column=phone", service.url());
    let mut curl = command(Core::Load, "curl");
    curl.args([
        "-sS",
        "-X",
        "POST",
        "-H",
        "Content-Type: text/csv",
        "-H",
        "Expect:",
    ]);
    // From standard input, so that the key is no argument.
    curl.args(["-H", "@-", "-w", "%{http_code}", "-T"])
        .arg(rows)
        .arg("-o")
        .arg(out)
        .arg(url);
    let header = tempfile::NamedTempFile::new()?;
    std::fs::write(
        header.path(),
        format!("Authorization: Bearer {}\n", service.dialler),
    )?;
    curl.stdin(File::open(header.path())?);
    let output = curl.output()?;
    let status = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap_or(0);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "curl ended with {} and status {status}: {said}",
            output.status
        )
        .into());
    }
    Ok(status)
}

/// Washes the list once, and counts what came back.
pub(super) fn wash(service: &Metrust, files: &Files) -> Result<Washed> {
    service.program.forget_peak()?;
    let before = service.program.memory()?.now;
    let begun = Instant::now();
    let status = post(service, &files.rows, &files.out)?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak = service.program.memory()?.peak;
    if status != 200 {
        let said = std::fs::read_to_string(&files.out).unwrap_or_default();
        return Err(format!("the wash was answered with {status}: {said:.500}").into());
    }
    let (mut suppressed, mut clear) = (0, 0);
    for line in BufReader::with_capacity(1 << 20, File::open(&files.out)?).lines() {
        let line = line?;
        if line.contains(",autumn,suppress") {
            suppressed += 1;
        } else if line.contains(",autumn,not_listed") {
            clear += 1;
        }
    }
    if (suppressed, clear) != (files.suppressed, files.count - files.suppressed) {
        return Err(format!(
            "the wash found {suppressed} numbers listed and {clear} not; right is {} and {}",
            files.suppressed,
            files.count - files.suppressed
        )
        .into());
    }
    Ok(Washed {
        seconds,
        grown: peak.saturating_sub(before) as f64 / 1024.0 / 1024.0,
    })
}

/// What single checks wait, alone and beside a wash.
fn beside(service: &Metrust, mode: Mode, files: &Files, report: &mut Report) -> Result<()> {
    let route = service.check("text");
    let asked = numbers::asked();
    let checks = |time| Open {
        address: route.address,
        requests: http(&route, &asked),
        protocol: Protocol::Http,
        rate: BESIDE,
        connections: LINES,
        warm_up: std::time::Duration::ZERO,
        time,
        keep_ids: false,
    };
    let begun = Instant::now();
    wash(service, files)?;
    // A little shorter than a wash is, so that there is one all the time.
    let time = begun.elapsed().mul_f64(0.7);
    service.settle()?;
    let alone = checks(time).run()?;
    let with = std::thread::scope(|scope| -> Result<_> {
        let washing = scope.spawn(|| {
            wash(service, files)
                .map(drop)
                .map_err(|problem| problem.to_string())
        });
        let with = checks(time).run();
        washing.join().map_err(|_| "the wash panicked")??;
        with
    })?;
    service.settle()?;
    for (what, found) in [("alone", alone), ("beside a wash", with)] {
        if found.failed > 0 {
            report.remark(format!(
                "{}: {} single checks {what} failed.",
                mode.name(),
                found.failed
            ));
        }
        let name = format!(
            "{}: p99 of {BESIDE} single checks a second {what}",
            mode.name()
        );
        report.other(name, Spread::of([found.sample().p99].into_iter()), "ms");
    }
    Ok(())
}
