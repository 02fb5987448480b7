//! A list that is taken out takes nothing with it that another list still has.

use std::fs;

use serde_json::{Value, json};

use super::{begin, put, status};
use crate::audit::text;
use crate::harness::process::Ended;
use crate::harness::{Api, World, number, on_every_store};
use crate::imports::lines;

/// Imports these numbers under a name, for all sellers unless `more` says otherwise.
fn bring(
    world: &World,
    source: &str,
    numbers: impl IntoIterator<Item = usize>,
    more: &[&str],
) -> Ended {
    let file = world.scratch("numbers");
    fs::write(&file, lines(numbers)).unwrap();
    let line = ["import", file.to_str().unwrap(), "--source", source];
    let all: &[&str] = if more.contains(&"--seller") {
        &[]
    } else {
        &["--all-sellers"]
    };
    world.service.cli(&[&line[..], all, more].concat())
}

fn listed<const N: usize>(dialler: &Api, numbers: [usize; N]) -> [bool; N] {
    numbers.map(|n| dialler.suppresses(&number(n), "energy"))
}

fn step(operator: &Api, begun: &Value) {
    let path = format!("/v1/admin/imports/{}/steps/1", text(begun, "id"));
    operator.call("PUT", &path, &[], Vec::new()).expect(200);
}

on_every_store! {
    fn a_removal_takes_nothing_out_that_another_list_still_has(world: &World) {
        let dialler = world.dialler();
        let six = [1, 2, 3, 4, 5, 6];
        status(&bring(world, "A", 1..=4, &[]), 0);
        status(&bring(world, "B", 3..=6, &[]), 0);
        status(&bring(world, "C", 1..=1, &["--seller", "telco"]), 0);
        let unsaid = bring(world, "gone", 1..=6, &["--remove"]);
        status(&unsaid, 1);
        assert!(unsaid.stderr.contains("--from") && unsaid.stderr.contains("--from-every-list"), "{unsaid:?}");
        status(&bring(world, "gone", 1..=6, &["--remove", "--from", "nothing"]), 1);
        status(&bring(world, "A", 1..=4, &["--from", "B"]), 2);
        assert_eq!(listed(&dialler, six), [true; 6]);

        let from_a = bring(world, "gone", 1..=6, &["--remove", "--from", "A"]);
        status(&from_a, 0);
        assert!(from_a.stderr.contains("2 taken out, 4 stay because another list has them, 0 were not in"), "{from_a:?}");
        assert_eq!(listed(&dialler, six), [false, false, true, true, true, true]);
        // The first list has none of them any more: they go with the second.
        let from_b = bring(world, "gone", 1..=6, &["--remove", "--from", "B"]);
        assert!(from_b.stderr.contains("4 taken out, 2 were not in"), "{from_b:?}");
        assert_eq!(listed(&dialler, six), [false; 6]);
        assert!(dialler.suppresses(&number(1), "telco"), "that list is one seller's");

        // A list that comes in again has its numbers again.
        status(&bring(world, "A", 1..=4, &[]), 0);
        let again = bring(world, "gone", 1..=6, &["--remove", "--from", "B"]);
        assert!(again.stderr.contains("0 taken out, 4 stay"), "{again:?}");
        assert_eq!(listed(&dialler, six), [true, true, true, true, false, false]);
        let both = bring(world, "gone", 1..=1, &["--remove", "--from", "B", "--from", "A"]);
        assert!(both.stderr.contains("1 taken out, 0 were not in"), "{both:?}");
        let every = bring(world, "gone", 1..=6, &["--remove", "--from-every-list"]);
        assert!(every.stderr.contains("3 taken out, 3 were not in"), "{every:?}");
        assert_eq!(listed(&dialler, six), [false; 6]);
    }

    fn a_list_that_comes_in_while_another_is_taken_out_loses_nothing(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        status(&bring(world, "A", 1..=4, &[]), 0);
        let id = operator.get("/v1/admin/imports").expect(200).json()["imports"][0]["id"].clone();
        let rows = lines(1..=4);
        let remove = json!({"source": "gone", "remove": true, "from": [id]});
        let new = json!({"source": "new"});
        let (gone, came) = (begin(&operator, &rows, &remove), begin(&operator, &rows, &new));
        put(&operator, &gone, &rows).expect(200);
        put(&operator, &came, &rows).expect(200);
        step(&operator, &came);
        step(&operator, &gone);
        assert_eq!(listed(&dialler, [1, 2, 3, 4]), [true; 4]);
        // The same list, brought in again after its removal began, was not meant by it.
        let remove = json!({"source": "all gone", "remove": true, "every_list": true});
        let gone = begin(&operator, &rows, &remove);
        put(&operator, &gone, &rows).expect(200);
        status(&bring(world, "A", 1..=4, &[]), 0);
        step(&operator, &gone);
        assert_eq!(listed(&dialler, [1, 2, 3, 4]), [true; 4]);
    }
}
