//! French.

use super::AskedTexts;

/// The texts about who asked.
pub const FR: AskedTexts = AskedTexts {
    asked_title: "Qui a vérifié mon numéro",
    asked_lede: "Les entreprises qui utilisent ce registre vérifient ici avant d’appeler.",
    asked_all: "Voici chaque vérification de vos numéros, avec notre réponse.",
    asked_chosen: "Voici les vérifications faites par les entreprises que vous avez choisies, avec notre réponse. Celles des autres entreprises ne sont pas montrées.",
    asked_only_calls: "Votre inscription ne vaut que pour des appels\u{a0}: les vérifications pour des SMS seulement ne sont pas montrées.",
    asked_only_texts: "Votre inscription ne vaut que pour des SMS\u{a0}: les vérifications pour des appels seulement ne sont pas montrées.",
    asked_since: "Cela commence le {since}, à votre inscription. Ce qui précède n’est pas montré\u{a0}: nous ne demandons à personne de prouver qu’un numéro est le sien.",
    asked_none: "Pas encore de vérification ici.",
    asked_opening: "Quelqu’un qui peut lire le journal a cherché ce numéro\u{a0}: l’autorité de contrôle, les gestionnaires de ce registre, ou vous-même pour vos preuves.",
    asked_plot: "Vérifications par jour",
    asked_more: "Vous voyez ici les {n} plus récentes. Le fichier en contient plus.",
    asked_download: "Télécharger en tableau",
    column_time: "Moment",
    column_number: "Numéro",
    column_agency: "Centre d’appels",
    column_company: "Entreprise",
    column_channel: "Pour quoi",
    column_answer: "Notre réponse",
    column_entry: "Numéro dans le journal",
};
