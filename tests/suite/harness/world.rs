//! A whole registry of its own for one test: a store, a service on it, and on Redis as many
//! replicas as wanted.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::api::Api;
use super::browser::Browser;
use super::redis::Redis;
use super::service::{Launch, Service};

/// The stores that every behaviour is tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// One file in the data folder.
    Embedded,
    /// A Redis with `appendonly yes` and `appendfsync always`.
    RedisAlways,
}

/// A registry. The fields are in the order in which they are torn down.
pub struct World {
    pub service: Service,
    pub redis: Option<Redis>,
    folder: TempDir,
}

impl World {
    pub fn on(engine: Engine) -> Self {
        Self::with(engine, |launch| launch)
    }

    /// With the start changed by `adapt`.
    #[track_caller]
    pub fn with(engine: Engine, adapt: impl FnOnce(Launch) -> Launch) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redis = (engine == Engine::RedisAlways).then(Redis::durable);
        let mut launch = Launch::on(&folder.path().join("data"));
        if let Some(redis) = &redis {
            launch = launch.redis(&redis.url());
        }
        let launch = adapt(launch);
        Self {
            service: launch.start(),
            redis,
            folder,
        }
    }

    /// A second service with the same keys on the same Redis; none on the embedded store, which has
    /// one user.
    #[track_caller]
    pub fn replica(&self) -> Option<Service> {
        self.replica_with(|launch| launch)
    }

    /// The same, with the start changed by `adapt`.
    #[track_caller]
    pub fn replica_with(&self, adapt: impl FnOnce(Launch) -> Launch) -> Option<Service> {
        let redis = self.redis.as_ref()?;
        let data = self.folder.path().join("replica");
        copy_folder(&self.service.data().join("keys"), &data.join("keys"));
        let launch = Launch::on(&data)
            .redis(&redis.url())
            .set("AUDIT__FOLDER", self.log_folder());
        Some(adapt(launch).start())
    }

    /// Where the log lies, unless a test has put it elsewhere.
    pub fn log_folder(&self) -> PathBuf {
        self.service.data().join("log")
    }

    /// A folder of the test's own, beside those of the services.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With the limits for one address as they come.
    #[track_caller]
    pub fn with_real_limits(engine: Engine) -> Self {
        Self::with(engine, Launch::with_real_limits)
    }

    pub fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("a behaviour of Redis")
    }

    pub fn operator(&self) -> Api {
        self.service.operator()
    }

    pub fn anonymous(&self) -> Api {
        self.service.anonymous()
    }

    pub fn browser(&self) -> Browser {
        self.service.browser()
    }

    /// Two sellers, `telco` and `energy`, and the agency `calls` that dials for both: its dialler.
    #[track_caller]
    pub fn dialler(&self) -> Api {
        let operator = self.operator();
        operator.add_seller("telco");
        operator.add_seller("energy");
        operator.add_agency("calls", &["telco", "energy"]);
        operator.dialler_of("calls")
    }
}

/// Copies a folder with all that is in it.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_tree(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Copies a folder of plain files, keeping their modes.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for parent in [to.parent().unwrap(), to] {
        fs::set_permissions(parent, fs::metadata(from).unwrap().permissions()).unwrap();
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
