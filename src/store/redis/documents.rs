//! Documents: a hash for each kind (and shard), `<version>:<body>` for each id.

use super::{Redis, keys};
use crate::store::{Document, Kind, StoreError};

impl Redis {
    pub(in crate::store) async fn get(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Document>, StoreError> {
        let mut both = redis::pipe();
        both.cmd("HEXISTS").arg(keys::SEQUENCES).arg(keys::LOST);
        both.cmd("HGET").arg(keys::documents(kind, id)).arg(id);
        let (is_marked, found): (bool, Option<String>) = self.link.pipeline(&both).await?;
        if is_marked && !kind.is_own() && !kind.in_directory() {
            return Err(StoreError::Marked);
        }
        found.map(|text| read(&text)).transpose()
    }

    pub(in crate::store) async fn put(
        &self,
        kind: Kind,
        id: &str,
        version: Option<u64>,
        body: Option<String>,
    ) -> Result<bool, StoreError> {
        self.shared.usable()?;
        let names = [
            keys::IDENTITY.to_owned(),
            keys::documents(kind, id),
            keys::DIRECTORY.to_owned(),
            keys::SEQUENCES.to_owned(),
        ];
        let arguments = [
            self.shared.identity().into_bytes(),
            id.as_bytes().to_vec(),
            version
                .map(|v| v.to_string())
                .unwrap_or_default()
                .into_bytes(),
            // No document is empty: it is JSON.
            body.unwrap_or_default().into_bytes(),
            if kind.in_directory() { b"1" } else { b"0" }.to_vec(),
            if kind.is_own() { b"1" } else { b"0" }.to_vec(),
        ];
        let put: u8 = self
            .link
            .write(&self.shared.document, &names, &arguments)
            .await?;
        Ok(put == 1)
    }

    pub(in crate::store) async fn list(
        &self,
        kind: Kind,
    ) -> Result<Vec<(String, Document)>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..keys::shards_of(kind) {
            let mut all = redis::cmd("HGETALL");
            all.arg(keys::documents_of_shard(kind, shard));
            let rows: Vec<(String, String)> = self.link.query(&all).await?;
            for (id, text) in rows {
                found.push((id, read(&text)?));
            }
        }
        Ok(found)
    }

    pub(in crate::store) async fn directory_version(&self) -> Result<u64, StoreError> {
        // Another store's sellers and keys must not take the place of ours.
        self.shared.usable()?;
        let mut both = redis::pipe();
        both.cmd("GET").arg(keys::IDENTITY);
        both.cmd("GET").arg(keys::DIRECTORY);
        let (identity, version): (Option<String>, Option<u64>) = self.link.pipeline(&both).await?;
        self.shared.recognise(identity.as_deref())?;
        Ok(version.unwrap_or(0))
    }
}

fn read(text: &str) -> Result<Document, StoreError> {
    let damaged = || StoreError::Damaged("a document".to_owned());
    let (version, body) = text.split_once(':').ok_or_else(damaged)?;
    Ok(Document {
        version: version.parse().map_err(|_| damaged())?,
        body: body.to_owned(),
    })
}
