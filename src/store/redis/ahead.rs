//! Long batches are read ahead: looked up by plain commands, decided here, and recorded by a short
//! script, if the index is still the one that was read.
//!
//! A command that a script sends costs the server more than twice what the same command costs on
//! its own, and while a script runs nobody else is served. Every script that touches the index
//! gives it a new version first, at random, so that an index of the same version is the same index,
//! also on a replica that took over. What was read at a version holds as long as the version does;
//! looking up and recording are still one step, as seen by whoever reads the log.

use redis::{Cmd, Pipeline, Value};

use super::keys;
use super::link::Link;
use super::work::{Shared, client_bytes, decisions};
use crate::domain::{Decision, Reason};
use crate::privacy::random;
use crate::store::batch::{Packed, Verdict};
use crate::store::layout::Place;
use crate::store::{Ask, StoreError};

/// From how many asks on. Below, a second round trip costs more than the script does.
const LONG: usize = 128;

/// A new version for an index that is about to change.
pub(super) fn new_version() -> [u8; 16] {
    random()
}

/// Whether a batch is worth it, and can be: what a `ref` remembers is found only by the script.
pub(super) fn worthwhile(asks: &[Ask]) -> bool {
    asks.len() >= LONG && asks.iter().all(|ask| ask.replay.is_none())
}

impl Shared {
    /// Decides a batch; nothing if the index changed meanwhile, and then nothing is recorded.
    pub(super) async fn decide_ahead(
        &self,
        link: &Link,
        asks: &[Ask],
        packed: &Packed,
    ) -> Result<Option<Vec<Decision>>, StoreError> {
        let found: Vec<Value> = link.pipeline(&look_up(asks)).await?;
        let damaged = || StoreError::Damaged("the reply to a look-up".to_owned());
        let (version, verdicts) = read(asks, &found).ok_or_else(damaged)?;
        let bytes = packed.payload.len() + 4 * asks.len() + 256;
        let mut call = self.record.call(3, 3 + 9 + packed.clients.len(), bytes);
        self.name_what_all_use(&mut call);
        self.say_what_all_hear(&mut call, packed, asks.len());
        call.arg(client_bytes(packed)).arg(&verdicts).arg(version);
        let sent = link.run(&self.record, &call).await;
        let number: Option<u64> = sent.inspect_err(|error| self.notice_loss(error))?;
        let Some(number) = number else {
            return Ok(None);
        };
        self.acknowledge(number);
        decisions(asks, &packed.ids, &verdicts, &[])
            .map(Some)
            .ok_or_else(damaged)
    }
}

/// The version comes first: what is found is then at least as new.
fn look_up(asks: &[Ask]) -> Pipeline {
    let mut commands = Pipeline::with_capacity(asks.len() + 1);
    commands.cmd("HGET").arg(keys::SEQUENCES).arg("index");
    for ask in asks {
        let Some((subject, _)) = ask.number else {
            continue;
        };
        let place = Place::of(&subject);
        let mut command = Cmd::with_capacity(8, 160);
        command
            .arg("SMISMEMBER")
            .arg(&keys::bucket_bytes(place.bucket)[..]);
        for (member, _) in place.refusing(ask.seller, ask.channel) {
            command.arg(member.get());
        }
        commands.add_command(command);
    }
    commands
}

/// The version, and a verdict for each ask.
fn read<'a>(asks: &[Ask], found: &'a [Value]) -> Option<(&'a [u8], Vec<u8>)> {
    let (version, mut found) = match found.split_first()? {
        (Value::Nil, found) => (&[][..], found.iter()),
        (Value::BulkString(version), found) => (version.as_slice(), found.iter()),
        _ => return None,
    };
    let mut verdicts = Vec::with_capacity(asks.len());
    for ask in asks {
        let verdict = match ask.number {
            None => Verdict::Invalid,
            Some((subject, _)) => {
                let Value::Array(found) = found.next()? else {
                    return None;
                };
                let refusing = Place::of(&subject).refusing(ask.seller, ask.channel);
                if found.len() != refusing.len() {
                    return None;
                }
                let first = found.iter().position(|found| *found == Value::Int(1));
                match first.map(|first| refusing[first].1) {
                    None => Verdict::NotListed,
                    Some(Reason::AllSellers) => Verdict::AllSellers,
                    Some(Reason::ThisSeller) => Verdict::ThisSeller,
                }
            }
        };
        verdicts.push(verdict as u8);
    }
    found.next().is_none().then_some((version, verdicts))
}
