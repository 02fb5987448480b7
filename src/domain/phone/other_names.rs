//! Numbers that are another name of the same line, and the one name that it
//! has here: an opt-out must hold by whichever of them it is asked about.
//!
//! Some are dialled in two ways at any time, others were renumbered by a rule
//! that gives each old number one new one. A name that has come out of here is
//! never another name itself.

use super::plan::{MAX_DIGITS, Plan};

/// The country codes of which [`other_name`] knows some.
pub(super) const OTHER_NAMES: [u16; 19] = [
    33, 39, 52, 54, 55, 57, 84, 225, 229, 241, 262, 377, 381, 386, 508, 590, 594, 596, 972,
];

/// The one name of a line: its digits, country code first.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherName {
    digits: [u8; MAX_DIGITS],
    len: usize,
}

impl OtherName {
    /// `None` if there are too many digits.
    fn new(parts: [&[u8]; 4]) -> Option<Self> {
        let mut name = Self {
            digits: [0; MAX_DIGITS],
            len: 0,
        };
        for part in parts {
            let end = name.len + part.len();
            name.digits.get_mut(name.len..end)?.copy_from_slice(part);
            name.len = end;
        }
        Some(name)
    }

    /// Its first three digits as a number.
    fn code(&self) -> u16 {
        let digits = self.digits().iter().take(3);
        digits.fold(0, |code, digit| code * 10 + u16::from(digit - b'0'))
    }

    /// The digits.
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.len]
    }
}

/// The one name of a line, where a national number behind a country code is
/// another name of it.
pub(super) fn other_name(plan: &Plan, code: u16, national: &[u8]) -> Option<OtherName> {
    let valid =
        |parts: [&[u8]; 4]| OtherName::new(parts).filter(|name| plan.has_form(name.digits()));
    match (code, national) {
        (33, _) => overseas(plan, national),
        // San Marino is dialled from Italy as an area of its own, and has a code of its own (ITU-T
        // E.164, list of country codes: 378).
        (39, [b'0', b'5', b'4', b'9', ..]) => valid([b"378", national, b"", b""]),
        // The 1, and the prefixes for calls within the country, have ended on 3 August 2019 (IFT,
        // Plan Técnico Fundamental de Numeración).
        (
            52,
            [b'1', rest @ ..] | [b'0', b'1', rest @ ..] | [b'0', b'4', b'4' | b'5', rest @ ..],
        ) if rest.len() == 10 => valid([b"52", rest, b"", b""]),
        // The 9 is dialled from abroad to reach a mobile; no fixed line has the same number (ENACOM,
        // Plan Fundamental de Numeración Nacional). Those that have no form without stay as they are.
        (54, [b'9', rest @ ..]) if rest.len() == 10 => valid([b"54", rest, b"", b""]),
        // Mobile numbers got a 9 from 2012 to 2016 (Anatel, Resolução 553/2010); those that begin
        // with 7 did not all.
        (55, [first, second, b'6' | b'8' | b'9', ..]) if national.len() == 10 => {
            valid([b"55", &[*first, *second], b"9", &national[2..]])
        }
        // Fixed lines got a 60 on 1 September 2021 (CRC, Resolución 5826 de 2019).
        (57, [b'1'..=b'8', ..]) if national.len() == 8 => valid([b"57", b"60", national, b""]),
        (84, [b'1', first, second, ..]) if national.len() == 10 => {
            valid([b"84", vietnamese(*first, *second)?, &national[3..], b""])
        }
        (225, _) if national.len() == 8 => valid([b"225", ivorian(national)?, national, b""]),
        // All numbers got a 01 on 30 November 2024 (ARCEP Bénin).
        (229, _) if national.len() == 8 => valid([b"229", b"01", national, b""]),
        (241, [b'0', rest @ ..]) if national.len() == 8 => gabonese(plan, rest),
        // What became of 03 is not known; at least its forms with and without 0 are one.
        (241, [b'3', ..]) if national.len() == 7 => valid([b"241", b"0", national, b""]),
        (241, _) if national.len() == 7 => gabonese(plan, national),
        // Numbers of 08 belong to no territory: the plan has them once for all of France (ARCEP,
        // décision 2018-0881, annexe 1, 2.4: numéros spéciaux).
        (262 | 508 | 590 | 594 | 596, [b'8', ..]) if national.len() == 9 => {
            valid([b"33", national, b"", b""])
        }
        (262 | 590 | 594 | 596, [b'9', ..] | [b'7', b'0', b'9', ..]) => {
            first_overseas(plan, national).filter(|name| name.code() != code)
        }
        // Kosovo's numbers kept their digits when they got a country code of their own, in 2016 to 2019;
        // some are still reached by the codes of Monaco, Slovenia and Serbia (ITU-T, national numbering
        // plan for country code 383; libphonenumber has the mobiles in both).
        (377, [b'4', b'4' | b'5', ..])
        | (381, [b'2', b'8' | b'9', ..] | [b'3', b'8' | b'9', ..])
        | (386, [b'4', b'3' | b'9', ..])
            if national.len() == 8 =>
        {
            valid([b"383", national, b"", b""])
        }
        // Palestinian mobiles are reached by the code of Israel as well (libphonenumber has them in
        // both), and so are the landlines: their blocks, 2 behind the area code, are of Israel's plan
        // (World Telephone Numbering Guide, 970).
        (972, [b'5', b'6' | b'9', ..]) => valid([b"970", national, b"", b""]),
        (972, [b'2' | b'4' | b'8' | b'9', b'2', ..]) if national.len() == 8 => {
            valid([b"970", national, b"", b""])
        }
        _ => None,
    }
}

/// Lines overseas that are dialled from mainland France as numbers of its own plan: 0262, 0263,
/// 0269, 0508, 0590, 0594, 0596, the mobile numbers beside them, and those of 09 and 0709 that are
/// theirs (ARCEP's numbering plan). Behind +33 some have the form of valid numbers, but it is one
/// line, and it has one international number.
fn overseas(plan: &Plan, national: &[u8]) -> Option<OtherName> {
    let area = national.get(..3).filter(|_| national.len() == 9)?;
    let code: &[u8] = match area {
        b"262" | b"263" | b"269" | b"639" | b"692" | b"693" => b"262",
        b"508" => return OtherName::new([b"508", &national[3..], b"", b""]),
        b"590" | b"690" | b"691" => b"590",
        b"594" | b"694" => b"594",
        b"596" | b"696" | b"697" => b"596",
        [b'9', ..] | b"709" => return first_overseas(plan, national),
        _ => return None,
    };
    OtherName::new([code, national, b"", b""])
}

/// Some numbers have the form of several territories' (those of Guadeloupe are told least exactly):
/// the French plan has each once.
fn first_overseas(plan: &Plan, national: &[u8]) -> Option<OtherName> {
    let codes = [b"262", b"594", b"596", b"590"];
    let mut names = codes
        .iter()
        .filter_map(|code| OtherName::new([*code, national, b"", b""]));
    names.find(|name| plan.has_form(name.digits()))
}

/// What became of the first three digits, 1 and these two, of a Vietnamese mobile number of ten, from
/// 15 September 2018 on (Ministry of Information and Communications).
fn vietnamese(first: u8, second: u8) -> Option<&'static [u8]> {
    Some(match [first, second] {
        [b'6', b'2'] => b"32",
        [b'6', b'3'] => b"33",
        [b'6', b'4'] => b"34",
        [b'6', b'5'] => b"35",
        [b'6', b'6'] => b"36",
        [b'6', b'7'] => b"37",
        [b'6', b'8'] => b"38",
        [b'6', b'9'] => b"39",
        [b'2', b'0'] => b"70",
        [b'2', b'1'] => b"79",
        [b'2', b'2'] => b"77",
        [b'2', b'3'] => b"83",
        [b'2', b'4'] => b"84",
        [b'2', b'5'] => b"85",
        [b'2', b'6'] => b"76",
        [b'2', b'7'] => b"81",
        [b'2', b'8'] => b"78",
        [b'2', b'9'] => b"82",
        [b'8', b'6'] => b"56",
        [b'8', b'8'] => b"58",
        [b'9', b'9'] => b"59",
        _ => return None,
    })
}

/// What was put before the eight digits of a number of Côte d'Ivoire on 31 January 2021, by the
/// operator of its block (ARTCI, plan national de numérotation).
fn ivorian(national: &[u8]) -> Option<&'static [u8]> {
    Some(match national {
        [b'2', _, b'8', ..] => b"21",
        [b'2' | b'3', _, b'0', ..] => b"25",
        [b'2' | b'3', ..] => b"27",
        [_, b'0'..=b'3', ..] => b"01",
        [_, b'4'..=b'6', ..] => b"05",
        [_, b'7'..=b'9', ..] => b"07",
        _ => return None,
    })
}

/// Gabon's numbers of before 4 June 2019, without their 0: the first digit became two (ARCEP Gabon,
/// plan national de numérotation).
fn gabonese(plan: &Plan, old: &[u8]) -> Option<OtherName> {
    let (first, rest) = old.split_first()?;
    let new: &[u8] = match first {
        b'1' => b"11",
        b'2' => b"62",
        b'4' => b"74",
        b'5' => b"65",
        b'6' => b"66",
        b'7' => b"77",
        _ => return None,
    };
    OtherName::new([b"241", new, rest, b""]).filter(|name| plan.has_form(name.digits()))
}
