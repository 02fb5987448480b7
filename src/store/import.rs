//! Lists that are brought in whole: what the engines are given of them.

use super::SellerNumber;
use super::layout::Spot;

/// A piece of a list of numbers, all of them listed for the same seller, or for all.
#[derive(Debug, Clone)]
pub struct ImportPart {
    /// For whom the numbers are listed.
    pub seller: SellerNumber,
    /// Whether they are taken out instead of put in; then, how many pieces had been put in for this
    /// seller ([`Store::puts`](super::Store::puts)) before it was looked up which numbers other lists
    /// have. If any was put in since, nothing is taken out, however late this comes.
    pub remove: Option<u64>,
    /// The numbers, sorted, each once.
    pub spots: Vec<Spot>,
}
