//! `metrust healthcheck`: can the service answer checks? For a container's HEALTHCHECK.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;

use super::client::{Patience, Whereabouts};
use super::{Failure, Outcome};

/// Tell by the exit status whether the service can answer checks
///
/// It asks /readyz, needs no key, and says nothing when all is well.
#[derive(Debug, Args)]
#[command(after_help = "\
In a Dockerfile:
  HEALTHCHECK --interval=10s CMD [\"metrust\", \"healthcheck\"]

Exit status: 0 it can, 1 it cannot or does not answer within 5 seconds; one line says why.")]
pub(super) struct Healthcheck {
    #[command(flatten)]
    service: Whereabouts,
}

#[derive(Deserialize)]
struct Ready {
    ready: bool,
    #[serde(default)]
    draining: bool,
    store: Store,
}

#[derive(Deserialize)]
struct Store {
    ok: bool,
}

impl Ready {
    fn complaint(&self) -> String {
        let why = if self.draining {
            "the service is stopping"
        } else if !self.store.ok {
            "the store is away or not safe to use (`metrust doctor` says more)"
        } else {
            "the service cannot make sure that its list of keys is current"
        };
        format!("not ready: {why}")
    }
}

impl Healthcheck {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        let client = self.service.client(data, Patience::Probe)?;
        let one_line =
            |failure: Failure| Failure::new(failure.to_string().lines().next().unwrap_or_default());
        let (status, body) = client.probe("/readyz").map_err(one_line)?;
        let ready: Ready = client.understand(&body).map_err(one_line)?;
        if status == 200 && ready.ready {
            Ok(ExitCode::SUCCESS)
        } else {
            Err(Failure::new(ready.complaint()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ready_says_why_in_one_line() {
        let ready: Ready =
            serde_json::from_str(r#"{"ready":false,"store":{"engine":"redis","ok":false}}"#)
                .unwrap();
        assert!(ready.complaint().starts_with("not ready: the store"));
    }
}
