//! The operator opts a person out who cannot use a page, and hands the code over.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::session;
use super::visitor::{self, Again, Visitor, reopened};
use crate::api::State;
use crate::service::{Registrant, Wanted, reason};
use crate::web::answer::{message, see_other};
use crate::web::draft::{Draft, Why};
use crate::web::form::{Fields, Typed, Wrong};
use crate::web::pages::{
    Channels, ConsoleHandover, ConsoleOnBehalf, ConsoleRole, MessageKind, Notice, OptOutForm,
};
use crate::web::{Desk, DeskData, validity_hours};

/// Where the form is.
pub(super) const PATH: &str = "/console/on-behalf";

/// The form as it was typed.
struct Sheet {
    typed: Typed,
    numbers: String,
    reason: String,
}

/// What is wrong with it.
#[derive(Default)]
struct Faults {
    form: Wrong,
    reason: bool,
}

impl Sheet {
    fn blank(state: &State) -> Self {
        Self {
            typed: Typed::blank(state),
            numbers: String::new(),
            reason: String::new(),
        }
    }

    fn of(fields: &Fields, state: &State) -> Self {
        Self {
            typed: Typed::from_fields(&fields.with_lines_of("numbers", "number"), state),
            numbers: fields.get("numbers").unwrap_or_default().to_owned(),
            reason: fields.get("reason").unwrap_or_default().to_owned(),
        }
    }
}

/// `GET /console/on-behalf`: the form.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let show = async |visitor: &Visitor<'_>, draft: &Draft| again(visitor, draft);
    if let Some(page) = reopened(&state, &desk, &request, show).await {
        return page;
    }
    match Visitor::enter(&state, &desk, &request).await {
        Ok(visitor) if visitor.role == ConsoleRole::Operator => {
            let sheet = Sheet::blank(&state);
            form(&visitor, &sheet, &Faults::default(), None)
        }
        Ok(visitor) => visitor.not_found(),
        Err(answer) => *answer,
    }
}

/// The form once more, with what was typed.
pub(super) fn again(visitor: &Visitor<'_>, draft: &Draft) -> HttpResponse {
    if visitor.role != ConsoleRole::Operator {
        return visitor.not_found();
    }
    let sheet = Sheet::of(&draft.fields, visitor.state);
    let faults = match draft.why {
        Why::Wrong => Faults {
            form: sheet.typed.read(visitor.state).err().unwrap_or_default(),
            reason: reason(&sheet.reason).is_err(),
        },
        _ => Faults::default(),
    };
    form(visitor, &sheet, &faults, draft.why.notice())
}

/// `POST /console/on-behalf`: the opt-out.
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
    let show = async |visitor: &Visitor<'_>, draft: &Draft| again(visitor, draft);
    visitor::again(&state, &desk, &request, fields, why, show).await
}

async fn sent(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &mut Fields,
) -> Result<HttpResponse, Again> {
    let (visitor, named) = Visitor::send(state, desk, request, fields).await?;
    if visitor.role != ConsoleRole::Operator {
        return Err(MessageKind::NotFound.into());
    }
    if fields.get("lang").is_some() {
        return Err(Why::NextStep.into());
    }
    let sheet = Sheet::of(fields, state);
    let meant = sheet.typed.read(state).map_err(|_| Why::Wrong)?;
    reason(&sheet.reason).map_err(|_| Why::Wrong)?;
    let (numbers, notation) = sheet.typed.numbers();
    let wanted = Wanted {
        numbers,
        notation,
        sellers: meant.sellers.clone(),
        channels: meant.channels,
    };
    let who = Registrant::Operator {
        who: &visitor.who,
        reason: &sheet.reason,
        again: Some(&named),
    };
    let made = state.service.register(who, &wanted).await;
    let made = made.map_err(|error| Why::failed(&error))?;
    state.meters.count_registration();
    let cookie = session::hand_over(desk, visitor.key(), &made);
    Ok(see_other(desk, "/console/on-behalf/done", Some(cookie)))
}

fn form(
    visitor: &Visitor<'_>,
    sheet: &Sheet,
    faults: &Faults,
    notice: Option<Notice>,
) -> HttpResponse {
    let state = visitor.state;
    let known = state.service.directory().known();
    let mut sellers: Vec<(String, String)> = known
        .sellers
        .iter()
        .map(|(id, seller)| (id.to_string(), seller.name.clone()))
        .collect();
    sellers.sort_by_key(|(_, name)| name.to_lowercase());
    let blank = OptOutForm {
        frame: visitor.frame(),
        token: visitor.token(),
        boxes: Vec::new(),
        can_add: false,
        focus_last: false,
        region: "",
        only_chosen: false,
        sellers: Vec::new(),
        channels: Channels {
            voice: true,
            text: true,
        },
        validity_hours: validity_hours(state),
        errors: Vec::new(),
        notice: None,
    };
    let view = ConsoleOnBehalf {
        frame: visitor.frame(),
        nav: visitor.nav(PATH),
        form: sheet.typed.show(&faults.form, &sellers, state, blank),
        numbers: &sheet.numbers,
        reason: &sheet.reason,
        reason_is_wrong: faults.reason,
        notice,
    };
    visitor.page(StatusCode::OK, &view)
}

/// `GET /console/on-behalf/done`: the code, to hand over.
pub(super) async fn done(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let visitor = match Visitor::enter(&state, &desk, &request).await {
        Ok(visitor) if visitor.role == ConsoleRole::Operator => visitor,
        Ok(visitor) => return visitor.not_found(),
        Err(answer) => return *answer,
    };
    let Some(made) = session::handed_over(&desk, &request, visitor.key()) else {
        return see_other(&desk, PATH, None);
    };
    let view = ConsoleHandover {
        frame: visitor.frame(),
        nav: visitor.nav(PATH),
        reference: &made.code,
        since: desk.local_time(made.since),
    };
    visitor.page(StatusCode::OK, &view)
}
