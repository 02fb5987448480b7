//! Phone numbers to test with. Every one is valid for libphonenumber, none is in use here for
//! anything else.

/// The `n`th Belgian mobile number of this suite, in E.164; valid for `n` below ten million.
pub fn number(n: usize) -> String {
    format!("+3247{n:07}")
}

/// One number, as people and diallers write it: spelling and the region that it needs.
pub const SPELLINGS: &[(&str, Option<&str>)] = &[
    ("+32475123456", None),
    ("0032475123456", None),
    ("+32 (0)475 12 34 56", None),
    ("+32-475-12.34.56", None),
    ("tel:+32475123456", None),
    ("0475/12.34.56", Some("BE")),
    ("0475 12 34 56", Some("BE")),
    ("0475\u{a0}12\u{a0}34\u{a0}56", Some("BE")),
    ("+32475123456", Some("US")),
    ("0032475123456", Some("DE")),
];

/// What the spellings above all mean.
pub const SPELT: &str = "+32475123456";

/// What no service may take for a number.
pub const UNREADABLE: &[&str] = &[
    "112",
    "hello",
    "bel mij op 0475 12 34 56 aub",
    "+32",
    "+3247512345678901234567890",
    "++32475123456",
    "😀",
    "1234567890123",
];
