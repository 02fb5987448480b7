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

use actix_web::Resource;
use actix_web::web::{self, ServiceConfig};

use crate::domain::ReportId;

/// The pages of the console but those of single reports. What is shown and whereto one may be led
/// back come from here both, so that no page has the one without the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Home,
    OnBehalf,
    HandedOver,
    Figures,
    Agencies,
    Reports,
}

impl Page {
    const ALL: [Self; 6] = [
        Self::Home,
        Self::OnBehalf,
        Self::HandedOver,
        Self::Figures,
        Self::Agencies,
        Self::Reports,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Home => "/console",
            Self::OnBehalf => on_behalf::PATH,
            Self::HandedOver => "/console/on-behalf/done",
            Self::Figures => figures::PATH,
            Self::Agencies => "/console/agencies",
            Self::Reports => reports::PATH,
        }
    }

    fn resource(self) -> Resource {
        let resource = web::resource(self.path());
        match self {
            Self::Home => resource
                .route(web::get().to(overview::show))
                .route(web::post().to(sign_in::enter)),
            Self::OnBehalf => resource
                .route(web::get().to(on_behalf::show))
                .route(web::post().to(on_behalf::send)),
            Self::HandedOver => resource.route(web::get().to(on_behalf::done)),
            Self::Figures => resource.route(web::get().to(figures::show)),
            Self::Agencies => resource.route(web::get().to(agencies::show)),
            Self::Reports => resource.route(web::get().to(reports::list)),
        }
    }

    /// The address of this page with as much of a query as the page itself reads, written anew.
    fn address(self, query: &str) -> String {
        match self {
            Self::Figures => figures::address(query),
            Self::Reports => reports::address(query),
            Self::Home | Self::OnBehalf | Self::HandedOver | Self::Agencies => {
                self.path().to_owned()
            }
        }
    }
}

/// Adds the routes of the console.
pub(super) fn routes(config: &mut ServiceConfig) {
    for page in Page::ALL {
        config.service(page.resource());
    }
    config
        .service(web::resource("/console/leave").route(web::post().to(sign_in::leave)))
        .service(web::resource("/console/reports.csv").route(web::get().to(reports::csv)))
        .service(web::resource("/console/reports.ndjson").route(web::get().to(reports::ndjson)))
        .service(
            web::resource("/console/reports/{id}")
                .route(web::get().to(reports::one))
                .route(web::post().to(reports::answer)),
        );
}

/// The address of a page of the console where the language was changed, to be led back to. Nothing
/// that is not from here stays in it.
pub(super) fn way_back(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if let Some(id) = path.strip_prefix("/console/reports/") {
        return ReportId::parse(id).map(reports::path);
    }
    let page = Page::ALL.into_iter().find(|page| page.path() == path)?;
    Some(page.address(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_back_to_every_page_and_to_nothing_else() {
        for page in Page::ALL {
            assert_eq!(way_back(page.path()).as_deref(), Some(page.path()));
        }
        let report = reports::path(ReportId::from_bytes([7; 16]));
        assert_eq!(way_back(&report), Some(report.clone()));
        assert_eq!(way_back(&format!("{report}?x=1")), Some(report));
        let kept = "/console/reports?company=telco&finding=not_asked";
        assert_eq!(way_back(kept).as_deref(), Some(kept));
        let kept = "/console/figures?days=7";
        assert_eq!(way_back(kept).as_deref(), Some(kept));
        for (sent, left) in [
            ("/console/figures?days=9&to=//evil", "/console/figures"),
            ("/console/agencies?days=7", "/console/agencies"),
            (
                "/console/reports?x=1&state=a%0d%0ab&from=%26x=1",
                "/console/reports?from=%26x%3D1&state=a%0D%0Ab",
            ),
        ] {
            assert_eq!(way_back(sent).as_deref(), Some(left), "{sent}");
        }
        for foreign in [
            "/",
            "//console",
            "/console/",
            "/console//evil.example",
            "/console/leave",
            "/console/reports/",
            "/console/reports/x",
            "/console/reports.csv",
            "https://evil.example/console",
            "/console\\evil",
        ] {
            assert_eq!(way_back(foreign), None, "{foreign}");
        }
    }
}
