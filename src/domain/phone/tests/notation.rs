//! Digits without a plus, regions of rows, and lines with several names.

use super::*;

/// MSISDNs are written without a plus; many a German one is a landline's number, too.
#[test]
fn digits_of_which_it_is_said_begin_with_the_country_code() {
    let told = |region: Option<Region>| Notation {
        region,
        international: true,
    };
    for (input, at, want) in [
        ("491701234007", region("DE"), "+491701234007"),
        ("4915112340078", region("DE"), "+4915112340078"),
        ("49 163 1234007", region("DE"), "+491631234007"),
        ("491631234007.0", region("DE"), "+491631234007"),
        ("32470123456", None, "+32470123456"),
        ("13145210091", region("CN"), "+13145210091"),
        ("390612345678", region("IT"), "+390612345678"),
        // No country code begins with a zero.
        ("0470 12 34 56", region("BE"), "+32470123456"),
        ("0032 470 12 34 56", region("BE"), "+32470123456"),
        ("+32 470 12 34 56", region("DE"), "+32470123456"),
    ] {
        let read = PhoneNumber::parse(input, told(at)).map(|n| n.e164().to_owned());
        assert_eq!(read.as_deref(), Ok(want), "{input} in {at:?}");
    }
    for (input, at, why) in [
        ("470123456", region("BE"), PhoneError::NotValid),
        ("0470123456", None, PhoneError::NeedsRegion),
        ("32112", region("BE"), PhoneError::EmergencyOrShort),
    ] {
        assert_eq!(PhoneNumber::parse(input, told(at)), Err(why), "{input}");
    }
    assert_eq!(
        e164("491701234007", region("DE")),
        Err(PhoneError::Ambiguous)
    );
}

/// Without their 0, long service numbers of a country look like numbers of North America without their
/// plus. Its mobiles do, too, but that is how everybody there writes them: to refuse those would refuse
/// 55 of 100 Chinese and 16 of 100 Brazilian mobiles.
#[test]
fn long_digits_that_are_a_number_here_and_abroad_are_read_only_as_a_mobile() {
    for (input, at, want) in [
        ("15002347198", "CN", Ok("+8615002347198")),
        ("33912345678", "BR", Ok("+5533912345678")),
        ("84912345678", "RU", Ok("+74912345678")),
        ("18002345678", "IN", Err(PhoneError::Ambiguous)),
        ("1800 234 5678", "NP", Err(PhoneError::Ambiguous)),
        ("1800-234-5678", "PH", Err(PhoneError::Ambiguous)),
        ("1800 234 5678", "EC", Err(PhoneError::Ambiguous)),
        ("80012345678", "AE", Err(PhoneError::Ambiguous)),
        ("+91 1800 234 5678", "IN", Ok("+9118002345678")),
        ("0 1800 234 5678", "IN", Ok("+9118002345678")),
    ] {
        assert_eq!(
            e164(input, region(at)).as_deref(),
            want.as_ref().copied(),
            "{input} in {at}"
        );
    }
}

#[test]
fn the_region_of_a_row_is_two_letters_or_a_country_code() {
    for (cell, want) in [
        ("BE", "BE"),
        (" be ", "BE"),
        ("32", "BE"),
        ("+32", "BE"),
        ("0032", "BE"),
        ("32.0", "BE"),
        ("1", "US"),
        ("44", "GB"),
        ("7", "RU"),
        ("39", "IT"),
        ("262", "RE"),
        ("383", "XK"),
    ] {
        assert_eq!(Region::parse_cell(cell).unwrap().as_str(), want, "{cell}");
    }
    for wrong in [
        "", " ", "+", "0", "UK", "800", "881", "99", "3.2", "-32", "99999999", "1-242",
    ] {
        assert_eq!(Region::parse_cell(wrong), Err(UnknownRegion), "{wrong}");
    }
}

/// Without a region, too: but what anybody writes for a number at home is not taken for another.
#[test]
fn digits_without_a_region_are_read_where_they_can_only_be_international() {
    for (_, code, national) in examples() {
        let input = format!("{code}{national}");
        match e164(&input, None) {
            Ok(number) => assert_eq!(number, one_name(*code, national)),
            Err(why) => assert!(
                matches!(why, PhoneError::NeedsRegion | PhoneError::EmergencyOrShort),
                "{input}: {why}"
            ),
        }
    }
    for (input, want) in [
        ("32470123456", Ok("+32470123456")),
        ("4915112340078", Ok("+4915112340078")),
        ("442079460006", Ok("+442079460006")),
        ("12025550123", Ok("+12025550123")),
        ("32470123456.0", Ok("+32470123456")),
        // A mobile of China, of Brazil, of Russia, too.
        ("13145210091", Err(PhoneError::NeedsRegion)),
        ("41912345678", Err(PhoneError::NeedsRegion)),
        ("84912345678", Err(PhoneError::NeedsRegion)),
        ("4721234567", Err(PhoneError::NeedsRegion)),
        ("470123456", Err(PhoneError::NeedsRegion)),
        ("0470123456", Err(PhoneError::NeedsRegion)),
    ] {
        assert_eq!(
            e164(input, None).as_deref(),
            want.as_ref().copied(),
            "{input}"
        );
    }
    // Which regions write long numbers without the 0 that they dial.
    let mut without: Vec<_> = examples()
        .iter()
        .filter(|(meta, _, national)| {
            meta.national_prefix() == Some("0") && national.len() > 10 && !national.starts_with('0')
        })
        .filter(|(_, code, national)| {
            let read =
                phonenumber::parse_with(database(), None, format!("+{code}{national}")).unwrap();
            let shown = read.format().mode(Mode::National).to_string();
            let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
            digits == *national
        })
        .map(|(meta, ..)| meta.id())
        .collect();
    let listed = reading::WITHOUT_ZERO.map(|id| std::str::from_utf8(id).unwrap());
    without.sort_unstable();
    without.dedup();
    assert_eq!(without, listed);
}

/// An opt-out by one of its names holds for all of them.
#[test]
fn a_line_has_one_name_however_it_is_dialled() {
    for (at, names) in [
        (
            "AR",
            &[
                "+54 9 11 2345 6789",
                "+54 11 2345 6789",
                "+54 11 15 2345 6789",
                "011 15-2345-6789",
                "011 2345-6789",
            ][..],
        ),
        (
            "FR",
            &["+262 262 30 00 71", "0262 30 00 71", "+33 262 30 00 71"],
        ),
        ("FR", &["+262 639 60 00 71", "0639 60 00 71"]),
        ("FR", &["+508 41 00 71", "0508 41 00 71"]),
        (
            "FR",
            &["+262 9479 01234", "09 47 90 12 34", "+33 9 47 90 12 34"],
        ),
        ("FR", &["+590 9475 01234", "09 47 50 12 34"]),
        ("FR", &["+596 9397 01234", "09 39 70 12 34"]),
        (
            "IL",
            &["+970 599 123 456", "+972 599 123 456", "0599 123 456"],
        ),
        ("IL", &["+970 56 123 4567", "+972 56 123 4567"]),
        ("IL", &["+970 2 222 3456", "+972 2 222 3456", "02-222-3456"]),
        ("IL", &["+970 8 282 3456", "+972 8 282 3456"]),
        ("MC", &["+383 44 123 456", "+377 44 123 456", "44 12 34 56"]),
        ("MC", &["+383 45 123 456", "+377 45 123 456"]),
        ("SI", &["+383 43 123 456", "+386 43 123 456", "043 123 456"]),
        ("SI", &["+383 49 123 456", "+386 49 123 456"]),
        ("RS", &["+383 38 223 456", "+381 38 223 456", "038 223 456"]),
        ("RS", &["+383 39 423 456", "+381 39 423 456"]),
        (
            "FR",
            &[
                "+33 800 12 34 56",
                "+262 800 12 34 56",
                "+590 800 12 34 56",
                "+594 800 12 34 56",
                "+596 800 12 34 56",
                "+508 800 12 34 56",
                "0800 12 34 56",
            ],
        ),
        (
            "RE",
            &["+33 810 12 34 56", "+262 810 12 34 56", "0810 12 34 56"],
        ),
        (
            "IT",
            &["+378 0549 882000", "+39 0549 882000", "0549 882000"],
        ),
        (
            "SM",
            &["+378 0549 882000", "+378 882000", "882000", "0549 882000"],
        ),
        (
            "GA",
            &[
                "+241 66 12 34 56",
                "+241 066 12 34 56",
                "+241 06 12 34 56",
                "+241 6 12 34 56",
                "066 12 34 56",
                "06 12 34 56",
            ],
        ),
        (
            "GA",
            &[
                "+241 11 44 12 34",
                "+241 01 44 12 34",
                "011 44 12 34",
                "01 44 12 34",
            ],
        ),
        ("GA", &["+241 03 12 34 56", "+241 3 12 34 56"]),
        (
            "MX",
            &[
                "+52 55 1234 5678",
                "+52 1 55 1234 5678",
                "044 55 1234 5678",
                "01 55 1234 5678",
                "55 1234 5678",
            ],
        ),
        (
            "BR",
            &[
                "+55 11 96123 4567",
                "+55 11 6123 4567",
                "(11) 6123-4567",
                "0 15 11 6123 4567",
            ],
        ),
        (
            "VN",
            &["+84 36 123 4567", "+84 166 123 4567", "0166 123 4567"],
        ),
        ("VN", &["+84 79 123 4567", "0121 123 4567"]),
        (
            "BJ",
            &["+229 01 97 12 34 56", "+229 97 12 34 56", "97 12 34 56"],
        ),
        (
            "CI",
            &["+225 07 07 12 34 56", "+225 07 12 34 56", "07 12 34 56"],
        ),
        ("CI", &["+225 05 44 12 34 56", "44 12 34 56"]),
        ("CI", &["+225 01 02 12 34 56", "02 12 34 56"]),
        (
            "CO",
            &["+57 601 755 1234", "+57 1 755 1234", "601 755 1234"],
        ),
    ] {
        let at = region(at);
        let want = e164(names[0], None);
        assert!(want.is_ok(), "{}", names[0]);
        for name in names {
            assert_eq!(e164(name, at), want, "{name}");
        }
    }
    // Both valid, and two lines.
    for own in [
        "+97223456789",
        "+97229123456",
        "+37746123456",
        "+38641123456",
        "+38111123456",
        "+262262300071",
    ] {
        assert_eq!(e164(own, None).as_deref(), Ok(own));
    }
    assert_ne!(
        e164("+33 9 70 12 34 56", None),
        e164("+262 9 70 12 34 56", None)
    );
    assert_eq!(
        e164("+972 50 234 5678", None).as_deref(),
        Ok("+972502345678")
    );
    assert_eq!(
        e164("+55 11 7123 4567", None).as_deref(),
        Ok("+551171234567")
    );
    let renamed = metas().filter(|(code, _)| other_names::OTHER_NAMES.contains(code));
    assert!(renamed.count() >= other_names::OTHER_NAMES.len());
}
