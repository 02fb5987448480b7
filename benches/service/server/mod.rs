//! The servers that are measured, and what answers them.

pub mod metrust;
pub mod nginx;
pub mod redis;
pub mod webdis;

use std::net::SocketAddr;
use std::time::Duration;

use crate::Result;
use crate::numbers;

/// Where an HTTP server is asked about a number.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its address.
    pub address: SocketAddr,
    /// The path up to the number.
    pub before: String,
    /// What stands behind the number.
    pub after: String,
    /// What goes into `Authorization: Bearer`; a server that does not want it gets it all the same,
    /// so that the load costs the same.
    pub key: String,
}

impl Route {
    /// The path that asks about one number, which is given as a query has it.
    pub fn path(&self, number: &str) -> String {
        format!("{}{number}{}", self.before, self.after)
    }

    /// One answer.
    pub fn ask(&self, number: &str) -> Result<String> {
        let url = format!("http://{}{}", self.address, self.path(number));
        let mut response = agent()
            .get(&url)
            .header("Authorization", format!("Bearer {}", self.key))
            .call()?;
        read(&mut response)
    }

    /// Sees to it that it answers what it must: nothing else is worth being measured.
    pub fn prove(&self, who: &str, listed: &str, clear: &str) -> Result<()> {
        let asked = [(numbers::number(0), listed), (numbers::clear(0), clear)];
        for (number, expected) in asked {
            let answer = self.ask(&numbers::escaped(&number))?;
            if !answer.contains(expected) {
                return Err(format!("{who} answers {answer:?} where {expected:?} is right").into());
            }
        }
        Ok(())
    }
}

/// What an answer says; an error with it unless all is well.
pub fn read(response: &mut ureq::http::Response<ureq::Body>) -> Result<String> {
    let said = response.body_mut().read_to_string()?;
    match response.status().is_success() {
        true => Ok(said),
        false => Err(format!("an answer {}: {said}", response.status()).into()),
    }
}

/// A client for what is not measured.
pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .proxy(None)
        .http_status_as_error(false)
        .build();
    config.into()
}
