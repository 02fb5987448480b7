//! Letters in words.

use super::Desk;
use super::moment::{Clock, LocalTime};
use super::pages::{Contact, Site};
use super::texts::{Language, LetterTexts, Texts, fill};
use crate::service::letters::{Letter, Proof, ReportNews, Subject, Written};
use crate::settings::LanguageCode;

/// Puts letters into words, in the language of the person they go to.
#[derive(Debug)]
pub struct Writer {
    site: Site,
    clock: Clock,
    /// Days until the second letter, if there is one.
    days: Option<u32>,
}

impl From<LanguageCode> for Language {
    fn from(code: LanguageCode) -> Self {
        match code {
            LanguageCode::Nl => Self::Nl,
            LanguageCode::Fr => Self::Fr,
            LanguageCode::De => Self::De,
            LanguageCode::En => Self::En,
        }
    }
}

impl From<Language> for LanguageCode {
    fn from(language: Language) -> Self {
        match language {
            Language::Nl => Self::Nl,
            Language::Fr => Self::Fr,
            Language::De => Self::De,
            Language::En => Self::En,
        }
    }
}

impl Writer {
    /// Writes as the pages do: in the name of the same site, by the same clock. `days` is how long
    /// after the proof the second letter goes.
    #[must_use]
    pub fn new(desk: &Desk, days: Option<u32>) -> Self {
        Self {
            site: desk.site.clone(),
            clock: desk.clock,
            days,
        }
    }

    /// A letter, whole.
    #[must_use]
    pub fn write(&self, letter: &Letter) -> Written {
        let texts = Language::from(letter.language).texts();
        let words = texts.letters();
        let (subject, body) = match &letter.subject {
            Subject::Proof(proof) => {
                let body = self.proof(texts, proof, &letter.code);
                (words.proof_subject, body)
            }
            Subject::FollowUp => (words.quiet_subject, self.quiet(words, &letter.code)),
            Subject::News(news) => {
                let body = self.news(words, *news, &letter.code);
                (words.news_subject, body)
            }
            // Never sent: it only keeps an address.
            Subject::Resting => (words.news_subject, Vec::new()),
        };
        let mut parts = vec![words.hello.to_owned()];
        parts.extend(body);
        if let Some(Contact { text, .. }) = &self.site.contact {
            parts.push(fill(words.questions, "contact", text));
        }
        parts.push(fill(words.made_by, "site", &self.site.name));
        Written {
            subject: subject.to_owned(),
            text: parts.join("\n\n") + "\n",
        }
    }

    fn proof(&self, texts: &Texts, proof: &Proof, code: &str) -> Vec<String> {
        let words = texts.letters();
        let since = LocalTime::new(proof.since, self.clock);
        let companies = match &proof.companies {
            None => texts.companies_all.to_owned(),
            Some(names) => list(names.iter().map(String::as_str)),
        };
        let channels = [
            (proof.voice, texts.channel_voice),
            (proof.text, texts.channel_text),
        ];
        let channels = channels
            .into_iter()
            .filter_map(|(wanted, name)| wanted.then_some(name));
        let facts = [
            (
                texts.label_since,
                format!("{}\n  {}", since.words_with_zone(texts), since.exact(texts)),
            ),
            (
                texts.label_numbers,
                list(proof.numbers.iter().map(String::as_str)),
            ),
            (texts.label_companies, companies),
            (texts.label_channels, list(channels)),
            (words.proof_code, code.to_owned()),
        ];
        let facts: Vec<_> = facts
            .into_iter()
            .map(|(label, value)| format!("{label}\n  {value}"))
            .collect();
        let then = match self.days {
            Some(days) => fill(words.proof_then, "days", &words.days(days)),
            None => words.proof_once.to_owned(),
        };
        vec![
            words.proof_intro.to_owned(),
            facts.join("\n\n"),
            words.proof_keep.to_owned(),
            format!("{}\n{}", words.proof_back, self.address("/registration")),
            then,
            words.proof_stranger.to_owned(),
        ]
    }

    fn quiet(&self, words: &LetterTexts, code: &str) -> Vec<String> {
        vec![
            words.quiet_intro.to_owned(),
            words.quiet_yes.to_owned(),
            format!("{}\n{}", words.quiet_no, self.link("report", code)),
            words.link_is_yours.to_owned(),
            words.quiet_end.to_owned(),
        ]
    }

    fn news(&self, words: &LetterTexts, news: ReportNews, code: &str) -> Vec<String> {
        let what = match news {
            ReportNews::Answered => words.news_answered,
            ReportNews::Overdue => words.news_overdue,
        };
        vec![
            what.to_owned(),
            format!("{}\n{}", words.news_link, self.link("reports", code)),
            words.link_is_yours.to_owned(),
            words.news_end.to_owned(),
        ]
    }

    /// To a page of theirs. The code stands behind the `#`, which no browser sends to a server.
    fn link(&self, next: &str, code: &str) -> String {
        self.address(&format!("/registration?next={next}#{code}"))
    }

    fn address(&self, path: &str) -> String {
        let address = self.site.address.as_deref().unwrap_or_default();
        format!("{address}{path}")
    }
}

/// One a line, set in.
fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::privacy::SecretKey;
    use crate::settings::{Overrides, Settings};

    fn written(language: &str, subject: serde_json::Value) -> Written {
        let mut settings = Settings::load(None, &Overrides::default()).unwrap();
        settings.http.public_url = "https://dnc.example/".to_owned();
        settings.web.contact = "mailto:help@dnc.example".to_owned();
        settings.web.name = "Laat me met rust".to_owned();
        let desk = Desk::new(&settings, |_| SecretKey::generate());
        let letter = json!({
            "to": "an@example.org", "language": language, "code": "0000-1111-2222-3333",
            "form": "", "subject": subject,
        });
        let letter: Letter = serde_json::from_value(letter).unwrap();
        Writer::new(&desk, Some(14)).write(&letter)
    }

    #[test]
    fn every_letter_is_whole_in_every_language_and_its_subject_gives_nothing_away() {
        let proof = json!({"proof": {
            "numbers": ["+32 475 12 34 56", "+32 2 555 12 12"], "companies": ["Telco", "Energy"],
            "voice": true, "text": false, "since": "2026-11-21T20:00:00.000Z",
        }});
        let to = |next: &str| {
            format!("\nhttps://dnc.example/registration?next={next}#0000-1111-2222-3333\n")
        };
        let (form, list) = (to("report"), to("reports"));
        let telling = "\nhttps://dnc.example/registration\n";
        for language in ["nl", "fr", "de", "en"] {
            for (subject, needed) in [
                (proof.clone(), telling),
                (json!("follow_up"), form.as_str()),
                (json!({"news": "answered"}), &list),
                (json!({"news": "overdue"}), &list),
            ] {
                let letter = written(language, subject);
                let text = &letter.text;
                for part in [needed, "help@dnc.example", "\nLaat me met rust\n"] {
                    assert!(text.contains(part), "{language}: no {part} in {text}");
                }
                assert!(!text.contains(['{', '}']), "{text}");
                assert!(!letter.subject.contains(|c: char| c.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn a_proof_says_what_since_when_and_how_to_come_back() {
        let letter = written(
            "en",
            json!({"proof": {
                "numbers": ["+32 475 12 34 56"], "companies": ["Telco"],
                "voice": true, "text": false, "since": "2026-11-21T21:00:05.000Z",
            }}),
        );
        let facts = "Holds since\n  Saturday 21 November 2026 at 22:00 (Central European Time)\n  \
                     Exact time: 2026-11-21 21:00:05 UTC\n\n\
                     Numbers\n  +32 475 12 34 56\n\n\
                     Companies\n  Telco\n\n\
                     What must stop\n  Phone calls\n\n\
                     Your code\n  0000-1111-2222-3333\n";
        assert!(letter.text.contains(facts), "{}", letter.text);
    }
}
