//! What can be set, as types. What each means stands in `config/default.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

use crate::store::Durability;

/// Every setting. The meaning of each stands in [`super::DEFAULTS`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "config/default.toml says what each setting means"
)]
pub struct Settings {
    pub http: Http,
    pub store: StoreSettings,
    pub keys: Keys,
    pub check: Check,
    pub registration: Registration,
    pub report: Report,
    pub audit: Audit,
    pub web: Web,
    pub limits: Limits,
    pub mail: Mail,
    pub demo: Demo,
    pub log: Log,
    pub metrics: Metrics,
    /// `--new-operator-key`; no setting, because it is meant once.
    #[serde(skip)]
    pub new_operator_key: bool,
    /// `--new-log`; no setting either.
    #[serde(skip)]
    pub new_log: bool,
    /// `--accept-loss`; no setting either.
    #[serde(skip)]
    pub accept_loss: bool,
}

macro_rules! section {
    ($name:ident { $($(#[$attribute:meta])* $field:ident : $type:ty),* $(,)? }) => {
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "config/default.toml says what each setting means")]
        pub struct $name { $($(#[$attribute])* pub $field: $type),* }
    };
}

section!(Http {
    bind: SocketAddr,
    public_url: String,
    workers: usize,
    #[serde(deserialize_with = "networks")]
    trusted_proxies: Vec<IpNet>,
    body_limit_bytes: usize,
    header_timeout_ms: u64,
    body_timeout_ms: u64,
    write_timeout_ms: u64,
    drain_timeout_s: u64,
});
section!(StoreSettings {
    engine: EngineName,
    must_exist: bool,
    timeout_ms: u64,
    embedded: Embedded,
    redis: Redis,
});
section!(Embedded { file: PathBuf });
section!(Redis {
    url: Secret,
    ca_certificate: PathBuf,
    durability: Durability,
    verify: bool,
    replicas: u32,
});
section!(Keys {
    master: Secret,
    index: Secret,
});
section!(Check {
    validity_s: u64,
    ref_window_s: u64,
    max_numbers: usize,
    max_washes: usize,
    wash_idle_s: u64,
});
section!(Registration {
    max_numbers: usize,
    undo_hours: u16,
});
section!(Report {
    answer_days: u16,
    authorities: Vec<Authority>,
});
section!(Authority {
    region: String,
    name: String,
    url: String,
});
section!(Audit {
    folder: String,
    origin: String,
    period_ms: u64,
    promise_s: u64,
    max_unsealed_bytes: u64,
    keep_years: u16,
    max_match_bytes: u64,
    #[serde(deserialize_with = "texts")]
    witnesses: Vec<String>,
    s3: S3,
});
section!(S3 {
    endpoint: String,
    region: String,
});
section!(Web {
    enabled: bool,
    name: String,
    contact: String,
    default_language: LanguageCode,
    default_region: String,
    time_zone: String,
    visit_minutes: u64,
    console_minutes: u64,
});
section!(Limits {
    registrations_per_minute: u32,
    codes_per_minute: u32,
    registrations_per_minute_network: u32,
    codes_per_minute_network: u32,
    form_seconds: u64,
    adjacent_per_hour: u32,
    letters_per_minute: u32,
});
section!(Mail {
    url: Secret,
    user: String,
    password: Secret,
    ca_certificate: PathBuf,
    from: String,
    follow_up_days: f64,
    retry_s: u64,
    timeout_s: u64,
    max_waiting: usize,
    per_address_per_day: u32,
});
section!(Demo { enabled: bool });
section!(Log {
    format: LogFormat,
    filter: String,
});
section!(Metrics { open: bool });

/// A list of texts, or, from the environment, one text with commas between them.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<String>),
        Text(String),
    }
    let texts = match Either::deserialize(deserializer)? {
        Either::List(texts) => texts,
        Either::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    let texts = texts.iter().map(|text| text.trim());
    Ok(texts
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect())
}

/// A list of networks.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    texts(deserializer)?
        .iter()
        .map(|text| {
            text.parse()
                .or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into()))
                .map_err(|_| serde::de::Error::custom("a network is written like 10.0.0.0/8"))
        })
        .collect()
}

/// `embedded` or `redis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum EngineName {
    Embedded,
    Redis,
}

/// The languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum LanguageCode {
    Nl,
    Fr,
    De,
    En,
}

/// `text` or `json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogFormat {
    Text,
    Json,
}

/// A text that `Debug` does not show.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() {
            "(empty)"
        } else {
            "(hidden)"
        })
    }
}
