//! "They called me anyway": the form, the answer from our own log, and how it goes on.

mod form;
mod pack;
mod shown;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

pub(super) use pack::download;

use super::answer::{language, language_cookie, message, page, refusal, retry_after, see_other};
use super::form::Fields;
use super::opt_out::failure;
use super::pages::{
    Frame, Listed, MessageKind, Notice, NumberBox, OwnNumber, ReportError, ReportForm, Reports,
    SellerChoice,
};
use super::texts::Language;
use super::token::{Browser, Refused, accept};
use super::{Desk, DeskData, visit};
use crate::api::{State, client_network};
use crate::domain::{Moment, PhoneNumber, ReportId};
use crate::service::report::Reporter;
use crate::service::{Access, ServiceError};
use form::{Typed, Wrong};
use shown::authorities;
pub(super) use shown::{Shown, company_name};

/// `GET /report`: the form.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let step = match Step::new(&state, &desk, &request).await {
        Ok(step) => step,
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let mut typed = Typed::blank(&state);
    if let [only] = step.own.as_slice() {
        typed.own = only.e164().to_owned();
    }
    step.form(StatusCode::OK, &typed, &Wrong::default(), None)
}

/// `POST /report`: another language, back to the form, or the report itself.
pub(super) async fn send(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let typed = Typed::from_fields(&fields, &state);
    // Whoever cannot be looked up now keeps what they typed all the same.
    let (mut step, away) = match Step::new(&state, &desk, &request).await {
        Ok(step) => (step, None),
        Err(error) => {
            let mut step = Step::without_code(&state, &desk, &request);
            step.own.extend(PhoneNumber::parse(&typed.own, None).ok());
            (step, Some(error))
        }
    };
    let none = Wrong::default();
    let chosen = fields.get("lang").and_then(Language::parse);
    if let Some(language) = chosen {
        step.language = language;
        step.cookies.push(language_cookie(&desk, language));
    }
    let named = match accept(&desk, &request, fields.get("token")) {
        Ok(named) => named,
        Err(Refused::Expired) => {
            let notice = Some(Notice::FormExpired);
            return step.form(StatusCode::FORBIDDEN, &typed, &none, notice);
        }
        Err(refused) => return message(&desk, &request, refusal(refused)),
    };
    step.token = fields.get("token").unwrap_or_default().to_owned();
    if let Some(error) = away {
        return step.failed(&error, &typed);
    }
    if chosen.is_some() {
        return step.form(StatusCode::OK, &typed, &none, None);
    }
    let told = match typed.read(&state, &step.own, desk.clock, step.language) {
        Ok(told) => told,
        Err(wrong) => return step.form(StatusCode::UNPROCESSABLE_ENTITY, &typed, &wrong, None),
    };
    let from = client_network(&request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.registration(from) {
        let retry = too_many.retry_after;
        let notice = Notice::TooManyRequests { retry_after: retry };
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = step.form(status, &typed, &none, Some(notice));
        retry_after(&mut response, retry);
        return response;
    }
    let who = step
        .access
        .as_ref()
        .map_or(Reporter::Anyone, Reporter::Holder);
    match state.service.report(who, &named, &told).await {
        Ok(made) => {
            state.meters.count_report();
            let mut cookies = step.cookies.clone();
            cookies.push(visit::cookie(&desk, &made.access));
            see_other(&desk, &path(made.view.id), cookies)
        }
        Err(ServiceError::BeforeRecord(since)) => {
            let wrong = Wrong {
                form: vec![ReportError::BeforeRecord(desk.moment(since))],
                beyond: authorities(&state, Some(told.number)),
                ..Wrong::default()
            };
            step.form(StatusCode::UNPROCESSABLE_ENTITY, &typed, &wrong, None)
        }
        Err(error) => step.failed(&error, &typed),
    }
}

/// `GET /reports`: those of the code that is open.
pub(super) async fn list(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let Some(access) = visit::access(&desk, &request) else {
        return see_other(&desk, "/registration", None);
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
                called: desk.moment(report.called_to),
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
    let Some(access) = visit::access(&desk, &request) else {
        return see_other(&desk, "/registration", None);
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
        if let Some(access) = visit::access(desk, request) {
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
    fn failed(&self, error: &ServiceError, typed: &Typed) -> HttpResponse {
        let (status, notice, wait) = match failure(error) {
            MessageKind::RegisterAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                Some(Notice::RegisterAway),
                Some(5),
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Some(Notice::Broken),
                None,
            ),
        };
        let mut response = self.form(status, typed, &Wrong::default(), notice);
        if let Some(seconds) = wait {
            retry_after(&mut response, seconds);
        }
        response
    }

    fn form(
        &self,
        status: StatusCode,
        typed: &Typed,
        wrong: &Wrong,
        notice: Option<Notice>,
    ) -> HttpResponse {
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
            today: self.desk.moment(Moment::now()).form_date(),
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
        page(self.desk, status, &view, self.cookies.clone())
    }
}
