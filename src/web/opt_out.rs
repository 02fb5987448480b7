//! Opt out → check → done.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{language, message, page, page_with_script, see_other};
use super::draft::{self, Draft, Why, accepted};
use super::form::{Fields, Meant, Typed, Wrong};
use super::pages::{
    Channels as ShownChannels, Companies, Done, Facts, Frame, MessageKind, Notice, Number,
    OptOutForm, Patience, Review,
};
use super::texts::Language;
use super::token::{self, Browser};
use super::{Desk, DeskData, assets, mail, patience, qr, validity_hours, visit};
use crate::api::{State, client_network};
use crate::domain::{Channel, Channels, PhoneNumber, SellerId};
use crate::service::{Registrant, RegistrationView, Sellers, ServiceError, Wanted};

/// Where the form is sent to, and where it comes again.
pub(super) const FORM: &str = "/opt-out";

/// Where everything is seen once more, before it counts.
pub(super) const REVIEW: &str = "/opt-out/review";

/// `GET /`: the form.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let typed = Typed::blank(&state);
    Step::new(&state, &desk, &request).form(&typed, None)
}

/// `GET /opt-out`: the form with what was typed.
pub(super) async fn form(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    reopened(state, desk, request, FORM).await
}

/// `GET /opt-out/review`: what was typed, once more.
pub(super) async fn review(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    reopened(state, desk, request, REVIEW).await
}

async fn reopened(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    page: &'static str,
) -> HttpResponse {
    let show = async |draft: &Draft| Step::of(&state, &desk, &request, draft).shown(page, draft);
    let page = draft::reopened(&state, &desk, &request, FORM, show).await;
    page.unwrap_or_else(|| see_other(&desk, "/", None))
}

/// `POST /opt-out`: one more box, the check page, back to the form, or the opt-out itself.
pub(super) async fn send(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(mut fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let (page, why) = match sent(&state, &desk, &request, &mut fields).await {
        Ok(done) => return done,
        Err(again) => again,
    };
    let show = async |draft: &Draft| Step::of(&state, &desk, &request, draft).shown(page, draft);
    let draft = Draft { fields, why };
    draft::again(&desk, &request, (FORM, page), draft, show).await
}

/// The opt-out, or which page comes next, and why.
async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
) -> Result<HttpResponse, (&'static str, Why)> {
    let named = accepted(desk, request, fields).map_err(|why| (FORM, why))?;
    let typed = Typed::from_fields(fields, state);
    let meant = typed.read(state).map_err(|_| (FORM, Why::Wrong));
    match (fields.get("lang"), fields.get("action"), fields.get("page")) {
        (Some(_), _, Some("review")) | (None, Some("review"), _) => {
            meant.and(Err((REVIEW, Why::NextStep)))
        }
        (None, Some("confirm"), _) => {
            let meant = meant?;
            let step = Step::new(state, desk, request);
            step.confirmed(fields, &typed, &meant, &named)
                .await
                .map_err(|why| (REVIEW, why))
        }
        (None, Some("add"), _) if typed.can_add(state) => {
            fields.push("number", "");
            Err((FORM, Why::NewBox))
        }
        (Some(_), ..) | (None, Some("add" | "edit"), _) => Err((FORM, Why::NextStep)),
        _ => Err((FORM, MessageKind::BadRequest.into())),
    }
}

/// `GET /done`: the code, and what happens now.
pub(super) async fn done(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let access = match visit::access(&state, &desk, &request).await {
        Ok(Some(access)) => access,
        Ok(None) => return see_other(&desk, "/registration", None),
        Err(error) => return message(&desk, &request, failure(&error)),
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
                since: desk.local_time(registration.effective_at),
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
        | ServiceError::TooManySearches
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

    /// The same for a form that comes again.
    fn of(state: &'a State, desk: &'a Desk, request: &'a HttpRequest, draft: &Draft) -> Self {
        Self {
            token: draft.token().to_owned(),
            language: draft.language(desk, request),
            ..Self::new(state, desk, request)
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            language: self.language,
            site: &self.desk.site,
        }
    }

    /// A draft on its page: what cannot be read is shown on the form.
    fn shown(&self, page: &str, draft: &Draft) -> HttpResponse {
        let typed = Typed::from_fields(&draft.fields, self.state);
        match typed.read(self.state) {
            Ok(meant) if page == REVIEW => self.review(&typed, &meant, draft),
            _ => self.form(&typed, Some(draft.why)),
        }
    }

    fn form(&self, typed: &Typed, why: Option<Why>) -> HttpResponse {
        let known = self.state.service.directory().known();
        let sellers = known.sellers_by_name();
        let blank = OptOutForm {
            frame: self.frame(),
            token: &self.token,
            boxes: Vec::new(),
            can_add: false,
            focus_last: why == Some(Why::NewBox),
            region: "",
            only_chosen: false,
            sellers: Vec::new(),
            channels: ShownChannels {
                voice: true,
                text: true,
            },
            validity_hours: validity_hours(self.state),
            errors: Vec::new(),
            notice: why.and_then(Why::notice),
        };
        let wrong = match why {
            Some(Why::Wrong) => typed.read(self.state).err().unwrap_or_default(),
            _ => Wrong::default(),
        };
        let view = typed.show(&wrong, &sellers, self.state, blank);
        page(self.desk, StatusCode::OK, &view, self.cookies.clone())
    }

    fn review(&self, typed: &Typed, meant: &Meant, draft: &Draft) -> HttpResponse {
        let shown = Shown::new(self.state, &meant.numbers, &meant.sellers, meant.channels);
        let asked = draft.fields.get("patience");
        let view = Review {
            frame: self.frame(),
            token: &self.token,
            facts: shown.facts(),
            merged: meant.merged,
            typed: typed.carried(),
            patience: asked.map(|asked| Patience {
                asked: asked.to_owned(),
                bits: patience::BITS,
                script: assets::script_path("patience"),
            }),
            notice: draft.why.notice(),
        };
        let make = match view.patience {
            Some(_) => page_with_script,
            None => page,
        };
        make(self.desk, StatusCode::OK, &view, self.cookies.clone())
    }

    /// Whether somebody might be a program: faster than anybody reads, or working through a range.
    fn wants_patience(&self, token: &str, meant: &Meant) -> bool {
        let soon = self.state.settings.limits.form_seconds;
        token::age(token) < soon || self.state.service.is_burst(&meant.numbers)
    }

    /// The opt-out itself. The same form sent twice finds the registration of the first time.
    async fn confirmed(
        &self,
        fields: &mut Fields,
        typed: &Typed,
        meant: &Meant,
        named: &[u8],
    ) -> Result<HttpResponse, Why> {
        let shown = |name| fields.get(name).unwrap_or_default();
        let asked = asked_of(named, meant);
        if self.wants_patience(shown("token"), meant)
            && !patience::is_shown(self.desk, &asked, shown("patience"), shown("work"))
        {
            fields.set("patience", &patience::ask(self.desk, &asked));
            let wait = patience::WAIT;
            return Err(Notice::Patience { wait }.into());
        }
        let http = &self.state.settings.http;
        let from = client_network(self.request, &http.trusted_proxies);
        if let Err(too_many) = self.state.limits.registration(from) {
            let retry_after = too_many.retry_after;
            return Err(Notice::TooManyRequests { retry_after }.into());
        }
        let (numbers, notation) = typed.numbers();
        let wanted = Wanted {
            numbers,
            notation,
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
                let cookie = visit::cookie(self.desk, &made.access);
                Ok(see_other(self.desk, "/done", Some(cookie)))
            }
            Err(error) => Err(Why::failed(&error)),
        }
    }
}
