//! Audit entries: what is read is written again as the same bytes, and a reader that remembers the
//! entry before reads the same as one that does not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metrust::domain::{Entry, EntryReader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = EntryReader::default();
    let first = reader.read(bytes);
    assert_eq!(Entry::read_json(bytes), first);
    assert_eq!(reader.read(bytes), first);
    if let Ok(entry) = first {
        let mut again = Vec::new();
        entry.write_json(&mut again);
        assert_eq!(again, bytes);
    }
});
