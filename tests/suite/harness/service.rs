//! The real binary, started as an operator starts it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::api::Api;
use super::browser::Browser;
use super::process::{Ended, Process, run};
use super::wait::{PATIENCE, until};

const LISTENING: &str = "metrust is listening on http://";

/// The binary under test: the one that Cargo built for this suite, or the one that `METRUST_BIN`
/// names.
pub fn binary() -> PathBuf {
    option_env!("CARGO_BIN_EXE_metrust")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            std::env::var_os("METRUST_BIN")
                .map(PathBuf::from)
                .expect("METRUST_BIN names the binary to test")
        })
}

/// A command line of the binary, in a clean environment: no setting of whoever runs the tests leaks
/// in.
pub fn metrust() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        let ours = text.starts_with("METRUST") || text == "RUST_LOG";
        if ours || text.starts_with("AWS_") || text.ends_with("_PROXY") {
            command.env_remove(&name);
        }
    }
    command
}

/// How to start a service.
#[derive(Clone)]
pub struct Launch {
    data: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    demo: bool,
}

/// A start that was refused, and what it said.
pub type Refusal = Ended;

impl Launch {
    /// On `data`, port 0, without the demo, patient with a store on a slow machine, and with limits
    /// for one address so wide that only a test of the limits meets them (see
    /// [`Launch::with_real_limits`]).
    pub fn on(data: &Path) -> Self {
        let launch = Self {
            data: data.into(),
            arguments: Vec::new(),
            // Sealed sooner than is usual: tests wait for it.
            environment: vec![("METRUST__AUDIT__PERIOD_MS".to_owned(), "1000".into())],
            demo: false,
        };
        launch
            .set("STORE__TIMEOUT_MS", "20000")
            .set("LIMITS__REGISTRATIONS_PER_MINUTE", "1000000")
            .set("LIMITS__CODES_PER_MINUTE", "1000000")
            .set("LIMITS__REGISTRATIONS_PER_MINUTE_NETWORK", "1000000")
            .set("LIMITS__CODES_PER_MINUTE_NETWORK", "1000000")
            .set("LIMITS__FORM_SECONDS", "0")
            .set("LIMITS__ADJACENT_PER_HOUR", "0")
    }

    /// The limits for one address as they come.
    pub fn with_real_limits(mut self) -> Self {
        self.environment
            .retain(|(name, _)| !name.contains("PER_MINUTE"));
        self
    }

    /// The time that the store is given as it comes.
    pub fn with_real_timeout(mut self) -> Self {
        self.environment
            .retain(|(name, _)| !name.contains("STORE__TIMEOUT_MS"));
        self
    }

    pub fn with_demo(mut self) -> Self {
        self.demo = true;
        self
    }

    pub fn redis(self, url: &str) -> Self {
        self.argument("--redis").argument(url)
    }

    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A setting by its place: `STORE__TIMEOUT_MS` becomes `METRUST__STORE__TIMEOUT_MS`.
    pub fn set(mut self, place: &str, value: impl Into<OsString>) -> Self {
        self.environment
            .push((format!("METRUST__{place}"), value.into()));
        self
    }

    /// A variable of the environment as it is, for what is no setting.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Makes it believe that it starts at this moment (UTC), as in `2026-11-10 10:00:00`.
    pub fn beginning_at(mut self, moment: &str) -> Self {
        for (name, value) in [
            ("LD_PRELOAD", faketime()),
            ("FAKETIME", format!("@{moment}")),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("TZ", "UTC".into()),
        ] {
            self.environment.retain(|(known, _)| known != name);
            self.environment.push((name.into(), value.into()));
        }
        self
    }

    /// Makes it believe a clock that is set while it runs.
    pub fn on_clock(self, clock: &Clock) -> Self {
        self.variable("LD_PRELOAD", faketime())
            .variable("FAKETIME_TIMESTAMP_FILE", &clock.file)
            .variable("FAKETIME_NO_CACHE", "1")
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// Starts it, and waits until it listens.
    #[track_caller]
    pub fn start(&self) -> Service {
        self.try_start()
            .unwrap_or_else(|refusal| panic!("metrust did not start: {refusal:#?}"))
    }

    /// Starts it, expecting that it will not.
    #[track_caller]
    pub fn refused(&self) -> Refusal {
        match self.try_start() {
            Err(refusal) => {
                assert!(
                    !refusal.status.success(),
                    "a refusal must show in the exit status: {refusal:#?}"
                );
                refusal
            }
            Ok(_) => panic!("metrust started, though it must refuse"),
        }
    }

    /// Starts it, and waits until it listens or ends; or stands still, told to fall asleep at a
    /// place that it can come to before it listens (see [`Service::wake`]).
    pub fn try_start(&self) -> Result<Service, Refusal> {
        let mut command = metrust();
        command
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--bind", "127.0.0.1:0"])
            .args(&self.arguments);
        if !self.demo {
            command.arg("--no-demo");
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start(&mut command);
        let listening = until("metrust listens or gives up", PATIENCE, || {
            let ended = process.ended().is_some();
            let asleep = !ended && process.is_stopped();
            let address = address(&process).or(asleep.then(String::new));
            (ended || address.is_some()).then_some(address)
        });
        match listening {
            Some(address) => Ok(Service {
                launch: self.clone(),
                process: Some(process),
                address,
                earlier: String::new(),
            }),
            None => Err(process.finish()),
        }
    }
}

/// A wall clock that a test sets back and forth.
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// One that is so much before or after the right time, kept in `file`.
    pub fn new(file: PathBuf, offset: &str) -> Self {
        let clock = Self { file };
        clock.set(offset);
        clock
    }

    /// Sets it so much before or after the right time: `-1h`, `+2d`. The file is exchanged as a
    /// whole, so that nobody reads half of it.
    pub fn set(&self, offset: &str) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, offset).unwrap();
        std::fs::rename(&new, &self.file).unwrap();
    }
}

/// The library that tells a process another time.
fn faketime() -> String {
    let machine = std::env::consts::ARCH;
    let places = [
        format!("/usr/lib/{machine}-linux-gnu/faketime"),
        "/usr/lib64/faketime".to_owned(),
        "/usr/lib/faketime".to_owned(),
        "/opt/homebrew/lib/faketime".to_owned(),
    ];
    places
        .iter()
        .map(|folder| format!("{folder}/libfaketimeMT.so.1"))
        .find(|library| Path::new(library).exists())
        .expect("this suite needs libfaketime: install it (Debian and Ubuntu: `apt-get install faketime`)")
}

/// Where a process says that it listens.
fn address(process: &Process) -> Option<String> {
    process.stdout().lines().find_map(|line| {
        let address = line.strip_prefix(LISTENING)?;
        Some(address.trim_end_matches('/').to_owned())
    })
}

/// A running service. Killed when dropped; its log is shown if the test failed.
pub struct Service {
    launch: Launch,
    process: Option<Process>,
    address: String,
    earlier: String,
}

impl Service {
    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn data(&self) -> &Path {
        &self.launch.data
    }

    /// The key that the service made for its operator.
    pub fn operator_key(&self) -> String {
        let file = self.data().join("operator.key");
        std::fs::read_to_string(&file)
            .unwrap_or_else(|problem| panic!("{file:?}: {problem}"))
            .trim()
            .to_string()
    }

    pub fn operator(&self) -> Api {
        self.anonymous().with_key(&self.operator_key())
    }

    pub fn anonymous(&self) -> Api {
        Api::at(&self.url())
    }

    /// A person's browser, without JavaScript, with an empty cookie jar.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.url())
    }

    /// What it has printed since its last start.
    pub fn stdout(&self) -> String {
        self.process
            .as_ref()
            .map(Process::stdout)
            .unwrap_or_default()
    }

    /// What it has logged since the test began, over all starts.
    pub fn log(&self) -> String {
        self.earlier.clone()
            + &self
                .process
                .as_ref()
                .map(Process::stderr)
                .unwrap_or_default()
    }

    /// Ends it without warning (SIGKILL).
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
            self.earlier += &process.stderr();
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        self.process.as_ref().unwrap().signal(name);
    }

    /// Asks it to end (SIGTERM), without waiting.
    pub fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let ended = self.process.take().unwrap().finish();
        self.earlier += &ended.stderr;
        ended.status
    }

    /// Asks it to end and waits.
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.wait()
    }

    /// Starts it again on the same data (and a new port), ending it without warning if it still
    /// runs.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill9();
        let earlier = std::mem::take(&mut self.earlier);
        *self = self.launch.start();
        self.earlier = earlier;
    }

    /// How it was started last.
    pub fn launch(&self) -> Launch {
        self.launch.clone()
    }

    /// Starts it again in another way, which from then on is how it is started; false if it ended
    /// before it listened.
    pub fn try_restart_as(&mut self, launch: &Launch) -> bool {
        self.kill9();
        let earlier = std::mem::take(&mut self.earlier);
        match launch.try_start() {
            Ok(service) => *self = service,
            Err(refusal) => {
                self.launch = launch.clone();
                self.earlier = refusal.stderr;
            }
        }
        self.earlier.insert_str(0, &earlier);
        self.process.is_some()
    }

    /// Starts it again in another way, which from then on is how it is started.
    #[track_caller]
    pub fn restart_as(&mut self, launch: &Launch) {
        assert!(self.try_restart_as(launch), "it ended: {}", self.log());
    }

    /// Whether it has ended, by itself or by a signal.
    pub fn has_ended(&mut self) -> bool {
        self.process
            .as_mut()
            .is_none_or(|process| process.ended().is_some())
    }

    /// Freezes it (SIGSTOP), and returns once it stands still.
    pub fn stop(&self) {
        self.process.as_ref().unwrap().stop();
    }

    /// Whether it stands still, by whomever it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.process.as_ref().unwrap().is_stopped()
    }

    /// Lets it go on (SIGCONT), and waits until it listens.
    #[track_caller]
    pub fn wake(&mut self) {
        self.signal("CONT");
        let process = self.process.as_ref().unwrap();
        self.address = until("it listens", PATIENCE, || address(process));
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().pid()
    }

    /// Runs a command of the binary against this service.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Ended {
        run(metrust()
            .args(arguments)
            .env("METRUST_URL", self.url())
            .env("METRUST_DATA", self.data()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("--- the end of the log of metrust on {}:", self.address);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}
