//! Countries for numbers that are written without a country code, and examples of numbers.
//!
//! All of Europe, and the countries that people there most often hold numbers of. A number of any
//! other country is written with its country code. Names follow common use, not a political view.

use std::sync::LazyLock;

use super::Language;

/// A country as the choice on the form shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2 (and `XK` for Kosovo).
    pub code: &'static str,
    /// The digits after the `+`.
    pub calling_code: u16,
    /// In the order of [`Language::ALL`].
    names: [&'static str; 4],
}

impl Country {
    /// Whether this is its code (ISO 3166-1, two capital letters).
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// The country's name in a language.
    pub const fn name(&self, language: Language) -> &'static str {
        self.names[language as usize]
    }
}

/// All countries of the choice, in the alphabetical order of a language.
pub fn countries(language: Language) -> &'static [Country] {
    static SORTED: LazyLock<[Vec<Country>; 4]> = LazyLock::new(|| {
        Language::ALL.map(|language| {
            let mut sorted = COUNTRIES.to_vec();
            sorted.sort_by_key(|country| sort_key(country.name(language)));
            sorted
        })
    });
    &SORTED[language as usize]
}

/// The country with this code, if the choice has it.
pub fn country(code: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.code == code)
}

/// How people of a country write a number: in their own way (where we know a good example), and
/// with the country code. These are example numbers, not those of a known person.
pub fn example_numbers(region: &str) -> (Option<&'static str>, &'static str) {
    match region {
        "BE" => (Some("0475 12 34 56"), "+32 475 12 34 56"),
        "NL" => (Some("06 12345678"), "+31 6 12345678"),
        "FR" => (Some("06 12 34 56 78"), "+33 6 12 34 56 78"),
        "DE" => (Some("01512 3456789"), "+49 1512 3456789"),
        "LU" => (Some("628 123 456"), "+352 628 123 456"),
        "AT" => (Some("0664 123456"), "+43 664 123456"),
        "CH" => (Some("078 123 45 67"), "+41 78 123 45 67"),
        "GB" => (Some("07400 123456"), "+44 7400 123456"),
        "IE" => (Some("085 012 3456"), "+353 85 012 3456"),
        "US" => (Some("(201) 555-0123"), "+1 201-555-0123"),
        "CA" => (Some("(506) 234-5678"), "+1 506-234-5678"),
        _ => (None, "+32 475 12 34 56"),
    }
}

/// Letters with marks sort like the letter itself.
fn sort_key(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'Å' | 'Ä' | 'ä' => 'a',
            'É' | 'é' | 'è' | 'ë' => 'e',
            'Î' | 'ï' => 'i',
            'Ö' | 'ö' => 'o',
            'ü' => 'u',
            'ç' => 'c',
            _ => c.to_ascii_lowercase(),
        })
        .collect()
}

#[rustfmt::skip]
const COUNTRIES: &[Country] = &[
    Country { code: "AD", calling_code: 376, names: ["Andorra", "Andorre", "Andorra", "Andorra"] },
    Country { code: "AL", calling_code: 355, names: ["Albanië", "Albanie", "Albanien", "Albania"] },
    Country { code: "AM", calling_code: 374, names: ["Armenië", "Arménie", "Armenien", "Armenia"] },
    Country { code: "AR", calling_code: 54, names: ["Argentinië", "Argentine", "Argentinien", "Argentina"] },
    Country { code: "AT", calling_code: 43, names: ["Oostenrijk", "Autriche", "Österreich", "Austria"] },
    Country { code: "AU", calling_code: 61, names: ["Australië", "Australie", "Australien", "Australia"] },
    Country { code: "AW", calling_code: 297, names: ["Aruba", "Aruba", "Aruba", "Aruba"] },
    Country { code: "AX", calling_code: 358, names: ["Åland", "Îles Åland", "Ålandinseln", "Åland Islands"] },
    Country { code: "AZ", calling_code: 994, names: ["Azerbeidzjan", "Azerbaïdjan", "Aserbaidschan", "Azerbaijan"] },
    Country { code: "BA", calling_code: 387, names: ["Bosnië en Herzegovina", "Bosnie-Herzégovine", "Bosnien und Herzegowina", "Bosnia and Herzegovina"] },
    Country { code: "BE", calling_code: 32, names: ["België", "Belgique", "Belgien", "Belgium"] },
    Country { code: "BG", calling_code: 359, names: ["Bulgarije", "Bulgarie", "Bulgarien", "Bulgaria"] },
    Country { code: "BI", calling_code: 257, names: ["Burundi", "Burundi", "Burundi", "Burundi"] },
    Country { code: "BQ", calling_code: 599, names: ["Caribisch Nederland", "Pays-Bas caribéens", "Karibische Niederlande", "Caribbean Netherlands"] },
    Country { code: "BR", calling_code: 55, names: ["Brazilië", "Brésil", "Brasilien", "Brazil"] },
    Country { code: "BY", calling_code: 375, names: ["Belarus", "Bélarus", "Belarus", "Belarus"] },
    Country { code: "CA", calling_code: 1, names: ["Canada", "Canada", "Kanada", "Canada"] },
    Country { code: "CD", calling_code: 243, names: ["Congo-Kinshasa", "Congo-Kinshasa", "Kongo-Kinshasa", "Congo (Kinshasa)"] },
    Country { code: "CH", calling_code: 41, names: ["Zwitserland", "Suisse", "Schweiz", "Switzerland"] },
    Country { code: "CN", calling_code: 86, names: ["China", "Chine", "China", "China"] },
    Country { code: "CW", calling_code: 599, names: ["Curaçao", "Curaçao", "Curaçao", "Curaçao"] },
    Country { code: "CY", calling_code: 357, names: ["Cyprus", "Chypre", "Zypern", "Cyprus"] },
    Country { code: "CZ", calling_code: 420, names: ["Tsjechië", "Tchéquie", "Tschechien", "Czechia"] },
    Country { code: "DE", calling_code: 49, names: ["Duitsland", "Allemagne", "Deutschland", "Germany"] },
    Country { code: "DK", calling_code: 45, names: ["Denemarken", "Danemark", "Dänemark", "Denmark"] },
    Country { code: "DZ", calling_code: 213, names: ["Algerije", "Algérie", "Algerien", "Algeria"] },
    Country { code: "EE", calling_code: 372, names: ["Estland", "Estonie", "Estland", "Estonia"] },
    Country { code: "ES", calling_code: 34, names: ["Spanje", "Espagne", "Spanien", "Spain"] },
    Country { code: "FI", calling_code: 358, names: ["Finland", "Finlande", "Finnland", "Finland"] },
    Country { code: "FO", calling_code: 298, names: ["Faeröer", "Îles Féroé", "Färöer", "Faroe Islands"] },
    Country { code: "FR", calling_code: 33, names: ["Frankrijk", "France", "Frankreich", "France"] },
    Country { code: "GB", calling_code: 44, names: ["Verenigd Koninkrijk", "Royaume-Uni", "Vereinigtes Königreich", "United Kingdom"] },
    Country { code: "GE", calling_code: 995, names: ["Georgië", "Géorgie", "Georgien", "Georgia"] },
    Country { code: "GF", calling_code: 594, names: ["Frans-Guyana", "Guyane française", "Französisch-Guayana", "French Guiana"] },
    Country { code: "GG", calling_code: 44, names: ["Guernsey", "Guernesey", "Guernsey", "Guernsey"] },
    Country { code: "GI", calling_code: 350, names: ["Gibraltar", "Gibraltar", "Gibraltar", "Gibraltar"] },
    Country { code: "GP", calling_code: 590, names: ["Guadeloupe", "Guadeloupe", "Guadeloupe", "Guadeloupe"] },
    Country { code: "GR", calling_code: 30, names: ["Griekenland", "Grèce", "Griechenland", "Greece"] },
    Country { code: "HR", calling_code: 385, names: ["Kroatië", "Croatie", "Kroatien", "Croatia"] },
    Country { code: "HU", calling_code: 36, names: ["Hongarije", "Hongrie", "Ungarn", "Hungary"] },
    Country { code: "IE", calling_code: 353, names: ["Ierland", "Irlande", "Irland", "Ireland"] },
    Country { code: "IL", calling_code: 972, names: ["Israël", "Israël", "Israel", "Israel"] },
    Country { code: "IM", calling_code: 44, names: ["Isle of Man", "Île de Man", "Isle of Man", "Isle of Man"] },
    Country { code: "IN", calling_code: 91, names: ["India", "Inde", "Indien", "India"] },
    Country { code: "IS", calling_code: 354, names: ["IJsland", "Islande", "Island", "Iceland"] },
    Country { code: "IT", calling_code: 39, names: ["Italië", "Italie", "Italien", "Italy"] },
    Country { code: "JE", calling_code: 44, names: ["Jersey", "Jersey", "Jersey", "Jersey"] },
    Country { code: "JP", calling_code: 81, names: ["Japan", "Japon", "Japan", "Japan"] },
    Country { code: "KR", calling_code: 82, names: ["Zuid-Korea", "Corée du Sud", "Südkorea", "South Korea"] },
    Country { code: "LI", calling_code: 423, names: ["Liechtenstein", "Liechtenstein", "Liechtenstein", "Liechtenstein"] },
    Country { code: "LT", calling_code: 370, names: ["Litouwen", "Lituanie", "Litauen", "Lithuania"] },
    Country { code: "LU", calling_code: 352, names: ["Luxemburg", "Luxembourg", "Luxemburg", "Luxembourg"] },
    Country { code: "LV", calling_code: 371, names: ["Letland", "Lettonie", "Lettland", "Latvia"] },
    Country { code: "MA", calling_code: 212, names: ["Marokko", "Maroc", "Marokko", "Morocco"] },
    Country { code: "MC", calling_code: 377, names: ["Monaco", "Monaco", "Monaco", "Monaco"] },
    Country { code: "MD", calling_code: 373, names: ["Moldavië", "Moldavie", "Moldau", "Moldova"] },
    Country { code: "ME", calling_code: 382, names: ["Montenegro", "Monténégro", "Montenegro", "Montenegro"] },
    Country { code: "MK", calling_code: 389, names: ["Noord-Macedonië", "Macédoine du Nord", "Nordmazedonien", "North Macedonia"] },
    Country { code: "MQ", calling_code: 596, names: ["Martinique", "Martinique", "Martinique", "Martinique"] },
    Country { code: "MT", calling_code: 356, names: ["Malta", "Malte", "Malta", "Malta"] },
    Country { code: "MX", calling_code: 52, names: ["Mexico", "Mexique", "Mexiko", "Mexico"] },
    Country { code: "NC", calling_code: 687, names: ["Nieuw-Caledonië", "Nouvelle-Calédonie", "Neukaledonien", "New Caledonia"] },
    Country { code: "NL", calling_code: 31, names: ["Nederland", "Pays-Bas", "Niederlande", "Netherlands"] },
    Country { code: "NO", calling_code: 47, names: ["Noorwegen", "Norvège", "Norwegen", "Norway"] },
    Country { code: "NZ", calling_code: 64, names: ["Nieuw-Zeeland", "Nouvelle-Zélande", "Neuseeland", "New Zealand"] },
    Country { code: "PF", calling_code: 689, names: ["Frans-Polynesië", "Polynésie française", "Französisch-Polynesien", "French Polynesia"] },
    Country { code: "PL", calling_code: 48, names: ["Polen", "Pologne", "Polen", "Poland"] },
    Country { code: "PM", calling_code: 508, names: ["Saint-Pierre en Miquelon", "Saint-Pierre-et-Miquelon", "St. Pierre und Miquelon", "Saint Pierre and Miquelon"] },
    Country { code: "PT", calling_code: 351, names: ["Portugal", "Portugal", "Portugal", "Portugal"] },
    Country { code: "RE", calling_code: 262, names: ["Réunion", "La Réunion", "Réunion", "Réunion"] },
    Country { code: "RO", calling_code: 40, names: ["Roemenië", "Roumanie", "Rumänien", "Romania"] },
    Country { code: "RS", calling_code: 381, names: ["Servië", "Serbie", "Serbien", "Serbia"] },
    Country { code: "RU", calling_code: 7, names: ["Rusland", "Russie", "Russland", "Russia"] },
    Country { code: "RW", calling_code: 250, names: ["Rwanda", "Rwanda", "Ruanda", "Rwanda"] },
    Country { code: "SE", calling_code: 46, names: ["Zweden", "Suède", "Schweden", "Sweden"] },
    Country { code: "SI", calling_code: 386, names: ["Slovenië", "Slovénie", "Slowenien", "Slovenia"] },
    Country { code: "SJ", calling_code: 47, names: ["Spitsbergen", "Svalbard", "Spitzbergen", "Svalbard"] },
    Country { code: "SK", calling_code: 421, names: ["Slowakije", "Slovaquie", "Slowakei", "Slovakia"] },
    Country { code: "SM", calling_code: 378, names: ["San Marino", "Saint-Marin", "San Marino", "San Marino"] },
    Country { code: "SN", calling_code: 221, names: ["Senegal", "Sénégal", "Senegal", "Senegal"] },
    Country { code: "SR", calling_code: 597, names: ["Suriname", "Suriname", "Suriname", "Suriname"] },
    Country { code: "SX", calling_code: 1, names: ["Sint-Maarten", "Saint-Martin (Pays-Bas)", "Sint Maarten", "Sint Maarten"] },
    Country { code: "TN", calling_code: 216, names: ["Tunesië", "Tunisie", "Tunesien", "Tunisia"] },
    Country { code: "TR", calling_code: 90, names: ["Turkije", "Turquie", "Türkei", "Türkiye"] },
    Country { code: "UA", calling_code: 380, names: ["Oekraïne", "Ukraine", "Ukraine", "Ukraine"] },
    Country { code: "US", calling_code: 1, names: ["Verenigde Staten", "États-Unis", "Vereinigte Staaten", "United States"] },
    Country { code: "VA", calling_code: 39, names: ["Vaticaanstad", "Vatican", "Vatikanstadt", "Vatican City"] },
    Country { code: "XK", calling_code: 383, names: ["Kosovo", "Kosovo", "Kosovo", "Kosovo"] },
    Country { code: "YT", calling_code: 262, names: ["Mayotte", "Mayotte", "Mayotte", "Mayotte"] },
    Country { code: "ZA", calling_code: 27, names: ["Zuid-Afrika", "Afrique du Sud", "Südafrika", "South Africa"] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_two_capitals_and_stands_once() {
        for (index, country) in COUNTRIES.iter().enumerate() {
            assert!(
                country.code.len() == 2 && country.code.bytes().all(|b| b.is_ascii_uppercase())
            );
            assert!(
                COUNTRIES[index + 1..]
                    .iter()
                    .all(|other| other.code != country.code)
            );
            assert!(country.names.iter().all(|name| !name.is_empty()));
        }
    }

    #[test]
    fn names_are_sorted_without_regard_to_accents() {
        for language in Language::ALL {
            let names: Vec<_> = countries(language)
                .iter()
                .map(|c| sort_key(c.name(language)))
                .collect();
            assert!(names.is_sorted());
            assert!(
                names.concat().is_ascii(),
                "a letter has no place in the order: {names:?}"
            );
        }
        let french = countries(Language::Fr);
        let place = |code| french.iter().position(|c| c.code == code);
        assert!(place("US") < place("FI"), "États-Unis stands among the E");
    }
}
