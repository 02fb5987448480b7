//! What a person typed, and what is wrong with it.

use std::collections::BTreeSet;

use actix_web::web::Payload;
use serde::{Deserialize, Serialize};

use super::pages::{Channels as ShownChannels, FormError, NumberBox, OptOutForm, SellerChoice};
use crate::api::{Problem, State, read_body};
use crate::domain::{
    Channel, Channels, MOST_SELLERS, Notation, PhoneError, PhoneNumber, Region, SellerId,
};
use crate::service::Sellers;

/// The fields of a form, in the order they came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the body of a form.
    pub(super) async fn read(state: &State, payload: Payload) -> Result<Self, Problem> {
        let body = read_body(payload, &state.settings.http).await?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// One more field.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// This value and no other for this field.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.push(name, value);
    }

    /// The field's value, which goes.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let value = self.get(name).map(str::to_owned);
        self.remove(name);
        value
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// Every field and its value, in their order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Everything but the fields of these names.
    pub(super) fn without(&self, names: &[&str]) -> Vec<(&str, &str)> {
        let others = self
            .0
            .iter()
            .filter(|(name, _)| !names.contains(&name.as_str()));
        others
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// The same, with every line of a field that is not blank as a field `to` of its own.
    pub(super) fn with_lines_of(&self, from: &str, to: &str) -> Self {
        let fields = self.0.iter().flat_map(|(name, value)| {
            if name == from {
                let lines = value.lines().filter(|line| !line.trim().is_empty());
                lines.map(|line| (to.to_owned(), line.to_owned())).collect()
            } else {
                vec![(name.clone(), value.clone())]
            }
        });
        Self(fields.collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// How many boxes the form begins with: a landline and a mobile.
const BOXES: usize = 2;

/// The opt-out form as it was typed.
#[derive(Debug)]
pub(super) struct Typed {
    numbers: Vec<String>,
    region: String,
    only_chosen: bool,
    sellers: Vec<String>,
    channels: Vec<Channel>,
}

/// The opt-out form as it was meant.
#[derive(Debug)]
pub(super) struct Meant {
    pub numbers: Vec<PhoneNumber>,
    pub sellers: Sellers,
    pub channels: Channels,
    /// Whether a number stood there twice.
    pub merged: bool,
}

/// What is wrong with a form.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub boxes: Vec<Option<PhoneError>>,
    pub form: Vec<FormError>,
}

impl Typed {
    /// The form before anything is typed.
    pub(super) fn blank(state: &State) -> Self {
        Self {
            numbers: vec![String::new(); BOXES],
            region: state.settings.web.default_region.to_ascii_uppercase(),
            only_chosen: false,
            sellers: Vec::new(),
            channels: vec![Channel::Voice, Channel::Text],
        }
    }

    /// The form as a browser sent it.
    pub(super) fn from_fields(fields: &Fields, state: &State) -> Self {
        let default = || state.settings.web.default_region.to_ascii_uppercase();
        let mut numbers: Vec<String> = fields.all("number").map(str::to_owned).collect();
        // Some more than allowed are shown again with the error; a flood is not.
        numbers.truncate(2 * state.service.max_registration_numbers());
        numbers.resize(numbers.len().max(BOXES), String::new());
        Self {
            numbers,
            region: fields.get("region").map_or_else(default, str::to_owned),
            only_chosen: fields.get("scope") == Some("chosen"),
            sellers: fields.all("seller").map(str::to_owned).collect(),
            channels: fields.all("channel").filter_map(Channel::parse).collect(),
        }
    }

    /// Whether there may be one more box.
    pub(super) fn can_add(&self, state: &State) -> bool {
        self.numbers.len() < state.service.max_registration_numbers()
    }

    /// Reads the form as it was meant.
    pub(super) fn read(&self, state: &State) -> Result<Meant, Wrong> {
        let mut wrong = Wrong::default();
        let region = Region::parse(&self.region).ok();
        let mut numbers = Vec::new();
        let mut merged = false;
        for text in &self.numbers {
            let text = text.trim();
            let error = match PhoneNumber::parse(text, region) {
                _ if text.is_empty() => None,
                Ok(number) if numbers.contains(&number) => {
                    merged = true;
                    None
                }
                Ok(number) => {
                    numbers.push(number);
                    None
                }
                Err(error) => Some(error),
            };
            wrong.boxes.push(error);
        }
        let typed = self.numbers.iter().filter(|text| !text.trim().is_empty());
        let max = state.service.max_registration_numbers();
        match typed.count() {
            0 => wrong.form.push(FormError::NoNumber),
            count if count > max => wrong.form.push(FormError::TooManyNumbers { max }),
            _ => {}
        }
        let known = state.service.directory().known();
        let chosen: BTreeSet<SellerId> = self
            .sellers
            .iter()
            .filter_map(|id| SellerId::parse(id).ok())
            .filter(|id| known.sellers.contains_key(id))
            .collect();
        if self.only_chosen && chosen.is_empty() {
            wrong.form.push(FormError::NoCompany);
        }
        if self.only_chosen && chosen.len() > MOST_SELLERS {
            wrong.form.push(FormError::TooManyCompanies);
        }
        let channels = Channels::of(&self.channels);
        let Some(channels) = channels else {
            wrong.form.push(FormError::NoChannel);
            return Err(wrong);
        };
        if !wrong.form.is_empty() || wrong.boxes.iter().any(Option::is_some) {
            return Err(wrong);
        }
        Ok(Meant {
            numbers,
            sellers: match self.only_chosen {
                true => Sellers::Chosen(chosen.into_iter().collect()),
                false => Sellers::All,
            },
            channels,
            merged,
        })
    }

    /// The numbers that are not blank, and the country they were typed for.
    pub(super) fn numbers(&self) -> (Vec<&str>, Notation) {
        let numbers = self.numbers.iter().map(|text| text.trim());
        (
            numbers.filter(|text| !text.is_empty()).collect(),
            Region::parse(&self.region).ok().into(),
        )
    }

    /// What the next page carries along in hidden fields.
    pub(super) fn carried(&self) -> Vec<(&str, &str)> {
        let mut carried = Vec::new();
        let numbers = self.numbers.iter().filter(|text| !text.trim().is_empty());
        carried.extend(numbers.map(|text| ("number", text.as_str())));
        carried.push(("region", self.region.as_str()));
        carried.push(("scope", if self.only_chosen { "chosen" } else { "all" }));
        carried.extend(self.sellers.iter().map(|id| ("seller", id.as_str())));
        let channels = Channels::of(&self.channels);
        for (channel, word) in [(Channel::Voice, "voice"), (Channel::Text, "text")] {
            if channels.is_some_and(|channels| channels.covers(channel)) {
                carried.push(("channel", word));
            }
        }
        carried
    }

    /// Fills the form's view. `sellers` are ids and names, in the order they are shown.
    pub(super) fn show<'a>(
        &'a self,
        wrong: &Wrong,
        sellers: &'a [(String, String)],
        state: &State,
        mut view: OptOutForm<'a>,
    ) -> OptOutForm<'a> {
        let boxes = self.numbers.iter().enumerate().map(|(place, value)| {
            let error = wrong.boxes.get(place).copied().flatten();
            NumberBox {
                value: value.as_str(),
                error,
            }
        });
        view.boxes = boxes.collect();
        view.can_add = self.can_add(state);
        view.region = &self.region;
        view.only_chosen = self.only_chosen;
        view.sellers = sellers
            .iter()
            .map(|(id, name)| SellerChoice {
                id,
                name,
                checked: self.sellers.contains(id),
            })
            .collect();
        view.channels = ShownChannels {
            voice: self.channels.contains(&Channel::Voice),
            text: self.channels.contains(&Channel::Text),
        };
        view.errors = wrong.form.clone();
        view
    }
}
