//! The settings of the sealed log.

use std::path::Path;

use super::{Audit, Settings, SettingsError};
use crate::log::{KeyKind, Verifier};

impl Settings {
    /// Where the log lies: a folder, or the address of a bucket.
    #[must_use]
    pub fn log_place(&self, data: &Path) -> String {
        match self.audit.folder.as_str() {
            "" => data.join("log").display().to_string(),
            place => place.to_owned(),
        }
    }

    /// What the origins of new logs begin with; nothing when neither a setting nor a public
    /// address says it.
    #[must_use]
    pub fn log_origin(&self) -> Option<String> {
        let origin = self.audit.origin.trim_end_matches('/');
        if !origin.is_empty() {
            return Some(origin.to_owned());
        }
        let (_, host) = self.http.public_url.split_once("://")?;
        Some(format!("{}/log", host.trim_end_matches('/')))
    }
}

impl Audit {
    /// The keys of the witnesses.
    #[must_use]
    pub fn witness_keys(&self) -> Vec<Verifier> {
        let keys = self.witnesses.iter();
        keys.filter_map(|text| Verifier::parse(text).ok()).collect()
    }

    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        let wrong = |key, problem: &str| {
            Err(SettingsError::Contradiction {
                key,
                problem: problem.to_owned(),
            })
        };
        let plain = |c: char| c.is_ascii_graphic() && c != '+';
        if self.origin.contains("://") || !self.origin.chars().all(plain) {
            return wrong(
                "audit.origin",
                "it must be a web address without its scheme, as in dnc.example.org/log",
            );
        }
        for text in &self.witnesses {
            match Verifier::parse(text) {
                Ok(key) if key.kind() == KeyKind::Witness => {}
                Ok(_) => {
                    return wrong(
                        "audit.witnesses",
                        "one of the keys is not that of a witness",
                    );
                }
                Err(error) => return wrong("audit.witnesses", &error.to_string()),
            }
        }
        if self.folder.starts_with("s3://") && !cfg!(feature = "s3") {
            return wrong(
                "audit.folder",
                "this metrust was built without the feature s3; name a folder, or build it with \
                 `cargo build --release --features s3`",
            );
        }
        Ok(())
    }
}
