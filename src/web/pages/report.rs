//! Reporting a call: the form, a report, and the list of them.

use askama::Template;

use super::super::moment::LocalTime;
use super::super::texts::{Country, Language, ReportTexts, Texts, countries, country, fill};
use super::form::on_one_line;
use super::{Frame, Notice, NumberBox, Problem, SellerChoice};
use crate::domain::Finding;
use crate::service::report::State;

/// What is wrong with a field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportError {
    /// No number.
    NoNumber,
    /// No company.
    NoCompany,
    /// Another company, without its name.
    NoCompanyName,
    /// The day.
    Date,
    /// The time of day.
    Time,
    /// A moment that is still to come.
    Future,
    /// A call so early that nobody can tell who had asked before it. Since this moment it can be
    /// looked into.
    BeforeRecord(LocalTime),
    /// A name of more than so many characters.
    LongName(usize),
    /// The same of the number on the screen.
    LongCaller(usize),
    /// The same of the person's words.
    LongWords(usize),
}

impl ReportError {
    fn field(self) -> &'static str {
        match self {
            Self::NoNumber => "number",
            Self::NoCompany => "company",
            Self::NoCompanyName | Self::LongName(_) => "company-name",
            Self::Date | Self::Future | Self::BeforeRecord(_) => "date",
            Self::Time => "time",
            Self::LongCaller(_) => "caller",
            Self::LongWords(_) => "words",
        }
    }

    fn text(self, all: &Texts) -> String {
        let texts = &all.report;
        match self {
            Self::NoNumber => on_one_line(texts.error_number),
            Self::NoCompany => texts.error_company.to_owned(),
            Self::NoCompanyName => texts.error_company_name.to_owned(),
            Self::Date => texts.error_date.to_owned(),
            Self::Time => texts.error_time.to_owned(),
            Self::Future => texts.error_future.to_owned(),
            Self::BeforeRecord(since) => {
                let since = since.words_with_zone(all);
                fill(texts.error_before_record, "since", &since)
            }
            Self::LongName(most) | Self::LongCaller(most) | Self::LongWords(most) => {
                fill(texts.error_long, "n", &most.to_string())
            }
        }
    }
}

/// A registered number to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNumber<'a> {
    /// For the form: in E.164.
    pub value: &'a str,
    /// For the person: in international form.
    pub shown: &'a str,
    /// Whether it is chosen.
    pub checked: bool,
}

/// The words of a form's choice of how exact the time is.
pub const SURE: [&str; 4] = ["exact", "about", "rough", "day"];

/// `GET /report`: the form.
#[derive(Debug, Template)]
#[template(path = "report_form.html")]
pub struct ReportForm<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the form to this browser.
    pub token: &'a str,
    /// The numbers of the code that is open; empty without one.
    pub own: Vec<OwnNumber<'a>>,
    /// Whether another number is chosen.
    pub other: bool,
    /// The box for a number, and what is wrong with it.
    pub number: NumberBox<'a>,
    /// The country of a number written without one.
    pub region: &'a str,
    /// The companies.
    pub sellers: Vec<SellerChoice<'a>>,
    /// Which company is chosen: an id, `other`, `unsaid`, or nothing.
    pub company: &'a str,
    /// The name of another company.
    pub company_name: &'a str,
    /// The day.
    pub date: &'a str,
    /// The latest day that a browser should offer.
    pub today: String,
    /// The time of day.
    pub time: &'a str,
    /// How exact it is: one of [`SURE`].
    pub sure: &'a str,
    /// The number on the screen.
    pub caller: &'a str,
    /// The person's words.
    pub words: &'a str,
    /// What is wrong.
    pub errors: Vec<ReportError>,
    /// Authorities to turn to where we cannot help: their names and addresses.
    pub authorities: Vec<(&'a str, &'a str)>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl ReportForm<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().report.heading
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || !self.errors.is_empty() || self.number.error.is_some()
    }

    fn back(&self) -> Option<&str> {
        None
    }

    fn number_error(&self) -> Option<String> {
        let texts = self.frame.texts();
        let unread = self.number.error;
        let unread = unread.map(|error| on_one_line(texts.phone_error(error)));
        unread.or_else(|| self.error("number"))
    }

    fn error(&self, field: &str) -> Option<String> {
        let texts = self.frame.texts();
        let found = self.errors.iter().find(|error| error.field() == field);
        found.map(|error| error.text(texts))
    }

    fn problems(&self) -> Vec<Problem> {
        let fields = [
            "number",
            "company",
            "company-name",
            "date",
            "time",
            "caller",
            "words",
        ];
        let problem = |field: &str| {
            let message = match field {
                "number" => self.number_error(),
                field => self.error(field),
            };
            Some(Problem {
                field: field.to_owned(),
                message: message?,
            })
        };
        fields.into_iter().filter_map(problem).collect()
    }

    fn number_hint(&self) -> String {
        super::form::number_hint(self.frame, self.region)
    }

    fn countries(&self) -> &'static [Country] {
        countries(self.frame.language)
    }

    fn region_is_listed(&self) -> bool {
        country(self.region).is_some()
    }

    fn is_company(&self, choice: &str) -> bool {
        self.company == choice
    }

    fn is_sure(&self, choice: &str) -> bool {
        self.sure == choice
    }

    fn sure_choices(&self) -> [(&'static str, &'static str); 4] {
        let texts = &self.frame.texts().report;
        let shown = [
            texts.sure_exact,
            texts.sure_about,
            texts.sure_rough,
            texts.sure_day,
        ];
        std::array::from_fn(|place| (SURE[place], shown[place]))
    }
}

/// A check, as it is shown.
#[derive(Debug, Clone)]
pub struct ShownCheck<'a> {
    /// When.
    pub at: LocalTime,
    /// The agency's name, if there is one.
    pub agency: Option<&'a str>,
    /// The company's name.
    pub company: &'a str,
    /// Whether they were told not to call, where that is told.
    pub suppress: Option<bool>,
    /// Whether it counts for the call.
    pub decides: bool,
}

/// `GET /reports/{id}`: a report.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub struct Report<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the forms to this browser.
    pub token: &'a str,
    /// The path of this page.
    pub path: &'a str,
    /// The code, where the report has one of its own.
    pub reference: Option<&'a str>,
    /// What was found, as far as it is for this reader.
    pub finding: Finding,
    /// How far it is.
    pub state: State,
    /// The company's name, if it is known.
    pub company: Option<&'a str>,
    /// The number, in international form.
    pub number: &'a str,
    /// The earliest moment of the call.
    pub from: LocalTime,
    /// The latest one.
    pub to: LocalTime,
    /// When it was sent.
    pub sent: LocalTime,
    /// The number on the screen.
    pub caller: &'a str,
    /// The person's words.
    pub words: &'a str,
    /// The checks before the call.
    pub checks: Vec<ShownCheck<'a>>,
    /// Until when the company should answer.
    pub answer_by: Option<LocalTime>,
    /// The company's answers.
    pub answers: Vec<(LocalTime, &'a str)>,
    /// Authorities: their names and addresses.
    pub authorities: Vec<(&'a str, &'a str)>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl Report<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().report.report_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some()
    }

    fn back(&self) -> Option<&str> {
        Some(self.path)
    }

    pub(in crate::web) fn found(&self) -> &'static str {
        finding_text(
            &self.frame.texts().report,
            self.finding,
            self.company.is_some(),
        )
    }

    fn has_evidence(&self) -> bool {
        self.finding != Finding::Asked
    }

    fn how_it_stands(&self) -> &'static str {
        state_text(&self.frame.texts().report, self.state)
    }

    pub(in crate::web) fn company_name(&self) -> &str {
        self.company
            .unwrap_or(self.frame.texts().report.company_unknown)
    }

    pub(in crate::web) fn called(&self) -> String {
        let texts = self.frame.texts();
        let text = fill(texts.report.called_between, "from", &self.from.words(texts));
        fill(&text, "to", &self.to.words_with_zone(texts))
    }

    fn next(&self) -> String {
        let texts = self.frame.texts();
        let by = self.answer_by.map(|by| by.words(texts)).unwrap_or_default();
        let text = match self.state {
            State::Open => texts.report.next_company,
            State::Overdue => texts.report.next_overdue,
            State::Answered => texts.report.next_answered,
            State::WithRegulator => texts.report.next_nobody,
        };
        fill(&fill(text, "by", &by), "company", self.company_name())
    }

    pub(in crate::web) fn told(&self, check: &ShownCheck<'_>) -> &'static str {
        let texts = &self.frame.texts().report;
        match check.suppress {
            Some(true) => texts.check_told_no,
            Some(false) => texts.check_told_not_listed,
            None => "",
        }
    }

    pub(in crate::web) fn asked(&self, check: &ShownCheck<'_>) -> String {
        let texts = &self.frame.texts().report;
        let agency = check.agency.unwrap_or(texts.agency_unknown);
        let text = fill(texts.check_asked, "agency", agency);
        fill(&text, "company", check.company)
    }
}

/// A finding in words, where a company was `named` and where none was.
pub fn finding_text(texts: &ReportTexts, finding: Finding, named: bool) -> &'static str {
    match (finding, named) {
        (Finding::NotAsked, true) => texts.not_asked,
        (Finding::NotAsked, false) => texts.not_asked_unnamed,
        (Finding::Uncertain, true) => texts.uncertain,
        (Finding::Uncertain, false) => texts.uncertain_unnamed,
        (Finding::ToldNotToCall, _) => texts.told_not_to_call,
        (Finding::AskedBefore, _) => texts.asked_before,
        (Finding::AnswerExpired, _) => texts.answer_expired,
        (Finding::NotOptedOut, _) => texts.not_opted_out,
        (Finding::UnknownCompany, _) => texts.unknown_company,
        (Finding::Asked, _) => texts.asked,
    }
}

/// A report's state in words.
pub fn state_text(texts: &ReportTexts, state: State) -> &'static str {
    match state {
        State::Open => texts.state_open,
        State::Overdue => texts.state_overdue,
        State::Answered => texts.state_answered,
        State::WithRegulator => texts.state_with_regulator,
    }
}

/// A report in the list.
#[derive(Debug, Clone)]
pub struct Listed<'a> {
    /// The path of its page.
    pub path: String,
    /// The company's name, if it is known.
    pub company: Option<&'a str>,
    /// The latest moment of the call.
    pub called: LocalTime,
    /// How far it is.
    pub state: State,
}

/// `GET /reports`: the reports of a code.
#[derive(Debug, Template)]
#[template(path = "reports.html")]
pub struct Reports<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the forms to this browser.
    pub token: &'a str,
    /// The reports, the newest first.
    pub reports: Vec<Listed<'a>>,
}

impl Reports<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().report.list_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some("/reports")
    }

    fn item(&self, report: &Listed<'_>) -> String {
        let texts = self.frame.texts();
        let company = report.company.unwrap_or(texts.report.company_unknown);
        let text = fill(texts.report.list_item, "when", &report.called.words(texts));
        fill(&text, "company", company)
    }

    fn stands(&self, report: &Listed<'_>) -> &'static str {
        state_text(&self.frame.texts().report, report.state)
    }
}
