//! A bucket of one's own, on a server that speaks S3: `moto_server`, which `tests/run` installs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use super::process::Process;
use super::service::Launch;
use super::wait::{PATIENCE, until};

/// What the tests use as credentials. No server checks them, but none of them may show anywhere.
pub const CREDENTIALS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
    ("AWS_SECRET_ACCESS_KEY", "not-for-any-eyes"),
];

/// A server with one bucket, `bucket`. Killed when dropped, and all that it holds with it.
pub struct Bucket {
    process: Process,
    endpoint: String,
}

impl Bucket {
    pub fn start() -> Self {
        let program = std::env::var_os("METRUST_MOTO").map_or_else(
            || {
                PathBuf::from(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/target/moto/bin/moto_server"
                ))
            },
            PathBuf::from,
        );
        assert!(
            program.exists(),
            "{program:?} is missing: tests/run installs it"
        );
        let mut process =
            Process::start(Command::new(program).args(["-H", "127.0.0.1", "-p", "0"]));
        let endpoint = until("moto_server listens", PATIENCE, || {
            let ended = process.ended();
            assert!(ended.is_none(), "moto_server: {}", process.stderr());
            let said = process.stderr();
            let (_, rest) = said.split_once("Running on http://")?;
            let (address, _) = rest.split_once('\n')?;
            Some(format!("http://{}", address.trim()))
        });
        let bucket = Self { process, endpoint };
        assert!(bucket.ask("PUT", "/bucket").starts_with("HTTP/1.1 200"));
        bucket
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The keys of all objects, as the server's list says.
    pub fn list(&self) -> String {
        self.ask("GET", "/bucket?list-type=2")
    }

    /// Freezes it (SIGSTOP): connections stay open, nothing answers.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Thaws it (SIGCONT).
    pub fn cont(&self) {
        self.process.signal("CONT");
    }

    /// A service whose log lies in it.
    pub fn keeps_log_of(&self, launch: Launch) -> Launch {
        log_at(launch, &self.endpoint)
    }

    fn ask(&self, method: &str, target: &str) -> String {
        let host = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// A service whose log lies in a bucket on `endpoint`.
pub fn log_at(launch: Launch, endpoint: &str) -> Launch {
    let launch = launch
        .set("AUDIT__FOLDER", "s3://bucket/log")
        .set("AUDIT__S3__ENDPOINT", endpoint);
    CREDENTIALS
        .into_iter()
        .fold(launch, |launch, (name, value)| launch.variable(name, value))
}

/// A server on which every request has the same answer; returns its endpoint. It stays until the
/// tests end.
pub fn always(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer_once(stream.unwrap(), answer));
        }
    });
    endpoint
}

/// Reads one request whole, and answers it.
fn answer_once(stream: TcpStream, answer: &str) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let _ = reader.read_exact(&mut vec![0; length]);
    let _ = reader.into_inner().write_all(answer.as_bytes());
}
