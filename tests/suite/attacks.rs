//! Those who would keep the service busy: nobody else waits because of them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::raw::connect;
use crate::harness::wait::PATIENCE;
use crate::harness::washing::{Washing, ending};
use crate::harness::{Answer, Api, Engine, Service, World, number, until};

const LINES: &str = "text/plain";

/// `before` and then a great many empty lines, as very few bytes.
fn bomb(before: &str, mebibytes: usize) -> Vec<u8> {
    let mut packed = zstd::Encoder::new(Vec::new(), 3).unwrap();
    packed.write_all(before.as_bytes()).unwrap();
    let lines = vec![b'\n'; 1 << 20];
    for _ in 0..mebibytes {
        packed.write_all(&lines).unwrap();
    }
    packed.finish().unwrap()
}

fn wash_packed(api: &Api, coding: &str, list: Vec<u8>) -> Result<Answer, String> {
    let headers = [("Content-Type", LINES), ("Content-Encoding", coding)];
    api.attempt("POST", "/v1/wash?seller=telco", &headers, list)
}

#[test]
fn a_few_bytes_that_hold_very_many_empty_lines_are_refused_and_keep_nobody_waiting() {
    let mut world = World::on(Engine::Embedded);
    let (dialler, operator) = (world.dialler(), world.operator());
    operator.add_agency("quiet", &["telco"]);
    let quiet = operator.dialler_of("quiet");
    // Refused at once: before it is asked whether the body goes on.
    let nothing_else = bomb("", 20);
    assert!(nothing_else.len() < 4096, "{}", nothing_else.len());
    thread::scope(|scope| {
        let attacks: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| wash_packed(&dialler, "zstd", nothing_else.clone()).unwrap()))
            .collect();
        for n in 0..50 {
            quiet.check(&number(n), "telco").expect(200);
        }
        for attack in attacks {
            let answer = attack.join().unwrap();
            let refused = ["unreadable_list", "too_many_washes"];
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            assert!(refused.contains(&&*code), "{answer:?}");
        }
    });
    // Behind a row it is cut, and on record as broken.
    for (coding, list) in [
        ("zstd", bomb(&format!("{}\n", number(1)), 40)),
        ("gzip", {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packed
                .write_all(format!("{}\n", number(1)).as_bytes())
                .unwrap();
            packed.write_all(&vec![b'\n'; 40 << 20]).unwrap();
            packed.finish().unwrap()
        }),
    ] {
        let broken = wash_packed(&dialler, coding, list);
        assert!(
            broken.is_err(),
            "{coding}: {:?}",
            broken.map(|answer| answer.status)
        );
    }
    let washes = until("both are on record", PATIENCE, || {
        let washes = operator.entries(&[("op", "wash")]);
        (washes.len() == 2).then_some(washes)
    });
    assert!(
        washes.iter().all(|entry| entry["reason"] == "input_broken"),
        "{washes:?}"
    );
    assert!(world.service.terminate().success());
}

#[test]
fn lists_of_one_agency_that_hardly_move_leave_room_for_those_of_others() {
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("CHECK__MAX_WASHES", "4")
    });
    let (dialler, operator) = (world.dialler(), world.operator());
    operator.add_agency("other", &["telco"]);
    let other = operator.dialler_of("other");
    let open = |api: &Api, n| {
        let mut washing = Washing::begin(&world.service, api.key(), "seller=telco", LINES);
        washing.send(format!("{}\n", number(n)));
        washing
    };
    // Half of the places are for one agency.
    let mut slow: Vec<_> = (0..2).map(|n| open(&dialler, n)).collect();
    assert!(slow.iter_mut().all(|washing| washing.come(1)));
    let headers = [("Content-Type", LINES)];
    let list = format!("{}\n", number(3)).into_bytes();
    let wash = || dialler.call("POST", "/v1/wash?seller=telco", &headers, list.clone());
    assert_eq!(wash().expect(503).json()["code"], "too_many_washes");
    let mut washing = open(&other, 9);
    washing.rows(1);
    let id = washing.id();
    assert!(washing.end().complete);
    assert_eq!(ending(&operator, &id)["reason"], "washed");
    // A place that was left is free again.
    drop(slow);
    until("there is room again", PATIENCE, || {
        (wash().status == 200).then_some(())
    });
}

/// Whether the service closed the connection; it must not take the whole patience of `connect`.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

fn post(service: &Service, key: &str, body: &str) -> String {
    format!(
        "POST /v1/checks HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        service.address(),
        body.len(),
    )
}

#[test]
fn every_head_of_a_connection_has_so_much_time_and_no_more() {
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("HTTP__HEADER_TIMEOUT_MS", "300")
    });
    let dialler = world.dialler();
    let check = json!({"seller": "telco", "numbers": [number(1)]}).to_string();
    let whole = post(&world.service, dialler.key(), &check);
    for beginning in [
        "G",
        "GET /v1/check?seller=telco",
        "POST /v1/checks HTTP/1.1\r\nHost: x\r\n",
        "\r\n\r\nGET /",
    ] {
        let mut stream = connect(&world.service);
        for _ in 0..2 {
            stream.write_all(whole.as_bytes()).unwrap();
            let mut answer = [0; 4096];
            let length = stream.read(&mut answer).unwrap();
            assert!(
                answer[..length].starts_with(b"HTTP/1.1 200"),
                "{beginning:?}"
            );
        }
        stream.write_all(beginning.as_bytes()).unwrap();
        assert!(is_closed(&mut stream), "{beginning:?}");
    }
    // A body is no head: it has its own time, and a wash that is read as it comes has another.
    let mut stream = connect(&world.service);
    let (head, body) = whole.split_at(whole.len() - 5);
    let expecting = head.replacen("Content-Type", "Expect: 100-continue\r\nContent-Type", 1);
    for (head, again) in [(head, false), (expecting.as_str(), true)] {
        stream.write_all(head.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(1_800));
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let mut length = stream.read(&mut answer).unwrap();
        if again && answer[..length].starts_with(b"HTTP/1.1 100") {
            length = stream.read(&mut answer).unwrap();
        }
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{again}");
    }
    let mut washing = Washing::begin(&world.service, dialler.key(), "seller=telco", LINES);
    for rows in 1..3 {
        washing.send(format!("{}\n+32", number(rows)));
        washing.rows(rows);
        thread::sleep(Duration::from_millis(1_800));
        washing.send("47\n");
    }
    assert!(washing.end().complete);
}

#[test]
fn a_client_that_takes_no_answers_is_let_go_however_it_asks() {
    let world = World::with(Engine::Embedded, |launch| {
        launch.set("HTTP__WRITE_TIMEOUT_MS", "300")
    });
    let dialler = world.dialler();
    let numbers: Vec<_> = (0..1_000).map(number).collect();
    let list = json!({"seller": "telco", "numbers": numbers}).to_string();
    // It has a parameter too many, so that no store is waited for.
    let single = format!(
        "GET /v1/check?phone=%2B32470000001&seller=telco&x=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        dialler.key(),
    );
    for request in [single, post(&world.service, dialler.key(), &list)] {
        let mut stream = connect(&world.service);
        stream
            .set_write_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let many = request.repeat(1_000);
        until("the connection is closed", PATIENCE, || {
            let error = stream.write_all(many.as_bytes()).err()?;
            let closed = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
            closed.contains(&error.kind()).then_some(())
        });
    }
}
