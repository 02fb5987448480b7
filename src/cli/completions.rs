//! `metrust completions`: what a shell needs to complete the commands.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::output::say;
use super::{Cli, Outcome};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust completions bash > ~/.local/share/bash-completion/completions/metrust
  metrust completions zsh  > \"${fpath[1]}/_metrust\"
  metrust completions fish > ~/.config/fish/completions/metrust.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "metrust", &mut script);
        say(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
