//! The receipts: what the audit says of each wash, and the proof.

use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::cli::Failure;
use crate::cli::audit::place::Place;
use crate::cli::client::Client;
use crate::cli::wash::progress::Taken;

/// For how long the proof of a wash is waited for. A signed promise will do until then.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked for.
const AGAIN: Duration = Duration::from_millis(200);

#[derive(Deserialize)]
struct Receipt {
    sealed: bool,
    wash: Wash,
}

#[derive(Deserialize)]
struct Wash {
    rows: u64,
}

/// Fetches the receipts of these washes and writes them down; what to say of it, and of how many of
/// all `rows` they tell.
pub(super) fn fetch(
    client: &Client,
    washes: &[Taken],
    rows: u64,
    place: Option<Place<'_>>,
) -> Result<String, Failure> {
    let Some(place) = place.filter(|_| !washes.is_empty()) else {
        return Ok(String::new());
    };
    let mut lines = String::new();
    let mut told = 0;
    for Taken { wash, rows } in washes {
        let begun = Instant::now();
        let receipt = loop {
            let got = client.get(&format!("/v1/washes/{wash}"), &[]);
            let late = begun.elapsed() > PATIENCE;
            match got {
                Ok(text) => {
                    let receipt: Receipt = client.understand(&text)?;
                    if receipt.sealed || late {
                        told += receipt.wash.rows.min(*rows);
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
    let file = place.file.display();
    if told < rows {
        return Ok(format!(
            "; the receipts in {file} cover {told} of {rows} rows. There is none of the others: the \
             service was cut off before it had put the end of their wash on record. Each of them is \
             on record as a check"
        ));
    }
    Ok(format!("; the receipts are in {file}"))
}
