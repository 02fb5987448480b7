//! Settings: built-in defaults, then a file, then the environment, then the command line.
//!
//! `config/default.toml` is compiled in; it is the defaults and the documentation. Whatever is
//! unknown, unreadable or contradictory stops the start with the key's name and the remedy.

mod audit;
mod mail;
mod sections;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, ConfigError, Environment, File, FileFormat};

use crate::domain::Region;
use crate::privacy::SecretKey;
use crate::store::{Engine, RedisOptions};

pub use mail::Transport;
pub use sections::{
    Audit, Authority, Check, Demo, Embedded, EngineName, Http, Keys, LanguageCode, Limits, Log,
    LogFormat, Mail, Metrics, Redis, Registration, Report, S3, Secret, Settings, StoreSettings,
    Web,
};

/// The built-in defaults, with their explanation.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

const PREFIX: &str = "METRUST__";

/// What the command line says; it wins over everything else.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// `--bind`.
    pub bind: Option<SocketAddr>,
    /// `--redis`; also chooses the engine.
    pub redis: Option<String>,
    /// `--no-demo`.
    pub no_demo: bool,
    /// `--new-operator-key`.
    pub new_operator_key: bool,
    /// `--new-log`.
    pub new_log: bool,
    /// `--accept-loss`.
    pub accept_loss: bool,
}

/// Why the settings cannot be used. The text names the key and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file that a setting or the command line names cannot be read.
    #[error("cannot read {path}, which {what} names: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What names it.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// An unknown key or a bad value.
    #[error(
        "{0}\nEvery setting, with its meaning: config/default.toml, or `metrust init --print-config`"
    )]
    Reading(String),
    /// Values that do not go together.
    #[error("setting {key}: {problem}")]
    Contradiction {
        /// The key to look at first.
        key: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl Settings {
    /// Reads the settings of this process: defaults, `file`, the environment, `overrides`.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, SettingsError> {
        Self::from_parts(file, std::env::vars_os(), overrides)
    }

    fn from_parts(
        file: Option<&Path>,
        environment: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
        overrides: &Overrides,
    ) -> Result<Self, SettingsError> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|error| SettingsError::File {
                path: path.to_owned(),
                what: "--config".to_owned(),
                error,
            })?;
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let environment = Environment::with_prefix("METRUST")
            .prefix_separator("__")
            .separator("__")
            .source(Some(read_environment(environment)?));
        let mut settings: Self = builder
            .add_source(environment)
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|error| SettingsError::Reading(explain(&error, file)))?;
        settings.apply(overrides);
        settings.validate()?;
        Ok(settings)
    }

    fn apply(&mut self, overrides: &Overrides) {
        if let Some(bind) = overrides.bind {
            self.http.bind = bind;
        }
        if let Some(url) = &overrides.redis {
            self.store.engine = EngineName::Redis;
            self.store.redis.url = Secret(url.clone());
        }
        self.new_operator_key = overrides.new_operator_key;
        self.new_log = overrides.new_log;
        self.accept_loss = overrides.accept_loss;
        if overrides.no_demo {
            self.demo.enabled = false;
        }
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let wrong = |key, problem: &str| {
            Err(SettingsError::Contradiction {
                key,
                problem: problem.to_owned(),
            })
        };
        let redis = &self.store.redis;
        match self.store.engine {
            EngineName::Redis if redis.url.0.is_empty() => {
                return wrong(
                    "store.redis.url",
                    "the engine is redis, but no address is given; set it, or use --redis URL",
                );
            }
            EngineName::Embedded if !redis.url.0.is_empty() => {
                return wrong(
                    "store.engine",
                    "an address of Redis is given, but the engine is embedded; set store.engine = \
                     \"redis\", or leave store.redis.url empty",
                );
            }
            _ => {}
        }
        if !redis.ca_certificate.as_os_str().is_empty() && !redis.url.0.starts_with("rediss://") {
            return wrong(
                "store.redis.ca_certificate",
                "it is of use only with an address that begins with rediss://",
            );
        }
        let scheme = redis.url.0.split("://").next().unwrap_or_default();
        if !redis.url.0.is_empty() && !["redis", "rediss", "redis+unix"].contains(&scheme) {
            return wrong(
                "store.redis.url",
                "it must begin with redis://, rediss:// or redis+unix://",
            );
        }
        if self.keys.master.0.is_empty() != self.keys.index.0.is_empty() {
            return wrong(
                "keys.master",
                "give both keys.master and keys.index, or neither (then both come from the data \
                 folder)",
            );
        }
        for (key, value) in [
            ("keys.master", &self.keys.master),
            ("keys.index", &self.keys.index),
        ] {
            if !value.0.is_empty() && SecretKey::from_hex(&value.0).is_err() {
                return wrong(key, "it must be 64 hexadecimal digits");
            }
        }
        if Region::parse(&self.web.default_region).is_err() {
            return wrong(
                "web.default_region",
                "it must be a country of two letters, for example BE (GB for the United Kingdom)",
            );
        }
        let zone = &self.web.time_zone;
        if !zone.is_empty() && jiff::tz::TimeZone::get(zone).is_err() {
            return wrong(
                "web.time_zone",
                "it must be a zone of the IANA database, for example Europe/Brussels",
            );
        }
        let url = &self.http.public_url;
        if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
            return wrong(
                "http.public_url",
                "it must begin with https:// (or http:// on a test machine)",
            );
        }
        self.audit.validate()?;
        self.validate_mail()?;
        for (key, zero) in [
            ("store.timeout_ms", self.store.timeout_ms == 0),
            ("http.header_timeout_ms", self.http.header_timeout_ms == 0),
            ("http.body_timeout_ms", self.http.body_timeout_ms == 0),
            ("http.write_timeout_ms", self.http.write_timeout_ms == 0),
            ("http.body_limit_bytes", self.http.body_limit_bytes == 0),
            ("check.validity_s", self.check.validity_s == 0),
            ("check.ref_window_s", self.check.ref_window_s == 0),
            ("check.max_numbers", self.check.max_numbers == 0),
            ("check.max_washes", self.check.max_washes == 0),
            ("check.wash_idle_s", self.check.wash_idle_s == 0),
            ("audit.period_ms", self.audit.period_ms == 0),
            ("audit.promise_s", self.audit.promise_s == 0),
            (
                "audit.max_unsealed_bytes",
                self.audit.max_unsealed_bytes == 0,
            ),
            (
                "registration.max_numbers",
                self.registration.max_numbers == 0,
            ),
            ("web.visit_minutes", self.web.visit_minutes == 0),
            ("web.console_minutes", self.web.console_minutes == 0),
            (
                "limits.registrations_per_minute",
                self.limits.registrations_per_minute == 0,
            ),
            ("limits.codes_per_minute", self.limits.codes_per_minute == 0),
            (
                "limits.registrations_per_minute_network",
                self.limits.registrations_per_minute_network == 0,
            ),
            (
                "limits.codes_per_minute_network",
                self.limits.codes_per_minute_network == 0,
            ),
            (
                "limits.letters_per_minute",
                self.limits.letters_per_minute == 0,
            ),
            ("mail.retry_s", self.mail.retry_s == 0),
            ("mail.timeout_s", self.mail.timeout_s == 0),
            ("mail.max_waiting", self.mail.max_waiting == 0),
            (
                "mail.per_address_per_day",
                self.mail.per_address_per_day == 0,
            ),
        ] {
            if zero {
                return wrong(key, "it must be at least 1");
            }
        }
        Ok(())
    }

    /// The store that the settings name.
    #[must_use]
    pub fn engine(&self, data: &Path) -> Engine {
        match self.store.engine {
            EngineName::Embedded => Engine::Embedded {
                file: match self.store.embedded.file.as_os_str() {
                    none if none.is_empty() => data.join("metrust.redb"),
                    file => PathBuf::from(file),
                },
            },
            EngineName::Redis => Engine::Redis(RedisOptions {
                url: self.store.redis.url.0.clone(),
                ca_certificate: match self.store.redis.ca_certificate.as_os_str() {
                    none if none.is_empty() => None,
                    file => Some(PathBuf::from(file)),
                },
                durability: self.store.redis.durability,
                verify: self.store.redis.verify,
                replicas: self.store.redis.replicas,
            }),
        }
    }

    /// How long a decision may take.
    #[must_use]
    pub fn store_timeout(&self) -> Duration {
        Duration::from_millis(self.store.timeout_ms)
    }

    /// How long a `ref` is remembered.
    #[must_use]
    pub fn ref_window(&self) -> Duration {
        Duration::from_secs(self.check.ref_window_s)
    }
}

/// The settings among the environment's variables, those ending in `_FILE` replaced by what their
/// file holds.
fn read_environment(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> Result<HashMap<String, String>, SettingsError> {
    let mut found = HashMap::new();
    for (name, value) in variables {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            continue;
        };
        if !name.starts_with(PREFIX) {
            continue;
        }
        // `…__FILE` is a setting called `file`.
        let secret = name
            .strip_suffix("_FILE")
            .filter(|rest| !rest.ends_with('_'));
        let (name, value) = match secret {
            None => (name, value.to_owned()),
            Some(name) => {
                let text = std::fs::read_to_string(value).map_err(|error| SettingsError::File {
                    path: value.into(),
                    what: format!("{name}_FILE"),
                    error,
                })?;
                (name, text.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
        if found.insert(name.to_owned(), value).is_some() {
            return Err(SettingsError::Reading(format!(
                "both {name} and {name}_FILE are set; keep one"
            )));
        }
    }
    Ok(found)
}

/// What is wrong, with the key and where it stands, and without the value: it may be a secret.
fn explain(error: &ConfigError, file: Option<&Path>) -> String {
    let file = file.map(|file| file.display().to_string());
    let place = |origin: &Option<String>| match origin.as_deref() {
        Some(origin) if origin.contains("environment") => " (from the environment)".to_owned(),
        _ => file
            .as_ref()
            .map(|file| format!(" (from {file} or the environment)"))
            .unwrap_or_default(),
    };
    match error {
        ConfigError::Type {
            origin,
            expected,
            key,
            ..
        } => format!(
            "setting {}{}: expected {expected}",
            key.as_deref().unwrap_or("?"),
            place(origin)
        ),
        ConfigError::At { error, origin, key } => {
            let inner = explain(error, None);
            match key {
                Some(key) if !inner.contains(key.as_str()) => {
                    format!("setting {key}{}: {inner}", place(origin))
                }
                _ => inner,
            }
        }
        ConfigError::FileParse { cause, .. } => format!(
            "{}: {cause}",
            file.unwrap_or_else(|| "the configuration".to_owned())
        ),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrust.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Settings::from_parts(Some(&path), environment, &Overrides::default())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_complete_and_later_sources_win() {
        let defaults = load("", &[]).unwrap();
        assert_eq!(defaults.check.validity_s, 86_400);
        let file = "[check]\nvalidity_s = 60\nref_window_s = 61";
        let both = load(file, &[("METRUST__CHECK__VALIDITY_S", "70")]).unwrap();
        assert_eq!((both.check.validity_s, both.check.ref_window_s), (70, 61));
        let list = [("METRUST__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,::1/128")];
        assert_eq!(load("", &list).unwrap().http.trusted_proxies.len(), 2);
    }

    #[test]
    fn what_is_unknown_or_wrong_is_named() {
        for (file, environment, named) in [
            ("[check]\nvalidty_s = 1", vec![], "validty_s"),
            ("[chekc]\nx = 1", vec![], "chekc"),
            ("[check]\nvalidity_s = \"soon\"", vec![], "check.validity_s"),
            ("[check]\nvalidity_s = 0", vec![], "check.validity_s"),
            ("[http]\nbind = \"nowhere\"", vec![], "http.bind"),
            ("nonsense", vec![], "metrust.toml"),
            ("", vec![("METRUST__CHECK__VALIDTY_S", "1")], "validty_s"),
            (
                "",
                vec![("METRUST__STORE__ENGINE", "postgres")],
                "store.engine",
            ),
            ("[store]\nengine = \"redis\"", vec![], "store.redis.url"),
            ("[store.redis]\nurl = \"redis://h\"", vec![], "store.engine"),
            (
                "[web]\ntime_zone = \"Europe/Brussel\"",
                vec![],
                "web.time_zone",
            ),
            (
                "[web]\ndefault_region = \"XX\"",
                vec![],
                "web.default_region",
            ),
            (
                "[http]\npublic_url = \"example.org\"",
                vec![],
                "http.public_url",
            ),
        ] {
            let error = load(file, &environment).unwrap_err();
            assert!(error.contains(named), "{named} in: {error}");
        }
    }

    #[test]
    fn a_secret_may_come_from_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master");
        std::fs::write(&path, "ab".repeat(32) + "\n").unwrap();
        let master = ("METRUST__KEYS__MASTER_FILE", path.to_str().unwrap());
        let hex = "cd".repeat(32);
        let index = ("METRUST__KEYS__INDEX", hex.as_str());
        let settings = load("", &[master, index]).unwrap();
        assert_eq!(settings.keys.master.0.len(), 64);
        assert!(!format!("{settings:?}").contains("cdcd"));
        let wrong = load("", &[master, ("METRUST__KEYS__INDEX", "no-key")]).unwrap_err();
        assert!(
            wrong.contains("keys.index") && !wrong.contains("no-key"),
            "{wrong}"
        );
        assert!(load("", &[master]).unwrap_err().contains("keys.master"));
        let file = ("METRUST__STORE__EMBEDDED__FILE", "/some/where.redb");
        let settings = load("", &[file]).unwrap();
        assert_eq!(
            settings.store.embedded.file,
            PathBuf::from("/some/where.redb")
        );
        let missing = ("METRUST__KEYS__MASTER_FILE", "/nowhere/at/all");
        let error = load("", &[missing]).unwrap_err();
        assert!(error.contains("METRUST__KEYS__MASTER_FILE"), "{error}");
    }
}
