//! A `redis-server` of the run's own.

use std::net::SocketAddr;
use std::path::PathBuf;

use redis::{Cmd, Connection, ConnectionLike, FromRedisValue, Pipeline};

use crate::Result;
use crate::program::{Core, Program, command};
use crate::site::{Site, free_port};

/// A running Redis with an append-only file.
pub struct Redis {
    program: Program,
    /// Its TCP port.
    pub address: SocketAddr,
    /// Its Unix socket.
    pub socket: PathBuf,
    connection: Connection,
}

impl Redis {
    /// Starts one with `appendfsync` as given. The file is never rewritten meanwhile, so that its
    /// growth is what was written, and no round pays for another's.
    pub fn start(site: &Site, name: &str, core: Core, appendfsync: &str) -> Result<Self> {
        let folder = site.folder(name)?;
        let socket = site.socket(name);
        let port = free_port()?;
        let mut command = command(core, "redis-server");
        command.current_dir(&folder);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--appendonly", "yes", "--appendfsync", appendfsync]);
        command.args(["--save", "", "--maxmemory-policy", "noeviction"]);
        command.args(["--auto-aof-rewrite-percentage", "0"]);
        command.arg("--unixsocket").arg(&socket);
        let mut program = Program::start(&mut command, name, &folder)?;
        let url = format!("redis+unix://{}", socket.display());
        let client = redis::Client::open(url)?;
        let connection = program.wait_until(|_| {
            let mut connection = client.get_connection().ok()?;
            redis::cmd("PING").query::<String>(&mut connection).ok()?;
            Some(connection)
        })?;
        Ok(Self {
            program,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            socket,
            connection,
        })
    }

    /// Processor time since it started, in microseconds.
    pub fn processor_time(&self) -> Result<u64> {
        self.program.processor_time()
    }

    /// How metrust finds it.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    /// One command.
    pub fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T> {
        Ok(command.query(&mut self.connection)?)
    }

    /// Many commands whose replies do not matter.
    pub fn send(&mut self, pipeline: &Pipeline) -> Result<()> {
        Ok(pipeline.exec(&mut self.connection)?)
    }

    /// A figure of `INFO`.
    pub fn figure(&mut self, name: &str) -> Result<u64> {
        let info: String = self.ask(redis::cmd("INFO").arg("everything"))?;
        let figure = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let figure = figure.and_then(|text| text.trim().parse().ok());
        figure.ok_or_else(|| format!("Redis does not say {name}").into())
    }

    /// What all keys that match take in memory, counted to the last element.
    pub fn memory_of(&mut self, pattern: &str) -> Result<u64> {
        let keys: Vec<String> = self.ask(redis::cmd("KEYS").arg(pattern))?;
        let mut bytes = 0;
        for key in keys {
            let usage = redis::cmd("MEMORY")
                .arg("USAGE")
                .arg(key)
                .arg("SAMPLES")
                .arg(0)
                .to_owned();
            bytes += self.ask::<Option<u64>>(&usage)?.unwrap_or(0);
        }
        Ok(bytes)
    }

    /// Whether it still answers.
    pub fn is_there(&mut self) -> bool {
        self.connection.check_connection()
    }
}
