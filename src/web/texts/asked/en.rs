//! English.

use super::AskedTexts;

/// The texts about who asked.
pub const EN: AskedTexts = AskedTexts {
    asked_title: "Who asked about my number",
    asked_lede: "Before calling, companies have to ask here. This is every question about your number, and our answer.",
    asked_since: "This begins on {since}, when you registered. What came before is not shown: we do not ask anybody to prove that a number is theirs.",
    asked_none: "Nobody has asked so far. That says something too: whoever calls you now has not looked here first.",
    asked_opening: "Somebody who may read the log looked up this number: the regulator, or you yourself for your evidence.",
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
