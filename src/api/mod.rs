//! The REST interface, version 1: one file a resource.

mod address;
mod admin;
mod audit;
mod auth;
mod blocking;
mod body;
mod checks;
mod health;
mod imports;
mod layer;
mod limits;
mod log;
mod matching;
mod problem;
mod query;
mod registrations;
pub(crate) mod reports;
mod sheets;
mod spool;
mod wash;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use actix_web::web::{self, ServiceConfig};
use tokio::sync::{Mutex, Notify, Semaphore};

pub use address::{Network, client_network};
pub(crate) use audit::ENTRIES_SINCE;
pub(crate) use blocking::blocking;
pub(crate) use body::read as read_body;
pub(crate) use checks::{Given, Wanted, answer, asks_for_text, is_text};
pub use layer::layer;
pub(crate) use layer::{log_check, written};
pub use limits::{Limits, TooMany};
pub use problem::Problem;

use crate::domain::Region;
use crate::service::Service;
use crate::settings::Settings;
use crate::store::Health;
use crate::telemetry::{CHECK, Meters};

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
    /// Taken by whoever makes a table of a spreadsheet: it needs more memory than anything else here,
    /// so it is done one at a time.
    sheets: Semaphore,
    /// The store's health when it was last asked.
    health: Mutex<Option<(Instant, Health)>>,
    /// Set when the process was told to stop: connections are closed after their next answer.
    pub draining: AtomicBool,
    /// Rung at that moment, for connections that wait for their next request.
    pub stopping: Notify,
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
            stopping: Notify::new(),
            sheets: Semaphore::new(1),
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
        .service(web::resource(CHECK).route(web::get().to(checks::one)))
        .service(web::resource("/v1/checks").route(web::post().to(checks::many)))
        .service(web::resource("/v1/registrations").route(web::post().to(registrations::register)))
        .service(
            web::resource("/v1/registrations/withdraw")
                .route(web::post().to(registrations::withdraw)),
        )
        .service(web::resource("/v1/checks/{id}").route(web::get().to(checks::receipt)))
        .service(web::resource("/v1/reports").route(web::get().to(reports::list)))
        .service(web::resource("/v1/reports/{id}").route(web::get().to(reports::one)))
        .service(web::resource("/v1/reports/{id}/answer").route(web::post().to(reports::answer)))
        .service(web::resource("/v1/wash").route(web::post().to(wash::wash)))
        .service(web::resource("/v1/washes/{id}").route(web::get().to(wash::receipt)))
        .service(web::resource("/v1/audit/entries").route(web::get().to(audit::entries)))
        .service(web::resource("/v1/audit/match").route(web::post().to(matching::records)))
        .service(web::resource("/v1/audit/openings").route(web::post().to(audit::openings)))
        .service(web::resource("/v1/admin/log/keys").route(web::post().to(admin::rotate_log_key)))
        .service(
            web::resource("/v1/admin/months/{month}/release")
                .route(web::post().to(admin::release_month)),
        )
        .service(web::resource("/v1/admin/log/prune").route(web::post().to(admin::prune)))
        .service(web::resource("/v1/admin/log/index").route(web::post().to(admin::reindex)))
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
        .service(
            web::resource("/v1/admin/registrations")
                .route(web::post().to(registrations::register_on_behalf)),
        )
        .service(
            web::resource("/v1/admin/imports")
                .route(web::get().to(imports::list))
                .route(web::post().to(imports::begin)),
        )
        .service(web::resource("/v1/admin/imports/find").route(web::post().to(imports::find)))
        .service(web::resource("/v1/admin/imports/{id}").route(web::get().to(imports::one)))
        .service(
            web::resource("/v1/admin/imports/{id}/finish").route(web::post().to(imports::finish)),
        )
        .service(
            web::resource("/v1/admin/imports/{id}/parts/{number}")
                .route(web::put().to(imports::part)),
        )
        .service(
            web::resource("/v1/admin/imports/{id}/steps/{number}")
                .route(web::put().to(imports::step)),
        )
        .service(
            web::resource("/v1/admin/imports/{id}/parts/{number}/rejected")
                .route(web::get().to(imports::rejected)),
        )
        .service(web::resource("/v1/admin/doctor").route(web::get().to(admin::doctor)))
        .service(web::resource("/log").route(web::get().to(log::about)))
        .service(web::resource("/log/logs.json").route(web::get().to(log::logs)))
        .service(web::resource("/log/vkeys").route(web::get().to(log::keys)))
        .service(web::resource("/log/checkpoint").route(web::get().to(log::checkpoint)))
        .service(web::resource("/log/tile/{tile:.*}").route(web::get().to(log::tile)))
        .service(web::resource("/log/{log}/checkpoint").route(web::get().to(log::named_checkpoint)))
        .service(web::resource("/log/{log}/checkpoints").route(web::get().to(log::checkpoints)))
        .service(
            web::resource("/log/{log}/checkpoints/{size}")
                .route(web::get().to(log::kept_checkpoint)),
        )
        .service(web::resource("/log/{log}/cosignatures").route(web::post().to(log::cosign)))
        .service(web::resource("/log/{log}/tile/{tile:.*}").route(web::get().to(log::named_tile)))
        .service(web::resource("/livez").route(web::get().to(health::alive)))
        .service(web::resource("/readyz").route(web::get().to(health::ready)))
        .service(web::resource("/metrics").route(web::get().to(health::metrics)));
}
