//! Spreadsheets as programs write them, and as nobody should.

use std::io::Cursor;

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::sheet::sheet_to_table;
use super::*;

fn csv(sheet: &[u8], name: Option<&str>) -> Result<String, String> {
    let mut out = Vec::new();
    let limits = SheetLimits::SERVICE;
    let done = sheet_to_table(Cursor::new(sheet), name, b',', limits, &mut out);
    let text = String::from_utf8(out).unwrap();
    done.map(|()| text).map_err(|error| error.to_string())
}

/// Little enough to be gone beyond within a moment.
const LITTLE: SheetLimits = SheetLimits {
    texts: 1 << 20,
    unpacked: 4 << 20,
    table: 2 << 20,
};

fn service(sheet: &[u8]) -> Result<String, String> {
    let mut out = Vec::new();
    let limits = LITTLE;
    let done = workbook_to_table(Cursor::new(sheet), None, b';', limits, &mut out);
    let text = String::from_utf8(out).unwrap();
    done.map(|()| text).map_err(|error| error.to_string())
}

/// A file of such parts.
fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        zip.start_file(*name, options).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const RELATED: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook of one sheet with these rows, texts and styles.
fn workbook(rows: &str, texts: &str, styles: &str) -> Vec<u8> {
    let root = format!(
        "<Relationships><Relationship Id='r' Type='{RELATED}/officeDocument' \
         Target='/xl/workbook.xml'/></Relationships>"
    );
    let book =
        "<workbook><sheets><sheet name='L &amp; M' sheetId='1' r:id='r1'/></sheets></workbook>";
    let files = format!(
        "<Relationships><Relationship Id='r1' Type='{RELATED}/worksheet' Target='worksheets/s.xml'/>\
         <Relationship Id='r2' Type='{RELATED}/sharedStrings' Target='sharedStrings.xml'/>\
         <Relationship Id='r3' Type='{RELATED}/styles' Target='styles.xml'/></Relationships>"
    );
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    packed(&[
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", files.as_bytes()),
        ("xl/worksheets/s.xml", sheet.as_bytes()),
        (
            "xl/sharedStrings.xml",
            format!("<sst>{texts}</sst>").as_bytes(),
        ),
        (
            "xl/styles.xml",
            format!("<styleSheet>{styles}</styleSheet>").as_bytes(),
        ),
    ])
}

#[test]
fn a_sheet_is_read_as_a_list_of_numbers_needs_it() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let at = ExcelDateTime::from_ymd(2019, 5, 1).unwrap();
    sheet.write_string(1, 1, "phone").unwrap();
    sheet.write_string(1, 2, "since").unwrap();
    sheet.write_number(2, 1, 32_470_000_001_f64).unwrap();
    sheet.write_datetime_with_format(2, 2, &at, &date).unwrap();
    sheet.write_string(4, 1, "0470 00 00 02").unwrap();
    sheet.write_string(4, 3, "a \"b\",\nc").unwrap();
    sheet.write_number(5, 1, 1.5).unwrap();
    sheet
        .write_number(5, 2, 123_456_789_012_345_680_000.0)
        .unwrap();
    sheet.write_boolean(6, 1, true).unwrap();
    let more = workbook.add_worksheet().set_name("More").unwrap();
    // Two cells, as far from each other as can be.
    more.write_string(0, 0, "phone").unwrap();
    more.write_string(1_048_575, 16_383, "x").unwrap();
    let time = Format::new().set_num_format("hh:mm:ss");
    let evening = ExcelDateTime::from_hms(20, 22, 14).unwrap();
    let third = workbook.add_worksheet();
    third
        .write_datetime_with_format(0, 0, &evening, &time)
        .unwrap();
    let file = workbook.save_to_buffer().unwrap();
    assert!(is_sheet(&file) && may_be_workbook(&file));
    // The first row is as wide as the widest, so that no row has a cell too many.
    let table = "\n,phone,since,\n,32470000001,2019-05-01\n\n,0470 00 00 02,,\"a \"\"b\"\", c\"\n\
        ,1.5,1.2345678901234568e20\n,true\n";
    assert_eq!(csv(&file, None).as_deref(), Ok(table));
    let far = csv(&file, Some("More")).unwrap();
    assert_eq!(
        (far.lines().count(), far.len()),
        (1 << 20, 2 * 16_383 + 6 + (1 << 20))
    );
    assert_eq!(csv(&file, Some("Sheet3")).as_deref(), Ok("20:22:14\n"));
    let unknown = csv(&file, Some("Nobody")).unwrap_err();
    assert!(unknown.contains("Sheet1, More"), "{unknown}");
    for wrong in [
        &file[..file.len() / 2],
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0",
        b"",
    ] {
        assert!(csv(wrong, None).is_err());
    }
}

#[test]
fn the_first_sheet_that_is_shown_is_read_and_a_hidden_one_by_its_name() {
    let mut workbook = Workbook::new();
    let hidden = workbook.add_worksheet().set_name("Lists").unwrap();
    hidden.write_string(0, 0, "x").unwrap();
    hidden.set_hidden(true);
    let shown = workbook.add_worksheet();
    shown.write_string(0, 0, "phone").unwrap();
    shown.set_active(true);
    let file = workbook.save_to_buffer().unwrap();
    assert_eq!(csv(&file, None).as_deref(), Ok("phone\n"));
    assert_eq!(service(&file).as_deref(), Ok("phone\n"));
    assert_eq!(csv(&file, Some("Lists")).as_deref(), Ok("x\n"));
}

#[test]
fn a_number_has_the_zeros_that_the_sheet_shows_before_it() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let number = 639_981_234_f64;
    for (row, format) in [
        "General",
        "0000000000",
        "0#\" \"##\" \"##\" \"##\" \"##",
        "0.00",
        "#,##0",
    ]
    .into_iter()
    .enumerate()
    {
        let format = Format::new().set_num_format(format);
        sheet
            .write_number_with_format(row as u32, 0, number, &format)
            .unwrap();
    }
    sheet.write_string(5, 0, "0639981234").unwrap();
    let file = workbook.save_to_buffer().unwrap();
    let plain = "639981234\n";
    let table = format!("{plain}0{plain}0{plain}{plain}{plain}0{plain}");
    assert_eq!(csv(&file, None), Ok(table));
}

#[test]
fn what_other_programs_write_is_read_too() {
    let texts = "<si><t> a </t></si><si/><si><r><t xml:space='preserve'>b </t></r><r><t>c</t></r>\
        <rPh sb='0'><t>x</t></rPh></si><si><t>d&amp;&#233;_x000D__x00e9_<![CDATA[<]]></t></si>";
    let rows = "<row><c t='s'><v>0</v></c><c t='s'><v>1</v></c><c t='s'><v>2</v></c><c/>\
        <c t='s'><v>3</v></c></row><row r='3'><c r='B3' t='inlineStr'><is><t>e</t></is></c>\
        <c t='str'><f>A1</f><v>f</v></c><c t='b'><v>1</v></c><c t='e'><v>#N/A</v></c>\
        <c t='d'><v>2026-05-01</v></c></row><row><c s='1'><v>46143.5</v></c><c s='2'><v>7</v></c>\
        <c s='9'><v>8</v></c><x:c><x:v>9</x:v></x:c></row>";
    let styles = "<numFmts><numFmt numFmtId='170' formatCode='0000'/></numFmts>\
        <cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>\
        <cellXfs><xf/><xf numFmtId='22'><a/></xf><xf numFmtId='170'/></cellXfs>";
    let table =
        "a,,b c,,d&\u{e9} \u{e9}<,\n\n,e,f,true,#N/A,2026-05-01\n2026-05-01 12:00:00,0007,8,9\n";
    let around = "</sheetData><xdr:row>7</xdr:row><c r='A9'><v>1</v></c><sheetData>";
    let file = workbook(&format!("{rows}{around}"), texts, styles);
    assert_eq!(csv(&file, Some("L & M")).as_deref(), Ok(table));
    assert_eq!(service(&file).unwrap(), table.replace(',', ";"));
}

#[test]
fn what_is_wrong_in_a_workbook_is_an_error_and_no_guess() {
    let texts = "<si><t>a</t></si>";
    let cell = |cell: &str| workbook(&format!("<row>{cell}</row>"), texts, "");
    assert_eq!(
        csv(&cell("<c t='s'><v>0</v></c>"), None).as_deref(),
        Ok("a\n")
    );
    for wrong in [
        "<c t='s'><v>1</v></c>",
        "<c t='z'><v>1</v></c>",
        "<c t='n'><v>one</v></c>",
        "<c r='A0'><v>1</v></c>",
        "<c r='A1048577'><v>1</v></c>",
        "<c r='XFE1'><v>1</v></c>",
        "<c r='AAAA1'><v>1</v></c>",
        "<c r='1'><v>1</v></c>",
        "<c><v>1</v>",
        "<c t='str'><v>&unknown;</v></c>",
        "<c r='A2'><v>1</v></c><c r='A1'><v>1</v></c>",
    ] {
        let told = csv(&cell(wrong), None).unwrap_err();
        assert!(told.contains("damaged"), "{wrong}: {told}");
    }
    // One bit of a sheet.
    let rows = "<row><c><v>32470000001</v></c></row>".repeat(9);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut whole = zip::ZipArchive::new(Cursor::new(workbook(&rows, "", ""))).unwrap();
    for place in 0..whole.len() {
        let mut part = whole.by_index(place).unwrap();
        zip.start_file(part.name().unwrap(), stored).unwrap();
        std::io::copy(&mut part, &mut zip).unwrap();
    }
    let mut file = zip.finish().unwrap().into_inner();
    assert!(csv(&file, None).is_ok());
    let place = memchr::memmem::rfind(&file, b"32470000001").unwrap();
    file[place + 10] ^= 2;
    assert!(csv(&file, None).unwrap_err().contains("damaged"));
}

#[test]
fn a_workbook_that_holds_very_much_is_refused_before_it_is_in_memory() {
    let sheet = |rows: &str| workbook(rows, "", "");
    let long = "x".repeat(300 << 10);
    let deep = "<a>".repeat(100_000);
    let cells = |text: &str| format!("<row><c t='inlineStr'><is>{text}</is></c></row>");
    for (file, what) in [
        // A text that is longer than any, in one piece and in many.
        (sheet(&cells(&format!("<t>{long}</t>"))), "unpacks to more"),
        (
            sheet(&cells(&format!("<t>{}</t>", "a&lt;".repeat(1 << 16)))),
            "row 1 of the sheet",
        ),
        (sheet(&format!("<!--{long}-->")), "unpacks to more"),
        (sheet(&format!("<{long}>")), "unpacks to more"),
        (
            sheet(&"<row r='1'><c r='A1'/></row>".repeat(1 << 18)),
            "unpacks to more",
        ),
        (sheet(&deep), "damaged"),
        (workbook("", &deep, ""), "damaged"),
        (workbook("", "", &deep), "damaged"),
        (
            workbook("", &"<si/>".repeat(1 << 19), ""),
            "different texts",
        ),
        (
            workbook(
                "",
                &format!("<si><t>{}</t></si>", "abc&lt;".repeat(1 << 19)),
                "",
            ),
            "different texts",
        ),
        (
            workbook(
                "",
                "",
                &format!("<cellXfs>{}</cellXfs>", "<xf/>".repeat(70_000)),
            ),
            "damaged",
        ),
        // A row of cells that are far apart, and very many of those.
        (
            sheet(
                &(1..=200)
                    .map(|row| format!("<row r='{row}'><c r='XFD{row}'><v>1</v></c></row>"))
                    .collect::<String>(),
            ),
            "unpacks to more",
        ),
    ] {
        assert!(file.len() < 1 << 20);
        let told = service(&file).unwrap_err();
        assert!(told.contains(what), "{what}: {told}");
    }
    // What it says of itself does not count.
    let told = "<sst uniqueCount='99999999999999' count='99999999999999'/><si><t>a</t></si>";
    let rows = "<dimension ref='A1:XFD1048576'/><row><c t='s'><v>0</v></c></row>";
    assert_eq!(service(&workbook(rows, told, "")).as_deref(), Ok("a\n"));
    let names: Vec<String> = (0..20_000).map(|name| format!("{name:050}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, b"".as_slice())).collect();
    assert!(service(&packed(&many)).unwrap_err().contains("zip archive"));
}

#[test]
fn other_kinds_are_told_by_name() {
    for (parts, what) in [
        (
            vec![(
                "mimetype",
                b"application/vnd.oasis.opendocument.spreadsheet".as_slice(),
            )],
            ".ods",
        ),
        (vec![("xl/workbook.bin", b"".as_slice())], ".xlsb"),
        (
            vec![("word/document.xml", b"<a/>".as_slice())],
            "zip archive",
        ),
        (vec![("list.csv", b"phone\n".as_slice())], "zip archive"),
    ] {
        let told = service(&packed(&parts)).unwrap_err();
        assert!(told.contains(what) && told.contains("CSV"), "{told}");
    }
    let told = service(b"PK\x03\x04").unwrap_err();
    assert!(told.contains("zip archive"), "{told}");
}

#[test]
fn a_table_that_becomes_a_sheet_is_text_and_no_formula() {
    let table = "name;phone\n\"a;b\";=1+1\n;+32470000001\n";
    let mut file = Cursor::new(Vec::new());
    csv_to_sheet(table.as_bytes(), b';', &mut file).unwrap();
    let file = file.into_inner();
    let again = "name,phone\na;b,=1+1\n,+32470000001\n";
    assert_eq!(csv(&file, None).as_deref(), Ok(again));
    let mut sheets: calamine::Xlsx<_> = calamine::Reader::new(Cursor::new(file)).unwrap();
    let formulas = calamine::Reader::worksheet_formula(&mut sheets, "Sheet1").unwrap();
    assert!(formulas.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// What another reader finds in a workbook is what is found in it.
    #[test]
    fn cells_are_those_that_calamine_finds(
        cells in prop::collection::btree_map(
            (0_u32..6, 0_u16..5),
            prop_oneof![
                "[a-z0-9 &<>\"'_xé]{1,12}".prop_map(Ok),
                (0_u64..1_000_000_000_000).prop_map(Err),
            ],
            1..20,
        ),
    ) {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for ((row, column), cell) in &cells {
            match cell {
                Ok(text) => sheet.write_string(*row, *column, text).unwrap(),
                Err(number) => sheet.write_number(*row, *column, *number as f64).unwrap(),
            };
        }
        let file = workbook.save_to_buffer().unwrap();
        let found = csv(&file, None).unwrap();
        let mut book: calamine::Xlsx<_> = calamine::Reader::new(Cursor::new(&file)).unwrap();
        let range = calamine::Reader::worksheet_range(&mut book, "Sheet1").unwrap();
        let mut reader = ::csv::ReaderBuilder::new();
        let mut reader = reader.has_headers(false).flexible(true).from_reader(found.as_bytes());
        let (_, before) = range.start().unwrap();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let theirs = range.rows().filter(|row| row.iter().any(|cell| !cell.to_string().is_empty()));
        let theirs: Vec<_> = theirs.collect();
        prop_assert_eq!(rows.len(), theirs.len());
        for (ours, theirs) in rows.iter().zip(theirs) {
            for (column, cell) in theirs.iter().enumerate() {
                let ours = ours.get(before as usize + column).unwrap_or_default();
                prop_assert_eq!(ours, cell.to_string());
            }
        }
    }

    /// Whatever bytes come, there is an answer.
    #[test]
    fn any_bytes_in_a_workbook_are_a_table_or_an_error(
        rows in "(<(row|c|v|is|t|f)( (r|t|s)='[A-C0-3a-z]{1,3}')?/?>|</(row|c|v|is|t)>|[1a&;<]|&lt;){0,40}",
        texts in "(<(si|t|r)/?>|</(si|t|r)>|[a&;]){0,20}",
    ) {
        let file = workbook(&rows, &texts, "");
        let _ = csv(&file, None);
        let _ = service(&file);
    }
}

/// A compound file, as older Office programs made them, with one stream.
fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
    const SECTOR: usize = 512;
    const END: u32 = 0xffff_fffe;
    const FREE: u32 = u32::MAX;
    // A short one would lie elsewhere.
    let sectors = stream.len().max(4096).div_ceil(SECTOR);
    let mut header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    header.resize(24, 0);
    for half in [0x3e_u16, 3, 0xfffe, 9, 6] {
        header.extend(half.to_le_bytes());
    }
    header.resize(44, 0);
    for word in [1, 1, 0, 4096, END, 0, END, 0, 0] {
        header.extend(word.to_le_bytes());
    }
    header.resize(SECTOR, 0xff);
    let chain = (3..2 + sectors as u32).chain([END]);
    let mut table: Vec<u8> = [0xffff_fffd, END]
        .into_iter()
        .chain(chain)
        .flat_map(u32::to_le_bytes)
        .collect();
    assert!(table.len() <= SECTOR);
    table.resize(SECTOR, 0xff);
    let entry = |name: &str, kind: u8, child: u32, start: u32, length: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let named = entry.len() as u16 + 2;
        entry.resize(64, 0);
        entry.extend(named.to_le_bytes());
        entry.extend([kind, 1]);
        for word in [FREE, FREE, child] {
            entry.extend(word.to_le_bytes());
        }
        entry.resize(116, 0);
        for word in [start, length, 0] {
            entry.extend(word.to_le_bytes());
        }
        entry
    };
    let mut folder = entry("Root Entry", 5, 1, END, 0);
    folder.extend(entry(name, 2, FREE, 2, (sectors * SECTOR) as u32));
    folder.resize(SECTOR, 0);
    let mut stream = stream.to_vec();
    stream.resize(sectors * SECTOR, 0);
    [header, table, folder, stream].concat()
}

/// The stream of an .xls with one sheet, and records before its sheets.
fn binary_sheet(before: &[u8]) -> Vec<u8> {
    let record = |kind: u16, data: &[u8]| {
        let length = data.len() as u16;
        [&kind.to_le_bytes(), &length.to_le_bytes(), data].concat()
    };
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0]);
    let end = record(0x000a, &[]);
    let cell = |row: u8, column: u8| [row, 0, column, 0, 0, 0];
    let label = |row: u8, column: u8, text: &str| {
        let text = [&[text.len() as u8, 0, 0], text.as_bytes()].concat();
        record(0x0204, &[&cell(row, column)[..], &text].concat())
    };
    let number = |row: u8, column: u8, number: f64| {
        record(
            0x0203,
            &[&cell(row, column)[..], &number.to_le_bytes()].concat(),
        )
    };
    let name = [&[0, 0, 4, 0], b"List".as_slice()].concat();
    let globals = |at: u32| {
        let sheet = record(0x0085, &[&at.to_le_bytes()[..], &name].concat());
        [begin(5), before.to_vec(), sheet, end.clone()].concat()
    };
    let cells = [
        label(0, 0, "phone"),
        number(1, 0, 32_470_000_001.0),
        label(2, 0, "0470000002"),
    ];
    let sheet = [begin(16), cells.concat(), end.clone()].concat();
    [globals(globals(0).len() as u32), sheet].concat()
}

#[test]
fn an_older_spreadsheet_is_read_and_a_locked_one_is_told_as_locked() {
    let old = compound("Workbook", &binary_sheet(b""));
    assert_eq!(
        csv(&old, None).as_deref(),
        Ok("phone\n32470000001\n0470000002\n")
    );
    assert_eq!(csv(&old, Some("List")), csv(&old, None));
    assert!(csv(&old, Some("Other")).unwrap_err().contains("List"));
    let locked = [
        compound("Workbook", &binary_sheet(b"\x2f\0\x06\0\x01\0\x01\0\x01\0")),
        compound("EncryptedPackage", b"x"),
        packed(&[
            (
                "mimetype",
                b"application/vnd.oasis.opendocument.spreadsheet",
            ),
            (
                "META-INF/manifest.xml",
                b"<manifest:manifest><manifest:file-entry><manifest:encryption-data/>\
                  </manifest:file-entry></manifest:manifest>",
            ),
            ("content.xml", b"\x17\xa3"),
        ]),
    ];
    for file in locked {
        let told = csv(&file, None).unwrap_err();
        assert!(told.contains("locked with a password"), "{told}");
    }
    assert!(csv(&compound("WordDocument", b"x"), None).is_err());
}
