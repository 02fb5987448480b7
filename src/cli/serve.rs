//! `metrust serve`: the service itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Outcome, SettingsArgs};
use crate::server::{ServeError, serve};
use crate::settings::Overrides;

/// Run the service: the interface for diallers, the pages for people
///
/// Without any option it listens on 127.0.0.1:8080, makes the data folder and both keys where they
/// are missing, and keeps the list in one file there. On an empty store it prints lines to try,
/// with keys that work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust serve
  metrust serve --bind 127.0.0.1:0                   any free port; the real one is printed
  metrust serve --data /var/lib/metrust --no-demo
  METRUST_REDIS=redis://127.0.0.1:6379 metrust serve

SIGTERM and Ctrl-C end it: requests under way are answered, then the store is closed.
Exit status: 0 stopped as asked, 1 failed, 2 the settings cannot be used.")]
pub(super) struct Serve {
    /// Where to listen, as in 0.0.0.0:8080; port 0 takes a free one and prints it
    #[arg(long, value_name = "ADDR")]
    bind: Option<SocketAddr>,

    #[command(flatten)]
    settings: SettingsArgs,

    /// Make no demo seller, agency and keys on an empty store
    #[arg(long)]
    no_demo: bool,

    /// Make a new operator's key in the data folder, for when the old one is lost
    #[arg(long)]
    new_operator_key: bool,

    /// Begin another audit log, for when the one of this store is lost for good
    ///
    /// The loss and the new beginning are put on record. Receipts and checkpoints of the lost log
    /// keep their worth for whoever holds them.
    #[arg(long)]
    new_log: bool,

    /// Go on without what the store lost, for when its newest data is lost for good
    ///
    /// A store that came back without what it had acknowledged answers nothing: opt-outs may be
    /// missing. This accepts it, once, and puts on record that you did. Bring the newest data back
    /// instead wherever there is any.
    #[arg(long)]
    accept_loss: bool,
}

impl Serve {
    pub(super) fn run(&self, data: PathBuf) -> Outcome {
        let settings = self.settings.load(Overrides {
            bind: self.bind,
            no_demo: self.no_demo,
            new_operator_key: self.new_operator_key,
            new_log: self.new_log,
            accept_loss: self.accept_loss,
            redis: None,
        })?;
        serve(settings, data).map_err(|error| match error {
            // A filter that cannot be read.
            ServeError::Logging(text) => Failure::usage(text),
            error => Failure::new(error.to_string()),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
