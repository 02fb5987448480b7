//! What holds for every number and every text.

use super::*;
use proptest::prelude::*;

/// The crate's rule for a valid number, with patterns that cover all of it:
/// written again, slowly, on regular expressions.
fn oracle(code: u16, national: &str) -> bool {
    fn whole(d: &Descriptor, value: &str) -> bool {
        static KNOWN: OnceLock<std::sync::Mutex<HashMap<String, regex::Regex>>> = OnceLock::new();
        let source: String = d
            .national_number()
            .as_str()
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let mut known = KNOWN.get_or_init(Default::default).lock().unwrap();
        let re = known
            .entry(source.clone())
            .or_insert_with(|| regex::Regex::new(&format!("^(?-u:{source})$")).unwrap());
        let lengths = d.possible_length();
        (lengths.is_empty() || lengths.contains(&(value.len() as u16))) && re.is_match(value)
    }
    if national.starts_with('1') && national.len() <= 4 {
        return false;
    }
    if code.to_string().len() + national.len() > 15 {
        return false;
    }
    let metas = database().by_code(&code).unwrap_or_default();
    let fits = |m: &Metadata| {
        whole(m.descriptors().general(), national) && kinds(m).iter().any(|d| whole(d, national))
    };
    if let [only] = metas[..] {
        return fits(only);
    }
    metas
        .iter()
        .find(|m| match m.leading_digits() {
            Some(re) => re.find(national).is_some_and(|found| found.start() == 0),
            None => fits(m),
        })
        .is_some_and(|m| fits(m))
}

/// Numbers near the border of validity: an example with some digits changed,
/// dropped or added.
fn mutated() -> impl Strategy<Value = (u16, String)> {
    let edit = (0..3u8, 0..16usize, 0..10u8);
    (0..examples().len(), prop::collection::vec(edit, 0..4)).prop_map(|(index, edits)| {
        let (_, code, national) = examples()[index];
        let mut digits = national.as_bytes().to_vec();
        for (what, at, digit) in edits {
            let at = at % (digits.len() + 1);
            match what {
                0 if at < digits.len() => digits[at] = b'0' + digit,
                1 if at < digits.len() && digits.len() > 1 => {
                    digits.remove(at);
                }
                _ => digits.insert(at, b'0' + digit),
            }
        }
        (code, String::from_utf8(digits).unwrap())
    })
}

fn any_region() -> impl Strategy<Value = Option<Region>> {
    (0..examples().len()).prop_map(|i| Region::parse(examples()[i].0.id()).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_path_agrees_with_the_slow_path(digits in "[+ ]?[0-9]{5,17}", at in any_region()) {
        for at in [None, at] {
            prop_assert_eq!(PhoneNumber::parse(&digits, at), PhoneNumber::parse_slowly(&digits, at.into()));
            prop_assert_eq!(
                PhoneNumber::parse_query(&digits, at),
                PhoneNumber::parse_query_slowly(&digits, at.into())
            );
        }
    }

    #[test]
    fn the_fast_path_agrees_with_the_slow_path_near_real_numbers(
        (code, national) in mutated(), at in any_region(),
    ) {
        for start in ["+", " ", "00", ""] {
            let input = format!("{start}{code}{national}");
            for at in [None, at] {
                prop_assert_eq!(PhoneNumber::parse(&input, at), PhoneNumber::parse_slowly(&input, at.into()));
            }
        }
    }

    #[test]
    fn the_automaton_agrees_with_the_regular_expressions((code, national) in mutated()) {
        let digits = format!("{code}{national}");
        let other = plan().other_name(digits.as_bytes());
        prop_assert_eq!(plan().is_valid(digits.as_bytes()), other.is_none() && oracle(code, &national));
        if let Some(name) = other {
            prop_assert!(plan().other_name(name.digits()).is_none());
        }
        // And with the crate, wherever the crate reads the same number; it
        // also takes numbers that are too long.
        if let Ok(read) = phonenumber::parse_with(database(), None, format!("+{digits}"))
            && read.to_string() == format!("+{digits}")
            && plan().is_valid(digits.as_bytes())
        {
            prop_assert!(phonenumber::is_valid_with(database(), &read));
        }
    }

    #[test]
    fn an_international_number_keeps_its_digits((code, national) in mutated(), at in any_region()) {
        // San Marino's are written without their only area, too.
        prop_assume!(code != 378);
        if let Ok(number) = PhoneNumber::parse(&format!("+{code}{national}"), at) {
            // Without what is dialled before it, and by the line's one name.
            let mut same = (0..4).filter_map(|n| Some(one_name(code, national.get(n..)?)));
            prop_assert!(same.any(|s| s == number.e164() || s.len() < 8));
        }
    }

    #[test]
    fn reading_the_canonical_form_gives_the_same_number(
        (code, national) in mutated(), at in any_region(),
    ) {
        if let Ok(number) = PhoneNumber::parse(&format!("{code}{national}"), at) {
            prop_assert_eq!(PhoneNumber::parse(number.e164(), None), Ok(number));
            prop_assert_eq!(PhoneNumber::parse(number.e164(), at), Ok(number));
            prop_assert!((8..=16).contains(&number.e164().len()));
        }
    }

    #[test]
    fn zeros_behind_a_dot_never_make_another_number(
        (code, national) in mutated(), at in any_region(), gaps in "[ .-]{0,3}", zeros in 1..5usize,
        start in "(\\+|00|0| )?", bare in any::<bool>(),
    ) {
        let digits = if bare { national } else { format!("{code}{national}") };
        let step = digits.len() / (gaps.len() + 1) + 1;
        let mut plain = start;
        for (place, part) in digits.as_bytes().chunks(step).enumerate() {
            let gap = gaps.get(place..=place).filter(|_| place > 0);
            plain += &(gap.unwrap_or_default().to_owned() + std::str::from_utf8(part).unwrap());
        }
        let dots = plain.matches('.').count();
        let amount = format!("{plain}.{}", "0".repeat(zeros));
        for at in [None, at] {
            match (PhoneNumber::parse(&plain, at), PhoneNumber::parse(&amount, at)) {
                (Ok(number), Ok(read)) if dots == 0 => prop_assert_eq!(read, number, "{}", amount),
                (Err(PhoneError::Ambiguous), read) if dots == 0 => prop_assert!(read.is_err()),
                _ => {}
            }
        }
    }

    #[test]
    fn two_numbers_never_make_a_third(
        (code, national) in mutated(), (other_code, other) in mutated(), at in any_region(),
        between in "( ?[/~;,|&] ?|\n| of | \\()", keep in 1..16usize,
    ) {
        for first in [format!("+{code}{national}"), national.clone()] {
            for second in [format!("+{other_code}{other}"), other[other.len().saturating_sub(keep)..].to_owned()] {
                if PhoneNumber::parse(&first, at).is_ok() {
                    let both = PhoneNumber::parse(&format!("{first}{between}{second}"), at);
                    prop_assert!(both.is_err(), "{}{}{}", first, between, second);
                }
            }
        }
    }

    #[test]
    fn what_stands_around_a_number_never_makes_another_of_it(
        (code, national) in mutated(), at in any_region(),
        start in prop::sample::select(vec!["+", "00", "", "0", "+("]),
        (before, behind) in prop::sample::select(vec![
            ("'", ""), ("=\"", "\""), ("\"", "\""), ("tel:", ""), ("Tel. ", ""), ("callto:", ""),
            ("sip:", "@host.example"), ("<sip:", ">"), ("An (", ")"), ("An <", ">"), ("", " (werk)"),
            ("", "\0"), ("GSM: ", " (An)"),
        ]),
    ) {
        let plain = match start {
            "+(" => format!("+{code} ({}) {}", &national[..1], &national[1..]),
            start => format!("{start}{code}{national}"),
        };
        for at in [None, at] {
            let read = PhoneNumber::parse(&format!("{before}{plain}{behind}"), at);
            prop_assert!(read.is_err() || read == PhoneNumber::parse(&plain, at), "{before}{plain}{behind}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,70}", at in any_region()) {
        let _ = PhoneNumber::parse(&text, at);
    }

    #[test]
    fn no_digits_and_marks_make_it_panic(text in "[0-9+ ()/;~\u{660}-\u{669}\u{200e}]{0,40}", at in any_region()) {
        if let Ok(number) = PhoneNumber::parse(&text, at) {
            prop_assert_eq!(PhoneNumber::parse(number.e164(), None), Ok(number));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), at in any_region()) {
        let _ = PhoneNumber::parse_bytes(&bytes, at);
    }
}
