//! Pictures for the regulator, each with its table.

use askama::Template;

use super::super::super::texts::{Language, fill};
use super::super::Frame;
use super::Nav;

/// The checks of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureDay {
    /// The day, in words.
    pub label: String,
    /// How often the answer was not to call, not on the list, and not a number.
    pub figures: [u64; 3],
}

/// `GET /console/figures`.
#[derive(Debug, Template)]
#[template(path = "console_figures.html")]
pub struct ConsoleFigures<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// Where this page is, with its days.
    pub address: String,
    /// For how many days.
    pub days: u32,
    /// For how many days else they can be seen.
    pub others: Vec<u32>,
    /// Checks by day and answer.
    pub checks_plot: String,
    /// The same, the newest day first; only days on which somebody asked.
    pub checks: Vec<FigureDay>,
    /// Reports by company.
    pub companies_plot: String,
    /// The same.
    pub companies: Vec<(String, u64)>,
    /// Calls without a check that counts, by agency.
    pub agencies_plot: String,
    /// The same.
    pub agencies: Vec<(String, u64)>,
}

impl ConsoleFigures<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().console.figures_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some(&self.address)
    }

    fn lede(&self) -> String {
        self.span(self.frame.texts().console.figures_lede, &self.days)
    }

    fn other(&self, days: &u32) -> String {
        self.span(self.frame.texts().console.figures_other, days)
    }

    fn span(&self, text: &str, days: &u32) -> String {
        fill(text, "n", &days.to_string())
    }
}
