//! Making a segment.

use std::collections::HashMap;
use std::sync::Arc;

use super::head::{Head, Header};
use super::row::{self, Names, WIDTH};
use super::{ENTRIES, ID_WIDTH, Part};
use crate::domain::{AgencyId, Context, Entry, Moment, Op, SellerRef};

/// A position that no segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a segment has the positions 0 to 65535, one entry each")]
pub struct NoSuchPosition;

/// Gathers entries, in any order; that of the log makes the bytes repeatable.
#[derive(Debug, Default)]
pub struct SegmentBuilder {
    header: Header,
    names: Names,
    agencies: HashMap<Option<AgencyId>, u16>,
    sellers: HashMap<Option<SellerRef>, u16>,
    /// The context of the entry before, and the numbers of its names.
    last: Option<(Arc<Context>, u16, u16)>,
    checks: Vec<[u8; WIDTH]>,
    others: Vec<[u8; WIDTH]>,
    ids: Vec<[u8; ID_WIDTH]>,
}

impl SegmentBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries were added.
    #[must_use]
    pub fn entries(&self) -> u32 {
        self.header.entries
    }

    /// Adds the entry that stands at `position` of the segment. The caller does not add one
    /// position twice.
    ///
    /// # Errors
    /// [`NoSuchPosition`] when it is not one of a segment, or more are added than there are.
    pub fn add(&mut self, position: u32, entry: &Entry) -> Result<(), NoSuchPosition> {
        let position = u16::try_from(position).map_err(|_| NoSuchPosition)?;
        if self.header.entries == ENTRIES {
            return Err(NoSuchPosition);
        }
        self.header.count(entry.context.op, entry.time);
        let mut id = [0; ID_WIDTH];
        id[..16].copy_from_slice(entry.id.as_bytes());
        id[16..].copy_from_slice(&position.to_le_bytes());
        self.ids.push(id);
        if let (Some(pn), Some(kind)) = (entry.pn, row::kind(entry.context.op)) {
            let (agency, seller) = self.names_of(&entry.context);
            let row = row::encode(entry, kind, pn, position, agency, seller);
            match entry.context.op {
                Op::Check => self.checks.push(row),
                _ => self.others.push(row),
            }
        }
        Ok(())
    }

    /// The segment's bytes; the same ones when the same entries were added in the same order.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        for rows in [&mut self.checks, &mut self.others] {
            rows.sort_unstable_by_key(|row| {
                let mut key = [0; 18];
                key[..16].copy_from_slice(&row[..16]);
                key[16..].copy_from_slice(&[row[17], row[16]]);
                key
            });
        }
        self.ids
            .sort_unstable_by_key(|id| (id[15], u128_of(id), id[17], id[16]));
        let parts = [
            (Part::Checks, self.checks.as_flattened()),
            (Part::Others, self.others.as_flattened()),
            (Part::Ids, self.ids.as_flattened()),
        ];
        let mut out = Head::write(&self.header, &self.names, &parts);
        out.reserve_exact(parts.iter().map(|(_, rows)| rows.len()).sum());
        for (_, rows) in parts {
            out.extend_from_slice(rows);
        }
        out
    }

    fn names_of(&mut self, context: &Arc<Context>) -> (u16, u16) {
        if let Some((last, agency, seller)) = &self.last
            && (Arc::ptr_eq(last, context)
                || (last.agency == context.agency && last.seller == context.seller))
        {
            return (*agency, *seller);
        }
        // No more names than entries, so that 16 bits number them; that there is no name is one.
        let agency = *self
            .agencies
            .entry(context.agency.clone())
            .or_insert_with_key(|name| {
                self.names.agencies.push(name.clone());
                (self.names.agencies.len() - 1) as u16
            });
        let seller = *self
            .sellers
            .entry(context.seller.clone())
            .or_insert_with_key(|name| {
                self.names.sellers.push(name.clone());
                (self.names.sellers.len() - 1) as u16
            });
        self.last = Some((context.clone(), agency, seller));
        (agency, seller)
    }
}

fn u128_of(id: &[u8; ID_WIDTH]) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&id[..16]);
    u128::from_be_bytes(bytes)
}

impl Header {
    fn count(&mut self, op: Op, time: Moment) {
        let (earliest, latest) = match self.entries {
            0 => (time, time),
            _ => (self.earliest.min(time), self.latest.max(time)),
        };
        (self.earliest, self.latest) = (earliest, latest);
        self.entries += 1;
        if let Some(kind) = row::kind(op) {
            self.kinds[usize::from(kind)] += 1;
        }
    }
}
