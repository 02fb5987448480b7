//! What a check may take in memory, so that it cannot creep: allocations are counted.

use std::sync::Arc;

use actix_web::web;
use tempfile::tempdir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::Front;
use crate::api::Shared;
use crate::server::{KEEP_ALIVE, getting_started};
use crate::service::{Checker, Service};
use crate::settings::{Overrides, Settings};

/// Allocations of the answering thread for a check that comes alone, from the socket to the socket,
/// the journey to the store included. Those of batches are fewer, as they share the journey.
const TEXT: u64 = 15;

/// The same for an answer as an object.
const OBJECT: u64 = 19;

const CHECKS: u64 = 200;

#[test]
fn a_check_allocates_no_more_than_its_budget() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let local = LocalSet::new();
    let folder = tempdir().unwrap();
    let (front, key) = local.block_on(&runtime, front(folder.path()));
    let (mut client, stream) = local.block_on(&runtime, pair());
    local.spawn_local(async move { front.serve(stream).await });
    for (format, budget) in [("text", TEXT), ("json", OBJECT)] {
        let request = format!(
            "GET /v1/check?phone=%2B32475123456&seller=demo-telecom&format={format} HTTP/1.1\r\n\
             Host: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
        );
        let mut answer = [0; 1024];
        let mut ask = |times| {
            local.block_on(&runtime, async {
                for _ in 0..times {
                    client.write_all(request.as_bytes()).await.unwrap();
                    let length = client.read(&mut answer).await.unwrap();
                    assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK\r\n"));
                }
            });
        };
        // What the first ones set up is not part of it.
        ask(20);
        let counted = allocation_counter::measure(|| ask(CHECKS));
        let each = counted.count_total.div_ceil(CHECKS);
        assert!(
            each <= budget,
            "{format}: {each} allocations a check ({} bytes), {budget} are allowed",
            counted.bytes_total / CHECKS
        );
    }
}

async fn front(data: &std::path::Path) -> (Front, String) {
    let settings = Settings::load(None, &Overrides::default()).unwrap();
    let (service, _) = Service::start(&settings, data).await.unwrap();
    let demo = getting_started::make(&service).await.unwrap();
    service.directory().renew().await.unwrap();
    let key = demo.dialler_key().to_owned();
    let checker = Checker::open(Arc::clone(&service)).unwrap();
    let shared = Shared::new(service, settings, data.to_owned());
    let front = Front::new(web::Data::new(shared), web::Data::new(checker), KEEP_ALIVE);
    (front, key)
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}
