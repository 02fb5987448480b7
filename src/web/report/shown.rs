//! A report in words that its page and its evidence borrow.

use crate::api::State;
use crate::domain::{PhoneNumber, SellerRef};
use crate::service::Snapshot;
use crate::service::report::ReportView;
use crate::web::Desk;
use crate::web::pages::{Frame, Report, ShownCheck};

/// The name of the company of a report, if it has one.
pub(in crate::web) fn company_name(report: &ReportView, known: &Snapshot) -> Option<String> {
    let named = || report.telling.as_ref()?.company.clone();
    let seller = report.seller.as_ref().map(|id| known.seller_name(id));
    seller.or_else(named)
}

/// Where a person can go beyond this register, in the country of the number: names and addresses.
pub(super) fn authorities(state: &State, number: Option<PhoneNumber>) -> Vec<(String, String)> {
    let region = number.and_then(|number| number.region_hint());
    let all = state.settings.report.authorities.iter();
    all.filter(|one| {
        one.region.is_empty()
            || region.is_some_and(|region| region.as_str().eq_ignore_ascii_case(&one.region))
    })
    .map(|one| (one.name.clone(), one.url.clone()))
    .collect()
}

/// A report in words that the view can borrow.
pub(in crate::web) struct Shown<'a> {
    report: &'a ReportView,
    company: Option<String>,
    number: String,
    /// The names of agency and company of each check.
    names: Vec<(Option<String>, String)>,
    authorities: Vec<(String, String)>,
}

impl<'a> Shown<'a> {
    pub(in crate::web) fn new(state: &State, report: &'a ReportView) -> Self {
        let known = state.service.directory().known();
        let number = report.telling.as_ref().map(|telling| &telling.number);
        let number = number.and_then(|number| PhoneNumber::parse(number, None).ok());
        let names = report.checks.iter().map(|check| {
            let agency = check.agency.as_ref().map(|id| known.agency_name(id));
            let company = match &check.seller {
                Some(SellerRef::One(id)) => known.seller_name(id),
                _ => String::new(),
            };
            (agency, company)
        });
        Self {
            company: company_name(report, &known),
            number: number
                .map(|number| number.international())
                .unwrap_or_default(),
            names: names.collect(),
            authorities: authorities(state, number),
            report,
        }
    }

    pub(in crate::web) fn view<'b>(
        &'b self,
        desk: &Desk,
        frame: Frame<'b>,
        token: &'b str,
        path: &'b str,
        reference: Option<&'b str>,
    ) -> Report<'b> {
        let telling = self.report.telling.as_ref();
        let checks = self.report.checks.iter().zip(&self.names);
        Report {
            frame,
            token,
            path,
            reference,
            finding: self.report.finding,
            state: self.report.state,
            company: self.company.as_deref(),
            number: &self.number,
            from: desk.local_time(self.report.called_from),
            to: desk.local_time(self.report.called_to),
            sent: desk.local_time(self.report.at),
            caller: telling.map_or("", |telling| telling.caller.as_str()),
            words: telling.map_or("", |telling| telling.words.as_str()),
            checks: checks
                .map(|(check, (agency, company))| ShownCheck {
                    at: desk.local_time(check.at),
                    agency: agency.as_deref(),
                    company,
                    suppress: check.suppress,
                    decides: check.decides,
                })
                .collect(),
            answer_by: self.report.answer_by.map(|by| desk.local_time(by)),
            answers: telling.map_or_else(Vec::new, |telling| {
                let answers = telling.answers.iter();
                answers
                    .map(|answer| (desk.local_time(answer.at), answer.text.as_str()))
                    .collect()
            }),
            authorities: self
                .authorities
                .iter()
                .map(|(name, url)| (name.as_str(), url.as_str()))
                .collect(),
            notice: None,
        }
    }
}
