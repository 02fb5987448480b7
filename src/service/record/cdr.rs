//! Matching call-detail records with what is on record.

use std::io::{Read, Write};
use std::sync::Arc;

use crate::domain::{Context, Detail, Op, Principal};
use crate::service::import::ImportedLists;
use crate::service::matching::{
    Coverage, Format, Mapping, MatchError, Matcher, Options, Report, match_calls,
};
use crate::service::{SearchPermit, Service, ServiceError};

use super::index::RecordIndex;
use super::reach::Reach;

/// A match that may begin.
#[derive(Debug)]
pub struct Match {
    matcher: Matcher<RecordIndex>,
    _permit: SearchPermit,
}

impl Service {
    /// Prepares a match for somebody. It tells about many people at once, so it is an entry of the
    /// log, with the hash of the records that were handed in.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn begin_match(
        self: &Arc<Self>,
        permit: SearchPermit,
        who: &Principal,
        options: Options,
        records: [u8; 32],
    ) -> Result<Match, ServiceError> {
        let (begins, gone_before) = match self.reach().await? {
            Reach::Beginning(first) => (Some(first), None),
            Reach::Cut(since) => (None, Some(since)),
        };
        let lists = ImportedLists::of(Arc::clone(self)).await?;
        let coverage = Coverage {
            // The clock of a switch may be a little ahead.
            ends: Some(crate::domain::Moment::now().plus(std::time::Duration::from_secs(60))),
            begins,
            gone_before,
            imported_from: lists.since(),
        };
        let index = self.record_index(&permit).await?;
        let matched = Context::of_service(Op::Opening, Detail::Matched { records });
        self.store.note(matched.by(&who.key)).await?;
        let keys = self.months.all();
        let matcher = tokio::task::spawn_blocking(move || Matcher::new(index, keys, options))
            .await
            .map_err(|_| ServiceError::Damaged("the index of the log"))?
            .map_err(|_| ServiceError::Damaged("the index of the log"))?;
        let matcher = matcher.covering(coverage).with_lists(lists);
        Ok(Match {
            matcher,
            _permit: permit,
        })
    }
}

impl Match {
    /// Matches all records, and writes them with what was found out. Blocks: give it a thread.
    ///
    /// # Errors
    /// [`MatchError`]; what was written until then is right, but not all.
    pub fn run(
        mut self,
        records: impl Read,
        mapping: &Mapping,
        output: impl Write,
        format: Format,
    ) -> Result<Report, MatchError> {
        match_calls(records, mapping, &mut self.matcher, output, format)
    }
}
