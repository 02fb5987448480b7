//! The protocol against other implementations, against the specifications' own examples, and
//! against whoever changes a bit.

mod texts;
mod trees;
