//! What the checks of one agency wait while somebody else does their worst.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::Specification;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::load::open::{Open, Protocol, http};
use crate::numbers;
use crate::report::{Bound, Line, Report, Spread};
use crate::server::metrust::{Metrust, Mode, SELLER};
use crate::server::{agent, read};
use crate::site::Site;

const MODES: [Mode; 2] = [Mode::Always, Mode::Embedded];

/// Checks a second beside an attack, and over how many connections.
const BESIDE: f64 = 1_000.0;
const LINES: usize = 16;

/// What the slowest hundredth of them may wait, in milliseconds.
const P99: f64 = 50.0;

/// Sellers of the attacking agency: as many as one registration may name.
const SELLERS: usize = 100;

/// Threads that attack.
const ATTACKERS: usize = 4;

/// One way to attack; it does the same again and again, and says how often it did.
struct Attack {
    name: &'static str,
    once: fn(&Target) -> Result<()>,
}

const ATTACKS: [Attack; 4] = [
    Attack {
        name: "20 MB of empty lines in 631 bytes, washed",
        once: bomb,
    },
    Attack {
        name: "wrong keys for an id that exists",
        once: wrong_key,
    },
    Attack {
        name: "10 numbers registered for 100 sellers, and withdrawn",
        once: registration,
    },
    Attack {
        name: "washes that hardly move, heads that do not end, answers that nobody takes",
        once: stalled,
    },
];

/// What is attacked, and by whom.
struct Target {
    url: String,
    address: std::net::SocketAddr,
    agent: ureq::Agent,
    key: String,
    sellers: Vec<String>,
}

/// Measures and reports: each attack for the time of a measure, once a round.
pub fn run(site: &Site, arguments: &Arguments, report: &mut Report) -> Result<()> {
    for mode in MODES {
        let service = Metrust::start(site, "attacks", mode, &[])?;
        let target = target(&service)?;
        let mut waits: [Vec<f64>; ATTACKS.len()] = Default::default();
        let mut failed = [0; ATTACKS.len()];
        let mut done = [0; ATTACKS.len()];
        let mut alone = Vec::new();
        for round in 0..arguments.rounds {
            eprintln!(
                "attacks: round {} of {}, {}",
                round + 1,
                arguments.rounds,
                mode.name()
            );
            alone.push(checks(&service, arguments.time())?.1);
            for (place, attack) in ATTACKS.iter().enumerate() {
                let (bad, p99, times) = beside(&service, &target, attack, arguments.time())?;
                failed[place] += bad;
                done[place] += times;
                waits[place].push(p99);
                service.settle()?;
            }
        }
        let name = mode.name();
        let alone = Spread::of(alone.into_iter());
        report.other(
            format!("{name}: p99 of {BESIDE} checks a second, alone"),
            alone,
            "ms",
        );
        for (place, attack) in ATTACKS.iter().enumerate() {
            if done[place] == 0 {
                return Err(format!("{name}: {} was not done once", attack.name).into());
            }
            let mut line = |what: &str, found, bound, unit| {
                report.line(Line {
                    group: Word::Attacks,
                    what: format!(
                        "{name}: {what} beside {} (done {})",
                        attack.name, done[place]
                    ),
                    found,
                    bound: Bound::AtMost(bound),
                    unit,
                    built: true,
                });
            };
            let bad = Spread::of([failed[place] as f64].into_iter());
            line("failed checks", bad, 0.0, "");
            let waits = Spread::of(waits[place].iter().copied());
            line("p99 of checks", waits, P99, "ms");
        }
    }
    Ok(())
}

fn checks(service: &Metrust, time: Duration) -> Result<(u64, f64)> {
    let route = service.check("text");
    let found = Open {
        address: route.address,
        requests: http(&route, &numbers::asked()),
        protocol: Protocol::Http,
        rate: BESIDE,
        connections: LINES,
        warm_up: Duration::ZERO,
        time,
        keep_ids: false,
    }
    .run()?;
    Ok((found.failed, found.sample().p99))
}

/// How many checks failed, what the others waited, and how often the attack was carried out.
fn beside(
    service: &Metrust,
    target: &Target,
    attack: &Attack,
    time: Duration,
) -> Result<(u64, f64, u64)> {
    let (over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..ATTACKERS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // An attacker is not stopped by an error, but must get through now and then.
                    if (attack.once)(target).is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let found = checks(service, time);
        over.store(true, Ordering::Relaxed);
        let (failed, p99) = found?;
        Ok((failed, p99, done.load(Ordering::Relaxed)))
    })
}

/// The attacking agency, with many sellers.
fn target(service: &Metrust) -> Result<Target> {
    let sellers: Vec<String> = (0..SELLERS).map(|n| format!("seller-{n}")).collect();
    for seller in &sellers {
        service.cli(&["seller", "add", seller, "--name", seller])?;
    }
    let mut add = vec![
        "agency",
        "add",
        "attackers",
        "--name",
        "Attackers",
        "--for",
        SELLER,
    ];
    for seller in &sellers {
        add.extend(["--for", seller]);
    }
    service.cli(&add)?;
    let key = service.cli(&[
        "key",
        "create",
        "--role",
        "dialler",
        "--agency",
        "attackers",
    ])?;
    Ok(Target {
        url: service.url(),
        address: service.check("text").address,
        agent: agent(),
        key: key.trim().to_owned(),
        sellers,
    })
}

impl Target {
    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.key))
            .send_json(body)?;
        Ok(serde_json::from_str(&read(&mut response)?)?)
    }
}

fn bomb(target: &Target) -> Result<()> {
    let list = zstd::encode_all(&vec![b'\n'; 20_000_000][..], 3)?;
    let url = format!("{}/v1/wash?seller={SELLER}", target.url);
    let mut response = target
        .agent
        .post(url)
        .header("Authorization", format!("Bearer {}", target.key))
        .header("Content-Type", "text/plain")
        .header("Content-Encoding", "zstd")
        .send(&list)?;
    response.body_mut().read_to_string()?;
    Ok(())
}

/// A key of the right form and with the right checksum, but not the secret.
fn wrong_key(target: &Target) -> Result<()> {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("abcdefghijklmnopqrstuvwxyz234567");
    let base32 = specification.encoding()?;
    let (head, _) = target.key.rsplit_once('_').ok_or("not a key")?;
    let mut secret = [0; 20];
    getrandom::fill(&mut secret)?;
    let head = format!("{head}_{}", base32.encode(&secret));
    let sum = base32.encode(&Sha256::digest(head.as_bytes())[..5]);
    let url = format!(
        "{}/v1/check?phone=%2B32470000001&seller={SELLER}",
        target.url
    );
    let response = target
        .agent
        .get(url)
        .header("Authorization", format!("Bearer {head}{}", &sum[..6]))
        .call()?;
    match response.status().as_u16() {
        401 | 503 => Ok(()),
        other => Err(format!("a wrong key was answered {other}").into()),
    }
}

fn registration(target: &Target) -> Result<()> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let first = u64::from(u32::from_be_bytes(random));
    let numbers: Vec<String> = (first..first + 10).map(numbers::clear).collect();
    let body = json!({ "numbers": numbers, "sellers": target.sellers });
    let made = target.post("/v1/registrations", &body)?;
    let body = json!({ "reference": made["reference"] });
    target.post("/v1/registrations/withdraw", &body).map(drop)
}

fn stalled(target: &Target) -> Result<()> {
    let head = format!("Host: x\r\nAuthorization: Bearer {}\r\n", target.key);
    let mut wash = TcpStream::connect(target.address)?;
    wash.write_all(
        format!(
            "POST /v1/wash?seller={SELLER} HTTP/1.1\r\n{head}Content-Type: text/plain\r\n\
             Transfer-Encoding: chunked\r\n\r\n3\r\n+32\r\n"
        )
        .as_bytes(),
    )?;
    let mut slow = TcpStream::connect(target.address)?;
    slow.write_all(format!("GET /livez HTTP/1.1\r\n{head}\r\nGET /v1/che").as_bytes())?;
    let mut deaf = TcpStream::connect(target.address)?;
    deaf.set_write_timeout(Some(Duration::from_millis(50)))?;
    let check = format!("GET /v1/check?phone=1&seller={SELLER}&x=1 HTTP/1.1\r\n{head}\r\n");
    let _ = deaf.write_all(check.repeat(200).as_bytes());
    // For a while they stand there.
    slow.set_read_timeout(Some(Duration::from_millis(250)))?;
    while slow.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {}
    Ok(())
}
