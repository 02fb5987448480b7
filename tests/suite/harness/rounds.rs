//! How often a test does the same with other values.

/// `short` rounds in `tests/run`, `long` ones in `tests/long NAME`.
///
/// The test that asks must have `long_NAME` in its name, so that `tests/long` finds it, and must
/// take what differs between rounds from a fixed seed.
pub fn rounds(name: &str, short: u64, long: u64) -> u64 {
    match std::env::var("METRUST_LONG") {
        Ok(wanted) if wanted == name => long,
        _ => short,
    }
}
