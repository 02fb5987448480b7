//! The count at the end: by agency, what became of its calls.

use std::collections::BTreeMap;

use super::call::Row;
use super::verdict::{Finding, Registered, Verdict};

/// The name of calls of which nobody knows whose they are.
pub const NOBODY: &str = "-";

/// The name of all agencies beyond those that a summary names.
pub const OTHERS: &str = "(others)";

/// How many agencies a summary names. Records can hold any text in place of an agency.
const MOST_AGENCIES: usize = 10_000;

/// How many calls of each finding, and how many of those to numbers that were opted out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally([[u64; 7]; 7]);

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        self.0[verdict.finding as usize][column(verdict.registered)] += 1;
    }

    /// All calls.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Calls of this finding.
    #[must_use]
    pub fn found(&self, finding: Finding) -> u64 {
        self.0[finding as usize].iter().sum()
    }

    /// Calls to numbers that were opted out in this way.
    #[must_use]
    pub fn registered(&self, registered: Registered) -> u64 {
        self.0.iter().map(|row| row[column(Some(registered))]).sum()
    }

    /// Calls of this finding to numbers that were opted out in this way; nothing for the second
    /// counts rows that cannot be read.
    #[must_use]
    pub fn both(&self, finding: Finding, registered: Option<Registered>) -> u64 {
        self.0[finding as usize][column(registered)]
    }
}

fn column(registered: Option<Registered>) -> usize {
    registered.map_or(6, |registered| registered as usize)
}

/// What became of all calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    agencies: BTreeMap<String, Tally>,
    total: Tally,
}

impl Summary {
    /// Counts one call: for the agency of the record, else for that of the check, else for
    /// [`NOBODY`].
    pub fn add(&mut self, row: &Row, verdict: &Verdict) {
        let check = verdict.check.as_ref();
        let agency = row.agency.as_ref();
        let agency = agency.or_else(|| check?.agency.as_ref());
        let name = agency.map_or(NOBODY, |agency| agency.as_str());
        self.total.add(verdict);
        if let Some(tally) = self.agencies.get_mut(name) {
            tally.add(verdict);
            return;
        }
        let name = match self.agencies.len() {
            MOST_AGENCIES.. => OTHERS,
            _ => name,
        };
        self.agencies
            .entry(name.to_owned())
            .or_default()
            .add(verdict);
    }

    /// Each agency's calls, by its id.
    pub fn agencies(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.agencies.iter().map(|(name, tally)| (&**name, tally))
    }

    /// Everybody's calls.
    #[must_use]
    pub fn total(&self) -> &Tally {
        &self.total
    }
}
