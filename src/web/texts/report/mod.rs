//! Reporting a call: the form, the finding, what follows.

mod de;
mod en;
mod fr;
mod nl;

pub use de::DE;
pub use en::EN;
pub use fr::FR;
pub use nl::NL;

/// The texts of the pages about reports.
#[derive(Debug)]
pub struct ReportTexts {
    // The form
    /// Heading of the form.
    pub heading: &'static str,
    /// What happens here.
    pub lede: &'static str,
    /// Nothing has to be proved.
    pub no_proof: &'static str,
    /// Why a code helps, before a link.
    pub with_code: &'static str,
    /// That link.
    pub with_code_link: &'static str,
    /// Label: the number that was called.
    pub number_label: &'static str,
    /// Choice: none of the registered numbers.
    pub other_number: &'static str,
    /// Label: that other number.
    pub other_number_label: &'static str,
    /// Label: for which company.
    pub company_label: &'static str,
    /// A hint under it.
    pub company_hint: &'static str,
    /// Choice: the caller did not say.
    pub company_unsaid: &'static str,
    /// Choice: a company that is not in the list.
    pub company_other: &'static str,
    /// Label: the name of that company.
    pub company_name_label: &'static str,
    /// Legend: when the call came.
    pub when_legend: &'static str,
    /// Label: the day.
    pub date_label: &'static str,
    /// Label: the time of day.
    pub time_label: &'static str,
    /// A hint under it.
    pub time_hint: &'static str,
    /// Label: how exact the time is.
    pub sure_label: &'static str,
    /// Choice: within five minutes.
    pub sure_exact: &'static str,
    /// Choice: half an hour earlier or later.
    pub sure_about: &'static str,
    /// Choice: two hours earlier or later.
    pub sure_rough: &'static str,
    /// Choice: only the day.
    pub sure_day: &'static str,
    /// Label: the number on the screen.
    pub caller_label: &'static str,
    /// Label: in their own words.
    pub words_label: &'static str,
    /// A hint under it.
    pub words_hint: &'static str,
    /// Who gets to read it.
    pub readers: &'static str,
    /// The button.
    pub send_button: &'static str,

    // What is wrong with the form
    /// No number was chosen or typed.
    pub error_number: &'static str,
    /// No company was chosen.
    pub error_company: &'static str,
    /// The name of the other company is missing.
    pub error_company_name: &'static str,
    /// The day cannot be read.
    pub error_date: &'static str,
    /// The time cannot be read.
    pub error_time: &'static str,
    /// The call would lie in the future.
    pub error_future: &'static str,
    /// Nobody can tell who had asked before so early a call. Placeholder `{since}`.
    pub error_before_record: &'static str,
    /// A text is too long. Placeholder `{n}`.
    pub error_long: &'static str,

    // The report
    /// Heading of a report.
    pub report_title: &'static str,
    /// Heading over the finding.
    pub found_title: &'static str,
    /// Finding: nobody had asked in the days before that are looked through.
    pub not_asked: &'static str,
    /// The same where no company was named.
    pub not_asked_unnamed: &'static str,
    /// Finding: they were told not to call.
    pub told_not_to_call: &'static str,
    /// Finding: they asked before the opt-out, and the answer was still valid.
    pub asked_before: &'static str,
    /// Finding: the answer was too old.
    pub answer_expired: &'static str,
    /// Finding: there was no opt-out then.
    pub not_opted_out: &'static str,
    /// Finding: the company is not known here.
    pub unknown_company: &'static str,
    /// Finding: it depends on when the call came, or on who made it.
    pub uncertain: &'static str,
    /// The same where no company was named.
    pub uncertain_unnamed: &'static str,
    /// Finding for whoever has no opt-out: somebody had asked.
    pub asked: &'static str,
    /// Label: how far the report is.
    pub state_label: &'static str,
    /// State: the company has time to answer.
    pub state_open: &'static str,
    /// State: the answer is late.
    pub state_overdue: &'static str,
    /// State: answered.
    pub state_answered: &'static str,
    /// State: nobody here can answer.
    pub state_with_regulator: &'static str,
    /// Label: the company.
    pub label_company: &'static str,
    /// Label: the number called.
    pub label_number: &'static str,
    /// Label: when.
    pub label_called: &'static str,
    /// A time between two. Placeholders `{from}`, `{to}`.
    pub called_between: &'static str,
    /// Label: the number shown.
    pub label_caller: &'static str,
    /// Label: what the person wrote.
    pub label_words: &'static str,
    /// Label: when it was reported.
    pub label_sent: &'static str,
    /// Heading over the checks.
    pub checks_title: &'static str,
    /// One check. Placeholders `{agency}`, `{company}`.
    pub check_asked: &'static str,
    /// What they were told: no.
    pub check_told_no: &'static str,
    /// What they were told: not on the list.
    pub check_told_not_listed: &'static str,
    /// Marks the check that counts.
    pub check_counts: &'static str,
    /// Heading over what happens now.
    pub next_title: &'static str,
    /// The company has it. Placeholders `{company}`, `{by}`.
    pub next_company: &'static str,
    /// The answer is late. Placeholders `{company}`, `{by}`.
    pub next_overdue: &'static str,
    /// The company has answered. Placeholder `{company}`.
    pub next_answered: &'static str,
    /// No company can answer.
    pub next_nobody: &'static str,
    /// The regulator has it too.
    pub next_regulator: &'static str,
    /// Come back with the code.
    pub next_look: &'static str,
    /// Heading over where else to go.
    pub beyond_title: &'static str,
    /// Before the links.
    pub beyond_text: &'static str,
    /// That the evidence on the page helps them.
    pub beyond_evidence: &'static str,
    /// Heading over the company’s answers.
    pub answers_title: &'static str,
    /// Heading over the evidence.
    pub evidence_title: &'static str,
    /// What the file is.
    pub evidence_text: &'static str,
    /// This page can be printed.
    pub evidence_print: &'static str,
    /// The button.
    pub evidence_button: &'static str,
    /// Names an entry: the number was opted out.
    pub piece_register: &'static str,
    /// Names an entry: the call was reported.
    pub piece_report: &'static str,
    /// Stands for since when an opt-out holds, where there is none.
    pub not_opted_out_yet: &'static str,
    /// Before the code of a report that was made without one.
    pub own_code: &'static str,

    // The list
    /// Heading of the list.
    pub list_title: &'static str,
    /// There is none yet.
    pub list_none: &'static str,
    /// One of them. Placeholders `{company}`, `{when}`.
    pub list_item: &'static str,
    /// Link to the list.
    pub list_link: &'static str,
    /// Link to the form.
    pub another_link: &'static str,
    /// Stands for a company that was not named.
    pub company_unknown: &'static str,
    /// Stands for an agency that is not known.
    pub agency_unknown: &'static str,
}
