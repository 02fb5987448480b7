//! What is measured, and how long that takes.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// The bench of the whole: audited checks, washes and imports beside their peers
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench service --")]
pub struct Arguments {
    /// What to measure [default: everything but soak]
    words: Vec<Word>,

    /// Rounds whose results count
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// How long one measure of one round takes, in seconds, after a second of warming up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,

    /// Rounds of import, each into an empty registry
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub import_rounds: u32,

    /// Numbers on the list that is imported, and washed against; at most 16 million
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..=16_000_000))]
    pub listed: u64,

    /// Rows that are washed; at most 4 million
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=4_000_000))]
    pub rows: u64,

    /// How long each soak takes
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,

    /// Another binary of metrust, to be compared with in what a check and a washed row cost
    #[arg(long)]
    pub against: Option<PathBuf>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub plan: bool,

    /// Cargo says this
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// One group of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Word {
    /// 1. Redis, appendfsync everysec: audited checks beside nginx+Lua's unaudited GET
    Checks,
    /// 2. Redis, appendfsync always
    Always,
    /// 3. Embedded store, durable
    Embedded,
    /// 4. Beside nginx answering a constant
    Constant,
    /// 5. Open loop at 10,000 checks a second
    Open,
    /// 6. A connection for each check
    Connections,
    /// 7. A calling list washed, beside DuckDB, SQLite, grep and comm
    Wash,
    /// 8. An existing list imported
    Import,
    /// 9. Numbers of all regions mixed
    Regions,
    /// 10. What a check leaves in Redis' memory and on its disk
    Audit,
    /// 11. Checks beside attacks: none fails, and their p99 stays low
    Attacks,
    /// Processor time of a check and of a washed row, beside that of `--against`; not part of the
    /// default
    Cost,
    /// Minutes at 70 % of what it can; not part of the default
    Soak,
}

impl Word {
    /// Whether its measures take turns with those of other groups.
    pub fn is_compared(self) -> bool {
        use Word::{Attacks, Audit, Cost, Import, Soak, Wash};
        !matches!(self, Wash | Import | Audit | Attacks | Cost | Soak)
    }

    /// How it is written.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn subject(self) -> String {
        let value = self.to_possible_value();
        let help = value.and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }
}

impl Arguments {
    /// The groups that were chosen, each once and in their own order.
    pub fn words(&self) -> Vec<Word> {
        let mut words = match self.words.is_empty() {
            false => self.words.clone(),
            true => Word::value_variants()
                .iter()
                .copied()
                .filter(|word| !matches!(word, Word::Cost | Word::Soak))
                .collect(),
        };
        words.sort();
        words.dedup();
        words
    }

    /// How long one measure takes.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// What is about to happen, and about how long it takes.
    pub fn plan(&self) -> String {
        let words = self.words();
        let mut plan = "What is measured:\n".to_owned();
        for word in &words {
            let _ = writeln!(plan, "  {:<12} {}", word.name(), word.subject());
        }
        let compared: Vec<Word> = words.iter().copied().filter(|w| w.is_compared()).collect();
        let measures = crate::compare::count(&compared) as f64;
        // A second to warm up, and a moment until what was measured before is sealed.
        let mut seconds = measures * f64::from(self.rounds) * (f64::from(self.seconds) + 2.5);
        let numbers = self.listed as f64;
        for word in words {
            seconds += match word {
                Word::Wash => {
                    60.0 + numbers / 100_000.0
                        + f64::from(self.rounds) * self.rows as f64 / 60_000.0
                }
                Word::Import => f64::from(self.import_rounds) * (20.0 + numbers / 300_000.0),
                Word::Audit => 60.0,
                Word::Attacks => {
                    30.0 + f64::from(self.rounds) * 10.0 * (f64::from(self.seconds) + 6.0)
                }
                Word::Cost => 30.0 + f64::from(self.rounds) * 8.0 * (f64::from(self.seconds) + 6.0),
                Word::Soak => 120.0 * (self.minutes + 1.0),
                _ => 10.0,
            };
        }
        let _ = write!(
            plan,
            "{} rounds of {} s for each measure, {} in all: about {:.0} minutes. Leave the machine \
             alone meanwhile.",
            self.rounds,
            self.seconds,
            measures,
            (seconds / 60.0).ceil()
        );
        plan
    }
}
