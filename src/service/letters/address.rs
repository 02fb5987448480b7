//! E-mail addresses.

use lettre::Address;

/// An e-mail address that a letter can be sent to.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(pub(super) Address);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an e-mail address")]
pub struct NotAnAddress;

impl MailAddress {
    /// Reads an address; blanks around it are ignored.
    ///
    /// # Errors
    /// [`NotAnAddress`].
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim();
        let address: Address = text.parse().map_err(|_| NotAnAddress)?;
        // What a mail server on the internet takes: RFC 5321, section 4.5.3.1, and a real domain.
        let real = address.domain().contains('.') && !address.domain().starts_with('[');
        if text.len() <= 254 && address.user().len() <= 64 && text.is_ascii() && real {
            Ok(Self(address))
        } else {
            Err(NotAnAddress)
        }
    }

    /// The address, for the letter itself.
    pub(super) fn reveal(&self) -> &str {
        self.0.as_ref()
    }

    /// What the same mailbox is known by, however it is written.
    pub(super) fn mailbox(&self) -> String {
        let user = self.0.user().to_lowercase();
        let user = user.split('+').next().unwrap_or_default();
        format!("{user}@{}", self.0.domain().to_lowercase())
    }
}

impl std::fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailAddress(hidden)")
    }
}
