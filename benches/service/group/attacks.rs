//! What the checks of one agency wait while somebody else does their worst.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::Specification;
use flate2::write::GzEncoder;
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

/// By how much the service may grow meanwhile, in MiB.
const GROWTH: f64 = 32.0;

type Once = Box<dyn Fn(&Target) -> Result<()> + Sync>;

/// One way to attack; it does the same again and again, and says how often it did.
struct Attack {
    name: &'static str,
    once: Once,
}

fn attacks() -> Result<Vec<Attack>> {
    let others: [(_, Once); 3] = [
        ("wrong keys for an id that exists", Box::new(wrong_key)),
        (
            "10 numbers registered for 100 sellers, and withdrawn",
            Box::new(registration),
        ),
        (
            "washes that hardly move, heads that do not end, answers that nobody takes",
            Box::new(stalled),
        ),
    ];
    let others = others.map(|(name, once)| Attack { name, once });
    let bodies = bodies()?.into_iter().map(|(name, body)| Attack {
        name,
        once: Box::new(move |target| body.wash(target)),
    });
    Ok(bodies.chain(others).collect())
}

/// A list that nobody can use.
struct Body {
    media_type: &'static str,
    coding: Option<&'static str>,
    bytes: Vec<u8>,
}

fn bodies() -> Result<Vec<(&'static str, Body)>> {
    let text = |coding, bytes| Body {
        media_type: "text/csv",
        coding,
        bytes,
    };
    let packed = |list: &[u8]| zstd::encode_all(list, 3);
    let gzip = |list: &[u8]| {
        let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(list)?;
        packed.finish()
    };
    let nothing = vec![0; 200 << 20];
    let endless = vec![b'x'; 20 << 20];
    Ok(vec![
        (
            "20 MB of empty lines in 631 bytes, washed",
            text(Some("zstd"), packed(&vec![b'\n'; 20_000_000])?),
        ),
        ("a row without an end, washed", text(None, endless)),
        (
            "a heading of a million columns, washed",
            text(None, "column,".repeat(1_000_000).into_bytes()),
        ),
        (
            "rows of a million columns, washed",
            text(
                None,
                ["phone\n", &",".repeat(1_000_000).repeat(10)]
                    .concat()
                    .into_bytes(),
            ),
        ),
        (
            "200 MiB of nothing as zstd, washed",
            text(Some("zstd"), packed(&nothing)?),
        ),
        (
            "200 MiB of nothing as gzip, washed",
            text(Some("gzip"), gzip(&nothing)?),
        ),
        (
            "a workbook of 20 million empty cells, washed",
            workbook(&cells(20_000_000), "")?,
        ),
        (
            "a workbook with 200 MB of texts, washed",
            workbook(&cells(1), &"<si><t>x</t></si>".repeat(12_000_000))?,
        ),
    ])
}

/// A row of empty cells.
fn cells(count: usize) -> String {
    format!("<row>{}</row>", "<c/>".repeat(count))
}

/// A workbook of one sheet, as small as readers take it.
fn workbook(rows: &str, texts: &str) -> Result<Body> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relation = |id: u8, kind: &str, target: &str| {
        format!(r#"<Relationship Id="r{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#)
    };
    let relations =
        |inner: String| format!(r#"<Relationships xmlns="{PACKAGE}">{inner}</Relationships>"#);
    let parts = [
        (
            "_rels/.rels",
            relations(relation(1, "officeDocument", "xl/workbook.xml")),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            relations(
                relation(1, "worksheet", "worksheets/sheet1.xml")
                    + &relation(2, "sharedStrings", "sharedStrings.xml"),
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="List" sheetId="1" r:id="r1"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                r#"<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>"#
            ),
        ),
        (
            "xl/sharedStrings.xml",
            format!(r#"<sst xmlns="{MAIN}">{texts}</sst>"#),
        ),
    ];
    let mut book = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for (name, part) in parts {
        book.start_file(name, options)?;
        book.write_all(part.as_bytes())?;
    }
    Ok(Body {
        media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        coding: None,
        bytes: book.finish()?.into_inner(),
    })
}

impl Body {
    fn wash(&self, target: &Target) -> Result<()> {
        let mut request = target
            .agent
            .post(format!("{}/v1/wash?seller={SELLER}", target.url))
            .header("Authorization", format!("Bearer {}", target.key))
            .header("Content-Type", self.media_type);
        if let Some(coding) = self.coding {
            request = request.header("Content-Encoding", coding);
        }
        let mut response = request.send(&self.bytes[..])?;
        let _ = response.body_mut().read_to_string();
        Ok(())
    }
}

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
    let attacks = attacks()?;
    for mode in MODES {
        let service = Metrust::start(site, "attacks", mode, &[])?;
        let target = target(&service)?;
        let mut waits = vec![Vec::new(); attacks.len()];
        let mut growth = vec![Vec::new(); attacks.len()];
        let mut failed = vec![0; attacks.len()];
        let mut done = vec![0; attacks.len()];
        let mut alone = Vec::new();
        for round in 0..arguments.rounds {
            eprintln!(
                "attacks: round {} of {}, {}",
                round + 1,
                arguments.rounds,
                mode.name()
            );
            alone.push(checks(&service, arguments.time())?.1);
            for (place, attack) in attacks.iter().enumerate() {
                service.program.forget_peak()?;
                let before = service.program.memory()?.now;
                let (bad, p99, times) = beside(&service, &target, attack, arguments.time())?;
                failed[place] += bad;
                done[place] += times;
                waits[place].push(p99);
                let grown = service.program.memory()?.peak.saturating_sub(before);
                growth[place].push(grown as f64 / 1024.0 / 1024.0);
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
        for (place, attack) in attacks.iter().enumerate() {
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
            let growth = Spread::of(growth[place].iter().copied());
            line("memory the service grows by", growth, GROWTH, "MiB");
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
