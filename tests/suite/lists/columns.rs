//! Which columns are read, and which rows are meant: told by the heading, by what stands there, or by
//! whoever brings the list; and always said.

use serde_json::json;

use super::{import, listed, rejected, status, wash};
use crate::harness::{World, number, on_every_store};

/// The digits of a number behind its country code, in two parts.
fn halves(n: usize) -> (String, String) {
    let digits = &number(n)[3..];
    (digits[..3].to_owned(), digits[3..].to_owned())
}

on_every_store! {
    fn two_columns_are_one_number_where_that_is_said(world: &World) {
        let dialler = world.dialler();
        let ((a, b), (c, d)) = (halves(1), halves(2));
        let list = format!("{a},{b}\n{c},{d}\n");
        let said = ["--column", "1+2", "--region", "BE"];
        status(&import(world, "halves", &list, &said), 0);
        assert_eq!(listed(&dialler, [1, 2, 3]), [true, true, false]);
        let washed = wash(world, &dialler, "halves.csv", &list, &said);
        status(&washed, 0);
        assert_eq!(washed.stdout.matches(",suppress,").count(), 2, "{washed:?}");
        // Half a number is none.
        let washed = wash(world, &dialler, "half.csv", format!("{a},{b}\n{c},\n"), &said);
        assert!(washed.stdout.contains(&format!("{c},,invalid,phone_empty,")), "{washed:?}");
        let over = |query: &str| {
            let path = format!("/v1/wash?seller=telco&{query}");
            dialler.call("POST", &path, &[("Content-Type", "text/csv")], list.clone().into())
        };
        let answer = over("column=1%2B2&region=BE&heading=no").expect(200);
        assert_eq!(answer.header("wash-columns"), "1+2");
        assert_eq!(answer.text().matches(",suppress,").count(), 2);
        assert_eq!(over("column=1%2B3").expect(422).json()["code"], "unreadable_list");
    }

    fn the_region_of_a_row_comes_from_its_column(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1), "+4930123456", "+31612345678"], json!("all"));
        let national = format!("0{}", &number(1)[3..]);
        let list = format!(
            "country;phone\nBE;{national}\nde;030123456\nNL;0612345678\n;{}\nbelgium;{national}\n",
            number(2),
        );
        let washed = wash(world, &dialler, "countries.csv", &list, &["--region-column", "Country"]);
        status(&washed, 0);
        let answers: Vec<_> = washed.stdout.lines().skip(1).map(|row| row.split(';').nth(2).unwrap()).collect();
        assert_eq!(answers, ["suppress", "suppress", "suppress", "not_listed", "invalid"], "{washed:?}");
        assert!(washed.stdout.contains("invalid;region_unknown;"), "{washed:?}");
        let list = format!("country;phone\nBE;0{}\nxx;0{}\n", &number(5)[3..], &number(6)[3..]);
        status(&import(world, "countries", &list, &["--region-column", "1"]), 1);
        assert_eq!(listed(&dialler, [5, 6]), [true, false]);
        assert_eq!(rejected(world, "countries"), ["3,region_unknown"]);
    }

    fn only_rows_with_the_value_that_is_asked_for_are_meant(world: &World) {
        let dialler = world.dialler();
        let list = format!("phone,do_not_call\n{},Y\n{},N\n{}, y \n{},\n{}\n",
            number(1), number(2), number(3), number(4), number(5));
        let brought = import(world, "flags", &list, &["--where", "Do-Not-Call=y"]);
        status(&brought, 0);
        assert_eq!(listed(&dialler, [1, 2, 3, 4, 5]), [true, false, true, false, false]);
        assert!(brought.stderr.contains("3 rows were passed over"), "{brought:?}");
        let changes = format!("A|{}\nD|{}\n", number(6), number(1));
        let said = ["--delimiter", "|", "--column", "2", "--heading", "no", "--where"];
        status(&import(world, "added", &changes, &[&said[..], &["1=A"]].concat()), 0);
        let gone = [&said[..], &["1=D", "--remove", "--from-every-list"]].concat();
        status(&import(world, "gone", &changes, &gone), 0);
        assert_eq!(listed(&dialler, [1, 3, 6]), [false, true, true]);
        status(&import(world, "nowhere", &list, &["--where", "nothing=1"]), 2);
    }

    fn an_objection_is_in_whatever_its_date(world: &World) {
        let dialler = world.dialler();
        let operator = world.operator();
        let dates = [
            ("01/05/2019", Some("date_ambiguous")), ("2019-05-01T10:00:00.000Z", None),
            ("5/1/2019 10:00 AM", Some("date_ambiguous")), ("2019/05/01", None), ("1556668800", None),
            ("01.05.2019", None), ("0000-00-00 00:00:00", None), ("NULL", None), ("43586", None),
            ("\"May 1, 2019\"", None), ("2019-5-1", None), ("21/11/2019", None), ("3 août 2019", None),
            ("someday", Some("date_unreadable")), ("2099-01-01", Some("date_in_the_future")),
        ];
        let rows: String = dates.iter().enumerate().map(|(n, (date, _))| format!("{},{date}\n", number(n + 1))).collect();
        let list = format!("phone,date\n{rows}");
        let brought = import(world, "dates", &list, &["--date-column", "date"]);
        status(&brought, 0);
        for n in 1..=dates.len() {
            assert!(dialler.suppresses(&number(n), "telco"), "{:?}", dates[n - 1]);
        }
        assert!(brought.stderr.contains("4 rows are in without the date"), "{brought:?}");
        assert!(brought.stderr.contains("--date-format"), "{brought:?}");
        let told = dates.iter().enumerate().filter_map(|(n, (_, why))| Some(format!("{},{}", n + 2, (*why)?)));
        assert_eq!(rejected(world, "dates"), told.collect::<Vec<_>>());
        let told = || operator.get("/v1/admin/imports").expect(200).json()["imports"][0].clone();
        assert_eq!([&told()["rows"], &told()["rejected"], &told()["undated"]], [15, 0, 4]);
        let found = |n: usize| {
            let found = operator.post("/v1/admin/imports/find", json!({"phone": number(n)})).expect(200).json();
            found["imports"][0]["date"].clone()
        };
        assert_eq!([found(1), found(2), found(11)], [json!(null), json!("2019-05-01"), json!("2019-05-01")]);

        // Whoever says the order does the same import again, and has the dates.
        let again = import(world, "dates", &list, &["--date-column", "date", "--date-format", "dmy"]);
        status(&again, 0);
        assert!(again.stderr.contains("imported before"), "{again:?}");
        assert_eq!(told()["undated"], 2);
        assert_eq!([found(1), found(3)], [json!("2019-05-01"), json!("2019-01-05")]);
    }

    fn a_column_with_numbers_that_is_not_read_is_said(world: &World) {
        let dialler = world.dialler();
        let list = format!("phone,backup,since\n{},{},2019\n{},{},2020\n", number(1), number(2), number(3), number(4));
        for ended in [
            import(world, "backup", &list, &[]),
            wash(world, &dialler, "backup.csv", &list, &[]),
        ] {
            status(&ended, 0);
            assert!(ended.stderr.contains("column \"phone\""), "{ended:?}");
            assert!(ended.stderr.contains("NOT read") && ended.stderr.contains("\"backup\""), "{ended:?}");
            assert!(!ended.stderr.contains("since"), "{ended:?}");
        }
        // Without a heading a number with its plus can be nothing else.
        let list = format!("An,{},7\nBo,{},8\n", number(5), number(6));
        status(&import(world, "bare", &list, &[]), 0);
        assert_eq!(listed(&dialler, [5, 6]), [true, true]);
    }

    fn a_list_of_which_nothing_can_be_read_is_refused_with_what_was_seen(world: &World) {
        let dialler = world.dialler();
        let list = "name,phone\nAn,unknown 12\nBo,n/a\n";
        for (ended, code) in [
            (import(world, "nothing", list, &[]), 2),
            (wash(world, &dialler, "nothing.csv", list, &[]), 2),
        ] {
            status(&ended, code);
            assert!(ended.stderr.contains("aaaaaaa 99") && ended.stderr.contains("--region"), "{ended:?}");
            assert!(ended.stdout.is_empty());
        }
        let operator = world.operator();
        for op in ["check", "wash", "import"] {
            assert!(operator.entries(&[("op", op)]).is_empty(), "{op}");
        }
        // What comes first need not be what all are like.
        let list = format!("name,phone\n{}Zoe,{}\n", "An,\n".repeat(50_000), number(1));
        let washed = wash(world, &dialler, "late.csv", &list, &[]);
        status(&washed, 0);
        assert!(washed.stderr.contains("50001 rows, 0 suppress, 1 not_listed"), "{washed:?}");
    }
}
