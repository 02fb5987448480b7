//! The connection to a Redis server: it comes back by itself, and nothing waits on it for long.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError};
use redis::{ServerErrorKind, TlsCertificates, Value};

use super::durability::{Report, SETTINGS};
use crate::store::{RedisOptions, StoreError};

/// A Lua script, known to the server by its hash.
#[derive(Debug)]
pub(super) struct Script {
    code: String,
    hash: String,
}

impl Script {
    pub(super) fn new(parts: &[&str]) -> Self {
        let code = parts.join("\n");
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }
}

/// A connection that several tasks share.
#[derive(Clone)]
pub(super) struct Link {
    connection: ConnectionManager,
    timeout: Duration,
    replicas: u32,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    /// Connects. Every request is given up after `timeout`, also while reconnecting.
    pub(super) async fn connect(
        options: &RedisOptions,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        let info = options
            .url
            .as_str()
            .into_connection_info()
            .map_err(|error| StoreError::Away(format!("the Redis address is not one: {error}")))?;
        // `tcp_nodelay` is off by default in this crate, and costs 40 ms when it is.
        let info = info
            .clone()
            .set_tcp_settings(info.tcp_settings().clone().set_nodelay(true));
        let client = match &options.ca_certificate {
            None => Client::open(info),
            Some(file) => {
                let root_cert = std::fs::read(file).map_err(|error| {
                    StoreError::Away(format!(
                        "cannot read {}, which store.redis.ca_certificate names: {error}",
                        file.display()
                    ))
                })?;
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(root_cert),
                };
                Client::build_with_tls(info, certificates)
            }
        }
        .map_err(|error| away(&error))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(2)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(200))
            .set_pipeline_buffer_size(1024);
        let connection = tokio::time::timeout(
            timeout.saturating_mul(6),
            ConnectionManager::new_with_config(client, config),
        )
        .await
        .map_err(|_| StoreError::Late)?
        .map_err(|error| away(&error))?;
        Ok(Self {
            connection,
            timeout,
            replicas: options.replicas,
        })
    }

    /// Sends one command.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let asked = tokio::time::timeout(self.timeout, command.query_async(&mut connection));
        asked
            .await
            .map_err(|_| StoreError::Late)?
            .map_err(|error| away(&error))
    }

    /// Sends several commands at once.
    pub(super) async fn pipeline<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let asked = tokio::time::timeout(self.timeout, commands.query_async(&mut connection));
        asked
            .await
            .map_err(|_| StoreError::Late)?
            .map_err(|error| away(&error))
    }

    /// Runs a script that writes; where replicas are required, waits until they have its effects.
    pub(super) async fn write<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<T, StoreError> {
        let run = async {
            let mut connection = self.connection.clone();
            let mut command = redis::cmd("EVALSHA");
            command.arg(&script.hash).arg(keys.len());
            command.arg(keys).arg(arguments);
            let value = match self.send(&mut connection, &command).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    let mut load = redis::cmd("SCRIPT");
                    load.arg("LOAD").arg(&script.code);
                    load.query_async::<Value>(&mut connection).await?;
                    self.send(&mut connection, &command).await?
                }
                other => other?,
            };
            T::from_redis_value(value).map_err(RedisError::from)
        };
        tokio::time::timeout(self.timeout, run)
            .await
            .map_err(|_| StoreError::Late)?
            .map_err(|error| away(&error))
    }

    async fn send(
        &self,
        connection: &mut ConnectionManager,
        command: &Cmd,
    ) -> Result<Value, RedisError> {
        if self.replicas == 0 {
            return command.query_async(connection).await;
        }
        let mut both = redis::pipe();
        both.add_command(command.clone());
        both.cmd("WAIT")
            .arg(self.replicas)
            .arg(self.timeout.as_millis() as u64);
        let (value, reached): (Value, u32) = both.query_async(connection).await?;
        if reached < self.replicas {
            return Err(RedisError::from((
                ErrorKind::Io,
                "too few replicas have the entry",
            )));
        }
        Ok(value)
    }

    /// What the server says of itself. `None` settings mean that it may not be asked.
    pub(super) async fn report(&self, with_settings: bool) -> Result<Report, StoreError> {
        let mut report = Report::default();
        let info: String = self.query(&redis::cmd("INFO")).await?;
        report.read_info(&info);
        if with_settings {
            let mut get = redis::cmd("CONFIG");
            get.arg("GET").arg(&SETTINGS);
            report.config = self.query(&get).await.map_err(|error| match error {
                StoreError::Away(what) if what.contains("NOPERM") || what.contains("unknown") => {
                    StoreError::Unsafe(
                        "this Redis does not show its settings (CONFIG GET), so nobody can tell \
                         whether it keeps what it acknowledges; allow that command, or, if you \
                         know that it does, set `store.redis.verify = false`"
                            .to_owned(),
                    )
                }
                other => other,
            })?;
        }
        Ok(report)
    }
}

/// An error of the client, without anything that was sent.
pub(super) fn away(error: &RedisError) -> StoreError {
    match (error.kind(), error.code()) {
        (_, Some("FOREIGN")) => StoreError::Foreign(
            "its identity is gone or another one; it was emptied or exchanged".to_owned(),
        ),
        (_, Some("LOST")) => StoreError::Lost,
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS" | "NOAUTH")) => {
            StoreError::Away("Redis refuses the user name or the password".to_owned())
        }
        (_, Some("OOM")) => StoreError::Away("Redis has no memory left (maxmemory)".to_owned()),
        (_, Some(code)) => StoreError::Away(format!("Redis answers {code}")),
        _ if error.is_timeout() => StoreError::Late,
        _ if error.is_connection_refusal() => {
            StoreError::Away("nothing answers at the Redis address".to_owned())
        }
        (ErrorKind::Parse, None) => StoreError::Away(
            "what answers at the Redis address does not speak as Redis does".to_owned(),
        ),
        (kind, None) => StoreError::Away(format!("{kind:?} while talking to Redis")),
    }
}
