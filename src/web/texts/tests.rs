//! What holds for all texts.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_under(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")
}

/// The folders of texts: this one, and one for each subject.
fn subjects() -> Vec<PathBuf> {
    let all = web().join("texts");
    let below = fs::read_dir(&all)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = below.filter(|path| path.is_dir()).collect();
    folders.push(all);
    folders
}

/// A language's file with every text on the line of its name, however it was formatted.
fn source_in(subject: &Path, language: &str) -> String {
    let source = fs::read_to_string(subject.join(format!("{language}.rs"))).unwrap();
    source.lines().fold(String::new(), |mut all, line| {
        if all.ends_with(':') && line.trim_start().starts_with('"') {
            all.push(' ');
            all.push_str(line.trim_start());
        } else {
            all.push('\n');
            all.push_str(line);
        }
        all
    })
}

/// All texts of a language.
fn source_of(language: &str) -> String {
    let sources = subjects();
    let sources = sources.iter().map(|subject| source_in(subject, language));
    sources.collect()
}

#[test]
fn every_text_is_used_on_a_page() {
    let mut users = String::new();
    let mut names = Vec::new();
    for subject in subjects() {
        let declared = fs::read_to_string(subject.join("mod.rs")).unwrap();
        let (_, fields) = declared.split_once("Texts {").unwrap();
        let (fields, rest) = fields.split_once("\n}\n").unwrap();
        users.push_str(rest);
        let fields = fields.lines().filter_map(|line| {
            let name = line.trim().strip_prefix("pub ")?.split(':').next()?;
            Some(name.to_owned())
        });
        names.extend(fields);
    }
    for path in files_under(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path()) {
        if !path.starts_with(web().join("texts")) {
            users.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
    names.retain(|name| {
        !users.match_indices(&format!(".{name}")).any(|(at, found)| {
            !users[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    });
    assert!(names.is_empty(), "not used anywhere: {names:?}");
}

#[test]
fn every_language_has_the_same_placeholders_in_every_text() {
    let places = |subject: &Path, language: &str| -> Vec<(String, Vec<String>)> {
        let source = source_in(subject, language);
        let mut texts: Vec<(String, Vec<String>)> = Vec::new();
        for line in source.lines().map(|line| line.replace("\\u{a0}", " ")) {
            let Some((name, text)) = line.trim().split_once(": \"") else {
                continue;
            };
            let mut names: Vec<_> = text
                .split('{')
                .skip(1)
                .filter_map(|rest| Some(rest.split_once('}')?.0.replace("hh", "h")))
                .collect();
            names.sort();
            texts.push((name.to_owned(), names));
        }
        texts
    };
    let mut found = 0;
    for subject in subjects() {
        let english = places(&subject, "en");
        found += english.len();
        for language in ["nl", "fr", "de"] {
            assert_eq!(places(&subject, language), english, "{language}");
        }
    }
    assert!(found > 130, "only {found} texts found");
}

#[test]
fn texts_are_written_with_care() {
    for language in Language::ALL {
        let source = source_of(language.code());
        for line in source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            assert!(!line.contains('\''), "straight apostrophe: {line}");
            assert!(
                !line.contains('<') && !line.contains('&'),
                "HTML in a text: {line}"
            );
            let Some((_, text)) = line.split_once(": \"") else {
                continue;
            };
            assert!(!text.contains("  "), "two blanks: {line}");
            if language == Language::Fr {
                for sign in [" ?", " !", " ;", " :", " »", "« "] {
                    assert!(!text.contains(sign), "needs a no-break space: {line}");
                }
            }
        }
    }
}

#[test]
fn every_phone_error_names_a_number_to_follow() {
    for language in Language::ALL {
        for error in PhoneError::ALL {
            assert!(
                language
                    .texts()
                    .phone_error(error)
                    .contains("+32 475 12 34 56")
            );
        }
    }
}

#[test]
fn how_far_back_a_finding_looks_is_said_wherever_nobody_asked() {
    let days = crate::service::report::LOOK_BACK_DAYS.to_string();
    for language in Language::ALL {
        let (report, console) = (&language.texts().report, &language.texts().console);
        for text in [
            report.not_asked,
            console.short_not_asked,
            console.agencies_unasked_title,
            console.agencies_unasked,
            console.figures_nobody,
        ] {
            assert!(text.contains(&days), "{text}");
        }
    }
}

#[test]
fn waiting_times_are_said_in_units_a_person_uses() {
    let table = [
        (0, "1 second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (3540, "59 minutes"),
        (3541, "1 hour"),
        (3601, "2 hours"),
    ];
    for (seconds, expected) in table {
        assert_eq!(EN.wait(seconds), expected);
    }
    assert_eq!(NL.hours(24), "24 uur");
    assert_eq!(FR.hours(1), "1 heure");
}
