//! Proofs that an entry is in a log, and that a log only grew: RFC 6962, sections 2.1.1 and 2.1.2;
//! and the text in which a proof travels, after C2SP tlog-proof (<https://c2sp.org/tlog-proof>).
//!
//! A check says something about *one* size and root: both must come from the same checkpoint, whose
//! signature was verified. (A path of hashes fits trees of several sizes, so a size that was made
//! up may pass with the true root.)

use std::fmt;

use data_encoding::BASE64;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::merkle::{Hash, empty_root, node_hash};
use super::note::{Kind, MAX_NOTE, Note, NoteError, Verifier};
use super::{base64, decimal};

/// The longest proof that is read, in bytes.
pub const MAX_PROOF: usize = 2 * MAX_NOTE;
/// The most hashes that an inclusion proof can have: the height of the largest tree.
pub const MAX_HASHES: usize = 63;

/// The first line of a proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not below the size.
    #[error("the tree has no entry of that index")]
    NotInTree,
    /// The later tree is the smaller one.
    #[error("a log never becomes smaller")]
    Smaller,
    /// Another number of hashes than this place in this tree asks for.
    #[error("the proof has too many or too few hashes")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
    /// The hashes do not lead to the root of the earlier tree.
    #[error("the proof does not lead to the earlier root")]
    OldRoot,
    /// The text is not a proof.
    #[error("this is not the text of a proof")]
    Malformed,
    /// What follows the hashes is not a signed note, or no known key signed it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is not signed by the log that it is about.
    #[error("the checkpoint is not signed by the log that it names")]
    Origin,
}

/// The largest power of two below a number of leaves, which is at least 2: how many of them are
/// the left half.
fn left_half(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root of the leaves from `start` on, `leaves` of them, at least one; `start` is a multiple
/// of the power of two that covers them.
fn range_root<E>(
    start: u64,
    leaves: u64,
    get: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let smallest = leaves.trailing_zeros();
    let mut end = start + leaves;
    let mut root = None;
    for level in (smallest as u8)..64 {
        if leaves >> level & 1 == 1 {
            end -= 1 << level;
            let subtree = get(level, end >> level)?;
            root = Some(match root {
                None => subtree,
                Some(right) => node_hash(&subtree, &right),
            });
        }
    }
    Ok(root.unwrap_or_else(empty_root))
}

/// The hashes that lead from the leaf at `index` to the root of the tree of `size`, the leaf's
/// neighbour first. `get(level, index)` gives the hash of a full subtree of 2^level leaves; it is
/// asked for such only as lie in the tree.
///
/// There is no proof for an index that is not below the size: what is given is then empty, and
/// [`check_inclusion`] refuses it.
///
/// # Errors
/// Those of `get`.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    get: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut start, mut leaves) = (0, size);
    while leaves > 1 {
        let left = left_half(leaves);
        if index - start < left {
            proof.push(range_root(start + left, leaves - left, get)?);
            leaves = left;
        } else {
            proof.push(range_root(start, left, get)?);
            start += left;
            leaves -= left;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that the tree of `size` begins with the tree of `old` leaves. `get` as for
/// [`inclusion_proof`].
///
/// Empty for two trees of one size and for an old tree without leaves; empty as well, and refused
/// by [`check_consistency`], if the old tree is the larger one.
///
/// # Errors
/// Those of `get`.
pub fn consistency_proof<E>(
    old: u64,
    size: u64,
    get: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut start, mut leaves) = (0, size);
    // Down to where the old tree ends between two whole subtrees.
    while old - start < leaves {
        let left = left_half(leaves);
        if old - start <= left {
            proof.push(range_root(start + left, leaves - left, get)?);
            leaves = left;
        } else {
            proof.push(range_root(start, left, get)?);
            start += left;
            leaves -= left;
        }
    }
    // What is left there is part of both trees. Whoever checks has it already if it is all of the
    // old one.
    if start > 0 {
        proof.push(range_root(start, leaves, get)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The number of bits below and including the highest one that is set: the height at which two
/// leaves whose indices differ in these bits meet.
fn height(difference: u64) -> u32 {
    u64::BITS - difference.leading_zeros()
}

/// Checks that the leaf is the one at `index` in the tree of that size and root.
///
/// # Errors
/// If the proof does not show that.
pub fn check_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NotInTree);
    }
    // Up to where the leaf's way meets that of the tree's last leaf, each bit of the index says on
    // which side the neighbour is. Above, the way is the tree's right edge: neighbours are on the
    // left only, one for each bit that is set.
    let meeting = height(index ^ (size - 1));
    let above = index.checked_shr(meeting).unwrap_or(0).count_ones();
    let (below, edge) = split(proof, meeting, above)?;
    let mut hash = *leaf;
    for (bit, neighbour) in below.iter().enumerate() {
        hash = match index >> bit & 1 {
            0 => node_hash(&hash, neighbour),
            _ => node_hash(neighbour, &hash),
        };
    }
    for neighbour in edge {
        hash = node_hash(neighbour, &hash);
    }
    match hash == *root {
        true => Ok(()),
        false => Err(ProofError::Root),
    }
}

/// Checks that the tree of `size` and `root` begins with the leaves of the one of `old` leaves and
/// `old_root`. Every tree begins with the empty one.
///
/// # Errors
/// If the proof does not show that.
pub fn check_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > size {
        return Err(ProofError::Smaller);
    }
    if old == 0 && *old_root != empty_root() {
        return Err(ProofError::OldRoot);
    }
    if old == 0 || old == size {
        return match (proof.is_empty(), old == 0 || old_root == root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // The way begins at the largest subtree at the old tree's right end, and goes up as that of
    // the old tree's last leaf does in an inclusion proof.
    let shared = old.trailing_zeros();
    let index = (old - 1) >> shared;
    let last = (size - 1) >> shared;
    // That subtree comes first in the proof, unless it is the whole old tree.
    let (begin, way) = match old.is_power_of_two() {
        true => (old_root, proof),
        false => proof.split_first().ok_or(ProofError::Length)?,
    };
    let meeting = height(index ^ last);
    let above = index.checked_shr(meeting).unwrap_or(0).count_ones();
    let (below, edge) = split(way, meeting, above)?;
    // What stands on the left is in both trees; what stands on the right came later.
    let (mut then, mut now) = (*begin, *begin);
    for (bit, neighbour) in below.iter().enumerate() {
        if index >> bit & 1 == 1 {
            then = node_hash(neighbour, &then);
            now = node_hash(neighbour, &now);
        } else {
            now = node_hash(&now, neighbour);
        }
    }
    for neighbour in edge {
        then = node_hash(neighbour, &then);
        now = node_hash(neighbour, &now);
    }
    if then != *old_root {
        return Err(ProofError::OldRoot);
    }
    match now == *root {
        true => Ok(()),
        false => Err(ProofError::Root),
    }
}

/// Splits a proof into its first hashes and the rest, whose numbers are known.
fn split(proof: &[Hash], first: u32, rest: u32) -> Result<(&[Hash], &[Hash]), ProofError> {
    // Both are at most 64.
    if proof.len() != (first + rest) as usize {
        return Err(ProofError::Length);
    }
    Ok(proof.split_at(first as usize))
}

/// A proof as a text that can be kept and checked without asking anybody: an entry's index, the
/// hashes, and the checkpoint that they lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// What an application adds. Nobody signed it. Empty is the same as none.
    pub extra: Option<Vec<u8>>,
    /// The entry's index in the log.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as the log published it.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads what [`fmt::Display`] writes, in that one spelling. Nothing is proven by that: see
    /// [`TlogProof::check`].
    ///
    /// # Errors
    /// If the text is not a proof, or has no checkpoint in it.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        if text.len() > MAX_PROOF {
            return Err(ProofError::Malformed);
        }
        let (lines, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
        let mut lines = lines.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Malformed);
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            None => None,
            Some(extra) => {
                lines.next();
                let extra = base64(extra).filter(|extra| !extra.is_empty());
                Some(extra.ok_or(ProofError::Malformed)?)
            }
        };
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix("index ")?))
            .ok_or(ProofError::Malformed)?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == MAX_HASHES {
                return Err(ProofError::Malformed);
            }
            hashes.push(Hash::parse(line).ok_or(ProofError::Malformed)?);
        }
        Checkpoint::parse(&Note::parse(checkpoint.as_bytes())?.text)?;
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that the leaf is in the log at this index, and that the log whose checkpoint this is
    /// signed it with a key that is known. Gives that checkpoint.
    ///
    /// # Errors
    /// If a signature or the proof does not hold.
    pub fn check(&self, leaf: &Hash, known: &[Verifier]) -> Result<Checkpoint, ProofError> {
        let note = Note::parse(self.checkpoint.as_bytes())?;
        let signed = note.verify(known)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        // Another log's key, or a witness's alone, must not vouch for this log.
        let is_the_log_s = |verifier: &&Verifier| {
            verifier.kind() == Kind::Log && verifier.name() == checkpoint.origin
        };
        if !signed.iter().any(is_the_log_s) {
            return Err(ProofError::Origin);
        }
        check_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.hashes,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", BASE64.encode_display(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
