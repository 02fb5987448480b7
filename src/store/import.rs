//! Lists that are brought in whole: what the engines are given of them.

use super::SellerNumber;
use super::layout::Spot;

/// A piece of a list of numbers, all of them listed for the same seller, or for all.
#[derive(Debug, Clone)]
pub struct ImportPart {
    /// For whom the numbers are listed.
    pub seller: SellerNumber,
    /// Whether they are taken out instead of put in.
    pub remove: bool,
    /// The numbers, sorted, each once.
    pub spots: Vec<Spot>,
}
