//! The tree above the entries: its tiles, and its root at any size.

use std::collections::BTreeMap;

use super::VerifyError;
use super::content::{Seen, tile_of};
use super::folder::Folder;
use super::report::Place;
use crate::log::Hash;
use crate::log::merkle::{Frontier, node_hash, root_of};
use crate::log::tile::WIDTH;

/// Compares every tile above the leaves with what the entries give.
pub(super) fn check_tiles(
    folder: &Folder,
    full: &[Hash],
    wrong: &mut dyn FnMut(Place, String),
) -> Result<(), VerifyError> {
    let mut made = full.to_vec();
    let mut level = 1;
    while !made.is_empty() {
        for (index, made) in (0..).zip(made.chunks(WIDTH as usize)) {
            // At most 256, so the cast keeps it.
            let claimed = tile_of(folder, level, index, made.len() as u16, wrong)?;
            let pairs = made.iter().zip(&claimed);
            let same = pairs.take_while(|(made, claimed)| made == claimed).count();
            if same < claimed.len() {
                let leaves = 1 << (8 * level);
                let first = (index * WIDTH + same as u64) * leaves;
                let what = format!("these are not the entries that tile/{level} was made of");
                wrong(Place::Entries(first..first + leaves), what);
            }
        }
        made = made.chunks_exact(WIDTH as usize).map(root_of).collect();
        level += 1;
    }
    Ok(())
}

/// The roots of the trees of these sizes, which ascend.
pub(super) fn roots(sizes: impl Iterator<Item = u64>, seen: &Seen) -> BTreeMap<u64, Hash> {
    let mut edge = Frontier::new();
    let mut full = seen.full.iter();
    let mut roots = BTreeMap::new();
    for size in sizes {
        while edge.size() < size / WIDTH {
            // The hash over 256 entries stands for them as a leaf does: the tree above is the same.
            let Some(hash) = full.next() else {
                return roots;
            };
            edge.push(*hash);
        }
        let root = match (size % WIDTH, seen.rests.get(&size)) {
            (0, _) => edge.root(),
            (_, None) => return roots,
            // What is smaller than 256 entries is the innermost on the right.
            (_, Some(rest)) => edge
                .subtrees()
                .iter()
                .rev()
                .fold(*rest, |right, left| node_hash(left, &right)),
        };
        roots.insert(size, root);
    }
    roots
}
