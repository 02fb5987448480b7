//! French.

use super::AskedTexts;

/// The texts about who asked.
pub const FR: AskedTexts = AskedTexts {
    asked_title: "Qui a demandé mon numéro",
    asked_lede: "Avant d’appeler, les entreprises doivent demander ici. Voici chaque question sur votre numéro, et notre réponse.",
    asked_since: "Cela commence le {since}, à votre inscription. Ce qui précède n’est pas montré\u{a0}: nous ne demandons à personne de prouver qu’un numéro est le sien.",
    asked_none: "Personne n’a encore demandé. Cela dit aussi quelque chose\u{a0}: celui qui vous appelle maintenant n’a pas regardé ici d’abord.",
    asked_opening: "Quelqu’un qui peut lire le journal a cherché ce numéro\u{a0}: l’autorité de contrôle, ou vous-même pour vos preuves.",
    asked_plot: "Questions par jour",
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
