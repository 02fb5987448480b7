//! What the reports say of a company's agencies.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::overview::seller_name;
use super::visitor::Visitor;
use crate::api::State;
use crate::domain::{AgencyId, Finding, Role, SellerId};
use crate::service::Snapshot;
use crate::service::report::{Filter, ReportView};
use crate::web::DeskData;
use crate::web::pages::{AgencyCount, ConsoleAgencies};

/// `GET /console/agencies`: a company's agencies, those with most reported calls first.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let visitor = match Visitor::enter(&state, &desk, &request).await {
        Ok(visitor) => visitor,
        Err(answer) => return *answer,
    };
    let Role::Seller { seller } = &visitor.who.role else {
        return visitor.not_found();
    };
    let known = state.service.directory().known();
    let mut counts = Counts::of(seller, &known);
    let all = Filter::default();
    let reports = state
        .service
        .each_report(&visitor.who, &all, |report| counts.add(&report));
    if let Err(error) = reports.await {
        return visitor.failed(&error);
    }
    let view = ConsoleAgencies {
        frame: visitor.frame(),
        nav: visitor.nav("/console/agencies"),
        company: seller_name(seller, &known),
        unasked: counts.unasked,
        agencies: ranked(counts),
    };
    visitor.page(StatusCode::OK, &view)
}

/// What is counted: of the agencies with a mandate, and those of earlier calls.
struct Counts<'a> {
    known: &'a Snapshot,
    unasked: usize,
    agencies: BTreeMap<AgencyId, AgencyCount>,
}

impl<'a> Counts<'a> {
    fn of(seller: &SellerId, known: &'a Snapshot) -> Self {
        let agencies = known.agencies.iter();
        let mandated = agencies.filter(|(_, agency)| agency.sellers.contains(seller));
        let blank = |id: &AgencyId| (id.clone(), Self::blank(known, id));
        Self {
            known,
            unasked: 0,
            agencies: mandated.map(|(id, _)| blank(id)).collect(),
        }
    }

    fn blank(known: &Snapshot, id: &AgencyId) -> AgencyCount {
        AgencyCount {
            name: known.agency_name(id),
            reported: 0,
            told_not_to_call: 0,
            unchecked: 0,
        }
    }

    fn add(&mut self, report: &ReportView) {
        self.unasked += usize::from(report.finding == Finding::NotAsked);
        let Some(id) = &report.agency else { return };
        let count = self.agencies.entry(id.clone());
        let count = count.or_insert_with(|| Self::blank(self.known, id));
        count.reported += 1;
        match report.finding {
            Finding::ToldNotToCall => count.told_not_to_call += 1,
            Finding::AnswerExpired => count.unchecked += 1,
            _ => {}
        }
    }
}

/// The agencies, those of which most was reported first.
fn ranked(counts: Counts<'_>) -> Vec<AgencyCount> {
    let mut ranked: Vec<_> = counts.agencies.into_values().collect();
    ranked.sort_by_key(|count| {
        let most = (count.reported, count.unchecked, count.told_not_to_call);
        (std::cmp::Reverse(most), count.name.to_lowercase())
    });
    ranked
}
