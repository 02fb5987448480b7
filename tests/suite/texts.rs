//! What people read: every text in every language is spelled right, in words that people use, and
//! in sentences of a length that one can follow.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LANGUAGES: [(&str, &str); 4] = [
    ("nl", "nl_NL"),
    ("fr", "fr"),
    ("de", "de_DE"),
    ("en", "en_GB"),
];

/// The longest sentence, in words.
const LONGEST: usize = 25;

/// A text, and where it stands.
struct Text {
    place: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, into),
            false => into.push(path),
        }
    }
}

/// Every text of a language: the constants of the pages and letters, and the pages of explanation.
fn texts(language: &str) -> Vec<Text> {
    let mut all = Vec::new();
    files(&root().join("src"), &mut all);
    all.sort();
    let mut texts = Vec::new();
    for path in all {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        let source = || std::fs::read_to_string(&path).unwrap();
        if name == format!("{language}.rs") {
            let literals = literals(&source()).into_iter();
            texts.extend(literals.map(|(line, text)| Text {
                place: format!("{place}:{line}"),
                text,
            }));
        } else if name == format!("{language}.md") {
            let source = source();
            let lines = source.lines().enumerate();
            // What is typed into a machine is no language.
            let spoken = lines.filter(|(_, line)| !line.starts_with("    "));
            texts.extend(spoken.map(|(line, text)| Text {
                place: format!("{place}:{}", line + 1),
                text: without_code(text),
            }));
        }
    }
    for text in &mut texts {
        text.text = without_placeholders(&text.text);
    }
    let many = texts.iter().filter(|text| !text.text.is_empty()).count();
    assert!(many > 200, "only {many} texts of {language} found");
    texts
}

/// The string literals of a source file, each with its line.
fn literals(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        let mut chars = line.chars().peekable();
        let mut open: Option<String> = None;
        while let Some(c) = chars.next() {
            match (c, &mut open) {
                ('"', None) => open = Some(String::new()),
                ('"', Some(text)) => {
                    found.push((number + 1, std::mem::take(text)));
                    open = None;
                }
                ('\\', Some(text)) => match chars.next() {
                    Some('u') => {
                        let digits: String =
                            chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                        let code = u32::from_str_radix(&digits, 16).unwrap();
                        text.push(char::from_u32(code).unwrap());
                    }
                    Some('n') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => panic!("a literal goes over lines: {line}"),
                },
                (c, Some(text)) => text.push(c),
                (_, None) => {}
            }
        }
        assert!(open.is_none(), "a literal goes over lines: {line}");
    }
    found
}

fn without_placeholders(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push('§');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// Without what stands between backquotes.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("§")
}

/// The words of a text, for a dictionary: no numbers, no addresses, no placeholders.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "\u{a0}/()[]“”„«»…:;!?*#>|".contains(c))
        .map(|word| word.trim_matches(|c: char| ".,-–‘’'".contains(c)))
        .filter(|word| !word.is_empty() && !word.contains(|c: char| "§@+=&_<".contains(c)))
        .filter(|word| !word.contains(|c: char| c.is_ascii_digit()) && !word.contains('.'))
}

fn list(name: &str) -> Vec<String> {
    let path = root().join("tests/words").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    let mut sorted = lines.clone();
    sorted.sort();
    assert_eq!(lines, sorted, "{name} is sorted");
    lines
}

/// The words that a dictionary does not know.
fn unknown_to(dictionary: &str, words: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut hunspell = Command::new("hunspell");
    let mut process = hunspell
        .args(["-d", dictionary, "-i", "UTF-8", "-l"])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this needs hunspell: run tests/run, which installs it");
    let mut input = process.stdin.take().unwrap();
    let text: String = words.iter().map(|word| format!("{word}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        output.status.success(),
        "hunspell has no dictionary {dictionary}: run tests/run, which installs it"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_word_is_spelled_right() {
    let mut wrong = Vec::new();
    for (language, dictionary) in LANGUAGES {
        let texts = texts(language);
        let mut places: BTreeMap<String, &str> = BTreeMap::new();
        for text in &texts {
            for word in words(&text.text) {
                // Dictionaries know the straight apostrophe.
                places.entry(word.replace('’', "'")).or_insert(&text.place);
            }
        }
        let all: BTreeSet<&str> = places.keys().map(String::as_str).collect();
        let unknown = unknown_to(dictionary, &all);
        let ours = list(&format!("{language}.txt"));
        for word in &unknown {
            if !ours.contains(word) {
                let place = places
                    .iter()
                    .find(|(known, _)| known.contains(word.as_str()));
                let place = place.map_or("", |(_, place)| place);
                wrong.push(format!("{language}: {word} ({place})"));
            }
        }
        for word in &ours {
            if !unknown.contains(word) {
                wrong.push(format!("{language}.txt: {word} need not stand there"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_text_blames_explains_with_jargon_or_allows_a_call() {
    let mut wrong = Vec::new();
    for (language, _) in LANGUAGES {
        let banned = list(&format!("banned-{language}.txt"));
        for text in texts(language) {
            let said = format!(
                " {} ",
                text.text
                    .to_lowercase()
                    .split(|c: char| !c.is_alphanumeric() && c != '’' && c != '-')
                    .collect::<Vec<_>>()
                    .join(" ")
            );
            for phrase in &banned {
                if said.contains(&format!(" {phrase} ")) {
                    wrong.push(format!("{}: “{phrase}” in: {}", text.place, text.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_sentence_is_longer_than_one_can_follow() {
    let mut wrong = Vec::new();
    for (language, _) in LANGUAGES {
        for text in texts(language) {
            for sentence in text.text.split(['.', '?', '!']) {
                let count = sentence.split_whitespace().count();
                if count > LONGEST {
                    wrong.push(format!("{}: {count} words: {sentence}", text.place));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals_are_read_as_the_compiler_reads_them() {
    let source = "// \"no\"\n    title: \"On m’a dit\\u{a0}: \\\"non\\\"\", // \"no\"\n";
    let found = literals(source);
    assert_eq!(found[0], (2, "On m’a dit\u{a0}: \"non\"".to_owned()));
    let said: Vec<_> = words("Vous, là : « +32 475 » ou x@y.be, n’est-ce pas ?").collect();
    assert_eq!(said, ["Vous", "là", "ou", "n’est-ce", "pas"]);
}
