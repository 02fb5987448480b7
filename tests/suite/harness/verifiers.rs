//! Three verifiers of a bundle that share no code: Python, Go and metrust itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::process::{Ended, run};
use super::service::metrust;

fn interop(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    folder.join(name)
}

/// The Python that can import what the verifier needs; the first one in the path may not.
pub fn python() -> &'static str {
    static PYTHON: OnceLock<&str> = OnceLock::new();
    PYTHON.get_or_init(|| {
        ["python3", "/usr/bin/python3"]
            .into_iter()
            .find(|python| {
                let mut command = Command::new(python);
                command.args(["-c", "import cryptography"]);
                command.output().is_ok_and(|ended| ended.status.success())
            })
            .expect("no Python has the package cryptography: run tests/run, which installs it")
    })
}

/// Go, with Debian's own package of golang.org/x/mod.
pub fn go() -> Command {
    let mut command = Command::new("go");
    command
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode");
    command
}

fn go_verifier() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify-go");
        let built = run(go()
            .args(["build", "-o"])
            .arg(&program)
            .arg(interop("verify.go")));
        assert!(
            built.status.success(),
            "run tests/run, which installs what this needs: {built:?}"
        );
        program
    })
}

/// Runs every verifier with these arguments; its name comes first.
pub fn every(arguments: &[&str]) -> [(&'static str, Ended); 3] {
    let mut in_python = Command::new(python());
    in_python.arg(interop("verify.py"));
    let mut itself = metrust();
    itself.args(["audit", "verify"]);
    [
        ("Python", run(in_python.args(arguments))),
        ("Go", run(Command::new(go_verifier()).args(arguments))),
        ("metrust", run(itself.args(arguments))),
    ]
}
