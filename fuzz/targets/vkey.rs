//! Verifier keys (C2SP signed-note, "vkey"): what is read is printed again as the same text, and
//! is the key that its parts make.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metrust::log::Verifier;

fuzz_target!(|text: &str| {
    if let Ok(key) = Verifier::parse(text) {
        assert_eq!(key.to_string(), text);
        assert_eq!(Verifier::parse(text).as_ref(), Ok(&key));
        let parts = Verifier::new(key.name(), key.kind(), &key.public_key());
        assert_eq!(parts, Ok(key));
    }
});
