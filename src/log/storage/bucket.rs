//! A bucket that speaks S3, by the `object_store` crate.
//!
//! Amazon's own, and every other that knows `If-None-Match: *` on a write (Amazon S3 API reference,
//! PutObject): without it two sealers could both create the same commit. That is tried when the
//! bucket is opened. Besides, a bucket must show every write to all readers at once, as Amazon's
//! does.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::client::SpawnedReqwestConnector;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt,
    PutMode, PutOptions, PutPayload, RetryConfig,
};
use tokio::runtime::Handle;

use super::StorageError;

/// How many requests of one call are under way at once at most.
const AT_ONCE: usize = 32;

/// How long one request may take, in the words of `object_store`. The largest object, a commit,
/// has about eight megabytes.
const REQUEST: &str = "10 seconds";

/// How long connecting may take.
const CONNECT: &str = "3 seconds";

/// A request that failed is tried so many times more, ...
const RETRIES: usize = 3;

/// ... if it has not taken so long already. What is still not done then is an error, and the
/// sealer's to try again.
const RETRY_WITHIN: Duration = Duration::from_secs(5);

/// How often an object is created again when the bucket speaks of a conflict, but has no object.
const CREATE_AGAIN: usize = 3;

/// The folder of the objects that try whether creating succeeds once.
const TRIALS: &str = "create-only-test";

/// How to reach a bucket. What is empty is left to the environment.
#[derive(Debug, Clone, Default)]
pub struct BucketOptions {
    /// The address of a service that is not Amazon's.
    pub endpoint: String,
    /// The region.
    pub region: String,
}

/// A bucket as storage.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    place: String,
    prefix: Path,
}

impl Bucket {
    /// Opens `s3://bucket/folder`, and tries whether an object is created there only once.
    ///
    /// Its connections belong to the runtime that this is called on.
    ///
    /// # Errors
    /// [`StorageError`] when the address or a setting cannot be used, the bucket is away, may not
    /// be written, or would let two create one object.
    pub async fn open(address: &str, options: &BucketOptions) -> Result<Self, StorageError> {
        let cannot = |why: String| StorageError {
            what: "open",
            place: address.to_owned(),
            why,
        };
        let rest = address.strip_prefix("s3://").unwrap_or(address);
        let (name, folder) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(cannot("it does not name a bucket".to_owned()));
        }
        let prefix = Path::parse(folder)
            .map_err(|_| cannot("its folder cannot be the name of an object".to_owned()))?;
        let store = builder(name, options)
            .build()
            .map_err(|error| cannot(why(&error)))?;
        let bucket = Self {
            store: Arc::new(store),
            place: address.trim_end_matches('/').to_owned(),
            prefix,
        };
        bucket.try_creating().await?;
        Ok(bucket)
    }

    async fn try_creating(&self) -> Result<(), StorageError> {
        let name = HEXLOWER.encode(&crate::privacy::random::<16>());
        let path = format!("{TRIALS}/{name}");
        self.create(&path, b"first".to_vec()).await?;
        let again = self.create(&path, b"second".to_vec()).await;
        let removed = self.remove(vec![path]).await;
        if again? {
            return Err(StorageError {
                what: "use",
                place: self.place(),
                why: "it lets an object be created twice (it ignores `If-None-Match: *`), so two \
                      processes could write two different logs"
                    .to_owned(),
            });
        }
        removed
    }

    pub(super) fn place(&self) -> String {
        self.place.clone()
    }

    pub(super) async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let got = async { self.store.get(&self.at(path)).await?.bytes().await };
        self.found("read", path, got.await)
            .map(|bytes| bytes.map(Vec::from))
    }

    pub(super) async fn get_all(
        &self,
        paths: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        // Each takes its path along, or the whole would not be seen to be `Send`.
        let gets = paths
            .into_iter()
            .map(|path| async move { self.get(&path).await });
        stream::iter(gets).buffered(AT_ONCE).try_collect().await
    }

    pub(super) async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        if range.is_empty() {
            return Ok(self.exists(path).await?.then(Vec::new));
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range.clone())),
            ..GetOptions::default()
        };
        let at = self.at(path);
        let got = async { self.store.get_opts(&at, options).await?.bytes().await };
        match got.await {
            // S3 has no empty ranges: one that begins where the object ends is an error.
            Err(error) if error.to_string().contains("416") => {
                let meta = self.found("read", path, self.store.head(&at).await)?;
                match meta {
                    None => Ok(None),
                    Some(meta) if range.start >= meta.size => Ok(Some(Vec::new())),
                    Some(_) => Err(self.cannot("read", path, &error)),
                }
            }
            got => Ok(self.found("read", path, got)?.map(Vec::from)),
        }
    }

    pub(super) async fn exists(&self, path: &str) -> Result<bool, StorageError> {
        let head = self.store.head(&self.at(path)).await;
        Ok(self.found("read", path, head)?.is_some())
    }

    /// Of two who create at once, one is told "conflict", perhaps before there is an object.
    pub(super) async fn create(&self, path: &str, bytes: Vec<u8>) -> Result<bool, StorageError> {
        let (at, payload) = (self.at(path), PutPayload::from(bytes));
        let mut tries = CREATE_AGAIN;
        loop {
            let options = PutOptions::from(PutMode::Create);
            let put = self.store.put_opts(&at, payload.clone(), options);
            match put.await {
                Ok(_) => return Ok(true),
                Err(Error::AlreadyExists { .. }) if self.exists(path).await? => return Ok(false),
                Err(Error::AlreadyExists { .. }) if tries > 0 => tries -= 1,
                Err(error) => return Err(self.cannot("write", path, &error)),
            }
        }
    }

    pub(super) async fn put(&self, objects: Vec<(String, Bytes)>) -> Result<(), StorageError> {
        let puts = objects.into_iter().map(|(path, bytes)| async move {
            let (at, payload) = (self.at(&path), PutPayload::from(bytes));
            let put = self.store.put(&at, payload).await;
            put.map_err(|error| self.cannot("write", &path, &error))
        });
        let mut puts = stream::iter(puts).buffer_unordered(AT_ONCE);
        while let Some(put) = puts.next().await {
            put?;
        }
        Ok(())
    }

    /// What a bucket has acknowledged lasts.
    #[allow(
        clippy::unused_async,
        clippy::unused_self,
        reason = "the storages have one contract"
    )]
    pub(super) async fn settle(&self, _path: &str) -> Result<(), StorageError> {
        Ok(())
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>, StorageError> {
        let listed = self.store.list_with_delimiter(Some(&self.at(folder))).await;
        let listed = listed.map_err(|error| self.cannot("list", folder, &error))?;
        let objects = listed.objects.iter().map(|object| &object.location);
        Ok(objects
            .chain(&listed.common_prefixes)
            .filter_map(|path| path.filename().map(str::to_owned))
            .collect())
    }

    pub(super) async fn remove(&self, paths: Vec<String>) -> Result<(), StorageError> {
        for path in paths {
            let removed = self.store.delete(&self.at(&path)).await;
            self.found("remove", &path, removed)?;
        }
        Ok(())
    }

    /// One by one, because not every bucket removes many objects by one request.
    pub(super) async fn remove_all(&self, folder: &str) -> Result<(), StorageError> {
        let found = self.store.list(Some(&self.at(folder)));
        let removed = found.try_for_each_concurrent(AT_ONCE, |object| async move {
            match self.store.delete(&object.location).await {
                Err(Error::NotFound { .. }) | Ok(()) => Ok(()),
                Err(error) => Err(error),
            }
        });
        removed
            .await
            .map_err(|error| self.cannot("remove", folder, &error))
    }

    fn at(&self, path: &str) -> Path {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), |at, part| at.join(part))
    }

    /// An object that is not there is no failure; a bucket that is not there is one.
    fn found<T>(
        &self,
        what: &'static str,
        path: &str,
        result: Result<T, Error>,
    ) -> Result<Option<T>, StorageError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error @ Error::NotFound { .. }) if code(&error.to_string()) == Some(NO_BUCKET) => {
                Err(self.cannot(what, path, &error))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.cannot(what, path, &error)),
        }
    }

    fn cannot(&self, what: &'static str, path: &str, error: &Error) -> StorageError {
        StorageError {
            what,
            place: format!("{}/{path}", self.place),
            why: why(error),
        }
    }
}

/// Credentials, and what else `AWS_*` says, come from the environment; the settings go before it.
fn builder(bucket: &str, options: &BucketOptions) -> AmazonS3Builder {
    let client = |key| AmazonS3ConfigKey::Client(key);
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_config(client(ClientConfigKey::Timeout), REQUEST)
        .with_config(client(ClientConfigKey::ConnectTimeout), CONNECT)
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                max_backoff: Duration::from_secs(1),
                ..BackoffConfig::default()
            },
            max_retries: RETRIES,
            retry_timeout: RETRY_WITHIN,
        })
        // Each worker has a runtime of its own, and may end before the sealer does.
        .with_http_connector(SpawnedReqwestConnector::new(Handle::current()));
    if !options.region.is_empty() {
        builder = builder.with_region(&options.region);
    }
    if !options.endpoint.is_empty() {
        builder = builder
            .with_endpoint(&options.endpoint)
            .with_allow_http(options.endpoint.starts_with("http://"));
    }
    builder
}

/// The code of S3 for a bucket that is not there.
const NO_BUCKET: &str = "NoSuchBucket";

/// S3's code for an error, where an answer gives one.
fn code(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then_some(code)
}

/// What went wrong, without what S3 says at length: that holds the access key and signatures.
fn why(error: &Error) -> String {
    if let Some(code) = code(&error.to_string()) {
        return format!("the bucket says {code}");
    }
    match error {
        Error::NotFound { .. } => return "it is not there".to_owned(),
        Error::PermissionDenied { .. } => return "it may not be used with this key".to_owned(),
        Error::Unauthenticated { .. } => return "the bucket does not know the key".to_owned(),
        Error::AlreadyExists { .. } => return "another process is writing it".to_owned(),
        _ => {}
    }
    // The innermost cause says most: "connection refused", "operation timed out".
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = cause.to_string();
    // An answer follows its status.
    let status = text.strip_prefix("Server returned non-2xx status code: ");
    let told = match status {
        Some(rest) => rest.split(':').next().unwrap_or(rest),
        None => text.split('<').next().unwrap_or(&text),
    };
    told.trim().chars().take(200).collect()
}
