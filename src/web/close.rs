//! "Close on this device", and signing out: nothing of it comes back.
//!
//! The cookies go. The session is closed in the store, for every process, so that a copy of its
//! cookie opens nothing either. And the cookie that ties forms to this browser is a new one: with
//! it go the drafts, which open for the old one alone, and the pages that browsers keep in memory
//! for Back although they may store none, until a cookie that no script reads has changed.

use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::{HttpRequest, HttpResponse};

use super::Desk;
use super::answer::{message, refusal, see_other};
use super::draft;
use super::form::Fields;
use super::token::{Browser, Refused, accept};
use crate::api::State;
use crate::domain::Moment;
use crate::service::SessionId;

/// How long the store is left alone that could not keep that a session was closed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Closes a session that ends by itself at a moment, with the cookies that end it; on to `to`.
pub(super) async fn close(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
    fields: &Fields,
    session: Option<(SessionId, Moment)>,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
    to: &str,
) -> HttpResponse {
    match accept(desk, request, fields.get("token")) {
        // A form that lay open too long still means that somebody wants to leave.
        Ok(_) | Err(Refused::Expired | Refused::NoCookie) => {}
        Err(refused) => return message(desk, request, refusal(refused)),
    }
    if let Some((id, until)) = session {
        let drafts = Moment::now().plus(draft::LASTS);
        tokio::join!(
            closed(state, id, until),
            closed(state, Browser::of(request).id(), drafts),
        );
    }
    let renewed = Browser::new().cookie(desk);
    see_other(desk, to, cookies.into_iter().chain(renewed))
}

/// Closes a session now or, where the store is away, as soon as it can be done.
async fn closed(state: &State, id: SessionId, until: Moment) {
    let Err(error) = state.service.close_session(&id, until).await else {
        return;
    };
    tracing::warn!(%error, "that a session was closed could not be kept yet, and is tried again");
    let state = state.clone();
    #[expect(clippy::disallowed_methods, reason = "it ends with the session")]
    actix_web::rt::spawn(async move {
        while Moment::now() < until && state.service.close_session(&id, until).await.is_err() {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    });
}
