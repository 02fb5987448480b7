//! Entry bundles and tiles of hashes (C2SP tlog-tiles): what is read out of a bundle makes the
//! same bundle again, up to where it breaks off.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metrust::log::tile::{entries, hashes, put_entry};

fuzz_target!(|bundle: &[u8]| {
    let mut again = Vec::new();
    let mut reading = entries(bundle);
    let mut whole = true;
    for entry in reading.by_ref() {
        assert!(whole, "nothing comes after an error");
        match entry {
            Ok(entry) => put_entry(&mut again, entry).expect("it was in a bundle"),
            Err(_) => whole = false,
        }
    }
    assert!(reading.next().is_none());
    assert!(bundle.starts_with(&again));
    assert_eq!(whole, again.len() == bundle.len());

    if let Some(hashes) = hashes(bundle) {
        assert!((1..=256).contains(&hashes.len()));
        assert_eq!(
            hashes.iter().flat_map(|hash| hash.0).collect::<Vec<_>>(),
            bundle
        );
    }
});
