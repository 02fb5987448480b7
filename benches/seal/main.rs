//! How fast the log is sealed and checked, on one core: `cargo bench --bench seal [-- word…]`,
//! where a word keeps the measures with it in their name.
//!
//! Every measure does the same work once a round, and the rounds are interleaved, so that a
//! machine that becomes slower for a while makes all of them slower, not one. What is printed is
//! the slowest, the median and the fastest round. A measure to be added is one more file like
//! [`tree`], and one more line in [`main`].

#![allow(clippy::print_stdout, reason = "what a bench finds is printed")]

mod evidence;
mod measure;
mod sealing;
mod signed;
mod tree;

use std::error::Error;

use measure::Measure;

/// Rounds whose times count; there is one more before them.
const ROUNDS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo's own flags are none of our words.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut measures: Vec<Measure> = tree::measures()
        .into_iter()
        .chain(signed::measures()?)
        .chain(sealing::measures(ROUNDS + 1)?)
        .chain(evidence::measures()?)
        .collect();
    measures.retain(|measure| words.is_empty() || words.iter().any(|word| measure.has(word)));
    for round in 0..=ROUNDS {
        for measure in &mut measures {
            measure.round(round > 0);
        }
    }
    println!("{}", Measure::HEADING);
    for measure in &measures {
        println!("{measure}");
    }
    Ok(())
}
