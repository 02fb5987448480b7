//! The Merkle tree, after RFC 6962, section 2.1: hashes, roots, and growing a tree at its right
//! edge.
//!
//! A *full subtree* is named by its level (it has 2^level leaves) and its index (it begins at leaf
//! index × 2^level). Every tree is a row of full subtrees, largest first: one for every bit that is
//! set in its size. Proofs are in [`super::proof`]; where hashes are kept is in [`super::tile`].

use std::fmt;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// Before an entry's bytes, so that an entry can never be taken for two hashes.
const LEAF: [u8; 1] = [0x00];
/// Before two hashes.
const NODE: [u8; 1] = [0x01];

/// The SHA-256 hash of an entry, of a subtree or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Reads what [`fmt::Display`] writes: 44 characters of standard base64 (RFC 4648, section 4),
    /// in their only spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The length first, so that a long text is not decoded in vain.
        if text.len() != 44 {
            return None;
        }
        super::base64(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BASE64.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of one entry as a leaf: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let digest = Sha256::new().chain_update(LEAF).chain_update(entry);
    Hash(digest.finalize().into())
}

/// The hash of two subtrees side by side: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let digest = Sha256::new()
        .chain_update(NODE)
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(digest.finalize().into())
}

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub const fn empty_root() -> Hash {
    Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ])
}

/// The root of the tree that has these hashes as its leaves; they are leaf hashes already, or the
/// hashes of full subtrees of one size.
#[must_use]
pub fn root_of(hashes: &[Hash]) -> Hash {
    let mut tree = Frontier::new();
    for hash in hashes {
        tree.push(*hash);
    }
    tree.root()
}

/// The full subtrees, as (level, index), that a tree of `size` leaves is made of, largest first.
/// None for the empty tree.
#[must_use]
pub fn subtrees_of_root(size: u64) -> Vec<(u8, u64)> {
    (0..64u8)
        .rev()
        .filter(|level| size >> level & 1 == 1)
        // What is larger stands before it: all bits above its own.
        .map(|level| (level, (size >> level) - 1))
        .collect()
}

/// The right edge of a tree: all that is needed to append a leaf and to know the root, in memory
/// that grows with the logarithm of the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// One hash for every bit set in `size`, the largest subtree first.
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self {
            size: 0,
            // Enough for a million million leaves, so that appending does not allocate.
            subtrees: Vec::with_capacity(40),
        }
    }

    /// From the hashes of the full subtrees that a tree of `size` is made of, largest first (those
    /// that [`subtrees_of_root`] names). Nothing if their number does not fit the size, or if the
    /// size is above [`super::MAX_SIZE`].
    #[must_use]
    pub fn from_subtrees(size: u64, subtrees: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (size <= super::MAX_SIZE && subtrees.len() == expected).then_some(Self { size, subtrees })
    }

    /// Appends one leaf, given as its [`leaf_hash`].
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each bit that carries over in size + 1 is a pair of equal subtrees that become one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.subtrees.iter().rev();
        let Some(smallest) = smallest_first.next() else {
            return empty_root();
        };
        smallest_first.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The hashes of the full subtrees it is made of, largest first.
    #[must_use]
    pub fn subtrees(&self) -> Vec<Hash> {
        self.subtrees.clone()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER_PERMISSIVE;

    use super::*;

    fn hash(hex: &str) -> Hash {
        let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap();
        Hash(bytes.try_into().unwrap())
    }

    /// The leaves, and the roots of the first one to eight of them, that the Certificate
    /// Transparency project tests its own trees with.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn the_roots_are_those_that_certificate_transparency_has() {
        assert_eq!(Frontier::new().root(), empty_root());
        assert_eq!(empty_root(), Hash(Sha256::digest(b"").into()));
        let mut tree = Frontier::new();
        for (leaf, root) in LEAVES.iter().zip(ROOTS) {
            tree.push(leaf_hash(
                &HEXLOWER_PERMISSIVE.decode(leaf.as_bytes()).unwrap(),
            ));
            assert_eq!(tree.root(), hash(root), "of {} leaves", tree.size());
        }
    }

    #[test]
    fn a_tree_is_one_full_subtree_for_every_bit_of_its_size() {
        assert_eq!(subtrees_of_root(0), []);
        assert_eq!(subtrees_of_root(1), [(0, 0)]);
        assert_eq!(subtrees_of_root(7), [(2, 0), (1, 2), (0, 6)]);
        assert_eq!(subtrees_of_root(70_000).len(), 6);
        assert_eq!(subtrees_of_root(u64::MAX).len(), 64);
        assert_eq!(subtrees_of_root(u64::MAX).last(), Some(&(0, u64::MAX - 1)));
    }

    #[test]
    fn a_frontier_is_rebuilt_from_its_subtrees_and_from_nothing_less() {
        let mut tree = Frontier::new();
        for number in 0..300u16 {
            let rebuilt = Frontier::from_subtrees(tree.size(), tree.subtrees());
            assert_eq!(rebuilt.as_ref(), Some(&tree));
            assert_eq!(
                Frontier::from_subtrees(tree.size() + 512, tree.subtrees()),
                None
            );
            tree.push(leaf_hash(&number.to_be_bytes()));
        }
        let many = vec![empty_root(); 64];
        assert_eq!(Frontier::from_subtrees(u64::MAX, many), None);
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let text = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(empty_root().to_string(), text);
        assert_eq!(format!("{:?}", empty_root()), text);
        assert_eq!(Hash::parse(text), Some(empty_root()));
        for wrong in [
            "",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3g=uFU=",
        ] {
            assert_eq!(Hash::parse(wrong), None, "{wrong}");
        }
    }
}
