//! The pages for people: opt out, check, done; with the code, see the registration and take it
//! back. And the console, for those who hold a key. Rendered by the server, complete without
//! scripts, in four languages.
//!
//! * [`pages`], [`texts`], [`moment`]: views; plain data in, HTML out.
//! * [`letters`]: letters by e-mail, in words.
//! * the other files: what a request means, and what it does.

mod answer;
mod asked;
mod assets;
mod change;
mod close;
mod console;
mod draft;
mod form;
mod letters;
mod mail;
mod opt_out;
mod own;
mod patience;
mod qr;
mod report;
mod token;
mod visit;

pub mod moment;
pub mod pages;
pub mod plot;
pub mod texts;

pub use letters::Writer;

use actix_web::web::{self, Data, ServiceConfig};

use crate::api::State;
use crate::domain::Moment;
use crate::privacy::{Purpose, SecretKey};
use crate::settings::Settings;
use moment::{Clock, LocalTime};
use pages::{Contact, Site};
use texts::Language;

/// What every page needs beside the use cases.
#[derive(Debug)]
pub struct Desk {
    site: Site,
    clock: Clock,
    default_language: Language,
    secure: bool,
    host: Option<String>,
    visit_key: SecretKey,
    form_key: SecretKey,
    draft_key: SecretKey,
    visit_minutes: u64,
    console_key: SecretKey,
    console_minutes: u64,
}

/// How handlers get at it.
type DeskData = Data<Desk>;

impl Desk {
    /// Puts together what the pages need.
    #[must_use]
    pub fn new(settings: &Settings, derive: impl Fn(Purpose) -> SecretKey) -> Self {
        let url = settings.http.public_url.trim_end_matches('/');
        let host = url.split_once("://").map(|(_, host)| host.to_owned());
        Self {
            site: Site {
                name: settings.web.name.clone(),
                contact: Contact::parse(&settings.web.contact),
                address: (!url.is_empty()).then(|| url.to_owned()),
                style_href: assets::style_path(),
                icon_href: assets::ICON_PATH.to_owned(),
            },
            clock: Clock::of(&settings.web.time_zone, &settings.web.default_region),
            default_language: settings.web.default_language.into(),
            secure: url.starts_with("https://"),
            host,
            visit_key: derive(Purpose::Visit),
            form_key: derive(Purpose::Form),
            draft_key: derive(Purpose::Draft),
            visit_minutes: settings.web.visit_minutes,
            console_key: derive(Purpose::Console),
            console_minutes: settings.web.console_minutes,
        }
    }

    fn local_time(&self, at: Moment) -> LocalTime {
        LocalTime::new(at, self.clock)
    }
}

pub use mail::days as follow_up_days;

/// Whole hours for which an answer may be used, for showing.
fn validity_hours(state: &State) -> u32 {
    u32::try_from(state.service.validity().as_secs().div_ceil(3600)).unwrap_or(u32::MAX)
}

/// Adds the routes of the pages.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/").route(web::get().to(opt_out::show)))
        .service(
            web::resource(opt_out::FORM)
                .route(web::get().to(opt_out::form))
                .route(web::post().to(opt_out::send)),
        )
        .service(web::resource(opt_out::REVIEW).route(web::get().to(opt_out::review)))
        .service(web::resource("/done").route(web::get().to(opt_out::done)))
        .service(
            web::resource("/registration")
                .route(web::get().to(own::show))
                .route(web::post().to(own::enter)),
        )
        .service(web::resource("/registration/asked").route(web::get().to(asked::show)))
        .service(web::resource("/registration/asked.csv").route(web::get().to(asked::table)))
        .service(
            web::resource("/registration/withdraw")
                .route(web::get().to(change::reopened))
                .route(web::post().to(own::withdraw)),
        )
        .service(
            web::resource("/registration/restore")
                .route(web::get().to(change::reopened))
                .route(web::post().to(change::restore)),
        )
        .service(
            web::resource("/registration/change")
                .route(web::get().to(change::reopened))
                .route(web::post().to(change::change)),
        )
        .service(web::resource("/registration/proof").route(web::get().to(change::proof)))
        .service(
            web::resource("/report")
                .route(web::get().to(report::show))
                .route(web::post().to(report::send)),
        )
        .service(web::resource("/reports").route(web::get().to(report::list)))
        .service(web::resource("/reports/{id}").route(web::get().to(report::one)))
        .service(web::resource("/reports/{id}/evidence.zip").route(web::get().to(report::download)))
        .service(
            web::resource("/registration/mail")
                .route(web::get().to(mail::show))
                .route(web::post().to(mail::send)),
        )
        .configure(console::routes)
        .service(web::resource("/leave").route(web::post().to(own::leave)))
        .service(web::resource("/language").route(web::get().to(answer::change_language)))
        .service(web::resource("/assets/{name}").route(web::get().to(assets::serve)))
        .default_service(web::to(answer::not_found));
}
