//! From a letter to the mail server.

use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncTransport, Tokio1Executor};

use super::sender::Written;
use super::{MailAddress, Post};
use crate::service::doctor::{Finding, Status};
use crate::settings;

/// Why the mail server did not take a letter. What it says is not kept: it may hold the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PostError {
    /// It cannot be reached, lets nobody in, or does not speak as it should.
    #[error("{0}")]
    Away(String),
    /// Not now.
    #[error("the mail server answered {0}: not now")]
    NotNow(u16),
    /// It refuses this letter for good.
    #[error("the mail server answered {0}: never")]
    Never(u16),
}

/// Answers that refuse us and not the letter: the password, the way to give it, TLS.
const NOT_THE_LETTER: [u16; 5] = [523, 530, 534, 535, 538];

impl PostError {
    fn of(error: &SmtpError) -> Self {
        match error.status().map(u16::from) {
            Some(code) if NOT_THE_LETTER.contains(&code) => Self::Away(format!(
                "the mail server answered {code}: it lets us not in"
            )),
            Some(code) if error.is_permanent() => Self::Never(code),
            Some(code) => Self::NotNow(code),
            None if error.is_timeout() => Self::Away("the mail server is too slow".to_owned()),
            None if error.is_response() => {
                Self::Away("the mail server cannot be understood".to_owned())
            }
            None => Self::Away(error.to_string()),
        }
    }
}

impl Post {
    /// Hands a letter over; when this returns, the mail server has it.
    pub(super) async fn send(
        &self,
        to: &MailAddress,
        name: &str,
        written: Written,
        within: Duration,
    ) -> Result<(), PostError> {
        let message = self.message(to, name, written)?;
        match tokio::time::timeout(within, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(PostError::of(&error)),
            Err(_) => Err(PostError::Away("the mail server is too slow".to_owned())),
        }
    }

    fn message(
        &self,
        to: &MailAddress,
        name: &str,
        written: Written,
    ) -> Result<Message, PostError> {
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.0.clone()))
            .subject(written.subject)
            .date_now()
            .message_id(Some(format!("<{name}@{}>", self.host)))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(written.text)
            .map_err(|_| PostError::Away("the letter cannot be put together".to_owned()))
    }
}

/// Whether the mail server that the settings name lets us in; nothing where there is no mail.
pub async fn examine(mail: &settings::Mail) -> Option<Finding> {
    const NAME: &str = "mail";
    if !mail.is_on() {
        return None;
    }
    let wrong = |detail: String| {
        Finding::wrong(
            NAME,
            Status::Error,
            detail,
            "see that it runs, and that mail.url, mail.user and mail.password are right; until then \
             letters wait in the store",
        )
    };
    let transport = match mail.transport() {
        Ok(transport) => transport,
        Err(error) => return Some(wrong(error.to_string())),
    };
    let host = mail.host();
    let patience = Duration::from_secs(mail.timeout_s);
    let test = lettre::AsyncSmtpTransport::<Tokio1Executor>::test_connection(&transport);
    Some(match tokio::time::timeout(patience, test).await {
        Ok(Ok(true)) => Finding::ok(NAME, format!("the mail server {host} lets us in")),
        Ok(Ok(false)) => wrong(format!("the mail server {host} hung up")),
        Ok(Err(error)) => wrong(format!("{host}: {}", PostError::of(&error))),
        Err(_) => wrong(format!("the mail server {host} is too slow")),
    })
}

#[cfg(test)]
mod tests {
    use lettre::AsyncSmtpTransport;

    use super::*;

    #[test]
    fn a_letter_is_plain_text_that_says_it_was_made_by_a_machine() {
        let post = Post {
            transport: AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("h").build(),
            from: "Laat me met rust <hello@dnc.example>".parse().unwrap(),
            host: "dnc.example".to_owned(),
        };
        let to = MailAddress::parse("an@example.org").unwrap();
        let written = Written {
            subject: "Één bewijs\r\nBcc: bo@example.org".to_owned(),
            text: "Dag,\n\nhet is geregeld. «\u{a0}oui\u{a0}»\n".to_owned(),
        };
        let bytes = post.message(&to, "abc", written).unwrap().formatted();
        let text = String::from_utf8(bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "To: an@example.org",
            "Message-ID: <abc@dnc.example>",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            "From: \"Laat me met rust\" <hello@dnc.example>",
        ] {
            assert!(head.lines().any(|found| found == line), "{line} in {head}");
        }
        assert!(head.contains("\r\nDate: "), "{head}");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(text.is_ascii());
    }
}
