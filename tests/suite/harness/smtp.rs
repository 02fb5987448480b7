//! A mail server of one's own: `aiosmtpd`, which `tests/run` installs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::process::Process;
use super::redis::free_port;
use super::service::Launch;
use super::wait::{PATIENCE, eventually, until};

/// A letter as the mail server got it.
#[derive(Debug, Clone, Deserialize)]
pub struct Mail {
    pub to: Vec<String>,
    /// Whether it came through TLS.
    pub tls: bool,
    /// Whether its sender had logged in.
    pub login: bool,
    /// Every byte of it.
    pub raw: String,
    /// By name, in small letters; decoded.
    pub headers: BTreeMap<String, String>,
    /// Decoded.
    pub text: String,
}

impl Mail {
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.get(name);
        found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }
}

/// A running mail server on a port that stays its own. Killed when dropped.
pub struct Smtp {
    process: Option<Process>,
    port: u16,
    options: Vec<String>,
    earlier: Vec<Mail>,
}

impl Smtp {
    /// It takes every letter.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With options of `smtp.py`.
    pub fn with(options: &[&str]) -> Self {
        let mut smtp = Self {
            process: None,
            port: 0,
            options: options.iter().map(ToString::to_string).collect(),
            earlier: Vec::new(),
        };
        for _ in 0..50 {
            smtp.port = free_port();
            if smtp.try_start() {
                return smtp;
            }
        }
        panic!("the mail server did not start on any of 50 ports");
    }

    fn try_start(&mut self) -> bool {
        let home = concat!(env!("CARGO_MANIFEST_DIR"), "/target/smtp/bin/python");
        let python = std::env::var_os("METRUST_SMTP").map_or_else(|| home.into(), PathBuf::from);
        assert!(
            python.exists(),
            "{python:?} is missing: tests/run installs it"
        );
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/harness/smtp.py");
        let mut command = Command::new(python);
        command.arg(script).arg(self.port.to_string());
        let mut process = Process::start(command.args(&self.options));
        let listens = until("the mail server listens", PATIENCE, || {
            let ended = process.ended().is_some();
            let listens = process.stdout().starts_with("listening\n");
            (ended || listens).then_some(listens)
        });
        let problem = process.stderr();
        assert!(
            listens || problem.contains("address already in use"),
            "{problem}"
        );
        self.process = listens.then_some(process);
        listens
    }

    /// Ends it. What it was given is remembered.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
            self.earlier.extend(letters(&process));
        }
    }

    /// Starts it again, on the same port.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, with other options.
    pub fn restart_with(&mut self, options: &[&str]) {
        self.kill();
        self.options = options.iter().map(ToString::to_string).collect();
        eventually("the mail server is back on its port", || self.try_start());
    }

    /// All letters that it was given, oldest first.
    pub fn letters(&self) -> Vec<Mail> {
        let now = self.process.as_ref().map(letters).unwrap_or_default();
        self.earlier.iter().cloned().chain(now).collect()
    }

    /// Waits until it has so many.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Mail> {
        until("the letters arrive", PATIENCE, || {
            let letters = self.letters();
            (letters.len() >= count).then_some(letters)
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A service that sends its letters here, and tries again soon.
    pub fn serves(&self, launch: Launch) -> Launch {
        launch
            .set("MAIL__URL", format!("smtp://127.0.0.1:{}", self.port))
            .set("MAIL__FROM", "Laat me met rust <hello@dnc.example>")
            .set("MAIL__RETRY_S", "1")
            .set("MAIL__TIMEOUT_S", "5")
            .set("HTTP__PUBLIC_URL", "http://dnc.example")
            .set("LIMITS__LETTERS_PER_MINUTE", "1000000")
    }
}

fn letters(process: &Process) -> Vec<Mail> {
    let told = process.stdout();
    let whole = told.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
