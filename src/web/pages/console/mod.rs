//! The console's pages.

mod figures;
mod operator;
mod reports;
mod sign_in;

pub use figures::{ConsoleFigures, FigureDay};
pub use operator::{
    AgencyLine, CompanyLine, ConsoleHandover, ConsoleOnBehalf, ConsoleOverview, KeyLine,
    OverdueCompany,
};
pub use reports::{
    AgencyCount, AnswerBox, AnswerError, ConsoleAgencies, ConsoleReport, ConsoleReports,
    FilterForm, ReportLine,
};
pub use sign_in::{ConsoleSignIn, KeyError};

use super::super::texts::ConsoleTexts;

/// Who is in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleRole {
    /// A company.
    Seller,
    /// A regulator.
    Regulator,
    /// Whoever runs the register.
    Operator,
}

/// The links between the console's pages, and the way out.
#[derive(Debug, Clone, Copy)]
pub struct Nav<'a> {
    /// Who is here.
    pub role: ConsoleRole,
    /// The company's name, for a seller.
    pub company: Option<&'a str>,
    /// The path of this page, or of the page that it belongs to.
    pub here: &'a str,
    /// Ties the form that leads out to this browser.
    pub token: &'a str,
}

impl<'a> Nav<'a> {
    fn links(&self, texts: &ConsoleTexts) -> Vec<(&'static str, &'static str)> {
        let reports = ("/console/reports", texts.reports_title);
        match self.role {
            ConsoleRole::Seller => vec![reports, ("/console/agencies", texts.agencies_title)],
            ConsoleRole::Regulator => vec![reports, ("/console/figures", texts.figures_title)],
            ConsoleRole::Operator => vec![
                ("/console", texts.overview_title),
                ("/console/on-behalf", texts.behalf_title),
            ],
        }
    }

    fn is_here(&self, path: &str) -> bool {
        self.here == path
    }

    /// In whose name somebody is here.
    fn name(&self, texts: &ConsoleTexts) -> &'a str {
        match self.role {
            ConsoleRole::Seller => self.company.unwrap_or(texts.role_seller),
            ConsoleRole::Regulator => texts.role_regulator,
            ConsoleRole::Operator => texts.role_operator,
        }
    }
}
