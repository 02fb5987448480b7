//! Reports, for companies and regulators.

use askama::Template;

use super::super::super::moment::LocalTime;
use super::super::super::texts::{ConsoleTexts, Language, fill};
use super::super::report::{finding_text, state_text};
use super::super::{Frame, Notice, Problem, Report};
use super::{ConsoleRole, Nav};
use crate::domain::{Finding, OptedOut};
use crate::service::report::{LONGEST_ANSWER, State};

/// A report in the list.
#[derive(Debug)]
pub struct ReportLine {
    /// The path of its page.
    pub path: String,
    /// The company's name, if it is known.
    pub company: Option<String>,
    /// The number that was called, in international form.
    pub number: String,
    /// The latest moment of the call.
    pub called: LocalTime,
    /// What was found.
    pub finding: Finding,
    /// How far it is.
    pub state: State,
    /// The seconds left for the answer; below zero it is late. Nothing where none is due.
    pub left: Option<i64>,
}

/// Which reports a regulator wants to see, as it was typed.
#[derive(Debug)]
pub struct FilterForm<'a> {
    /// The id of a company.
    pub company: &'a str,
    /// A finding.
    pub finding: &'a str,
    /// A state.
    pub state: &'a str,
    /// The first day.
    pub from: &'a str,
    /// The last one.
    pub to: &'a str,
    /// Ids and names of the companies.
    pub companies: Vec<(String, String)>,
    /// Whether a part cannot be read.
    pub wrong: bool,
}

impl FilterForm<'_> {
    fn is_company(&self, id: &str) -> bool {
        self.company == id
    }

    fn findings(&self, texts: &ConsoleTexts) -> Vec<(&'static str, &'static str, bool)> {
        let all = Finding::ALL.into_iter();
        all.map(|one| {
            (
                one.as_str(),
                short(texts, one),
                self.finding == one.as_str(),
            )
        })
        .collect()
    }

    fn states(&self, frame: Frame<'_>) -> Vec<(&'static str, &'static str, bool)> {
        let texts = &frame.texts().report;
        let all = State::ALL.into_iter();
        all.map(|one| {
            (
                one.as_str(),
                state_text(texts, one),
                self.state == one.as_str(),
            )
        })
        .collect()
    }
}

/// A finding in a few words, for those who deal with reports.
pub(super) fn short(texts: &ConsoleTexts, finding: Finding) -> &'static str {
    match finding {
        Finding::NotAsked => texts.short_not_asked,
        Finding::ToldNotToCall => texts.short_told_not_to_call,
        Finding::AskedBefore => texts.short_asked_before,
        Finding::AnswerExpired => texts.short_answer_expired,
        Finding::NotOptedOut => texts.short_not_opted_out,
        Finding::UnknownCompany => texts.short_unknown_company,
        Finding::Uncertain => texts.short_uncertain,
        Finding::Asked => texts.short_asked,
    }
}

/// How long an answer may still take, or by how much it is late.
fn time_left(frame: Frame<'_>, seconds: i64) -> String {
    let texts = frame.texts();
    let amount = seconds.unsigned_abs();
    let time = match amount {
        0..172_800 => texts.wait(amount),
        _ => fill(texts.console.days, "n", &(amount / 86_400).to_string()),
    };
    let text = if seconds < 0 {
        texts.console.late
    } else {
        texts.console.left
    };
    fill(text, "time", &time)
}

/// `GET /console/reports`: the list.
#[derive(Debug, Template)]
#[template(path = "console_reports.html")]
pub struct ConsoleReports<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// Whether all of them are shown.
    pub is_all: bool,
    /// Those that are shown.
    pub lines: Vec<ReportLine>,
    /// Where the list goes on.
    pub next: Option<String>,
    /// Where this page is, with its filter.
    pub address: String,
    /// The filter as part of an address; empty without one.
    pub query: &'a str,
    /// The filter, for a regulator.
    pub filter: Option<FilterForm<'a>>,
}

impl ConsoleReports<'_> {
    fn title(&self) -> &'static str {
        self.texts().reports_title
    }

    fn failed(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.wrong)
    }

    fn back(&self) -> Option<&str> {
        Some(&self.address)
    }

    fn texts(&self) -> &'static ConsoleTexts {
        &self.frame.texts().console
    }

    fn lede(&self) -> &'static str {
        match self.nav.role {
            ConsoleRole::Seller => self.texts().reports_seller,
            _ => self.texts().reports_regulator,
        }
    }

    fn item(&self, line: &ReportLine) -> String {
        let texts = self.frame.texts();
        let text = fill(texts.console.call_to, "number", &line.number);
        fill(&text, "when", &line.called.words(texts))
    }

    fn company(&self, line: &ReportLine) -> String {
        let unknown = self.frame.texts().report.company_unknown;
        line.company.as_deref().unwrap_or(unknown).to_owned()
    }

    fn found(&self, line: &ReportLine) -> &'static str {
        short(self.texts(), line.finding)
    }

    fn stands(&self, line: &ReportLine) -> String {
        match line.left {
            Some(seconds) => time_left(self.frame, seconds),
            None => state_text(&self.frame.texts().report, line.state).to_owned(),
        }
    }

    fn count(&self) -> String {
        let text = match self.is_all {
            true => self.texts().count_all,
            false => self.texts().count_some,
        };
        fill(text, "n", &self.lines.len().to_string())
    }

    fn file(&self, ending: &str) -> String {
        match self.query {
            "" => format!("/console/reports.{ending}"),
            query => format!("/console/reports.{ending}?{query}"),
        }
    }
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerError {
    /// There is none.
    Empty,
    /// It has more than so many characters.
    Long(usize),
}

/// The company's answer, while it is written.
#[derive(Debug, Clone, Copy)]
pub struct AnswerBox<'a> {
    /// What was typed.
    pub text: &'a str,
    /// What is wrong with it.
    pub error: Option<AnswerError>,
    /// Whether an answer was given before.
    pub again: bool,
}

/// `GET /console/reports/{id}`: one report.
#[derive(Debug, Template)]
#[template(path = "console_report.html")]
pub struct ConsoleReport<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// The report.
    pub report: Report<'a>,
    /// What the person was told of the finding: less to whoever has no opt-out.
    pub told: Finding,
    /// Whether the number was opted out when the call came.
    pub opted_out: OptedOut,
    /// Since when, if it was.
    pub opted_out_since: Option<LocalTime>,
    /// The seconds left for the answer; below zero it is late.
    pub left: Option<i64>,
    /// Where the answer is written, for the company.
    pub answer: Option<AnswerBox<'a>>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl ConsoleReport<'_> {
    fn title(&self) -> &'static str {
        self.texts().report_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || self.answer_error().is_some()
    }

    fn back(&self) -> Option<&str> {
        // What is typed goes with the form.
        self.answer.is_none().then_some(self.report.path)
    }

    fn texts(&self) -> &'static ConsoleTexts {
        &self.frame.texts().console
    }

    fn found(&self) -> &'static str {
        short(self.texts(), self.report.finding)
    }

    fn told_text(&self) -> &'static str {
        finding_text(
            &self.frame.texts().report,
            self.told,
            self.report.company.is_some(),
        )
    }

    fn opted_out_text(&self) -> &'static str {
        match self.opted_out {
            // Since when stands in its place.
            OptedOut::Listed => "",
            OptedOut::NotListed => self.texts().opted_out_not,
            OptedOut::Uncertain => self.texts().opted_out_uncertain,
            OptedOut::NotShown => self.texts().opted_out_hidden,
        }
    }

    fn stands(&self) -> &'static str {
        state_text(&self.frame.texts().report, self.report.state)
    }

    fn time_left(&self, seconds: &i64) -> String {
        time_left(self.frame, *seconds)
    }

    fn answer_hint(&self) -> String {
        let text = self.texts().answer_hint;
        fill(text, "n", &LONGEST_ANSWER.to_string())
    }

    fn answer_error(&self) -> Option<String> {
        let error = self.answer?.error?;
        Some(match error {
            AnswerError::Empty => self.texts().error_answer_empty.to_owned(),
            AnswerError::Long(most) => {
                fill(self.frame.texts().report.error_long, "n", &most.to_string())
            }
        })
    }

    fn problems(&self) -> Vec<Problem> {
        let problem = |message| Problem {
            field: "text".to_owned(),
            message,
        };
        self.answer_error().map(problem).into_iter().collect()
    }
}

/// What the reports say of an agency.
#[derive(Debug)]
pub struct AgencyCount {
    /// Its name.
    pub name: String,
    /// Reported calls before which it had asked.
    pub reported: usize,
    /// Those that it made although it was told not to call.
    pub told_not_to_call: usize,
    /// Those whose answer was too old: no check counts for them.
    pub unchecked: usize,
}

/// `GET /console/agencies`: a company's agencies.
#[derive(Debug, Template)]
#[template(path = "console_agencies.html")]
pub struct ConsoleAgencies<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// The company.
    pub company: String,
    /// Reported calls before which nobody had asked.
    pub unasked: usize,
    /// The agencies, those with most reported calls first.
    pub agencies: Vec<AgencyCount>,
}

impl ConsoleAgencies<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().console.agencies_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some("/console/agencies")
    }

    fn lede(&self) -> String {
        let text = self.frame.texts().console.agencies_lede;
        fill(text, "company", &self.company)
    }

    fn nobody(&self) -> String {
        let text = self.frame.texts().console.agencies_unasked;
        fill(text, "n", &self.unasked.to_string())
    }
}
