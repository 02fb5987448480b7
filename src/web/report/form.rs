//! What a person typed about a call, and what is wrong with it.

use std::time::Duration;

use crate::api::State;
use crate::domain::Moment;
use crate::domain::{PhoneError, PhoneNumber, Region, SellerId};
use crate::service::report::{Company, LONGEST_NAME, LONGEST_WORDS, Told};
use crate::web::form::Fields;
use crate::web::moment::{Clock, read_day, read_time_of_day};
use crate::web::pages::{ReportError, SURE};
use crate::web::texts::Language;

/// The choice of a company that is not in the list. No id of a seller has a colon.
const OTHER: &str = "other:";

/// The choice when the caller did not say.
const UNSAID: &str = "unsaid:";

/// The form as it was typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// One of the code's own numbers, or `other`.
    pub own: String,
    pub number: String,
    pub region: String,
    pub company: String,
    pub company_name: String,
    pub date: String,
    pub time: String,
    pub sure: String,
    pub caller: String,
    pub words: String,
}

/// What is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub number: Option<PhoneError>,
    pub form: Vec<ReportError>,
    /// Authorities to turn to where we cannot help: their names and addresses.
    pub beyond: Vec<(String, String)>,
}

/// A company by its name: one of the list, however it is written, or another one.
fn named(state: &State, name: &str) -> Company {
    let plain = |name: &str| {
        let words: Vec<_> = name.split_whitespace().collect();
        words.join(" ").to_lowercase()
    };
    let known = state.service.directory().known();
    let wanted = plain(name);
    let mut sellers = known.sellers.iter();
    let listed = sellers.find(|(_, seller)| plain(&seller.name) == wanted);
    listed.map_or_else(
        || Company::Named(name.to_owned()),
        |(id, _)| Company::Known(id.clone()),
    )
}

impl Typed {
    pub(super) fn blank(state: &State) -> Self {
        Self {
            region: state.settings.web.default_region.to_ascii_uppercase(),
            sure: SURE[1].to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn from_fields(fields: &Fields, state: &State) -> Self {
        let blank = Self::blank(state);
        let text = |name: &str| fields.get(name).unwrap_or_default().to_owned();
        let sure = SURE
            .into_iter()
            .find(|word| fields.get("sure") == Some(word));
        Self {
            own: text("own"),
            number: text("number"),
            region: fields.get("region").map_or(blank.region, str::to_owned),
            company: text("company"),
            company_name: text("company-name"),
            date: text("date"),
            time: text("time"),
            sure: sure.map_or(blank.sure, str::to_owned),
            caller: text("caller"),
            // Browsers send a line's end as two signs.
            words: text("words").replace("\r\n", "\n"),
        }
    }

    /// Reads the form as it was meant. `own` are the numbers of the code that is open.
    pub(super) fn read(
        &self,
        state: &State,
        own: &[PhoneNumber],
        clock: Clock,
        language: Language,
    ) -> Result<Told, Wrong> {
        let mut wrong = Wrong::default();
        let number = self.number(own, &mut wrong);
        let company = self.company(state, &mut wrong.form);
        let range = self.range(clock, &mut wrong.form);
        let long = |text: &str, most: usize| text.chars().count() > most;
        if long(&self.company_name, LONGEST_NAME) {
            wrong.form.push(ReportError::LongName(LONGEST_NAME));
        }
        if long(&self.caller, LONGEST_NAME) {
            wrong.form.push(ReportError::LongCaller(LONGEST_NAME));
        }
        if long(&self.words, LONGEST_WORDS) {
            wrong.form.push(ReportError::LongWords(LONGEST_WORDS));
        }
        match (number, company, range) {
            (Some(number), Some(company), Some((from, to)))
                if wrong.form.is_empty() && wrong.number.is_none() =>
            {
                Ok(Told {
                    number,
                    from,
                    to,
                    company,
                    caller: self.caller.trim().to_owned(),
                    words: self.words.trim().to_owned(),
                    language: language.code().to_owned(),
                })
            }
            _ => Err(wrong),
        }
    }

    fn number(&self, own: &[PhoneNumber], wrong: &mut Wrong) -> Option<PhoneNumber> {
        let chosen = own.iter().find(|number| number.e164() == self.own);
        if let Some(number) = chosen {
            return Some(*number);
        }
        let text = self.number.trim();
        if text.is_empty() {
            wrong.form.push(ReportError::NoNumber);
            return None;
        }
        let read = PhoneNumber::parse(text, Region::parse(&self.region).ok());
        read.map_err(|error| wrong.number = Some(error)).ok()
    }

    fn company(&self, state: &State, wrong: &mut Vec<ReportError>) -> Option<Company> {
        let name = self.company_name.trim();
        match self.company.as_str() {
            // A name was typed, so that is what was meant.
            OTHER | "" if !name.is_empty() => Some(named(state, name)),
            OTHER => {
                wrong.push(ReportError::NoCompanyName);
                None
            }
            UNSAID => Some(Company::Unsaid),
            id => {
                let known = state.service.directory().known();
                let id = SellerId::parse(id).ok();
                let id = id.filter(|id| known.sellers.contains_key(id));
                if id.is_none() {
                    wrong.push(ReportError::NoCompany);
                }
                id.map(Company::Known)
            }
        }
    }

    /// The time within which the call came.
    fn range(&self, clock: Clock, wrong: &mut Vec<ReportError>) -> Option<(Moment, Moment)> {
        const MINUTE: Duration = Duration::from_secs(60);
        let Some(day) = read_day(&self.date) else {
            wrong.push(ReportError::Date);
            return None;
        };
        // Of an hour that a clock shows twice both are meant.
        let ((first, last), around) = if self.sure == SURE[3] {
            // To the next midnight: the day of the change has 25 hours, or 23.
            (
                (clock.at(day, 0).0, clock.at(day, 24 * 60).0),
                Duration::ZERO,
            )
        } else {
            let Some(minutes) = read_time_of_day(&self.time) else {
                wrong.push(ReportError::Time);
                return None;
            };
            let around = match self.sure.as_str() {
                "exact" => 5 * MINUTE,
                "rough" => 120 * MINUTE,
                _ => 30 * MINUTE,
            };
            (clock.at(day, minutes), around)
        };
        let now = Moment::now();
        let (from, to) = (first.minus(around), last.plus(around));
        // A clock at home may be a few minutes fast.
        if first.minus(5 * MINUTE) > now {
            wrong.push(ReportError::Future);
            return None;
        }
        Some((from.min(now), to.min(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_a_time_is_all_of_it_also_where_the_clock_is_set() {
        for (date, from, to) in [
            ("2025-10-26", "2025-10-25T22:00", "2025-10-26T23:00"),
            ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
            ("2026-07-01", "2026-06-30T22:00", "2026-07-01T22:00"),
        ] {
            let typed = Typed {
                date: date.to_owned(),
                sure: SURE[3].to_owned(),
                ..Typed::default()
            };
            let clock = Clock::of("Europe/Brussels", "");
            let range = typed.range(clock, &mut Vec::new()).unwrap();
            let told = (range.0.to_string(), range.1.to_string());
            assert!(
                told.0.starts_with(from) && told.1.starts_with(to),
                "{told:?}"
            );
        }
    }
}
