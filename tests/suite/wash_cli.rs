//! `metrust wash`: a list in a file, or on standard input, and back.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::audit::text;
use crate::harness::process::{Ended, Process, run, run_on};
use crate::harness::rounds::rounds;
use crate::harness::service::metrust;
use crate::harness::washing::Line;
use crate::harness::{Api, World, number, on_every_store};

struct Desk<'w> {
    world: &'w World,
    dialler: Api,
    folder: tempfile::TempDir,
}

impl<'w> Desk<'w> {
    fn at(world: &'w World) -> Self {
        Self {
            world,
            dialler: world.dialler(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, list: &str) -> String {
        fs::write(self.path(name), list).unwrap();
        self.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, url: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = metrust();
        command
            .arg("wash")
            .args(arguments)
            .args(["--seller", "telco"])
            .env("METRUST_URL", url)
            .env("METRUST_KEY", self.dialler.key());
        command
    }

    fn wash_at(&self, url: &str, arguments: &[&str]) -> Ended {
        run(&mut self.command(url, arguments))
    }

    fn wash(&self, arguments: &[&str]) -> Ended {
        self.wash_at(&self.world.service.url(), arguments)
    }

    fn receipts(&self, name: &str) -> Vec<Value> {
        let lines = self.read(name);
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn list(rows: usize) -> String {
    let rows = (0..rows).map(|n| format!("{n},{},Gent\n", number(n)));
    ["id,phone,city\n".to_owned()]
        .into_iter()
        .chain(rows)
        .collect()
}

#[track_caller]
fn status(ended: &Ended, status: i32) {
    assert_eq!(ended.status.code(), Some(status), "{ended:?}");
}

/// That these are the rows of the list, each once and in order, with an answer each.
#[track_caller]
fn assert_washed(list: &str, washed: &str) {
    assert_eq!(washed.lines().count(), list.lines().count());
    for (row, answered) in list.lines().zip(washed.lines()) {
        let added = answered
            .strip_prefix(row)
            .unwrap_or_else(|| panic!("{row}: {answered}"));
        assert_eq!(added.matches(',').count(), 3, "{answered}");
    }
}

on_every_store! {
    fn a_file_is_washed_to_a_file_beside_it_and_the_receipt_too(world: &mut World) {
        let desk = Desk::at(world);
        desk.dialler.register(&[&number(3)], json!("all"));
        let list = list(2_000) + "x,hello,Gent\n";
        let file = desk.write("list.csv", &list);
        let ended = desk.wash(&[&file]);
        status(&ended, 0);
        assert!(ended.stdout.is_empty() && ended.stderr.contains("2001 rows, 1 suppress, 1999 not_listed, 1 invalid"), "{ended:?}");
        assert!(ended.stderr.contains("must not be called"), "{ended:?}");
        let washed = desk.read("list.washed.csv");
        assert_washed(&list, &washed);
        assert!(washed.lines().nth(4).unwrap().contains(",suppress,all_sellers,"));
        let receipts = desk.receipts("list.washed.csv.receipts.ndjson");
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0]["wash"]["rows"], 2001);
        assert_eq!(receipts[0]["wash"]["complete"], true);
        assert!(!Path::new(&desk.path("list.washed.csv.partial")).exists());
        assert!(!Path::new(&desk.path("list.washed.csv.partial.state")).exists());
        // What is there is not replaced, and then nothing is asked.
        status(&desk.wash(&[&file]), 2);
        status(&desk.wash(&[&file, "--force"]), 0);
        assert_eq!(world.operator().entries(&[("op", "wash")]).len(), 2);
    }

    fn only_the_clear_or_only_the_suppressed_rows_are_written_if_that_is_wanted(world: &mut World) {
        let desk = Desk::at(world);
        desk.dialler.register(&[&number(1)], json!("all"));
        let file = desk.write("list.txt", &format!("{}\n\n{}\nhello\n", number(1), number(2)));
        let only = |option| {
            let ended = desk.wash(&[&file, option, "--output", "-"]);
            status(&ended, 0);
            ended.stdout
        };
        let clear = only("--only-clear");
        assert!(clear.starts_with(&format!("{}\tnot_listed\t\t", number(2))), "{clear}");
        assert_eq!(clear.lines().count(), 1);
        let suppressed = only("--only-suppressed");
        assert!(suppressed.starts_with(&format!("{}\tsuppress\tall_sellers\t", number(1))));
        assert_eq!(suppressed.lines().count(), 1);
        status(&desk.wash(&[&file, "--only-clear", "--only-suppressed"]), 2);
        let table = desk.write("t.csv", &format!("a;phone\nx;{}\n", number(1)));
        let ended = desk.wash(&[&table, "--only-clear", "--output", "-"]);
        assert_eq!(ended.stdout, "a;phone;answer;reason;valid_until\n");
    }

    fn standard_input_goes_to_standard_output_in_every_form(world: &mut World) {
        let desk = Desk::at(world);
        let url = world.service.url();
        let local = format!("0{}", &number(5)[3..]);
        let objects = format!("{{\"n\":1,\"tel\":\"{local}\"}}\n{{\"n\":2}}\n");
        let options = ["-", "--format", "ndjson", "--region", "BE", "--receipts", &desk.path("r")];
        let ended = run_on(&mut desk.command(&url, &options), &objects);
        status(&ended, 0);
        let rows: Vec<Value> =
            ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(text(&rows[0], "answer"), "not_listed");
        assert_eq!(text(&rows[1], "reason"), "no_number");
        assert_eq!(desk.receipts("r")[0]["wash"]["invalid"], 1);
        let table = format!("x|{}", number(6));
        let options = ["-", "--column", "2", "--heading", "no", "--channel", "text"];
        let ended = run_on(&mut desk.command(&url, &options), &table);
        assert!(ended.stdout.starts_with(&format!("{table}|not_listed||")), "{ended:?}");
        let checks = world.operator().entries(&[("op", "check")]);
        assert_eq!(text(checks.last().unwrap(), "channel"), "text");
        let empty = run_on(&mut desk.command(&url, &["-"]), "");
        status(&empty, 0);
        assert!(empty.stdout.is_empty());
    }

    fn a_connection_that_breaks_is_taken_up_again_where_it_stopped(world: &mut World) {
        let desk = Desk::at(world);
        let list = list(6_000);
        let file = desk.write("list.csv", &list);
        let line = Line::to(&world.service, 2, 100_000);
        let ended = desk.wash_at(&line.url(), &[&file]);
        status(&ended, 0);
        assert_washed(&list, &desk.read("list.washed.csv"));
        assert!(ended.stderr.contains("trying again"), "{ended:?}");
        assert!(line.connections() > 2);
        let receipts = desk.receipts("list.washed.csv.receipts.ndjson");
        let complete: Vec<_> =
            receipts.iter().map(|receipt| receipt["wash"]["complete"].as_bool().unwrap()).collect();
        assert_eq!(complete, [false, false, true]);
        let rows = |receipt: &Value| receipt["wash"]["rows"].as_u64().unwrap();
        assert!(receipts.iter().map(rows).sum::<u64>() >= 6_000);
    }

    fn a_command_that_ended_goes_on_when_it_is_run_again(world: &mut World) {
        let desk = Desk::at(world);
        desk.dialler.register(&[&number(5_999)], json!("all"));
        let list = list(6_000);
        let file = desk.write("list.csv", &list);
        let line = Line::to(&world.service, usize::MAX, 100_000);
        let ended = desk.wash_at(&line.url(), &[&file, "--patience", "0"]);
        status(&ended, 3);
        assert!(ended.stderr.contains("NOT FINISHED"), "{ended:?}");
        assert!(!Path::new(&desk.path("list.washed.csv")).exists());
        let partial = desk.read("list.washed.csv.partial");
        let done = partial.lines().count();
        assert!(done > 100 && partial.ends_with('\n'), "{done}");
        // Another question does not go on with it.
        let other = desk.wash(&[&file, "--region", "BE"]);
        status(&other, 2);
        assert!(other.stderr.contains("--restart"), "{other:?}");
        status(&desk.wash(&[&file]), 0);
        let washed = desk.read("list.washed.csv");
        assert!(washed.starts_with(&partial));
        assert_washed(&list, &washed);
        assert!(washed.lines().last().unwrap().contains(",suppress,"));
        let receipts = desk.receipts("list.washed.csv.receipts.ndjson");
        assert_eq!(receipts.len(), 2);
        let last = receipts[1]["wash"]["rows"].as_u64().unwrap();
        assert!(last < 6_000, "it did not begin anew: {last}");
    }

    fn receipts_that_tell_of_a_part_of_the_list_are_not_said_to_tell_of_all(world: &mut World) {
        let Desk { dialler, folder, .. } = Desk::at(world);
        let desk = Desk { world, dialler: dialler.clone(), folder };
        let file = desk.write("list.csv", &list(6_000));
        let (line, stall) = Line::that_stalls(&world.service, 100_000);
        let washing = Process::start(&mut desk.command(&line.url(), &[&file, "--patience", "0"]));
        let Desk { folder, .. } = desk;
        stall.wait();
        // Killed in the middle: nothing ever says how this wash ended.
        world.service.kill9();
        stall.cut();
        status(&washing.finish(), 3);
        world.service.restart();
        let desk = Desk { world, dialler, folder };
        let taken = desk.read("list.washed.csv.partial").lines().count() - 1;
        assert!(taken > 100);
        let ended = desk.wash(&[&file]);
        status(&ended, 0);
        let receipts = desk.receipts("list.washed.csv.receipts.ndjson");
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0]["wash"]["rows"], 6_000 - taken);
        let said = format!("cover {} of 6000 rows", 6_000 - taken);
        assert!(ended.stderr.contains(&said), "{ended:?}");
        assert!(!ended.stderr.contains("the receipts are in"), "{ended:?}");
    }

    fn long_wash_kills_leave_no_row_without_its_receipt(world: &mut World) {
        let desk = Desk::at(world);
        desk.dialler.register(&[&number(7)], json!("all"));
        let list = list(40_000);
        let mut chance = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..rounds("wash_kills", 2, 100) {
            let file = desk.write(&format!("{round}.csv"), &list);
            let mut kills = 0;
            // The last one is left in peace.
            for last in [false, false, false, true] {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let mut washing = Process::start(&mut desk.command(&world.service.url(), &[&file]));
                if !last {
                    std::thread::sleep(std::time::Duration::from_millis(50 + (chance >> 33) % 2_500));
                    washing.kill9();
                    let done = Path::new(&desk.path(&format!("{round}.washed.csv"))).exists();
                    kills += usize::from(!done);
                    if !done {
                        continue;
                    }
                }
                let ended = washing.finish();
                if last {
                    status(&ended, 0);
                    assert!(ended.stderr.contains("the receipts are in"), "{kills} kills: {ended:?}");
                }
                break;
            }
            let washed = desk.read(&format!("{round}.washed.csv"));
            assert_washed(&list, &washed);
            assert_eq!(washed.matches(",suppress,").count(), 1);
            let receipts = desk.receipts(&format!("{round}.washed.csv.receipts.ndjson"));
            let rows = receipts.iter().map(|receipt| receipt["wash"]["rows"].as_u64().unwrap());
            // What was asked and did not arrive is asked again: rows may be in two, none in no receipt.
            assert!(rows.sum::<u64>() > 39_999, "round {round}, {kills} kills: {receipts:?}");
        }
    }

    fn what_is_refused_is_told_and_gives_no_file(world: &mut World) {
        let desk = Desk::at(world);
        let file = desk.write("list.csv", &list(10));
        let url = world.service.url();
        let refused = |ended: &Ended, code, named: &str| {
            status(ended, code);
            assert!(ended.stderr.contains(named), "{named}: {ended:?}");
            assert!(!ended.stderr.contains(&number(1)[3..]), "{ended:?}");
            assert!(!Path::new(&desk.path("list.washed.csv")).exists());
        };
        refused(&desk.wash(&["no-such-file.csv"]), 2, "no-such-file");
        refused(&desk.wash(&[&file, "--column", "nothing"]), 1, "column");
        refused(&desk.wash(&[&file, "--region", "XX"]), 2, "region");
        let regulator = world.operator().regulator();
        let by_regulator = run(desk.command(&url, &[&file]).env("METRUST_KEY", regulator.key()));
        refused(&by_regulator, 1, "dialler");
        let nowhere = desk.wash_at("http://127.0.0.1:1", &[&file, "--patience", "0"]);
        refused(&nowhere, 3, "NOT FINISHED");
        let open = desk.write("open.csv", &format!("phone,\"x\n{},a\n", number(1)));
        refused(&desk.wash(&[&open]), 1, "quotation mark");
    }
}
