//! The numbers that are asked about: twenty million Belgian mobile numbers, shuffled.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::Result;

/// `+3247` and `+3249` with seven digits each.
const SPACE: u64 = 20_000_000;

/// How many numbers the registries for checks hold.
pub const LISTED: u64 = 10_000;

/// From here on no number is ever listed.
const CLEAR: u64 = 16_000_000;

/// So many different requests take turns.
const REQUESTS: usize = 65_536;

/// The `n`th number in E.164. Neighbours lie far apart, and no two are the same.
pub fn number(n: u64) -> String {
    // No factor in common with the space, hence a permutation of it.
    let place = n % SPACE * 7_919_131 % SPACE;
    match place < SPACE / 2 {
        true => format!("+3247{place:07}"),
        false => format!("+3249{:07}", place - SPACE / 2),
    }
}

/// A number that is on no list.
pub fn clear(n: u64) -> String {
    number(CLEAR + n % (SPACE - CLEAR))
}

/// What stands for a number in a query.
pub fn escaped(number: &str) -> String {
    number.replace('+', "%2B")
}

/// Numbers at random, one in ten of them listed, as a query has them.
pub fn asked() -> Vec<String> {
    let mut chance = Chance::new(1);
    let asked = (0..REQUESTS).map(|_| match chance.below(10) {
        0 => number(chance.below(LISTED)),
        _ => clear(chance.below(SPACE)),
    });
    asked.map(|number| escaped(&number)).collect()
}

/// Writes the first `count` numbers, under a heading.
pub fn write_list(path: &Path, count: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(file, "phone")?;
    for n in 0..count {
        writeln!(file, "{}", number(n))?;
    }
    Ok(file.flush()?)
}

/// Writes a calling list of `rows` rows, one in ten of them from the first `listed` numbers; gives
/// how many those are. No number comes twice, because `comm` pairs lines and does not look them up.
pub fn write_rows(path: &Path, rows: u64, listed: u64) -> Result<u64> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut chance = Chance::new(2);
    // From everywhere in the list; chance gives a little more or less than a tenth, never an eighth.
    let step = (listed / (rows / 8 + 1)).max(1);
    let mut suppressed = 0;
    writeln!(file, "id,phone,name,campaign")?;
    for row in 0..rows {
        let phone = match chance.below(10) {
            0 if suppressed * step < listed => {
                suppressed += 1;
                number((suppressed - 1) * step)
            }
            _ => clear(row - suppressed),
        };
        writeln!(file, "{row},{phone},\"Peeters, {row}\",autumn")?;
    }
    file.flush()?;
    Ok(suppressed)
}

/// SplitMix64: the same numbers in every run.
pub struct Chance(u64);

impl Chance {
    /// A row of its own for every seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
