//! What the tests stand on: the real binary, a real `redis-server`, and clients that know nothing
//! but HTTP.
//!
//! Nothing here is shared between tests: each has a folder, a service process and, where it asks
//! for one, a Redis of its own, on ports that the system chose, and all of them are killed when the
//! test ends.

pub mod api;
pub mod browser;
#[cfg(feature = "s3")]
pub mod bucket;
pub mod bundle;
pub mod checks;
pub mod csv;
pub mod disk;
pub mod html;
pub mod load;
pub mod logs;
pub mod numbers;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod redis;
pub mod rounds;
pub mod sealed;
pub mod service;
pub mod smtp;
pub mod strace;
pub mod verifiers;
pub mod wait;
pub mod washing;
pub mod world;

pub use api::{Answer, Api};
pub use browser::Browser;
pub use numbers::number;
pub use redis::Redis;
pub use service::{Clock, Launch, Refusal, Service};
pub use wait::{eventually, run_async, until};
pub use world::{Engine, World};

/// Stamps every behaviour onto every store: each function becomes one test in `embedded` and one in
/// `redis_always`.
///
/// A behaviour takes `&World` or, when it stops and restarts the service, `&mut World`.
macro_rules! on_every_store {
    ($(fn $name:ident($world:ident: $of:ty $(,)?) $body:block)+) => {
        $(fn $name($world: $of) $body)+

        mod embedded {
            use crate::harness::{Engine, World};
            $(#[test] fn $name() { super::$name(&mut World::on(Engine::Embedded)); })+
        }

        mod redis_always {
            use crate::harness::{Engine, World};
            $(#[test] fn $name() { super::$name(&mut World::on(Engine::RedisAlways)); })+
        }
    };
}
pub(crate) use on_every_store;
