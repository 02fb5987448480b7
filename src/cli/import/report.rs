//! The rows that were rejected: line and reason, and nothing of what stands there.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// The file of rejected rows.
pub(super) struct Report {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Report {
    /// Begins the file anew.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(path).map_err(|error| cannot(path, &error))?;
        let mut report = Self {
            path: path.to_owned(),
            out: BufWriter::new(file),
        };
        report.write("line,reason,explanation\n")?;
        Ok(report)
    }

    /// Adds a part's rows, of which the first line is this one of the file.
    pub fn add(&mut self, table: &str, first_line: u64) -> Result<(), Failure> {
        for row in table.lines().skip(1) {
            let read = row.split_once(',');
            let read = read.and_then(|(line, reason)| Some((line.parse::<u64>().ok()?, reason)));
            let (line, reason) = read.ok_or_else(|| {
                Failure::new(
                    "the service tells of rejected rows in a form that this metrust does not \
                     understand\n  remedy:     compare `metrust --version` on both sides",
                )
            })?;
            self.write(&format!("{},{reason}\n", first_line + line - 1))?;
        }
        Ok(())
    }

    /// Makes sure that all of it is there.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| cannot(&self.path, &error))
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.out.write_all(text.as_bytes());
        written.map_err(|error| cannot(&self.path, &error))
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unfinished(format!(
        "all rows but the rejected ones are in, but these cannot be written to {}: {error}\n  \
         remedy:     run the same command again, with --rejected and another file",
        path.display()
    ))
}
