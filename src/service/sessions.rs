//! Sessions of the pages that were closed before their time. A session is a sealed cookie that
//! ends by itself; a copy of one that was closed must open nothing until then, in any process.

use super::{Service, ServiceError};
use crate::domain::Moment;
use crate::store::{Draft, Kind, List};

/// Names a session: random, and worth nothing without its cookie.
pub type SessionId = [u8; 16];

/// Those that were closed, by when they end by themselves.
const UNTIL: &str = "until";

/// How many are forgotten at a time.
const PIECE: usize = 100;

impl Service {
    /// Whether a session was closed.
    ///
    /// # Errors
    /// When the store cannot be asked: then nothing may be shown.
    pub async fn is_closed(&self, id: &SessionId) -> Result<bool, ServiceError> {
        let closed = self.store.get(Kind::Session, &name(id)).await?;
        Ok(closed.is_some())
    }

    /// Closes a session that would end by itself at `until`. Closing it twice changes nothing.
    ///
    /// # Errors
    /// When the store cannot keep that.
    pub async fn close_session(&self, id: &SessionId, until: Moment) -> Result<(), ServiceError> {
        // Nothing is kept of it but that it was.
        let closed = Draft::from("{}".to_owned()).listed(UNTIL, until);
        self.store.create(Kind::Session, &name(id), closed).await?;
        // One id of 256 pays for all, for ids are random.
        if id[0] == 0 {
            self.forget_ended_sessions().await?;
        }
        Ok(())
    }

    async fn forget_ended_sessions(&self) -> Result<(), ServiceError> {
        let mut ended = List::of(Kind::Session, UNTIL).before(Moment::now());
        loop {
            let page = self.store.page(&mut ended, PIECE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for closed in page {
                let version = closed.document.version;
                self.store
                    .remove(Kind::Session, &closed.id, version)
                    .await?;
            }
        }
    }
}

fn name(id: &SessionId) -> String {
    data_encoding::HEXLOWER.encode(id)
}
