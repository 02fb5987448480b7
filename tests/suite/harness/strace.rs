//! What a running process asks the system for: seen, or answered with an error.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Process;
use super::wait::eventually;

/// strace, attached to every thread of a process; it lets go when this is dropped.
struct Strace(Process);

impl Strace {
    #[track_caller]
    fn attach(pid: u32, arguments: &[&str], out: &Path) -> Self {
        let mut strace = Command::new("strace");
        strace.arg("-f").args(arguments).arg("-o").arg(out);
        let mut tracer = Process::start(strace.args(["-p", &pid.to_string()]));
        eventually("strace has attached itself", || {
            let ended = tracer.ended();
            assert!(ended.is_none(), "strace: {}", tracer.stderr());
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let tracer = format!("TracerPid:\t{}", tracer.pid());
            status.lines().any(|line| line == tracer)
        });
        Self(tracer)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // Asked to end, it lets go of the process first; killed, it might not.
        self.0.signal("INT");
        eventually("strace has let go", || self.0.ended().is_some());
    }
}

/// System calls of a running process that end in an error, for as long as this lives.
pub struct Injection {
    _strace: Strace,
}

impl Injection {
    /// `what` as strace spells it: `fsync,linkat:error=EIO:when=3+5`.
    #[track_caller]
    pub fn into(pid: u32, what: &str) -> Self {
        let calls = format!("trace={}", what.split(':').next().unwrap());
        let inject = format!("inject={what}");
        let arguments = ["-e", &calls, "-e", &inject];
        Self {
            _strace: Strace::attach(pid, &arguments, Path::new("/dev/null")),
        }
    }
}

/// System calls of a running process, written down for as long as this lives.
pub struct Trace {
    strace: Strace,
    out: PathBuf,
}

/// One system call that succeeded.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    /// The files that it names, or that its descriptors stand for.
    pub files: Vec<PathBuf>,
    /// When it began and when it was over: moments of the trace, in order.
    pub began: usize,
    pub over: usize,
}

impl Trace {
    /// Of these calls, `write,fsync`; `out` is a file to be made.
    #[track_caller]
    pub fn of(pid: u32, calls: &str, out: PathBuf) -> Self {
        let arguments = ["-y", "-s", "0", "-e", &format!("trace={calls}")];
        Self {
            strace: Strace::attach(pid, &arguments, &out),
            out,
        }
    }

    /// What was written down, each call where it began.
    pub fn finish(self) -> Vec<Call> {
        drop(self.strace);
        let text = fs::read_to_string(&self.out).unwrap();
        let mut calls = Vec::new();
        // Of each thread: the call that another thread's came into the middle of.
        let mut half: HashMap<&str, (usize, &str)> = HashMap::new();
        for (moment, line) in text.lines().enumerate() {
            let (thread, call) = line.split_once(' ').unwrap();
            let call = call.trim_start();
            if let Some(begun) = call.strip_suffix("<unfinished ...>") {
                half.insert(thread, (moment, begun));
                continue;
            }
            let (began, begun) = match call.starts_with("<... ") {
                true => half.remove(thread).unwrap_or((moment, "")),
                false => (moment, call),
            };
            let result = call.rsplit_once(" = ").map_or("-1", |(_, result)| result);
            let Some((name, arguments)) = begun.split_once('(') else {
                continue;
            };
            if !result.starts_with('-') {
                calls.push(Call {
                    name: name.to_owned(),
                    files: files(arguments),
                    began,
                    over: moment,
                });
            }
        }
        calls.sort_by_key(|call| call.began);
        calls
    }
}

/// What stands between quotation marks or angle brackets and is a path.
fn files(arguments: &str) -> Vec<PathBuf> {
    let parts = arguments.split(['"', '<', '>']).skip(1).step_by(2);
    let paths = parts.filter(|part| part.starts_with('/'));
    paths.map(PathBuf::from).collect()
}
