//! metrust: a do-not-call registry. *Laat me met rust*: leave me in peace.
//!
//! The map of the house; arrows point one way:
//!
//! ```text
//! main → cli → (api, web) → service → (log, table) → (store, privacy) → domain
//! ```
//!
//! * [`domain`]: numbers, scopes, decisions, audit entries, reference codes, roles.
//! * [`privacy`]: keys, pseudonyms, sealed boxes.
//! * [`store`]: looking up and recording in one atomic, durable step; embedded or on Redis.
//! * [`log`]: the transparency log: tree, tiles, signed checkpoints, proofs.
//! * [`table`]: one reader of tables: lists that are washed and imported, call-detail records.
//! * [`service`]: the use cases.
//! * [`api`]: the REST interface; [`web`]: the pages for people.
//! * [`server`]: puts it all on a port; [`cli`]: the command line.
//! * [`settings`], [`telemetry`]: what every part needs; [`supervisor`]: what runs all the time.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests spawn as they like")
)]

pub mod api;
pub mod cli;
pub mod domain;
pub mod log;
pub mod privacy;
pub mod server;
pub mod service;
pub mod settings;
pub mod store;
pub mod supervisor;
pub mod table;
pub mod telemetry;
pub mod web;
