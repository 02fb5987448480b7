//! Looking after the sealed log from the command line: its keys, its years, its openings, and long
//! exports that break off.

use std::fs;
use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use serde_json::json;
use tempfile::tempdir;

use crate::audit::text;
use crate::cli::{done, refused};
use crate::harness::process::{Ended, run, run_on};
use crate::harness::service::metrust;
use crate::harness::{World, number, on_every_store};

/// What only its owner may read.
#[track_caller]
pub fn assert_private(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
}

/// Hands on what the service at `address` says, but ends each answer after so many bytes.
fn breaking_off(address: &str, after: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let address = address.to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let service = TcpStream::connect(&address).unwrap();
            let mut asks = (client.try_clone().unwrap(), service.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut asks.0, &mut asks.1));
            let _ = std::io::copy(&mut service.take(after), &mut client);
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    url
}

#[track_caller]
fn usage(ended: &Ended, named: &str) {
    refused(ended, named);
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
}

on_every_store! {
    fn the_keys_of_the_log_are_printed_for_everybody_and_rotated_by_the_operator(world: &World) {
        let published = || world.anonymous().get("/log/vkeys").expect(200).text();
        let nowhere = tempdir().unwrap();
        let mut command = metrust();
        command
            .args(["audit", "key", "--url", &world.service.url(), "--data"])
            .arg(nowhere.path());
        let before = done(run(&mut command));
        assert_eq!(before, published(), "without any key of one's own");
        assert_eq!(before.lines().count(), 1);

        let ended = world.service.cli(&["audit", "key", "--rotate", "--overlap", "2d"]);
        let said = ended.stderr.clone();
        let after = done(ended);
        assert_eq!(after, published());
        let keys: Vec<_> = after.lines().collect();
        assert!(keys.len() == 2 && keys[0] != before.trim(), "the newest first: {after}");
        assert_eq!(keys[1], before.trim());
        assert!(said.contains("Publish") && said.contains("until 20"), "{said}");

        usage(&world.service.cli(&["audit", "key", "--rotate", "--overlap", "soon"]), "30d");
        let dialler = world.dialler();
        let mut command = metrust();
        command.args(["audit", "key", "--rotate"]).env("METRUST_KEY", dialler.key());
        refused(&run(command.env("METRUST_URL", world.service.url())), "operator");
    }

    fn years_that_must_be_kept_are_not_pruned_and_it_is_told_what_stays(world: &World) {
        let operator = world.operator();
        let year = text(&operator.entries(&[])[0], "time")[..4].to_owned();
        let ended = world.service.cli(&["audit", "prune", "--before", &year]);
        refused(&ended, "must still be kept");
        assert!(ended.stderr.contains("Nothing was dropped"), "{ended:?}");
        crate::harness::eventually("the log has begun", || {
            world.anonymous().get(&format!("/log/{year}/checkpoint")).status == 200
        });
        let said = done(world.service.cli(&["audit", "prune", "--before", "2001"]));
        assert!(said.contains("Nothing to drop"), "{said}");
        assert!(said.contains(&format!("Stays: all of {year}")), "{said}");
        usage(&world.service.cli(&["audit", "prune", "--before", "soon"]), "soon");
    }

    fn the_index_is_made_again_on_demand(world: &World) {
        let said = done(world.service.cli(&["audit", "reindex"]));
        assert!(said.contains("segments"), "{said}");
    }

    fn openings_are_written_for_their_owner_and_the_number_need_not_be_an_argument(world: &World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let folder = tempdir().unwrap();
        let file = folder.path().join("openings.txt");
        let ask = |arguments: &[&str], input: &str| {
            let mut command = metrust();
            command
                .args(["audit", "openings"])
                .args(arguments)
                .env("METRUST_URL", world.service.url())
                .env("METRUST_KEY", world.operator().regulator().key());
            run_on(&mut command, input)
        };
        let name = file.to_str().unwrap();
        let said = ask(&["-", "--output", name], &format!("{}\n", number(1)));
        assert!(said.stderr.contains("on record"), "{said:?}");
        assert_eq!(done(said), "");
        assert_private(&file);
        let written = fs::read_to_string(&file).unwrap();
        assert!(written.starts_with("metrust openings v1\n"), "{written}");
        assert!(!written.contains(&number(1)[3..]));
        assert_eq!(world.operator().entries(&[("op", "opening")]).len(), 3);

        // What is there already is not replaced, and then nothing is opened either.
        usage(&ask(&["-", "--output", name], &number(1)), "there already");
        usage(&ask(&["-"], "\n"), "standard input");
        usage(&ask(&["0475", "12", "34"], ""), "one number");
        refused(&ask(&[&number(1), "--month", "2001-01"], ""), "month");
        assert_eq!(world.operator().entries(&[("op", "opening")]).len(), 3);
        let month = text(&world.operator().entries(&[])[0], "time")[..7].to_owned();
        let national = format!("0{}", &number(1)[3..]);
        let one = done(ask(&[&national, "--region", "BE", "--month", &month], ""));
        assert_eq!(one.matches(&format!("\n{month} ")).count(), 1, "{one}");

        // The other commands read numbers from there as well.
        let mut check = metrust();
        check
            .args(["check", "-", "--seller", "telco"])
            .env("METRUST_URL", world.service.url())
            .env("METRUST_KEY", dialler.key());
        assert!(done(run_on(&mut check, &number(1))).contains("not listed"));
        let mut export = metrust();
        export
            .args(["audit", "export", "--phone", "-", "--op", "check"])
            .env("METRUST_URL", world.service.url())
            .env("METRUST_DATA", world.service.data());
        assert_eq!(done(run_on(&mut export, &number(1))).lines().count(), 2);
    }

    fn an_export_that_broke_off_goes_on_behind_its_last_whole_line(world: &World) {
        let dialler = world.dialler();
        let numbers: Vec<_> = (0..2000).map(number).collect();
        dialler
            .post("/v1/checks", json!({"seller": "telco", "numbers": numbers}))
            .expect(200);
        let folder = tempdir().unwrap();
        for format in ["ndjson", "csv"] {
            let file = folder.path().join(format!("all.{format}"));
            let part = folder.path().join(format!("all.{format}.part"));
            let export = |url: &str, more: &[&str]| {
                let mut command = metrust();
                command
                    .args(["audit", "export", "--op", "check", "--format", format, "--output"])
                    .arg(&file)
                    .args(more)
                    .env("METRUST_URL", url)
                    .env("METRUST_DATA", world.service.data());
                run(&mut command)
            };
            let through = breaking_off(world.service.address(), 150_000);
            let ended = export(&through, &[]);
            refused(&ended, "INCOMPLETE");
            assert!(ended.stderr.contains("--resume"), "{ended:?}");
            assert!(!file.exists());
            assert_private(&part);
            let arrived = fs::read(&part).unwrap();
            assert!(arrived.len() > 50_000);

            let url = world.service.url();
            usage(&export(&url, &["--resume", "--seller", "telco"]), "filters");
            assert_eq!(fs::read(&part).unwrap(), arrived);
            // It breaks off a second time, further on.
            refused(&export(&through, &["--resume"]), "INCOMPLETE");
            assert!(fs::metadata(&part).unwrap().len() > arrived.len() as u64 + 50_000);
            let said = export(&url, &["--resume"]);
            assert!(said.stderr.contains("2000 entries"), "{said:?}");
            done(said);
            let path = format!("/v1/audit/entries?op=check&format={format}");
            let whole = world.operator().get(&path).expect(200).text();
            assert!(fs::read_to_string(&file).unwrap() == whole, "as if it had not broken off");
            assert_private(&file);
            assert!(!part.exists());
        }
        let names = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = names.map(|item| item.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["all.csv", "all.ndjson"], "nothing is left beside them");
        let fresh = folder.path().join("fresh");
        let fresh = fresh.to_str().unwrap();
        done(world.service.cli(&["audit", "export", "--output", fresh, "--resume"]));
    }
}
