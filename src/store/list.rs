//! Lists of documents, read page by page.
//!
//! A document stands in the lists that its [`Draft`] names, in each of them at a moment. The store
//! changes them in the same step as the document, so none ever leads to what is not there.
//!
//! An entry of a list is a text, `<list>/<milliseconds>/<id>`, and lists are ranges of such texts:
//! both engines keep them sorted.

use super::{Document, Kind};
use crate::domain::Moment;

/// The list that is in the order of ids.
const BY_ID: &str = "by_id";

/// What a document is to be: its content, and the lists that it stands in.
#[derive(Debug, Clone)]
pub struct Draft {
    /// JSON.
    pub body: String,
    /// Where it stands in lists: what an entry says before the id.
    places: Vec<String>,
}

impl From<String> for Draft {
    fn from(body: String) -> Self {
        let places = Vec::new();
        Self { body, places }
    }
}

impl Draft {
    /// The same, in a list, at a moment. A list's name holds letters, digits, `-`, `_` and `=`.
    #[must_use]
    pub fn listed(mut self, list: &str, at: Moment) -> Self {
        self.places.push(place(list, at));
        self
    }

    /// The same, in the list of all of its kind, if there is one.
    pub(super) fn with_kind(mut self, kind: Kind) -> Self {
        if kind.is_listed() {
            self.places.push(format!("{BY_ID}/"));
        }
        self
    }

    /// Its places, as one text that stands with the document. It holds no colon.
    pub(super) fn places(&self) -> String {
        self.places.join(" ")
    }
}

/// Where something of a moment stands in a list; what is from before 1970 stands there with it.
fn place(list: &str, at: Moment) -> String {
    format!("{list}/{:016}", at.millis().max(0))
}

/// The entries of a document whose places are these.
pub(super) fn entries<'a>(places: &'a str, id: &'a str) -> impl Iterator<Item = String> + 'a {
    let places = places.split_terminator(' ');
    places.map(move |place| format!("{place}/{id}"))
}

/// The id in an entry.
pub(super) fn id_of(entry: &str) -> &str {
    entry.splitn(3, '/').nth(2).unwrap_or_default()
}

/// What is still to be read of a list: see [`Store::page`](super::Store::page).
#[derive(Debug, Clone)]
pub struct List {
    pub(super) kind: Kind,
    name: String,
    pub(super) newest_first: bool,
    /// From this entry on.
    pub(super) low: String,
    /// Before this entry.
    pub(super) high: String,
}

impl List {
    /// A list of documents of a kind, the oldest first.
    #[must_use]
    pub fn of(kind: Kind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            newest_first: false,
            low: format!("{name}/"),
            // The next sign after the stroke.
            high: format!("{name}0"),
        }
    }

    /// All documents of a kind for which [`Kind::is_listed`] holds, in the order of their ids.
    #[must_use]
    pub fn all(kind: Kind) -> Self {
        Self::of(kind, BY_ID)
    }

    /// The same, the newest first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// What stands at this moment or later.
    #[must_use]
    pub fn from(mut self, at: Moment) -> Self {
        self.low = place(&self.name, at);
        self
    }

    /// What stands before this moment.
    #[must_use]
    pub fn before(mut self, at: Moment) -> Self {
        self.high = place(&self.name, at);
        self
    }

    /// What comes behind an entry, in the order of the list; nothing where that is an entry of
    /// another one.
    #[must_use]
    pub fn after(mut self, entry: &str) -> Option<Self> {
        let rest = entry.strip_prefix(&*self.name)?;
        rest.starts_with('/').then(|| {
            self.pass(entry);
            self
        })
    }

    /// Goes on behind an entry.
    pub(super) fn pass(&mut self, entry: &str) {
        if self.newest_first {
            self.high = entry.to_owned().min(std::mem::take(&mut self.high));
        } else {
            self.low = format!("{entry}\0").max(std::mem::take(&mut self.low));
        }
    }
}

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its entry: where the list goes on behind it.
    pub entry: String,
    /// Its id.
    pub id: String,
    /// The document.
    pub document: Document,
}
