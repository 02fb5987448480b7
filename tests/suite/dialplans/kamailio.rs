//! The recipe for Kamailio, in the configuration that Kamailio brings along, run by Kamailio itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::harness::process::Process;
use crate::harness::wait::PATIENCE;
use crate::harness::{World, number, on_every_store, until};

const RECIPE: &str = include_str!("../../../deploy/diallers/kamailio.cfg");

/// Where packages put the configuration that Kamailio brings along.
const CONFIGURATION: &str = "/etc/kamailio/kamailio.cfg";

/// What stands for what in a text, each exactly as often as it must.
#[track_caller]
fn filled_in(text: &str, places: &[(&str, &str)]) -> String {
    places.iter().fold(text.to_owned(), |text, (place, value)| {
        assert_eq!(text.matches(place).count(), 1, "{place}");
        text.replace(place, value)
    })
}

/// A running Kamailio: agents dial through it, and a trunk lies behind it.
struct Kamailio {
    process: Process,
    address: SocketAddr,
    trunk: UdpSocket,
    _folder: TempDir,
}

impl Kamailio {
    /// Asks the metrust at `service` with `key`.
    #[track_caller]
    fn asking(service: &str, key: &str) -> Self {
        let folder = tempdir().unwrap();
        let trunk = UdpSocket::bind("127.0.0.1:0").unwrap();
        // Freed at once, for Kamailio to take.
        let address = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let recipe = filled_in(
            RECIPE,
            &[
                ("METRUST_SCHEME!https!", "METRUST_SCHEME!http!"),
                ("registry.example", service),
                ("mtr_live_your_diallers_key", key),
                ("sunny-telecom", "telco"),
            ],
        );
        fs::write(folder.path().join("metrust.cfg"), recipe).unwrap();
        let stock = fs::read_to_string(CONFIGURATION)
            .unwrap_or_else(|why| panic!("{CONFIGURATION}: {why}; tests/run installs Kamailio"));
        let (before, pstn) = stock.split_once("\nroute[PSTN] {").unwrap();
        let (way, after) = pstn.split_once("\troute(RELAY);").unwrap();
        let stock = format!("{before}\nroute[PSTN] {{{way}\troute(METRUST);{after}");
        let stock = filled_in(
            &stock,
            &[
                ("#!KAMAILIO\n", "#!KAMAILIO\n#!define WITH_PSTN\n"),
                ("pstn.gw_ip = \"\"", "pstn.gw_ip = \"127.0.0.1\""),
                (
                    "pstn.gw_port = \"\"",
                    &format!("pstn.gw_port = \"{}\"", trunk.local_addr().unwrap().port()),
                ),
                (
                    "# listen=udp:10.0.0.10:5060",
                    &format!("listen=udp:{address}"),
                ),
                (
                    "####### Routing Logic ########",
                    "include_file \"metrust.cfg\"\n####### Routing Logic ########",
                ),
            ],
        );
        let file = folder.path().join("kamailio.cfg");
        fs::write(&file, stock).unwrap();
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-Y"]).arg(folder.path());
        command.arg("-f").arg(&file);
        let mut process = Process::start(&mut command);
        let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
        until("Kamailio answers", PATIENCE, || {
            assert_eq!(process.ended(), None, "{}", process.stderr());
            status(&probe, address, "OPTIONS", None, Duration::from_millis(200))
        });
        Self {
            process,
            address,
            trunk,
            _folder: folder,
        }
    }

    /// What an agent is told who dials this number, and whether the call came to the trunk. The
    /// trunk is busy.
    #[track_caller]
    fn dial(&self, number: &str) -> (u16, bool) {
        let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let told = thread::scope(|scope| {
            let dialled =
                scope.spawn(|| status(&agent, self.address, "INVITE", Some(number), PATIENCE));
            while !dialled.is_finished() {
                self.answer_as_trunk();
            }
            dialled.join().unwrap().expect("an answer")
        });
        (told, told == 486)
    }

    /// Answers what has come to the trunk.
    fn answer_as_trunk(&self) {
        let mut buffer = [0; 8192];
        self.trunk
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let Ok((length, from)) = self.trunk.recv_from(&mut buffer) else {
            return;
        };
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.starts_with("INVITE ") {
            let kept = ["via:", "from:", "call-id:", "cseq:", "to:"];
            let lines = text.split("\r\n").filter(|line| {
                let line = line.to_ascii_lowercase();
                kept.iter().any(|name| line.starts_with(name))
            });
            let lines: Vec<_> = lines
                .map(|line| match line.to_ascii_lowercase().starts_with("to:") {
                    true => format!("{line};tag=trunk"),
                    false => line.to_owned(),
                })
                .collect();
            let busy = format!(
                "SIP/2.0 486 Busy\r\n{}\r\nContent-Length: 0\r\n\r\n",
                lines.join("\r\n")
            );
            self.trunk.send_to(busy.as_bytes(), from).unwrap();
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Asked to end it takes its workers along, but now and then hangs over it for a minute.
        let pid = self.process.pid();
        let workers = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        self.process.signal("TERM");
        let asked = Instant::now();
        while self.process.ended().is_none() {
            if asked.elapsed() > Duration::from_secs(5) {
                let mut kill = Command::new("kill");
                kill.args(["-KILL", &pid.to_string()]);
                let _ = kill.args(workers.split_whitespace()).status();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The final status of one request, sent again as SIP's timers have it; nothing if none comes.
fn status(
    agent: &UdpSocket,
    to: SocketAddr,
    method: &str,
    number: Option<&str>,
    within: Duration,
) -> Option<u16> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let here = agent.local_addr().unwrap();
    let call = format!("{}x{}", here.port(), CALLS.fetch_add(1, Ordering::Relaxed));
    let uri = match number {
        Some(number) => format!("sip:{number}@{to}"),
        None => format!("sip:{to}"),
    };
    let request = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call}\r\n\
         From: <sip:agent@{to}>;tag={call}\r\nTo: <{uri}>\r\nCall-ID: {call}@{here}\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:agent@{here}>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let begun = Instant::now();
    let mut pause = Duration::from_millis(500);
    let mut again = Duration::ZERO;
    let mut buffer = [0; 8192];
    agent
        .set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    while begun.elapsed() < within {
        if begun.elapsed() >= again {
            agent.send_to(request.as_bytes(), to).unwrap();
            again += pause;
            pause = (pause * 2).min(Duration::from_secs(4));
        }
        let Ok(length) = agent.recv(&mut buffer) else {
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..length]);
        // Not one of an earlier request.
        if !text.contains(&format!("{call}@")) {
            continue;
        }
        match text.split(' ').nth(1).and_then(|code| code.parse().ok()) {
            Some(100..200) => again = within,
            code => {
                if code == Some(503) {
                    assert!(text.contains("Retry-After: "), "{text}");
                }
                return code;
            }
        }
    }
    None
}

/// Something that speaks HTTP in metrust's place, or nothing after it has read the question.
struct Stub {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

fn stub(answer: Option<&'static str>) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || {
                let mut buffer = [0; 8192];
                while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
                    if let Some(answer) = answer {
                        let _ = stream.write_all(answer.as_bytes());
                    }
                }
            });
        }
    });
    Stub {
        address,
        connections,
    }
}

on_every_store! {
    fn kamailio_sends_a_call_on_that_is_not_listed_and_declines_one_that_is(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let kamailio = Kamailio::asking(world.service.address(), dialler.key());
        for _ in 0..2 {
            assert_eq!(kamailio.dial(&number(1)), (603, false));
            assert_eq!(kamailio.dial(&number(2)), (486, true));
        }
        assert_eq!(kamailio.dial("+3247000000000000"), (603, false), "it cannot be read");
        let checks = world.operator().entries(&[("op", "check")]);
        assert_eq!(checks.len(), 5, "each call is one check");
        assert!(!kamailio.process.stderr().contains(dialler.key()), "the key is in no log");
    }
}

#[test]
fn kamailio_sends_no_call_on_when_what_it_hears_is_not_metrust_s_exact_zero() {
    for answer in [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\n\r\n0",
        "HTTP/1.1 302 Found\r\nLocation: /0\r\nContent-Length: 1\r\n\r\n0",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\n0",
        "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n0",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n00",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n0\n1",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0",
        "nonsense\r\n\r\n",
    ] {
        let stub = stub(Some(answer));
        let kamailio = Kamailio::asking(&stub.address.to_string(), "mtr_live_x");
        assert_eq!(kamailio.dial(&number(1)), (503, false), "{answer:?}");
        assert!(stub.connections.load(Ordering::Relaxed) > 0, "it was asked");
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let kamailio = Kamailio::asking(&nobody.to_string(), "mtr_live_x");
    assert_eq!(kamailio.dial(&number(1)), (503, false), "nobody listens");
    assert!(
        !kamailio.process.stderr().contains("mtr_live_x"),
        "the key is in no log"
    );
}

/// Twenty calls are more than there are workers, of either kind.
#[test]
fn kamailio_serves_others_while_metrust_stalls_and_lets_none_of_the_stalled_calls_through() {
    let stub = stub(None);
    let kamailio = Kamailio::asking(&stub.address.to_string(), "mtr_live_x");
    thread::scope(|scope| {
        let calls: Vec<_> = (0..20)
            .map(|n| {
                let kamailio = &kamailio;
                scope.spawn(move || {
                    let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
                    let to = kamailio.address;
                    status(&agent, to, "INVITE", Some(&number(n)), PATIENCE)
                })
            })
            .collect();
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut served = 0;
        while !calls.iter().all(|call| call.is_finished()) {
            // A proxy that waits for metrust answers after a second.
            let within = Duration::from_millis(450);
            let told = status(&other, kamailio.address, "OPTIONS", None, within);
            assert_eq!(told, Some(200), "after {served} others were served");
            served += 1;
        }
        assert!(served > 0);
        for call in calls {
            assert_eq!(call.join().unwrap(), Some(503));
        }
    });
}

#[test]
fn kamailio_keeps_its_connections() {
    let stub = stub(Some("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"));
    let kamailio = Kamailio::asking(&stub.address.to_string(), "mtr_live_x");
    for n in 0..40 {
        assert_eq!(kamailio.dial(&number(n)), (603, false));
    }
    let connections = stub.connections.load(Ordering::Relaxed);
    assert!(connections <= 8, "{connections} for eight who ask");
}
