//! As much HTML as a form needs: the tags of a page, its forms, and what a browser without
//! JavaScript would send.

/// One opening tag.
#[derive(Debug, Clone)]
pub struct Tag {
    pub name: String,
    attributes: Vec<(String, String)>,
    /// Where the text after the tag begins.
    end: usize,
}

/// A form, filled in as far as the page fills it in.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    id: String,
    fields: Vec<(String, String)>,
    buttons: Vec<Tag>,
}

impl Tag {
    /// An attribute's value; an attribute without one is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn value(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_string()
    }
}

/// All opening tags, in order. Comments and closing tags are left out, save those of forms, which
/// appear as `/form`.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        at += found + 1;
        if html[at..].starts_with("!--") {
            at += html[at..]
                .find("-->")
                .map_or(html.len() - at, |length| length + 3);
            continue;
        }
        let Some(length) = tag_length(&html[at..]) else {
            break;
        };
        let inside = &html[at..at + length];
        at += length + 1;
        let name: String = inside
            .chars()
            .take_while(|letter| !letter.is_whitespace())
            .collect();
        let attributes = attributes(
            inside
                .get(name.len()..)
                .unwrap_or_default()
                .trim_end_matches('/'),
        );
        let name = name.to_ascii_lowercase();
        if !name.starts_with('/') || name == "/form" {
            tags.push(Tag {
                name,
                attributes,
                end: at.min(html.len()),
            });
        }
    }
    tags
}

/// Up to the `>` that ends the tag, which may also stand inside quotes.
fn tag_length(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (position, letter) in rest.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some(position),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return found;
        }
        let name_length = rest
            .find(|letter: char| letter == '=' || letter.is_whitespace())
            .unwrap_or(rest.len());
        let name = rest[..name_length].to_ascii_lowercase();
        rest = rest[name_length..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after
                .chars()
                .next()
                .filter(|letter| matches!(letter, '"' | '\''));
            let (inside, length) = match quote {
                Some(quote) => {
                    let length = after[1..].find(quote).unwrap_or(after.len() - 1);
                    (&after[1..1 + length], (length + 2).min(after.len()))
                }
                None => {
                    let length = after.find(char::is_whitespace).unwrap_or(after.len());
                    (&after[..length], length)
                }
            };
            value = inside;
            rest = &after[length..];
        }
        if name_length == 0 && value.is_empty() {
            return found;
        }
        found.push((name, unescaped(value)));
    }
}

/// Character references as templates write them.
pub fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let reference = rest
            .find(';')
            .filter(|length| *length < 10)
            .map(|length| &rest[1..length]);
        match reference.and_then(|name| Some((name, character(name)?))) {
            Some((name, letter)) => {
                plain.push(letter);
                rest = &rest[name.len() + 2..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// The text that a reader sees, with `between` in place of each tag.
pub fn visible(html: &str, between: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut text = String::new();
    let mut at = 0;
    while let Some(found) = body[at..].find('<') {
        text.push_str(&body[at..at + found]);
        text.push_str(between);
        at += found + 1;
        at += tag_length(&body[at..]).map_or(body.len() - at, |length| length + 1);
    }
    unescaped(&(text + &body[at..]))
}

/// A reference code in the text of a page.
pub fn reference(html: &str) -> Option<String> {
    ["", " "]
        .iter()
        .find_map(|between| reference_in(&visible(html, between)))
}

fn reference_in(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(19).find_map(|window| {
        let fits = window
            .iter()
            .enumerate()
            .all(|(position, letter)| match position {
                4 | 9 | 14 => *letter == '-',
                _ => letter.is_ascii_uppercase() || letter.is_ascii_digit(),
            });
        fits.then(|| window.iter().collect())
    })
}

/// The forms of a page, with the fields that a browser would send as they stand.
pub fn forms(html: &str) -> Vec<Form> {
    let tags = tags(html);
    // All of them first: a control may name a form that follows it.
    let mut forms: Vec<Form> = tags
        .iter()
        .filter(|tag| tag.name == "form")
        .map(|tag| Form {
            action: tag.value("action"),
            id: tag.value("id"),
            fields: Vec::new(),
            buttons: Vec::new(),
        })
        .collect();
    let mut begun = 0;
    let mut inside: Option<usize> = None;
    // An open select: its form, its name, what it sends, and whether the page chose that.
    let mut select: Option<(usize, String, Option<String>, bool)> = None;
    for tag in &tags {
        if !matches!(tag.name.as_str(), "option" | "optgroup")
            && let Some((form, name, Some(value), _)) = select.take()
        {
            forms[form].fields.push((name, value));
        }
        let owner = tag
            .get("form")
            .map_or(inside, |id| forms.iter().position(|form| form.id == id));
        match (tag.name.as_str(), owner) {
            ("form", _) => {
                inside = Some(begun);
                begun += 1;
            }
            ("/form", _) => inside = None,
            ("button", Some(form)) if matches!(tag.get("type"), None | Some("submit")) => {
                forms[form].buttons.push(tag.clone())
            }
            ("input", Some(form)) => match tag.get("type").unwrap_or("text") {
                "submit" => forms[form].buttons.push(tag.clone()),
                "button" | "reset" | "file" => {}
                "checkbox" | "radio" if tag.get("checked").is_none() => {}
                "checkbox" | "radio" => {
                    let value = tag.get("value").unwrap_or("on").to_string();
                    forms[form].fields.push((tag.value("name"), value));
                }
                _ => forms[form]
                    .fields
                    .push((tag.value("name"), tag.value("value"))),
            },
            ("textarea", Some(form)) => {
                let text = html[tag.end..]
                    .split("</textarea")
                    .next()
                    .unwrap_or_default();
                // A line's end right behind the tag is not part of the text.
                let text = text.strip_prefix('\n').unwrap_or(text);
                forms[form]
                    .fields
                    .push((tag.value("name"), unescaped(text)));
            }
            ("select", Some(form)) => select = Some((form, tag.value("name"), None, false)),
            ("option", _) => {
                if let Some((_, _, value, chosen)) = &mut select {
                    let text = html[tag.end..].split('<').next().unwrap_or_default().trim();
                    let here = tag
                        .get("value")
                        .map_or_else(|| unescaped(text), str::to_string);
                    if tag.get("selected").is_some() || (value.is_none() && !*chosen) {
                        *chosen = tag.get("selected").is_some();
                        *value = Some(here);
                    }
                }
            }
            _ => {}
        }
    }
    forms
        .iter_mut()
        .for_each(|form| form.fields.retain(|(name, _)| !name.is_empty()));
    forms
}

impl Form {
    /// All values that the form would send for this field.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Types or chooses: these values and no others for this field.
    pub fn set(&mut self, name: &str, values: &[&str]) -> &mut Self {
        self.fields.retain(|(key, _)| key != name);
        self.fields.extend(
            values
                .iter()
                .map(|value| (name.to_string(), value.to_string())),
        );
        self
    }

    fn button(&self, name: &str, value: &str) -> Option<&Tag> {
        self.buttons
            .iter()
            .find(|button| button.get("name") == Some(name) && button.get("value") == Some(value))
    }

    /// Whether a button with this name and value stands in the form.
    pub fn has_button(&self, name: &str, value: &str) -> bool {
        self.button(name, value).is_some()
    }

    /// Where the form goes, and with which fields, when this button is pressed.
    #[track_caller]
    pub fn pressed(&self, name: &str, value: &str) -> (String, Vec<(String, String)>) {
        let button = self
            .button(name, value)
            .unwrap_or_else(|| panic!("no button {name}={value} in {self:#?}"));
        let target = button.get("formaction").unwrap_or(&self.action).to_string();
        let mut fields = self.fields.clone();
        fields.push((name.to_string(), value.to_string()));
        (target, fields)
    }

    /// Where the form goes with its first button, named or not.
    pub fn entered(&self) -> (String, Vec<(String, String)>) {
        let mut fields = self.fields.clone();
        if let Some(button) = self.buttons.first()
            && let Some(name) = button.get("name")
        {
            fields.push((name.to_string(), button.value("value")));
        }
        (self.action.clone(), fields)
    }
}

#[test]
fn a_form_is_read_as_a_browser_reads_it() {
    let page = r##"<body><button form=f name=lang value=nl>nl</button><!-- <input name=no> --><form id="f" action="/opt-out" method=post>
        <input type=hidden name=token value="a&amp;b&#39;c"><input name="number" value='1 > 2'/>
        <input name=number value=""><input type=radio name=scope value=all checked>
        <input type=radio name=scope value=chosen><select name="region"><option value="BE">B</option>
        <option value=NL selected>N</option></select><textarea name=t>a &lt; b</textarea>
        <button name="action" value="add" formaction="/x">Add</button></form>
        <form action="/leave"><button>Leave</button></form>
        <p>Your code: <b><i>ABCD</i>-1234-EFGH-5678</b></p></body>"##;
    let forms = forms(page);
    assert_eq!(forms.len(), 2);
    for (name, values) in [
        ("token", vec!["a&b'c"]),
        ("number", vec!["1 > 2", ""]),
        ("scope", vec!["all"]),
        ("region", vec!["NL"]),
        ("t", vec!["a < b"]),
    ] {
        assert_eq!(forms[0].values(name), values, "{name}");
    }
    assert!(forms[0].has_button("lang", "nl"));
    assert_eq!(forms[0].pressed("action", "add").0, "/x");
    assert_eq!(reference(page).as_deref(), Some("ABCD-1234-EFGH-5678"));
}
