//! What holds for the pages, whatever the person typed.

use askama::Template;

use super::*;
use crate::domain::PhoneError;

fn site(contact: &str) -> Site {
    Site {
        name: "metrust".into(),
        contact: Contact::parse(contact),
        address: None,
        style_href: "/assets/style.0.css".into(),
        icon_href: "/assets/icon.svg".into(),
    }
}

fn form<'a>(frame: Frame<'a>, value: &'a str, error: Option<PhoneError>) -> OptOutForm<'a> {
    OptOutForm {
        frame,
        token: "t",
        boxes: vec![NumberBox { value, error }],
        can_add: true,
        focus_last: false,
        region: "BE",
        only_chosen: false,
        sellers: vec![],
        channels: Channels {
            voice: true,
            text: true,
        },
        validity_hours: 24,
        errors: vec![],
        notice: None,
    }
}

#[test]
fn what_was_typed_comes_back_as_text_and_never_as_html() {
    let site = site("");
    let frame = Frame {
        language: Language::En,
        site: &site,
    };
    let page = form(
        frame,
        "\"><script>alert(1)</script>",
        Some(PhoneError::Letters),
    )
    .render()
    .unwrap();
    assert!(!page.contains("<script") && page.contains("script&#62;"));
    assert!(page.contains("<title>Error: "));
    assert!(page.contains("href=\"#number-1\"") && page.contains("id=\"number-1\""));
    assert!(page.contains("aria-describedby=\"number-1-error\""));
}

#[test]
fn enter_in_a_box_means_next_and_not_another_language() {
    for language in Language::ALL {
        let site = site("");
        let page = form(
            Frame {
                language,
                site: &site,
            },
            "",
            None,
        )
        .render()
        .unwrap();
        let first = page.split("type=\"submit\"").nth(1).unwrap();
        assert!(
            first
                .split('>')
                .next()
                .unwrap()
                .contains("value=\"review\"")
        );
        assert!(page.contains(&format!("<html lang=\"{}\">", language.code())));
        assert_eq!(page.matches("<h1").count(), 1);
        assert!(!page.contains(" style=") && !page.contains("<script") && !page.contains("{n}"));
        assert!(
            page.len() + include_str!("../assets/style.css").len() < 28_000,
            "a light first page"
        );
    }
}

#[test]
fn without_a_contact_no_sentence_points_to_one() {
    let message = |site: &Site| {
        let frame = Frame {
            language: Language::En,
            site,
        };
        let view = Message {
            frame,
            kind: MessageKind::Broken,
            request_id: Some("4711"),
            again: None,
        };
        view.render().unwrap()
    };
    assert!(message(&site("help@example.org")).contains("href=\"mailto:help@example.org\""));
    assert!(message(&site("help@example.org")).contains("4711"));
    let without = message(&site(" "));
    assert!(!without.contains("ontact us") && !without.contains("4711"));
}

#[test]
fn a_contact_is_a_link_only_where_a_link_is_safe() {
    let href = |setting| Contact::parse(setting).and_then(|contact| contact.href);
    assert_eq!(
        href("https://example.org/help").as_deref(),
        Some("https://example.org/help")
    );
    assert_eq!(
        href("mailto:help@example.org").as_deref(),
        Some("mailto:help@example.org")
    );
    assert_eq!(href("javascript:alert(1)"), None);
    assert_eq!(href("Main Street 1, 1000 Brussels"), None);
    assert_eq!(Contact::parse(""), None);
}

#[test]
fn every_message_says_how_long_to_wait_where_waiting_helps() {
    let site = site("");
    for language in Language::ALL {
        let frame = Frame {
            language,
            site: &site,
        };
        let kind = MessageKind::TooManyRequests { retry_after: 90 };
        let page = Message {
            frame,
            kind,
            request_id: None,
            again: None,
        }
        .render()
        .unwrap();
        assert!(page.contains(&language.texts().wait(90)) && !page.contains("{wait}"));
    }
}
