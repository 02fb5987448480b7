//! Signed notes (C2SP signed-note). A note that is read is printed again as the same bytes; nobody
//! forges the signature of a key that signed one text only; a text that can be signed is read and
//! verified again.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use metrust::log::{Note, Signer};

/// The seed `signed` is signed with this key, and no other text is.
static SIGNER: LazyLock<Signer> =
    LazyLock::new(|| Signer::new("dnc.example.org/log/2026", &[7; 32]).expect("a name"));
const SIGNED: &str = "dnc.example.org/log/2026\n\
                      5\n\
                      uFW0LWww9bCH4FJmeD+9bjlPe5JgE8yqZ3AKiwxaWW8=\n";

fuzz_target!(|data: &[u8]| {
    let known = [SIGNER.verifier()];
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data);
        assert_eq!(Note::parse(data).as_ref(), Ok(&note));
        let mut again = note.clone();
        for signature in &note.signatures {
            again
                .add(&signature.to_string())
                .expect("it is there already");
        }
        assert_eq!(again, note);
        if note.verify(&known).is_ok() {
            assert_eq!(note.text, SIGNED);
        }
    } else if let Ok(text) = std::str::from_utf8(data)
        && let Ok(note) = Note::sign(text.to_owned(), &[&SIGNER])
    {
        assert_eq!(Note::parse(note.to_string().as_bytes()).as_ref(), Ok(&note));
        assert_eq!(note.verify(&known).map(|signed| signed.len()), Ok(1));
    }
});
