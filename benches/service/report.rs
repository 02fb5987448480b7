//! What was found, in Markdown that can be pasted into a document as it stands.

use std::fmt;

use crate::arguments::Word;
use crate::load::Sample;

/// What a median must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// The least, the median and the most of several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    min: f64,
    median: f64,
    max: f64,
    rounds: usize,
}

impl Spread {
    /// Of these; `None` if there is none.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => (values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0,
        };
        Some(Self {
            min: *values.first()?,
            median,
            max: *values.last()?,
            rounds: values.len(),
        })
    }
}

/// One target, and what was found.
#[derive(Debug)]
pub struct Line {
    /// Its group.
    pub group: Word,
    /// What is compared.
    pub what: String,
    /// What was found; nothing when this build cannot do it, or no round counted.
    pub found: Option<Spread>,
    /// What it must be.
    pub bound: Bound,
    /// The unit of both.
    pub unit: &'static str,
    /// Whether this build can do it at all.
    pub built: bool,
}

/// Everything that one run has to say.
#[derive(Debug)]
pub struct Report {
    heading: String,
    lines: Vec<Line>,
    measured: Vec<(String, [Option<Spread>; 3])>,
    others: Vec<(String, Option<Spread>, &'static str)>,
    remarks: Vec<String>,
}

impl Report {
    /// Under this heading.
    pub fn new(heading: String) -> Self {
        Self {
            heading,
            lines: Vec::new(),
            measured: Vec::new(),
            others: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Adds a target.
    pub fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds a measure's rate a second, and its p50 and p99 in milliseconds.
    pub fn measured<'s>(
        &mut self,
        name: String,
        samples: impl Iterator<Item = &'s Sample> + Clone,
    ) {
        let of = |read: fn(&Sample) -> f64| Spread::of(samples.clone().map(read));
        let figures = [
            of(|sample| sample.rate),
            of(|sample| sample.median),
            of(|sample| sample.p99),
        ];
        self.measured.push((name, figures));
    }

    /// Adds a figure of another unit.
    pub fn other(&mut self, name: String, found: Option<Spread>, unit: &'static str) {
        self.others.push((name, found, unit));
    }

    /// Adds a sentence.
    pub fn remark(&mut self, sentence: String) {
        self.remarks.push(sentence.trim().to_owned());
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.heading)?;
        if !self.lines.is_empty() {
            writeln!(f, "| Group | Target | min | median | max | must be | |")?;
            writeln!(f, "|---|---|--:|--:|--:|--:|---|")?;
        }
        for line in &self.lines {
            let Line {
                group,
                what,
                bound,
                unit,
                ..
            } = line;
            let unit = unit_after(unit);
            let bound_text = match bound {
                Bound::AtLeast(least) => format!("≥ {least}{unit}"),
                Bound::AtMost(most) => format!("≤ {most}{unit}"),
            };
            let why = match line.built {
                true => "no round counts",
                false => "not in this build",
            };
            let name = match group {
                Word::Soak => group.name(),
                _ => format!("{}. {}", *group as usize + 1, group.name()),
            };
            write!(f, "| {name} | {what} | ")?;
            match line.found {
                Some(found) => {
                    let verdict = if bound.holds(found.median) {
                        "PASS"
                    } else {
                        "**MISS**"
                    };
                    writeln!(
                        f,
                        "{} | {} | {} | {bound_text} | {verdict} |",
                        figure(found.min),
                        figure(found.median),
                        figure(found.max)
                    )?;
                }
                None => writeln!(f, "– | – | – | {bound_text} | **MISS**: {why} |")?,
            }
        }
        if !self.measured.is_empty() {
            writeln!(
                f,
                "\n| Measured | a second: min | median | max | p50 (ms) | p99 (ms) |"
            )?;
            writeln!(f, "|---|--:|--:|--:|--:|--:|")?;
        }
        for (name, [rate, median, p99]) in &self.measured {
            let middle = |spread: &Option<Spread>| {
                spread.map_or_else(|| "–".to_owned(), |spread| figure(spread.median))
            };
            let [median, p99] = [median, p99].map(middle);
            match rate {
                Some(Spread {
                    min,
                    median: rate,
                    max,
                    ..
                }) => {
                    writeln!(
                        f,
                        "| {name} | {min:.0} | {rate:.0} | {max:.0} | {median} | {p99} |"
                    )?;
                }
                None => writeln!(f, "| {name} | – | – | – | – | – |")?,
            }
        }
        if !self.others.is_empty() {
            writeln!(f, "\n| Measured | min | median | max | rounds |")?;
            writeln!(f, "|---|--:|--:|--:|--:|")?;
        }
        for (name, found, unit) in &self.others {
            match found {
                Some(Spread {
                    min,
                    median,
                    max,
                    rounds,
                }) => writeln!(
                    f,
                    "| {name} | {} | {}{} | {} | {rounds} |",
                    figure(*min),
                    figure(*median),
                    unit_after(unit),
                    figure(*max)
                )?,
                None => writeln!(f, "| {name} | – | – | – | 0 |")?,
            }
        }
        if !self.remarks.is_empty() {
            writeln!(f)?;
        }
        for remark in &self.remarks {
            writeln!(f, "- {remark}")?;
        }
        Ok(())
    }
}

/// As many digits as can mean something.
fn figure(value: f64) -> String {
    match value.abs() {
        whole if whole.fract() == 0.0 && !(1.0..10.0).contains(&whole) => format!("{value}"),
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn unit_after(unit: &str) -> String {
    match unit {
        "×" | "" => unit.to_owned(),
        _ => format!(" {unit}"),
    }
}
