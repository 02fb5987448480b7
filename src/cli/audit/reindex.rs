//! `metrust audit reindex`: making the index of the log again.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::client::{Patience, Target};
use crate::cli::output::say;

/// Make the index of the log again from its entries
///
/// The index only makes looking up one number or one entry quick; it is proof of nothing, and can
/// be deleted and made again at any time. The service goes on working meanwhile.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  metrust audit reindex          after index files were lost or the doctor calls them damaged")]
pub(super) struct Reindex {
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Done {
    segments: u64,
}

impl Reindex {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let client = self.target.client(data, Patience::Work)?;
        let answer = client.send("POST", "/v1/admin/log/index", &json!({}))?;
        let Done { segments } = client.understand(&answer)?;
        say(&format!(
            "The index is made again: {segments} segments of 65,536 entries. What is newer than \
             these is indexed when it is asked for."
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
