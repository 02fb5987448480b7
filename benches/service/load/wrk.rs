//! The closed loop: `wrk` with one thread on core 0, and the same script and headers for everybody.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::Sample;
use crate::Result;
use crate::program::{Core, command, run};
use crate::server::Route;
use crate::site::Site;

/// Requests are made before the clock runs, so that they cost next to nothing when they are sent.
/// The key is in the environment: arguments can be seen by everybody.
const SCRIPT: &str = r#"
local requests, last = {}, 0

function init(arguments)
  local before, after, file, connection = arguments[1], arguments[2], arguments[3], arguments[4]
  local headers = { ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY") }
  if connection == "close" then headers["Connection"] = "close" end
  for query in io.lines(file) do
    requests[#requests + 1] = wrk.format("GET", before .. query .. after, headers)
  end
  last = math.random(#requests)
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("FOUND %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"#;

/// wrk, ready to run.
pub struct Wrk {
    script: PathBuf,
}

/// Whether connections are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connections {
    /// So many, kept.
    Kept(u32),
    /// So many at a time, a new one for each check.
    PerCheck(u32),
}

impl Wrk {
    /// Writes the script.
    pub fn new(site: &Site) -> Result<Self> {
        let script = site.path("wrk.lua");
        fs::write(&script, SCRIPT)?;
        Ok(Self { script })
    }

    /// Asks `route` about the numbers of a file, over and over.
    pub fn run(
        &self,
        route: &Route,
        numbers: &std::path::Path,
        connections: Connections,
        time: Duration,
    ) -> Result<Sample> {
        let (count, kept) = match connections {
            Connections::Kept(count) => (count, "keep"),
            Connections::PerCheck(count) => (count, "close"),
        };
        let mut command = command(Core::Load, "wrk");
        command.env("BENCH_KEY", &route.key);
        // It takes whole seconds only.
        let seconds = time.as_secs().max(1);
        command.args(["-t1", &format!("-c{count}"), &format!("-d{seconds}s"), "-s"]);
        command
            .arg(&self.script)
            .arg(format!("http://{}", route.address));
        command
            .args(["--", &route.before, &route.after])
            .arg(numbers)
            .arg(kept);
        let said = run(&mut command)?;
        let found = said.lines().find_map(|line| line.strip_prefix("FOUND "));
        let found = found.ok_or_else(|| format!("wrk says nothing of use: {said}"))?;
        let figures = found
            .split(' ')
            .map(str::parse)
            .collect::<std::result::Result<Vec<f64>, _>>()?;
        let [requests, micros, median, p99, failed] = figures[..] else {
            return Err(format!("wrk says something strange: {found}").into());
        };
        Ok(Sample {
            rate: requests / micros * 1e6,
            median: median / 1e3,
            p99: p99 / 1e3,
            sent_late: None,
            failed: failed as u64,
        })
    }
}
