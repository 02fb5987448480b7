//! The four languages, and how a browser asks for one.

use super::{DE, EN, FR, NL, Texts};

/// A language the pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Dutch.
    Nl,
    /// French.
    Fr,
    /// German.
    De,
    /// English.
    En,
}

impl Language {
    /// All of them, in the order of the language switch.
    pub const ALL: [Language; 4] = [Language::Nl, Language::Fr, Language::De, Language::En];

    /// The ISO 639-1 code, as in the `lang` attribute.
    pub const fn code(self) -> &'static str {
        match self {
            Language::Nl => "nl",
            Language::Fr => "fr",
            Language::De => "de",
            Language::En => "en",
        }
    }

    /// The language's name in that language.
    pub const fn name(self) -> &'static str {
        match self {
            Language::Nl => "Nederlands",
            Language::Fr => "Français",
            Language::De => "Deutsch",
            Language::En => "English",
        }
    }

    /// Every text of the pages in this language.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Language::Nl => &NL,
            Language::Fr => &FR,
            Language::De => &DE,
            Language::En => &EN,
        }
    }

    /// Reads a language tag (RFC 5646): only the first part counts, in any case, so `nl-BE` is
    /// Dutch. `None` for a language the pages do not speak.
    pub fn parse(tag: &str) -> Option<Language> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Language::ALL
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// The best language for an `Accept-Language` header (RFC 9110, section 12.5.4): the highest
    /// weight wins, and among equals the first named. `*` and weight 0 choose nothing; an
    /// unreadable weight counts as 0. `None` when nothing fits.
    pub fn from_accept_language(header: &str) -> Option<Language> {
        let mut best: Option<(u16, Language)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Language::parse) else {
                continue;
            };
            let weight = parts
                .map(str::trim)
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1000, weight);
            if weight > best.map_or(0, |(highest, _)| highest) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// A weight between 0 and 1 in thousandths; 0 when it cannot be read.
fn weight(text: &str) -> u16 {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" if fraction.bytes().all(|b| b == b'0') => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, *};

    #[test]
    fn a_tag_is_read_by_its_first_part() {
        assert_eq!(Language::parse("nl-BE"), Some(Nl));
        assert_eq!(Language::parse(" FR "), Some(Fr));
        assert_eq!(Language::parse("de_AT"), Some(De));
        assert_eq!(Language::parse("den"), None);
        assert_eq!(Language::parse(""), None);
        for language in Language::ALL {
            assert_eq!(Language::parse(language.code()), Some(language));
        }
    }

    #[test]
    fn the_browsers_wish_is_followed() {
        let table = [
            ("nl", Some(Nl)),
            ("nl-BE,nl;q=0.9,en;q=0.8", Some(Nl)),
            ("en;q=0.8, fr;q=0.9", Some(Fr)),
            ("de;q=0.5,en;q=0.5", Some(De)),
            ("es-ES,es;q=0.9,fr;q=0.3", Some(Fr)),
            ("en;q=0, de;q=0.001", Some(De)),
            ("fr ; q=0.4", Some(Fr)),
            ("nl;q=1.000,fr", Some(Nl)),
            ("nl;q=2,fr;q=0.1", Some(Fr)),
            ("nl;q=0.1234,fr;q=0.1", Some(Fr)),
            ("nl;q=0.é", None),
            ("*", None),
            ("es,pt;q=0.5", None),
            (",;,;q=", None),
            ("", None),
        ];
        for (header, expected) in table {
            assert_eq!(Language::from_accept_language(header), expected, "{header}");
        }
    }
}
