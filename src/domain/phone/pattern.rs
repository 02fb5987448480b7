//! The small regular language in which numbering plans are written.
//!
//! The metadata describes each kind of number by a pattern of digits,
//! classes, groups, alternatives and bounded repetition. That much is a
//! finite language, so it fits an automaton that needs no regex engine.
//! Anything else is not understood and [`parse`] says so with `None`.

use std::iter::Peekable;
use std::str::Chars;

/// All ten digits, one bit each.
pub(super) const ANY_DIGIT: u16 = 0x3ff;

/// A parsed pattern.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// One digit out of a set; bit `d` stands for digit `d`.
    Digit(u16),
    /// One after the other.
    Sequence(Vec<Pattern>),
    /// Any one of these.
    Either(Vec<Pattern>),
    /// Between so many and so many times.
    Repeat(Box<Pattern>, u8, u8),
}

/// Reads a pattern; `None` for anything outside the small language.
pub(super) fn parse(text: &str) -> Option<Pattern> {
    // The metadata is laid out over several lines; blanks mean nothing.
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut rest = bare.chars().peekable();
    let pattern = either(&mut rest)?;
    rest.next().is_none().then_some(pattern)
}

fn either(rest: &mut Peekable<Chars<'_>>) -> Option<Pattern> {
    let mut choices = vec![sequence(rest)?];
    while rest.next_if_eq(&'|').is_some() {
        choices.push(sequence(rest)?);
    }
    Some(match choices.len() {
        1 => choices.remove(0),
        _ => Pattern::Either(choices),
    })
}

fn sequence(rest: &mut Peekable<Chars<'_>>) -> Option<Pattern> {
    let mut parts = Vec::new();
    while let Some(&c) = rest.peek() {
        if matches!(c, '|' | ')') {
            break;
        }
        let one = atom(rest)?;
        parts.push(repeated(one, rest)?);
    }
    Some(Pattern::Sequence(parts))
}

fn atom(rest: &mut Peekable<Chars<'_>>) -> Option<Pattern> {
    match rest.next()? {
        c @ '0'..='9' => Some(Pattern::Digit(bit(c))),
        '\\' => (rest.next()? == 'd').then_some(Pattern::Digit(ANY_DIGIT)),
        '[' => class(rest),
        '(' => {
            if rest.next_if_eq(&'?').is_some() && rest.next()? != ':' {
                return None;
            }
            let inner = either(rest)?;
            (rest.next()? == ')').then_some(inner)
        }
        _ => None,
    }
}

fn class(rest: &mut Peekable<Chars<'_>>) -> Option<Pattern> {
    let mut set = 0;
    loop {
        match rest.next()? {
            ']' => return (set != 0).then_some(Pattern::Digit(set)),
            low @ '0'..='9' => {
                let high = match rest.next_if_eq(&'-') {
                    Some(_) => rest.next().filter(char::is_ascii_digit)?,
                    None => low,
                };
                for digit in low..=high {
                    set |= bit(digit);
                }
            }
            _ => return None,
        }
    }
}

fn repeated(one: Pattern, rest: &mut Peekable<Chars<'_>>) -> Option<Pattern> {
    if rest.next_if_eq(&'?').is_some() {
        return Some(Pattern::Repeat(Box::new(one), 0, 1));
    }
    if rest.next_if_eq(&'{').is_none() {
        return Some(one);
    }
    let least = count(rest)?;
    let most = match rest.next()? {
        '}' => least,
        ',' => {
            let most = count(rest)?;
            (rest.next()? == '}').then_some(most)?
        }
        _ => return None,
    };
    (least <= most).then(|| Pattern::Repeat(Box::new(one), least, most))
}

fn count(rest: &mut Peekable<Chars<'_>>) -> Option<u8> {
    let mut text = String::new();
    while let Some(c) = rest.next_if(char::is_ascii_digit) {
        text.push(c);
    }
    text.parse().ok()
}

/// The bit of an ASCII digit.
fn bit(digit: char) -> u16 {
    1 << (digit as u32 - '0' as u32)
}
