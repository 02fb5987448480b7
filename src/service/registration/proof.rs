//! A file to keep: what a registration holds, since when, signed with the log's key.

use super::record::Access;
use super::{Sellers, Service, ServiceError};
use crate::domain::{Channel, Moment};
use crate::log::Note;

/// The first line of a signed text about a registration. No log has it for its origin, so no such
/// text is a checkpoint.
pub const REGISTRATION: &str = "metrust registration v1";

impl Service {
    /// What a registration holds at this moment, as a signed text (c2sp.org/signed-note): numbers,
    /// companies, channels, and since when. It names the registration by the public part of its
    /// code, which opens nothing.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn registration_proof(&self, access: &Access) -> Result<String, ServiceError> {
        let view = self.registration(access).await?;
        let now = Moment::now();
        let origin = self.record.origin();
        let locator = access.reference().locator();
        let mut text = format!(
            "{REGISTRATION}\n{origin}\ntime {now}\nregistration {}\n",
            locator.as_str()
        );
        text.push_str(&format!("since {}\n", view.effective_at));
        if let Some(at) = view.withdrawn_at {
            text.push_str(&format!("withdrawn {at}\n"));
        }
        for number in &view.numbers {
            text.push_str(&format!("number {}", number.e164()));
            let mut later = view.added_numbers.iter();
            let later = later.find(|(other, _)| other == number);
            text.push_str(&since(later.map(|(_, at)| *at), view.effective_at));
        }
        match &view.sellers {
            Sellers::All => text.push_str("seller all\n"),
            Sellers::Chosen(chosen) => {
                for seller in chosen {
                    text.push_str(&format!("seller {seller}"));
                    let mut later = view.added_sellers.iter();
                    let later = later.find(|(other, _)| other == seller);
                    text.push_str(&since(later.map(|(_, at)| *at), view.effective_at));
                }
            }
        }
        for (channel, word) in [(Channel::Voice, "voice"), (Channel::Text, "text")] {
            if view.channels.covers(channel) {
                text.push_str(&format!("channel {word}\n"));
            }
        }
        let signers = self.record.keys.signers(origin, now)?;
        let note = Note::sign(text, &signers.iter().collect::<Vec<_>>())?;
        Ok(note.to_string())
    }
}

/// The end of a line about what came in later than the whole.
fn since(added: Option<Moment>, whole: Moment) -> String {
    match added {
        Some(at) if at > whole => format!(" since {at}\n"),
        _ => "\n".to_owned(),
    }
}
