//! Records as they really come.

use csv::ByteRecord;
use proptest::prelude::*;

use super::*;
use crate::domain::{PhoneError, Region};
use crate::service::matching::columns::CallsError;
use crate::table::{LONGEST_ROW, RowsError, TimeRules, read_zone};

const NUMBER: &str = "+32475123401";

/// Whether each row can be read, and why not.
fn reads(text: &[u8], mapping: &Mapping) -> Vec<Result<String, Unreadable>> {
    let rows = read_calls(text, mapping).unwrap();
    let said = |row: Row| row.call.map(|call| call.time.to_string());
    rows.into_iter().map(said).collect()
}

#[test]
fn the_forms_that_switches_and_spreadsheets_write_are_read() {
    let fine = vec![Ok("2026-11-10T12:00:00.000Z".to_owned())];
    let tables: &[&[u8]] = &[
        b"time,called\n2026-11-10T12:00:00Z,+32475123401\n",
        b"time,called\r\n2026-11-10T12:00:00Z,+32475123401\r\n",
        b"time,called\n2026-11-10T12:00:00Z,+32475123401",
        b"\xef\xbb\xbftime,called\n2026-11-10T12:00:00Z,+32475123401\n",
        b"\xef\xbb\xbf\"time\",\"called\"\n\"2026-11-10T12:00:00Z\",\"+32475123401\"\n",
        b"time;called\n2026-11-10 12:00:00;+32475123401\n",
        b"time\tcalled\n2026-11-10 12:00:00\t+32475123401\n",
        b"time|called\n2026-11-10 12:00:00|+32475123401\n",
        b"\n\ntime;called;\"a,b,c\"\n\n2026-11-10 12:00:00;+32475123401;x,y,z\n\n",
        b"\"a,b,c,d\";time;called\nx;2026-11-10 12:00:00;+32475123401\n",
        b"note,time,called\n\"one\nline, \"\"two\"\"\",2026-11-10 12:00:00,+32475123401\n",
        b"name,time,called\nAndr\xe9,2026-11-10 12:00:00,+32475123401\n",
        b"time,called\n 2026-11-10 12:00:00 , +32 475 12 34 01 \n",
        b"date,time,called\n2026-11-10,12:00:00,0032475123401\n",
        b"start,date,called\n1794312000,2026-11-10,+32475123401\n",
        b"time,called\n1794312000000,+32475123401\n",
    ];
    for table in tables {
        let text = String::from_utf8_lossy(table);
        assert_eq!(reads(table, &Mapping::default()), fine, "{text}");
    }
    let bare = Mapping {
        called: Some(Column::new("2")),
        time: Some(Column::new("1")),
        heading: false,
        ..Mapping::default()
    };
    let table = format!("2026-11-10 12:00:00,{NUMBER}\n");
    assert_eq!(reads(table.as_bytes(), &bare), fine);
    let national = Mapping {
        notation: Region::parse("BE").ok().into(),
        times: TimeRules {
            zone: read_zone("+01:00"),
            order: None,
        },
        delimiter: Some(b':'),
        ..Mapping::default()
    };
    let table = "time:called\n\"2026-11-10 13:00:00\":0475 12 34 01\n";
    assert_eq!(reads(table.as_bytes(), &national), fine);
}

#[test]
fn a_row_that_cannot_be_read_says_why_and_stays() {
    let table = b"time,called,agency,seller\n\
        2026-11-10 12:00:00,+32475123401,Ring,\n\
        yesterday,+32475123401,Ring,telco\n\
        2026-11-10 12:00:00,+32475123401,Ring Ring SA,telco\n\
        2026-11-10 12:00:00,+32475123401,ring,Telco NV\n\
        2026-11-10 12:00:00,+32475123401,ring,all\n\
        2026-11-10 12:00:00,anonymous,ring,telco\n\
        2026-11-10 12:00:00,0475123401,ring,telco\n\
        2026-11-10 12:00:00,,ring,telco\n\
        2026-11-10 12:00:00,+32475123401,ring\n\
        2026-11-10 12:00:00,+32475123401,ring,telco,more\n\
        2026-11-10 12:00:00,+32475\xff,ring,telco\n";
    let rows = read_calls(table, &Mapping::default()).unwrap();
    let said: Vec<_> = rows
        .iter()
        .map(|row| {
            let agency = row.agency.as_ref().map_or("-", AgencyId::as_str);
            (row.call.as_ref().err().copied(), agency)
        })
        .collect();
    assert_eq!(
        said,
        [
            (None, "ring"),
            (Some(Unreadable::Time), "ring"),
            (Some(Unreadable::Agency), "-"),
            (Some(Unreadable::Seller), "ring"),
            (Some(Unreadable::Seller), "ring"),
            (Some(Unreadable::Number(PhoneError::Letters)), "ring"),
            (Some(Unreadable::Number(PhoneError::NeedsRegion)), "ring"),
            (Some(Unreadable::Number(PhoneError::Empty)), "ring"),
            (Some(Unreadable::Columns), "-"),
            (Some(Unreadable::Columns), "-"),
            // Those bytes are letters in Windows-1252.
            (Some(Unreadable::Number(PhoneError::Letters)), "ring"),
        ]
    );
    let defaults = Mapping {
        default_agency: agency("ring"),
        default_seller: seller("telco"),
        ..Mapping::default()
    };
    let table = b"time,called,company\n2026-11-10 12:00:00,+32475123401,\n";
    let row = read_calls(table, &defaults).unwrap().remove(0);
    assert_eq!(row.agency, agency("ring"));
    let call = row.call.unwrap();
    assert_eq!(
        (call.agency, call.seller),
        (agency("ring"), seller("telco"))
    );
}

#[test]
fn records_that_cannot_be_understood_are_refused_as_a_whole() {
    let default = Mapping::default();
    for nothing in ["", "\n\n\r\n", "\u{feff}"] {
        let refused = read_calls(nothing.as_bytes(), &default);
        assert!(matches!(refused, Err(CallsError::Empty)), "{nothing:?}");
    }
    let no_heading = format!("2026-11-10 12:00:00,{NUMBER}\n");
    let refused = read_calls(no_heading.as_bytes(), &default);
    assert!(matches!(refused, Err(CallsError::MissingColumn("time"))));
    let refused = read_calls(b"time,callee\n", &default);
    let Err(error @ CallsError::MissingColumn("called")) = refused else {
        panic!("{refused:?}");
    };
    assert!(!error.to_string().contains("callee"), "{error}");
}

#[test]
fn a_quotation_mark_that_is_never_closed_does_not_fill_the_memory() {
    let mut table = b"time,called\n2026-11-10 12:00:00,+32475123401\n\"".to_vec();
    table.resize(4 << 20, b'x');
    let refused = read_calls(&table, &Mapping::default());
    assert!(
        matches!(refused, Err(CallsError::Rows(RowsError::Endless(3)))),
        "{refused:?}"
    );
    let mut long = b"note,time,called\n".to_vec();
    long.resize(LONGEST_ROW / 2, b'x');
    long.extend_from_slice(b",2026-11-10 12:00:00,+32475123401\n");
    let twice = [&long[..], &long[17..], &long[17..], &long[17..]].concat();
    let rows = read_calls(&twice, &Mapping::default()).unwrap();
    assert!(rows.len() == 4 && rows.iter().all(|row| row.call.is_ok()));
}

/// Matches records with a log of two checks and one registration.
fn matched(records: &[u8], mapping: &Mapping, format: Format) -> (String, Report) {
    let mut log = Log::new();
    let telco = ("ring", "telco", "voice");
    log.add((Op::Check, CLEAR), 1, telco, moment("2026-11-10T11:00:00Z"));
    log.add(
        (Op::Check, SUPPRESS),
        2,
        telco,
        moment("2026-11-10T11:00:00Z"),
    );
    log.add(
        (Op::Register, None),
        2,
        ("", "all", ""),
        moment("2026-10-01T00:00:00Z"),
    );
    let segments = log.segments(2);
    let mut matcher = Matcher::new(&segments[..], log.keys.clone(), options()).unwrap();
    let mut out = Vec::new();
    let report = match_calls(records, mapping, &mut matcher, &mut out, format).unwrap();
    let text = match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    };
    (text, report)
}

#[test]
fn what_came_is_given_back_in_order_with_what_was_found() {
    let records = b"\xef\xbb\xbfname;time;called;agency\r\n\
        Andr\xe9;2026-11-10 12:00:00;+32475123401;\r\n\
        \"=1+1; \"\"x\"\"\";2026-11-10 12:00:00;+32475123402;bell\r\n\
        ;2026-11-10 12:00:00;+32475123402;RING\r\n\
        ;2026-11-10 12:00:00;12;ring\r\n\
        short;2026-11-10 12:00:00\r\n";
    let (text, report) = matched(records, &Mapping::default(), Format::Csv);
    let text = text.replace("\u{ef}\u{bb}\u{bf}", "");
    let ids: Vec<_> = text.split(';').filter(|cell| cell.len() == 36).collect();
    let [clear, registered, suppressed, again] = ids[..] else {
        panic!("{text}");
    };
    assert_eq!(registered, again);
    let at = "2026-11-10T11:00:00.000Z";
    assert_eq!(
        text,
        format!(
            "name;time;called;agency;finding;registered;check_id;checked_at;check_agency;\
             check_seller;registration_id;reason\n\
             Andr\u{e9};2026-11-10 12:00:00;+32475123401;;checked_clear;no;{clear};{at};ring;telco;;\n\
             \"=1+1; \"\"x\"\"\";2026-11-10 12:00:00;+32475123402;bell;never_checked;all_sellers;\
             ;;;;{registered};\n\
             ;2026-11-10 12:00:00;+32475123402;RING;checked_suppressed;all_sellers;{suppressed};{at};\
             ring;telco;{registered};\n\
             ;2026-11-10 12:00:00;12;ring;invalid_number;;;;;;;phone_emergency_or_short\n\
             short;2026-11-10 12:00:00;;;unreadable_row;;;;;;;column_count\n"
        )
    );
    let summary = &report.summary;
    let agencies: Vec<_> = summary
        .agencies()
        .map(|(name, tally)| (name, tally.calls()))
        .collect();
    assert_eq!(agencies, [("-", 1), ("bell", 1), ("ring", 3)]);
    let total = summary.total();
    assert_eq!(total.calls(), 5);
    assert!(
        Finding::ALL
            .iter()
            .filter(|finding| !matches!(finding, Finding::CheckExpired | Finding::NotCovered))
            .all(|finding| total.found(*finding) == 1)
    );
    assert_eq!(total.registered(Registered::AllSellers), 2);
    let both = total.both(Finding::NeverChecked, Some(Registered::AllSellers));
    assert_eq!((both, total.both(Finding::InvalidNumber, None)), (1, 1));
}

#[test]
fn as_json_every_call_is_one_object_a_line() {
    let records = b"Name,time,called\nAndr\xe9,2026-11-10 12:00:00,+32475123401\nx,y\n";
    let (text, _) = matched(records, &Mapping::default(), Format::Ndjson);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["call"]["Name"], "Andr\u{e9}");
    assert_eq!(lines[0]["finding"], "checked_clear");
    assert_eq!(lines[0]["check_seller"], "telco");
    assert!(lines[0].get("registration_id").is_none());
    assert_eq!(lines[1]["call"], serde_json::json!(["x", "y"]));
    assert_eq!(lines[1]["reason"], "column_count");
    let twice = b"a,a,time,called\n1,2,2026-11-10 12:00:00,+32475123401\n";
    let (text, _) = matched(twice, &Mapping::default(), Format::Ndjson);
    assert!(
        text.contains(r#"["1","2","2026-11-10 12:00:00","+32475123401"]"#),
        "{text}"
    );
}

#[test]
fn a_summary_stays_small_whatever_stands_in_place_of_an_agency() {
    let mut records = String::from("time,called,agency\n");
    for n in 0..10_050 {
        records += &format!("2026-11-10 12:00:00,{NUMBER},a{n}\n");
    }
    let (_, report) = matched(records.as_bytes(), &Mapping::default(), Format::Csv);
    assert_eq!(report.summary.agencies().count(), 10_001);
    let others = report.summary.agencies().find(|(name, _)| *name == OTHERS);
    assert_eq!(others.unwrap().1.calls(), 50);
    assert_eq!(report.summary.total().calls(), 10_050);
}

#[test]
fn a_damaged_index_ends_the_matching_and_gives_no_findings() {
    let mut log = Log::new();
    let how = ("ring", "telco", "voice");
    log.add((Op::Check, CLEAR), 1, how, moment("2026-11-10T11:00:00Z"));
    let mut builder = SegmentBuilder::new();
    builder.add(0, &log.entries[0]).unwrap();
    let mut bytes = builder.finish();
    // The last byte of the only row, in front of the only id.
    let last = bytes.len() - 19;
    bytes[last] ^= 1;
    let segments = [Segment::open(bytes).unwrap()];
    let mut matcher = Matcher::new(&segments[..], log.keys.clone(), options()).unwrap();
    let records = format!("time,called\n2026-11-10 12:00:00,{NUMBER}\n");
    let mut out = Vec::new();
    let mapping = Mapping::default();
    let ended = match_calls(
        records.as_bytes(),
        &mapping,
        &mut matcher,
        &mut out,
        Format::Ndjson,
    );
    assert!(matches!(ended, Err(MatchError::Index(_))), "{ended:?}");
    assert!(out.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_and_no_row_is_lost(
        bytes in proptest::collection::vec(
            prop_oneof![
                prop::sample::select(b"\",;|\t\r\n\\019:.-+TZ \xef\xbb\xbf".to_vec()),
                any::<u8>(),
            ],
            0..200,
        ),
        heading: bool,
        delimiter in prop::option::of(prop::sample::select(b",;|\t".to_vec())),
    ) {
        let mapping = Mapping {
            called: Some(Column::new("1")),
            time: Some(Column::new("2")),
            heading,
            delimiter,
            ..Mapping::default()
        };
        // With quotation marks, and in UTF-16, other rules hold; they are tested where they are.
        if let Ok(rows) = read_calls(&bytes, &mapping)
            && !bytes.contains(&b'"')
            && crate::table::is_text(&bytes)
        {
            let shape = CallReader::new(&bytes[..], &mapping).unwrap().shape().clone();
            let mut plain = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(shape.delimiter)
                .from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
            let records = plain.byte_records().map(Result::unwrap);
            let records: Vec<ByteRecord> = records
                .filter(|row| {
                    let blank = shape.delimiter == b'\t' || row.len() == 1;
                    !(blank && crate::table::is_empty(row.as_slice()))
                })
                .collect();
            let columns: Vec<_> = rows.into_iter().map(|row| row.columns).collect();
            prop_assert_eq!(columns, records.into_iter().skip(usize::from(heading)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_written_reads_as_what_came(
        rows in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(1_u8.., 0..6), 3), 1..8,
        ),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let records = writer.into_inner().unwrap();
        prop_assume!(crate::table::is_text(&records));
        let mapping = Mapping {
            called: Some(Column::new("1")),
            time: Some(Column::new("2")),
            heading: false,
            delimiter: Some(b','),
            ..Mapping::default()
        };
        let mut matcher =
            Matcher::new(&[] as &[Segment], Vec::new(), options()).unwrap();
        let mut out = Vec::new();
        let matched = match_calls(&records[..], &mapping, &mut matcher, &mut out, Format::Csv);
        // Chance may write the beginning of a spreadsheet, too, or a mark of UTF-16.
        prop_assume!(!matches!(matched, Err(MatchError::Calls(CallsError::Rows(_)))));
        matched.unwrap();
        let mut again = csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
        // A mark at the very beginning is one of the file, not of the first column.
        let marked = records.starts_with(b"\xef\xbb\xbf");
        let again: Vec<ByteRecord> = again.byte_records().map(Result::unwrap).collect();
        prop_assert_eq!(again.len(), rows.len());
        for (again, row) in again.iter().zip(&rows).skip(usize::from(marked)) {
            prop_assert_eq!(again.iter().take(3).collect::<Vec<_>>(), row.iter().collect::<Vec<_>>());
            prop_assert_eq!(again.len(), 3 + ADDED.len());
        }
    }
}
