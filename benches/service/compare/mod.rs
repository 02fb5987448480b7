//! Groups whose measures take turns: each once a round, one after the other, over and over.

mod field;
mod measure;
mod regions;
mod targets;

use std::collections::BTreeMap;

use crate::Result;
use crate::arguments::{Arguments, Word};
use crate::load::Sample;
use crate::report::{Line, Report, Spread};
use crate::site::Site;

use field::Field;
use measure::Measure;
use targets::{Figure, Target};

/// Every measure that these groups need, once.
fn needed(words: &[Word]) -> Vec<Measure> {
    let mut measures: Vec<Measure> = Vec::new();
    for word in words {
        let targets = targets::of(*word);
        let compared = targets
            .iter()
            .flat_map(|target| [target.ours, target.theirs]);
        measures.extend(compared.chain(targets::beside(*word)));
    }
    measures.sort();
    measures.dedup();
    measures
}

/// How many measures there are in a round.
pub fn count(words: &[Word]) -> usize {
    needed(words).len()
}

/// Runs all rounds and reports.
pub fn run(site: &Site, arguments: &Arguments, words: &[Word], report: &mut Report) -> Result<()> {
    let measures = needed(words);
    eprintln!("starting the servers, and seeing that each answers rightly");
    let mut field = Field::start(site, &measures)?;
    let mut found: BTreeMap<Measure, Vec<Option<Sample>>> = BTreeMap::new();
    for round in 0..arguments.rounds {
        // Whoever comes first in one round comes later in the next.
        let begin = round as usize % measures.len().max(1);
        let order = measures[begin..].iter().chain(&measures[..begin]);
        for (place, measure) in order.enumerate() {
            eprint!(
                "\rround {} of {}: {} of {}   ",
                round + 1,
                arguments.rounds,
                place + 1,
                measures.len()
            );
            let sample = match field.sample(measure, arguments.time()) {
                Ok(sample) if sample.failed == 0 => Ok(sample),
                Ok(sample) => Err(format!("{} requests failed", sample.failed)),
                Err(problem) => Err(problem.to_string()),
            };
            let sample = sample.map_err(|problem| {
                let round = round + 1;
                report.remark(format!("Void: round {round} of \"{measure}\": {problem}"));
            });
            let sample = sample.ok();
            found.entry(*measure).or_default().push(sample);
        }
    }
    eprintln!();
    for word in words {
        for target in targets::of(*word) {
            report.line(compare(*word, &target, &found));
        }
    }
    for (measure, samples) in &found {
        report.measured(measure.to_string(), samples.iter().flatten());
        let late: Vec<f64> = samples
            .iter()
            .flatten()
            .filter_map(|sample| sample.sent_late)
            .collect();
        if !late.is_empty() {
            let name = format!("{measure}: p99 of how late the generator itself sent");
            report.other(name, Spread::of(late.into_iter()), "ms");
        }
    }
    field.finish()
}

/// What the rounds say about one target.
fn compare(word: Word, target: &Target, found: &BTreeMap<Measure, Vec<Option<Sample>>>) -> Line {
    let empty = Vec::new();
    let of = |measure| found.get(measure).unwrap_or(&empty).iter();
    let rounds = of(&target.ours).zip(of(&target.theirs));
    let values = rounds.filter_map(|(ours, theirs)| {
        let (ours, theirs) = (ours.as_ref()?, theirs.as_ref()?);
        Some(match target.figure {
            Figure::Rate => ours.rate / theirs.rate,
            Figure::P99 => ours.p99 / theirs.p99,
            Figure::P99Above => ours.p99 - theirs.p99,
            Figure::Cost => theirs.rate / ours.rate,
        })
    });
    Line {
        group: word,
        what: target.to_string(),
        found: Spread::of(values),
        bound: target.bound,
        unit: match target.figure {
            Figure::P99Above => "ms",
            _ => "×",
        },
        built: true,
    }
}
