//! The operator opts a person out who cannot use a page, and hands the code over.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::session;
use super::visitor::Visitor;
use crate::api::State;
use crate::service::{Registrant, Wanted, reason};
use crate::web::answer::{message, retry_after, see_other};
use crate::web::form::{Fields, Typed, Wrong};
use crate::web::opt_out::failure;
use crate::web::pages::{
    Channels, ConsoleHandover, ConsoleOnBehalf, ConsoleRole, MessageKind, Notice, OptOutForm,
};
use crate::web::{DeskData, validity_hours};

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
    match Visitor::enter(&state, &desk, &request) {
        Ok(visitor) if visitor.role == ConsoleRole::Operator => {
            let sheet = Sheet::blank(&state);
            form(&visitor, StatusCode::OK, &sheet, &Faults::default(), None)
        }
        Ok(visitor) => visitor.not_found(),
        Err(answer) => *answer,
    }
}

/// The form with what was typed before the session ended.
pub(super) fn reopened(visitor: &Visitor<'_>, fields: &Fields) -> HttpResponse {
    if visitor.role != ConsoleRole::Operator {
        return visitor.not_found();
    }
    let sheet = Sheet::of(fields, visitor.state);
    form(visitor, StatusCode::OK, &sheet, &Faults::default(), None)
}

/// `POST /console/on-behalf`: the opt-out.
pub(super) async fn send(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(fields) = Fields::read(&state, payload).await else {
        return message(&desk, &request, MessageKind::BadRequest);
    };
    let (visitor, named) = match Visitor::send(&state, &desk, &request, &fields) {
        Ok(sent) => sent,
        Err(answer) => return *answer,
    };
    if visitor.role != ConsoleRole::Operator {
        return visitor.not_found();
    }
    let sheet = Sheet::of(&fields, &state);
    let none = Faults::default();
    let Some(named) = named else {
        let notice = Some(Notice::FormExpired);
        return form(&visitor, StatusCode::FORBIDDEN, &sheet, &none, notice);
    };
    if fields.get("lang").is_some() {
        return form(&visitor, StatusCode::OK, &sheet, &none, None);
    }
    let reason_is_wrong = reason(&sheet.reason).is_err();
    let meant = match sheet.typed.read(&state) {
        Ok(meant) if !reason_is_wrong => meant,
        read => {
            let faults = Faults {
                form: read.err().unwrap_or_default(),
                reason: reason_is_wrong,
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return form(&visitor, status, &sheet, &faults, None);
        }
    };
    let (numbers, region) = sheet.typed.numbers();
    let wanted = Wanted {
        numbers,
        region,
        sellers: meant.sellers.clone(),
        channels: meant.channels,
    };
    let who = Registrant::Operator {
        who: &visitor.who,
        reason: &sheet.reason,
        again: Some(&named),
    };
    match state.service.register(who, &wanted).await {
        Ok(made) => {
            state.meters.count_registration();
            let cookie = session::hand_over(&desk, visitor.key(), &made);
            see_other(&desk, "/console/on-behalf/done", Some(cookie))
        }
        Err(error) => match failure(&error) {
            MessageKind::RegisterAway => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let notice = Some(Notice::RegisterAway);
                let mut response = form(&visitor, status, &sheet, &none, notice);
                retry_after(&mut response, 5);
                response
            }
            _ => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                form(&visitor, status, &sheet, &none, Some(Notice::Broken))
            }
        },
    }
}

fn form(
    visitor: &Visitor<'_>,
    status: StatusCode,
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
    visitor.page(status, &view)
}

/// `GET /console/on-behalf/done`: the code, to hand over.
pub(super) async fn done(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let visitor = match Visitor::enter(&state, &desk, &request) {
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
        since: desk.moment(made.since),
    };
    visitor.page(StatusCode::OK, &view)
}
