//! What a check leaves behind in Redis, in memory and on disk, when sixteen go in one batch.

use serde_json::json;

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::numbers::{self, Chance};
use crate::report::{Bound, Line, Report, Spread};
use crate::server::metrust::{Metrust, Mode, SELLER};
use crate::site::Site;

/// Numbers that go together.
const TOGETHER: u64 = 16;

/// Batches of one round.
const BATCHES: u64 = 2_000;

/// The bytes that so many checks take.
struct Growth {
    memory: f64,
    stream: f64,
    file: f64,
}

/// Measures and reports.
pub fn run(site: &Site, arguments: &Arguments, report: &mut Report) -> Result<()> {
    eprintln!("audit: what a check leaves in Redis");
    // Nothing is sealed meanwhile, and hence nothing taken out of the stream. Bytes are counted
    // here, not time: a machine that is slow for a while is no reason to give up.
    let settings = [
        ("AUDIT__PERIOD_MS", "3600000"),
        ("STORE__TIMEOUT_MS", "20000"),
    ];
    let mut service = Metrust::start(site, "audit", Mode::Everysec, &settings)?;
    service.fill()?;
    let mut chance = Chance::new(4);
    // The first one also pays for what is made once.
    round(&mut service, &mut chance)?;
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        rounds.push(round(&mut service, &mut chance)?);
    }
    let spread = |read: fn(&Growth) -> f64| Spread::of(rounds.iter().map(read));
    let mut line = |what: &str, found| {
        report.line(Line {
            group: Word::Audit,
            what: format!("{what}, batches of {TOGETHER}"),
            found,
            bound: Bound::AtMost(60.0),
            unit: "bytes",
            built: true,
        });
    };
    line(
        "Redis memory a check (`used_memory` or `MEMORY USAGE` of the stream, whichever is more)",
        spread(|growth| growth.memory.max(growth.stream)),
    );
    line("append-only file a check", spread(|growth| growth.file));
    let stream = spread(|growth| growth.stream);
    report.other(
        "Stream a check (`MEMORY USAGE`)".to_owned(),
        stream,
        "bytes",
    );
    Ok(())
}

fn round(service: &mut Metrust, chance: &mut Chance) -> Result<Growth> {
    let before = figures(service)?;
    for _ in 0..BATCHES {
        let numbers: Vec<String> = (0..TOGETHER)
            .map(|_| match chance.below(10) {
                0 => numbers::number(chance.below(numbers::LISTED)),
                _ => numbers::clear(chance.below(u64::MAX)),
            })
            .collect();
        let body = json!({ "seller": SELLER, "numbers": numbers });
        let answer = service.post("/v1/checks", &body)?;
        let results = answer
            .pointer("/results")
            .and_then(|results| results.as_array());
        if results.map(Vec::len) != Some(TOGETHER as usize) {
            return Err("a batch was not answered in full".into());
        }
    }
    let after = figures(service)?;
    let a_check =
        |part: usize| (after[part] as f64 - before[part] as f64) / (BATCHES * TOGETHER) as f64;
    Ok(Growth {
        memory: a_check(0),
        stream: a_check(1),
        file: a_check(2),
    })
}

/// Memory in use, bytes of all streams, and bytes of the file.
fn figures(service: &mut Metrust) -> Result<[u64; 3]> {
    let redis = service.redis.as_mut().ok_or("this is about Redis")?;
    Ok([
        redis.figure("used_memory")?,
        redis.memory_of("mr:*tail*")?,
        redis.figure("aof_current_size")?,
    ])
}
