//! `metrust seller`: the companies for whose benefit calls are made.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::Outcome;
use super::client::{Patience, Target};
use super::output::{note, plain, say, table};

const PATH: &str = "/v1/admin/sellers";

/// Add and list sellers: the companies for whose benefit calls are made
#[derive(Debug, Args)]
pub(super) struct Seller {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Add),
    List(List),
}

/// Add a seller
///
/// From then on people see it on the page when they choose whom to opt out of, and agencies can be
/// given a mandate for it. Opt-outs for all sellers cover it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  metrust seller add sunny-telecom --name 'Sunny Telecom NV'")]
struct Add {
    /// What programs call it: a-z, 0-9 and '-', at most 63; it cannot be changed later
    id: String,

    /// What people call it
    #[arg(long)]
    name: String,

    #[command(flatten)]
    target: Target,
}

/// List the sellers
#[derive(Debug, Args)]
struct List {
    /// Print the service's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Sellers {
    sellers: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    created_at: String,
}

impl Seller {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        match &self.command {
            Command::Add(add) => add.run(data)?,
            Command::List(list) => list.run(data)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn run(&self, data: &Path) -> Result<(), super::Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let answer = client.send("POST", PATH, &json!({ "id": self.id, "name": self.name }))?;
        let made: Row = client.understand(&answer)?;
        say(&format!(
            "Seller {} is added: {}",
            plain(&made.id),
            plain(&made.name)
        ))
    }
}

impl List {
    fn run(&self, data: &Path) -> Result<(), super::Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let answer = client.get(PATH, &[])?;
        if self.json {
            return say(&answer);
        }
        let all: Sellers = client.understand(&answer)?;
        if all.sellers.is_empty() {
            note("There is no seller yet. Add one: metrust seller add ID --name NAME");
        }
        let rows: Vec<_> = all
            .sellers
            .into_iter()
            .map(|row| [row.id, row.name, row.created_at])
            .collect();
        say(&table(["ID", "NAME", "SINCE"], &rows))
    }
}
