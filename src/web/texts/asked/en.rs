//! English.

use super::AskedTexts;

/// The texts about who asked.
pub const EN: AskedTexts = AskedTexts {
    asked_title: "Who asked about my number",
    asked_lede: "Companies that use this register check here before they call.",
    asked_all: "Here you see each check of your numbers, with our answer.",
    asked_chosen: "Here you see the checks by the companies you chose, with our answer. Checks by other companies are not shown.",
    asked_only_calls: "Your registration is for phone calls alone: checks for text messages alone are not shown.",
    asked_only_texts: "Your registration is for text messages alone: checks for phone calls alone are not shown.",
    asked_since: "This begins on {since}, when you registered. What came before is not shown: we do not ask anybody to prove that a number is theirs.",
    asked_none: "No checks here so far.",
    asked_opening: "Somebody who may read the log looked up this number: the regulator, those who run this register, or you yourself for your evidence.",
    asked_plot: "Questions per day",
    asked_more: "Here you see the newest {n}. The file has more of them.",
    asked_download: "Download as a table",
    column_time: "Time",
    column_number: "Number",
    column_agency: "Call centre",
    column_company: "Company",
    column_channel: "What for",
    column_answer: "Our answer",
    column_entry: "Number in the log",
};
