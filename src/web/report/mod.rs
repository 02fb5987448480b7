//! "They called me anyway": the form, the answer from our own log, and how it goes on.

mod form;
mod pack;
mod shown;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

pub(super) use pack::download;

use super::answer::{language, message, page, see_other};
use super::draft::{self, Draft, Why, accepted};
use super::form::Fields;
use super::opt_out::failure;
use super::pages::{
    Frame, Listed, MessageKind, Notice, NumberBox, OwnNumber, ReportError, ReportForm, Reports,
    SellerChoice,
};
use super::texts::Language;
use super::token::Browser;
use super::{Desk, DeskData, visit};
use crate::api::{State, client_network};
use crate::domain::{Moment, PhoneNumber, ReportId};
use crate::service::report::Reporter;
use crate::service::{Access, ServiceError};
use form::{Typed, Wrong};
use shown::authorities;
pub(super) use shown::{Shown, company_name};

/// Where the form is.
const FORM: &str = "/report";

/// `GET /report`: the form, with what was typed if it comes again.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let again = async |draft: &Draft| Step::again(&state, &desk, &request, draft).await;
    if let Some(page) = draft::reopened(&state, &desk, &request, FORM, again).await {
        return page;
    }
    let step = match Step::new(&state, &desk, &request).await {
        Ok(step) => step,
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let mut typed = Typed::blank(&state);
    if let [only] = step.own.as_slice() {
        typed.own = only.e164().to_owned();
    }
    step.form(&typed, &Wrong::default(), None)
}

/// `POST /report`: another language, back to the form, or the report itself.
pub(super) async fn send(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(mut fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let why = match sent(&state, &desk, &request, &mut fields).await {
        Ok(done) => return done,
        Err(why) => why,
    };
    let again = async |draft: &Draft| Step::again(&state, &desk, &request, draft).await;
    let draft = Draft { fields, why };
    draft::again(&desk, &request, (FORM, FORM), draft, again).await
}

/// The report, or why the form comes again.
async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
) -> Result<HttpResponse, Why> {
    let named = accepted(desk, request, fields)?;
    if fields.get("lang").is_some() {
        return Err(Why::NextStep);
    }
    let step = Step::new(state, desk, request)
        .await
        .map_err(|error| Why::failed(&error))?;
    let typed = Typed::from_fields(fields, state);
    let told = typed.read(state, &step.own, desk.clock, step.language);
    let told = told.map_err(|_| Why::Wrong)?;
    let from = client_network(request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.registration(from) {
        let retry_after = too_many.retry_after;
        return Err(Notice::TooManyRequests { retry_after }.into());
    }
    let who = step
        .access
        .as_ref()
        .map_or(Reporter::Anyone, Reporter::Holder);
    match state.service.report(who, &named, &told).await {
        Ok(made) => {
            state.meters.count_report();
            let cookie = visit::cookie(desk, &made.access);
            Ok(see_other(desk, &path(made.view.id), Some(cookie)))
        }
        Err(ServiceError::BeforeRecord(since)) => Err(Why::BeforeRecord(since.millis())),
        Err(error) => Err(Why::failed(&error)),
    }
}

/// `GET /reports`: those of the code that is open.
pub(super) async fn list(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let access = match visit::access(&state, &desk, &request).await {
        Ok(Some(access)) => access,
        Ok(None) => return see_other(&desk, "/registration", None),
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let reports = match state.service.reports_of(&access).await {
        Ok(reports) => reports,
        Err(error) => return not_there(&desk, &request, &error),
    };
    let known = state.service.directory().known();
    let names: Vec<Option<String>> = reports
        .iter()
        .map(|report| company_name(report, &known))
        .collect();
    let browser = Browser::of(&request);
    let token = browser.token(&desk);
    let view = Reports {
        frame: frame(&desk, &request),
        token: &token,
        reports: reports
            .iter()
            .zip(&names)
            .map(|(report, name)| Listed {
                path: path(report.id),
                company: name.as_deref(),
                called: desk.local_time(report.called_to),
                state: report.state,
            })
            .collect(),
    };
    page(&desk, StatusCode::OK, &view, browser.cookie(&desk))
}

/// `GET /reports/{id}`: what was found, and how it stands.
pub(super) async fn one(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    let access = match visit::access(&state, &desk, &request).await {
        Ok(Some(access)) => access,
        Ok(None) => return see_other(&desk, "/registration", None),
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let Some(id) = ReportId::parse(&id) else {
        return message(&desk, &request, MessageKind::NotFound);
    };
    let report = match state.service.report_of(&access, id).await {
        Ok(report) => report,
        Err(error) => return not_there(&desk, &request, &error),
    };
    let has_opt_out = match state.service.registration(&access).await {
        Ok(_) => true,
        Err(ServiceError::UnknownReference) => false,
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let code = (!has_opt_out).then(|| access.reference().reveal());
    let browser = Browser::of(&request);
    let token = browser.token(&desk);
    let shown = Shown::new(&state, &report);
    let path = path(id);
    let view = shown.view(
        &desk,
        frame(&desk, &request),
        &token,
        &path,
        code.as_deref(),
    );
    page(&desk, StatusCode::OK, &view, browser.cookie(&desk))
}

/// The path of a report's page.
pub(super) fn path(id: ReportId) -> String {
    format!("/reports/{id}")
}

/// The page for a code or a report that is not there, or cannot be looked up.
fn not_there(desk: &Desk, request: &HttpRequest, error: &ServiceError) -> HttpResponse {
    match error {
        ServiceError::UnknownReport => message(desk, request, MessageKind::NotFound),
        ServiceError::UnknownReference => see_other(desk, "/registration", Some(visit::end(desk))),
        error => message(desk, request, failure(error)),
    }
}

fn frame<'a>(desk: &'a Desk, request: &HttpRequest) -> Frame<'a> {
    Frame {
        language: language(desk, request),
        site: &desk.site,
    }
}

/// One answer on the way.
struct Step<'a> {
    state: &'a State,
    desk: &'a Desk,
    language: Language,
    token: String,
    cookies: Vec<Cookie<'static>>,
    /// The code that is open.
    access: Option<Access>,
    /// Its numbers.
    own: Vec<PhoneNumber>,
}

impl<'a> Step<'a> {
    async fn new(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
    ) -> Result<Self, ServiceError> {
        let mut step = Self::without_code(state, desk, request);
        if let Some(access) = visit::access(state, desk, request).await? {
            match state.service.registration(&access).await {
                Ok(registration) => {
                    step.own = registration.numbers;
                    step.access = Some(access);
                }
                // The code of an earlier report, or of nothing.
                Err(ServiceError::UnknownReference) => {
                    match state.service.reports_of(&access).await {
                        Ok(_) => step.access = Some(access),
                        Err(ServiceError::UnknownReference) => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(step)
    }

    fn without_code(state: &'a State, desk: &'a Desk, request: &'a HttpRequest) -> Self {
        let browser = Browser::of(request);
        Self {
            state,
            desk,
            language: language(desk, request),
            token: browser.token(desk),
            cookies: browser.cookie(desk).into_iter().collect(),
            access: None,
            own: Vec::new(),
        }
    }

    /// The form once more, with everything that was typed, and why.
    async fn again(
        state: &'a State,
        desk: &'a Desk,
        request: &'a HttpRequest,
        draft: &Draft,
    ) -> HttpResponse {
        let typed = Typed::from_fields(&draft.fields, state);
        // Whoever cannot be looked up now keeps what they typed all the same.
        let mut step = Self::new(state, desk, request).await.unwrap_or_else(|_| {
            let mut step = Self::without_code(state, desk, request);
            step.own.extend(PhoneNumber::parse(&typed.own, None).ok());
            step
        });
        step.language = draft.language(desk, request);
        draft.token().clone_into(&mut step.token);
        let read = || typed.read(state, &step.own, desk.clock, step.language);
        let wrong = match draft.why {
            Why::Wrong => read().err().unwrap_or_default(),
            Why::BeforeRecord(since) => Wrong {
                form: vec![ReportError::BeforeRecord(
                    desk.local_time(Moment::from_millis(since)),
                )],
                beyond: authorities(state, read().ok().map(|told| told.number)),
                ..Wrong::default()
            },
            _ => Wrong::default(),
        };
        step.form(&typed, &wrong, draft.why.notice())
    }

    fn form(&self, typed: &Typed, wrong: &Wrong, notice: Option<Notice>) -> HttpResponse {
        let known = self.state.service.directory().known();
        let sellers = known.sellers_by_name();
        let own: Vec<String> = self.own.iter().map(PhoneNumber::international).collect();
        let view = ReportForm {
            frame: Frame {
                language: self.language,
                site: &self.desk.site,
            },
            token: &self.token,
            own: self
                .own
                .iter()
                .zip(&own)
                .map(|(number, shown)| OwnNumber {
                    value: number.e164(),
                    shown,
                    checked: typed.own == number.e164(),
                })
                .collect(),
            other: typed.own == "other",
            number: NumberBox {
                value: &typed.number,
                error: wrong.number,
            },
            region: &typed.region,
            sellers: sellers
                .iter()
                .map(|(id, name)| SellerChoice {
                    id,
                    name,
                    checked: false,
                })
                .collect(),
            company: &typed.company,
            company_name: &typed.company_name,
            date: &typed.date,
            today: self.desk.local_time(Moment::now()).day().to_string(),
            time: &typed.time,
            sure: &typed.sure,
            caller: &typed.caller,
            words: &typed.words,
            errors: wrong.form.clone(),
            authorities: wrong
                .beyond
                .iter()
                .map(|(name, url)| (name.as_str(), url.as_str()))
                .collect(),
            notice,
        };
        page(self.desk, StatusCode::OK, &view, self.cookies.clone())
    }
}
