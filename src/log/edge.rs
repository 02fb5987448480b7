//! The right edge of a log: what must be at hand to append to it, and what appending writes.
//!
//! For every level it holds the hashes of the tile that is not full yet, and for the entries the
//! bundle that is not full yet. Appending turns entries into whole tiles and bundles; at the end
//! the partial ones of the new size are written beside them (c2sp.org/tlog-tiles, "Partial Tiles").

use super::merkle::{Hash, leaf_hash, node_hash, root_of};
use super::tile::{Tile, TooLong, WIDTH, extent, put_entry};

/// The right edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edge {
    size: u64,
    /// For each level the hashes of its partial tile, fewer than 256.
    levels: Vec<Vec<Hash>>,
    /// The partial bundle.
    bundle: Vec<u8>,
}

/// An object of the log: its path within the log's folder, and its bytes.
pub(super) type Object = (Tile, Vec<u8>);

impl Edge {
    /// The edge of an empty log.
    pub(super) fn empty() -> Self {
        Self {
            size: 0,
            levels: Vec::new(),
            bundle: Vec::new(),
        }
    }

    /// The partial tiles and the partial bundle that the edge of a log of `size` is made of.
    pub(super) fn parts(size: u64) -> Vec<Tile> {
        let mut parts = Vec::new();
        let (index, width) = extent(0, size);
        if width > 0 {
            parts.push(Tile::Entries { index, width });
        }
        parts.extend(Self::hash_parts(size));
        parts
    }

    fn hash_parts(size: u64) -> impl Iterator<Item = Tile> {
        let levels = (0_u8..8).take_while(move |level| size >> (8 * u32::from(*level)) > 0);
        levels.filter_map(move |level| {
            let (index, width) = extent(level, size);
            (width > 0).then_some(Tile::Hashes {
                level,
                index,
                width,
            })
        })
    }

    /// The edge of a log of `size` from its parts, in the order of [`Edge::parts`]; nothing if
    /// they are not such parts.
    pub(super) fn from_parts(size: u64, parts: Vec<Vec<u8>>) -> Option<Self> {
        let wanted = Self::parts(size);
        let mut edge = Self::empty();
        edge.size = size;
        edge.levels = (0_u32..8)
            .take_while(|level| size >> (8 * level) > 0)
            .map(|_| Vec::new())
            .collect();
        if wanted.len() != parts.len() {
            return None;
        }
        for (tile, bytes) in wanted.into_iter().zip(parts) {
            match tile {
                Tile::Entries { .. } => edge.bundle = bytes,
                Tile::Hashes { level, width, .. } => {
                    let (hashes, rest) = bytes.as_chunks::<32>();
                    if hashes.len() != usize::from(width) || !rest.is_empty() {
                        return None;
                    }
                    edge.levels[usize::from(level)] = hashes.iter().copied().map(Hash).collect();
                }
            }
        }
        Some(edge)
    }

    /// How many leaves the log has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The root (RFC 6962, section 2.1): the subtrees of the edge, the smallest first, each the
    /// right-hand side of the next.
    pub(super) fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for hashes in &self.levels {
            let mut end = hashes.len();
            while end > 0 {
                // The lowest bit that is set: the smallest full subtree at the right.
                let width = 1 << end.trailing_zeros();
                let subtree = root_of(&hashes[end - width..end]);
                root = Some(match root {
                    None => subtree,
                    Some(right) => node_hash(&subtree, &right),
                });
                end -= width;
            }
        }
        root.unwrap_or_else(super::empty_root)
    }

    /// Appends an entry; whatever becomes full goes to `full`.
    ///
    /// # Errors
    /// [`TooLong`]; nothing was appended then.
    pub(super) fn append(&mut self, entry: &[u8], full: &mut Vec<Object>) -> Result<(), TooLong> {
        put_entry(&mut self.bundle, entry)?;
        let mut index = self.size / WIDTH;
        self.size += 1;
        if self.size.is_multiple_of(WIDTH) {
            let bundle = std::mem::take(&mut self.bundle);
            self.bundle.reserve(bundle.len());
            full.push((Tile::Entries { index, width: 256 }, bundle));
        }
        let mut hash = leaf_hash(entry);
        for level in 0_u8.. {
            let place = usize::from(level);
            if self.levels.len() == place {
                self.levels.push(Vec::with_capacity(256));
            }
            let hashes = &mut self.levels[place];
            hashes.push(hash);
            if hashes.len() < 256 {
                break;
            }
            hash = root_of(hashes);
            full.push((
                Tile::Hashes {
                    level,
                    index,
                    width: 256,
                },
                bytes_of(hashes),
            ));
            hashes.clear();
            index /= WIDTH;
        }
        Ok(())
    }

    /// The partial tiles and the partial bundle of the present size.
    pub(super) fn partial(&self) -> Vec<Object> {
        let parts = Self::parts(self.size);
        parts
            .into_iter()
            .map(|tile| {
                let bytes = match tile {
                    Tile::Entries { .. } => self.bundle.clone(),
                    Tile::Hashes { level, .. } => bytes_of(&self.levels[usize::from(level)]),
                };
                (tile, bytes)
            })
            .collect()
    }
}

fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(number: u64) -> Vec<u8> {
        format!("entry {number}").into_bytes()
    }

    #[test]
    fn every_root_on_the_way_is_that_of_the_leaves_alone() {
        let (mut edge, mut full, mut leaves) = (Edge::empty(), Vec::new(), Vec::new());
        assert_eq!(edge.root(), super::super::empty_root());
        for number in 0..1500 {
            edge.append(&entry(number), &mut full).unwrap();
            leaves.push(leaf_hash(&entry(number)));
            if number % 37 == 0 || number % 256 < 3 {
                assert_eq!(edge.root(), root_of(&leaves), "{number}");
            }
        }
        let levels: Vec<u64> = (0..8).map(|level| extent(level, 1500).0).collect();
        assert_eq!(levels[..2], [5, 0]);
        assert_eq!(full.len(), 10, "five bundles and five tiles");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn an_edge_read_from_its_parts_goes_on_as_if_it_had_never_stopped(
            first in 0_u64..70_000, more in 1_u64..600,
        ) {
            let (mut edge, mut full) = (Edge::empty(), Vec::new());
            for number in 0..first {
                edge.append(&entry(number), &mut full).unwrap();
            }
            let parts = edge.partial().into_iter().map(|(_, bytes)| bytes).collect();
            let mut again = Edge::from_parts(first, parts).unwrap();
            prop_assert_eq!(again.root(), edge.root());
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for number in first..first + more {
                edge.append(&entry(number), &mut one).unwrap();
                again.append(&entry(number), &mut other).unwrap();
            }
            prop_assert_eq!(one, other);
            prop_assert_eq!(again.partial(), edge.partial());
            prop_assert_eq!(again.root(), edge.root());
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert!(Edge::from_parts(3, vec![]).is_none());
        assert!(Edge::from_parts(3, vec![vec![0; 9], vec![0; 95]]).is_none());
        assert!(Edge::from_parts(3, vec![vec![0; 9], vec![0; 96]]).is_some());
        assert!(Edge::from_parts(0, vec![]).is_some());
    }
}
