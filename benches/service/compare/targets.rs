//! What must be reached, group by group.

use std::fmt;

use super::measure::{About, How, Measure, Who};
use crate::arguments::Word;
use crate::load::wrk::Connections;
use crate::report::Bound;
use crate::server::metrust::Mode;

/// Checks a second in the open loop.
const SCHEDULE: u32 = 10_000;

/// Two measures of one round, and what they must be to each other.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What is to be judged.
    pub ours: Measure,
    /// What it is compared with.
    pub theirs: Measure,
    /// By which figure.
    pub figure: Figure,
    /// What the median of the rounds must be.
    pub bound: Bound,
}

/// What of two samples is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Ours a second by theirs.
    Rate,
    /// Our p99 by theirs.
    P99,
    /// By how many milliseconds our p99 is above theirs.
    P99Above,
    /// How much longer one of ours takes than one of theirs.
    Cost,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours, theirs, .. } = self;
        match self.figure {
            Figure::Rate => write!(f, "{ours}: rate ÷ that of {}", theirs.who),
            Figure::P99 => write!(f, "{ours}: p99 ÷ that of {}", theirs.who),
            Figure::P99Above => write!(f, "{ours}: p99 − that of {}", theirs.who),
            Figure::Cost => write!(f, "{ours}: time ÷ that of one region"),
        }
    }
}

fn kept(who: Who, connections: u32) -> Measure {
    Measure {
        who,
        how: How::Closed(Connections::Kept(connections)),
        about: About::Mobile,
    }
}

fn per_check(who: Who) -> Measure {
    Measure {
        how: How::Closed(Connections::PerCheck(64)),
        ..kept(who, 0)
    }
}

fn open(who: Who) -> Measure {
    Measure {
        how: How::Open(SCHEDULE),
        ..kept(who, 0)
    }
}

fn rate(ours: Measure, theirs: Measure, at_least: f64) -> Target {
    Target {
        ours,
        theirs,
        figure: Figure::Rate,
        bound: Bound::AtLeast(at_least),
    }
}

fn at_most(figure: Figure, ours: Measure, theirs: Measure, most: f64) -> Target {
    Target {
        ours,
        theirs,
        figure,
        bound: Bound::AtMost(most),
    }
}

/// The targets of a group whose measures take turns.
pub fn of(word: Word) -> Vec<Target> {
    use Mode::{Always, Embedded, Everysec};
    use Who::{Constant, Get, Json, Redis, Text};
    let beside = |ours: Who, theirs: Who, few: f64, many: f64| {
        [(64, few), (256, many)]
            .map(|(count, least)| rate(kept(ours, count), kept(theirs, count), least))
    };
    match word {
        Word::Checks => {
            let mut targets = beside(Text(Everysec), Get, 1.8, 2.0).to_vec();
            targets.extend([64, 256].map(|count| {
                at_most(
                    Figure::P99,
                    kept(Text(Everysec), count),
                    kept(Get, count),
                    0.6,
                )
            }));
            targets.extend(beside(Json(Everysec), Get, 1.6, 1.8));
            targets
        }
        Word::Always => beside(Text(Always), Get, 1.3, 1.7).to_vec(),
        Word::Embedded => beside(Text(Embedded), Get, 1.9, 2.1).to_vec(),
        Word::Constant => {
            let both = [Text(Everysec), Text(Embedded)].map(|who| beside(who, Constant, 0.6, 0.6));
            both.concat()
        }
        Word::Open => vec![
            at_most(Figure::P99, open(Text(Everysec)), open(Get), 1.1),
            at_most(Figure::P99, open(Text(Everysec)), open(Redis), 3.0),
            at_most(Figure::P99Above, open(Text(Always)), open(Get), 0.6),
            at_most(Figure::P99Above, open(Text(Embedded)), open(Get), 0.6),
        ],
        Word::Connections => [Everysec, Always, Embedded]
            .map(|mode| rate(per_check(Text(mode)), per_check(Get), 1.0))
            .to_vec(),
        Word::Regions => regions(),
        Word::Wash | Word::Import | Word::Audit | Word::Attacks | Word::Cost | Word::Soak => {
            Vec::new()
        }
    }
}

/// The whole check, and reading alone, in both ways of writing a number.
fn regions() -> Vec<Target> {
    let ways = [
        (About::OneRegion, About::AllRegions),
        (About::OneRegionNational, About::AllRegionsNational),
    ];
    let whos = [(Who::Text(Mode::Embedded), 64), (Who::Reading, 0)];
    let both = ways.map(|(one, all)| {
        whos.map(|(who, connections)| {
            let of = |about| Measure {
                about,
                ..kept(who, connections)
            };
            at_most(Figure::Cost, of(all), of(one), 2.0)
        })
    });
    both.concat()
}

/// Peers without a target, for whoever wants to see the whole field.
pub fn beside(word: Word) -> Vec<Measure> {
    match word {
        Word::Checks => {
            let both = [64, 256].map(|count| [kept(Who::Webdis, count), kept(Who::Redis, count)]);
            both.concat()
        }
        Word::Connections => vec![per_check(Who::Constant)],
        _ => Vec::new(),
    }
}
