//! The receipts: what the audit says of each wash, and the proof.

use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::cli::Failure;
use crate::cli::audit::place::Place;
use crate::cli::client::Client;

/// For how long the proof of a wash is waited for. A signed promise will do until then.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked for.
const AGAIN: Duration = Duration::from_millis(200);

#[derive(Deserialize)]
struct Receipt {
    sealed: bool,
}

/// Fetches the receipts of these washes and writes them down; what to say of it.
pub(super) fn fetch(
    client: &Client,
    washes: &[String],
    place: Option<Place<'_>>,
) -> Result<String, Failure> {
    let Some(place) = place.filter(|_| !washes.is_empty()) else {
        return Ok(String::new());
    };
    let mut lines = String::new();
    for wash in washes {
        let begun = Instant::now();
        let receipt = loop {
            let got = client.get(&format!("/v1/washes/{wash}"), &[]);
            let late = begun.elapsed() > PATIENCE;
            match got {
                Ok(text) => {
                    let receipt: Receipt = client.understand(&text)?;
                    if receipt.sealed || late {
                        break Some(text);
                    }
                }
                // One that broke off may be put on record a little later, or never.
                Err(_) if late => break None,
                Err(_) => {}
            }
            thread::sleep(AGAIN);
        };
        if let Some(receipt) = receipt {
            lines.push_str(receipt.trim_end());
            lines.push('\n');
        }
    }
    if lines.is_empty() {
        return Ok("; no receipt could be fetched".to_owned());
    }
    place.write(&lines)?;
    Ok(format!("; the receipts are in {}", place.file.display()))
}
