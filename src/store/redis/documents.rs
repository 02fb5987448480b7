//! Documents: a hash for each kind (and shard), `<version>:<places in lists>:<body>` for each id; and
//! a sorted set beside it with the entries of its lists, all of one score, so that they are sorted as
//! texts.

use super::{Redis, keys};
use crate::store::list::{Draft, List, id_of};
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
        draft: Option<Draft>,
        beside: Option<Beside>,
    ) -> Result<bool, StoreError> {
        let own = kind.is_own();
        if !own {
            self.shared.usable()?;
        }
        let ticket = self.shared.peers.ticket();
        let mut names = vec![
            keys::IDENTITY.to_owned(),
            keys::DIRECTORY.to_owned(),
            keys::SEQUENCES.to_owned(),
        ];
        let mut arguments = vec![
            self.shared.identity(),
            id.to_owned(),
            version.map(|v| v.to_string()).unwrap_or_default(),
            if kind.in_directory() { "1" } else { "0" }.to_owned(),
            ticket.session.name.clone(),
            ticket.session.documents().to_string(),
            if own { "1" } else { "0" }.to_owned(),
        ];
        let beside = beside.map(|beside| (beside.kind, beside.draft));
        for (kind, draft) in [(kind, draft)].into_iter().chain(beside) {
            names.extend([keys::documents(kind, id), keys::lists(kind, id)]);
            let places = draft.as_ref().map(Draft::places).unwrap_or_default();
            // No document is empty: it is JSON.
            arguments.extend([draft.map(|draft| draft.body).unwrap_or_default(), places]);
        }
        let arguments: Vec<_> = arguments.into_iter().map(String::into_bytes).collect();
        let script = &self.shared.document;
        let sent = self.link.write::<i64>(script, &names, &arguments).await;
        let count = sent.inspect_err(|error| self.shared.notice(error))?;
        if let Ok(count @ 1..) = u64::try_from(count) {
            self.shared.peers.acknowledge_documents(&ticket, count)?;
        }
        Ok(count != 0)
    }

    pub(in crate::store) async fn page(
        &self,
        list: &List,
        limit: usize,
    ) -> Result<Vec<(String, Option<Document>)>, StoreError> {
        let mut ask = redis::pipe();
        let (low, high) = bounds(list);
        for shard in 0..keys::shards_of(list.kind) {
            let range = ask
                .cmd("ZRANGE")
                .arg(keys::lists_of_shard(list.kind, shard));
            match list.newest_first {
                false => range.arg(&low).arg(&high).arg("BYLEX"),
                true => range.arg(&high).arg(&low).arg("BYLEX").arg("REV"),
            };
            range.arg("LIMIT").arg(0).arg(limit);
        }
        let shards: Vec<Vec<String>> = self.link.pipeline(&ask).await?;
        let mut entries: Vec<String> = shards.into_iter().flatten().collect();
        entries.sort_unstable();
        if list.newest_first {
            entries.reverse();
        }
        entries.truncate(limit);
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = redis::pipe();
        for id in entries.iter().map(|entry| id_of(entry)) {
            ask.hget(keys::documents(list.kind, id), id);
        }
        let texts: Vec<Option<String>> = self.link.pipeline(&ask).await?;
        let texts = texts
            .into_iter()
            .map(|text| text.as_deref().map(read).transpose());
        let documents = texts.collect::<Result<Vec<_>, _>>()?;
        Ok(entries.into_iter().zip(documents).collect())
    }

    pub(in crate::store) async fn count(&self, list: &List) -> Result<u64, StoreError> {
        let mut ask = redis::pipe();
        let (low, high) = bounds(list);
        for shard in 0..keys::shards_of(list.kind) {
            let lists = keys::lists_of_shard(list.kind, shard);
            ask.cmd("ZLEXCOUNT").arg(lists).arg(&low).arg(&high);
        }
        let counts: Vec<u64> = self.link.pipeline(&ask).await?;
        Ok(counts.iter().sum())
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

/// The bounds of a list as Redis takes them: the first one is in it, the second is not.
fn bounds(list: &List) -> (String, String) {
    (format!("[{}", list.low), format!("({}", list.high))
}

fn read(text: &str) -> Result<Document, StoreError> {
    let damaged = || StoreError::Damaged("a document".to_owned());
    let (version, rest) = text.split_once(':').ok_or_else(damaged)?;
    let (_, body) = rest.split_once(':').ok_or_else(damaged)?;
    Ok(Document {
        version: version.parse().map_err(|_| damaged())?,
        body: body.to_owned(),
    })
}
