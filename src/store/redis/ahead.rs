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
use super::peers::Ticket;
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
        ticket: &Ticket,
    ) -> Result<Option<Vec<Decision>>, StoreError> {
        let found: Vec<Value> = link.pipeline(&look_up(asks)).await?;
        let damaged = || StoreError::Damaged("the reply to a look-up".to_owned());
        let (version, verdicts) = read(asks, &found).ok_or_else(damaged)?;
        let bytes = packed.payload.len() + 4 * asks.len() + 256;
        let mut call = self.record.call(3, 3 + 9 + packed.clients.len(), bytes);
        self.name_what_all_use(&mut call);
        self.say_what_all_hear(&mut call, &ticket.session, packed, asks.len(), false);
        call.arg(client_bytes(packed)).arg(&verdicts).arg(version);
        let sent = link.run(&self.record, &call).await;
        let number: Option<u64> = sent.inspect_err(|error| self.notice(error))?;
        let Some(number) = number else {
            return Ok(None);
        };
        self.peers.acknowledge_entries(ticket, number)?;
        decisions(asks, &packed.ids, &verdicts, &[])
            .map(Some)
            .ok_or_else(damaged)
    }
}

/// The version comes first: what is found is then at least as new, and what changed in between is
/// noticed.
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

/// The version, and a verdict for each ask; nothing if the reply is not exactly one to them.
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
                let mut listed = None;
                for (found, (_, reason)) in found.iter().zip(refusing) {
                    match found {
                        Value::Int(0) => {}
                        Value::Int(1) => listed = listed.or(Some(reason)),
                        _ => return None,
                    }
                }
                match listed {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Channel, Context, Detail, Moment, Op, Pseudonym};
    use crate::privacy::Subject;
    use crate::store::SellerNumber;

    fn ask(number: Option<u8>) -> Ask {
        let detail = Detail::Incident {
            what: String::new(),
        };
        Ask {
            at: Moment::from_millis(0),
            context: Arc::new(Context::of_service(Op::Incident, detail)),
            number: number.map(|n| (Subject([n; 16]), Pseudonym([n; 16]))),
            seller: SellerNumber::new(1).unwrap(),
            channel: Channel::Voice,
            replay: None,
        }
    }

    fn members(found: [i64; 6]) -> Value {
        Value::Array(found.map(Value::Int).to_vec())
    }

    #[test]
    fn the_version_is_read_before_anything_else() {
        let sent = look_up(&[ask(Some(1)), ask(None), ask(Some(2))]).get_packed_pipeline();
        let sent = String::from_utf8_lossy(&sent);
        assert!(sent.starts_with("*3\r\n$4\r\nHGET\r\n"), "{sent}");
        assert_eq!(sent.matches("SMISMEMBER").count(), 2);
    }

    #[test]
    fn only_a_whole_reply_is_an_answer() {
        let asks = [1, 2, 3, 0, 4].map(|n| ask((n != 0).then_some(n)));
        let version = || Value::BulkString(b"v".to_vec());
        let whole = [
            version(),
            members([0; 6]),
            members([0, 1, 0, 0, 0, 1]),
            members([0, 0, 0, 0, 0, 1]),
            members([0, 0, 1, 0, 0, 0]),
        ];
        assert_eq!(read(&asks, &whole), Some((&b"v"[..], b"01231".to_vec())));
        let mut never_changed = whole.clone();
        never_changed[0] = Value::Nil;
        assert_eq!(read(&asks, &never_changed).unwrap().0, b"");

        for short in 0..whole.len() {
            assert_eq!(read(&asks, &whole[..short]), None);
        }
        let long = [&whole[..], &[members([0; 6])]].concat();
        assert_eq!(read(&asks, &long), None);
        let wrong = [
            Value::Nil,
            Value::Okay,
            Value::Array(vec![Value::Int(0); 5]),
            Value::Array(vec![Value::Nil; 6]),
            members([0, 0, 0, 0, 0, 2]),
        ];
        for wrong in wrong {
            for place in 1..whole.len() {
                let mut reply = whole.clone();
                reply[place] = wrong.clone();
                assert_eq!(read(&asks, &reply), None, "{wrong:?}");
            }
        }
    }
}
