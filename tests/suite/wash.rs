//! A whole list asked about: every row comes back as it was, with its answer, and is on record.

#[path = "wash/broken.rs"]
mod broken;

use std::io::{Read, Write};
use std::thread;

use metrust::log::{TlogProof, leaf_hash};
use serde_json::{Value, json};

use crate::audit::text;
use crate::harness::washing::{Washing, ending};
use crate::harness::{Answer, Api, World, number, on_every_store, until};
use crate::receipts::{entry_of, verifiers};

const CSV: &str = "text/csv";
const LINES: &str = "text/plain";
const NDJSON: &str = "application/x-ndjson";

fn wash(api: &Api, query: &str, media_type: &str, list: impl AsRef<[u8]>) -> Answer {
    let headers = [("Content-Type", media_type)];
    let path = format!("/v1/wash?seller=telco&{query}");
    api.call("POST", &path, &headers, list.as_ref().to_vec())
}

/// Each answer's time differs; everything else is known.
fn without_times(body: &str) -> String {
    let time = regex::Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").unwrap();
    time.replace_all(body, "T").into_owned()
}

fn answers(body: &str, column: usize) -> Vec<String> {
    let cell = |line: &str| line.rsplit(',').nth(column).map(str::to_owned);
    body.lines().filter_map(cell).collect()
}

/// The receipt of a wash as soon as it is sealed.
#[track_caller]
fn receipt(api: &Api, wash: &str) -> String {
    until("the wash is sealed", crate::harness::wait::PATIENCE, || {
        let answer = api.get(&format!("/v1/washes/{wash}"));
        (answer.status == 200 && answer.json()["sealed"] == true).then(|| answer.text())
    })
}

fn list(rows: usize) -> String {
    let rows = (0..rows).map(|n| format!("{n},{}\n", number(n)));
    ["id,phone\n".to_owned()].into_iter().chain(rows).collect()
}

on_every_store! {
    fn every_row_comes_back_as_it_was_and_in_order_with_its_answer_behind_it(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        dialler.register(&[&number(2)], json!(["telco"]));
        let list = format!(
            "\u{feff}name;\"Phone\";x\r\n\"a;\"\"b\r\nc\";{one};1\r\n\r\né;\"{two}\";2\n{three};{three};3\r\
             d;hello;4\r\ne;{one}\r\nf;;5\r\ng\r\nh;{one};6;7\r\ni;{three};8",
            one = number(1), two = number(2), three = number(3),
        );
        let answer = wash(&dialler, "", CSV, &list).expect(200);
        assert_eq!(answer.header("content-type"), CSV);
        let expected = format!(
            "\u{feff}name;\"Phone\";x;answer;reason;valid_until\r\n\
             \"a;\"\"b\r\nc\";{one};1;suppress;all_sellers;T\r\n\r\n\
             é;\"{two}\";2;suppress;this_seller;T\n{three};{three};3;not_listed;;T\r\
             d;hello;4;invalid;phone_letters;\r\ne;{one};;suppress;all_sellers;T\r\n\
             f;;5;invalid;phone_empty;\r\ng;;;invalid;no_number;\r\n\
             h;{one};6;7;invalid;too_many_columns;\r\ni;{three};8;not_listed;;T",
            one = number(1), two = number(2), three = number(3),
        );
        assert_eq!(without_times(&answer.text()), expected);
        let entries = world.operator().entries(&[("op", "check")]);
        let said: Vec<_> = entries.iter().map(|entry| text(entry, "answer")).collect();
        assert_eq!(said, [
            "suppress", "suppress", "not_listed", "invalid", "suppress", "invalid", "invalid",
            "invalid", "not_listed",
        ]);
        assert!(entries.iter().all(|entry| entry["agency"] == "calls" && entry["seller"] == "telco"));
    }

    fn lists_are_lines_and_objects_too(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let national = format!("0{}", &number(1)[3..]);
        let lines = format!(" {national} \n\n{}\r\nno", number(2));
        let answer = wash(&dialler, "region=BE&campaign=spring&channel=voice", LINES, &lines);
        assert_eq!(
            without_times(&answer.expect(200).text()),
            format!(
                " {national} \tsuppress\tall_sellers\tT\n\n{}\tnot_listed\t\tT\r\nno\tinvalid\tphone_letters\t",
                number(2)
            )
        );
        let entry = world.operator().entries(&[("op", "check")]).remove(0);
        assert_eq!(text(&entry, "campaign"), "spring");

        let objects = format!(
            "{{\"Phone\":\"{}\",\"a\":{{\"phone\":1}}}}\r\n \n{{\"Phone\": {} , \"b\":[]}} \n[1]\n{{}}",
            number(1), &number(2)[1..],
        );
        let answer = wash(&dialler, "region=BE", NDJSON, &objects).expect(200).text();
        let rows: Vec<&str> = answer.lines().collect();
        assert!(rows[0].starts_with(&format!("{{\"Phone\":\"{}\",\"a\":{{\"phone\":1}},", number(1))));
        assert_eq!(rows[1], " ");
        let parsed: Vec<Value> = [rows[0], rows[2], rows[3], rows[4]]
            .iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        assert_eq!(parsed[0]["answer"], "suppress");
        assert_eq!(parsed[0]["reason"], "all_sellers");
        assert!(rows[2].ends_with("} "), "{answer:?}");
        assert_ne!(parsed[1]["answer"], "suppress");
        assert_eq!(parsed[2], json!({
            "row": "[1]", "answer": "invalid", "reason": "not_an_object", "valid_until": null
        }));
        assert_eq!(parsed[3]["reason"], "no_number");
        let texts = dialler.register(&[&number(3)], json!("all"));
        assert!(!texts.is_empty());
        wash(&dialler, "", NDJSON, "[]\n").expect(422);
    }

    fn a_list_is_read_as_it_is_written_latin_1_and_any_delimiter_included(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let spaced = |blank: &[u8]| {
            let digits = &number(1)[3..];
            let mut list = b"Ren\xe9|0".to_vec();
            list.extend_from_slice(&digits.as_bytes()[..3]);
            list.extend_from_slice(blank);
            list.extend_from_slice(&digits.as_bytes()[3..]);
            list.push(b'\n');
            list
        };
        for (encoding, blank, answer) in [
            ("", b"\xa0".as_slice(), "suppress"),
            ("&encoding=latin-1", b"\xa0", "suppress"),
            ("&encoding=utf-8", b"\xa0", "invalid"),
            ("&encoding=utf-8", b"\xc2\xa0", "suppress"),
            ("&encoding=latin-1", b"\xc2\xa0", "invalid"),
        ] {
            let query = format!("region=BE&column=2{encoding}");
            let came = wash(&dialler, &query, CSV, spaced(blank)).expect(200).body;
            assert!(came.starts_with(&spaced(blank)[..spaced(blank).len() - 1]), "as it was");
            let cells: Vec<&[u8]> = came.split(|byte| *byte == b'|').collect();
            assert_eq!(cells[2], answer.as_bytes(), "{encoding} {blank:?}");
        }
        let tilde = format!("x~{}\n", number(1));
        let came = wash(&dialler, "column=2&delimiter=~&heading=no", CSV, &tilde).expect(200).text();
        assert_eq!(without_times(&came), format!("x~{}~suppress~all_sellers~T\n", number(1)));
        assert_eq!(wash(&dialler, "", CSV, "").expect(200).body, b"");
        assert_eq!(wash(&dialler, "", CSV, "phone\n").expect(200).text(), "phone,answer,reason,valid_until\n");
    }

    fn lists_come_and_go_packed_if_that_is_wanted(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(7)], json!("all"));
        let list = list(3_000);
        let plain = without_times(&wash(&dialler, "", CSV, &list).expect(200).text());
        assert_eq!(answers(&plain, 2)[8], "suppress");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(list.as_bytes()).unwrap();
        let zstd = zstd::encode_all(list.as_bytes(), 3).unwrap();
        for (name, packed) in [("gzip", gzip.finish().unwrap()), ("zstd", zstd)] {
            let headers = [
                ("Content-Type", CSV),
                ("Content-Encoding", name),
                ("Accept-Encoding", name),
            ];
            let path = "/v1/wash?seller=telco";
            let answer = dialler.call("POST", path, &headers, packed.clone()).expect(200);
            let mut body = String::new();
            if name == "zstd" {
                assert_eq!(answer.header("content-encoding"), "zstd");
                body = String::from_utf8(zstd::decode_all(&answer.body[..]).unwrap()).unwrap();
            } else {
                assert_eq!(answer.header("content-encoding"), "gzip");
                flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut body).unwrap();
            }
            assert!(without_times(&body) == plain, "{name}");
            let entry = ending(&world.operator(), &answer.header("wash-id"));
            assert_eq!(entry["bytes"], list.len(), "unpacked");
            // Damaged in its middle: cut off.
            let mut damaged = packed;
            let half = damaged.len() / 2;
            damaged.truncate(half);
            let broken = dialler.attempt("POST", path, &headers, damaged);
            assert!(broken.is_err() || broken.unwrap().status == 400);
        }
        let unknown = [("Content-Type", CSV), ("Content-Encoding", "br")];
        dialler.call("POST", "/v1/wash?seller=telco", &unknown, vec![1]).expect(415);
    }

    fn one_signed_receipt_tells_of_the_whole_wash(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let list = format!("{}\n{}\nx\n", number(1), number(2));
        let answer = wash(&dialler, "summary=line", LINES, &list).expect(200);
        let id = answer.header("wash-id");
        let digest = data_encoding::HEXLOWER
            .encode(&<sha2::Sha256 as sha2::Digest>::digest(list.as_bytes()));
        let last = answer.text().lines().last().unwrap().to_owned();
        assert_eq!(
            last,
            format!("#wash={id} rows=3 suppress=1 not_listed=1 invalid=1 input_sha256={digest}")
        );
        let told = receipt(&dialler, &id);
        let view: Value = serde_json::from_str(&told).unwrap();
        let wash_view = &view["wash"];
        assert_eq!(wash_view["complete"], true);
        assert_eq!((&wash_view["rows"], &wash_view["handed_over"]), (&json!(3), &json!(3)));
        assert_eq!(text(wash_view, "input_sha256"), digest);
        let entry = format!("{{{}", told.split_once(r#","entry":{"#).unwrap().1);
        let entry = entry_of(&format!(r#"{{"entry":{entry}"#));
        assert_eq!(serde_json::from_str::<Value>(&entry).unwrap(), view["entry"]);
        assert_eq!(text(&view["entry"], "commitment"), digest);
        let proof = TlogProof::parse(text(&view, "proof")).unwrap();
        proof.check(&leaf_hash(entry.as_bytes()), &verifiers(&world.anonymous())).unwrap();

        let operator = world.operator();
        operator.add_agency("others", &["telco"]);
        let path = format!("/v1/washes/{id}");
        operator.regulator().get(&path).expect(200);
        operator.dialler_of("others").get(&path).expect(404);
        world.anonymous().get(&path).expect(401);
        dialler.get("/v1/washes/x").expect(404);
        dialler.get("/v1/washes/01a1ee56-5e7b-7707-8707-070707070707").expect(404);
        // An agency's numbers have no gap, washes included.
        let entries = operator.entries(&[("agency", "calls")]);
        let numbers: Vec<u64> = entries.iter().map(|entry| entry["client_seq"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=entries.len() as u64).collect::<Vec<_>>());
        let open = wash(&dialler, "summary=line", CSV, format!("phone\n{}", number(1)));
        assert!(open.expect(200).text().contains("Z\n#wash="), "a line of its own");
        let json = wash(&dialler, "summary=line", NDJSON, "{\"phone\":1}\n").expect(200).text();
        let last: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
        assert_eq!(last["summary"]["rows"], 1);
    }

    fn answers_come_while_the_list_is_still_on_its_way(world: &mut World) {
        let dialler = world.dialler();
        dialler.register(&[&number(2)], json!("all"));
        let mut washing = Washing::begin(&world.service, dialler.key(), "seller=telco", CSV);
        washing.send("phone\n");
        washing.send(format!("{}\n{}", number(1), &number(2)[..6]));
        assert!(washing.rows(2).contains("not_listed"));
        washing.send(format!("{}\n", &number(2)[6..]));
        assert!(washing.rows(3).contains("suppress"));
        // Somebody opts out between one row and the next.
        dialler.register(&[&number(1)], json!("all"));
        washing.send(format!("{}\n", number(1)));
        let washed = washing.end();
        assert!(washed.complete && washed.status == 200);
        assert_eq!(answers(&washed.body, 2), ["answer", "not_listed", "suppress", "suppress"]);
    }

    fn what_cannot_be_washed_is_refused_before_anything_is_asked(world: &mut World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let phone = number(1);
        let row = format!("{phone}\n");
        wash(&world.anonymous(), "", LINES, &row).expect(401);
        wash(&operator.regulator(), "", LINES, &row).expect(403);
        operator.add_seller("third");
        let headers = [("Content-Type", LINES)];
        let other = |query: &str| {
            dialler.call("POST", &format!("/v1/wash?{query}"), &headers, row.clone().into())
        };
        other("seller=third").expect(403);
        other("seller=nobody").expect(404);
        other("").expect(400);
        for query in ["x=1", "summary=1", "heading=1", "delimiter=;;", "delimiter=:", "encoding=x", "format=xml"] {
            let problem = other(&format!("seller=telco&{query}")).expect(400).text();
            assert!(!problem.contains(&phone[3..]), "{problem}");
        }
        wash(&dialler, "", "application/json", "{}").expect(415);
        for list in ["a,b\n1,2\n", "phone,answer\n1,2\n", "\u{feff}\"phone\n"] {
            let problem = wash(&dialler, "", CSV, list).expect(422).json();
            assert_eq!(problem["code"], "unreadable_list");
        }
        wash(&dialler, "column=3", CSV, "a,b\n1,2\n").expect(422);
        wash(&dialler, "", CSV, b"\xff\xfea\0,\0").expect(422);
        wash(&dialler, "", LINES, "x".repeat(70_000)).expect(422);
        assert!(operator.entries(&[("op", "check")]).is_empty());
        assert!(operator.entries(&[("op", "wash")]).is_empty());
    }

    fn a_long_list_takes_no_more_memory_than_a_short_one_and_checks_are_answered_beside_it(
        world: &mut World,
    ) {
        let dialler = world.dialler();
        dialler.register(&[&number(77_777)], json!("all"));
        wash(&dialler, "", CSV, list(2_000)).expect(200);
        let before = peak(world);
        let washing = Washing::begin(&world.service, dialler.key(), "seller=telco", CSV);
        let rows = 100_000;
        let checks = dialler.clone();
        let beside = thread::spawn(move || (0..50).all(|n| !checks.suppresses(&number(n), "telco")));
        let washed = washing.send_all(&list(rows));
        assert!(beside.join().unwrap());
        assert!(washed.complete);
        assert_eq!(washed.body.lines().count(), rows + 1);
        let suppressed: Vec<_> =
            washed.body.lines().filter(|line| line.contains(",suppress,")).collect();
        assert_eq!(suppressed.len(), 1);
        assert!(suppressed[0].starts_with("77777,"));
        let in_order = washed.body.lines().skip(1).enumerate();
        assert!(in_order.map(|(n, line)| (n, line.split(',').next().unwrap().parse())).all(|(n, id)| id == Ok(n)));
        let grown = peak(world) - before;
        assert!(grown < 64 << 10, "{grown} KiB");
    }
}

/// The most memory that the service has ever had, in KiB.
fn peak(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.service.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
