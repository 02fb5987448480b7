//! Webdis: Redis over HTTP, asked whether the number is a member of a set.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use super::Route;
use super::redis::Redis;
use crate::Result;
use crate::program::{Core, Program, command};
use crate::site::{Site, free_port};

/// The set that holds the numbers.
pub const SET: &str = "dnc";

/// A running Webdis.
pub struct Webdis {
    _program: Program,
    address: SocketAddr,
}

impl Webdis {
    /// Starts it on core 1, with `redis` behind it on a Unix socket.
    pub fn start(site: &Site, redis: &Redis) -> Result<Self> {
        let folder = site.folder("webdis")?;
        let port = free_port()?;
        let file = folder.join("webdis.json");
        let settings = json!({
            "redis_host": redis.socket,
            "redis_port": 0,
            "http_host": "127.0.0.1",
            "http_port": port,
            "threads": 1,
            "pool_size": 64,
            "daemonize": false,
            "verbosity": 0,
            "logfile": folder.join("webdis.log"),
        });
        fs::write(&file, settings.to_string())?;
        let mut command = command(Core::Server, "webdis");
        let mut program = Program::start(command.arg(&file), "webdis", &folder)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        program.wait_until(|_| std::net::TcpStream::connect(address).ok())?;
        let webdis = Self {
            _program: program,
            address,
        };
        webdis.is_member("").prove("Webdis", "1", "0")?;
        Ok(webdis)
    }

    /// `SISMEMBER` of the number, answered as text.
    pub fn is_member(&self, key: &str) -> Route {
        Route {
            address: self.address,
            before: format!("/SISMEMBER/{SET}/"),
            after: ".txt".to_owned(),
            key: key.to_owned(),
        }
    }
}
