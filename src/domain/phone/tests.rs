//! What is promised of [`PhoneNumber`]: every way to write a number is
//! understood, and none is ever taken for another number.

mod notation;
mod properties;
mod table;

use super::plan::plan;
use super::*;
use phonenumber::metadata::Descriptor;
use phonenumber::{Metadata, Mode};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

fn region(id: &str) -> Option<Region> {
    Some(Region::parse(id).unwrap())
}

fn metas() -> impl Iterator<Item = (u16, &'static Metadata)> {
    (1..1000).flat_map(|code| {
        database()
            .by_code(&code)
            .into_iter()
            .flatten()
            .map(move |meta| (code, meta))
    })
}

fn kinds(meta: &Metadata) -> Vec<&Descriptor> {
    let d = meta.descriptors();
    [
        d.fixed_line(),
        d.mobile(),
        d.toll_free(),
        d.premium_rate(),
        d.shared_cost(),
        d.personal_number(),
        d.voip(),
        d.pager(),
        d.uan(),
        d.voicemail(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every example of every kind: the region, the country code, the national
/// number.
fn examples() -> &'static [(&'static Metadata, u16, &'static str)] {
    static ALL: OnceLock<Vec<(&'static Metadata, u16, &'static str)>> = OnceLock::new();
    ALL.get_or_init(|| {
        metas()
            .flat_map(|(code, meta)| {
                let all = kinds(meta)
                    .into_iter()
                    .chain([meta.descriptors().general()]);
                all.filter_map(|d| d.example())
                    .map(move |e| (meta, code, e))
            })
            .collect()
    })
}

/// The one name of the line of an international number.
fn one_name(code: u16, national: &str) -> String {
    let digits = format!("{code}{national}");
    match plan().other_name(digits.as_bytes()) {
        Some(name) => format!("+{}", std::str::from_utf8(name.digits()).unwrap()),
        None => format!("+{digits}"),
    }
}

fn e164(input: &str, at: Option<Region>) -> Result<String, PhoneError> {
    PhoneNumber::parse(input, at).map(|n| n.e164().to_owned())
}

#[test]
fn every_pattern_of_the_metadata_is_understood() {
    assert_eq!(plan().not_understood, Vec::<u16>::new());
    assert!(
        plan().size() < 100_000,
        "the automaton has {} states",
        plan().size()
    );
}

#[test]
fn no_way_of_writing_an_example_is_taken_for_another_number() {
    assert!(
        examples().len() > 1_100,
        "only {} examples",
        examples().len()
    );
    for (meta, code, national) in examples() {
        let want = Ok(one_name(*code, national));
        let number = PhoneNumber::parse(&format!("+{code}{national}"), None).unwrap();
        let shown = number.international();
        for at in [
            None,
            region("BE"),
            region("US"),
            region("DE"),
            Region::parse(meta.id()).ok(),
        ] {
            for input in [
                format!("+{code}{national}"),
                format!("+{code} {national}"),
                format!("00{code}{national}"),
                format!("tel:+{code}-{national}"),
                shown.clone(),
                shown.replace('+', "00 "),
                shown.replace(' ', "\u{a0}").replace('-', "\u{2011}"),
            ] {
                assert_eq!(e164(&input, at), want, "{input} in {at:?}");
            }
        }
    }
}

#[test]
fn every_example_in_the_notation_of_its_own_region_is_understood() {
    let (mut formatted, mut ambiguous) = (0, HashSet::new());
    for (meta, code, national) in examples() {
        let Ok(home) = Region::parse(meta.id()) else {
            continue;
        };
        let want = Ok(one_name(*code, national));
        let mut inputs = Vec::new();
        // Without the trunk prefix it can also be a number abroad, without its
        // plus: 151 2345 6789 is a mobile in Germany, +1 512 345 6789 in Texas.
        let bare = e164(national, Some(home));
        let long = meta.national_prefix().is_none() && national.len() > 10;
        if bare == Err(PhoneError::Ambiguous) && (long || meta.national_prefix() == Some("0")) {
            ambiguous.insert(want.clone());
        } else {
            assert_eq!(bare, want, "{national} in {home}");
        }
        if let Some(trunk) = meta.national_prefix() {
            inputs.push(format!("{trunk} {national}"));
            inputs.push(format!("+{code} ({trunk}) {national}"));
            inputs.push(format!(
                "+{code} ({trunk}{}) {}",
                &national[..2],
                &national[2..]
            ));
            inputs.push(format!("+{code} {trunk}{national}"));
        }
        if let Some(abroad) = meta.preferred_international_prefix() {
            inputs.push(format!("{abroad} {code} {national}"));
        }
        // The crate misreads some numbers that begin with the trunk prefix
        // (+7 800…, +370 800…, +375 80…), and cannot format those.
        let read = phonenumber::parse_with(database(), None, want.as_ref().unwrap()).unwrap();
        if read.to_string() == *want.as_ref().unwrap() {
            formatted += 1;
            inputs.push(read.format().mode(Mode::National).to_string());
        }
        for input in inputs {
            let got = e164(&input, Some(home));
            // Written without a 0: 1860 345 1234 is Indian, and Californian.
            let bare = input.bytes().filter(u8::is_ascii_digit);
            let long = long || national.len() > 10 && bare.eq(national.bytes());
            if !(long && got == Err(PhoneError::Ambiguous)) {
                assert_eq!(got, want, "{input} in {home}");
            }
        }
    }
    assert!(formatted > 1_080, "{formatted} of {}", examples().len());
    assert!(ambiguous.len() <= 60, "{}", ambiguous.len());
}

/// A plus that became a blank, and a country code without a plus, can collide
/// with national numbers: then they are refused, never misread.
#[test]
fn an_example_without_its_plus_is_right_or_refused() {
    let mut refused = 0;
    for (meta, code, national) in examples() {
        let want = one_name(*code, national);
        let home = Region::parse(meta.id()).ok();
        for at in [None, region("BE"), region("US"), region("DE"), home] {
            // In a query string it can only be the plus.
            let query = PhoneNumber::parse_query(&format!(" {code}{national}"), at);
            assert_eq!(query.map(|n| n.e164().to_owned()).as_ref(), Ok(&want));
            // Anywhere else a blank is a blank.
            assert_eq!(
                e164(&format!(" {code}{national}"), at),
                e164(&format!("{code}{national}"), at)
            );
        }
        match e164(&format!("{code}{national}"), home) {
            Ok(got) => assert_eq!(got, want),
            Err(PhoneError::Ambiguous) => refused += 1,
            Err(PhoneError::NeedsRegion) => assert!(home.is_none()),
            Err(other) => panic!("{want} in {home:?}: {other}"),
        }
    }
    assert!(refused <= 20, "{refused}");
}

/// The zero that a spreadsheet adds is no digit of the number, and a slash, a bracket or the end of
/// a line behind the area code does not make two of it.
#[test]
fn an_example_with_a_fraction_or_a_slash_is_right_or_refused() {
    let mut parted = 0;
    for (meta, code, national) in examples() {
        let home = Region::parse(meta.id()).ok();
        let want = Ok(one_name(*code, national));
        let trunk = meta.national_prefix().unwrap_or_default();
        for at in [None, region("BE"), region("US"), region("DE"), home] {
            for plain in [
                format!("+{code}{national}"),
                format!("00{code}{national}"),
                format!("{code}{national}"),
                format!("{trunk}{national}"),
                format!("+{code} {national}"),
                format!("{trunk} {national}"),
            ] {
                for tail in [".0", ".00", ".000", ".0000", "\u{ff0e}0"] {
                    let read = e164(&format!("{plain}{tail}"), at);
                    match e164(&plain, at) {
                        // In groups it can be meant otherwise, and then it is refused.
                        Ok(number) => assert!(
                            read == Ok(number)
                                || read == Err(PhoneError::Ambiguous)
                                    && (plain.contains(' ') || plain.len() < 8),
                            "{plain}{tail} in {at:?}"
                        ),
                        Err(PhoneError::Ambiguous) => {
                            assert!(read.is_err(), "{plain}{tail} in {at:?}")
                        }
                        Err(_) => {}
                    }
                }
            }
        }
        let Ok(shown) = phonenumber::parse_with(database(), None, want.as_ref().unwrap()) else {
            continue;
        };
        let shown = shown.format().mode(Mode::National).to_string();
        if e164(&shown, home) != want {
            continue;
        }
        for (separator, signs) in [(" ", [" / ", "/"]), ("-", ["/", "\n"])] {
            for sign in signs {
                let slashed = shown.replacen(separator, sign, 1);
                let read = e164(&slashed, home);
                if read == Err(PhoneError::TwoNumbers) {
                    parted += 1;
                } else {
                    assert_eq!(read, want, "{slashed} in {home:?}");
                }
            }
        }
    }
    assert!(parted <= 5, "{parted}");
}

/// Databases often hold numbers without the plus. With as many digits as a country code and a number
/// have, they are read where nobody could mean anything else; with fewer they are not, unless the
/// region itself writes such a number in these digits (a Chinese mobile, Philippine freephone).
#[test]
fn an_example_abroad_without_its_plus_is_right_or_refused() {
    let homes: Vec<_> = metas()
        .filter_map(|(code, m)| Some((code, Region::parse(m.id()).ok()?, m.national_prefix())))
        .collect();
    let mut read = 0;
    for (_, code, national) in examples() {
        let input = format!("{code}{national}");
        let want = one_name(*code, national);
        for (home_code, home, trunk) in &homes {
            let Ok(number) = e164(&input, Some(*home)) else {
                continue;
            };
            // Within France, 508 also begins the national number of the same line.
            if home_code == code || input.starts_with('0') || (*home_code, *code) == (33, 508) {
                continue;
            }
            if number == want {
                assert!(
                    input.len() > 10 || number.starts_with(&format!("+{home_code}")),
                    "{input} in {home}"
                );
                read += 1;
                continue;
            }
            // Then it is a number of the region, as people there write it.
            let own = format!("+{home_code}");
            assert!(
                number.starts_with(&own) || one_name(33, &number[1..]) != number,
                "{input} in {home}: {number}"
            );
            if *trunk == Some("0") {
                let read = phonenumber::parse_with(database(), None, &number).unwrap();
                let shown = read.format().mode(Mode::National).to_string();
                let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
                assert_eq!(digits, input, "in {home}");
                let mobile = read.number_type(database()) == phonenumber::Type::Mobile;
                assert!(mobile || input.len() < 11, "{input} in {home}");
            }
        }
    }
    assert!(read > 100_000, "{read}");
}

#[test]
fn no_emergency_number_is_accepted_anywhere() {
    for (code, meta) in metas() {
        let home = Region::parse(meta.id()).ok();
        for short in [
            "000", "010", "015", "017", "018", "066", "100", "101", "102", "103", "104", "105",
            "106", "107", "108", "110", "111", "112", "113", "114", "115", "116", "117", "118",
            "119", "120", "122", "133", "144", "150", "155", "158", "190", "191", "192", "193",
            "197", "199", "211", "311", "411", "511", "611", "711", "811", "911", "912", "917",
            "988", "991", "992", "994", "995", "996", "997", "998", "999", "1000", "1122", "1212",
            "1300", "1414", "1669", "1818", "116000", "116111", "116117", "116123",
        ] {
            let mut inputs = vec![short.to_owned(), format!(" {short}")];
            // Six digits after a country code can be an ordinary number (Iran).
            if short.len() < 6 {
                inputs.push(format!("+{code}{short}"));
            }
            for input in inputs {
                let got = e164(&input, home);
                assert!(got.is_err(), "{input} in {home:?} is {got:?}");
            }
        }
    }
}

#[test]
fn digits_of_all_scripts_are_ten_apart() {
    assert!(typed::ZEROS.windows(2).all(|w| w[0] + 10 <= w[1]));
    for zero in typed::ZEROS {
        for value in 0..10u8 {
            let c = char::from_u32(zero + u32::from(value)).unwrap();
            assert!(c.is_numeric() || !c.is_alphabetic(), "{c:?}");
            assert_eq!(typed::decimal(c), Some(b'0' + value));
        }
    }
    assert_eq!(typed::decimal('\u{65f}'), None);
    assert_eq!(typed::decimal('\u{66a}'), None);
    assert_eq!(typed::decimal('0'), None);
}

#[test]
fn a_number_does_not_print_itself() {
    let number = PhoneNumber::parse("+32475123456", None).unwrap();
    assert_eq!(format!("{number:?}"), "PhoneNumber(+32…)");
    assert_eq!(number.e164(), "+32475123456");
    assert_eq!(number.as_bytes(), b"+32475123456");
    assert_eq!(number.international(), "+32 475 12 34 56");
    assert_eq!(number.country_code(), 32);
    assert_eq!(number.region_hint(), region("BE"));
    assert_eq!(
        PhoneNumber::parse("+80012345678", None)
            .unwrap()
            .region_hint(),
        None
    );
    assert_eq!(
        PhoneNumber::parse("+12423651234", None)
            .unwrap()
            .region_hint(),
        region("BS")
    );
    assert!(size_of::<PhoneNumber>() <= 17);
}

#[test]
fn a_region_is_read_in_small_and_capital_letters() {
    assert_eq!(Region::parse("be").unwrap().as_str(), "BE");
    assert_eq!(Region::parse("Xk").unwrap().to_string(), "XK");
    for wrong in ["", "B", "BEL", "ZZ", "001", "b3", "é", "EU", "UK"] {
        assert_eq!(Region::parse(wrong), Err(UnknownRegion), "{wrong}");
    }
}

#[test]
fn every_error_has_a_name_and_a_message_without_digits_of_a_number() {
    let all = PhoneError::ALL;
    let names: HashSet<_> = all.iter().map(|e| e.code()).collect();
    assert_eq!(names.len(), all.len());
    for error in all {
        assert!(error.code().starts_with("phone_"));
        assert!(error.to_string().len() > 30);
    }
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    assert_eq!(
        PhoneNumber::parse_bytes(b"+3247512345\xff", None),
        Err(PhoneError::NotANumber)
    );
    assert_eq!(
        PhoneNumber::parse_bytes(&[0xff; 100], None),
        Err(PhoneError::TooLong)
    );
    assert!(PhoneNumber::parse_bytes(b"+32475123456", None).is_ok());
}
