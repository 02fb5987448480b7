//! The machine and the versions, and whether everything is there.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::arguments::Word;
use crate::program::{cores, find, run};
use crate::server::{metrust, nginx};

const INSTALL: &str = "benches/service/peers.sh installs it on Debian and Ubuntu";

/// Refuses, naming the remedy, when something is missing that the words need.
pub fn require(words: &[Word]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Err("this bench needs Linux: it gives cores to programs, and reads /proc".into());
    }
    let compared = words.iter().any(|word| word.is_compared());
    let mut needed = vec!["setpriv", "taskset", "redis-server"];
    if compared {
        needed.extend(["nginx", "webdis", "redis-benchmark"]);
    }
    if compared || words.contains(&Word::Soak) {
        needed.push("wrk");
    }
    if words.contains(&Word::Wash) {
        needed.extend([
            "curl", "sqlite3", "grep", "comm", "prlimit", "timeout", "bash",
        ]);
    }
    if words.contains(&Word::Cost) {
        needed.push("curl");
    }
    needed.retain(|program| find(program).is_none());
    let mut missing: Vec<String> = needed.iter().map(ToString::to_string).collect();
    if compared && !needed.contains(&"nginx") {
        missing.extend(nginx::missing().into_iter().map(str::to_owned));
    }
    if words.contains(&Word::Wash) && !duckdb().exists() {
        missing.push(format!("DuckDB in {}", duckdb().display()));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("missing: {}. {INSTALL}.", missing.join(", ")).into())
}

/// The Python that has DuckDB.
pub fn duckdb() -> PathBuf {
    // CARGO_TARGET_TMPDIR is `tmp` in the target folder; so this outlives a run.
    let tmp = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let target = tmp.parent().map(PathBuf::from).unwrap_or(tmp);
    target.join("peers/duckdb/bin/python")
}

/// The machine, the date and the versions, in lines of Markdown.
pub fn heading() -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = field(&processors, "model name").unwrap_or("a processor without a name");
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kilobytes = field(&memory, "MemTotal").and_then(|text| text.split(' ').next());
    let gibibytes = kilobytes.and_then(|text| text.parse::<f64>().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = cores();
    let mut text = String::new();
    writeln!(
        text,
        "Machine: {model}, {cores} cores, {:.0} GiB of memory, Linux {}; {}.",
        gibibytes.unwrap_or(f64::NAN) / 1024.0 / 1024.0,
        kernel.trim(),
        first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
    )?;
    if cores != 2 {
        writeln!(
            text,
            "**Not the machine the targets are for**: they are meant for two cores, one for the \
             server under test and one for load and Redis. Here are {cores}."
        )?;
    }
    // Webdis knows no flag for its version: it would start.
    let programs = [
        ("metrust", metrust::binary(), "--version"),
        ("nginx", find("nginx").unwrap_or_default(), "-v"),
        ("Redis", "redis-server".into(), "--version"),
        ("wrk", "wrk".into(), "--version"),
        ("SQLite", "sqlite3".into(), "--version"),
        ("grep", "grep".into(), "--version"),
    ];
    let mut versions: Vec<String> = programs
        .into_iter()
        .filter_map(|(name, program, flag)| {
            Some(format!(
                "{name} {}",
                version(&first_line(program, &[flag]))?
            ))
        })
        .collect();
    let ask = "import duckdb; print(duckdb.__version__)";
    if let Ok(version) = run(Command::new(duckdb()).args(["-c", ask])) {
        versions.push(format!("DuckDB {}", version.trim()));
    }
    if let Some(load) = load().filter(|load| *load > 0.5) {
        writeln!(
            text,
            "**The machine had other things to do**: {load} programs were running on average in the \
             minute before."
        )?;
    }
    writeln!(text, "Versions: {}.", versions.join("; "))?;
    Ok(text)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// The first line a program prints, wherever it prints it; wrk ends with 1 after its version.
fn first_line(program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return String::new();
    };
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all);
    text.lines().next().unwrap_or_default().to_owned()
}

/// The first thing in a line that looks like a version.
fn version(line: &str) -> Option<&str> {
    let parts = line.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let mut versions = parts.map(|part| part.trim_matches('.'));
    versions.find(|part| part.contains('.'))
}

/// How many programs have been running on average in the last minute.
fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
