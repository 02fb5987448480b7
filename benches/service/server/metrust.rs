//! metrust, started as an operator starts it, on each of its stores.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::redis::Redis;
use super::{Route, agent, read};
use crate::Result;
use crate::numbers;
use crate::program::{Core, Program, command, run, wait_for};
use crate::site::Site;

/// The seller that is asked for, and the agency that asks.
pub const SELLER: &str = "sunny-telecom";
const AGENCY: &str = "ring-ring";

/// How many numbers one registration of the bench holds.
const TOGETHER: u64 = 250;

/// How often a registration is tried.
const ATTEMPTS: u32 = 5;

/// Where and how durably it keeps what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Redis with `appendfsync everysec`.
    Everysec,
    /// Redis with `appendfsync always`.
    Always,
    /// The embedded store: every commit is on disk.
    Embedded,
}

impl Mode {
    /// As the tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everysec => "metrust, Redis everysec",
            Self::Always => "metrust, Redis always",
            Self::Embedded => "metrust, embedded",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Everysec => "everysec",
            Self::Always => "always",
            Self::Embedded => "embedded",
        }
    }
}

/// The binary under test: Cargo's own, or the one that `METRUST_BENCH_BINARY` names.
pub fn binary() -> PathBuf {
    std::env::var_os("METRUST_BENCH_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_metrust").into(), PathBuf::from)
}

/// A running service with one worker on core 1, and the Redis it stands on.
pub struct Metrust {
    /// The process.
    pub program: Program,
    /// Its Redis, on core 0.
    pub redis: Option<Redis>,
    /// The key of a dialler.
    pub dialler: String,
    address: SocketAddr,
    binary: PathBuf,
    data: PathBuf,
}

impl Metrust {
    /// Starts it on an empty store, with more `settings` (`AUDIT__PERIOD_MS`), and makes a seller,
    /// an agency and a dialler's key.
    pub fn start(site: &Site, name: &str, mode: Mode, settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_binary(binary(), site, name, mode, settings)
    }

    /// As [`start`](Self::start), of this binary.
    pub fn start_binary(
        binary: PathBuf,
        site: &Site,
        name: &str,
        mode: Mode,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let name = format!("{name}-{}", mode.word());
        let redis = match mode {
            Mode::Embedded => None,
            _ => {
                let redis = format!("{name}-redis");
                Some(Redis::start(site, &redis, Core::Load, mode.word())?)
            }
        };
        let data = site.folder(&name)?;
        let mut command = command(Core::Server, &binary);
        command
            .args(["serve", "--no-demo", "--bind", "127.0.0.1:0", "--data"])
            .arg(&data);
        command.env("METRUST__HTTP__WORKERS", "1");
        command.env("METRUST__LOG__FILTER", "warn");
        command.env("METRUST__REGISTRATION__MAX_NUMBERS", TOGETHER.to_string());
        if let Some(redis) = &redis {
            command.args(["--redis", &redis.url()]);
            command.env("METRUST__STORE__REDIS__DURABILITY", mode.word());
        }
        for (setting, value) in settings {
            command.env(format!("METRUST__{setting}"), value);
        }
        let mut program = Program::start(&mut command, &name, &data)?;
        let address = program.wait_until(|said| {
            let place = said
                .lines()
                .find_map(|line| line.strip_prefix("metrust is listening on http://"));
            place.and_then(|place| place.trim_end_matches('/').parse().ok())
        })?;
        let mut metrust = Self {
            program,
            redis,
            dialler: String::new(),
            address,
            binary,
            data,
        };
        metrust.cli(&["seller", "add", SELLER, "--name", "Sunny Telecom"])?;
        metrust.cli(&[
            "agency",
            "add",
            AGENCY,
            "--name",
            "Ring Ring",
            "--for",
            SELLER,
        ])?;
        let key = metrust.cli(&["key", "create", "--role", "dialler", "--agency", AGENCY])?;
        metrust.dialler = key.trim().to_owned();
        Ok(metrust)
    }

    /// A command of the binary against this service, on core 0.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(Core::Load, &self.binary);
        command.args(arguments);
        command.env("METRUST_URL", format!("http://{}", self.address));
        command.env("METRUST_DATA", &self.data);
        command
    }

    /// Runs such a command.
    pub fn cli(&self, arguments: &[&str]) -> Result<String> {
        run(&mut self.command(arguments))
    }

    /// Processor time of it and of its Redis since they started, in microseconds.
    pub fn processor_time(&self) -> Result<u64> {
        let redis = self.redis.as_ref().map(Redis::processor_time);
        Ok(self.program.processor_time()? + redis.transpose()?.unwrap_or(0))
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Checks answered as text, or as JSON.
    pub fn check(&self, format: &str) -> Route {
        Route {
            address: self.address,
            before: format!("/v1/check?seller={SELLER}&format={format}&phone="),
            after: String::new(),
            key: self.dialler.clone(),
        }
    }

    /// A request with a body of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.url());
        let mut response = agent()
            .post(&url)
            .header("Authorization", format!("Bearer {}", self.dialler))
            .send_json(body)?;
        Ok(serde_json::from_str(&read(&mut response)?)?)
    }

    /// Registers the numbers that checks find listed, and sees that they are.
    pub fn fill(&self) -> Result<()> {
        for begin in (0..numbers::LISTED).step_by(TOGETHER as usize) {
            let end = (begin + TOGETHER).min(numbers::LISTED);
            let numbers: Vec<String> = (begin..end).map(numbers::number).collect();
            // With a name of its own it is the same registration however often it is sent, so a
            // machine that is slow for a moment ends nothing.
            let body = json!({
                "numbers": numbers,
                "sellers": "all",
                "ref": format!("bench {begin}"),
            });
            let mut left = ATTEMPTS;
            while let Err(problem) = self.post("/v1/registrations", &body) {
                left -= 1;
                if left == 0 {
                    return Err(problem);
                }
            }
        }
        self.check("text").prove("metrust", "1", "0")?;
        self.check("json")
            .prove("metrust", "\"suppress\":true", "\"suppress\":false")
    }

    /// Waits until all that was recorded up to now is sealed, so that no measure pays for another's
    /// entries.
    pub fn settle(&self) -> Result<()> {
        let begun = Instant::now();
        wait_for("the log to be sealed", || {
            let mut response = agent().get(format!("{}/readyz", self.url())).call()?;
            let state: Value = response.body_mut().read_json()?;
            let lag = state.pointer("/log/lag_ms").and_then(Value::as_u64);
            // Only what is younger than this may still wait.
            let younger = lag.map(Duration::from_millis) < Some(begun.elapsed());
            Ok((lag.is_some() && younger).then_some(()))
        })
    }
}
