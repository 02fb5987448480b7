//! The numbering plans of the world, in the form in which numbers are judged.
//!
//! Built once from the metadata of the `phonenumber` crate (libphonenumber's),
//! at [`PhoneNumber::warm_up`](super::PhoneNumber::warm_up) or at the first
//! number.

use super::automaton::{Automaton, Builder, DEAD, Kind, RegionPatterns};
use super::metadata::database;
use super::other_names::{OTHER_NAMES, OtherName, other_name};
use super::pattern;
use phonenumber::Metadata;
use phonenumber::metadata::Descriptor;
use regex::Regex;
use std::sync::OnceLock;

/// The most digits of an international number (ITU-T E.164, 6.2.1).
pub(super) const MAX_DIGITS: usize = 15;

/// The code of a country (or of a service without one), and where its
/// national numbers begin in the automaton.
#[derive(Clone, Default)]
pub(super) struct Country {
    start: u32,
    /// What is dialled before its national numbers, `0` in most countries.
    pub(super) trunk: Option<String>,
    /// The main one of the regions that share the code; none for services.
    pub(super) main: Option<[u8; 2]>,
    /// Whether some of its numbers are another name of the same line.
    other_names: bool,
}

/// How numbers are written within a region.
pub(super) struct Dialling {
    pub(super) id: [u8; 2],
    /// The country code, 1 to 999.
    pub(super) code: u16,
    /// What is dialled before a national number.
    pub(super) trunk: Option<String>,
    /// What may stand before a national number, carriers included.
    pub(super) before: Option<Prefix>,
    /// What a match of `before` becomes; `$1` is its first group.
    pub(super) becomes: Option<String>,
    /// What is dialled before a country code.
    pub(super) abroad: Option<Prefix>,
}

/// A prefix out of the metadata.
pub(super) enum Prefix {
    /// These digits.
    Plain(String),
    /// A regular expression, compiled when it is first wanted.
    Rule(String, OnceLock<Option<Regex>>),
}

impl Prefix {
    fn new(source: &str) -> Self {
        let bare: String = source.chars().filter(|c| !c.is_whitespace()).collect();
        if bare.bytes().all(|b| b.is_ascii_digit()) {
            Self::Plain(bare)
        } else {
            Self::Rule(bare, OnceLock::new())
        }
    }

    /// The compiled expression, bound to the start; `None` for plain digits
    /// (and for an expression that does not compile: then nothing matches).
    pub(super) fn rule(&self) -> Option<&Regex> {
        match self {
            Self::Plain(_) => None,
            Self::Rule(source, compiled) => compiled
                .get_or_init(|| Regex::new(&format!("^(?-u:{source})")).ok())
                .as_ref(),
        }
    }

    /// How many digits of `digits` are the prefix; `None` if it does not begin so.
    pub(super) fn length_in(&self, digits: &str) -> Option<usize> {
        match self {
            Self::Plain(plain) => digits.starts_with(plain.as_str()).then_some(plain.len()),
            Self::Rule(..) => self.rule()?.find(digits).map(|m| m.end()),
        }
    }
}

/// All plans.
pub(super) struct Plan {
    countries: Vec<Option<Country>>,
    automaton: Automaton,
    /// In alphabetical order.
    regions: Vec<Dialling>,
    /// What a label minus one stands for.
    labels: Vec<[u8; 2]>,
    /// Country codes with a pattern that was not understood. Their numbers
    /// are all refused; a test sees to it that there are none.
    #[cfg(test)]
    pub(super) not_understood: Vec<u16>,
}

/// The plans, built by whoever comes first.
pub(super) fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(Plan::build)
}

impl Plan {
    /// Splits international digits into the length of the country code and the
    /// country. Codes are prefix-free, so the first that fits is the one.
    #[inline]
    pub(super) fn split(&self, digits: &[u8]) -> Option<(usize, u16, &Country)> {
        let mut code = 0;
        for (i, digit) in digits.iter().take(3).enumerate() {
            code = code * 10 + u16::from(digit.wrapping_sub(b'0'));
            // No country code begins with a zero.
            if code == 0 {
                return None;
            }
            if let Some(Some(country)) = self.countries.get(usize::from(code)) {
                return Some((i + 1, code, country));
            }
        }
        None
    }

    /// Whether these digits, country code first, are a valid number.
    #[inline]
    pub(super) fn is_valid(&self, digits: &[u8]) -> bool {
        self.label(digits) != 0
    }

    /// The region of a valid number; `None` for services without a country.
    pub(super) fn region_of(&self, digits: &[u8]) -> Option<[u8; 2]> {
        let index = usize::from(self.label(digits)).checked_sub(1)?;
        self.labels.get(index).copied().filter(u8_letters)
    }

    /// The one name of the line that these digits are another name of.
    pub(super) fn other_name(&self, digits: &[u8]) -> Option<OtherName> {
        let (length, code, country) = self.split(digits)?;
        match country.other_names {
            true => other_name(self, code, digits.get(length..)?),
            false => None,
        }
    }

    /// How numbers are written, region after region.
    pub(super) fn regions(&self) -> impl Iterator<Item = &Dialling> {
        self.regions.iter()
    }

    /// The main region of a country code; `None` for services without a country.
    pub(super) fn main_region(&self, code: u16) -> Option<[u8; 2]> {
        self.countries.get(usize::from(code))?.as_ref()?.main
    }

    /// How numbers are written in a region.
    pub(super) fn dialling(&self, id: [u8; 2]) -> Option<&Dialling> {
        let index = self.regions.binary_search_by_key(&id, |r| r.id).ok()?;
        self.regions.get(index)
    }

    #[inline]
    fn label(&self, digits: &[u8]) -> u16 {
        if digits.len() > MAX_DIGITS {
            return 0;
        }
        match self.split(digits) {
            Some((length, code, country)) => {
                let national = digits.get(length..).unwrap_or_default();
                match country.other_names && other_name(self, code, national).is_some() {
                    true => 0,
                    false => self.label_within(country, national),
                }
            }
            None => 0,
        }
    }

    /// Whether digits have the form of a number, be it another name or not.
    pub(super) fn has_form(&self, digits: &[u8]) -> bool {
        self.split(digits).is_some_and(|(length, _, country)| {
            let national = digits.get(length..).unwrap_or_default();
            digits.len() <= MAX_DIGITS && self.label_within(country, national) != 0
        })
    }

    #[inline]
    fn label_within(&self, country: &Country, national: &[u8]) -> u16 {
        match national {
            // Four digits that begin with 1 are a short code wherever they are
            // a number at all (the Viennese 111x).
            [b'1', rest @ ..] if rest.len() < 4 => 0,
            national => self.automaton.label_of(country.start, national),
        }
    }

    fn build() -> Self {
        let mut builder = Builder::new();
        let mut countries = vec![None; 1000];
        let mut regions = Vec::new();
        let mut labels = Vec::new();
        let mut not_understood = Vec::new();
        for (code, place) in (0u16..).zip(&mut countries) {
            let Some(metas) = database().by_code(&code) else {
                continue;
            };
            let patterns: Option<Vec<_>> = metas
                .iter()
                .map(|meta| {
                    labels.push(two_letters(meta.id()).unwrap_or_default());
                    region_patterns(meta, u16::try_from(labels.len()).ok()?)
                })
                .collect();
            let start = patterns.map_or_else(
                || {
                    not_understood.push(code);
                    DEAD
                },
                |all| builder.add(&all, MAX_DIGITS - code.to_string().len()),
            );
            let main = metas.first();
            *place = Some(Country {
                start,
                trunk: main
                    .and_then(|meta| meta.national_prefix())
                    .map(str::to_owned),
                main: main.and_then(|meta| two_letters(meta.id())),
                other_names: OTHER_NAMES.contains(&code),
            });
            regions.extend(metas.iter().filter_map(|meta| dialling(meta)));
        }
        regions.sort_by_key(|r| r.id);
        Self {
            countries,
            automaton: builder.finish(),
            regions,
            labels,
            #[cfg(test)]
            not_understood,
        }
    }

    /// How many states the automaton has.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.automaton.len()
    }
}

/// The two capital letters of a region; services without a country have `001`.
pub(super) fn two_letters(id: &str) -> Option<[u8; 2]> {
    let id: [u8; 2] = id.as_bytes().try_into().ok()?;
    u8_letters(&id).then_some(id)
}

fn u8_letters(id: &[u8; 2]) -> bool {
    id.iter().all(u8::is_ascii_uppercase)
}

fn dialling(meta: &Metadata) -> Option<Dialling> {
    Some(Dialling {
        id: two_letters(meta.id())?,
        code: meta.country_code(),
        trunk: meta.national_prefix().map(str::to_owned),
        before: meta
            .national_prefix_for_parsing()
            .map(|re| Prefix::new(re.as_str())),
        becomes: meta.national_prefix_transform_rule().map(str::to_owned),
        abroad: meta
            .international_prefix()
            .map(|re| Prefix::new(re.as_str())),
    })
}

/// `None` if a pattern is not understood.
fn region_patterns(meta: &Metadata, label: u16) -> Option<RegionPatterns> {
    let all = meta.descriptors();
    // The kinds that make a number a phone number; the others (emergency,
    // short codes, carrier codes) do not.
    let kinds = [
        all.fixed_line(),
        all.mobile(),
        all.toll_free(),
        all.premium_rate(),
        all.shared_cost(),
        all.personal_number(),
        all.voip(),
        all.pager(),
        all.uan(),
        all.voicemail(),
    ];
    let leading = match meta.leading_digits() {
        Some(re) => Some(pattern::parse(re.as_str())?),
        None => None,
    };
    Some(RegionPatterns {
        label,
        leading,
        general: Some(kind(all.general())?),
        kinds: kinds
            .into_iter()
            .flatten()
            .map(kind)
            .collect::<Option<_>>()?,
    })
}

fn kind(descriptor: &Descriptor) -> Option<Kind> {
    let lengths = descriptor.possible_length();
    let bits = lengths
        .iter()
        .filter(|n| **n < 32)
        .fold(0, |bits, n| bits | 1u32 << n);
    // A list of impossible lengths must not come to mean "any length".
    let bits = if bits == 0 && !lengths.is_empty() {
        1
    } else {
        bits
    };
    Some(Kind {
        pattern: pattern::parse(descriptor.national_number().as_str())?,
        lengths: bits,
    })
}
