//! What lets somebody recognise a number in the log: its openings, or the key of a month; believed
//! only when the log itself bears them out.

use std::path::Path;

use data_encoding::HEXLOWER;

use super::search::{Found, SLACK, first_time, last_time};
use crate::cli::Failure;
use crate::cli::audit::release_month::MONTH_KEY;
use crate::cli::output::note;
use crate::domain::{Detail, Moment, Month, Op, PhoneNumber, Pseudonym};
use crate::log::bundle::SignedLog;
use crate::log::{KeyKind, LogName, Note, Verifier};
use crate::privacy::{MonthKey, Opening};
use crate::service::record::opening::OPENINGS;

/// The number's names in the log, and how the log must bear them out.
pub(super) struct Permit {
    /// How the log names the number, by month.
    pub(super) names: Vec<(Month, Pseudonym)>,
    source: Source,
}

enum Source {
    /// Signed openings, given out at this time.
    Openings(Moment),
    /// A released key with this commitment.
    MonthKey([u8; 32]),
}

impl Permit {
    /// The openings in a file, signed by the service that wrote the log and of this number.
    pub(super) fn of_openings(
        file: &Path,
        name: &str,
        number: &PhoneNumber,
        keys: &[Verifier],
        logs: &[SignedLog],
    ) -> Result<Self, Failure> {
        let refused =
            |why: &str| Failure::new(format!("the openings in {name} cannot be relied on: {why}"));
        let signed =
            Note::parse(&read(file, name)?).map_err(|error| refused(&error.to_string()))?;
        let mut lines = signed.text.lines();
        if lines.next() != Some(OPENINGS) {
            return Err(refused("this is a signed text, but not one of openings"));
        }
        let base = lines.next().unwrap_or_default();
        if !logs
            .iter()
            .any(|log| is_log_of(&log.checkpoint.origin, base))
        {
            return Err(refused("they are of another registry than the bundle"));
        }
        let known = keys
            .iter()
            .filter(|key| key.kind() == KeyKind::Log && is_log_of(key.name(), base))
            .filter_map(|key| Verifier::new(base, KeyKind::Log, &key.public_key()).ok());
        let known: Vec<Verifier> = known.collect();
        signed
            .verify(&known)
            .map_err(|error| refused(&error.to_string()))?;
        let time = lines.next().and_then(|line| line.strip_prefix("time "));
        let time = time.and_then(|time| time.parse().ok());
        let time = time.ok_or_else(|| refused("they do not say when they were given out"))?;
        let mut names = Vec::new();
        for line in lines {
            let (month, opening, pn) =
                read_line(line).ok_or_else(|| refused("a line is not an opening"))?;
            if opening.pseudonym(number) != pn {
                return Err(refused(&format!(
                    "that of {month} is the opening of another number, or wrong"
                )));
            }
            names.push((month, pn));
        }
        match names.is_empty() {
            true => Err(refused("they open no month")),
            false => Ok(Self {
                names,
                source: Source::Openings(time),
            }),
        }
    }

    /// The key of a month, as it was released.
    pub(super) fn of_month_key(file: &Path, number: &PhoneNumber) -> Result<Self, Failure> {
        // It is a secret still: nothing of it is repeated.
        let text = String::from_utf8(read(file, &file.display().to_string())?).unwrap_or_default();
        let (month, key) = read_month_key(&text).ok_or_else(|| {
            Failure::new(format!(
                "{} does not hold the key of a month as `metrust audit release-month` prints it",
                file.display()
            ))
        })?;
        let pn = key.opening(number).pseudonym(number);
        Ok(Self {
            names: vec![(month, pn)],
            source: Source::MonthKey(key.commitment()),
        })
    }

    /// The months that it opens, as they are written.
    pub(super) fn months(&self) -> Vec<String> {
        self.names
            .iter()
            .map(|(month, _)| month.to_string())
            .collect()
    }

    /// The month whose key must be found in the log, if it is a month's key.
    pub(super) fn month_to_confirm(&self) -> Option<Month> {
        match self.source {
            Source::Openings(_) => None,
            Source::MonthKey(_) => self.names.first().map(|(month, _)| *month),
        }
    }

    /// Whether the log bears it out. What the bundle cannot tell is a warning.
    pub(super) fn confirm(&self, found: &Found, logs: &mut [SignedLog]) -> Result<(), Failure> {
        match self.source {
            Source::Openings(time) => self.confirm_openings(time, found, logs),
            Source::MonthKey(commitment) => confirm_key(commitment, found),
        }
    }

    /// Whoever is given openings leaves an entry for each.
    fn confirm_openings(
        &self,
        time: Moment,
        found: &Found,
        logs: &mut [SignedLog],
    ) -> Result<(), Failure> {
        let recorded = |month: &Month, pn: &Pseudonym| {
            found.hits.iter().any(|hit| {
                let Some(Detail::Opened { month: opened }) = &hit.entry.context.detail else {
                    return false;
                };
                hit.entry.context.op == Op::Opening
                    && hit.entry.pn == Some(*pn)
                    && *opened == month.to_string()
                    && hit.entry.time.plus(SLACK) >= time
            })
        };
        let missing = self.names.iter().find(|(month, pn)| !recorded(month, pn));
        let Some((month, _)) = missing else {
            return Ok(());
        };
        let reaches = reaches_past(time, logs).map_err(|error| Failure::new(error.to_string()))?;
        if reaches {
            return Err(Failure::new(format!(
                "the opening of {month} cannot be relied on: the log has no entry that says that \
                 it was given out at {time}, though the bundle reaches past that time\n  remedy:     \
                 ask for the openings anew with `metrust audit openings`; if that is how they were \
                 got, tell the regulator: openings were given out behind the log's back"
            )));
        }
        note(&format!(
            "WARNING: the bundle does not hold the entries of {time}, when the openings were given \
             out, or ends too soon after: whether that is on record cannot be told from it."
        ));
        Ok(())
    }
}

fn confirm_key(commitment: [u8; 32], found: &Found) -> Result<(), Failure> {
    if found.commitments.is_empty() {
        return Err(Failure::new(
            "the key cannot be relied on: the bundle has no entry that says what key this month \
             has\n  remedy:     use a bundle that begins before that month",
        ));
    }
    if !found.commitments.contains(&commitment) {
        return Err(Failure::new(
            "the key cannot be relied on: the log says that this month has another one",
        ));
    }
    if !found.released {
        note(
            "WARNING: the bundle has no entry that says that this key was released; it may be older \
             than the release.",
        );
    }
    Ok(())
}

/// Whether everything that was recorded around this time is in the bundle, and more after it.
fn reaches_past(
    time: Moment,
    logs: &mut [SignedLog],
) -> Result<bool, crate::log::bundle::ReadError> {
    let year = |log: &SignedLog| log.name.parse::<LogName>().map_or(0, LogName::year);
    let mut since: Vec<&mut SignedLog> = logs
        .iter_mut()
        .filter(|log| year(log) >= time.year())
        .collect();
    let whole = |log: &SignedLog| log.content == (0..log.checkpoint.size);
    let Some((last, before)) = since.split_last_mut() else {
        return Ok(false);
    };
    let ends = last.content.end == last.checkpoint.size;
    let late = last_time(last)?.is_some_and(|last| last > time.plus(SLACK));
    let first = before.first_mut().unwrap_or(last);
    let begins = year(first) == time.year()
        && first.content.end == first.checkpoint.size
        && (first.content.start == 0
            || first_time(first)?.is_some_and(|first| first.plus(SLACK) < time));
    Ok(ends && late && begins && before.iter().skip(1).all(|log| whole(log)))
}

/// Whether this is the origin of a log of the registry with that base.
fn is_log_of(origin: &str, base: &str) -> bool {
    let name = origin
        .strip_prefix(base)
        .and_then(|name| name.strip_prefix('/'));
    name.is_some_and(|name| name.parse::<LogName>().is_ok())
}

fn read(file: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))
}

fn read_line(line: &str) -> Option<(Month, Opening, Pseudonym)> {
    let mut parts = line.split(' ');
    let month = parts.next()?.parse().ok()?;
    let opening = Opening::from_bytes(hex(parts.next()?)?);
    let pn = Pseudonym(hex(parts.next()?)?);
    parts.next().is_none().then_some((month, opening, pn))
}

fn read_month_key(text: &str) -> Option<(Month, MonthKey)> {
    let mut lines = text.lines();
    (lines.next()? == MONTH_KEY).then_some(())?;
    let month = lines.next()?.strip_prefix("month ")?.parse().ok()?;
    let key = MonthKey::from_bytes(hex(lines.next()?.strip_prefix("key ")?)?);
    let commitment: [u8; 32] = hex(lines.next()?.strip_prefix("commitment ")?)?;
    (lines.next().is_none() && key.commitment() == commitment).then_some((month, key))
}

fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}
