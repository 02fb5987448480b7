//! Spreadsheets as people have them: the command line reads them as any list, and answers a workbook
//! with a workbook.

use std::fs;
use std::io::Cursor;

use calamine::Reader;
use rust_xlsxwriter::Workbook;
use serde_json::json;

use super::{import, listed, rejected, status, wash};
use crate::harness::process::run;
use crate::harness::service::metrust;
use crate::harness::{World, number, on_every_store};

/// A workbook with a list on its second sheet, the way an office makes one.
pub(super) fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Read me").unwrap();
    let sheet = book.add_worksheet();
    sheet.set_name("Leads").unwrap();
    for (column, name) in ["name", "phone", "since"].into_iter().enumerate() {
        sheet.write_string(0, column as u16, name).unwrap();
    }
    let digits = number(1)[1..].parse::<f64>().unwrap();
    sheet.write_string(1, 0, "=An").unwrap();
    sheet.write_number(1, 1, digits).unwrap();
    sheet.write_string(2, 0, "Bo\nof the corner").unwrap();
    sheet.write_string(2, 1, number(2)).unwrap();
    // Row 4 is empty, and row 5 has no number.
    sheet.write_string(4, 0, "Cy").unwrap();
    sheet.write_string(4, 1, "unknown").unwrap();
    book.save_to_buffer().unwrap()
}

/// An .ods file with one number.
pub(super) fn open_document() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let cell = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let row = |text: &str| format!("<table:table-row>{}</table:table-row>", cell(text));
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content \
         xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" office:version=\"1.2\">\
         <office:body><office:spreadsheet><table:table table:name=\"L\">{}{}</table:table>\
         </office:spreadsheet></office:body></office:document-content>",
        row("telefoon"),
        row(&number(3)),
    );
    let manifest = "<?xml version=\"1.0\"?><manifest:manifest \
        xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>";
    for (name, text) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", manifest),
        ("content.xml", &content),
    ] {
        zip.start_file(name, stored).unwrap();
        std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

on_every_store! {
    fn a_workbook_is_washed_into_a_workbook_that_opens(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(1)], json!("all"));
        let file = world.scratch("leads.xlsx");
        fs::write(&file, workbook()).unwrap();
        let command = |more: &[&str]| {
            let mut command = metrust();
            command.arg("wash").arg(&file).args(["--seller", "telco", "--sheet", "Leads"]).args(more);
            command.args(["--region", "BE"]);
            command.env("METRUST_URL", world.service.url()).env("METRUST_KEY", dialler.key());
            run(&mut command)
        };
        let washed = command(&[]);
        status(&washed, 0);
        let answered = fs::read(world.scratch("leads.washed.xlsx")).unwrap();
        let mut book = calamine::Xlsx::new(Cursor::new(answered)).unwrap();
        let sheet = book.worksheet_range("Sheet1").unwrap();
        let rows: Vec<Vec<String>> = sheet.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(rows[0], ["name", "phone", "since", "answer", "reason", "valid_until"]);
        assert_eq!(rows[1][..5], ["=An", &number(1)[1..], "", "suppress", "all_sellers"]);
        assert_eq!(rows[2][..4], ["Bo of the corner", &number(2), "", "not_listed"]);
        assert_eq!(rows[3][..5], ["Cy", "unknown", "", "invalid", "phone_letters"]);
        assert!(book.worksheet_formula("Sheet1").unwrap().is_empty());
        assert!(!world.scratch("leads.washed.xlsx.partial").exists());
        // As text where that is asked for.
        let csv = world.scratch("washed.csv");
        status(&command(&["--output", csv.to_str().unwrap()]), 0);
        let csv = fs::read_to_string(csv).unwrap();
        assert!(csv.starts_with("name,phone,since,answer,"), "{csv}");
        let unknown = command(&["--sheet", "Nobody"]);
        assert_ne!(unknown.status.code(), Some(0), "{unknown:?}");
    }

    fn spreadsheets_of_every_kind_are_imported_and_their_rows_are_told(world: &World) {
        let dialler = world.dialler();
        let brought = import(world, "leads.xlsx", workbook(), &["--sheet", "Leads", "--region", "BE"]);
        status(&brought, 1);
        assert_eq!(listed(&dialler, [1, 2, 3]), [true, true, false]);
        // By the row of the sheet.
        assert_eq!(rejected(world, "leads.xlsx"), ["5,phone_letters"]);
        status(&import(world, "list.ods", open_document(), &[]), 0);
        assert_eq!(listed(&dialler, [1, 2, 3]), [true, true, true]);
        let washed = wash(world, &dialler, "list.ods", open_document(), &[]);
        status(&washed, 0);
        assert!(washed.stderr.contains("1 rows, 1 suppress"), "{washed:?}");
        let nowhere = import(world, "other.xlsx", workbook(), &["--sheet", "Nobody"]);
        status(&nowhere, 2);
        assert!(nowhere.stderr.contains("Read me, Leads"), "{nowhere:?}");
    }
}
