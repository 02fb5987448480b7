//! The console: signing in, reports and what is done about them, helping people.

mod de;
mod en;
mod fr;
mod nl;

pub use de::DE;
pub use en::EN;
pub use fr::FR;
pub use nl::NL;

/// The texts of the console.
#[derive(Debug)]
pub struct ConsoleTexts {
    // Around the pages
    /// Name of the links between the console’s pages, for screen readers.
    pub nav_label: &'static str,
    /// Stands before the name in which somebody is here.
    pub signed_in_as: &'static str,
    /// The button that ends the session.
    pub sign_out: &'static str,
    /// Role: an agency’s dialler.
    pub role_dialler: &'static str,
    /// Role: a company.
    pub role_seller: &'static str,
    /// Role: a regulator.
    pub role_regulator: &'static str,
    /// Role: whoever runs the register.
    pub role_operator: &'static str,
    /// Stands where a list is empty.
    pub none_yet: &'static str,

    // Signing in
    /// Heading of the sign-in.
    pub sign_in_title: &'static str,
    /// Whom it is for.
    pub sign_in_lede: &'static str,
    /// Label of the box.
    pub key_label: &'static str,
    /// A hint under it.
    pub key_hint: &'static str,
    /// The button.
    pub sign_in_button: &'static str,
    /// The box was empty.
    pub error_key_empty: &'static str,
    /// No key, or none that counts.
    pub error_key_unknown: &'static str,
    /// A dialler’s key.
    pub error_key_dialler: &'static str,
    /// A session is over.
    pub over: &'static str,
    /// What was typed comes back.
    pub over_kept: &'static str,
    /// Heading: for people without a key.
    pub person_title: &'static str,
    /// They need none.
    pub person_text: &'static str,

    // The operator’s pages
    /// Heading of the operator’s first page.
    pub overview_title: &'static str,
    /// Heading over the answers that are late.
    pub overdue_title: &'static str,
    /// There are none.
    pub overdue_none: &'static str,
    /// A company’s. Placeholders `{company}`, `{n}`, `{when}`.
    pub overdue_item: &'static str,
    /// What is not shown here.
    pub overdue_note: &'static str,
    /// Heading over how the service is.
    pub health_title: &'static str,
    /// A thing is as it should be.
    pub check_ok: &'static str,
    /// It works, but look at it.
    pub check_warning: &'static str,
    /// It does not work.
    pub check_error: &'static str,
    /// Heading over the companies.
    pub sellers_title: &'static str,
    /// Heading over all agencies.
    pub agencies_all_title: &'static str,
    /// Stands before the companies of an agency.
    pub calls_for: &'static str,
    /// Heading over the keys.
    pub keys_title: &'static str,
    /// Since when something is here. Placeholder `{when}`.
    pub since: &'static str,
    /// When a key was revoked. Placeholder `{when}`.
    pub revoked: &'static str,

    // On behalf of a person
    /// Heading of the form.
    pub behalf_title: &'static str,
    /// Whom it is for.
    pub behalf_lede: &'static str,
    /// Label: the numbers.
    pub numbers_label: &'static str,
    /// A hint under it.
    pub numbers_hint: &'static str,
    /// Label: the reason.
    pub reason_label: &'static str,
    /// A hint under it. Placeholder `{n}`.
    pub reason_hint: &'static str,
    /// The reason cannot be put on record. Placeholder `{n}`.
    pub error_reason: &'static str,
    /// The button.
    pub behalf_button: &'static str,
    /// Heading of the page with the code.
    pub done_title: &'static str,
    /// What to do with it.
    pub done_lede: &'static str,
    /// Heading over the code.
    pub code_title: &'static str,
    /// It cannot be found again.
    pub code_once: &'static str,
    /// Stands before the address where it is used.
    pub code_use: &'static str,
    /// Link back to the form.
    pub another_link: &'static str,

    // The list of reports
    /// Heading of the list.
    pub reports_title: &'static str,
    /// What a company sees.
    pub reports_seller: &'static str,
    /// What a regulator sees.
    pub reports_regulator: &'static str,
    /// There are none.
    pub reports_none: &'static str,
    /// How many, where all are shown. Placeholder `{n}`.
    pub count_all: &'static str,
    /// Only some are shown. Placeholder `{n}`.
    pub count_some: &'static str,
    /// To those that come next.
    pub reports_next: &'static str,
    /// A call. Placeholders `{number}`, `{when}`.
    pub call_to: &'static str,
    /// Time for an answer. Placeholder `{time}`.
    pub left: &'static str,
    /// An answer is late. Placeholder `{time}`.
    pub late: &'static str,
    /// Several days. Placeholder `{n}`.
    pub days: &'static str,
    /// Finding: nobody had asked in the days before that are looked through.
    pub short_not_asked: &'static str,
    /// Finding: they were told not to call.
    pub short_told_not_to_call: &'static str,
    /// Finding: they had asked before the opt-out.
    pub short_asked_before: &'static str,
    /// Finding: the answer was too old.
    pub short_answer_expired: &'static str,
    /// Finding: there was no opt-out.
    pub short_not_opted_out: &'static str,
    /// Finding: the company is not here.
    pub short_unknown_company: &'static str,
    /// Finding: it depends on when the call came, or on who made it.
    pub short_uncertain: &'static str,
    /// Finding: somebody had asked, and the rest is not for this reader.
    pub short_asked: &'static str,
    /// Heading over the files.
    pub files_title: &'static str,
    /// What is in them.
    pub files_text: &'static str,
    /// Label: the company.
    pub filter_company: &'static str,
    /// Label: the finding.
    pub filter_finding: &'static str,
    /// Label: the state.
    pub filter_state: &'static str,
    /// Label: the first day.
    pub filter_from: &'static str,
    /// Label: the last day.
    pub filter_to: &'static str,
    /// Choice: everything.
    pub filter_all: &'static str,
    /// The button.
    pub filter_button: &'static str,
    /// The filter cannot be read.
    pub filter_error: &'static str,

    // One report
    /// Heading of a report.
    pub report_title: &'static str,
    /// Label: since when the number was on the list.
    pub opted_out_label: &'static str,
    /// The log has nothing that held then.
    pub opted_out_not: &'static str,
    /// It depends on when the call came, or for whom.
    pub opted_out_uncertain: &'static str,
    /// It is not for this reader.
    pub opted_out_hidden: &'static str,
    /// Label: the number that the person saw.
    pub caller_label: &'static str,
    /// Label: the person’s words.
    pub words_label: &'static str,
    /// There are none.
    pub words_none: &'static str,
    /// Marks the check that counts.
    pub check_counts: &'static str,
    /// Heading: what the person was told.
    pub told_title: &'static str,
    /// Label: the answer.
    pub answer_label: &'static str,
    /// Label: a further answer.
    pub answer_again: &'static str,
    /// A hint under it. Placeholder `{n}`.
    pub answer_hint: &'static str,
    /// The button.
    pub answer_button: &'static str,
    /// There is no answer.
    pub error_answer_empty: &'static str,
    /// Link to the list.
    pub all_reports: &'static str,

    // A company’s agencies
    /// Heading of the page.
    pub agencies_title: &'static str,
    /// What is counted. Placeholder `{company}`.
    pub agencies_lede: &'static str,
    /// Label: reported calls.
    pub agency_reported: &'static str,
    /// Label: although told not to call.
    pub agency_told_not_to_call: &'static str,
    /// Label: without a check that counts.
    pub agency_unchecked: &'static str,
    /// Heading: nobody had asked in those days.
    pub agencies_unasked_title: &'static str,
    /// Reported calls before which nobody had asked in those days. Placeholder `{n}`.
    pub agencies_unasked: &'static str,

    // Figures
    /// Heading of the figures.
    pub figures_title: &'static str,
    /// For how long. Placeholder `{n}`.
    pub figures_lede: &'static str,
    /// Link to another span. Placeholder `{n}`.
    pub figures_other: &'static str,
    /// Checks by day and answer.
    pub figures_checks: &'static str,
    /// Reports by company.
    pub figures_companies: &'static str,
    /// Calls without a check, by agency.
    pub figures_agencies: &'static str,
    /// Stands for the agency of a call before which nobody asked in those days.
    pub figures_nobody: &'static str,
    /// Heading of a column.
    pub figures_day: &'static str,
    /// Heading of a column.
    pub figures_suppress: &'static str,
    /// Heading of a column.
    pub figures_not_listed: &'static str,
    /// Heading of a column.
    pub figures_unreadable: &'static str,
    /// Heading of a column.
    pub figures_reports: &'static str,
}
