//! The command line, one file per subcommand.
//!
//! `serve`, `init`, `completions`, `audit verify` and `audit find` stand alone; every other command
//! is a client of a running service and has no more rights than the key that it is given. Results
//! go to standard output, everything else to standard error.

mod address;
mod agency;
mod audit;
mod check;
mod client;
mod completions;
mod doctor;
mod failure;
mod healthcheck;
mod import;
mod init;
mod key;
mod number;
mod output;
mod register;
mod seller;
mod serve;
mod source;
mod survey;
mod wash;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

pub use failure::Failure;

use crate::settings::{Overrides, Settings};

/// How a command ended.
type Outcome = Result<ExitCode, Failure>;

/// A do-not-call registry: an opt-out is seen by the very next check, and every check is on record.
#[derive(Debug, Parser)]
#[command(
    name = "metrust",
    version,
    disable_help_subcommand = true,
    after_help = "\
A first look, in two terminals:
  metrust serve                                      starts the service and prints lines to try
  metrust doctor                                     tells whether all is well

Commands other than serve, init, completions, audit verify and audit find talk to a running service.
They find it by --url or METRUST_URL, else by the data folder (--data) that the service runs on, else
at http://127.0.0.1:8080. Their key is METRUST_KEY, else what --key-file holds, else operator.key of
the data folder. A key is never an argument: arguments can be seen by everybody on the machine. So
can phone numbers: where a command takes a number, - reads it from standard input.

Exit status: 0 done, 1 failed, 2 the command line or the settings cannot be used."
)]
pub struct Cli {
    /// The data folder: keys, the embedded store, the operator's key
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "METRUST_DATA",
        default_value = DATA,
        display_order = 100,
        value_parser = path_parser()
    )]
    data: PathBuf,

    #[command(subcommand)]
    command: Command,
}

const DATA: &str = "./data";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Init(init::Init),
    Doctor(doctor::Doctor),
    Healthcheck(healthcheck::Healthcheck),
    Seller(seller::Seller),
    Agency(agency::Agency),
    Key(key::Key),
    Check(check::Check),
    Register(register::Register),
    Import(import::Import),
    Wash(wash::Wash),
    Audit(audit::Audit),
    Completions(completions::Completions),
}

/// Does what the command line says.
///
/// # Errors
/// [`Failure`], which knows its text and its exit status.
pub fn run(line: Cli) -> Result<ExitCode, Failure> {
    // ureq and redis find it here; it is there already only if somebody embeds this library.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let data = match line.data {
        none if none.as_os_str().is_empty() => PathBuf::from(DATA),
        data => data,
    };
    match line.command {
        Command::Serve(command) => command.run(data),
        Command::Init(command) => command.run(&data),
        Command::Doctor(command) => command.run(&data),
        Command::Healthcheck(command) => command.run(&data),
        Command::Seller(command) => command.run(&data),
        Command::Agency(command) => command.run(&data),
        Command::Key(command) => command.run(&data),
        Command::Check(command) => command.run(&data),
        Command::Register(command) => command.run(&data),
        Command::Import(command) => command.run(&data),
        Command::Wash(command) => command.run(&data),
        Command::Audit(command) => command.run(&data),
        Command::Completions(command) => command.run(),
    }
}

/// Where the settings come from, for the commands that read them.
#[derive(Debug, Args)]
struct SettingsArgs {
    /// A file of settings; `metrust init --print-config` prints all of them with their meaning
    #[arg(long, value_name = "FILE", env = "METRUST_CONFIG", value_parser = path_parser())]
    config: Option<PathBuf>,

    /// Keep the list in this Redis: redis://, rediss:// (TLS) or redis+unix://
    ///
    /// An address with a password belongs in METRUST_REDIS or in a file named by
    /// METRUST__STORE__REDIS__URL_FILE: arguments can be seen by everybody on the machine.
    #[arg(
        long,
        value_name = "URL",
        env = "METRUST_REDIS",
        hide_env_values = true
    )]
    redis: Option<String>,
}

impl SettingsArgs {
    fn load(&self, others: Overrides) -> Result<Settings, Failure> {
        let overrides = Overrides {
            redis: self.redis.clone().filter(|url| !url.is_empty()),
            ..others
        };
        Settings::load(given(self.config.as_ref()), &overrides)
            .map_err(|error| Failure::usage(error.to_string()))
    }
}

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it must be yes or no"),
    }
}

/// Reads a path; an empty one, as a variable that is set to nothing gives it, counts as none.
fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

fn given(path: Option<&PathBuf>) -> Option<&std::path::Path> {
    path.map(PathBuf::as_path)
        .filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together_and_every_command_is_explained() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        fn explained(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {argument}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(explained);
        }
        explained(&command);
    }

    #[test]
    fn no_argument_takes_a_key() {
        for line in [
            ["metrust", "key", "list", "--key"].as_slice(),
            &["metrust", "check", "x", "--seller", "s", "--key", "k"],
        ] {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_password_in_the_environment_is_not_shown_by_the_help() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        let redis = serve
            .get_arguments()
            .find(|a| a.get_id() == "redis")
            .unwrap();
        assert!(redis.is_hide_env_values_set());
    }
}
