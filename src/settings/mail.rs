//! The settings of the letters.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use super::{Mail, Settings, SettingsError};

/// The way to the mail server.
pub type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The longest wait for a second letter that makes sense, in days.
const LONGEST_WAIT: f64 = 365.0;

impl Mail {
    /// Whether there is mail at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.url.0.is_empty()
    }

    /// The way to the mail server. It connects only when it is used.
    ///
    /// # Errors
    /// [`SettingsError`], which never holds the address: it may hold a password.
    pub fn transport(&self) -> Result<Transport, SettingsError> {
        let mut builder = Transport::from_url(&self.url.0)
            .map_err(|_| {
                wrong(
                    "mail.url",
                    "it must look like smtps://host, smtp://host?tls=required or smtp://host:25",
                )
            })?
            .timeout(Some(Duration::from_secs(self.timeout_s)));
        let sender = self.sender()?;
        if !self.names_itself() {
            let name = ClientId::Domain(sender.email.domain().to_owned());
            builder = builder.hello_name(name);
        }
        if !self.user.is_empty() {
            let secret = Credentials::new(self.user.clone(), self.password.0.clone());
            builder = builder.credentials(secret);
        }
        if !self.ca_certificate.as_os_str().is_empty() {
            builder = builder.tls(self.own_authority()?);
        }
        Ok(builder.build())
    }

    /// TLS with a server whose certificate is signed by an authority of one's own.
    fn own_authority(&self) -> Result<Tls, SettingsError> {
        const KEY: &str = "mail.ca_certificate";
        let unreadable = || wrong(KEY, "it is not a certificate in PEM");
        let path = &self.ca_certificate;
        let pem = std::fs::read(path).map_err(|error| SettingsError::File {
            path: path.clone(),
            what: KEY.to_owned(),
            error,
        })?;
        let authority = Certificate::from_pem(&pem).map_err(|_| unreadable())?;
        let parameters = TlsParameters::builder(self.host().to_owned())
            .add_root_certificate(authority)
            .build()
            .map_err(|_| unreadable())?;
        match self.protection() {
            Protection::Always if self.url.0.starts_with("smtps://") => {
                Ok(Tls::Wrapper(parameters))
            }
            Protection::Always => Ok(Tls::Required(parameters)),
            Protection::Perhaps => Ok(Tls::Opportunistic(parameters)),
            Protection::Never => Err(wrong(
                KEY,
                "it is of use only with smtps:// or tls=required in mail.url",
            )),
        }
    }

    /// The mail server's name, as the address has it.
    #[must_use]
    pub fn host(&self) -> &str {
        let (_, rest) = self.url.0.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        match place.strip_prefix('[') {
            Some(literal) => literal.split(']').next().unwrap_or_default(),
            None => place.split(':').next().unwrap_or_default(),
        }
    }

    /// Whether the address says, as its path, what we call ourselves.
    fn names_itself(&self) -> bool {
        let (_, rest) = self.url.0.split_once("://").unwrap_or_default();
        let place = rest.split('?').next().unwrap_or_default();
        place
            .split_once('/')
            .is_some_and(|(_, name)| !name.is_empty())
    }

    fn protection(&self) -> Protection {
        if self.url.0.starts_with("smtps://") || self.url.0.contains("tls=required") {
            Protection::Always
        } else if self.url.0.contains("tls=opportunistic") {
            Protection::Perhaps
        } else {
            Protection::Never
        }
    }

    fn has_password(&self) -> bool {
        let (_, rest) = self.url.0.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        !self.user.is_empty() || authority.contains('@')
    }

    /// Who the letters are from.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn sender(&self) -> Result<Mailbox, SettingsError> {
        self.from.parse().map_err(|_| {
            wrong(
                "mail.from",
                "it must be an e-mail address, with or without a name, as in \"Leave me in peace \
                 <hello@dnc.example.org>\"",
            )
        })
    }

    /// How long after the proof the second letter goes; nothing if there is none.
    #[must_use]
    pub fn follow_up(&self) -> Option<Duration> {
        let wait = Duration::try_from_secs_f64(self.follow_up_days * 86_400.0).ok()?;
        (!wait.is_zero()).then_some(wait)
    }
}

/// How a connection to the mail server is protected.
enum Protection {
    Always,
    Perhaps,
    Never,
}

impl Settings {
    pub(super) fn validate_mail(&self) -> Result<(), SettingsError> {
        let mail = &self.mail;
        if !(0.0..=LONGEST_WAIT).contains(&mail.follow_up_days) {
            return Err(wrong("mail.follow_up_days", "it must be between 0 and 365"));
        }
        if mail.user.is_empty() != mail.password.0.is_empty() {
            return Err(wrong(
                "mail.user",
                "give both mail.user and mail.password, or neither",
            ));
        }
        if !mail.is_on() {
            let idle = mail.user.is_empty()
                && mail.from.is_empty()
                && mail.ca_certificate.as_os_str().is_empty();
            return match idle {
                true => Ok(()),
                false => Err(wrong(
                    "mail.url",
                    "other settings of [mail] are given, but no mail server; set it, or leave them \
                     empty",
                )),
            };
        }
        mail.transport()?;
        if mail.has_password() && !matches!(mail.protection(), Protection::Always) {
            let host = mail.host();
            let here = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
            if !here && host != "localhost" {
                return Err(wrong(
                    "mail.url",
                    "it would send a password in clear; use smtps:// or add ?tls=required",
                ));
            }
        }
        if self.http.public_url.is_empty() || !self.web.enabled {
            return Err(wrong(
                "mail.url",
                "letters lead back to the pages: set http.public_url, and leave web.enabled = true",
            ));
        }
        Ok(())
    }
}

fn wrong(key: &'static str, problem: &str) -> SettingsError {
    SettingsError::Contradiction {
        key,
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Secret};
    use super::*;

    fn with(change: impl FnOnce(&mut Settings)) -> Result<Settings, String> {
        let mut settings = Settings::load(None, &Overrides::default()).unwrap();
        settings.http.public_url = "https://dnc.example".to_owned();
        settings.mail.url = Secret("smtps://mail.example".to_owned());
        settings.mail.from = "Leave me in peace <hello@dnc.example>".to_owned();
        change(&mut settings);
        let valid = settings.validate_mail().map_err(|error| error.to_string());
        valid.map(|()| settings)
    }

    fn url(text: &str) -> Result<Settings, String> {
        with(|settings| settings.mail.url = Secret(text.to_owned()))
    }

    #[test]
    fn without_an_address_there_is_no_mail() {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        assert!(!settings.mail.is_on());
        assert!(with(|settings| settings.mail.url = Secret::default()).is_err());
    }

    #[test]
    fn a_password_never_travels_in_clear() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for good in [
            "smtps://u:p@mail.example",
            "smtp://u:p@mail.example:2525?tls=required",
            "smtp://u:p@127.0.0.1:25",
            "smtp://u:p@[::1]:25",
            "smtp://mail.example",
        ] {
            assert!(url(good).is_ok(), "{good}: {:?}", url(good));
        }
        for bad in [
            "smtp://u:secret@mail.example",
            "smtp://u:secret@mail.example?tls=opportunistic",
        ] {
            let error = url(bad).unwrap_err();
            assert!(
                error.contains("in clear") && !error.contains("secret"),
                "{error}"
            );
        }
        let error = with(|settings| {
            settings.mail.url = Secret("smtp://mail.example".to_owned());
            settings.mail.user = "u".to_owned();
            settings.mail.password = Secret("secret".to_owned());
        });
        assert!(error.unwrap_err().contains("in clear"));
    }

    #[test]
    fn what_is_wrong_is_named_without_a_secret() {
        for bad in ["http://mail.example", "mail.example", "smtp://h?tls=maybe"] {
            assert!(url(bad).unwrap_err().contains("mail.url"), "{bad}");
        }
        assert!(url("smtps://h").is_ok());
        let wrong = |named: &str, change: fn(&mut Settings)| {
            let error = with(change).unwrap_err();
            assert!(error.contains(named), "{named} in: {error}");
        };
        wrong("mail.from", |s| s.mail.from.clear());
        wrong("mail.from", |s| s.mail.from = "a\r\nBcc: b@c.d".into());
        wrong("mail.user", |s| s.mail.user = "u".into());
        wrong("mail.follow_up_days", |s| s.mail.follow_up_days = -1.0);
        wrong("mail.follow_up_days", |s| s.mail.follow_up_days = f64::NAN);
        wrong("http.public_url", |s| s.http.public_url.clear());
        wrong("mail.ca_certificate", |s| {
            s.mail.ca_certificate = "/nowhere".into()
        });
    }

    #[test]
    fn the_second_letter_may_be_left_out() {
        let wait = |days| with(|settings| settings.mail.follow_up_days = days);
        assert_eq!(wait(0.0).unwrap().mail.follow_up(), None);
        let day = Duration::from_secs(86_400);
        assert_eq!(wait(1.0).unwrap().mail.follow_up(), Some(day));
    }
}
