//! The console: where companies, regulators and the operator sign in with their key and see what
//! concerns them.
//!
//! * `session`: the cookie.
//! * `visitor`: who is here, and whether their key still counts.
//! * the other files: what each of them sees and does.

mod agencies;
mod figures;
mod on_behalf;
mod overview;
mod reports;
mod session;
mod sign_in;
mod visitor;

use actix_web::web::{self, ServiceConfig};

use crate::domain::ReportId;

/// Adds the routes of the console.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/console")
                .route(web::get().to(overview::show))
                .route(web::post().to(sign_in::enter)),
        )
        .service(web::resource("/console/leave").route(web::post().to(sign_in::leave)))
        .service(
            web::resource(on_behalf::PATH)
                .route(web::get().to(on_behalf::show))
                .route(web::post().to(on_behalf::send)),
        )
        .service(web::resource("/console/on-behalf/done").route(web::get().to(on_behalf::done)))
        .service(web::resource("/console/figures").route(web::get().to(figures::show)))
        .service(web::resource("/console/agencies").route(web::get().to(agencies::show)))
        .service(web::resource("/console/reports").route(web::get().to(reports::list)))
        .service(web::resource("/console/reports.csv").route(web::get().to(reports::csv)))
        .service(web::resource("/console/reports.ndjson").route(web::get().to(reports::ndjson)))
        .service(
            web::resource("/console/reports/{id}")
                .route(web::get().to(reports::one))
                .route(web::post().to(reports::answer)),
        );
}

/// Whether a path is that of a page where the language can be changed.
pub(super) fn is_page(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/console") else {
        return false;
    };
    let report = rest
        .strip_prefix("/reports/")
        .is_some_and(|id| ReportId::parse(id).is_some());
    report || ["", "/reports", "/agencies", "/on-behalf/done"].contains(&rest)
}
