//! A wash by hand: the list goes out in pieces that the test chooses, and what comes back is read
//! in between.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::api::Api;
use super::raw::connect;
use super::service::Service;

/// A wash on a connection of its own.
pub struct Washing {
    stream: TcpStream,
    /// What came and is not taken apart yet.
    came: Vec<u8>,
    head: Option<String>,
    body: Vec<u8>,
    lines: usize,
    complete: bool,
}

/// How a wash ended, as its client sees it.
#[derive(Debug)]
pub struct Washed {
    pub status: u16,
    pub head: String,
    pub body: String,
    /// Whether the last chunk was there.
    pub complete: bool,
}

impl Washing {
    /// Sends the head of the request alone.
    pub fn begin(service: &Service, key: &str, query: &str, media_type: &str) -> Self {
        let mut stream = connect(service);
        let host = service.address();
        let head = format!(
            "POST /v1/wash?{query} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self {
            stream,
            came: Vec::new(),
            head: None,
            body: Vec::new(),
            lines: 0,
            complete: false,
        }
    }

    /// Sends a piece of the list; whether it could be sent.
    pub fn send(&mut self, piece: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(&chunk(piece.as_ref())).is_ok()
    }

    /// Sends a whole list while reading what comes back.
    pub fn send_all(self, list: &str) -> Washed {
        let mut to = self.stream.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut pieces = list.as_bytes().chunks(1 << 16);
                pieces.all(|piece| to.write_all(&chunk(piece)).is_ok()) && to.write_all(END).is_ok()
            });
            self.rest()
        })
    }

    /// Waits until so many rows have come back; false if the answer ends before.
    pub fn come(&mut self, rows: usize) -> bool {
        while self.lines < rows {
            if !self.read() {
                return false;
            }
        }
        true
    }

    /// Waits until so many rows have come back, and gives all that came.
    #[track_caller]
    pub fn rows(&mut self, rows: usize) -> String {
        assert!(
            self.come(rows),
            "the answer ended early: {:?}",
            self.so_far()
        );
        self.so_far().body
    }

    /// The wash's name.
    #[track_caller]
    pub fn id(&mut self) -> String {
        while self.head.is_none() {
            assert!(self.read(), "no head came");
        }
        let head = self.so_far().head;
        let line = head.lines().find_map(|line| line.strip_prefix("wash-id: "));
        line.unwrap_or_else(|| panic!("no name: {head}")).to_owned()
    }

    /// Ends the list and reads what is left.
    pub fn end(mut self) -> Washed {
        let _ = self.stream.write_all(END);
        self.rest()
    }

    /// Reads to the end of the answer without ending the list.
    pub fn rest(mut self) -> Washed {
        while !self.complete && self.read() {}
        self.so_far()
    }

    /// Breaks the connection.
    pub fn hang_up(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn read(&mut self) -> bool {
        let mut piece = [0; 16 << 10];
        match self.stream.read(&mut piece) {
            Ok(length @ 1..) => self.came.extend_from_slice(&piece[..length]),
            _ => return false,
        }
        let mut at = 0;
        if self.head.is_none() {
            let Some(end) = memchr::memmem::find(&self.came, b"\r\n\r\n") else {
                return true;
            };
            self.head = Some(String::from_utf8_lossy(&self.came[..end]).into_owned());
            at = end + 4;
        }
        while let Some(end) = memchr::memmem::find(&self.came[at..], b"\r\n") {
            let size = std::str::from_utf8(&self.came[at..at + end]).unwrap_or_default();
            let size = usize::from_str_radix(size, 16).unwrap_or(0);
            let begin = at + end + 2;
            let Some(piece) = self.came.get(begin..begin + size) else {
                break;
            };
            self.complete |= size == 0;
            self.lines += memchr::memchr_iter(b'\n', piece).count();
            self.body.extend_from_slice(piece);
            at = (begin + size + 2).min(self.came.len());
        }
        self.came.drain(..at);
        true
    }

    fn so_far(&self) -> Washed {
        let head = self.head.clone().unwrap_or_default();
        Washed {
            status: head
                .get(9..12)
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            head,
            body: String::from_utf8_lossy(&self.body).into_owned(),
            complete: self.complete,
        }
    }
}

const END: &[u8] = b"0\r\n\r\n";

fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The last audit entry about a wash, which must be there soon.
#[track_caller]
pub fn ending(api: &Api, wash: &str) -> serde_json::Value {
    super::until("the wash is on record", super::wait::PATIENCE, || {
        let mut entries = api.entries(&[("op", "wash")]).into_iter();
        entries.find(|entry| entry["wash"] == wash)
    })
}

/// A line between client and service that is cut, as often as is wanted, when so many bytes have
/// come back on it.
pub struct Line {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Line {
    pub fn to(service: &Service, cuts: usize, after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let to = service.address().to_owned();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let limit = if number < cuts { after } else { usize::MAX };
                let (client, service) = (client.unwrap(), TcpStream::connect(&to));
                let Ok(service) = service else { continue };
                let (up, down) = (client.try_clone().unwrap(), service.try_clone().unwrap());
                thread::spawn(move || pass(up, service, usize::MAX));
                thread::spawn(move || pass(down, client, limit));
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// A line for one connection on which no more than so many bytes come back until it is cut.
    pub fn that_stalls(service: &Service, after: usize) -> (Self, Stall) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let to = service.address().to_owned();
        let ((tell, stalled), (cut, wait)) = (mpsc::channel(), mpsc::channel());
        thread::spawn(move || {
            let client = listener.accept().unwrap().0;
            let service = TcpStream::connect(&to).unwrap();
            let (up, down) = (client.try_clone().unwrap(), service.try_clone().unwrap());
            thread::spawn(move || pass(up, service, usize::MAX));
            let ends = [client.try_clone().unwrap(), down.try_clone().unwrap()];
            let (mut from, mut to, mut limit) = (down, client, after);
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut piece[..limit.min(4096)]) {
                to.write_all(&piece[..length]).unwrap();
                limit -= length;
                if limit == 0 {
                    break;
                }
            }
            tell.send(()).unwrap();
            let _: Result<(), _> = wait.recv();
            for stream in ends {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        let line = Self {
            address,
            connections: Arc::default(),
        };
        (line, Stall { stalled, cut })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A line that stands still.
pub struct Stall {
    stalled: mpsc::Receiver<()>,
    cut: mpsc::Sender<()>,
}

impl Stall {
    /// Waits until it does.
    #[track_caller]
    pub fn wait(&self) {
        self.stalled
            .recv_timeout(super::wait::PATIENCE)
            .expect("the line stands still");
    }

    /// Cuts it.
    pub fn cut(self) {
        self.cut.send(()).unwrap();
    }
}

/// Passes bytes on until one side ends, or so many have been passed.
fn pass(mut from: TcpStream, mut to: TcpStream, mut limit: usize) {
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let length = length.min(limit);
        limit -= length;
        if to.write_all(&piece[..length]).is_err() || limit == 0 {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
