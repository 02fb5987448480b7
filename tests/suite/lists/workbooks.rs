//! Workbooks (.xlsx) sent to the service itself, and on standard input.

use std::fs::{self, File};
use std::io::{Cursor, Seek, Write};
use std::thread;

use rust_xlsxwriter::Workbook;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::sheets::{open_document, workbook};
use super::status;
use crate::harness::process::{Process, run};
use crate::harness::service::metrust;
use crate::harness::{Answer, Api, Engine, World, number, on_every_store};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn send(api: &Api, query: &str, media: &str, body: &[u8]) -> Answer {
    let path = format!("/v1/wash?seller=telco&region=BE{query}");
    api.call("POST", &path, &[("Content-Type", media)], body.to_vec())
}

/// A workbook of which one part, which others refer to, is this.
fn with_part(name: &str, begin: &str, repeated: &str, mebibytes: usize, end: &str) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "phone").unwrap();
    let book = book.save_to_buffer().unwrap();
    let mut book = ZipArchive::new(Cursor::new(book)).unwrap();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_level(Some(9));
    for place in 0..book.len() {
        let mut part = book.by_index(place).unwrap();
        let known = part.name().unwrap().into_owned();
        zip.start_file(&*known, packed).unwrap();
        if known == name {
            zip.write_all(begin.as_bytes()).unwrap();
            let piece = repeated.repeat((1 << 20) / repeated.len());
            for _ in 0..mebibytes {
                zip.write_all(piece.as_bytes()).unwrap();
            }
            zip.write_all(end.as_bytes()).unwrap();
        } else {
            std::io::copy(&mut part, &mut zip).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

const SHEET: &str = "xl/worksheets/sheet1.xml";
const TEXTS: &str = "xl/sharedStrings.xml";

/// Workbooks that hold very much, and what each is told to be.
fn hostile() -> Vec<(Vec<u8>, &'static str)> {
    let sheet = |row: &str| with_part(SHEET, "<worksheet><sheetData>", row, 8, "");
    let cells = "<row r='1'><c r='A1'/></row>";
    vec![
        (
            with_part(SHEET, "<worksheet><sheetData>", cells, 8, ""),
            "unpacks to more",
        ),
        (sheet("<a>"), "damaged"),
        (sheet("x"), "unpacks to more"),
        (
            with_part(TEXTS, "<sst>", "<si/>", 8, "</sst>"),
            "unpacks to more",
        ),
        (
            with_part(TEXTS, "<sst><si><t>", "x", 8, ""),
            "unpacks to more",
        ),
        (
            with_part("xl/styles.xml", "<a><cellXfs>", "<xf/>", 8, ""),
            "damaged",
        ),
        (
            with_part("xl/workbook.xml", "<a ", "b='' ", 8, ""),
            "unpacks to more",
        ),
        (with_part("_rels/.rels", "<a>", "<b>", 8, ""), "damaged"),
    ]
}

/// The most memory that the service has ever had, in KiB.
fn peak(world: &World) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", world.service.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

on_every_store! {
    fn a_workbook_that_is_sent_is_washed_as_the_table_that_it_holds(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let book = workbook();
        for media in [XLSX, "text/csv; charset=windows-1252", "application/vnd.ms-excel"] {
            let answer = send(&dialler, "&sheet=Leads&summary=line", media, &book).expect(200);
            assert_eq!(answer.header("Content-Type"), "text/csv; charset=utf-8");
            assert_eq!(answer.header("Wash-Columns"), "2");
            let text = answer.text();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines[0], "name,phone,since,answer,reason,valid_until");
            let told = format!("=An,{},,suppress,all_sellers,", &number(1)[1..]);
            assert!(lines[1].starts_with(&told), "{text}");
            let told = format!("Bo of the corner,{},,not_listed,,", number(2));
            assert!(lines[2].starts_with(&told), "{text}");
            // Row n is line n.
            assert_eq!((lines[3], lines[4]), ("", "Cy,unknown,,invalid,phone_letters,"));
            assert!(lines[5].contains("rows=3 suppress=1 not_listed=1 invalid=1"), "{text}");
        }
        let answer = send(&dialler, "&sheet=Leads&delimiter=%3B", XLSX, &book).expect(200);
        assert!(answer.text().starts_with("name;phone;since;answer;"), "{}", answer.text());
        // Packed once more on its way.
        let headers = [("Content-Type", XLSX), ("Content-Encoding", "zstd")];
        let packed = zstd::encode_all(&book[..], 1).unwrap();
        let path = "/v1/wash?seller=telco&region=BE&sheet=Leads";
        let again = dialler.call("POST", path, &headers, packed).expect(200).text();
        assert_eq!(again.lines().count(), 5);
        // The sheet of which no name is given is the first one, and has nothing in it.
        assert_eq!(send(&dialler, "", XLSX, &book).expect(200).text(), "");
        // What is no workbook is what it is, whatever it is called.
        let list = format!("phone\n{}\n", number(1));
        let answer = send(&dialler, "", XLSX, list.as_bytes()).expect(200).text();
        assert!(answer.contains(",suppress,"), "{answer}");
    }

    fn a_spreadsheet_that_cannot_be_read_is_refused_by_name_and_never_on_record(world: &World) {
        let dialler = world.dialler();
        let cut = workbook();
        for (body, query, what) in [
            (workbook(), "&sheet=Nobody", "Read me, Leads"),
            (open_document(), "", ".ods"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00".to_vec(), "", "locked with a password"),
            (cut[..cut.len() / 2].to_vec(), "", "zip archive"),
        ] {
            let problem = send(&dialler, query, XLSX, &body).expect(422).json();
            assert_eq!(problem["code"], "unreadable_list");
            let told = problem["detail"].as_str().unwrap();
            assert!(told.contains(what), "{what}: {told}");
        }
        // In another form it is no list.
        let problem = send(&dialler, "&format=lines", XLSX, &workbook()).expect(422).json();
        assert!(problem["detail"].as_str().unwrap().contains("zip"), "{problem}");
        let operator = world.operator();
        for op in ["check", "wash"] {
            assert!(operator.entries(&[("op", op)]).is_empty(), "{op}");
        }
    }

    fn call_records_in_a_workbook_are_matched_as_those_in_a_table_are(world: &World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let regulator = world.operator().regulator();
        let calls = [("called", "time"), (&number(1), "2026-05-01T10:00:00Z"), (&number(2), "2026-05-01T10:00:01Z")];
        let mut book = Workbook::new();
        book.add_worksheet().set_name("Read me").unwrap();
        let sheet = book.add_worksheet();
        for (row, (called, time)) in calls.into_iter().enumerate() {
            sheet.write_string(row as u32, 0, called).unwrap();
            sheet.write_string(row as u32, 1, time).unwrap();
        }
        let book = book.save_to_buffer().unwrap();
        let text: String = calls.iter().map(|(called, time)| format!("{called},{time}\n")).collect();
        let path = "/v1/audit/match?default_agency=calls&default_seller=telco&sheet=Sheet2";
        let of = |body: Vec<u8>, media| regulator.call("POST", path, &[("Content-Type", media)], body);
        let from_text = of(text.into_bytes(), "text/csv").expect(200).text();
        assert_eq!(of(book, XLSX).expect(200).text(), from_text);
        assert!(from_text.lines().count() > 3, "{from_text}");
        let before = world.operator().entries(&[("op", "opening")]).len();
        for (body, what) in [(workbook(), "Leads"), (open_document(), ".ods")] {
            let problem = of(body, XLSX).expect(422).json();
            assert_eq!(problem["code"], "unreadable_records");
            assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
        }
        assert_eq!(world.operator().entries(&[("op", "opening")]).len(), before);
    }

    fn a_workbook_on_standard_input_is_read_too(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let washed = |body: &[u8], more: &[&str]| {
            let mut input = tempfile::tempfile().unwrap();
            input.write_all(body).unwrap();
            input.rewind().unwrap();
            let mut command = metrust();
            command.args(["wash", "-", "--seller", "telco", "--region", "BE"]).args(more);
            command.env("METRUST_URL", world.service.url()).env("METRUST_KEY", dialler.key());
            Process::reading(&mut command, input).finish()
        };
        let ended = washed(&workbook(), &["--sheet", "Leads", "--delimiter", ";"]);
        status(&ended, 0);
        assert!(ended.stdout.starts_with("name,phone,since,answer,"), "{ended:?}");
        assert!(ended.stdout.contains(",suppress,all_sellers,"), "{ended:?}");
        // What is no spreadsheet is not lost to have been looked at.
        let list = format!("phone\n{}\n{}", number(1), number(2));
        let ended = washed(list.as_bytes(), &[]);
        status(&ended, 0);
        let told = format!("phone,answer,reason,valid_until\n{},suppress,", number(1));
        assert!(ended.stdout.starts_with(&told), "{ended:?}");
        assert_eq!(ended.stdout.lines().count(), 3);
    }
}

#[test]
fn workbooks_that_hold_very_much_take_little_memory_and_keep_nobody_waiting() {
    let mut world = World::on(Engine::Embedded);
    let dialler = world.dialler();
    world.operator().add_agency("quiet", &["telco"]);
    let quiet = world.operator().dialler_of("quiet");
    // What the first wash and the first checks take is there for good.
    send(&dialler, "&sheet=Leads", XLSX, &workbook()).expect(200);
    quiet.check(&number(3), "telco").expect(200);
    let washes = world.operator().entries(&[("op", "wash")]).len();
    let before = peak(&world);
    thread::scope(|scope| {
        let attack = scope.spawn(|| {
            for (which, (body, what)) in hostile().into_iter().enumerate() {
                let problem = send(&dialler, "", XLSX, &body).expect(422).json();
                assert_eq!(problem["code"], "unreadable_list");
                let told = problem["detail"].as_str().unwrap();
                assert!(told.contains(what), "{which}: {told}");
            }
        });
        for n in 0..50 {
            quiet.check(&number(n), "telco").expect(200);
        }
        attack.join().unwrap();
    });
    let grown = peak(&world) - before;
    assert!(grown < 32 << 10, "{grown} KiB");
    // One that is longer than any is refused before it is taken apart.
    let mut long = workbook();
    long.resize((32 << 20) + 1, 0);
    let problem = send(&dialler, "", XLSX, &long).expect(413).json();
    assert_eq!(problem["most_bytes"], 32 << 20);
    assert_eq!(world.operator().entries(&[("op", "wash")]).len(), washes);
    assert!(world.service.terminate().success());
}

#[test]
fn an_answer_that_no_sheet_can_hold_is_refused_before_anything_is_asked() {
    let world = World::on(Engine::Embedded);
    let dialler = world.dialler();
    let list = world.scratch("long.csv");
    let mut file = File::create(&list).unwrap();
    file.write_all(b"phone\n").unwrap();
    file.write_all(&b"1\n".repeat(1 << 20)).unwrap();
    let sheet = world.scratch("answers.xlsx");
    let mut command = metrust();
    command
        .arg("wash")
        .arg(&list)
        .args(["--seller", "telco", "--region", "BE", "--output"])
        .arg(&sheet);
    command
        .env("METRUST_URL", world.service.url())
        .env("METRUST_KEY", dialler.key());
    let ended = run(&mut command);
    status(&ended, 2);
    assert!(
        ended.stderr.contains("1048576") && ended.stderr.contains("--output washed.csv"),
        "{ended:?}"
    );
    assert!(!sheet.exists());
    for op in ["check", "wash"] {
        assert!(world.operator().entries(&[("op", op)]).is_empty(), "{op}");
    }
}
