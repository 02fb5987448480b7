//! Numbers of one region, and of all, as they are asked about; and how long reading them takes
//! without a server around it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hint::black_box;
use std::time::{Duration, Instant};

use metrust::domain::{PhoneNumber, Region, numbering_plans};
use metrust::privacy::{Keyring, MonthKey, SecretKey};
use phonenumber::metadata::Metadata;

use super::measure::About;
use crate::Result;
use crate::load::Sample;
use crate::numbers::Chance;

/// The one region.
const ONE: &str = "BE";

/// So many numbers of every region; in the one region, so many as in all regions together.
const EACH: usize = 40;

/// How a region's numbers are written.
struct Written {
    region: String,
    e164: String,
    national: String,
}

/// What stands in queries, in an order without order.
pub fn asked(about: About) -> Result<Vec<String>> {
    let mut asked: Vec<String> = written(about)?
        .into_iter()
        .map(|number| match about {
            About::OneRegionNational | About::AllRegionsNational => {
                let national: String =
                    form_urlencoded::byte_serialize(number.national.as_bytes()).collect();
                format!("{national}&region={}", number.region)
            }
            _ => number.e164.replace('+', "%2B"),
        })
        .collect();
    let mut chance = Chance::new(3);
    for last in (1..asked.len()).rev() {
        asked.swap(last, chance.below(last as u64 + 1) as usize);
    }
    Ok(asked)
}

fn written(about: About) -> Result<Vec<Written>> {
    let mut regions: Vec<&Metadata> = numbering_plans()
        .iter()
        .filter(|region| Region::parse(region.id()).is_ok())
        .collect();
    regions.sort_by_key(|region| region.id());
    regions.dedup_by_key(|region| region.id());
    let all: Vec<Written> = regions
        .iter()
        .flat_map(|region| numbers_of(region, EACH))
        .collect();
    let kinds = all.iter().map(|number| number.region.as_str());
    let kinds = kinds.collect::<std::collections::BTreeSet<_>>().len();
    if kinds < 240 {
        return Err(format!("numbers of {kinds} regions only").into());
    }
    match about {
        About::AllRegions | About::AllRegionsNational => Ok(all),
        _ => {
            let one = regions.iter().find(|region| region.id() == ONE);
            Ok(one.map_or_else(Vec::new, |region| numbers_of(region, all.len())))
        }
    }
}

/// Numbers of one region: examples of the numbering plan, and those with other last digits that are
/// numbers, too.
fn numbers_of(region: &Metadata, count: usize) -> Vec<Written> {
    let Ok(home) = Region::parse(region.id()) else {
        return Vec::new();
    };
    let descriptors = region.descriptors();
    let kinds = [
        descriptors.mobile(),
        descriptors.fixed_line(),
        Some(descriptors.general()),
    ];
    let examples = kinds
        .into_iter()
        .flatten()
        .filter_map(|kind| kind.example());
    let mut found = BTreeMap::new();
    for example in examples {
        let varied = example.len().saturating_sub(5).max(1);
        let (head, tail) = example.split_at(varied);
        let most = 10_u64.pow(tail.len() as u32);
        for step in 0..most.min(100 * count as u64) {
            // Steps that spread over all endings, the example's own first.
            let own: u64 = tail.parse().unwrap_or(0);
            let national = format!("{head}{:01$}", (own + step * 7_919) % most, tail.len());
            let e164 = format!("+{}{national}", region.country_code());
            // Written with the prefix of a long-distance call, as people do at home.
            let prefix = region.national_prefix().unwrap_or_default();
            let written = format!("{prefix}{national}");
            let reads = |text: &str| {
                let number = PhoneNumber::parse(text, Some(home));
                number.is_ok_and(|number| number.e164() == e164)
            };
            let spelt = [written, national].into_iter().find(|text| reads(text));
            if let Some(national) = spelt
                && PhoneNumber::parse(&e164, None).is_ok_and(|number| number.e164() == e164)
            {
                found.entry(e164).or_insert(national);
            }
            if found.len() >= count {
                break;
            }
        }
    }
    found
        .into_iter()
        .map(|(e164, national)| Written {
            region: region.id().to_owned(),
            e164,
            national,
        })
        .collect()
}

/// Reads numbers and finds what the index and the log call them.
pub struct Reading {
    keys: Keyring,
    month: MonthKey,
    numbers: BTreeMap<About, Vec<(String, Option<Region>)>>,
}

impl Reading {
    /// With keys of its own.
    pub fn new() -> Self {
        PhoneNumber::warm_up();
        let key = SecretKey::generate;
        Self {
            keys: Keyring::new(key(), &key()),
            month: MonthKey::generate(),
            numbers: BTreeMap::new(),
        }
    }

    /// Numbers a second, for so long.
    pub fn sample(&mut self, about: About, time: Duration) -> Result<Sample> {
        let numbers = match self.numbers.entry(about) {
            Entry::Occupied(place) => place.into_mut(),
            Entry::Vacant(place) => {
                let numbers = written(about)?.into_iter().map(|number| match about {
                    About::OneRegionNational | About::AllRegionsNational => {
                        (number.national, Region::parse(&number.region).ok())
                    }
                    _ => (number.e164, None),
                });
                place.insert(numbers.collect())
            }
        };
        let begun = Instant::now();
        let mut read = 0_u64;
        let mut failed = 0;
        while begun.elapsed() < time {
            for (text, region) in numbers.iter() {
                let Ok(number) = PhoneNumber::parse(black_box(text), *region) else {
                    failed += 1;
                    continue;
                };
                black_box(self.keys.subjects().subject(&number));
                black_box(self.month.opening(&number).pseudonym(&number));
            }
            read += numbers.len() as u64;
        }
        let each = begun.elapsed().as_secs_f64() / read as f64;
        Ok(Sample {
            rate: 1.0 / each,
            median: each * 1e3,
            p99: f64::NAN,
            sent_late: None,
            failed,
        })
    }
}
