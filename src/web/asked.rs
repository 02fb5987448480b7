//! `GET /registration/asked`: who asked about the numbers of a registration, and what they were told.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use jiff::ToSpan;
use jiff::civil::Date;

use super::answer::{attachment, language, message, page, see_other};
use super::moment::day_in_words;
use super::opt_out::failure;
use super::pages::{Asked, Channels as ShownChannels, Day, Frame, Line, MessageKind, OfNumber};
use super::plot::{Stack, over_time};
use super::texts::{Language, Texts, fill};
use super::token::Browser;
use super::{Desk, DeskData, visit};
use crate::api::{Problem, State, blocking, client_network};
use crate::domain::{Answer, Channel, Channels, PhoneNumber, SellerRef};
use crate::service::asked::{Asking, Askings, Kind};
use crate::service::{RegistrationView, Sellers, ServiceError, Snapshot};
use crate::table::harmless;

/// How many lines a number has on the page at most; the file has all.
const LINES: usize = 200;

/// How many days the picture shows at most.
const DAYS: i64 = 60;

/// The page.
pub(super) async fn show(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let (registration, asked) = match look_up(&state, &desk, &request).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let language = language(&desk, &request);
    let known = state.service.directory().known();
    let browser = Browser::of(&request);
    let token = browser.token(&desk);
    let mut cut = asked.more.then_some(LINES);
    let begun = asked.numbers.iter().map(|(_, since)| *since);
    let earliest = begun.min().unwrap_or(registration.effective_at);
    let numbers = asked.numbers.iter().map(|(number, since)| {
        let of_number: Vec<_> = asked.all.iter().filter(|a| a.number == *number).collect();
        if of_number.len() > LINES {
            cut = Some(LINES);
        }
        OfNumber {
            number: number.international(),
            since: (*since > earliest).then(|| desk.local_time(*since)),
            plot: plot(&desk, language.texts(), &of_number),
            days: days(&desk, language, &known, &of_number),
        }
    });
    let view = Asked {
        frame: Frame {
            language,
            site: &desk.site,
        },
        token: &token,
        all_companies: registration.sellers == Sellers::All,
        channels: ShownChannels {
            voice: registration.channels.covers(Channel::Voice),
            text: registration.channels.covers(Channel::Text),
        },
        since: desk.local_time(earliest),
        numbers: numbers.collect(),
        cut,
    };
    page(&desk, StatusCode::OK, &view, browser.cookie(&desk))
}

/// The same as a table: UTF-8 with its mark, so that spreadsheets read it rightly.
pub(super) async fn table(state: State, desk: DeskData, request: HttpRequest) -> HttpResponse {
    let (_, asked) = match look_up(&state, &desk, &request).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let language = language(&desk, &request);
    let known = state.service.directory().known();
    let broken = |_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
    match blocking(move || written(language, &known, &asked).map_err(broken)).await {
        Ok(file) => attachment(&desk, "text/csv; charset=utf-8", "metrust-asked.csv", file),
        Err(_) => message(&desk, &request, MessageKind::Broken),
    }
}

/// What the code that is open may know; or the answer to give instead.
async fn look_up(
    state: &State,
    desk: &Desk,
    request: &HttpRequest,
) -> Result<(RegistrationView, Askings), HttpResponse> {
    let access = match visit::access(state, desk, request).await {
        Ok(access) => access,
        Err(error) => return Err(message(desk, request, failure(&error))),
    };
    let Some(access) = access else {
        return Err(see_other(desk, "/registration?next=asked", None));
    };
    let from = client_network(request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.code(from) {
        let retry_after = too_many.retry_after;
        return Err(message(
            desk,
            request,
            MessageKind::TooManyRequests { retry_after },
        ));
    }
    let found = async {
        let registration = state.service.registration(&access).await?;
        let asked = state.service.asked(&access).await?;
        Ok((registration, asked))
    };
    found.await.map_err(|error| match error {
        ServiceError::UnknownReference => see_other(desk, "/registration", None),
        error => message(desk, request, failure(&error)),
    })
}

/// Bars by day, the last ones.
fn plot(desk: &Desk, texts: &Texts, asked: &[&Asking]) -> String {
    let checks = asked
        .iter()
        .filter(|one| matches!(one.kind, Kind::Check { .. }));
    let mut counts: BTreeMap<Date, [u64; 2]> = BTreeMap::new();
    for asking in checks {
        let told_no = matches!(
            asking.kind,
            Kind::Check {
                answer: Some(Answer::Suppress(_)),
                ..
            }
        );
        counts.entry(desk.clock.day(asking.at)).or_default()[usize::from(!told_no)] += 1;
    }
    let Some((first, last)) = counts.keys().next().zip(counts.keys().last()) else {
        return String::new();
    };
    let first = *first.max(&last.saturating_sub((DAYS - 1).days()));
    let stacks: Vec<Stack> = first
        .series(1.day())
        .take_while(|day| day <= last)
        .map(|day| Stack {
            label: day_in_words(day, texts),
            figures: counts.get(&day).map_or_else(Vec::new, |two| two.to_vec()),
        })
        .collect();
    over_time(texts.asked.asked_plot, &stacks)
}

fn days(desk: &Desk, language: Language, known: &Snapshot, asked: &[&Asking]) -> Vec<Day> {
    let texts = language.texts();
    let mut days: Vec<Day> = Vec::new();
    let mut newest = None;
    for asking in asked.iter().take(LINES) {
        let at = desk.local_time(asking.at);
        let line = Line {
            at,
            said: said(texts, known, asking),
            suppress: is_no(asking),
        };
        match days.last_mut() {
            Some(day) if newest == Some(at.day()) => day.lines.push(line),
            _ => days.push(Day {
                day: at.date_in_words(texts),
                lines: vec![line],
            }),
        }
        newest = Some(at.day());
    }
    days
}

fn is_no(asking: &Asking) -> bool {
    let Kind::Check { answer, .. } = &asking.kind else {
        return false;
    };
    matches!(answer, Some(Answer::Suppress(_)))
}

/// A question in a sentence or two.
fn said(texts: &Texts, known: &Snapshot, asking: &Asking) -> String {
    let Kind::Check { .. } = &asking.kind else {
        return texts.asked.asked_opening.to_owned();
    };
    let [agency, company, ..] = cells(texts, known, asking);
    let text = fill(texts.report.check_asked, "agency", &agency);
    let told = match is_no(asking) {
        true => texts.report.check_told_no,
        false => texts.report.check_told_not_listed,
    };
    format!("{} {told}", fill(&text, "company", &company))
}

/// Agency, company, channel and answer, in words.
fn cells(texts: &Texts, known: &Snapshot, asking: &Asking) -> [String; 4] {
    let Kind::Check {
        agency,
        seller,
        channels,
        ..
    } = &asking.kind
    else {
        let opening = texts.asked.asked_opening.to_owned();
        return [String::new(), String::new(), String::new(), opening];
    };
    let agency = agency.as_ref().map(|id| known.agency_name(id));
    let company = match seller {
        Some(SellerRef::One(id)) => known.seller_name(id),
        Some(SellerRef::All) => texts.companies_all.to_owned(),
        None => texts.report.company_unknown.to_owned(),
    };
    let covers = |channel| channels.is_none_or(|channels: Channels| channels.covers(channel));
    let channel = match (covers(Channel::Voice), covers(Channel::Text)) {
        (true, false) => texts.channel_voice.to_owned(),
        (false, true) => texts.channel_text.to_owned(),
        _ => format!("{}, {}", texts.channel_voice, texts.channel_text),
    };
    let told = match is_no(asking) {
        true => texts.report.check_told_no,
        false => texts.report.check_told_not_listed,
    };
    [
        agency.unwrap_or_else(|| texts.report.agency_unknown.to_owned()),
        company,
        channel,
        told.to_owned(),
    ]
}

fn written(language: Language, known: &Snapshot, asked: &Askings) -> csv::Result<Vec<u8>> {
    let texts = language.texts();
    // Where a comma stands between a number and its decimals, it cannot stand between columns.
    let delimiter = if language == Language::En { b',' } else { b';' };
    let mut file = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer("\u{feff}".as_bytes().to_vec());
    file.write_record([
        texts.asked.column_time,
        texts.asked.column_number,
        texts.asked.column_agency,
        texts.asked.column_company,
        texts.asked.column_channel,
        texts.asked.column_answer,
        texts.asked.column_entry,
    ])?;
    for asking in &asked.all {
        let [agency, company, channel, answer] = cells(texts, known, asking);
        let row = [
            asking.at.to_string(),
            PhoneNumber::e164(&asking.number).to_owned(),
            agency,
            company,
            channel,
            answer,
            asking.id.clone(),
        ];
        file.write_record(row.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    file.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}
