//! Dutch, for Flanders and the Netherlands alike.

use super::AskedTexts;

/// The texts about who asked.
pub const NL: AskedTexts = AskedTexts {
    asked_title: "Wie vroeg naar mijn nummer",
    asked_lede: "Voor ze bellen, moeten bedrijven het hier vragen. Dit is elke vraag naar uw nummer, met ons antwoord.",
    asked_since: "Dit begint op {since}, toen u zich inschreef. Wat daarvoor was, tonen we niet: we vragen niemand te bewijzen dat een nummer van hem is.",
    asked_none: "Nog niemand heeft het gevraagd. Ook dat zegt iets: wie u nu belt, heeft niet eerst hier gekeken.",
    asked_opening: "Iemand die het logboek mag lezen, zocht dit nummer op: de toezichthouder, of uzelf voor uw bewijs.",
    asked_plot: "Vragen per dag",
    asked_more: "Hier ziet u de nieuwste {n}. In het bestand staan er meer.",
    asked_download: "Downloaden als tabel",
    column_time: "Tijd",
    column_number: "Nummer",
    column_agency: "Callcenter",
    column_company: "Bedrijf",
    column_channel: "Waarvoor",
    column_answer: "Ons antwoord",
    column_entry: "Nummer in het logboek",
};
