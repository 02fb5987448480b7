//! `metrust doctor`: is all well? A line for each thing, with the remedy where one is needed.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Patience, Target};
use super::output::{plain, say};
use super::{Failure, Outcome, SettingsArgs};
use crate::domain::Moment;
use crate::service::doctor::{Finding, Status, examine_folder, examine_store};
use crate::service::keys::{self, KeySource, readable_by_others};
use crate::service::letters;
use crate::service::{recognise, record};
use crate::settings::{EngineName, Overrides, Settings};
use crate::store::{Engine, Store, StoreError};

/// Look whether all is well: service, store, durability, clock, disk, keys, mail
///
/// It asks the running service, with an operator's key. If none answers, it looks at the store and
/// the data folder itself, by the same settings as `metrust serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust doctor
  metrust doctor --data /var/lib/metrust --config /etc/metrust.toml
  metrust doctor --json | jq '.checks[] | select(.status != \"ok\")'

Exit status: 0 no error (there may be warnings), 1 an error, 2 the settings cannot be used.")]
pub(super) struct Doctor {
    #[command(flatten)]
    settings: SettingsArgs,

    /// Print the findings as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

/// Apart by more than this, times in the audit and in the logs of others no longer match.
const CLOCK_WARNING: Duration = Duration::from_secs(2);
/// Apart by more than this, answers are used well after they have run out.
const CLOCK_ERROR: Duration = Duration::from_secs(60);

/// How long a store may take to open; a long list is read into memory.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the service says about itself.
#[derive(Deserialize)]
struct Report {
    checks: Vec<Finding>,
    time: Moment,
    version: String,
}

impl Doctor {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let settings = self.settings.load(Overrides::default())?;
        let client = self.target.client_if_key(data, Patience::Usual)?;
        // Without the key: who knows what listens there.
        let stranger = self.target.service.client(data, Patience::Probe)?;
        let mut findings = match stranger.probe("/livez") {
            Ok((200, body)) if body == "ok" => ask(&client, &settings, data),
            Ok(_) => {
                let mut findings = vec![Finding::wrong(
                    "service",
                    Status::Error,
                    format!(
                        "something answers at {}, but it is not metrust",
                        client.url()
                    ),
                    "say where the service runs with --url, METRUST_URL or its data folder (--data)",
                )];
                findings.extend(look(&settings, data)?);
                findings
            }
            Err(failure) => {
                let mut findings = vec![of_failure(&failure)];
                findings.extend(look(&settings, data)?);
                findings
            }
        };
        findings.extend(key_files(data));
        if self.json {
            say(&json!({ "checks": findings }).to_string())?;
        } else {
            findings
                .iter()
                .try_for_each(|finding| say(&line(finding)))?;
        }
        let bad = findings
            .iter()
            .any(|finding| finding.status == Status::Error);
        Ok(ExitCode::from(u8::from(bad)))
    }
}

/// One finding on one line.
fn line(finding: &Finding) -> String {
    let status = match finding.status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Error => "ERROR",
    };
    let remedy = finding
        .remedy
        .as_deref()
        .map_or_else(String::new, |remedy| format!("  → {}", plain(remedy)));
    format!(
        "{status:<8} {:<11} {}{remedy}",
        plain(&finding.name),
        plain(&finding.detail)
    )
}

/// A failure as a finding: its first line, and the remedy that it names.
fn of_failure(failure: &Failure) -> Finding {
    let text = failure.to_string();
    let mut lines = text.lines().map(str::trim);
    let detail = lines.next().unwrap_or_default().to_owned();
    let remedy = lines
        .find_map(|line| line.strip_prefix("remedy:"))
        .map_or("look at the service's log", str::trim);
    Finding::wrong("service", Status::Error, detail, remedy)
}

/// Asks a service that answers.
fn ask(client: &Client, settings: &Settings, data: &Path) -> Vec<Finding> {
    let before = Moment::now();
    let report: Result<Report, Failure> = client.get_as("/v1/admin/doctor");
    let after = Moment::now();
    match report {
        Ok(report) => {
            let here = Moment::from_millis(before.millis().midpoint(after.millis()));
            let version = plain(&report.version);
            let detail = format!("{} answers, version {version}", client.url());
            let mut findings = vec![Finding::ok("service", detail)];
            findings.extend(report.checks);
            findings.push(clock(report.time, here));
            findings
        }
        Err(failure) => {
            let mut finding = of_failure(&failure);
            finding.detail = format!("{} answers: {}", client.url(), finding.detail);
            if !client.has_key() {
                finding.remedy = Some(
                    "set METRUST_KEY to an operator's key, or run this where the data folder \
                     holds operator.key (--data)"
                        .to_owned(),
                );
            }
            let mut findings = vec![finding];
            match settings.engine(data) {
                // The service has the file open.
                Engine::Embedded { .. } => findings.extend(examine_folder(settings, data)),
                // What is wrong may be the store and not the key.
                Engine::Redis(_) => findings.extend(look(settings, data).unwrap_or_default()),
            }
            findings
        }
    }
}

fn clock(service: Moment, here: Moment) -> Finding {
    let apart = service.since(here).max(here.since(service));
    let detail = format!(
        "the service's clock and this machine's are {:.1} s apart",
        apart.as_secs_f64()
    );
    let status = match apart {
        apart if apart > CLOCK_ERROR => Status::Error,
        apart if apart > CLOCK_WARNING => Status::Warning,
        _ => return Finding::ok("clock", detail),
    };
    Finding::wrong(
        "clock",
        status,
        detail,
        "set both by NTP: times in the audit and the validity of answers rest on them",
    )
}

/// Looks at the store and the data folder without a service.
fn look(settings: &Settings, data: &Path) -> Result<Vec<Finding>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot look at the store: {error}")))?;
    let mut findings = match settings.engine(data) {
        Engine::Embedded { file } if !file.exists() => vec![Finding::wrong(
            "store",
            Status::Warning,
            format!("{} is not there yet", file.display()),
            "start the service once, or name its data folder with --data",
        )],
        engine => runtime.block_on(look_at_store(settings, data, engine)),
    };
    findings.extend(examine_folder(settings, data));
    findings.extend(runtime.block_on(letters::examine(&settings.mail)));
    Ok(findings)
}

async fn look_at_store(settings: &Settings, data: &Path, engine: Engine) -> Vec<Finding> {
    let wrong =
        |detail: String, remedy: &str| vec![Finding::wrong("store", Status::Error, detail, remedy)];
    let opening = Store::open(engine, settings.store_timeout(), settings.ref_window());
    let store = match tokio::time::timeout(PATIENCE, opening).await {
        Ok(Ok(store)) => store,
        Ok(Err(error)) => return wrong(error.to_string(), remedy(settings, &error)),
        Err(_) => {
            return wrong(
                format!("the store did not open within {} s", PATIENCE.as_secs()),
                "look whether it runs, and whether its address in the settings is right",
            );
        }
    };
    let findings = look_into(settings, data, &store).await;
    store.close().await;
    findings.unwrap_or_else(|error| wrong(error.to_string(), remedy(settings, &error)))
}

async fn look_into(
    settings: &Settings,
    data: &Path,
    store: &Store,
) -> Result<Vec<Finding>, StoreError> {
    let identity = store.identity().await?;
    if let Err(error) = recognise(data, identity.as_ref()) {
        let detail = error.to_string();
        let finding = Finding::wrong("store", Status::Error, detail, "as it says");
        return Ok(vec![finding]);
    }
    let Some(identity) = identity else {
        // Opening it has shown that it is durable; there is nothing in it to look at.
        return Ok(vec![Finding::ok(
            "store",
            "it opens, and is empty: no service has begun it",
        )]);
    };
    // It has begun, so this writes nothing; but its health is told only to who knows whose it is.
    store.begin(identity.fingerprint).await?;
    let mut findings = examine_store(settings, &store.health().await);
    findings.push(
        match record::examine(settings, data, store, &identity).await {
            Ok(place) => Finding::ok("log", format!("the log in {place} fits the store")),
            Err(error) => Finding::wrong("log", Status::Error, error.to_string(), "as it says"),
        },
    );
    findings.push(fit(settings, data, identity.fingerprint));
    Ok(findings)
}

/// What to do about a store that does not open.
fn remedy(settings: &Settings, error: &StoreError) -> &'static str {
    match (error, settings.store.engine) {
        (StoreError::Unsafe(_), _) => "as it says; until then metrust does not start on it",
        (StoreError::Foreign(_) | StoreError::Damaged(_), _) => {
            "look whether the settings name the right store; restore it from a backup if they do"
        }
        (_, EngineName::Redis) => "look whether Redis runs, and whether store.redis.url is right",
        (_, EngineName::Embedded) => {
            "look at the file and its folder; if the service has it open, say where the service \
             listens with --url"
        }
    }
}

/// Whether the keys at hand are the ones that the store was written with.
fn fit(settings: &Settings, data: &Path, fingerprint: [u8; 16]) -> Finding {
    const NAME: &str = "key-fit";
    let wrong = |detail: String| {
        Finding::wrong(
            NAME,
            Status::Error,
            detail,
            "restore the keys of this store from your backup, or name the store that these keys \
             belong to; never make new ones",
        )
    };
    match KeySource::find(settings, data) {
        Ok(KeySource::Settings(keyring) | KeySource::Folder(keyring)) => {
            if keyring.fingerprint() == fingerprint {
                Finding::ok(NAME, "the store was written with these keys")
            } else {
                wrong("the store was written with other keys".to_owned())
            }
        }
        Ok(KeySource::Missing) => wrong("the store was written with keys that are gone".to_owned()),
        Err(error) => wrong(error.to_string()),
    }
}

/// Whether the secrets of a data folder on this machine are their owner's alone.
fn key_files(data: &Path) -> Option<Finding> {
    const NAME: &str = "key-files";
    let [master, index] = keys::paths(data);
    let files = [
        master,
        index,
        data.join("operator.key"),
        data.join("getting-started.txt"),
    ];
    let here: Vec<_> = files.iter().filter(|file| file.exists()).collect();
    let open: Vec<_> = here
        .iter()
        .filter(|file| readable_by_others(file))
        .map(|file| file.display().to_string())
        .collect();
    if here.is_empty() {
        return None;
    }
    Some(if open.is_empty() {
        Finding::ok(
            NAME,
            format!("the secrets in {} are their owner's alone", data.display()),
        )
    } else {
        Finding::wrong(
            NAME,
            Status::Error,
            format!("others may read {}", open.join(", ")),
            format!("chmod 600 {}", open.join(" ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_drift_apart_are_noticed_both_ways() {
        let now = Moment::now();
        let later = |seconds| now.plus(Duration::from_secs(seconds));
        for (seconds, status) in [
            (0, Status::Ok),
            (2, Status::Ok),
            (3, Status::Warning),
            (61, Status::Error),
        ] {
            assert_eq!(clock(later(seconds), now).status, status, "{seconds}");
            assert_eq!(clock(now, later(seconds)).status, status, "-{seconds}");
        }
    }

    #[test]
    fn a_finding_is_one_line_that_ends_with_its_remedy() {
        assert_eq!(
            line(&Finding::ok("store", "fine")),
            "ok       store       fine"
        );
        let failure = Failure::new("nothing\n  kept:       x\n  remedy:     start it");
        assert_eq!(
            line(&of_failure(&failure)),
            "ERROR    service     nothing  → start it"
        );
    }

    #[test]
    fn a_secret_that_others_may_read_is_an_error() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        assert!(key_files(data.path()).is_none());
        keys::make(data.path()).unwrap();
        assert_eq!(key_files(data.path()).unwrap().status, Status::Ok);
        let [master, _] = keys::paths(data.path());
        std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o640)).unwrap();
        let finding = key_files(data.path()).unwrap();
        assert_eq!(finding.status, Status::Error);
        assert!(finding.remedy.unwrap().contains("master.key"));
    }

    #[test]
    fn keys_that_are_not_the_stores_are_an_error() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let status = |fingerprint| fit(&settings, data.path(), fingerprint).status;
        assert_eq!(status([0; 16]), Status::Error, "keys that are gone");
        let keyring = keys::make(data.path()).unwrap();
        assert_eq!(status(keyring.fingerprint()), Status::Ok);
        assert_eq!(status([0; 16]), Status::Error);
    }
}
