//! Is all well? A line for each thing that may be wrong, ending with the remedy.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::keys::{paths, readable_by_others};
use super::record::LogStatus;
use crate::settings::{EngineName, Settings};
use crate::store::Health;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, but look at it.
    Warning,
    /// It does not work.
    Error,
}

/// One line of the doctor's report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub status: Status,
    /// What was seen.
    pub detail: String,
    /// What to do, where something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    #[must_use]
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            status: Status::Ok,
            detail: detail.into(),
            remedy: None,
        }
    }

    /// It is not.
    #[must_use]
    pub fn wrong(
        name: &str,
        status: Status,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            status,
            detail: detail.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Below this much free room the store may soon be unable to write.
const LOW_ON_DISK: u64 = 1 << 30;

/// What can be seen from the settings and the data folder.
#[must_use]
pub fn examine_folder(settings: &Settings, data: &Path) -> Vec<Finding> {
    vec![keys(settings, data), disk(data)]
}

/// What the store says.
#[must_use]
pub fn examine_store(settings: &Settings, health: &Health) -> Vec<Finding> {
    let durability = match (settings.store.engine, settings.store.redis.verify) {
        (EngineName::Redis, false) => Finding::wrong(
            "durability",
            Status::Warning,
            "Redis is not asked whether it keeps what it acknowledges",
            "set store.redis.verify = true unless it hides its settings",
        ),
        _ if health.ok => Finding::ok("durability", health.detail.clone()),
        _ => Finding::wrong(
            "durability",
            Status::Error,
            health.detail.clone(),
            health
                .remedy
                .clone()
                .unwrap_or_else(|| "see the line above".to_owned()),
        ),
    };
    let store = if health.ok {
        Finding::ok(
            "store",
            format!("{} answers and takes writes", health.engine),
        )
    } else {
        Finding::wrong(
            "store",
            Status::Error,
            health.detail.clone(),
            health
                .remedy
                .clone()
                .unwrap_or_else(|| "mend it as the text says; checks answer 503 until then".into()),
        )
    };
    let memory = health.advice.as_ref().map(|advice| {
        Finding::wrong(
            "memory",
            Status::Warning,
            advice.what.clone(),
            advice.remedy.clone(),
        )
    });
    [store, durability].into_iter().chain(memory).collect()
}

/// For so long entries may wait to be sealed before somebody should look.
const LAG: Duration = Duration::from_secs(60);

/// What is known of the log.
#[must_use]
pub fn examine_log(log: &LogStatus) -> Finding {
    const NAME: &str = "log";
    let LogStatus {
        place,
        waiting,
        high_water,
        lag,
        ..
    } = log;
    if log.is_full() {
        return Finding::wrong(
            NAME,
            Status::Error,
            format!(
                "{waiting} bytes of entries wait to be sealed, more than {high_water}: checks are \
                 refused{}",
                log.error
                    .as_ref()
                    .map(|error| format!(" ({error})"))
                    .unwrap_or_default()
            ),
            format!("see that {place} can be written; checks go on as soon as entries are sealed"),
        );
    }
    match &log.error {
        Some(error) => Finding::wrong(
            NAME,
            Status::Error,
            format!("entries cannot be sealed: {error}"),
            format!(
                "see that {place} can be written; until then entries are kept in the store, and \
                 when {high_water} bytes of them wait, checks are refused"
            ),
        ),
        None if *lag > LAG => Finding::wrong(
            NAME,
            Status::Warning,
            format!(
                "entries have been waiting for {} s to be sealed",
                lag.as_secs()
            ),
            "see the service's own log; a slow disk or network may be the cause",
        ),
        None => Finding::ok(
            NAME,
            format!(
                "entries are sealed in {place}; the last look was {} s ago, and {waiting} bytes \
                 wait",
                lag.as_secs()
            ),
        ),
    }
}

fn keys(settings: &Settings, data: &Path) -> Finding {
    const NAME: &str = "keys";
    if !settings.keys.master.0.is_empty() {
        return Finding::ok(NAME, "master and index key come from the configuration");
    }
    for path in paths(data) {
        if !path.exists() {
            return Finding::wrong(
                NAME,
                Status::Error,
                format!("{} is missing", path.display()),
                "start the service once, run `metrust init`, or restore it from your backup; \
                 losing it is losing the list",
            );
        }
        if readable_by_others(&path) {
            return Finding::wrong(
                NAME,
                Status::Error,
                format!("{} may be read by others", path.display()),
                format!("chmod 600 {}", path.display()),
            );
        }
    }
    Finding::ok(
        NAME,
        format!(
            "master and index key lie in {}; keep a copy elsewhere, losing them is losing the list",
            data.join("keys").display()
        ),
    )
}

fn disk(data: &Path) -> Finding {
    const NAME: &str = "disk";
    match rustix::fs::statvfs(data) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let seen = format!("{} MiB free in {}", free >> 20, data.display());
            if free < LOW_ON_DISK {
                Finding::wrong(
                    NAME,
                    Status::Warning,
                    seen,
                    "make room: a full disk stops every check",
                )
            } else {
                Finding::ok(NAME, seen)
            }
        }
        Err(error) => Finding::wrong(
            NAME,
            Status::Error,
            format!("{}: {error}", data.display()),
            "create the folder, or name another with --data",
        ),
    }
}
