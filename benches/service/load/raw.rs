//! `redis-benchmark`: what Redis itself can do when nobody stands before it.

use std::net::SocketAddr;

use super::Sample;
use crate::Result;
use crate::program::{Core, command, run};
use crate::server::nginx::KEY;

/// `GET` over so many connections, one at a time on each.
pub fn benchmark(address: SocketAddr, connections: u32, requests: u64) -> Result<Sample> {
    let mut command = command(Core::Load, "redis-benchmark");
    command.args(["-h", "127.0.0.1", "-p", &address.port().to_string()]);
    command.args(["-c", &connections.to_string(), "-n", &requests.to_string()]);
    command.args(["-r", "10000000", "--csv", "GET"]);
    command.arg(format!("{KEY}%2B__rand_int__"));
    let said = run(&mut command)?;
    // "test","rps","avg_latency_ms","min","p50","p95","p99","max"
    let figures: Vec<f64> = said
        .lines()
        .last()
        .unwrap_or_default()
        .rsplit(',')
        .filter_map(|field| field.trim_matches('"').parse().ok())
        .collect();
    let [_, p99, _, median, _, _, rate] = figures[..] else {
        return Err(format!("redis-benchmark says something strange: {said}").into());
    };
    Ok(Sample {
        rate,
        median,
        p99,
        sent_late: None,
        failed: 0,
    })
}
