//! Which reports a code holds.
//!
//! The list lies sealed under the code's own key. A report that was made without a code gets one
//! of its own, which holds no opt-out.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::record::{ATTEMPTS, damaged};
use crate::domain::{Reference, ReportId};
use crate::privacy::{open, random, seal};
use crate::service::registration::Access;
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// The reports of a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Case {
    /// Of a code that has no opt-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    /// Their ids, under the key of the code.
    sealed: String,
}

/// How many reports one code may hold.
pub(super) const MOST_REPORTS: usize = 1_000;

impl Service {
    /// A code of its own for a report that was made without one. The same seed finds the code of
    /// the first time.
    pub(super) async fn open_case(&self, seed: &[u8; 32]) -> Result<Access, ServiceError> {
        for attempt in 0..ATTEMPTS {
            let mac = self.registration_key.mac(&[b"case", seed, &[attempt]]);
            let mut code = [0; 10];
            code.copy_from_slice(&mac[..10]);
            let reference = Reference::from_random(code);
            let locator = reference.locator();
            let taken = self.store.get(Kind::Registration, locator.as_str());
            if taken.await?.is_some() {
                continue;
            }
            let salt: [u8; 16] = random();
            let key = self.code_key(&reference, salt).await?;
            let access = Access::from_parts(reference, key);
            let case = Case {
                salt: Some(BASE64.encode(&salt)),
                sealed: seal_ids(&access, &[]),
            };
            let body = serde_json::to_string(&case).map_err(|_| damaged())?;
            let name = case_name(&access, false);
            if self.store.create(Kind::Case, &name, body).await? {
                return Ok(access);
            }
            match self.case_access(access.reference()).await {
                Err(ServiceError::UnknownReference) => {}
                other => return other,
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Does the work of a code that has reports and no opt-out.
    pub(in crate::service) async fn case_access(
        &self,
        reference: &Reference,
    ) -> Result<Access, ServiceError> {
        let name = reference.locator().as_str().to_owned();
        let document = self.store.get(Kind::Case, &name).await?;
        let case: Option<Case> = document
            .map(|document| serde_json::from_str(&document.body).map_err(|_| damaged()))
            .transpose()?;
        let salt = match case.as_ref().and_then(|case| case.salt.as_deref()) {
            Some(salt) => BASE64.decode(salt.as_bytes()).map_err(|_| damaged())?,
            // As much work as for a code that exists, so that time tells nothing.
            None => vec![0; 16],
        };
        let salt = <[u8; 16]>::try_from(salt).map_err(|_| damaged())?;
        let key = self.code_key(reference, salt).await?;
        let access = Access::from_parts(reference.clone(), key);
        let case = case.ok_or(ServiceError::UnknownReference)?;
        open_ids(&access, &case.sealed).map(|_| access)
    }

    /// The reports of a code, in the order in which they were made.
    pub(super) async fn report_ids(&self, access: &Access) -> Result<Vec<ReportId>, ServiceError> {
        let mut known = Err(ServiceError::UnknownReference);
        for with_opt_out in [true, false] {
            let name = case_name(access, with_opt_out);
            let Some(document) = self.store.get(Kind::Case, &name).await? else {
                continue;
            };
            let case: Case = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            match open_ids(access, &case.sealed) {
                Ok(ids) => return Ok(ids),
                Err(error) => known = Err(error),
            }
        }
        // A code whose opt-out is there may have no report yet.
        match self.open_record(access).await {
            Ok(_) => Ok(Vec::new()),
            Err(ServiceError::UnknownReference) => known,
            Err(error) => Err(error),
        }
    }

    /// Adds a report to those of its code. Doing it again changes nothing.
    pub(super) async fn remember_report(
        &self,
        access: &Access,
        id: ReportId,
    ) -> Result<(), ServiceError> {
        let mut name = case_name(access, false);
        let own = match self.store.get(Kind::Case, &name).await? {
            Some(document) => {
                let case: Case = serde_json::from_str(&document.body).map_err(|_| damaged())?;
                open_ids(access, &case.sealed).is_ok()
            }
            None => false,
        };
        if !own {
            // An opt-out's code: its list begins with its first report.
            self.open_record(access).await?;
            name = case_name(access, true);
            let case = Case {
                salt: None,
                sealed: seal_ids(access, &[]),
            };
            let body = serde_json::to_string(&case).map_err(|_| damaged())?;
            self.store.create(Kind::Case, &name, body).await?;
        }
        for _ in 0..ATTEMPTS {
            let document = self.store.get(Kind::Case, &name).await?;
            let document = document.ok_or_else(damaged)?;
            let mut case: Case = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            let mut ids = open_ids(access, &case.sealed)?;
            if ids.contains(&id) {
                return Ok(());
            }
            if ids.len() >= MOST_REPORTS {
                return Err(ServiceError::TooManyReports(MOST_REPORTS));
            }
            ids.push(id);
            case.sealed = seal_ids(access, &ids);
            let body = serde_json::to_string(&case).map_err(|_| damaged())?;
            let version = document.version;
            if self.store.replace(Kind::Case, &name, version, body).await? {
                return Ok(());
            }
        }
        Err(ServiceError::Conflict)
    }
}

/// Two names, so that a report's own code and an opt-out's never meet.
fn case_name(access: &Access, with_opt_out: bool) -> String {
    let locator = access.reference().locator();
    match with_opt_out {
        true => format!("{}-opt-out", locator.as_str()),
        false => locator.as_str().to_owned(),
    }
}

fn about(access: &Access) -> Vec<u8> {
    [
        b"reports ",
        access.reference().locator().as_str().as_bytes(),
    ]
    .concat()
}

fn seal_ids(access: &Access, ids: &[ReportId]) -> String {
    let lines: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sealed = seal(access.key(), &about(access), lines.join("\n").as_bytes());
    BASE64.encode(&sealed)
}

fn open_ids(access: &Access, sealed: &str) -> Result<Vec<ReportId>, ServiceError> {
    let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| damaged())?;
    let text =
        open(access.key(), &about(access), &sealed).map_err(|_| ServiceError::UnknownReference)?;
    let text = std::str::from_utf8(&text).map_err(|_| damaged())?;
    text.lines()
        .map(|line| ReportId::parse(line).ok_or_else(damaged))
        .collect()
}
