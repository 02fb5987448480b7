//! A way to a server that can be led to another, as an address is that moves in a failover: the
//! connections that go through it break.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Listens until the test ends.
pub struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            target: Arc::new(AtomicU16::new(port)),
            open: Arc::default(),
        };
        let (target, open) = (proxy.target.clone(), proxy.open.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst)));
                let Ok(server) = server else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let both = [client, server];
                let [a, b] = [0, 1].map(|n| both[n].try_clone().unwrap());
                open.lock().unwrap().extend(both);
                let [c, d] = [a.try_clone().unwrap(), b.try_clone().unwrap()];
                thread::spawn(move || pass_on(a, b));
                thread::spawn(move || pass_on(d, c));
            }
        });
        proxy
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on it leads there.
    pub fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
