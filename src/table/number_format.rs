//! How a workbook shows a number (ECMA-376, part 1, section 18.8.30): as a date, or with zeros before
//! it. Of other forms nothing is needed to read a telephone number.

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// As it is.
    Plain,
    /// As a date, a time, or both.
    Date,
    /// With so many digits at least.
    Digits(u8),
}

impl NumberFormat {
    /// One of those that every workbook has.
    pub fn built_in(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45..=47 | 50..=58 => Self::Date,
            _ => Self::Plain,
        }
    }

    /// One that a workbook says itself.
    pub fn parse(code: &str) -> Self {
        let (mut zeros, mut digits_only) = (0_u8, true);
        let mut signs = code.chars();
        while let Some(sign) = signs.next() {
            match sign {
                // Of several forms the first one is that of a number above zero.
                ';' => break,
                '"' => {
                    let text: String = signs.by_ref().take_while(|sign| *sign != '"').collect();
                    digits_only &= text.chars().all(separates);
                }
                '\\' => digits_only &= signs.next().is_some_and(separates),
                // So much room, and a sign over and over.
                '_' | '*' => {
                    signs.next();
                    digits_only = false;
                }
                '[' => {
                    let inside: String = signs.by_ref().take_while(|sign| *sign != ']').collect();
                    // Hours, minutes or seconds that go on beyond a day.
                    let mut letters = inside.bytes();
                    if !inside.is_empty() && letters.all(|byte| b"hmsHMS".contains(&byte)) {
                        return Self::Date;
                    }
                    digits_only = false;
                }
                'd' | 'm' | 'y' | 'h' | 's' | 'D' | 'M' | 'Y' | 'H' | 'S' => return Self::Date,
                // Behind the first zero every place is filled.
                '0' => zeros = zeros.saturating_add(1),
                '#' if zeros > 0 => zeros = zeros.saturating_add(1),
                '#' => {}
                sign => digits_only &= separates(sign),
            }
        }
        match zeros {
            2.. if digits_only => Self::Digits(zeros),
            _ => Self::Plain,
        }
    }
}

/// What may stand between the digits of a telephone number and changes nothing about it.
fn separates(sign: char) -> bool {
    matches!(sign, ' ' | '\u{a0}' | '-' | '/' | '(' | ')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_with_zeros_before_them_are_told_from_the_rest() {
        for date in [
            "yyyy-mm-dd",
            "DD/MM/YY",
            "[h]:mm:ss",
            "[$-404]e\"\u{fc}\"m\"\u{fc}\"d",
            "h:mm AM/PM;@",
        ] {
            assert_eq!(NumberFormat::parse(date), NumberFormat::Date, "{date}");
        }
        for (zeros, digits) in [
            ("0000000000", 10),
            ("0#\" \"##\" \"##\" \"##\" \"##", 10),
            ("0000\\ 00\\ 00\\ 00", 10),
            ("000-000-0000", 10),
            ("00000;-0", 5),
            ("##00", 2),
        ] {
            assert_eq!(
                NumberFormat::parse(zeros),
                NumberFormat::Digits(digits),
                "{zeros}"
            );
        }
        for other in [
            "General",
            "0",
            "0.00",
            "#,##0",
            "00.0",
            "0%",
            "\\Y000000",
            "\"s\"0000",
            "000\"+\"",
            "[Red]0000",
            "[<=9999999]###-####;(###) ###-####",
            "_(* #,##0_)",
            "0.00E+00",
            "@",
            "\"",
            "\\",
        ] {
            assert_eq!(NumberFormat::parse(other), NumberFormat::Plain, "{other}");
        }
    }
}
