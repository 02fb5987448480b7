//! Bodies: bounded in size and in time, and errors that repeat nothing of their content.

use std::time::Duration;

use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::settings::Http;

/// How many bytes of a list may be in so many that came: beyond the first mebibyte 250 for one. Real
/// lists are compressed to a tenth or a fiftieth; a few bytes that hold gigabytes are no list.
pub(super) fn most_unpacked(packed: u64) -> u64 {
    (1 << 20) + 250 * packed
}

/// Reads a body whole.
pub(crate) async fn read(mut payload: Payload, http: &Http) -> Result<BytesMut, Problem> {
    let limit = http.body_limit_bytes;
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(part) = payload.next().await {
            let part = part.map_err(|_| {
                Problem::bad_request("The body broke off.", "Send the request again.")
            })?;
            if body.len() + part.len() > limit {
                return Err(Problem::too_large().with("most_bytes", limit));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    };
    tokio::time::timeout(Duration::from_millis(http.body_timeout_ms), whole)
        .await
        .map_err(|_| Problem::too_slow())?
}

/// Reads a body of JSON.
pub(super) async fn read_json<T: DeserializeOwned>(
    payload: Payload,
    http: &Http,
) -> Result<T, Problem> {
    let body = read(payload, http).await?;
    serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            actix_web::http::StatusCode::UNPROCESSABLE_ENTITY,
            "bad_json",
            "The body is not the JSON that is expected",
            explain(&error),
            "See the README for the members of this body.",
        )
    })
}

/// What serde says, without the value that it found.
fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = text
        .rsplit_once(" at line")
        .map_or(text.as_str(), |(text, _)| text);
    let names_a_member = text.starts_with("missing field") || text.starts_with("duplicate field");
    if names_a_member {
        return format!("{text} ({place})");
    }
    if text.starts_with("unknown field") {
        let expected = text
            .split_once("expected")
            .map_or("", |(_, expected)| expected);
        return format!("a member that is not known ({place}); expected{expected}");
    }
    match text.split_once(", expected ") {
        Some((_, expected)) => format!("expected {expected} ({place})"),
        None if error.is_data() => format!("a value that cannot be used ({place})"),
        None => format!("not JSON ({place})"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn an_error_names_the_member_and_repeats_no_value() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)]
        struct Body {
            numbers: Vec<String>,
        }
        let error = |text: &str| explain(&serde_json::from_str::<Body>(text).unwrap_err());
        assert!(error("{}").contains("numbers"));
        assert!(error(r#"{"numbers":[],"x":1}"#).contains("`numbers`"));
        for text in [
            r#"{"numbers":"+32475123456"}"#,
            r#"{"+32475123456":1}"#,
            r#"{"numbers":[32475123456]}"#,
            r#"{"numbers":["+32475123456""#,
        ] {
            assert!(!error(text).contains("475"), "{}", error(text));
        }
    }
}
