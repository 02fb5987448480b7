//! A bundle in a folder, what a reader has kept beside it, and what every verifier says of both.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use metrust::log::Verifier;
use metrust::log::verify::{self, Options, Receipt, Report};
use tempfile::{TempDir, tempdir};

use super::logs::{Log, put};
use super::verifiers;

/// A bundle in a folder, and beside it what a reader has kept.
pub struct Bundle {
    folder: TempDir,
    log: Log,
    /// What the verifiers are told beside the folder.
    pub arguments: Vec<String>,
    /// The same for the library.
    pub options: Options,
}

/// The honest log of most tests: three full tiles, a partial one, and two older checkpoints.
pub const ENTRIES: u64 = 1000;
pub const KEPT: [u64; 3] = [100, 500, 512];

impl Bundle {
    pub fn of(log: Log, kept: &[u64]) -> Self {
        let folder = tempdir().unwrap();
        log.write(&folder.path().join("bundle"), kept);
        let bundle = Self {
            folder,
            arguments: Vec::new(),
            options: Options::default(),
            log,
        };
        bundle.trusting(&Log::honest(0).vkey())
    }

    pub fn honest() -> Self {
        Self::of(Log::honest(ENTRIES), &KEPT)
    }

    /// Written whole, with tiles, checkpoints and signatures, from other entries than the honest
    /// ones.
    pub fn rewritten(rewrite: impl FnOnce(&mut Vec<Vec<u8>>)) -> Self {
        let mut log = Log::honest(ENTRIES);
        rewrite(&mut log.entries);
        Self::of(log, &KEPT)
    }

    /// The folder that the bundle's own folder is in: room for what lies beside it.
    pub fn beside(&self) -> &Path {
        self.folder.path()
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    pub fn log(&self) -> PathBuf {
        self.root().join(self.log.name)
    }

    pub fn trusting(mut self, vkey: &str) -> Self {
        self.arguments.extend(["--key".to_owned(), vkey.to_owned()]);
        self.options.keys.push(Verifier::parse(vkey).unwrap());
        self
    }

    pub fn keep(&self, name: &str, text: &[u8]) -> String {
        put(self.folder.path(), name, text);
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The reader has kept this checkpoint.
    pub fn holding(mut self, checkpoint: &str) -> Self {
        let file = self.keep(
            &format!("held-{}", self.arguments.len()),
            checkpoint.as_bytes(),
        );
        self.arguments
            .extend(["--checkpoint".to_owned(), file.clone()]);
        self.options.checkpoints.push((file, checkpoint.into()));
        self
    }

    /// The reader has kept this receipt, and the entry that it proves.
    pub fn with_receipt(mut self, receipt: &str, entry: &[u8]) -> Self {
        let file = self.keep("receipt.tlog-proof", receipt.as_bytes());
        let with_newline = [entry, b"\n"].concat();
        let json = self.keep("receipt.json", &with_newline);
        self.arguments.extend([
            "--receipt".to_owned(),
            file.clone(),
            "--entry".to_owned(),
            json,
        ]);
        self.options.receipts.push(Receipt {
            name: file,
            proof: receipt.into(),
            entry: Some(with_newline),
        });
        self
    }

    /// Does this to the bytes of one file of the log.
    pub fn tampered(self, file: &str, tamper: impl FnOnce(&mut Vec<u8>)) -> Self {
        let path = self.log().join(file);
        let mut bytes = fs::read(&path).unwrap();
        tamper(&mut bytes);
        fs::write(path, bytes).unwrap();
        self
    }

    pub fn without(self, path: &str) -> Self {
        let path = self.log().join(path);
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
        self
    }

    pub fn report(&self) -> Report {
        verify::verify(&self.root(), &self.options, &|_| ()).unwrap()
    }

    /// Every verifier's output, once all of them have ended like this.
    #[track_caller]
    pub fn outputs(&self, status: i32) -> Vec<(&'static str, String)> {
        let root = self.root();
        let mut arguments = vec![root.to_str().unwrap()];
        arguments.extend(self.arguments.iter().map(String::as_str));
        let ended = verifiers::every(&arguments).into_iter();
        ended
            .map(|(who, ended)| {
                assert_eq!(ended.status.code(), Some(status), "{who}: {ended:?}");
                assert_eq!(ended.stderr, "", "{who}: {ended:?}");
                (who, ended.stdout)
            })
            .collect()
    }

    #[track_caller]
    pub fn holds(&self) -> Report {
        let report = self.report();
        assert_eq!(report.findings, []);
        for (who, output) in self.outputs(0) {
            assert!(
                output.ends_with("All of it holds.\n") && !output.contains("WRONG"),
                "{who}: {output}"
            );
            for log in &report.logs {
                let summary = format!("{}: {} entries, root {}", log.name, log.size, log.root);
                assert!(output.contains(&summary), "{who}: {output}");
            }
        }
        report
    }

    /// Every verifier finds it wrong, says so in a line with these words, and metrust finds that
    /// the first wrong entry is this one, or one of these.
    #[track_caller]
    pub fn is_wrong(&self, said: &str, first: impl Into<Option<Range<u64>>>) -> Report {
        let report = self.report();
        assert_eq!(
            report.first_wrong(self.log.name),
            first.into(),
            "{report:?}"
        );
        for (who, output) in self.outputs(1) {
            let mut lines = output.lines();
            assert!(
                lines.any(|line| line.starts_with("WRONG: ") && line.contains(said)),
                "{who} does not say {said:?}: {output}"
            );
            assert!(!output.contains("All of it holds"), "{who}: {output}");
        }
        report
    }
}
