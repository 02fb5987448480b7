//! The connection to a Redis server: it comes back by itself, and nothing waits on it for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

    /// A call of the script with so many keys; the keys come next, then the arguments. `arguments`
    /// and `bytes` are how much room to make for both.
    pub(super) fn call(&self, keys: usize, arguments: usize, bytes: usize) -> Cmd {
        let mut call = Cmd::with_capacity(arguments + 3, bytes + 64);
        call.arg("EVALSHA").arg(&self.hash).arg(keys);
        call
    }
}

/// A connection that several tasks share.
#[derive(Clone)]
pub(in crate::store) struct Link {
    connection: ConnectionManager,
    timeout: Duration,
    replicas: u32,
    drops: Drops,
    /// How many drops were known when this link was last found to work.
    works_since: Arc<AtomicU64>,
}

/// How often a connection to the server was found to be gone. All links to one server share it:
/// when one finds out that the server was restarted, the others make sure of their own connection
/// before they send something that cannot be sent twice.
pub(super) type Drops = Arc<AtomicU64>;

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
        drops: Drops,
    ) -> Result<Self, StoreError> {
        let (client, config) = client(options, timeout)?;
        let connection = tokio::time::timeout(
            timeout.saturating_mul(6),
            ConnectionManager::new_with_config(client, config),
        )
        .await
        .map_err(|_| StoreError::Late)?
        .map_err(|error| away(&error))?;
        Ok(Self::over(connection, options, timeout, drops))
    }

    /// A link that connects when it is first used, and lives on the runtime that does so.
    pub(super) fn later(
        options: &RedisOptions,
        timeout: Duration,
        drops: Drops,
    ) -> Result<Self, StoreError> {
        let (client, config) = client(options, timeout)?;
        let connection = ConnectionManager::new_lazy_with_config(client, config)
            .map_err(|error| away(&error))?;
        Ok(Self::over(connection, options, timeout, drops))
    }

    fn over(
        connection: ConnectionManager,
        options: &RedisOptions,
        timeout: Duration,
        drops: Drops,
    ) -> Self {
        Self {
            connection,
            timeout,
            replicas: options.replicas,
            works_since: Arc::new(AtomicU64::new(drops.load(Ordering::Acquire))),
            drops,
        }
    }

    /// Does something over the connection, in time. Where any link was found to be gone since this
    /// one last worked, it is tried first: what it was to carry would be lost with it.
    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(ConnectionManager) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let all = async {
            let drops = self.drops.load(Ordering::Acquire);
            if drops != self.works_since.load(Ordering::Acquire) {
                self.try_out().await?;
                self.works_since.store(drops, Ordering::Release);
            }
            work(self.connection.clone()).await
        };
        match tokio::time::timeout(self.timeout, all).await {
            Err(_) => Err(StoreError::Late),
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                if error.is_connection_dropped() {
                    self.drops.fetch_add(1, Ordering::AcqRel);
                }
                Err(away(&error))
            }
        }
    }

    /// Makes the manager notice a connection that is gone, and connect again.
    async fn try_out(&self) -> Result<(), RedisError> {
        let ping = redis::cmd("PING");
        let mut connection = self.connection.clone();
        match ping.query_async::<Value>(&mut connection).await {
            Err(error) if error.is_connection_dropped() => {
                ping.query_async::<Value>(&mut connection).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    /// Sends one command.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.with(async |mut connection| command.query_async(&mut connection).await)
            .await
    }

    /// Sends several commands at once.
    pub(super) async fn pipeline<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        self.with(async |mut connection| commands.query_async(&mut connection).await)
            .await
    }

    /// Runs a script that writes; where replicas are required, waits until they have its effects.
    pub(super) async fn write<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<T, StoreError> {
        let mut call = script.call(keys.len(), keys.len() + arguments.len(), 0);
        call.arg(keys).arg(arguments);
        self.run(script, &call).await
    }

    /// The same for a call that is ready: see [`Script::call`].
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        call: &Cmd,
    ) -> Result<T, StoreError> {
        let (value, reached) = self
            .with(async |mut connection| {
                let (value, reached) = match self.send(&mut connection, call).await {
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        let mut load = redis::cmd("SCRIPT");
                        load.arg("LOAD").arg(&script.code);
                        load.query_async::<Value>(&mut connection).await?;
                        self.send(&mut connection, call).await?
                    }
                    other => other?,
                };
                let value = T::from_redis_value(value).map_err(RedisError::from)?;
                Ok((value, reached))
            })
            .await?;
        if reached < self.replicas {
            return Err(StoreError::Away(format!(
                "{reached} replicas have what was written, and store.redis.replicas asks for {}",
                self.replicas
            )));
        }
        Ok(value)
    }

    /// Gives the replicas that are required some time to be there; whether they are, the server's
    /// report says.
    pub(super) async fn wait_for_replicas(&self) -> Result<(), StoreError> {
        if self.replicas == 0 {
            return Ok(());
        }
        match self.query::<u32>(&self.replicas_have_it()).await {
            Ok(_) | Err(StoreError::Late) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until the required replicas have what was written, or for most of the time that there is.
    fn replicas_have_it(&self) -> Cmd {
        let mut wait = redis::cmd("WAIT");
        let most = self.timeout.as_millis() as u64 * 9 / 10;
        wait.arg(self.replicas).arg(most);
        wait
    }

    /// Sends a command; says how many replicas have its effects, where some are required.
    async fn send(
        &self,
        connection: &mut ConnectionManager,
        command: &Cmd,
    ) -> Result<(Value, u32), RedisError> {
        if self.replicas == 0 {
            return Ok((command.query_async(connection).await?, 0));
        }
        let mut both = redis::pipe();
        both.add_command(command.clone());
        both.add_command(self.replicas_have_it());
        // Read one by one: what a script refuses has a name, and the errors of a whole do not.
        both.ignore_errors();
        let replies: Vec<Value> = both.query_async(connection).await?;
        let [value, reached] = <[Value; 2]>::try_from(replies).map_err(|_| {
            RedisError::from((
                ErrorKind::Parse,
                "another number of replies than of commands",
            ))
        })?;
        let value = value.extract_error()?;
        let reached = u32::from_redis_value(reached.extract_error()?)?;
        Ok((value, reached))
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

/// Whom to connect to, and how.
fn client(
    options: &RedisOptions,
    timeout: Duration,
) -> Result<(Client, ConnectionManagerConfig), StoreError> {
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
    Ok((client, config))
}

/// An error of the client, without anything that was sent.
pub(super) fn away(error: &RedisError) -> StoreError {
    match (error.kind(), error.code()) {
        (_, Some("FOREIGN")) => StoreError::Foreign(
            "its identity is gone or another one; it was emptied or exchanged".to_owned(),
        ),
        (_, Some("LOST")) => StoreError::Lost,
        (_, Some("MARKED")) => StoreError::Marked,
        (_, Some("CAMEBACK")) => StoreError::Unsettled,
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
