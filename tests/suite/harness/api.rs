//! The API as a client sees it.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::{HeaderMap, Method, Request};

/// Wide enough that only a service which hangs meets it.
const LIMIT: Duration = Duration::from_secs(30);

/// A client with one key, or none.
#[derive(Clone)]
pub struct Api {
    url: String,
    key: Option<String>,
    idle: usize,
    agent: ureq::Agent,
}

/// Whatever came back.
#[derive(Debug)]
pub struct Answer {
    pub request: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// An agent that reports every status as an answer, follows nothing and keeps `idle` connections.
pub fn agent(idle: usize) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(LIMIT))
        .max_idle_connections(idle)
        .max_idle_connections_per_host(idle)
        .max_response_header_size(1 << 20)
        .build()
        .new_agent()
}

/// Sends one request; an error is one of the connection, in words.
pub fn send(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Result<Answer, String> {
    let name = format!("{} {}", request.method(), request.uri().path());
    // Without a body as clients send it: not with one of no length, which makes a check an odd one.
    let response = match request.body().is_empty() && request.method() == Method::GET {
        true => agent.run(request.map(|_| ())),
        false => agent.run(request),
    };
    let response = response.map_err(|problem| format!("{name}: {problem}"))?;
    let (parts, mut body) = response.into_parts();
    let body = body
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()
        .map_err(|problem| format!("{name}: {problem}"))?;
    Ok(Answer {
        request: name,
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

impl Api {
    pub fn at(url: &str) -> Self {
        Self {
            url: url.into(),
            key: None,
            idle: 4,
            agent: agent(4),
        }
    }

    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.into()),
            ..self.clone()
        }
    }

    /// The same client, talking to another service, over connections of its own.
    pub fn on(&self, url: &str) -> Self {
        Self {
            url: url.into(),
            agent: agent(self.idle),
            ..self.clone()
        }
    }

    /// The same client with a connection for each request.
    pub fn without_keeping_connections(&self) -> Self {
        Self {
            idle: 0,
            agent: agent(0),
            ..self.clone()
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn key(&self) -> &str {
        self.key_if_any().expect("a client with a key")
    }

    pub fn key_if_any(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Any request. `path` is sent as it is, its query included.
    pub fn attempt(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&self.agent, request.body(body).unwrap())
    }

    #[track_caller]
    pub fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        self.attempt(method, path, headers, body).unwrap()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], Vec::new())
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], Vec::new())
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.call(
            "POST",
            path,
            &[("Content-Type", "application/json")],
            body.to_string().into_bytes(),
        )
    }

    #[track_caller]
    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.call(
            "PUT",
            path,
            &[("Content-Type", "application/json")],
            body.to_string().into_bytes(),
        )
    }

    // The operator's calls.

    #[track_caller]
    pub fn add_seller(&self, id: &str) {
        self.post(
            "/v1/admin/sellers",
            json!({"id": id, "name": format!("The {id} company")}),
        )
        .expect(201);
    }

    #[track_caller]
    pub fn add_agency(&self, id: &str, sellers: &[&str]) {
        let body = json!({"id": id, "name": format!("The {id} agency"), "sellers": sellers});
        self.post("/v1/admin/agencies", body).expect(201);
    }

    /// Makes a key; the answer holds `id` and `key`.
    #[track_caller]
    pub fn add_key(&self, body: Value) -> Value {
        self.post("/v1/admin/keys", body).expect(201).json()
    }

    #[track_caller]
    fn client(&self, body: Value) -> Self {
        self.with_key(self.add_key(body)["key"].as_str().unwrap())
    }

    #[track_caller]
    pub fn dialler_of(&self, agency: &str) -> Self {
        self.client(json!({"role": "dialler", "agency": agency}))
    }

    #[track_caller]
    pub fn seller_key(&self, seller: &str) -> Self {
        self.client(json!({"role": "seller", "seller": seller}))
    }

    #[track_caller]
    pub fn regulator(&self) -> Self {
        self.client(json!({"role": "regulator"}))
    }

    #[track_caller]
    pub fn revoke(&self, key_id: &str) {
        self.delete(&format!("/v1/admin/keys/{key_id}")).expect(200);
    }

    // The dialler's calls.

    /// `GET /v1/check` with these parameters, properly encoded.
    #[track_caller]
    pub fn check_with(&self, parameters: &[(&str, &str)]) -> Answer {
        self.get(&format!("/v1/check?{}", query(parameters)))
    }

    #[track_caller]
    pub fn check(&self, phone: &str, seller: &str) -> Answer {
        self.check_with(&[("phone", phone), ("seller", seller)])
    }

    /// Whether the answer to a check, which must come, is not to call.
    #[track_caller]
    pub fn suppresses(&self, phone: &str, seller: &str) -> bool {
        self.check(phone, seller).suppress()
    }

    /// Why the check says not to call; nothing if it does not.
    #[track_caller]
    pub fn reason(&self, phone: &str, seller: &str) -> Option<String> {
        let answer = self.check(phone, seller).expect(200).json();
        assert_eq!(
            answer["suppress"].as_bool(),
            Some(!answer["reason"].is_null()),
            "{answer}"
        );
        answer["reason"].as_str().map(str::to_string)
    }

    /// Registers an objection and gives its reference code.
    #[track_caller]
    pub fn register(&self, numbers: &[&str], sellers: Value) -> String {
        self.post(
            "/v1/registrations",
            json!({"numbers": numbers, "sellers": sellers}),
        )
        .expect(201)
        .reference()
    }

    #[track_caller]
    pub fn withdraw(&self, reference: &str) -> Answer {
        self.post(
            "/v1/registrations/withdraw",
            json!({"reference": reference}),
        )
    }

    /// The audit entries that these filters leave, oldest first.
    #[track_caller]
    pub fn entries(&self, filters: &[(&str, &str)]) -> Vec<Value> {
        let answer = self
            .get(&format!("/v1/audit/entries?{}", query(filters)))
            .expect(200);
        answer
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Answer {
    /// Passes the answer on if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{} gave: {}",
            self.request,
            self.text()
        );
        self
    }

    /// Passes the answer on if it blames the request (4xx).
    #[track_caller]
    pub fn expect_refused(self) -> Self {
        assert!(
            (400..500).contains(&self.status),
            "{} gave {}: {}",
            self.request,
            self.status,
            self.text()
        );
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|problem| {
            panic!(
                "{} gave {} and no JSON ({problem}): {}",
                self.request,
                self.status,
                self.text()
            )
        })
    }

    /// A header's value, empty if absent.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_string()
    }

    #[track_caller]
    pub fn suppress(self) -> bool {
        let answer = self.expect(200).json();
        answer["suppress"]
            .as_bool()
            .unwrap_or_else(|| panic!("`suppress` is not a boolean: {answer}"))
    }

    #[track_caller]
    pub fn reference(&self) -> String {
        let answer = self.json();
        answer["reference"]
            .as_str()
            .unwrap_or_else(|| panic!("no reference: {answer}"))
            .to_string()
    }

    /// The id of a check's answer.
    #[track_caller]
    pub fn id(&self) -> String {
        let answer = self.json();
        answer["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id: {answer}"))
            .to_string()
    }
}

/// A query string, with everything encoded that is not a plain letter, digit or one of `-_.~`.
pub fn query(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
