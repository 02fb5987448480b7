//! What a first start prints: lines to paste that already hold working keys.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ServeError;
use crate::domain::{AgencyId, NameError, Role, SellerId};
use crate::privacy::ApiKey;
use crate::service::{Service, ServiceError, StartError, keys};

const SELLER: &str = "demo-telecom";
const AGENCY: &str = "demo-calls";

/// Where the text is kept.
pub(super) fn file(data: &Path) -> PathBuf {
    data.join("getting-started.txt")
}

/// The keys of the demo.
pub(super) struct Demo {
    dialler: ApiKey,
    regulator: ApiKey,
}

/// Makes the demo's seller, agency and keys.
pub(super) async fn make(service: &Service) -> Result<Demo, ServeError> {
    Ok(demo(service).await.map_err(StartError::from)?)
}

impl Demo {
    /// The key that asks, for tests.
    #[cfg(test)]
    pub(super) fn dialler_key(&self) -> &str {
        self.dialler.reveal()
    }

    /// The text to print; it is kept in the data folder, too.
    pub(super) fn keep(&self, url: &str, data: &Path) -> String {
        let text = self.text(url, data);
        if let Err(error) = keys::write_secret(&file(data), text.as_bytes()) {
            tracing::warn!(%error, "the getting-started text is printed but not kept");
        }
        text
    }

    fn text(&self, url: &str, data: &Path) -> String {
        let (dialler, regulator) = (self.dialler.reveal(), self.regulator.reveal());
        // Belgium's example number of the numbering plan's metadata, in a form that needs no escaping.
        let number = "0470123456";
        let folder = data.display();
        format!(
        "\
# Getting started. These lines work as they stand.

# Opt a number out, as a person does, in a browser:
#   {url}/

# May this number be called for {SELLER}? 1: it must not be called. 0: it is not on the list
# (which is not a permission to call).
curl -s -H 'Authorization: Bearer {dialler}' '{url}/v1/check?phone={number}&region=BE&seller={SELLER}&format=text'; echo

# Opt it out, as an agent does during a call. Keep the reference code that comes back.
curl -s -H 'Authorization: Bearer {dialler}' -H 'Content-Type: application/json' -d '{{\"numbers\":[\"{number}\"],\"region\":\"BE\",\"sellers\":\"all\"}}' {url}/v1/registrations; echo

# Ask again: the very next check says so.
curl -s -H 'Authorization: Bearer {dialler}' '{url}/v1/check?phone={number}&region=BE&seller={SELLER}'; echo

# See it all in the audit, as a regulator does; the newest entries come last.
curl -s -H 'Authorization: Bearer {regulator}' '{url}/v1/audit/entries'

# The operator's key is in {folder}/operator.key; the commands of metrust find it there.
# Back up the folder {folder}/keys now: losing these keys is losing the list.
# This text stays in {folder}/getting-started.txt, for your eyes only.
"
    )
    }
}

async fn demo(service: &Service) -> Result<Demo, ServiceError> {
    let constant = |_: NameError| ServiceError::Damaged("the name of the demo");
    let seller = SellerId::parse(SELLER).map_err(constant)?;
    let agency = AgencyId::parse(AGENCY).map_err(constant)?;
    let made = service
        .add_seller(seller.clone(), "Demo Telecom".to_owned())
        .await;
    ignore_taken(made)?;
    let sellers = BTreeSet::from([seller]);
    let made = service
        .add_agency(agency.clone(), "Demo Calls".to_owned(), sellers)
        .await;
    ignore_taken(made)?;
    let dialler = service.create_key(None, Role::Dialler { agency }).await?;
    let regulator = service.create_key(None, Role::Regulator).await?;
    Ok(Demo {
        dialler: dialler.key,
        regulator: regulator.key,
    })
}

/// A start that was cut off may have made it before.
fn ignore_taken<T>(made: Result<T, ServiceError>) -> Result<(), ServiceError> {
    match made {
        Err(ServiceError::Taken) => Ok(()),
        other => other.map(drop),
    }
}
