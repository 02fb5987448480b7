//! The operator's first page: what is late, how the service is, who is here.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::sign_in;
use super::visitor::Visitor;
use crate::api::State;
use crate::domain::{Moment, Role, SellerId};
use crate::service::doctor::{examine_folder, examine_log, examine_store};
use crate::service::{Service, ServiceError, Snapshot};
use crate::web::DeskData;
use crate::web::answer::see_other;
use crate::web::pages::{
    AgencyLine, CompanyLine, ConsoleOverview, ConsoleRole, KeyLine, OverdueCompany,
};

/// `GET /console`: the sign-in or, with a session, where its holder begins.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    if let Some(page) = sign_in::reopened(&state, &desk, &request).await {
        return page;
    }
    let visitor = match Visitor::enter(&state, &desk, &request).await {
        Ok(visitor) => visitor,
        Err(answer) => return *answer,
    };
    match visitor.role {
        ConsoleRole::Operator => match overview(&visitor).await {
            Ok(page) => page,
            Err(error) => visitor.failed(&error),
        },
        ConsoleRole::Seller | ConsoleRole::Regulator => see_other(&desk, "/console/reports", None),
    }
}

async fn overview(visitor: &Visitor<'_>) -> Result<HttpResponse, ServiceError> {
    let (state, desk) = (visitor.state, visitor.desk);
    let sellers = state.service.sellers().await?;
    let agencies = state.service.agencies().await?;
    let keys = state.service.keys().await?;
    let known = state.service.directory().known();
    let health = state.service.health().await;
    let mut checks = examine_store(&state.settings, &health);
    checks.push(examine_log(&state.service.log_status()));
    checks.extend(examine_folder(&state.settings, &state.data));
    let view = ConsoleOverview {
        frame: visitor.frame(),
        nav: visitor.nav("/console"),
        overdue: overdue(&state.service, &known)
            .await?
            .into_iter()
            .map(|(company, count, since)| OverdueCompany {
                company,
                count,
                since: desk.local_time(since),
            })
            .collect(),
        checks,
        sellers: sellers
            .into_iter()
            .map(|seller| CompanyLine {
                name: seller.name,
                id: seller.id.to_string(),
                since: desk.local_time(seller.created_at),
            })
            .collect(),
        agencies: agencies
            .into_iter()
            .map(|agency| AgencyLine {
                name: agency.name,
                id: agency.id.to_string(),
                sellers: agency
                    .sellers
                    .iter()
                    .map(|id| seller_name(id, &known))
                    .collect(),
            })
            .collect(),
        keys: keys
            .into_iter()
            .map(|key| KeyLine {
                id: key.id.to_string(),
                role: key.role.name(),
                of: match &key.role {
                    Role::Dialler { agency } => agency.to_string(),
                    Role::Seller { seller } => seller.to_string(),
                    Role::Regulator | Role::Operator => String::new(),
                },
                since: desk.local_time(key.created_at),
                revoked: key.revoked_at.map(|at| desk.local_time(at)),
            })
            .collect(),
    };
    Ok(visitor.page(StatusCode::OK, &view))
}

/// A company's name.
pub(super) fn seller_name(id: &SellerId, known: &Snapshot) -> String {
    let seller = known.sellers.get(id);
    seller.map_or_else(|| id.to_string(), |seller| seller.name.clone())
}

/// How many answers each company owes, and since when the oldest: those with most come first.
async fn overdue(
    service: &Service,
    known: &Snapshot,
) -> Result<Vec<(String, u64, Moment)>, ServiceError> {
    let mut all = Vec::new();
    for (id, seller) in &known.sellers {
        if let Some((count, since)) = service.late_answers(id).await? {
            all.push((seller.name.clone(), count, since));
        }
    }
    all.sort_by_key(|(_, count, since)| (std::cmp::Reverse(*count), *since));
    Ok(all)
}
