//! `metrust agency`: the call centres, and the sellers that each may dial for.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{Client, Patience, Target};
use super::output::{note, plain, say, table};
use super::{Failure, Outcome};
use crate::domain::AgencyId;

const PATH: &str = "/v1/admin/agencies";

/// Add, list and change agencies: the call centres that dial for sellers
#[derive(Debug, Args)]
pub(super) struct Agency {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Add),
    List(List),
    Change(Change),
}

/// Add an agency, with the sellers it dials for
///
/// Its keys are answered for these sellers alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  metrust agency add ring-ring --name 'Ring Ring BV' --for sunny-telecom windy-energy
  metrust key create --role dialler --agency ring-ring")]
struct Add {
    /// What programs call it: a-z, 0-9 and '-', at most 63; it cannot be changed later
    id: String,

    /// What people call it
    #[arg(long)]
    name: String,

    /// The ids of the sellers that it has a mandate from
    #[arg(long = "for", value_name = "SELLER", num_args = 1.., required = true, value_delimiter = ',')]
    sellers: Vec<String>,

    #[command(flatten)]
    target: Target,
}

/// List the agencies and the sellers they dial for
#[derive(Debug, Args)]
struct List {
    /// Print the service's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

/// Change an agency's name, or the sellers it dials for
///
/// A mandate that is taken away ends within seconds, on every replica.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("change").required(true).multiple(true)),
    after_help = "\
Examples:
  metrust agency change ring-ring --add quiet-insurance
  metrust agency change ring-ring --remove windy-energy sunny-telecom
  metrust agency change ring-ring --for sunny-telecom          exactly this one from now on"
)]
struct Change {
    /// The agency's id
    id: String,

    /// Sellers that it dials for as well from now on
    #[arg(long, value_name = "SELLER", num_args = 1.., value_delimiter = ',', group = "change")]
    add: Vec<String>,

    /// Sellers that it no longer dials for
    #[arg(long, value_name = "SELLER", num_args = 1.., value_delimiter = ',', group = "change")]
    remove: Vec<String>,

    /// The sellers that it dials for from now on, and no others
    #[arg(
        long = "for",
        value_name = "SELLER",
        num_args = 1..,
        value_delimiter = ',',
        group = "change",
        conflicts_with_all = ["add", "remove"]
    )]
    sellers: Vec<String>,

    /// Its name from now on
    #[arg(long, group = "change")]
    name: Option<String>,

    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Agencies {
    agencies: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    sellers: BTreeSet<String>,
    created_at: String,
}

impl Row {
    fn sentence(&self, what: &str) -> String {
        let sellers: Vec<_> = self.sellers.iter().map(|id| plain(id)).collect();
        let sellers = match sellers.as_slice() {
            [] => "nobody".to_owned(),
            sellers => sellers.join(", "),
        };
        format!(
            "Agency {} is {what}: {}, dials for {sellers}",
            plain(&self.id),
            plain(&self.name)
        )
    }
}

impl Agency {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        match &self.command {
            Command::Add(add) => add.run(data)?,
            Command::List(list) => list.run(data)?,
            Command::Change(change) => change.run(data)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn run(&self, data: &Path) -> Result<(), Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let body = json!({ "id": self.id, "name": self.name, "sellers": self.sellers });
        let made: Row = client.understand(&client.send("POST", PATH, &body)?)?;
        say(&made.sentence("added"))
    }
}

impl List {
    fn run(&self, data: &Path) -> Result<(), Failure> {
        let client = self.target.client(data, Patience::Usual)?;
        let answer = client.get(PATH, &[])?;
        if self.json {
            return say(&answer);
        }
        let all: Agencies = client.understand(&answer)?;
        if all.agencies.is_empty() {
            note("There is no agency yet. Add one: metrust agency add ID --name NAME --for SELLER");
        }
        let rows: Vec<_> = all
            .agencies
            .into_iter()
            .map(|row| {
                let sellers = row.sellers.into_iter().collect::<Vec<_>>().join(",");
                [row.id, row.name, sellers, row.created_at]
            })
            .collect();
        say(&table(["ID", "NAME", "DIALS FOR", "SINCE"], &rows))
    }
}

impl Change {
    fn run(&self, data: &Path) -> Result<(), Failure> {
        let id = AgencyId::parse(&self.id).map_err(|error| Failure::usage(error.to_string()))?;
        let client = self.target.client(data, Patience::Usual)?;
        let mut body = Map::new();
        if let Some(name) = &self.name {
            body.insert("name".to_owned(), name.as_str().into());
        }
        if let Some(sellers) = self.new_sellers(&client, &id)? {
            body.insert("sellers".to_owned(), json!(sellers));
        }
        let answer = client.send("PUT", &format!("{PATH}/{id}"), &Value::Object(body))?;
        let changed: Row = client.understand(&answer)?;
        say(&changed.sentence("changed"))
    }

    fn new_sellers(
        &self,
        client: &Client,
        id: &AgencyId,
    ) -> Result<Option<BTreeSet<String>>, Failure> {
        if !self.sellers.is_empty() {
            return Ok(Some(self.sellers.iter().cloned().collect()));
        }
        if self.add.is_empty() && self.remove.is_empty() {
            return Ok(None);
        }
        let all: Agencies = client.get_as(PATH)?;
        let present = all.agencies.into_iter().find(|row| row.id == id.as_str());
        let present = present.ok_or_else(|| {
            Failure::new(format!(
                "there is no agency {id}\n  remedy:     `metrust agency list` shows the ids"
            ))
        })?;
        self.apply(present.sellers).map(Some)
    }

    fn apply(&self, mut sellers: BTreeSet<String>) -> Result<BTreeSet<String>, Failure> {
        for id in &self.remove {
            // A mistyped id that went unnoticed would leave a mandate standing.
            if !sellers.remove(id) {
                return Err(Failure::new(format!(
                    "the agency does not dial for {}; nothing was changed\n  remedy:     `metrust \
                     agency list` shows its sellers",
                    plain(id)
                )));
            }
        }
        sellers.extend(self.add.iter().cloned());
        Ok(sellers)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        change: Change,
    }

    fn change(words: &[&str]) -> Result<Change, clap::Error> {
        let words = ["agency change", "ring-ring"].iter().chain(words);
        Line::try_parse_from(words).map(|line| line.change)
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn sellers_are_added_and_removed_and_a_mistyped_one_is_noticed() {
        let both = change(&["--add", "c", "d", "--remove", "a"]).unwrap();
        assert_eq!(both.apply(set(&["a", "b"])).unwrap(), set(&["b", "c", "d"]));
        assert!(both.apply(set(&["b"])).is_err());
    }

    #[test]
    fn a_change_says_what_to_change_without_contradicting_itself() {
        assert!(change(&[]).is_err());
        assert!(change(&["--for", "a", "--add", "b"]).is_err());
        assert!(change(&["--name", "Ring", "--add", "b"]).is_ok());
    }
}
