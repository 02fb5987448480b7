//! One thing that is measured, and what was found.

use std::fmt;
use std::time::Instant;

/// Work that is done over and over, and how fast each round was.
pub struct Measure {
    name: &'static str,
    work: Box<dyn FnMut() -> usize>,
    /// Operations a second, one for each round.
    rates: Vec<f64>,
}

impl Measure {
    /// The line above the measures.
    pub const HEADING: &str = "                                                    a second:     slowest      median     fastest";

    /// `work` does one round (some hundredths of a second, so that a clock's tick does not matter)
    /// and says how many operations that were. What it makes must leave through
    /// [`std::hint::black_box`].
    pub fn new(name: &'static str, work: impl FnMut() -> usize + 'static) -> Self {
        Self {
            name,
            work: Box::new(work),
            rates: Vec::new(),
        }
    }

    /// Whether its name has this word.
    pub fn has(&self, word: &str) -> bool {
        self.name.contains(word)
    }

    /// Does one round.
    pub fn round(&mut self, counts: bool) {
        let begin = Instant::now();
        let operations = (self.work)();
        let seconds = begin.elapsed().as_secs_f64();
        if counts {
            self.rates.push(operations as f64 / seconds);
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        let at = |place: usize| rates.get(place).copied().unwrap_or(f64::NAN);
        write!(
            f,
            "{:<61} {:>11.0} {:>11.0} {:>11.0}",
            self.name,
            at(0),
            at(rates.len() / 2),
            at(rates.len().saturating_sub(1)),
        )
    }
}
