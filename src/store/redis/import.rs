//! Lists that are brought in whole, or taken out.
//!
//! They have a connection of their own, so that no check waits behind them on its way, and go in
//! pieces that hold Redis up for about a millisecond each.

use super::ahead::new_version;
use super::keys;
use super::link::Link;
use super::peers::Session;
use super::work::Shared;
use crate::store::layout::Spot;
use crate::store::{ImportPart, SellerNumber, StoreError};

/// How many members go into one script.
const PIECE: usize = 1024;

/// How many scripts are on their way at once: while Redis works on one, the next one comes in.
const UNDER_WAY: usize = 2;

/// The most members of one bucket in one call: Lua unpacks no more than a few thousand, and a count
/// is a byte.
const AT_ONCE: usize = 250;

/// Brings a part in, piece by piece.
pub(super) async fn import(
    link: &Link,
    shared: &Shared,
    part: ImportPart,
) -> Result<Option<u64>, StoreError> {
    use futures_util::{StreamExt, TryStreamExt, stream};
    let script = &shared.import;
    let pieces = part.spots.chunks(PIECE).map(|spots| {
        let part = &part;
        async move {
            shared.usable()?;
            let ticket = shared.peers.ticket();
            let (names, arguments) = piece(shared, &ticket.session, part, spots);
            let sent = link.write(script, &names, &arguments).await;
            let (changed, count): (i64, u64) = sent.inspect_err(|error| shared.notice(error))?;
            shared.peers.acknowledge_documents(&ticket, count)?;
            Ok(u64::try_from(changed).ok())
        }
    });
    stream::iter(pieces)
        .buffer_unordered(UNDER_WAY)
        .try_fold(Some(0), |sum, changed| async move {
            Ok(sum.zip(changed).map(|(sum, changed)| sum + changed))
        })
        .await
}

fn piece(
    shared: &Shared,
    session: &Session,
    part: &ImportPart,
    spots: &[Spot],
) -> (Vec<String>, Vec<Vec<u8>>) {
    let mut names = Vec::with_capacity(spots.len() + 2);
    names.extend([keys::IDENTITY.to_owned(), keys::SEQUENCES.to_owned()]);
    let mut arguments = Vec::with_capacity(spots.len() + 8);
    arguments.extend([
        shared.identity().into_bytes(),
        session.name.clone().into_bytes(),
        session.entries().to_string().into_bytes(),
        session.documents().to_string().into_bytes(),
        part.remove
            .map(|puts| puts.to_string().into_bytes())
            .unwrap_or_default(),
        new_version().to_vec(),
        puts_of(part.seller).into_bytes(),
        Vec::new(),
    ]);
    let mut counts = Vec::with_capacity(spots.len());
    for run in spots.chunk_by(|a, b| a.bucket() == b.bucket()) {
        for run in run.chunks(AT_ONCE) {
            names.push(keys::bucket_named(run[0].bucket()));
            counts.push(run.len() as u8);
            arguments.extend(run.iter().map(|spot| member(*spot, part.seller)));
        }
    }
    arguments[7] = counts;
    (names, arguments)
}

/// The field of [`keys::SEQUENCES`] that counts the pieces that were put in for a seller.
pub(super) fn puts_of(seller: SellerNumber) -> String {
    format!("puts:{}", seller.get())
}

fn member(spot: Spot, seller: SellerNumber) -> Vec<u8> {
    spot.member(seller).get().to_string().into_bytes()
}
