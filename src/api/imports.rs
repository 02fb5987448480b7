//! `/v1/admin/imports`: lists that are brought in whole, part by part.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::State;
use super::auth::operator;
use super::blocking;
use super::body::read_json;
use super::problem::Problem;
use super::query::notation;
use crate::domain::{PhoneNumber, SellerRef};
use crate::service::ServiceError;
use crate::service::import::{self, ImportView, LONGEST_PART, NewImport, Only, Rows, TakeFrom};
use crate::table::{DateOrder, Numbers};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    source: String,
    seller: String,
    #[serde(default)]
    remove: bool,
    /// Of a removal: out of which lists, by source or id; or every one.
    #[serde(default)]
    from: Vec<String>,
    #[serde(default)]
    every_list: bool,
    #[serde(default)]
    date: Option<String>,
    sha256: String,
    bytes: u64,
    parts: u32,
    part_bytes: u64,
    /// Positions of columns are counted from 1: `2`, `2,3` for two numbers, `1+2` for one number in
    /// two columns.
    #[serde(default = "first")]
    column: String,
    /// How many columns the table has, if there are more than those that are named.
    #[serde(default)]
    columns: Option<usize>,
    #[serde(default)]
    date_column: Option<usize>,
    /// `dmy` or `mdy`, for dates of which day and month could be either.
    #[serde(default)]
    date_order: Option<DateOrder>,
    #[serde(default)]
    region_column: Option<usize>,
    /// Only the rows with this value in that column.
    #[serde(default, rename = "where")]
    only: Option<Where>,
    #[serde(default)]
    delimiter: Option<String>,
    #[serde(default)]
    heading: bool,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    international: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    column: usize,
    value: String,
}

fn first() -> String {
    "1".to_owned()
}

impl Begin {
    fn read(self) -> Result<NewImport, Problem> {
        let wrong = |text| Problem::from(ServiceError::Contradiction(text));
        const MOST: usize = 10_000;
        let position = |column: usize| {
            let place = column.checked_sub(1).filter(|place| *place < MOST);
            place.ok_or_else(|| wrong("positions of columns are counted from 1"))
        };
        let numbers = Numbers::at(&self.column, MOST);
        let numbers =
            numbers.ok_or_else(|| wrong("column is a position from 1, or several: 2,3 or 1+2"))?;
        let date_column = self.date_column.map(position).transpose()?;
        let region_column = self.region_column.map(position).transpose()?;
        let only = self.only.map(|only| {
            let column = position(only.column)?;
            let value = only.value;
            Ok::<_, Problem>(Only { column, value })
        });
        let only = only.transpose()?;
        let places = numbers.iter().flatten().copied();
        let others = [
            date_column,
            region_column,
            only.as_ref().map(|only| only.column),
        ];
        let last = places
            .chain(others.into_iter().flatten())
            .max()
            .unwrap_or(0);
        let file = data_encoding::HEXLOWER_PERMISSIVE.decode(self.sha256.as_bytes());
        let file = file.ok().and_then(|bytes| bytes.try_into().ok());
        let date = self
            .date
            .map(|text| import::objected_on(&text, None, import::today()));
        let notation = notation(self.region.as_deref(), self.international)?;
        let delimiter = match self.delimiter.as_deref() {
            None => b',',
            Some("tab") => b'\t',
            Some(text) => match text.as_bytes() {
                [one] if !matches!(one, b'"' | b'\r' | b'\n') => *one,
                _ => return Err(wrong("a delimiter is one character, or tab")),
            },
        };
        Ok(NewImport {
            source: self.source,
            seller: SellerRef::parse(&self.seller)?,
            remove: self.remove,
            from: match (self.from.is_empty(), self.every_list) {
                (true, false) => TakeFrom::Only,
                (false, false) => TakeFrom::Lists(self.from),
                (true, true) => TakeFrom::Every,
                (false, true) => return Err(wrong("from some lists, or from every one")),
            },
            date: date.transpose().map(Option::flatten).map_err(|_| {
                wrong("the date of the objection is like 2019-05-01, since 1980, and has been")
            })?,
            file: file.ok_or_else(|| wrong("sha256 is 64 hexadecimal digits"))?,
            bytes: self.bytes,
            parts: self.parts,
            part_bytes: self.part_bytes,
            rows: Rows {
                // Not told: no row with more is read, as one column in front would shift it.
                columns: self.columns.unwrap_or(0).max(last + 1),
                numbers,
                date_column,
                date_order: self.date_order,
                region_column,
                only,
                delimiter,
                heading: self.heading,
                notation,
            },
        })
    }
}

/// Begins to bring a list in, or goes on with it.
pub(super) async fn begin(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let body: Begin = read_json(payload, &state.settings.http).await?;
    let begun = state.service.begin_import(&who, body.read()?).await?;
    let (view, parts, steps) = state.service.import(&who, &begun.id).await?;
    Ok(HttpResponse::Ok().json(whole(&view, parts, steps)?))
}

/// Every import.
pub(super) async fn list(state: State, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let imports = state.service.imports(&who).await?;
    Ok(HttpResponse::Ok().json(json!({ "imports": imports })))
}

/// One import.
pub(super) async fn one(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let (view, parts, steps) = state.service.import(&who, &id).await?;
    Ok(HttpResponse::Ok().json(whole(&view, parts, steps)?))
}

/// An import with the numbers of the parts that are in and of the steps that are taken.
fn whole(view: &ImportView, parts: Vec<u32>, steps: Vec<u32>) -> Result<Value, Problem> {
    let mut answer =
        serde_json::to_value(view).map_err(|_| ServiceError::Damaged("the record of an import"))?;
    answer["done"] = json!({ "parts": parts, "steps": steps });
    Ok(answer)
}

/// Brings one part in.
pub(super) async fn part(
    state: State,
    request: HttpRequest,
    place: Path<(String, u32)>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let (id, number) = place.into_inner();
    let _turn = state.service.import_turn().await?;
    let patience = Duration::from_millis(state.settings.http.body_timeout_ms);
    let body = read(payload, patience).await?;
    let counts = state.service.import_part(&who, &id, number, body).await?;
    Ok(HttpResponse::Ok().json(counts))
}

/// Takes one step: some of the numbers of all parts go into the list.
pub(super) async fn step(
    state: State,
    request: HttpRequest,
    place: Path<(String, u32)>,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let (id, number) = place.into_inner();
    let turn = state.service.import_turn().await?;
    let (service, runtime) = (state.service.clone(), Handle::current());
    let changed = blocking(move || {
        let changed = runtime.block_on(service.import_step(&who, &id, number));
        // Also where nobody waits for it any more, it takes its turn until it is done.
        drop(turn);
        Ok(changed?)
    });
    let changed = changed.await?;
    Ok(HttpResponse::Ok().json(json!({ "changed": changed })))
}

/// Reads a part whole. It may take as long as it takes, as long as it comes.
async fn read(mut payload: Payload, patience: Duration) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    loop {
        let piece = tokio::time::timeout(patience, payload.next()).await;
        let Some(piece) = piece.map_err(|_| Problem::too_slow())? else {
            return Ok(body.freeze());
        };
        let piece = piece
            .map_err(|_| Problem::bad_request("The body broke off.", "Send the part again."))?;
        if body.len() + piece.len() > LONGEST_PART {
            return Err(Problem::too_large().with("most_bytes", LONGEST_PART));
        }
        body.extend_from_slice(&piece);
    }
}

/// The rows of a part that were rejected, as a table of lines (in that part), reasons, and
/// these in words. None of the words has a quotation mark in it.
pub(super) async fn rejected(
    state: State,
    request: HttpRequest,
    place: Path<(String, u32)>,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let (id, number) = place.into_inner();
    let (service, runtime) = (state.service.clone(), Handle::current());
    let table = blocking(move || {
        let rows = runtime.block_on(service.rejected_rows(&who, &id, number))?;
        let mut table = String::with_capacity(16 + rows.len() * 24);
        table.push_str("line,reason,explanation\n");
        for row in rows {
            let (code, text) = (row.reason.code(), row.reason.to_string());
            table.push_str(&format!("{},{code},\"{text}\"\n", row.line));
        }
        Ok(table)
    });
    let table = table.await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Content-Type", "text/csv; charset=utf-8"))
        .body(table))
}

/// Finishes an import.
pub(super) async fn finish(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let view = state.service.finish_import(&who, &id).await?;
    Ok(HttpResponse::Ok().json(view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Find {
    phone: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    international: bool,
}

/// The lists that a number came with.
pub(super) async fn find(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let who = operator(&state, &request).await?;
    let body: Find = read_json(payload, &state.settings.http).await?;
    let notation = notation(body.region.as_deref(), body.international)?;
    let phone = PhoneNumber::parse(body.phone.trim(), notation).map_err(Problem::unreadable)?;
    let found = state.service.find_imports(&who, &phone).await?;
    Ok(HttpResponse::Ok().json(json!({ "imports": found })))
}
