//! A person's browser without JavaScript: cookies, forms, redirects, and a memory of what it was
//! given.

use std::collections::BTreeMap;

use ureq::http::Request;

use super::api::{Answer, agent, encoded, send};
use super::html::{self, Form};

/// A browser with a cookie jar of its own.
pub struct Browser {
    url: String,
    agent: ureq::Agent,
    language: String,
    cookies: BTreeMap<String, String>,
    /// Every `Set-Cookie` that came, whole.
    pub cookies_seen: Vec<String>,
    /// Every address that it asked for or was sent to.
    pub addresses: Vec<String>,
}

/// Header lines to add to a request.
pub type Headers<'h> = &'h [(&'h str, &'h str)];

impl Browser {
    pub fn at(url: &str) -> Self {
        Self {
            url: url.into(),
            agent: agent(2),
            language: "en".into(),
            cookies: BTreeMap::new(),
            cookies_seen: Vec::new(),
            addresses: Vec::new(),
        }
    }

    /// A browser whose owner reads these languages: an `Accept-Language` header.
    pub fn reading(mut self, languages: &str) -> Self {
        self.language = languages.into();
        self
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Puts a cookie into the jar by hand.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.into(), value.into());
    }

    /// One GET; redirects come back as they are.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, &[], Vec::new())
    }

    /// Opens a page as a person does, redirects followed.
    #[track_caller]
    pub fn open(&mut self, path: &str) -> Answer {
        let answer = self.get(path);
        self.follow(answer)
    }

    /// Goes wherever the answer sends.
    #[track_caller]
    pub fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..5 {
            if answer.status != 303 && answer.status != 302 {
                return answer;
            }
            let target = answer.header("Location");
            answer = self.get(&target);
        }
        panic!("redirected in circles: {:?}", self.addresses)
    }

    /// One POST of a form's fields, with the headers that browsers add: the page that shows the
    /// form again, or the redirect to another one as it is.
    #[track_caller]
    pub fn post(&mut self, path: &str, fields: &[(String, String)]) -> Answer {
        let origin = self.url.clone();
        let headers = [("Origin", &*origin), ("Sec-Fetch-Site", "same-origin")];
        let answer = self.post_with(path, fields, &headers);
        let sent: usize = fields.iter().map(|(_, value)| value.len()).sum();
        // What no page of ours sends, and what is too long for a cookie, is answered as it is.
        let led_on = matches!(answer.status, 303 | 400 | 404) || sent > 2_000;
        assert!(led_on, "a page answers a form: {} to {path}", answer.status);
        self.shown_again(answer)
    }

    /// Follows a redirect to the form that was sent, and no other.
    #[track_caller]
    pub fn shown_again(&mut self, answer: Answer) -> Answer {
        let again = answer.status == 303 && answer.header("Location").contains("?form=");
        if again { self.follow(answer) } else { answer }
    }

    /// One POST with headers of one's own.
    #[track_caller]
    pub fn post_with(
        &mut self,
        path: &str,
        fields: &[(String, String)],
        headers: Headers<'_>,
    ) -> Answer {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.request("POST", path, &all, pairs.join("&").into_bytes())
    }

    /// Presses a button; redirects come back as they are.
    #[track_caller]
    pub fn press(&mut self, form: &Form, name: &str, value: &str) -> Answer {
        let (target, fields) = form.pressed(name, value);
        self.post(&target, &fields)
    }

    /// Submits a form with its first button.
    #[track_caller]
    pub fn enter(&mut self, form: &Form) -> Answer {
        let (target, fields) = form.entered();
        self.post(&target, &fields)
    }

    #[track_caller]
    fn request(&mut self, method: &str, path: &str, headers: Headers<'_>, body: Vec<u8>) -> Answer {
        let path = path.strip_prefix(self.url.as_str()).unwrap_or(path);
        assert!(
            path.starts_with('/'),
            "a page sends the browser away: {path:?}"
        );
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        request = request
            .header("Accept", "text/html,*/*;q=0.8")
            .header("Accept-Language", &self.language);
        if !self.cookies.is_empty() {
            let jar: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("Cookie", jar.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.addresses.push(path.to_string());
        let answer = send(&self.agent, request.body(body).unwrap()).unwrap();
        self.remember(&answer);
        answer
    }

    fn remember(&mut self, answer: &Answer) {
        self.addresses.extend(
            answer
                .headers
                .get("Location")
                .map(|target| target.to_str().unwrap().to_string()),
        );
        for line in answer.headers.get_all("Set-Cookie") {
            let line = line.to_str().unwrap();
            self.cookies_seen.push(line.to_string());
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || line.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_string(), value.to_string());
            }
        }
    }

    // The ways through the pages.

    /// The form on the first page.
    #[track_caller]
    pub fn opt_out_form(&mut self) -> Form {
        let page = self.open("/").expect(200);
        page.form_with("action", "review")
    }

    /// From the first page to the page that shows what will be registered: for calls and texts of
    /// everyone.
    #[track_caller]
    pub fn review(&mut self, numbers: &[&str]) -> Answer {
        self.review_as(numbers, |form| {
            form.set("scope", &["all"])
                .set("channel", &["voice", "text"]);
        })
    }

    /// The same, with the choices made by `choose`.
    #[track_caller]
    pub fn review_as(&mut self, numbers: &[&str], choose: impl FnOnce(&mut Form)) -> Answer {
        let mut form = self.opt_out_form();
        while form.values("number").len() < numbers.len() {
            let page = self.press(&form, "action", "add").expect(200);
            form = page.form_with("action", "review");
        }
        form.set("number", numbers);
        choose(&mut form);
        self.press(&form, "action", "review")
    }

    /// The whole way, to the page that shows the reference code: the code.
    #[track_caller]
    pub fn opt_out(&mut self, numbers: &[&str]) -> String {
        let page = self.review(numbers).expect(200);
        self.confirm(&page)
    }

    /// From the review page to the done page: the code.
    #[track_caller]
    pub fn confirm(&mut self, review: &Answer) -> String {
        let answer = self
            .press(&review.form_with("action", "confirm"), "action", "confirm")
            .expect(303);
        assert_eq!(answer.header("Location"), "/done");
        self.follow(answer).expect(200).code()
    }

    /// Types a code on the registration page, as a visitor who comes back.
    #[track_caller]
    pub fn type_code(&mut self, code: &str) -> Answer {
        let page = self.open("/registration").expect(200);
        let mut form = page.form_to("/registration");
        form.set("reference", &[code]);
        let answer = self.enter(&form);
        self.follow(answer)
    }

    /// Leaves, and comes back with the code.
    #[track_caller]
    pub fn type_code_again(&mut self, code: &str) -> Answer {
        self.cookies.remove("metrust_visit");
        self.type_code(code).expect(200)
    }

    /// Presses the withdraw button on the registration page: the page that follows.
    #[track_caller]
    pub fn withdraw(&mut self) -> Answer {
        let page = self.open("/registration").expect(200);
        let answer = self
            .enter(&page.form_to("/registration/withdraw"))
            .expect(303);
        self.follow(answer).expect(200)
    }
}

impl Answer {
    /// The form with this button.
    #[track_caller]
    pub fn form_with(&self, name: &str, value: &str) -> Form {
        let found = html::forms(&self.text())
            .into_iter()
            .find(|form| form.has_button(name, value));
        found.unwrap_or_else(|| {
            panic!(
                "{}: no form with button {name}={value} in: {}",
                self.request,
                self.text()
            )
        })
    }

    /// The form that goes to this address.
    #[track_caller]
    pub fn form_to(&self, action: &str) -> Form {
        let found = html::forms(&self.text())
            .into_iter()
            .find(|form| form.action == action);
        found.unwrap_or_else(|| panic!("{}: no form to {action} in: {}", self.request, self.text()))
    }

    pub fn has_form_to(&self, action: &str) -> bool {
        html::forms(&self.text())
            .iter()
            .any(|form| form.action == action)
    }

    /// The reference code that the page shows.
    #[track_caller]
    pub fn code(&self) -> String {
        html::reference(&self.text())
            .unwrap_or_else(|| panic!("{}: no code in: {}", self.request, self.text()))
    }

    /// The digits that a reader sees, without what stands between them.
    pub fn shows_digits(&self, digits: &str) -> bool {
        let text = html::visible(&self.text(), "\n");
        text.lines().any(|line| {
            let line: String = line.chars().filter(char::is_ascii_digit).collect();
            line.contains(digits)
        })
    }

    /// The language that the page says it is in.
    pub fn language(&self) -> String {
        let tags = html::tags(&self.text());
        let root = tags.iter().find(|tag| tag.name == "html");
        root.and_then(|tag| tag.get("lang"))
            .unwrap_or_default()
            .to_string()
    }
}
