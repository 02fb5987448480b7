//! What is told of each error of the rooms behind this one.

use actix_web::http::StatusCode;
use serde_json::Value;

use super::Problem;
use crate::domain::NameError;
use crate::service::ServiceError;
use crate::store::StoreError;

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_name",
            "A name cannot be used",
            error.to_string(),
            "Choose another one.",
        )
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let unknown = matches!(error, StoreError::Late | StoreError::Away(_));
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            match error {
                StoreError::Busy => "busy",
                _ => "store_away",
            },
            "The registry cannot answer at the moment",
            // What exactly is wrong is the operator's business, and stands in the log.
            match error {
                StoreError::Late => "The store did not answer in time.",
                StoreError::Busy => "More requests are waiting than the store may take on.",
                _ => "The store is away or not safe to use.",
            },
            "Do not call the number. Try again in a moment.",
        )
        .retry_after(1);
        if unknown {
            problem.keeping("What you asked may or may not be recorded; asking again is harmless.")
        } else {
            problem
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        use StatusCode as S;
        let text = error.to_string();
        let new = |status, code, title, remedy: &str| Self::new(status, code, title, text, remedy);
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::Overloaded(_) | ServiceError::Unconfirmed | ServiceError::NoMonth => new(
                S::SERVICE_UNAVAILABLE,
                "busy",
                "The registry cannot answer at the moment",
                "Do not call the number. Try again in a moment.",
            )
            .retry_after(1),
            ServiceError::LogBehind => new(
                S::SERVICE_UNAVAILABLE,
                "log_behind",
                "Checks wait for the audit log",
                "Do not call: nothing is known about this number. Try again in a few seconds; the \
                 operator finds the cause with `metrust doctor`.",
            )
            .retry_after(5),
            // Its own text tells the operator where the log lies; that is nobody else's business.
            ServiceError::Log(_) => Self::new(
                S::SERVICE_UNAVAILABLE,
                "log_away",
                "The audit log cannot be read at the moment",
                "The storage of the audit log does not answer as it should.",
                "Try again in a few seconds; the operator finds the cause with `metrust doctor`.",
            )
            .keeping("What is on record stays on record.")
            .retry_after(5),
            ServiceError::UnknownEntry => new(
                S::NOT_FOUND,
                "unknown_entry",
                "There is no such entry",
                "See that the id is the one that the check answered, and that the key belongs to \
                 whoever made the check, to a regulator or to the operator.",
            ),
            ServiceError::UnknownWash => new(
                S::NOT_FOUND,
                "unknown_wash",
                "There is no such wash",
                "See that the id is that of the header `Wash-Id`, that the wash has ended, and that \
                 the key belongs to whoever began it, to a regulator or to the operator.",
            ),
            ServiceError::Withdrawn => new(
                S::CONFLICT,
                "withdrawn",
                "This registration was withdrawn",
                "Register the numbers again.",
            )
            .keeping("The registration stays withdrawn."),
            ServiceError::TooLate => new(
                S::CONFLICT,
                "too_late",
                "This withdrawal can no longer be undone",
                "Register the numbers again.",
            )
            .keeping("The registration stays withdrawn."),
            ServiceError::UnknownReport => new(
                S::NOT_FOUND,
                "unknown_report",
                "There is no such report",
                "See that the id is one that `GET /v1/reports` lists for this key.",
            ),
            ServiceError::BeforeRecord(since) => new(
                S::UNPROCESSABLE_ENTITY,
                "before_record",
                "The log does not go back far enough for this call",
                "Look at the time of the call once more. If it is right, turn to an authority: \
                 for a call before `since`, nobody can tell from this log who had asked.",
            )
            .keeping("No report was made.")
            .with("since", since.to_string()),
            ServiceError::TooManyReports(_) => new(
                S::CONFLICT,
                "too_many_reports",
                "This code holds as many reports as it may",
                "Report further calls without the code; that gives a new one.",
            )
            .keeping("The reports so far stay as they are. This one was not added."),
            ServiceError::TooManySearches => new(
                S::SERVICE_UNAVAILABLE,
                "too_many_searches",
                "As many searches are going through the log as may at once",
                "Send the request again in a while, or one after the other.",
            )
            .keeping("Nothing was looked for, and nothing was recorded.")
            .retry_after(5),
            ServiceError::TooManyWashes(_) => new(
                S::SERVICE_UNAVAILABLE,
                "too_many_washes",
                "As many lists are being washed as may be at once",
                "Send the list again in a while, or one list after the other.",
            )
            .retry_after(5),
            ServiceError::UnknownMonth => new(
                S::NOT_FOUND,
                "unknown_month",
                "There is no key of this month",
                "Name months in which this service ran, as in 2026-11.",
            ),
            ServiceError::TooYoung(_) => new(
                S::CONFLICT,
                "too_young",
                "Entries of these years must still be kept",
                "Name an earlier year. How long entries are kept at least is the setting \
                 audit.keep_years; the law of your country may ask for more.",
            )
            .keeping("Nothing was dropped."),
            ServiceError::EntriesGone(_) => new(
                S::GONE,
                "entries_gone",
                "The entries of that time are no longer there",
                "Ask for a time that ends later. What was there is told by an export or a bundle \
                 that somebody kept; the hashes and the signed checkpoints of that time are kept.",
            ),
            ServiceError::UnknownKey => new(
                S::UNAUTHORIZED,
                "unknown_key",
                "The key is not valid",
                "Check that the whole key was copied, or ask the operator for a new one.",
            ),
            ServiceError::WrongRole(_) => new(
                S::FORBIDDEN,
                "wrong_role",
                "The key does not allow this",
                "Use a key of that role; the operator makes them.",
            ),
            ServiceError::WrongCursor => new(
                S::BAD_REQUEST,
                "wrong_cursor",
                "The list cannot be gone on with from there",
                "Take `cursor` from the member `next` of a page that the same filters gave.",
            ),
            ServiceError::NoMandate => new(
                S::FORBIDDEN,
                "no_mandate",
                "No mandate for this seller",
                "Do not call the number for this seller. The operator can add the mandate.",
            ),
            ServiceError::UnknownSeller => new(
                S::NOT_FOUND,
                "unknown_seller",
                "The seller is unknown",
                "Check the seller's id with the operator. If this was a check: do not call.",
            ),
            ServiceError::UnknownAgency => new(
                S::NOT_FOUND,
                "unknown_agency",
                "The agency is unknown",
                "Check the agency's id, or add the agency first.",
            ),
            ServiceError::NoSuchKey => new(
                S::NOT_FOUND,
                "unknown_key_id",
                "There is no such key",
                "`metrust key list` shows the ids.",
            ),
            ServiceError::Numbers(ref errors) => {
                let list: Vec<Value> = errors
                    .iter()
                    .map(|(index, error)| {
                        serde_json::json!({
                            "index": index,
                            "reason": error.code(),
                            "problem": error.to_string(),
                        })
                    })
                    .collect();
                new(
                    S::UNPROCESSABLE_ENTITY,
                    "unreadable_number",
                    "Some numbers cannot be read",
                    "Correct the numbers at the places named in `numbers` (counted from 0) and \
                     send all of them again.",
                )
                .keeping("Nothing was registered, the readable numbers neither.")
                .with("numbers", list)
            }
            ServiceError::NoNumbers => new(
                S::UNPROCESSABLE_ENTITY,
                "no_numbers",
                "No number was given",
                "Give at least one number in `numbers`.",
            ),
            ServiceError::TooManyNumbers(most) => new(
                S::PAYLOAD_TOO_LARGE,
                "too_many_numbers",
                "Too many numbers at once",
                "Send them in several requests.",
            )
            .with("most", most),
            ServiceError::TooManySellers(most) => new(
                S::UNPROCESSABLE_ENTITY,
                "too_many_sellers",
                "Too many sellers in one registration",
                "Name fewer, or say `\"sellers\":\"all\"`, which also covers sellers that join later.",
            )
            .keeping("Nothing was registered.")
            .with("most", most),
            ServiceError::Reference(_) => new(
                S::UNPROCESSABLE_ENTITY,
                "bad_reference",
                "The reference code cannot be read",
                "Look at each sign; 0 and O, 1, I and L are read as the same.",
            )
            .keeping("Every registration stands as it was."),
            ServiceError::UnknownReference => new(
                S::NOT_FOUND,
                "unknown_reference",
                "The reference code is unknown",
                "Look at each sign of the code.",
            )
            .keeping("Every registration stands as it was."),
            ServiceError::UnknownImport => new(
                S::NOT_FOUND,
                "unknown_import",
                "There is no such import",
                "GET /v1/admin/imports shows the ids.",
            ),
            ServiceError::UnknownList => new(
                S::NOT_FOUND,
                "unknown_list",
                "There is no such list",
                "Look at the list of imports, and at the seller.",
            ),
            ServiceError::SeveralLists => new(
                S::CONFLICT,
                "several_lists",
                "It is not said out of which list",
                "Say it (from; --from), by the list's source or id: what another list has stays. Or \
                 say every one (every_list; --from-every-list): then nothing stays.",
            ),
            ServiceError::ImportState(_) => new(
                S::CONFLICT,
                "import_state",
                "The import is not as far as that",
                "GET /v1/admin/imports/{id} shows which parts are in; beginning it again goes on \
                 where it broke off.",
            )
            .keeping("What is in stays in."),
            ServiceError::Taken => new(
                S::CONFLICT,
                "taken",
                "The id is taken",
                "Choose another id, or change the one that is there.",
            ),
            ServiceError::Conflict => new(
                S::CONFLICT,
                "conflict",
                "Somebody else was faster",
                "Look at the present state and try again.",
            ),
            ServiceError::UnreadablePart(_) => new(
                S::UNPROCESSABLE_ENTITY,
                "unreadable_part",
                "This part of the list cannot be read",
                "Correct the file, begin anew with it, and cut it where rows end.",
            ),
            ServiceError::Contradiction(_) => new(
                S::UNPROCESSABLE_ENTITY,
                "contradiction",
                "The request contradicts itself",
                "Correct it and send it again.",
            ),
            ServiceError::Damaged(_) => new(
                S::INTERNAL_SERVER_ERROR,
                "damaged",
                "Something that is kept cannot be read",
                "Do not call the number. Give the operator the Request-Id of this answer.",
            ),
        }
    }
}
