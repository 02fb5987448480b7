//! Whoever searches has a permit before anything else is done for them. Where there is none, they are
//! told so, and nothing was read, looked for or recorded.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;

use serde_json::json;

use crate::harness::sealed::commits;
use crate::harness::{Answer, Engine, World, eventually, html, number, on_every_store, raw};

/// How many exports and matches there may be at once.
const LONG: usize = 4;

/// Begins a request and sends nothing of its body.
fn begin(world: &World, target: &str, key: &str) -> TcpStream {
    let mut stream = raw::connect(&world.service);
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// How an answer begins, however long it is waited for; nothing where none comes.
fn status(stream: &TcpStream) -> Option<String> {
    let mut stream = stream.try_clone().unwrap();
    stream.set_read_timeout(None).unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).ok()?;
    Some(String::from_utf8_lossy(&line).into_owned())
}

#[track_caller]
fn assert_busy(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(
        answer.json()["code"],
        "too_many_searches",
        "{}",
        answer.text()
    );
}

on_every_store! {
    fn exports_and_matches_get_their_permit_before_anything_else(world: &mut World) {
        let launch = world.service.launch().set("HTTP__BODY_TIMEOUT_MS", "600000");
        world.service.restart_as(&launch);
        let dialler = world.dialler();
        let id = dialler.check(&number(1), "telco").id();
        let operator = world.operator();
        let matches: Vec<_> = (0..=LONG)
            .map(|_| Arc::new(begin(world, "/v1/audit/match", operator.key())))
            .collect();
        let (told, answers) = mpsc::channel();
        for one in matches.clone() {
            let told = told.clone();
            thread::spawn(move || told.send(status(&one)));
        }
        // All but one read their bodies, which never come; that one is not asked for its own.
        assert_eq!(answers.recv().unwrap().unwrap(), "HTTP/1.1 503");
        thread::scope(|scope| {
            let phone = number(1);
            let searches = [
                ("GET", format!("/v1/audit/entries?phone={}", phone.replace('+', "%2B"))),
                // What is wrong with a request is not even looked at.
                ("GET", "/v1/audit/entries?nonsense=1".to_owned()),
                ("POST", "/v1/admin/log/index".to_owned()),
            ];
            for (method, target) in searches {
                let operator = &operator;
                scope.spawn(move || {
                    assert_busy(&operator.call(method, &target, &[], Vec::new()));
                });
            }
            let (world, key) = (&*world, operator.key());
            scope.spawn(move || {
                let one = begin(world, "/v1/audit/match?nonsense=1", key);
                assert_eq!(status(&one).unwrap(), "HTTP/1.1 503");
            });
            // What a person waits for does not wait for those.
            dialler.get(&format!("/v1/checks/{id}")).expect(200);
        });
        matches.iter().for_each(|one| one.shutdown(Shutdown::Both).unwrap_or_default());
        eventually("the permits are free again", || {
            let answer = operator.attempt("GET", "/v1/audit/entries", &[], Vec::new());
            answer.is_ok_and(|answer| answer.status == 200)
        });
        assert_eq!(operator.entries(&[("op", "opening")]).len(), 0, "nobody has looked");
    }

    fn a_wash_gets_its_place_before_anything_else(world: &mut World) {
        let launch = world.service.launch().set("CHECK__MAX_WASHES", "2");
        world.service.restart_as(&launch.set("CHECK__WASH_IDLE_S", "600"));
        let dialler = world.dialler();
        let mut begun = vec![begin(world, "/v1/wash?seller=telco", dialler.key())];
        eventually("the only place is taken", || {
            let second = begin(world, "/v1/wash?nonsense=1", dialler.key());
            let taken = status(&second).unwrap() == "HTTP/1.1 503";
            if !taken {
                // It may have been in the way of the first.
                begun.push(begin(world, "/v1/wash?seller=telco", dialler.key()));
            }
            taken
        });
        let refused = dialler.call("POST", "/v1/wash?nonsense=1", &[], Vec::new());
        assert_eq!(refused.expect(503).json()["code"], "too_many_washes");
        drop(begun);
    }
}

/// The newest commit of a log can be opened, and never comes to its end.
struct Stuck {
    file: std::path::PathBuf,
    kept: std::path::PathBuf,
    pipe: std::path::PathBuf,
}

impl Stuck {
    fn of(world: &World) -> Self {
        let newest = commits(&world.log_folder()).pop().unwrap();
        let mut rows = fs::read_dir(world.log_folder().join("commit")).unwrap();
        let file = rows.find_map(|row| {
            let path = row.unwrap().path();
            let name = path.file_name()?.to_str()?.parse::<u64>().ok()?;
            (name == newest).then_some(path)
        });
        let stuck = Self {
            file: file.unwrap(),
            kept: world.scratch("kept"),
            pipe: world.scratch("pipe"),
        };
        assert!(
            Command::new("mkfifo")
                .arg(&stuck.pipe)
                .status()
                .unwrap()
                .success()
        );
        fs::rename(&stuck.file, &stuck.kept).unwrap();
        fs::hard_link(&stuck.pipe, &stuck.file).unwrap();
        stuck
    }

    /// Whoever opened it finds nothing there; whoever comes now, what there was.
    fn release(&self) {
        fs::rename(&self.kept, &self.file).unwrap();
        drop(fs::OpenOptions::new().write(true).open(&self.pipe).unwrap());
    }
}

#[test]
fn whoever_waits_for_a_search_gets_a_permit_before_anything_else() {
    let world = World::on(Engine::Embedded);
    let dialler = world.dialler();
    let operator = world.operator();
    let mut person = world.browser().reading("en");
    person.opt_out(&[&number(1)]);
    let id = dialler.check(&number(1), "telco").id();
    let mut figures = world.browser();
    let mut form = figures.get("/console").expect(200).form_to("/console");
    form.set("key", &[operator.regulator().key()]);
    figures.press(&form, "action", "enter").expect(303);
    let mut reporter = world.browser();
    let page = reporter.get("/report").expect(200);
    let tags = html::tags(&page.text());
    let day = tags.iter().find(|tag| tag.get("id") == Some("date"));
    let mut report = page.form_to("/report");
    report
        .set("number", &[&number(1)])
        .set("company", &["telco"])
        .set("date", &[day.unwrap().get("max").unwrap()])
        .set("sure", &["day"]);
    eventually("all is sealed", || {
        let receipt = dialler.get(&format!("/v1/checks/{id}")).expect(200);
        receipt.json()["sealed"] == true
    });
    let stuck = Stuck::of(&world);

    let (told, answers) = mpsc::channel();
    for _ in 0..3 {
        let (told, dialler, id) = (told.clone(), dialler.clone(), id.clone());
        thread::spawn(move || drop(told.send(dialler.get(&format!("/v1/checks/{id}")))));
    }
    // Two are on their way and come to no end, so one gets no permit.
    assert_busy(&answers.recv().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| assert_busy(&dialler.get(&format!("/v1/washes/{id}"))));
        scope.spawn(|| {
            let body = json!({"phone": number(1)});
            assert_busy(&operator.post("/v1/admin/imports/find", body));
        });
        scope.spawn(|| person.get("/registration/asked").expect(503));
        scope.spawn(|| figures.get("/console/figures").expect(503));
        scope.spawn(|| {
            let answer = reporter.press(&report, "action", "send");
            reporter.shown_again(answer).expect(503);
        });
    });
    stuck.release();
    for _ in 0..2 {
        answers.recv().unwrap();
    }
    dialler.get(&format!("/v1/checks/{id}")).expect(200);
    assert_eq!(
        operator.entries(&[("op", "opening")]).len(),
        0,
        "nobody has looked"
    );
}
