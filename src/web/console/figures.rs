//! `GET /console/figures`: pictures for the regulator, each with its table.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use jiff::ToSpan;

use super::visitor::Visitor;
use crate::api::State;
use crate::domain::{Finding, Moment, Role};
use crate::service::report::Filter;
use crate::web::DeskData;
use crate::web::moment::{date_in_words, day_in_words};
use crate::web::pages::{ConsoleFigures, FigureDay};
use crate::web::plot::{Rank, Stack, over_time, ranked};

/// Where they are.
pub(super) const PATH: &str = "/console/figures";

/// For how many days the figures may be asked, the usual first.
const DAYS: [u32; 3] = [31, 7, 92];

/// How many lines a ranking has at most.
const LINES: usize = 20;

/// Checks by day and answer, reports by company, and calls without a check that counts by agency.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let visitor = match Visitor::enter(&state, &desk, &request).await {
        Ok(visitor) => visitor,
        Err(answer) => return *answer,
    };
    if visitor.who.role != Role::Regulator {
        return visitor.not_found();
    }
    let days = days_of(request.query_string());
    let to = Moment::now();
    let today = desk.clock.day(to);
    // The first day is whole: it begins when its clock says so, for checks and reports alike.
    let first = today.saturating_sub((i64::from(days) - 1).days());
    let clock = desk.clock;
    let (from, _) = clock.at(first, 0);
    let day = move |at| clock.day(at);
    let checks = match state.service.checks_by_day(from, to, day).await {
        Ok(checks) => checks,
        Err(error) => return visitor.failed(&error),
    };
    let filter = Filter {
        from: Some(from),
        ..Filter::default()
    };
    let known = state.service.directory().known();
    let frame = visitor.frame();
    let (texts, console) = (frame.texts(), &frame.texts().console);
    let mut by_company: BTreeMap<String, u64> = BTreeMap::new();
    let mut by_agency: BTreeMap<String, u64> = BTreeMap::new();
    let reports = state.service.each_report(&visitor.who, &filter, |report| {
        let company = report.seller.as_ref().map(|id| known.seller_name(id));
        let company = company.unwrap_or_else(|| texts.report.company_unknown.to_owned());
        *by_company.entry(company).or_default() += 1;
        if matches!(report.finding, Finding::NotAsked | Finding::AnswerExpired) {
            let agency = report.agency.as_ref().map(|id| known.agency_name(id));
            let agency = agency.unwrap_or_else(|| console.figures_nobody.to_owned());
            *by_agency.entry(agency).or_default() += 1;
        }
    });
    if let Err(error) = reports.await {
        return visitor.failed(&error);
    }
    let mut rows = Vec::new();
    let mut stacks = Vec::new();
    for day in first.series(1.day()).take_while(|day| *day <= today) {
        let answers = checks.days.get(&day).map(|day| day.answers);
        let answers = answers.unwrap_or_default();
        let figures = [answers.suppress, answers.not_listed, answers.invalid];
        stacks.push(Stack {
            label: day_in_words(day, texts),
            figures: figures.to_vec(),
        });
        if answers.total() > 0 {
            let label = date_in_words(day, texts);
            rows.push(FigureDay { label, figures });
        }
    }
    rows.reverse();
    let (companies, agencies) = (first_of(by_company), first_of(by_agency));
    let view = ConsoleFigures {
        frame,
        nav: visitor.nav(PATH),
        address: address(request.query_string()),
        days,
        others: DAYS.into_iter().filter(|other| *other != days).collect(),
        checks_plot: over_time(console.figures_checks, &stacks),
        checks: rows,
        companies_plot: ranked(console.figures_companies, &companies),
        companies: pairs(companies),
        agencies_plot: ranked(console.figures_agencies, &agencies),
        agencies: pairs(agencies),
    };
    visitor.page(StatusCode::OK, &view)
}

/// Where the figures are for as many days as a query says.
pub(super) fn address(query: &str) -> String {
    match days_of(query) {
        days if days == DAYS[0] => PATH.to_owned(),
        days => format!("{PATH}?days={days}"),
    }
}

fn days_of(query: &str) -> u32 {
    let mut asked = form_urlencoded::parse(query.as_bytes());
    let days = asked.find(|(name, _)| name == "days");
    let days = days.and_then(|(_, value)| value.parse().ok());
    days.filter(|days| DAYS.contains(days)).unwrap_or(DAYS[0])
}

/// The largest figures, and among the same by name.
fn first_of(counts: BTreeMap<String, u64>) -> Vec<Rank> {
    let counts = counts.into_iter();
    let mut ranks: Vec<Rank> = counts
        .map(|(label, figure)| Rank { label, figure })
        .collect();
    ranks.sort_by_key(|rank| std::cmp::Reverse(rank.figure));
    ranks.truncate(LINES);
    ranks
}

fn pairs(ranks: Vec<Rank>) -> Vec<(String, u64)> {
    let ranks = ranks.into_iter();
    ranks.map(|rank| (rank.label, rank.figure)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_few_spans_can_be_asked_for() {
        let days = ["", "days=7", "days=92", "days=9999999", "days=x"].map(days_of);
        assert_eq!(days, [31, 7, 92, 31, 31]);
    }

    #[test]
    fn the_largest_come_first() {
        let counts = [("a", 1), ("b", 3), ("c", 1)];
        let counts = counts.map(|(name, count)| (name.to_owned(), count));
        let ranks = pairs(first_of(BTreeMap::from(counts)));
        let names: Vec<_> = ranks.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
    }
}
