//! A `redis-server` of one's own: durable as metrust demands unless a test says otherwise.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::process::Process;
use super::wait::eventually;
use super::world::copy_tree;

const DURABLE: &[(&str, &str)] = &[
    ("appendonly", "yes"),
    ("appendfsync", "always"),
    ("maxmemory-policy", "noeviction"),
    ("set-max-intset-entries", "1024"),
    ("save", ""),
    // Compression would hide from a search what a dump holds.
    ("rdbcompression", "no"),
];

/// A running Redis, its folder and its port. Killed when dropped.
pub struct Redis {
    process: Option<Process>,
    options: Vec<(String, String)>,
    port: u16,
    folder: TempDir,
}

impl Redis {
    /// Durable: `appendonly yes`, `appendfsync always`, `noeviction`.
    pub fn durable() -> Self {
        Self::with(&[])
    }

    /// Durable but for `options`, which are Redis's own: `("appendonly", "no")`, `("requirepass",
    /// "…")`.
    pub fn with(options: &[(&str, &str)]) -> Self {
        let kept = DURABLE
            .iter()
            .filter(|(key, _)| options.iter().all(|(other, _)| other != key));
        let options = kept
            .chain(options)
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        let mut redis = Self {
            process: None,
            options,
            port: 0,
            folder: tempfile::tempdir().unwrap(),
        };
        for _ in 0..50 {
            redis.port = free_port();
            if redis.try_start() {
                return redis;
            }
        }
        panic!(
            "redis-server did not start on any of 50 ports:\n{}",
            redis.log()
        );
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The Unix socket that it also listens on.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Freezes it (SIGSTOP): connections stay open, nothing answers.
    pub fn stop(&self) {
        self.process.as_ref().unwrap().stop();
    }

    /// Thaws it (SIGCONT).
    pub fn cont(&self) {
        self.process.as_ref().unwrap().signal("CONT");
    }

    /// Ends it without warning.
    pub fn kill9(&mut self) {
        self.process.as_mut().unwrap().kill9();
    }

    /// Starts it again: same port, same folder.
    pub fn restart(&mut self) {
        self.kill9();
        eventually("redis-server is back on its port", || self.try_start());
    }

    /// Copies what is on its disk; it does not run.
    pub fn copy_files(&self, copy: &Path) {
        copy_tree(&self.folder.path().join("appendonlydir"), copy);
    }

    /// Is stopped for a moment, and what is on its disk is kept.
    pub fn keep(&mut self, copy: &Path) {
        self.kill9();
        self.copy_files(copy);
        self.restart();
    }

    /// Comes back with what was kept instead of what it had.
    pub fn bring_back(&mut self, copy: &Path) {
        self.kill9();
        let files = self.folder.path().join("appendonlydir");
        std::fs::remove_dir_all(&files).unwrap();
        copy_tree(copy, &files);
        self.restart();
    }

    /// Loses all it had, as a broken disk would: killed, its folder emptied, started again.
    pub fn restart_empty(&mut self) {
        self.kill9();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
        }
        self.restart();
    }

    /// One command on a fresh connection; the reply as it stands on the wire, errors included.
    pub fn command(&self, words: &[&str]) -> String {
        self.try_command(words)
            .unwrap_or_else(|problem| panic!("redis {words:?}: {problem}"))
    }

    fn try_command(&self, words: &[&str]) -> std::io::Result<String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream);
        if let Some((_, password)) = self
            .options
            .iter()
            .rev()
            .find(|(key, _)| key == "requirepass")
        {
            ask(&mut reader, &["AUTH", password])?;
        }
        ask(&mut reader, words)
    }

    /// Starts `redis-server` and waits until it answers; false if the port was taken.
    fn try_start(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.current_dir(self.folder.path());
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &self.port.to_string(),
            "--daemonize",
            "no",
        ]);
        command
            .arg("--dir")
            .arg(self.folder.path())
            .arg("--unixsocket")
            .arg(self.socket());
        for (key, value) in &self.options {
            command.arg(format!("--{key}")).args(words(key, value));
        }
        if Command::new("redis-server")
            .arg("--version")
            .output()
            .is_err()
        {
            panic!(
                "this suite runs on a real redis-server and none was found: install it (Debian and Ubuntu: \
                 `apt-get install redis-server`, Fedora: `dnf install redis`, macOS: `brew install redis`)"
            );
        }
        let mut process = Process::start(&mut command);
        let pid = process.pid();
        let mut alive = true;
        eventually("redis-server answers", || {
            alive = process.ended().is_none();
            !alive || self.answers_as(pid)
        });
        self.process = Some(process);
        alive
    }

    /// Whether the server on our port is ours, and past its loading.
    fn answers_as(&self, pid: u32) -> bool {
        let ours = format!("process_id:{pid}\r\n");
        self.try_command(&["PING"])
            .is_ok_and(|reply| reply == "+PONG")
            && self
                .try_command(&["INFO", "server"])
                .is_ok_and(|reply| reply.contains(&ours))
    }

    fn log(&self) -> String {
        self.process
            .as_ref()
            .map(Process::stdout)
            .unwrap_or_default()
    }
}

/// A `user` line has several words; every other option's value is one, even when empty.
fn words<'v>(key: &str, value: &'v str) -> Vec<&'v str> {
    if key == "user" {
        value.split(' ').collect()
    } else {
        vec![value]
    }
}

fn ask(reader: &mut BufReader<TcpStream>, words: &[&str]) -> std::io::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    reader.get_mut().write_all(request.as_bytes())?;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end().to_string();
    if line.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    match line
        .strip_prefix('$')
        .and_then(|length| length.parse::<usize>().ok())
    {
        Some(length) => {
            let mut bulk = vec![0; length + 2];
            reader.read_exact(&mut bulk)?;
            bulk.truncate(length);
            Ok(String::from_utf8_lossy(&bulk).into_owned())
        }
        None => Ok(line),
    }
}

/// A port that is free now and lies below those that systems give to outgoing connections, so that
/// nobody slips in while a test has its Redis down.
pub(super) fn free_port() -> u16 {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 15_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id().wrapping_mul(97) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}
