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
    let all = Filter::default();
    let reports = match state.service.reports(&visitor.who, &all).await {
        Ok(reports) => reports,
        Err(error) => return visitor.failed(&error),
    };
    let known = state.service.directory().known();
    let unasked = |report: &&ReportView| report.finding == Finding::NotAsked;
    let view = ConsoleAgencies {
        frame: visitor.frame(),
        nav: visitor.nav("/console/agencies"),
        company: seller_name(seller, &known),
        unasked: reports.iter().filter(unasked).count(),
        agencies: ranking(&reports, seller, &known),
    };
    visitor.page(StatusCode::OK, &view)
}

/// The agencies with a mandate, and those of earlier calls.
fn ranking(reports: &[ReportView], seller: &SellerId, known: &Snapshot) -> Vec<AgencyCount> {
    let mut counts = BTreeMap::<&AgencyId, AgencyCount>::new();
    let blank = |id: &AgencyId| AgencyCount {
        name: known
            .agencies
            .get(id)
            .map_or_else(|| id.to_string(), |agency| agency.name.clone()),
        reported: 0,
        told_not_to_call: 0,
        unchecked: 0,
    };
    let mandated = known
        .agencies
        .iter()
        .filter(|(_, agency)| agency.sellers.contains(seller));
    for (id, _) in mandated {
        counts.insert(id, blank(id));
    }
    for report in reports {
        if let Some(id) = &report.agency {
            let count = counts.entry(id).or_insert_with(|| blank(id));
            count.reported += 1;
            match report.finding {
                Finding::ToldNotToCall => count.told_not_to_call += 1,
                Finding::AnswerExpired => count.unchecked += 1,
                _ => {}
            }
        }
    }
    let mut ranked: Vec<_> = counts.into_values().collect();
    ranked.sort_by_key(|count| {
        let most = (count.reported, count.unchecked, count.told_not_to_call);
        (std::cmp::Reverse(most), count.name.to_lowercase())
    });
    ranked
}
