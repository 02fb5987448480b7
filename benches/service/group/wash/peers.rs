//! Others that compare the same two files.

use std::process::Command;
use std::time::Instant;

use super::Files;
use crate::Result;
use crate::machine;
use crate::program::{Core, command, cores, run};

/// The most memory that grep may take for its patterns, and the longest that anybody may take.
const MEMORY: u64 = 8 << 30;
const SECONDS: &str = "300";

/// DuckDB, with both cores: the rows whose number is not on the list, to a file. Its own clock
/// leaves out the start of Python around it.
pub fn duckdb(files: &Files) -> Result<f64> {
    const PROGRAM: &str = "
import duckdb, sys, time
rows, list, out, threads = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f'SET threads = {threads}')
begun = time.monotonic()
count = connection.execute(f\"\"\"COPY (
    SELECT rows.* FROM read_csv('{rows}', header = true, all_varchar = true) rows
    ANTI JOIN read_csv('{list}', header = true, all_varchar = true) list ON rows.phone = list.phone
) TO '{out}' (HEADER)\"\"\").fetchone()[0]
print(time.monotonic() - begun, count)
";
    let mut command = command(Core::Any, machine::duckdb());
    command
        .args(["-c", PROGRAM])
        .args([&files.rows, &files.list, &files.out]);
    let said = run(command.arg(cores().to_string()))?;
    let (seconds, count) = said
        .trim()
        .split_once(' ')
        .ok_or("DuckDB says nothing of use")?;
    let expected = files.count - files.suppressed;
    if count.parse() != Ok(expected) {
        return Err(format!("DuckDB finds {count} rows clear; right is {expected}").into());
    }
    Ok(seconds.parse()?)
}

/// The others, in seconds each.
pub fn others(files: &Files) -> Vec<(&'static str, Result<f64>)> {
    let (list, rows, out) = (&files.list, &files.rows, &files.out);
    let quoted = |path: &std::path::Path| format!("'{}'", path.display());
    let (list, rows, out) = (quoted(list), quoted(rows), quoted(out));

    let sql = format!(
        "CREATE TABLE list (phone TEXT PRIMARY KEY) WITHOUT ROWID;\n.mode csv\n\
         .import --skip 1 {list} list\n.import {rows} rows\n.headers on\n.once {out}\n\
         SELECT * FROM rows WHERE NOT EXISTS (SELECT 1 FROM list WHERE list.phone = rows.phone);\n"
    );
    let sqlite = format!("printf '%s' \"$1\" | sqlite3 -batch :memory: && wc -l < {out}");
    // The heading of the list is a pattern, too, and takes out that of the rows.
    let grep = format!("grep -v -F -f {list} {rows} > {out} && wc -l < {out}");
    let comm = format!(
        "comm -23 <(tail -n +2 {rows} | cut -d, -f2 | sort) <(tail -n +2 {list} | sort) > {out} && \
         wc -l < {out}"
    );
    vec![
        (
            "SQLite: both files imported, rows not on the list exported",
            timed(&sqlite, &sql, files),
        ),
        ("`grep -v -F -f`", timed(&grep, "", files)),
        (
            "`comm -23` of both, sorted first, numbers alone",
            timed(&comm, "", files),
        ),
    ]
}

/// Runs a script of bash, whose last line is how many lines it wrote.
fn timed(script: &str, input: &str, files: &Files) -> Result<f64> {
    let mut limited: Command = command(Core::Any, "prlimit");
    limited.args([
        &format!("--as={MEMORY}"),
        "timeout",
        SECONDS,
        "bash",
        "-c",
        script,
        "bash",
        input,
    ]);
    limited.env("LC_ALL", "C");
    let begun = Instant::now();
    let said = run(&mut limited).map_err(|_| {
        format!(
            "gave up after {:.0} s, within 8 GiB of memory",
            begun.elapsed().as_secs_f64()
        )
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let expected = files.count - files.suppressed;
    let lines: u64 = said.trim().parse()?;
    // With a heading or without one.
    match lines.abs_diff(expected) {
        0 | 1 => Ok(seconds),
        _ => Err(format!("finds {lines} rows clear; right is {expected}").into()),
    }
}
