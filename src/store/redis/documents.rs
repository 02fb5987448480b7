//! Documents: a hash for each kind (and shard), `<version>:<body>` for each id.

use super::{Redis, keys};
use crate::store::{Beside, Document, Kind, StoreError};

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
        beside: Option<Beside>,
    ) -> Result<bool, StoreError> {
        let own = kind.is_own();
        if !own {
            self.shared.usable()?;
        }
        let ticket = self.shared.peers.ticket();
        let mut names = vec![
            keys::IDENTITY.to_owned(),
            keys::documents(kind, id),
            keys::DIRECTORY.to_owned(),
            keys::SEQUENCES.to_owned(),
        ];
        let mut arguments = vec![
            self.shared.identity().into_bytes(),
            id.as_bytes().to_vec(),
            version
                .map(|v| v.to_string())
                .unwrap_or_default()
                .into_bytes(),
            // No document is empty: it is JSON.
            body.unwrap_or_default().into_bytes(),
            if kind.in_directory() { b"1" } else { b"0" }.to_vec(),
            ticket.session.name.clone().into_bytes(),
            ticket.session.documents().to_string().into_bytes(),
            if own { b"1" } else { b"0" }.to_vec(),
        ];
        if let Some(beside) = beside {
            names.push(keys::documents(beside.kind, id));
            arguments.push(beside.body.unwrap_or_default().into_bytes());
        }
        let script = &self.shared.document;
        let sent = self.link.write::<i64>(script, &names, &arguments).await;
        let count = sent.inspect_err(|error| self.shared.notice(error))?;
        if let Ok(count @ 1..) = u64::try_from(count) {
            self.shared.peers.acknowledge_documents(&ticket, count)?;
        }
        Ok(count != 0)
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
        self.shared.safe()?;
        let mut all = self.shared.ask_for_presence();
        all.cmd("GET").arg(keys::DIRECTORY);
        let (identity, named, info, version) = self.link.pipeline(&all).await?;
        let version: Option<u64> = version;
        // Another store's sellers and keys must not take the place of ours, and neither must those
        // of a server that may be older. A store that is marked has no better ones.
        match self.shared.judge(&(identity, named, info)) {
            Ok(()) | Err(StoreError::Marked) => {}
            Err(error) => return Err(error),
        }
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
