//! Checkpoints (C2SP tlog-checkpoint): what is read is printed again as the same text, and its
//! size is one that a log can have.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metrust::log::{Checkpoint, MAX_SIZE};

fuzz_target!(|text: &str| {
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_string(), text);
        assert_eq!(
            Checkpoint::parse(&checkpoint.to_string()),
            Ok(checkpoint.clone())
        );
        assert!(checkpoint.size <= MAX_SIZE);
        assert!(!checkpoint.origin.is_empty());
    }
});
