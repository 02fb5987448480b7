//! Trees and proofs: the same as those of `ct-merkle`, buildable from tiles, and never true of
//! anything else.

use std::convert::Infallible;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;

use crate::log::merkle::{Frontier, Hash, leaf_hash, root_of, subtrees_of_root};
use crate::log::proof::{
    ProofError, check_consistency, check_inclusion, consistency_proof, inclusion_proof,
};
use crate::log::tile::{WIDTH, extent, place_of};

type Reference = MemoryBackedTree<Sha256, [u8; 8]>;

/// The entry at an index; all are different.
fn entry(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn leaf(index: u64) -> Hash {
    leaf_hash(&entry(index))
}

fn reference(size: u64) -> Reference {
    let mut tree = Reference::new();
    (0..size).for_each(|index| tree.push(entry(index)));
    tree
}

fn frontier(size: u64) -> Frontier {
    let mut tree = Frontier::new();
    (0..size).for_each(|index| tree.push(leaf(index)));
    tree
}

/// The hash of a full subtree, from its leaves.
fn subtree(level: u8, index: u64) -> Result<Hash, Infallible> {
    let leaves: Vec<Hash> = (index << level..(index + 1) << level).map(leaf).collect();
    Ok(root_of(&leaves))
}

fn prove_inclusion(index: u64, size: u64) -> Vec<Hash> {
    let Ok(proof) = inclusion_proof(index, size, &mut subtree);
    proof
}

fn prove_consistency(old: u64, size: u64) -> Vec<Hash> {
    let Ok(proof) = consistency_proof(old, size, &mut subtree);
    proof
}

fn digests(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.iter().copied().map(Hash).collect()
}

fn reference_root(tree: &Reference) -> Hash {
    Hash((*tree.root().as_bytes()).into())
}

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut other = *hash;
    other.0[bit / 8] ^= 1 << (bit % 8);
    other
}

/// A tree's size and the index of one of its leaves.
fn place(sizes: std::ops::Range<u64>) -> impl Strategy<Value = (u64, u64)> {
    sizes.prop_flat_map(|size| (0..size, Just(size)))
}

#[test]
fn every_proof_of_every_small_tree_is_the_one_of_the_reference() {
    let mut all = Reference::new();
    for size in 1..=40u64 {
        all.push(entry(size - 1));
        let root = reference_root(&all);
        assert_eq!(frontier(size).root(), root, "the root of {size}");
        for index in 0..size {
            let proof = prove_inclusion(index, size);
            let expected = all.prove_inclusion(index as usize);
            assert_eq!(proof, digests(expected.as_bytes()), "{index} in {size}");
            check_inclusion(&leaf(index), index, size, &proof, &root).unwrap();
        }
        for old in 1..size {
            let proof = prove_consistency(old, size);
            let expected = all.prove_consistency((size - old) as usize);
            assert_eq!(proof, digests(expected.as_bytes()), "{old} in {size}");
            check_consistency(old, &frontier(old).root(), size, &root, &proof).unwrap();
        }
    }
}

#[test]
fn a_proof_is_asked_for_full_subtrees_of_the_tree_only() {
    for size in 0..=40u64 {
        let mut within = |level: u8, index: u64| {
            assert!((index + 1) << level <= size, "{level}, {index} of {size}");
            Ok::<_, Infallible>(Hash([level; 32]))
        };
        for index in 0..=size + 1 {
            let Ok(_) = inclusion_proof(index, size, &mut within);
            let Ok(_) = consistency_proof(index, size, &mut within);
        }
    }
}

#[test]
fn sizes_that_no_log_will_ever_have_do_not_break_anything() {
    let mut any = |level: u8, _: u64| Ok::<_, Infallible>(Hash([level; 32]));
    let sizes = [1, 2, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX];
    for size in sizes {
        for index in sizes.map(|size| size - 1) {
            let Ok(proof) = inclusion_proof(index, size, &mut any);
            assert!(proof.len() <= 64);
            let checked = check_inclusion(&leaf(0), index, size, &proof, &leaf(0));
            assert_eq!(checked.is_ok(), size == 1 && index == 0);
            let Ok(proof) = consistency_proof(index, size, &mut any);
            assert!(proof.len() <= 65);
            let checked = check_consistency(index, &leaf(1), size, &leaf(0), &proof);
            assert!(checked.is_err());
        }
    }
}

#[test]
fn there_is_no_proof_of_what_cannot_be() {
    let root = frontier(5).root();
    assert_eq!(prove_inclusion(5, 5), []);
    let not_in_tree = check_inclusion(&leaf(5), 5, 5, &[], &root);
    assert_eq!(not_in_tree, Err(ProofError::NotInTree));
    let empty = check_inclusion(&leaf(0), 0, 0, &[], &Frontier::new().root());
    assert_eq!(empty, Err(ProofError::NotInTree));
    let smaller = check_consistency(6, &frontier(6).root(), 5, &root, &[]);
    assert_eq!(smaller, Err(ProofError::Smaller));
}

#[test]
fn every_tree_begins_with_the_empty_one_and_with_itself() {
    let (empty, root) = (Frontier::new().root(), frontier(5).root());
    check_consistency(0, &empty, 5, &root, &[]).unwrap();
    check_consistency(0, &empty, 0, &empty, &[]).unwrap();
    check_consistency(5, &root, 5, &root, &[]).unwrap();
    for (old, old_root, size, proof, error) in [
        (0, root, 5, vec![], ProofError::OldRoot),
        (0, empty, 5, vec![root], ProofError::Length),
        (5, empty, 5, vec![], ProofError::Root),
        (5, root, 5, vec![root], ProofError::Length),
    ] {
        let checked = check_consistency(old, &old_root, size, &root, &proof);
        assert_eq!(checked, Err(error));
    }
}

/// Who is on which side on the way up from a leaf, by the definition in RFC 6962: the tree is
/// split at the largest power of two below its size, over and over.
fn sides(index: u64, size: u64) -> Vec<bool> {
    if size <= 1 {
        return Vec::new();
    }
    let left = 1 << (size - 1).ilog2();
    let mut way = match index < left {
        true => sides(index, left),
        false => sides(index - left, size - left),
    };
    way.push(index < left);
    way
}

#[test]
fn a_wrong_index_or_size_passes_only_if_the_way_up_is_the_same() {
    for size in 1..=17u64 {
        let root = frontier(size).root();
        for index in 0..size {
            let proof = prove_inclusion(index, size);
            for (other, other_size) in (0..35).flat_map(|i| (0..35).map(move |s| (i, s))) {
                let same = other < other_size && sides(other, other_size) == sides(index, size);
                let checked = check_inclusion(&leaf(index), other, other_size, &proof, &root);
                assert_eq!(
                    checked.is_ok(),
                    same,
                    "{index} of {size} as {other} of {other_size}"
                );
                // In one tree, no two leaves have the same way up.
                assert!(!same || other_size != size || other == index);
            }
        }
    }
}

#[test]
fn a_wrong_old_size_never_passes_with_the_root_of_the_true_one() {
    for size in 1..=33u64 {
        for old in 1..=size {
            let proof = prove_consistency(old, size);
            for other in (0..40).filter(|other| *other != old) {
                let (old_root, root) = (frontier(old).root(), frontier(size).root());
                let checked = check_consistency(other, &old_root, size, &root, &proof);
                assert!(checked.is_err(), "{old} as {other} in {size}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn roots_and_proofs_agree_with_the_reference_both_ways(
        (index, size) in place(1..1500),
    ) {
        let theirs = reference(size);
        let root = frontier(size).root();
        prop_assert_eq!(root, reference_root(&theirs));
        let size_as_usize = size as usize;

        let proof = prove_inclusion(index, size);
        let expected = theirs.prove_inclusion(index as usize);
        prop_assert_eq!(&proof, &digests(expected.as_bytes()));
        check_inclusion(&leaf(index), index, size, &proof, &root).unwrap();
        let bytes = proof.iter().flat_map(|hash| hash.0).collect();
        let ours = InclusionProof::<Sha256>::from_bytes(bytes);
        theirs.root().verify_inclusion(&entry(index), index, &ours).unwrap();

        let old = index + 1;
        let proof = prove_consistency(old, size);
        let old_root = frontier(old).root();
        check_consistency(old, &old_root, size, &root, &proof).unwrap();
        if old < size {
            let expected = theirs.prove_consistency(size_as_usize - old as usize);
            prop_assert_eq!(&proof, &digests(expected.as_bytes()));
            let bytes = proof.iter().flat_map(|hash| hash.0).collect();
            let ours = ConsistencyProof::<Sha256>::try_from_bytes(bytes).unwrap();
            let old_root = RootHash::new(old_root.0.into(), old);
            theirs.root().verify_consistency(&old_root, &ours).unwrap();
        }
    }

    #[test]
    fn a_tree_grown_in_pieces_is_the_tree_grown_at_once(
        pieces in prop::collection::vec(0u64..200, 1..8),
    ) {
        let mut tree = Frontier::new();
        for piece in pieces {
            let end = tree.size() + piece;
            tree = Frontier::from_subtrees(tree.size(), tree.subtrees()).unwrap();
            (tree.size()..end).for_each(|index| tree.push(leaf(index)));
            let named: Vec<Hash> = subtrees_of_root(end)
                .into_iter()
                .map(|(level, index)| { let Ok(hash) = subtree(level, index); hash })
                .collect();
            prop_assert_eq!(tree.subtrees(), named);
            prop_assert_eq!(tree.root(), frontier(end).root());
        }
    }

    #[test]
    fn one_flipped_bit_spoils_an_inclusion_proof(
        (index, size) in place(1..600), bit in 0usize..256, at in any::<prop::sample::Index>(),
    ) {
        let root = frontier(size).root();
        let proof = prove_inclusion(index, size);
        let check = |leaf: &Hash, proof: &[Hash], root: &Hash| {
            check_inclusion(leaf, index, size, proof, root)
        };
        let right = leaf(index);
        prop_assert_eq!(check(&flipped(&right, bit), &proof, &root), Err(ProofError::Root));
        prop_assert_eq!(check(&right, &proof, &flipped(&root, bit)), Err(ProofError::Root));
        if !proof.is_empty() {
            let at = at.index(proof.len());
            let mut wrong = proof.clone();
            wrong[at] = flipped(&proof[at], bit);
            prop_assert_eq!(check(&right, &wrong, &root), Err(ProofError::Root));
            let mut shorter = proof.clone();
            shorter.remove(at);
            prop_assert_eq!(check(&right, &shorter, &root), Err(ProofError::Length));
            let mut longer = proof.clone();
            longer.insert(at, proof[at]);
            prop_assert_eq!(check(&right, &longer, &root), Err(ProofError::Length));
        }
    }

    #[test]
    fn one_flipped_bit_spoils_a_consistency_proof(
        (old, size) in place(2..600), bit in 0usize..256, at in any::<prop::sample::Index>(),
    ) {
        let old = old.max(1);
        let (old_root, root) = (frontier(old).root(), frontier(size).root());
        let proof = prove_consistency(old, size);
        let check = |old_root: &Hash, proof: &[Hash], root: &Hash| {
            check_consistency(old, old_root, size, root, proof)
        };
        prop_assert_eq!(check(&old_root, &proof, &root), Ok(()));
        prop_assert!(check(&flipped(&old_root, bit), &proof, &root).is_err());
        prop_assert!(check(&old_root, &proof, &flipped(&root, bit)).is_err());
        let at = at.index(proof.len());
        let mut wrong = proof.clone();
        wrong[at] = flipped(&proof[at], bit);
        prop_assert!(check(&old_root, &wrong, &root).is_err());
        let mut shorter = proof.clone();
        shorter.remove(at);
        prop_assert_eq!(check(&old_root, &shorter, &root), Err(ProofError::Length));
        let mut longer = proof.clone();
        longer.insert(at, proof[at]);
        prop_assert_eq!(check(&old_root, &longer, &root), Err(ProofError::Length));
    }
}

proptest! {
    // Large trees take a while.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn tiles_rebuild_every_proof_and_every_root(
        (index, size) in place(1..70_000),
    ) {
        // All tiles of a tree of that size, level by level, as rows of hashes.
        let mut levels = vec![(0..size).map(leaf).collect::<Vec<_>>()];
        while let Some(last) = levels.last().filter(|row| row.len() >= 256) {
            levels.push(last.chunks_exact(256).map(root_of).collect());
        }
        for (level, row) in (0u8..).zip(&levels) {
            let (full, partial) = extent(level, size);
            prop_assert_eq!(full * WIDTH + u64::from(partial), row.len() as u64);
        }
        prop_assert_eq!(extent(levels.len() as u8, size), (0, 0));
        let mut get = |level: u8, index: u64| {
            let (tile_level, tile, range) = place_of(level, index);
            let tile = levels[tile_level as usize].chunks(256).nth(tile as usize).unwrap();
            Ok::<_, Infallible>(root_of(&tile[range]))
        };
        let subtrees = subtrees_of_root(size)
            .into_iter()
            .map(|(level, index)| { let Ok(hash) = get(level, index); hash })
            .collect();
        let tree = Frontier::from_subtrees(size, subtrees).unwrap();
        prop_assert_eq!(tree.root(), root_of(&levels[0]));
        let Ok(proof) = inclusion_proof(index, size, &mut get);
        check_inclusion(&leaf(index), index, size, &proof, &tree.root()).unwrap();
        let old_root = root_of(&levels[0][..index as usize]);
        let Ok(proof) = consistency_proof(index, size, &mut get);
        check_consistency(index, &old_root, size, &tree.root(), &proof).unwrap();
    }
}
