//! Dutch, for Flanders and the Netherlands alike.

use super::AskedTexts;

/// The texts about who asked.
pub const NL: AskedTexts = AskedTexts {
    asked_title: "Wie controleerde mijn nummer",
    asked_lede: "Bedrijven die dit register gebruiken, controleren hier vóór ze bellen.",
    asked_all: "Hier ziet u elke controle van uw nummers, met ons antwoord.",
    asked_chosen: "Hier ziet u de controles door de bedrijven die u koos, met ons antwoord. Controles door andere bedrijven ziet u hier niet.",
    asked_only_calls: "Uw inschrijving is alleen voor telefoontjes: controles die alleen over sms-berichten gingen, ziet u hier niet.",
    asked_only_texts: "Uw inschrijving is alleen voor sms-berichten: controles die alleen over telefoontjes gingen, ziet u hier niet.",
    asked_since: "Dit begint op {since}, toen u zich inschreef. Wat daarvoor was, tonen we niet: we vragen niemand te bewijzen dat een nummer van hem is.",
    asked_none: "Hier zijn nog geen controles.",
    asked_opening: "Iemand die het logboek mag lezen, zocht dit nummer op: de toezichthouder, wie dit register beheert, of uzelf voor uw bewijs.",
    asked_plot: "Controles per dag",
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
