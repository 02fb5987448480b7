//! Child processes: what they print is kept, and signals reach them.

use std::io::{Read, Seek, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::wait::{PATIENCE, until};

/// A running program whose output is collected; killed when dropped.
pub struct Process {
    child: Child,
    out: Collected,
    err: Collected,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts `command` with empty input.
    pub fn start(command: &mut Command) -> Self {
        Self::reading(command, Stdio::null())
    }

    /// Starts `command` with this input.
    pub fn reading(command: &mut Command, input: impl Into<Stdio>) -> Self {
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|problem| {
                panic!("cannot start {:?}: {problem}", command.get_program())
            });
        let out = Collected::from(child.stdout.take().unwrap());
        let err = Collected::from(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed so far.
    pub fn stdout(&self) -> String {
        self.out.text()
    }

    /// All that it has logged so far.
    pub fn stderr(&self) -> String {
        self.err.text()
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn finish(mut self) -> Ended {
        let status = until("the program ends", PATIENCE, || self.ended());
        self.out.complete();
        self.err.complete();
        Ended {
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    /// Sends a signal by name: `STOP`, `CONT`, `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", self.pid()))
            .status()
            .unwrap();
        assert!(sent.success(), "cannot send SIG{name}");
    }

    /// Stops it in its tracks, and returns once it stands still.
    pub fn stop(&self) {
        self.signal("STOP");
        until("the process stands still", PATIENCE, || {
            self.is_stopped().then_some(())
        });
    }

    /// Whether it stands still, or is gone.
    pub fn is_stopped(&self) -> bool {
        let stat = format!("/proc/{}/stat", self.pid());
        std::fs::read_to_string(stat).map_or(true, |line| {
            let state = line.rsplit(')').next().unwrap().trim_start();
            state.starts_with('T')
        })
    }

    /// Ends it without warning (SIGKILL) and waits until it is gone.
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.out.complete();
        self.err.complete();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Ended {
    Process::start(command).finish()
}

/// Runs a program to its end on this input.
#[track_caller]
pub fn run_on(command: &mut Command, input: &str) -> Ended {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    Process::reading(command, file).finish()
}

/// One output stream, read by a thread of its own.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                sink.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self {
            bytes,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn complete(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
