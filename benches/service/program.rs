//! Programs that the bench starts: each on its core, with its output in a file, ended with us.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How long a program may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// Core 0: the load, and the Redis behind a server.
    Load,
    /// Core 1: the server that is measured.
    Server,
    /// Wherever it likes.
    Any,
}

impl Core {
    fn list(self) -> String {
        let last = cores() - 1;
        match self {
            Self::Load => "0".to_owned(),
            Self::Server => last.min(1).to_string(),
            Self::Any => format!("0-{last}"),
        }
    }
}

/// How many cores the machine has for us.
pub fn cores() -> usize {
    // Asked of the kernel and not of this process, which has taken one core for itself.
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let last = online.trim().rsplit(['-', ',']).next();
    last.and_then(|last| last.parse::<usize>().ok())
        .map_or(1, |last| last + 1)
}

/// Where a program lies: in the path, or where servers are put that are not in everybody's path.
pub fn find(name: &str) -> Option<PathBuf> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut places = std::env::split_paths(&search)
        .chain(more)
        .map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}

/// Moves this process to core 0, so that what it sends costs the server under test nothing.
pub fn take_core_0() -> Result<()> {
    let pid = std::process::id().to_string();
    run(Command::new("taskset").args(["-a", "-c", "-p", "0", &pid])).map(drop)
}

/// A command that runs there, and is told to end when the bench is gone, however that happens.
/// Nothing that the one who runs the bench has set for metrust leaks in.
pub fn command(core: Core, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "-c", &core.list()]);
    command.arg(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("METRUST") || text == "RUST_LOG" || text.ends_with("_PROXY") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command to its end and gives what it printed.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}: {said}", output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Asks again and again until `probe` gives something.
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("waited {PATIENCE:?} in vain for {what}").into());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A running server. Ended when dropped, also by a panic.
pub struct Program {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Program {
    /// Starts `command`, with its output in a file of `folder`.
    pub fn start(command: &mut Command, name: &str, folder: &Path) -> Result<Self> {
        let output = folder.join("output.txt");
        let file = File::create(&output)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        let name = name.to_owned();
        Ok(Self {
            child,
            name,
            output,
        })
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Waits until it is `ready`; an error if it ends before.
    pub fn wait_until<T>(&mut self, mut ready: impl FnMut(&str) -> Option<T>) -> Result<T> {
        let what = format!("{} to start", self.name);
        wait_for(&what, || {
            if let Some(status) = self.child.try_wait()? {
                let said = self.output();
                return Err(format!("{} ended with {status}:\n{said}", self.name).into());
            }
            Ok(ready(&self.output()))
        })
    }

    /// What its memory takes, in bytes.
    pub fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let read = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
            let kilobytes: u64 = kilobytes.ok_or_else(|| format!("no {name} of {}", self.name))?;
            Ok(kilobytes * 1024)
        };
        Ok(Memory {
            now: read("VmRSS:")?,
            peak: read("VmHWM:")?,
        })
    }

    /// Processor time since it started, user and system, of all its threads, also of those that have
    /// ended; in microseconds, to the nearest hundredth of a second (`proc_pid_stat(5)`).
    pub fn processor_time(&self) -> Result<u64> {
        let said = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may hold blanks; the third field is the first behind it.
        let behind = said.rsplit_once(") ").map_or("", |(_, behind)| behind);
        let ticks = |field: usize| behind.split(' ').nth(field - 3)?.parse::<u64>().ok();
        let both = ticks(14).zip(ticks(15)).map(|(user, system)| user + system);
        both.map(|ticks| ticks * 10_000)
            .ok_or_else(|| format!("no processor time of {}", self.name).into())
    }

    /// Lets the peak begin at what is resident now.
    pub fn forget_peak(&self) -> Result<()> {
        let place = format!("/proc/{}/clear_refs", self.child.id());
        fs::write(&place, "5").map_err(|problem| format!("{place}: {problem}").into())
    }
}

/// Resident memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// What is resident.
    pub now: u64,
    /// The most that was.
    pub peak: u64,
}

impl Drop for Program {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
