//! Opt out → check → done.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{
    language, language_cookie, message, page, page_with_script, refusal, retry_after, see_other,
};
use super::form::{Fields, Meant, Typed, Wrong};
use super::pages::{
    Channels as ShownChannels, Companies, Done, Facts, Frame, MessageKind, Notice, Number,
    OptOutForm, Patience, Review,
};
use super::texts::Language;
use super::token::{self, Browser, Refused, accept};
use super::{Desk, DeskData, assets, mail, patience, qr, validity_hours, visit};
use crate::api::{State, client_network};
use crate::domain::{Channel, Channels, PhoneNumber, SellerId};
use crate::service::{Registrant, RegistrationView, Sellers, ServiceError, Wanted};

/// `GET /`: the form.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let typed = Typed::blank(&state);
    Step::new(&state, &desk, &request).form(StatusCode::OK, &typed, &Wrong::default(), None)
}

/// `POST /opt-out`: one more box, the check page, back to the form, or the opt-out itself.
pub(super) async fn send(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let mut typed = Typed::from_fields(&fields, &state);
    let mut step = Step::new(&state, &desk, &request);
    let chosen = fields.get("lang").and_then(Language::parse);
    if let Some(language) = chosen {
        step.language = language;
        step.cookies.push(language_cookie(&desk, language));
    }
    let named = match accept(&desk, &request, fields.get("token")) {
        Ok(named) => named,
        Err(Refused::Expired) => {
            let notice = Some(Notice::FormExpired);
            return step.form(StatusCode::FORBIDDEN, &typed, &Wrong::default(), notice);
        }
        Err(refused) => return message(&desk, &request, refusal(refused)),
    };
    step.token = fields.get("token").unwrap_or_default().to_owned();
    let none = Wrong::default();
    match (chosen, fields.get("action"), fields.get("page")) {
        (Some(_), _, Some("review")) | (None, Some("review"), _) => match typed.read(&state) {
            Ok(meant) => step.review(StatusCode::OK, &typed, &meant, None),
            Err(wrong) => step.form(StatusCode::UNPROCESSABLE_ENTITY, &typed, &wrong, None),
        },
        (None, Some("confirm"), _) => match typed.read(&state) {
            Ok(meant) => {
                let shown = |name| fields.get(name).unwrap_or_default();
                if step.wants_patience(&meant)
                    && !patience::is_shown(
                        &desk,
                        &asked_of(&named, &meant),
                        shown("patience"),
                        shown("work"),
                    )
                {
                    return step.ask_for_patience(&typed, &meant, &named);
                }
                step.register(&typed, &meant, &named).await
            }
            Err(wrong) => step.form(StatusCode::UNPROCESSABLE_ENTITY, &typed, &wrong, None),
        },
        (None, Some("add"), _) => {
            typed.add_box(&state);
            step.form(StatusCode::OK, &typed, &none, None)
        }
        (Some(_), ..) | (None, Some("edit"), _) => step.form(StatusCode::OK, &typed, &none, None),
        _ => message(&desk, &request, MessageKind::BadRequest),
    }
}

/// `GET /done`: the code, and what happens now.
pub(super) async fn done(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let Some(access) = visit::access(&desk, &request) else {
        return see_other(&desk, "/registration", None);
    };
    let step = Step::new(&state, &desk, &request);
    match state.service.registration(&access).await {
        Ok(registration) if registration.withdrawn_at.is_some() => {
            see_other(&desk, "/registration", None)
        }
        Ok(registration) => {
            let shown = Shown::of_registration(&state, &registration);
            let code = access.reference().reveal();
            let mail = match mail::offer(&state, &access, &step.token).await {
                Ok(mail) => mail,
                Err(error) => return message(&desk, &request, failure(&error)),
            };
            let view = Done {
                frame: step.frame(),
                token: &step.token,
                reference: &code,
                facts: shown.facts(),
                since: desk.moment(registration.effective_at),
                validity_hours: validity_hours(&state),
                mail,
                // Behind the #, where no server sees it.
                way_back: desk
                    .site
                    .address
                    .as_ref()
                    .and_then(|address| qr::draw(&format!("{address}/registration#{code}"))),
            };
            page(&desk, StatusCode::OK, &view, step.cookies.clone())
        }
        Err(ServiceError::UnknownReference) => {
            see_other(&desk, "/registration", Some(visit::end(&desk)))
        }
        Err(error) => message(&desk, &request, failure(&error)),
    }
}

/// The message for a use case that failed.
pub(super) fn failure(error: &ServiceError) -> MessageKind {
    match error {
        ServiceError::Store(_)
        | ServiceError::Overloaded(_)
        | ServiceError::Unconfirmed
        | ServiceError::NoMonth => MessageKind::RegisterAway,
        _ => {
            tracing::error!(%error, "a page could not be made");
            MessageKind::Broken
        }
    }
}

/// What a registration covers, in words that the views can borrow.
pub(super) struct Shown {
    numbers: Vec<(String, Option<String>)>,
    companies: Option<Vec<String>>,
    channels: ShownChannels,
}

impl Shown {
    fn new(state: &State, numbers: &[PhoneNumber], sellers: &Sellers, channels: Channels) -> Self {
        let known = state.service.directory().known();
        let name = |id: &SellerId| known.seller_name(id);
        Self {
            numbers: numbers
                .iter()
                .map(|number| {
                    let region = number.region_hint();
                    (
                        number.international(),
                        region.map(|region| region.as_str().to_owned()),
                    )
                })
                .collect(),
            companies: match sellers {
                Sellers::All => None,
                Sellers::Chosen(ids) => Some(ids.iter().map(name).collect()),
            },
            channels: ShownChannels {
                voice: channels.covers(Channel::Voice),
                text: channels.covers(Channel::Text),
            },
        }
    }

    pub(super) fn of_registration(state: &State, view: &RegistrationView) -> Self {
        Self::new(state, &view.numbers, &view.sellers, view.channels)
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            numbers: self
                .numbers
                .iter()
                .map(|(international, region)| Number {
                    international,
                    region: region.as_deref(),
                })
                .collect(),
            companies: match &self.companies {
                None => Companies::All,
                Some(names) => Companies::Chosen(names.iter().map(String::as_str).collect()),
            },
            channels: self.channels,
        }
    }
}

/// What patience is asked of: this form, with these numbers.
fn asked_of(named: &[u8], meant: &Meant) -> Vec<u8> {
    let numbers: Vec<&str> = meant.numbers.iter().map(PhoneNumber::e164).collect();
    [named, numbers.join(",").as_bytes()].concat()
}

/// One answer on the way.
struct Step<'a> {
    state: &'a State,
    desk: &'a Desk,
    request: &'a HttpRequest,
    language: Language,
    token: String,
    cookies: Vec<Cookie<'static>>,
}

impl<'a> Step<'a> {
    fn new(state: &'a State, desk: &'a Desk, request: &'a HttpRequest) -> Self {
        let browser = Browser::of(request);
        Self {
            state,
            desk,
            request,
            language: language(desk, request),
            token: browser.token(desk),
            cookies: browser.cookie(desk).into_iter().collect(),
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            language: self.language,
            site: &self.desk.site,
        }
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
        let blank = OptOutForm {
            frame: self.frame(),
            token: &self.token,
            boxes: Vec::new(),
            can_add: false,
            region: "",
            only_chosen: false,
            sellers: Vec::new(),
            channels: ShownChannels {
                voice: true,
                text: true,
            },
            validity_hours: validity_hours(self.state),
            errors: Vec::new(),
            notice,
        };
        let view = typed.show(wrong, &sellers, self.state, blank);
        page(self.desk, status, &view, self.cookies.clone())
    }

    fn review(
        &self,
        status: StatusCode,
        typed: &Typed,
        meant: &Meant,
        notice: Option<Notice>,
    ) -> HttpResponse {
        self.reviewed(status, typed, meant, notice, None)
    }

    fn reviewed(
        &self,
        status: StatusCode,
        typed: &Typed,
        meant: &Meant,
        notice: Option<Notice>,
        patience: Option<Patience>,
    ) -> HttpResponse {
        let shown = Shown::new(self.state, &meant.numbers, &meant.sellers, meant.channels);
        let view = Review {
            frame: self.frame(),
            token: &self.token,
            facts: shown.facts(),
            merged: meant.merged,
            typed: typed.carried(),
            patience,
            notice,
        };
        let make = match view.patience {
            Some(_) => page_with_script,
            None => page,
        };
        make(self.desk, status, &view, self.cookies.clone())
    }

    /// Whether somebody might be a program: faster than anybody reads, or working through a range.
    fn wants_patience(&self, meant: &Meant) -> bool {
        let soon = self.state.settings.limits.form_seconds;
        token::age(&self.token) < soon || self.state.service.is_burst(&meant.numbers)
    }

    fn ask_for_patience(&self, typed: &Typed, meant: &Meant, named: &[u8]) -> HttpResponse {
        let asked = Patience {
            asked: patience::ask(self.desk, &asked_of(named, meant)),
            bits: patience::BITS,
            script: assets::script_path("patience"),
        };
        let wait = patience::WAIT;
        let notice = Some(Notice::Patience { wait });
        let status = StatusCode::FORBIDDEN;
        self.reviewed(status, typed, meant, notice, Some(asked))
    }

    /// The opt-out itself. The same form sent twice finds the registration of the first time.
    async fn register(&self, typed: &Typed, meant: &Meant, named: &[u8]) -> HttpResponse {
        let http = &self.state.settings.http;
        let from = client_network(self.request, &http.trusted_proxies);
        if let Err(too_many) = self.state.limits.registration(from) {
            let retry = too_many.retry_after;
            let notice = Notice::TooManyRequests { retry_after: retry };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = self.review(status, typed, meant, Some(notice));
            retry_after(&mut response, retry);
            return response;
        }
        let (numbers, region) = typed.numbers();
        let wanted = Wanted {
            numbers,
            region,
            sellers: meant.sellers.clone(),
            channels: meant.channels,
        };
        let who = Registrant::Person { form: named };
        match self.state.service.register(who, &wanted).await {
            Ok(made) => {
                self.state.meters.count_registration();
                // The opt-out holds, whatever becomes of the alarm.
                if let Err(error) = self.state.service.count_opted_out(&meant.numbers).await {
                    tracing::warn!(%error, "an alarm about adjacent numbers is not on record");
                }
                let mut cookies = self.cookies.clone();
                cookies.push(visit::cookie(self.desk, &made.access));
                see_other(self.desk, "/done", cookies)
            }
            Err(error) => match failure(&error) {
                MessageKind::RegisterAway => {
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    let notice = Some(Notice::RegisterAway);
                    let mut response = self.review(status, typed, meant, notice);
                    retry_after(&mut response, 5);
                    response
                }
                other => message(self.desk, self.request, other),
            },
        }
    }
}
