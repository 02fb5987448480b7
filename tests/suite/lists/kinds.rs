//! Files that are no text, whatever their names say: what holds a list is read, and anything else is
//! refused by what it is, before anything is on record.

use serde_json::json;

use super::{begin, import, status, wash};
use crate::harness::{World, number, on_every_store};

/// A list of one number in other clothes.
fn clothed() -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        let text = format!("naam\ttelefoon\r\nAn\t{}\r\n", number(1));
        let mark = if mark { "\u{feff}" } else { "" };
        let units = mark.encode_utf16().chain(text.encode_utf16());
        let bytes = units.flat_map(|unit| match big {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        });
        bytes.collect()
    };
    let rows = format!("phone\n{}\n", number(1));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, rows.as_bytes()).unwrap();
    vec![
        ("list.csv.gz", gzip.finish().unwrap()),
        ("list.zst", zstd::encode_all(rows.as_bytes(), 1).unwrap()),
        ("little.csv", utf16(false, false)),
        ("big.csv", utf16(true, false)),
        ("marked.csv", utf16(false, true)),
        ("marked.txt", utf16(false, true)),
        (
            "sep.csv",
            format!("sep=;\r\nnaam;telefoon\r\nAn;{}\r\n", number(1)).into(),
        ),
        ("dos.csv", format!("phone\r\n{}\r\n\x1a", number(1)).into()),
    ]
}

/// A file of each kind that is no list, and a word of what it is told to be.
fn kinds() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let rows = format!("phone\n{}\n", number(1));
    let with = |start: &[u8]| [start, b"\n\x00\x01\xff", rows.as_bytes()].concat();
    vec![
        (
            "list.xlsx",
            with(b"PK\x03\x04\x14\x00\x00\x00\x08\x00"),
            "zip",
        ),
        (
            "list.xls",
            with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            "Excel",
        ),
        ("list.pdf", with(b"%PDF-1.7\n"), "PDF"),
        (
            "page.xls",
            format!("<html><table><tr><td>{}</td></tr></table>\n", number(1)).into(),
            "HTML",
        ),
        (
            "list.json",
            format!("[{{\"phone\":\"{}\"}}]\n", number(1)).into(),
            "JSON",
        ),
        ("list.db", with(b"SQLite format 3\x00"), "no text"),
    ]
}

on_every_store! {
    fn a_list_that_is_packed_or_in_utf16_is_read_as_any_other(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        for (name, bytes) in clothed() {
            status(&import(world, name, &bytes, &[]), 0);
            assert!(dialler.suppresses(&number(1), "telco"), "{name}");
            let washed = wash(world, &dialler, name, &bytes, &[]);
            status(&washed, 0);
            assert!(washed.stderr.contains("1 rows, 1 suppress"), "{name}: {washed:?}");
            let headers = [("Content-Type", "text/csv")];
            let path = "/v1/wash?seller=telco&summary=line";
            let answer = dialler.call("POST", path, &headers, bytes.clone()).expect(200).text();
            assert!(answer.contains("rows=1 suppress=1"), "{name}: {answer}");
            status(&import(world, name, &bytes, &["--remove", "--from-every-list"]), 0);
            assert!(!dialler.suppresses(&number(1), "telco"), "{name}");
        }
        assert_eq!(operator.entries(&[("op", "wash")]).len(), 2 * clothed().len());
    }

    fn a_file_that_is_no_text_is_refused_by_name_before_anything_is_on_record(world: &World) {
        let dialler = world.dialler();
        let regulator = world.operator().regulator();
        for (name, bytes, what) in kinds() {
            for more in [&[][..], &["--format", "lines"], &["--column", "1"]] {
                let washed = wash(world, &dialler, name, &bytes, more);
                status(&washed, 1);
                assert!(washed.stderr.contains(what) && washed.stdout.is_empty(), "{what}: {washed:?}");
            }
            for more in [&[][..], &["--column", "1"]] {
                let ended = import(world, name, &bytes, more);
                status(&ended, 2);
                assert!(ended.stderr.contains(what), "{what}: {ended:?}");
            }
            for media in ["text/csv", "text/plain"] {
                let path = "/v1/wash?seller=telco";
                let answer = dialler.call("POST", path, &[("Content-Type", media)], bytes.clone());
                let problem = answer.expect(422).json();
                assert_eq!(problem["code"], "unreadable_list");
                assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
            }
            let path = "/v1/audit/match?called=1&time=1&heading=no";
            let problem = regulator.call("POST", path, &[("Content-Type", "text/csv")], bytes.clone());
            let problem = problem.expect(422).json();
            assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
        }
        let operator = world.operator();
        for op in ["check", "wash", "import", "opening"] {
            assert!(operator.entries(&[("op", op)]).is_empty(), "{op}");
        }
        // By hand an import begins before its first bytes are seen: they go no further.
        let (_, bytes, _) = kinds().remove(0);
        let begun = begin(&operator, "x", &json!({}));
        let path = format!("/v1/admin/imports/{}/parts/1", begun["id"].as_str().unwrap());
        let problem = operator.call("PUT", &path, &[], bytes).expect(422).json();
        assert!(problem["detail"].as_str().unwrap().contains("zip"), "{problem}");
    }
}
