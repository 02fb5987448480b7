//! Sessions of the pages that were closed before their time. A session is a sealed cookie that
//! ends by itself; a copy of one that was closed must open nothing until then, in any process.

use serde::{Deserialize, Serialize};

use super::{Service, ServiceError};
use crate::domain::Moment;
use crate::store::Kind;

/// Names a session: random, and worth nothing without its cookie.
pub type SessionId = [u8; 16];

#[derive(Serialize, Deserialize)]
struct Closed {
    /// When the session ends by itself (milliseconds since 1970).
    until: i64,
}

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
        let until = until.millis();
        let body = serde_json::json!(Closed { until }).to_string();
        self.store.create(Kind::Session, &name(id), body).await?;
        // One id of 256 pays for all, for ids are random.
        if id[0] == 0 {
            self.forget_ended_sessions().await?;
        }
        Ok(())
    }

    async fn forget_ended_sessions(&self) -> Result<(), ServiceError> {
        let now = Moment::now().millis();
        for (name, closed) in self.store.list(Kind::Session).await? {
            let ended = serde_json::from_str::<Closed>(&closed.body);
            if ended.is_ok_and(|closed| closed.until < now) {
                self.store
                    .remove(Kind::Session, &name, closed.version)
                    .await?;
            }
        }
        Ok(())
    }
}

fn name(id: &SessionId) -> String {
    data_encoding::HEXLOWER.encode(id)
}
