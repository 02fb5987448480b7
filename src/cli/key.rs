//! `metrust key`: API keys.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::client::{Patience, Target};
use super::output::{cannot_print, note, plain, print, say, table};
use super::{Failure, Outcome};
use crate::domain::KeyId;

const PATH: &str = "/v1/admin/keys";

/// Create, list and revoke API keys
#[derive(Debug, Args)]
pub(super) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Create a key, and print it: the key alone, this one time
///
/// The service keeps only a hash of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust key create --role dialler --agency ring-ring
  metrust key create --role seller --seller sunny-telecom
  (umask 077; metrust key create --role regulator > regulator.key)")]
struct Create {
    /// What its holder may do
    #[arg(long)]
    role: Role,

    /// The agency that dials with it, for a dialler's key
    #[arg(long, value_name = "ID", required_if_eq("role", "dialler"))]
    agency: Option<String>,

    /// The seller that objections are made to, for a seller's key
    #[arg(long, value_name = "ID", required_if_eq("role", "seller"))]
    seller: Option<String>,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Checks numbers and registers objections, for the sellers of its agency's mandate
    Dialler,
    /// Registers objections made to one seller
    Seller,
    /// Reads the audit
    Regulator,
    /// Runs the service: sellers, agencies, keys, and the audit
    Operator,
}

/// List the keys, oldest first; never the keys themselves
#[derive(Debug, Args)]
struct List {
    /// Print the service's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

/// Revoke a key: within five seconds nobody can use it anywhere
///
/// What was done with it stays on record. Revoking twice is revoking once.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  metrust key list
  metrust key revoke k3mq7xw2ab")]
struct Revoke {
    /// The key's id, not the key: ten letters and digits, as `metrust key list` shows it
    id: String,

    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    role: String,
    agency: Option<String>,
    seller: Option<String>,
    created_at: String,
    revoked_at: Option<String>,
}

#[derive(Deserialize)]
struct Revoked {
    revoked_at: String,
}

impl Key {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        match &self.command {
            Command::Create(create) => create.run(data)?,
            Command::List(list) => list.run(data)?,
            Command::Revoke(revoke) => revoke.run(data)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn run(&self, data: &Path) -> Result<(), Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let role = self.role.to_possible_value();
        let role = role.as_ref().map_or("", |value| value.get_name());
        let mut body = Map::from_iter([("role".to_owned(), Value::from(role))]);
        for (name, id) in [("agency", &self.agency), ("seller", &self.seller)] {
            if let Some(id) = id {
                body.insert(name.to_owned(), id.as_str().into());
            }
        }
        let answer = Zeroizing::new(client.send("POST", PATH, &Value::Object(body))?);
        let made: Made = client.understand(&answer)?;
        let key = Zeroizing::new(made.key);
        let id = plain(&made.id);
        // A key that nobody has seen must not stay behind unnoticed.
        print(&key).map_err(|error| {
            Failure::new(format!(
                "key {id} was made, but could not be shown: {}\n  remedy:     metrust key revoke \
                 {id}, then create another",
                cannot_print(&error)
            ))
        })?;
        note(&format!(
            "This is the {role} key with the id {id}. It is not shown again: put it where only \
             its user can read it."
        ));
        Ok(())
    }
}

impl List {
    fn run(&self, data: &Path) -> Result<(), Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let answer = client.get(PATH, &[])?;
        if self.json {
            return say(&answer);
        }
        let all: Keys = client.understand(&answer)?;
        let rows: Vec<_> = all
            .keys
            .into_iter()
            .map(|row| {
                let whose = row.agency.or(row.seller).unwrap_or_else(|| "-".to_owned());
                let revoked = row.revoked_at.unwrap_or_else(|| "-".to_owned());
                [row.id, row.role, whose, row.created_at, revoked]
            })
            .collect();
        say(&table(["ID", "ROLE", "OF", "SINCE", "REVOKED"], &rows))
    }
}

impl Revoke {
    fn run(&self, data: &Path) -> Result<(), Failure> {
        // What was given is not repeated: it may be the key itself.
        let id = KeyId::parse(&self.id).map_err(|_| {
            Failure::usage(
                "this is not a key's id: that is ten letters and digits, as `metrust key list` \
                 shows it, and in the key itself stands between the second and the third underscore",
            )
        })?;
        let client = self.target.client(data, Patience::Usual)?;
        let answer = client.delete(&format!("{PATH}/{id}"))?;
        let revoked: Revoked = client.understand(&answer)?;
        say(&format!(
            "Key {id} is revoked since {}",
            plain(&revoked.revoked_at)
        ))
    }
}
