//! The REST interface, version 1: one file a resource.

mod address;
mod admin;
mod audit;
mod auth;
mod body;
mod checks;
mod health;
mod layer;
mod limits;
mod problem;
mod query;
mod registrations;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use actix_web::web::{self, ServiceConfig};
use tokio::sync::Mutex;

pub use address::{Network, client_network};
pub(crate) use body::read as read_body;
pub use layer::layer;
pub use limits::{Limits, TooMany};
pub use problem::Problem;

use crate::domain::Region;
use crate::service::Service;
use crate::settings::Settings;
use crate::store::Health;
use crate::telemetry::Meters;

/// What every request may use.
#[derive(Debug)]
pub struct Shared {
    /// The use cases.
    pub service: Arc<Service>,
    /// The settings.
    pub settings: Settings,
    /// Where the data folder is, for the doctor.
    pub data: std::path::PathBuf,
    /// The country of numbers written without one, on the pages.
    pub region: Option<Region>,
    /// What one address may do in a minute.
    pub limits: Limits,
    /// The figures of `/metrics`.
    pub meters: Meters,
    /// The store's health when it was last asked.
    health: Mutex<Option<(Instant, Health)>>,
    /// Set when the process was told to stop: connections are closed after their next answer.
    pub draining: AtomicBool,
}

impl Shared {
    /// Puts together what requests use.
    #[must_use]
    pub fn new(service: Arc<Service>, settings: Settings, data: std::path::PathBuf) -> Self {
        Self {
            region: Region::parse(&settings.web.default_region).ok(),
            limits: Limits::new(&settings.limits),
            meters: Meters::default(),
            health: Mutex::default(),
            draining: AtomicBool::new(false),
            service,
            settings,
            data,
        }
    }
}

/// How handlers get at it.
pub type State = web::Data<Shared>;

/// Adds the routes of the interface.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/check").route(web::get().to(checks::one)))
        .service(web::resource("/v1/checks").route(web::post().to(checks::many)))
        .service(web::resource("/v1/registrations").route(web::post().to(registrations::register)))
        .service(
            web::resource("/v1/registrations/withdraw")
                .route(web::post().to(registrations::withdraw)),
        )
        .service(web::resource("/v1/audit/entries").route(web::get().to(audit::entries)))
        .service(
            web::resource("/v1/admin/sellers")
                .route(web::get().to(admin::sellers))
                .route(web::post().to(admin::add_seller)),
        )
        .service(
            web::resource("/v1/admin/agencies")
                .route(web::get().to(admin::agencies))
                .route(web::post().to(admin::add_agency)),
        )
        .service(
            web::resource("/v1/admin/agencies/{id}").route(web::put().to(admin::change_agency)),
        )
        .service(
            web::resource("/v1/admin/keys")
                .route(web::get().to(admin::keys))
                .route(web::post().to(admin::create_key)),
        )
        .service(web::resource("/v1/admin/keys/{id}").route(web::delete().to(admin::revoke_key)))
        .service(web::resource("/v1/admin/doctor").route(web::get().to(admin::doctor)))
        .service(web::resource("/livez").route(web::get().to(health::alive)))
        .service(web::resource("/readyz").route(web::get().to(health::ready)))
        .service(web::resource("/metrics").route(web::get().to(health::metrics)));
}
