//! Lists as people have them: from a Mac of earlier days, a CRM, a spreadsheet. What is in them is
//! read as it is meant or refused by name; nobody is passed over in silence.

#[path = "lists/columns.rs"]
mod columns;
#[path = "lists/kinds.rs"]
mod kinds;
#[path = "lists/removals.rs"]
mod removals;
#[path = "lists/sheets.rs"]
mod sheets;
#[path = "lists/systems.rs"]
mod systems;
#[path = "lists/workbooks.rs"]
mod workbooks;

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit::text;
use crate::harness::process::{Ended, run};
use crate::harness::service::metrust;
use crate::harness::{Api, World, number, on_every_store};

/// Imports a file of this content; `more` follows on the command line.
fn import(world: &World, name: &str, content: impl AsRef<[u8]>, more: &[&str]) -> Ended {
    let file = world.scratch(name);
    fs::write(&file, content).unwrap();
    let file = file.to_str().unwrap();
    let line = ["import", file, "--source", "a list", "--all-sellers"];
    world.service.cli(&[&line[..], more].concat())
}

/// Washes a file of this content to standard output.
fn wash(
    world: &World,
    dialler: &Api,
    name: &str,
    content: impl AsRef<[u8]>,
    more: &[&str],
) -> Ended {
    let file = world.scratch(name);
    fs::write(&file, content).unwrap();
    let mut command = metrust();
    command
        .arg("wash")
        .arg(&file)
        .args(["--seller", "telco", "--output", "-"])
        .args(more)
        .env("METRUST_URL", world.service.url())
        .env("METRUST_KEY", dialler.key());
    run(&mut command)
}

#[track_caller]
fn status(ended: &Ended, status: i32) {
    assert_eq!(ended.status.code(), Some(status), "{ended:?}");
}

/// The report of rejected rows of a file that was imported: line and reason. Each says it in words,
/// too.
fn rejected(world: &World, name: &str) -> Vec<String> {
    let report = fs::read_to_string(world.scratch(&format!("{name}.rejected.csv"))).unwrap();
    let row = |row: &str| {
        let (row, words) = row.split_once(",\"").unwrap();
        assert!(
            words.split(' ').count() > 5 && words.ends_with('"'),
            "{words}"
        );
        row.to_owned()
    };
    report.lines().skip(1).map(row).collect()
}

fn listed<const N: usize>(dialler: &Api, numbers: [usize; N]) -> [bool; N] {
    numbers.map(|n| dialler.suppresses(&number(n), "telco"))
}

/// The national form.
fn national(n: usize) -> String {
    format!("0{}", &number(n)[3..])
}

on_every_store! {
    fn an_import_reads_every_row_whatever_ends_it(world: &World) {
        let dialler = world.dialler();
        let one = format!("phone\r{}\r{}\r{}\r", number(1), number(2), number(3));
        status(&import(world, "cr", one, &[]), 0);
        let table = format!("1;{};An\r2;{};Bo\r3;{};Cy\r", number(4), number(5), number(6));
        status(&import(world, "cr-table", table, &["--column", "2"]), 0);
        let mixed = format!(
            "id;phone;name\r\n1;{};An\r2;{};Bo\r\n\r3;{};Cy\n",
            number(7), number(8), number(9),
        );
        let ended = import(world, "mixed", mixed, &[]);
        status(&ended, 0);
        assert!(ended.stderr.contains("3 rows, 3 numbers: 3 imported"), "{ended:?}");
        assert_eq!(listed(&dialler, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), [
            true, true, true, true, true, true, true, true, true, false,
        ]);
    }

    fn a_long_list_is_cut_where_a_row_ends_whatever_ends_it(world: &World) {
        let dialler = world.dialler();
        for (which, end) in ["\r", "\r\n", "\n"].into_iter().enumerate() {
            let (from, name) = (which * 10_000, format!("long{which}"));
            let filler = "x".repeat(1_500);
            let mut list = format!("id;phone;note{end}");
            for n in 0..6_000 {
                // A note with line breaks in it, of every kind, in some rows.
                let note = if n % 7 == 0 { "\"a\n;b\r\"\"c\"\"\r\nd\"" } else { filler.as_str() };
                let phone = if n == 5_999 { "hello".to_owned() } else { number(from + n) };
                list.push_str(&format!("{n};{phone};{note}{end}"));
            }
            let ended = import(world, &name, &list, &[]);
            status(&ended, 1);
            assert!(ended.stderr.contains("6000 rows, 5999 numbers: 5999 imported"), "{ended:?}");
            // A heading, 5999 rows before it, three more lines in every seventh of them.
            assert_eq!(rejected(world, &name), [format!("{},phone_letters", 6_001 + 3 * 857)]);
            assert_eq!(listed(&dialler, [from, from + 3_000, from + 5_998, from + 5_999]), [true, true, true, false]);
        }
        let told = world.operator().get("/v1/admin/imports").expect(200).json();
        assert!(told["imports"].as_array().unwrap().iter().all(|one| one["parts"].as_u64() > Some(1)));
    }

    fn a_row_with_too_many_cells_is_rejected_and_no_other_cell_is_taken_for_the_number(world: &World) {
        let dialler = world.dialler();
        let list = format!(
            "name,account,phone\n\"An\",025550001,{}\nDoe, John,{},{}\n\"Roe, Jo\",1,{}\n",
            national(1), national(2), national(3), national(4),
        );
        let ended = import(world, "shifted", &list, &["--region", "BE"]);
        status(&ended, 1);
        assert_eq!(rejected(world, "shifted"), ["3,too_many_columns"]);
        assert_eq!(listed(&dialler, [1, 2, 3, 4]), [true, false, false, true]);
        // Through the API, too; there a table is as wide as its columns that were named.
        let operator = world.operator();
        let rows = format!("{},x\n{}\n", number(5), number(6));
        for (more, rejected) in [(json!({}), 1), (json!({"columns": 2}), 0)] {
            let told = by_hand(&operator, &rows, &more);
            assert_eq!(told["rejected"], rejected, "{told}");
        }
    }

    fn a_telephone_goes_before_a_number_of_something_else_and_the_command_says_so(world: &World) {
        let dialler = world.dialler();
        let list = format!("name,number,telephone\nAn,470000778,{}\nBo,470000779,{}\n", number(1), number(2));
        let ended = import(world, "customers", &list, &["--region", "BE"]);
        status(&ended, 0);
        assert!(ended.stderr.contains("telephone"), "{ended:?}");
        assert_eq!(listed(&dialler, [1, 2]), [true, true]);
        assert!(!dialler.suppresses("+32470000778", "telco"));
        let washed = wash(world, &dialler, "customers.csv", &list, &["--region", "BE"]);
        status(&washed, 0);
        assert!(washed.stderr.contains("2 suppress") && washed.stderr.contains("telephone"), "{washed:?}");
        // Of two that fit equally neither is chosen.
        let equal = format!("number,called\n{},{}\n", number(3), number(4));
        let ended = import(world, "equal", &equal, &[]);
        status(&ended, 2);
        assert!(ended.stderr.contains("--column"), "{ended:?}");
        let washed = wash(world, &dialler, "equal.csv", &equal, &[]);
        assert_ne!(washed.status.code(), Some(0), "{washed:?}");
        let year = format!("id,phone,optout_2026\n1,{},yes\n", number(5));
        status(&import(world, "year", year, &[]), 0);
        assert_eq!(listed(&dialler, [3, 4, 5]), [false, false, true]);
    }

    fn a_first_row_of_digits_of_any_script_is_a_row(world: &World) {
        let dialler = world.dialler();
        let persian = |text: &str| -> String {
            text.chars().map(|c| c.to_digit(10).and_then(|d| char::from_u32(0x6f0 + d)).unwrap_or(c)).collect()
        };
        let wide = |text: &str| -> String {
            text.chars().map(|c| c.to_digit(10).and_then(|d| char::from_u32(0xff10 + d)).unwrap_or(c)).collect()
        };
        let list = format!("{}\n{}\n", persian("09121230061"), persian("09121230062"));
        let ended = import(world, "persian", list, &["--region", "IR"]);
        status(&ended, 0);
        assert!(ended.stderr.contains("2 imported"), "{ended:?}");
        let list = format!("{}\n{}\n", wide(&national(1)), wide(&national(2)));
        status(&import(world, "wide", list, &["--region", "BE"]), 0);
        assert!(dialler.suppresses("+989121230061", "telco"));
        assert_eq!(listed(&dialler, [1, 2]), [true, true]);
    }

    fn a_list_without_a_row_is_refused_before_anything_is_on_record(world: &World) {
        world.dialler();
        for (name, list) in [("heading", "id;phone\r\n\r\n"), ("one", "phone"), ("blank", "\r\n \n")] {
            let ended = import(world, name, list, &[]);
            status(&ended, 2);
            assert!(ended.stderr.contains("no row"), "{ended:?}");
        }
        let operator = world.operator();
        assert!(operator.entries(&[("op", "import")]).is_empty());
        let begun = begin(&operator, "\n\n", &json!({}));
        put(&operator, &begun, "\n\n").expect(200);
        let finish = format!("/v1/admin/imports/{}/finish", text(&begun, "id"));
        let step = format!("/v1/admin/imports/{}/steps/1", text(&begun, "id"));
        operator.call("PUT", &step, &[], Vec::new());
        assert_eq!(operator.post(&finish, json!({})).expect(409).json()["code"], "import_state");
    }

    fn a_number_in_a_note_with_a_line_break_is_neither_brought_in_nor_taken_out(world: &World) {
        let dialler = world.dialler();
        let all = format!("{}\n{}\n{}\n", number(1), number(2), number(3));
        status(&import(world, "all", all, &[]), 0);
        let list = format!(
            "phone;note\n{};\"called\n{};by\nnobody\"\n{};\n",
            number(1), number(2), number(9),
        );
        let gone = import(world, "gone", &list, &["--remove"]);
        // What stands in the note could be a row of its own: nothing of it is believed.
        status(&gone, 1);
        assert_eq!(rejected(world, "gone"), ["2,row_quotes", "3,row_quotes", "4,row_quotes"]);
        assert_eq!(listed(&dialler, [1, 2, 3]), [true, true, true]);
        let list = format!("phone;note\n{};\"called\n{}\nby nobody\"\n", number(3), number(2));
        status(&import(world, "gone2", &list, &["--remove"]), 0);
        assert_eq!(listed(&dialler, [1, 2, 3]), [true, true, false]);
        let list = format!("phone;note\n{};\"never closed\n{};\n", number(5), number(6));
        let open = import(world, "open", &list, &[]);
        // A mark that nothing closes costs its own line and no other.
        status(&open, 1);
        assert_eq!(rejected(world, "open"), ["2,row_quotes"]);
        assert_eq!(listed(&dialler, [5, 6]), [false, true]);
    }

    fn both_numbers_of_a_row_are_brought_in_and_both_are_asked_about(world: &World) {
        let dialler = world.dialler();
        let list = format!(
            "id,name,phone,mobile,do_not_call\n1,An,{},{},1\n2,Bo,,{},1\n3,Cy,{},,1\n4,Di,{},hello,1\n5,Ed,,,1\n",
            number(1), number(2), number(3), number(4), number(5),
        );
        dialler.register(&[&number(2)], json!("all"));
        let washed = wash(world, &dialler, "crm.csv", &list, &[]);
        status(&washed, 0);
        let answers: Vec<_> = washed.stdout.lines().skip(1).map(|row| row.split(',').nth(5).unwrap()).collect();
        assert_eq!(answers, ["suppress", "not_listed", "not_listed", "invalid", "invalid"], "{washed:?}");
        assert!(washed.stderr.contains("phone") && washed.stderr.contains("mobile"), "{washed:?}");
        let clear = wash(world, &dialler, "crm.csv", &list, &["--only-clear"]);
        assert!(!clear.stdout.contains("An") && clear.stdout.contains("Bo"), "{clear:?}");
        // Each number is a check of its own: one row has two.
        let checks = world.operator().entries(&[("op", "check")]);
        assert_eq!(checks.len(), 2 * (2 + 1 + 1 + 2 + 1));
        assert_eq!(checks.iter().filter(|one| one["answer"] == "suppress").count(), 2);

        // The API says which columns it took.
        let headers = [("Content-Type", "text/csv")];
        let over = |query: &str| {
            dialler.call("POST", &format!("/v1/wash?seller=telco&summary=line{query}"), &headers, list.clone().into())
        };
        let answer = over("").expect(200);
        assert_eq!(answer.header("wash-columns"), "3,4");
        assert!(answer.text().contains("rows=5 suppress=1 not_listed=2 invalid=2"), "{answer:?}");
        let one = over("&column=phone").expect(200);
        assert_eq!(one.header("wash-columns"), "3");
        assert!(one.text().contains("rows=5 suppress=0 not_listed=3 invalid=2"), "{one:?}");
        let both = over("&column=Mobile,3").expect(200);
        assert!(both.text().contains("suppress=1"), "{both:?}");
        over("&column=phone,fax").expect(422);

        let objects = format!(
            "{{\"phone\":\"{}\"}}\n{{\"phone\":\"{}\",\"Mobile\":\"{}\"}}\n{{\"mobile\":\"{}\"}}\n",
            number(1), number(1), number(2), number(2),
        );
        let headers = [("Content-Type", "application/x-ndjson")];
        let answer = dialler.call("POST", "/v1/wash?seller=telco", &headers, objects.into()).expect(200);
        let answers: Vec<Value> = answer.text().lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        let answers: Vec<_> = answers.iter().map(|row| text(row, "answer")).collect();
        assert_eq!(answers, ["not_listed", "suppress", "suppress"]);

        let ended = import(world, "crm", &list, &[]);
        status(&ended, 1);
        assert!(ended.stderr.contains("phone") && ended.stderr.contains("mobile"), "{ended:?}");
        assert_eq!(rejected(world, "crm"), ["5,phone_letters", "6,phone_empty"]);
        assert_eq!(listed(&dialler, [1, 2, 3, 4, 5, 6]), [true, true, true, true, true, false]);
    }
}

/// Begins an import of one part by hand.
#[track_caller]
fn begin(operator: &Api, list: &str, more: &Value) -> Value {
    let mut body = json!({
        "source": "by hand",
        "seller": "all",
        "sha256": data_encoding::HEXLOWER.encode(&Sha256::digest(list)),
        "bytes": list.len(),
        "parts": 1,
        "part_bytes": 1 << 20,
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    operator.post("/v1/admin/imports", body).expect(200).json()
}

/// Sends its part.
fn put(operator: &Api, begun: &Value, list: &str) -> crate::harness::Answer {
    let path = format!("/v1/admin/imports/{}/parts/1", text(begun, "id"));
    operator.call("PUT", &path, &[], list.as_bytes().to_vec())
}

/// The counts of its part.
#[track_caller]
fn by_hand(operator: &Api, list: &str, more: &Value) -> Value {
    let begun = begin(operator, list, more);
    put(operator, &begun, list).expect(200).json()
}
