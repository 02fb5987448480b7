//! `metrust audit`: reading the record, and verifying it.

mod export;
mod unpack;
mod verify;

use std::path::Path;

use clap::{Args, Subcommand};

use super::Outcome;

/// Read and verify the audit: who asked, who was told what, who opted out when
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(export::Export),
    Verify(verify::Verify),
}

impl Audit {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        match &self.command {
            Command::Export(export) => export.run(data),
            Command::Verify(verify) => verify.run(),
        }
    }
}
