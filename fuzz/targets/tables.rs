//! Tables (RFC 4180, and what people make of it): a wash, an import and a match read the same rows,
//! cells and numbers, in whatever pieces the table comes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| metrust::service::same_rows::compare(data));
