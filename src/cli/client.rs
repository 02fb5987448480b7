//! Talking to a running service.
//!
//! The key travels in the `Authorization` header alone. Redirects are not followed and proxies are
//! not used towards this machine, so that it reaches nobody but the service.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::Response;
use ureq::http::request::Builder;
use ureq::{Agent, Body, SendBody};
use zeroize::Zeroizing;

use super::address::Base;
use super::{Failure, given, path_parser};

/// The largest answer that is read into memory: far above the longest list of sellers or keys.
const LARGEST: u64 = 64 << 20;

/// Which service.
#[derive(Debug, Args)]
#[command(next_help_heading = "The service")]
pub(super) struct Whereabouts {
    /// The service's address [default: where the service of the data folder listens, else
    /// http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", env = "METRUST_URL")]
    url: Option<String>,
}

/// Which service, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "The service")]
pub(super) struct Target {
    #[command(flatten)]
    pub(super) service: Whereabouts,

    /// A file that holds the key; METRUST_KEY goes before it [default: operator.key in the data
    /// folder]
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    key_file: Option<PathBuf>,
}

/// How long to wait for answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Patience {
    /// An answer that is there at once or not at all, for probes.
    Probe,
    /// A usual answer.
    Usual,
    /// An answer that may take as long as it takes, once it has begun.
    Export,
    /// An answer that comes when long work is done.
    Work,
    /// An answer that comes when a part of a long list is in the store.
    Import,
    /// The same, where much is sent and the service has work to do before its answer begins.
    Match,
}

/// A service to ask.
pub(super) struct Client {
    agent: Agent,
    base: Base,
    key: Option<Zeroizing<String>>,
}

impl Target {
    /// A client with a key.
    pub(super) fn client(&self, data: &Path, patience: Patience) -> Result<Client, Failure> {
        let client = self.client_if_key(data, patience)?;
        if client.key.is_none() {
            return Err(Failure::usage(format!(
                "there is no key: METRUST_KEY is not set, and {} is not there.\n  remedy:     set \
                 METRUST_KEY, or name a file with --key-file or the service's data folder with \
                 --data",
                data.join("operator.key").display()
            )));
        }
        Ok(client)
    }

    /// A client with a key, if one is found.
    pub(super) fn client_if_key(&self, data: &Path, patience: Patience) -> Result<Client, Failure> {
        let mut client = self.service.client(data, patience)?;
        client.key = find_key(
            std::env::var("METRUST_KEY").ok(),
            given(self.key_file.as_ref()),
            data,
        )?;
        Ok(client)
    }
}

impl Whereabouts {
    /// A client without a key, for what is open to everybody.
    pub(super) fn client(&self, data: &Path, patience: Patience) -> Result<Client, Failure> {
        let base = Base::find(self.url.as_deref(), data)?;
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("metrust/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(seconds(5));
        let config = match patience {
            Patience::Probe => config.timeout_global(seconds(5)),
            Patience::Usual => config.timeout_global(seconds(30)),
            Patience::Export => config.timeout_recv_response(seconds(60)),
            Patience::Work => config.timeout_recv_response(seconds(6 * 3600)),
            Patience::Import => config.timeout_global(seconds(5 * 60)),
            Patience::Match => config.timeout_recv_response(seconds(15 * 60)),
        };
        let config = if base.on_this_machine {
            config.proxy(None)
        } else {
            config
        };
        Ok(Client {
            agent: config.build().new_agent(),
            base,
            key: None,
        })
    }
}

impl Client {
    /// The service's address, for messages.
    pub(super) fn url(&self) -> &str {
        &self.base.url
    }

    /// What stands in the header `Authorization`, if a key was found.
    pub(super) fn bearer(&self) -> Option<Zeroizing<String>> {
        let key = self.key.as_ref()?;
        Some(Zeroizing::new(format!("Bearer {}", **key)))
    }

    /// Whether a key was found.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The body of a good answer.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<String, Failure> {
        self.read(self.call("GET", path, query, None)?)
    }

    /// The same, understood.
    pub(super) fn get_as<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.understand(&self.get(path, &[])?)
    }

    /// Sends a body and reads the answer's.
    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> Result<String, Failure> {
        self.read(self.call(method, path, &[], Some(body))?)
    }

    /// Puts bytes in their place and reads the answer.
    pub(super) fn put(&self, path: &str, bytes: &[u8]) -> Result<String, Failure> {
        let sent = self
            .request("PUT", path, &[])
            .header("Content-Type", "text/csv")
            .body(bytes)
            .map_err(ureq::Error::Http)
            .and_then(|request| self.agent.run(request));
        self.read(sent.map_err(|error| self.base.unreachable(&error))?)
    }

    /// Asks for a deletion.
    pub(super) fn delete(&self, path: &str) -> Result<String, Failure> {
        self.read(self.call("DELETE", path, &[], None)?)
    }

    /// A good answer whose body is yet to be read.
    pub(super) fn open(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Response<Body>, Failure> {
        good(self.call("GET", path, query, None)?)
    }

    /// The body of a good answer as bytes, up to a length; a longer one is refused.
    pub(super) fn bytes(&self, path: &str, longest: u64) -> Result<Vec<u8>, Failure> {
        let mut response = self.open(path, &[])?;
        let body = response.body_mut().with_config().limit(longest);
        body.read_to_vec()
            .map_err(|error| self.base.unreachable(&error))
    }

    /// Sends a table from wherever it comes, without ever holding all of it. Whatever is answered
    /// is given back; see [`good`].
    pub(super) fn upload(
        &self,
        path: &str,
        query: &[(&str, &str)],
        table: &mut dyn Read,
    ) -> Result<Response<Body>, Failure> {
        self.request("POST", path, query)
            .header("Content-Type", "text/csv")
            .body(SendBody::from_reader(table))
            .map_err(ureq::Error::Http)
            .and_then(|request| self.agent.run(request))
            .map_err(|error| self.base.unreachable(&error))
    }

    /// Whatever is answered, errors included, with its status.
    pub(super) fn probe(&self, path: &str) -> Result<(u16, String), Failure> {
        let mut response = self.call("GET", path, &[], None)?;
        let body = self.text(&mut response)?;
        Ok((response.status().as_u16(), body))
    }

    /// Reads an answer of the form that this version knows.
    pub(super) fn understand<T: DeserializeOwned>(&self, body: &str) -> Result<T, Failure> {
        // The error's own text could hold pieces of the answer.
        serde_json::from_str(body).map_err(|_| {
            Failure::new(format!(
                "{} answers, but not in the form that this metrust understands.\n  remedy:     \
                 look whether it is the right address, and compare `metrust --version` on both \
                 sides",
                self.base
            ))
        })
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response<Body>, Failure> {
        let request = self.request(method, path, query);
        let sent = match body {
            Some(body) => request
                .header("Content-Type", "application/json")
                .body(body.to_string())
                .map_err(ureq::Error::Http)
                .and_then(|request| self.agent.run(request)),
            None => request
                .body(())
                .map_err(ureq::Error::Http)
                .and_then(|request| self.agent.run(request)),
        };
        sent.map_err(|error| self.base.unreachable(&error))
    }

    fn request(&self, method: &str, path: &str, query: &[(&str, &str)]) -> Builder {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(address(&self.base.url, path, query))
            .header("Accept", "application/json, */*;q=0.5");
        match &self.key {
            Some(key) => {
                let bearer = Zeroizing::new(format!("Bearer {}", **key));
                request.header("Authorization", bearer.as_str())
            }
            None => request,
        }
    }

    fn read(&self, response: Response<Body>) -> Result<String, Failure> {
        self.text(&mut good(response)?)
    }

    fn text(&self, response: &mut Response<Body>) -> Result<String, Failure> {
        let body = response.body_mut().with_config().limit(LARGEST);
        body.read_to_string()
            .map_err(|error| self.base.unreachable(&error))
    }
}

/// Tells good answers from others, and what the others say.
pub(super) fn good(mut response: Response<Body>) -> Result<Response<Body>, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let mut body = Vec::new();
    // What cannot be read of an error's explanation is left out of it.
    let _ = response
        .body_mut()
        .as_reader()
        .take(64 << 10)
        .read_to_end(&mut body);
    let request_id = response.headers().get("Request-Id");
    let request_id = request_id.and_then(|value| value.to_str().ok());
    Err(Failure::of_answer(status.as_u16(), request_id, &body))
}

fn address(base: &str, path: &str, query: &[(&str, &str)]) -> String {
    let mut address = format!("{base}{path}");
    if !query.is_empty() {
        address.push('?');
        address.push_str(
            &form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish(),
        );
    }
    address
}

/// The key: from the environment, else the file that was named, else the data folder.
fn find_key(
    environment: Option<String>,
    file: Option<&Path>,
    data: &Path,
) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(text) = environment.filter(|text| !text.is_empty()) {
        return read_key(&Zeroizing::new(text), "METRUST_KEY").map(Some);
    }
    let operator = data.join("operator.key");
    let path = file.unwrap_or(&operator);
    match std::fs::read_to_string(path) {
        Ok(text) => read_key(&Zeroizing::new(text), &path.display().to_string()).map(Some),
        Err(error) if file.is_none() && error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::usage(format!(
            "cannot read the key in {}: {error}\n  remedy:     run this as the user who owns the \
             file, or set METRUST_KEY",
            path.display()
        ))),
    }
}

fn read_key(text: &str, place: &str) -> Result<Zeroizing<String>, Failure> {
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(format!(
            "{place} does not hold a key: it must be one word that begins with mtr_"
        )));
    }
    Ok(Zeroizing::new(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reaches_the_service_as_it_was_typed() {
        let query = [("phone", "+32 (0)475/12&34=56 é"), ("seller", "s")];
        let address = address("http://h:1", "/v1/check", &query);
        let (base, text) = address.split_once('?').unwrap();
        assert_eq!(base, "http://h:1/v1/check");
        assert!(text.starts_with("phone=%2B32+"), "{text}");
        let back: Vec<_> = form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        assert_eq!(back[0].1, "+32 (0)475/12&34=56 é");
        assert_eq!(
            super::address("http://h:1", "/livez", &[]),
            "http://h:1/livez"
        );
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_the_data_folder() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("mine");
        let find = |environment: Option<&str>, file: Option<&Path>| {
            find_key(environment.map(str::to_owned), file, data.path())
                .map(|key| key.map(|key| key.to_string()))
        };
        assert_eq!(find(None, None), Ok(None));
        assert!(
            find(None, Some(&file)).is_err(),
            "a file that was named must be there"
        );
        std::fs::write(data.path().join("operator.key"), "mtr_o\n").unwrap();
        std::fs::write(&file, "mtr_f\n").unwrap();
        assert_eq!(find(None, None).unwrap().unwrap(), "mtr_o");
        assert_eq!(find(None, Some(&file)).unwrap().unwrap(), "mtr_f");
        assert_eq!(find(Some("mtr_e"), Some(&file)).unwrap().unwrap(), "mtr_e");
        let failure = find(Some("mtr_se\ncret"), None).unwrap_err().to_string();
        assert!(!failure.contains("cret"), "{failure}");
    }
}
