//! Call-detail records (RFC 4180, and what switches make of it): no row is lost or changed. The
//! rows that are read, written again with every column between quotation marks, are read as the
//! same rows.

#![no_main]

use csv::{QuoteStyle, WriterBuilder};
use libfuzzer_sys::fuzz_target;
use metrust::domain::{Moment, Region};
use metrust::service::matching::{
    CallReader, Column, Mapping, Unreadable, read_calls,
};

/// The first byte chooses how the rest is to be understood.
fn mapping(choice: u8) -> Mapping {
    let mut mapping = Mapping::default();
    if choice & 1 == 1 {
        mapping.heading = false;
        mapping.time = Some(Column::new("1"));
        mapping.called = Some(Column::new("2"));
    }
    if choice & 2 == 2 {
        mapping.notation = Region::parse("BE").ok().into();
    }
    if choice & 4 == 4 {
        mapping.times.zone = metrust::table::read_zone("-05:30");
    }
    mapping
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, records)) = data.split_first() else {
        return;
    };
    let mut mapping = mapping(*choice);
    let Ok(rows) = read_calls(records, &mapping) else {
        return;
    };
    let reader = CallReader::new(records, &mapping).expect("it was read before");
    let shape = reader.shape();

    let mut again = Vec::new();
    if shape.marked {
        again.extend(b"\xef\xbb\xbf");
    }
    let mut writer = WriterBuilder::new()
        .delimiter(shape.delimiter)
        .quote_style(QuoteStyle::Always)
        .flexible(true)
        .from_writer(&mut again);
    let columns = shape
        .heading
        .iter()
        .chain(rows.iter().map(|row| &row.columns));
    for columns in columns {
        writer.write_byte_record(columns).expect("it is in memory");
    }
    drop(writer);
    mapping.delimiter = Some(shape.delimiter);
    let read = read_calls(&again, &mapping).expect("the same rows");
    assert_eq!(read, rows);

    for row in rows {
        let strange = row.columns.len() != shape.columns;
        assert_eq!(strange, row.call == Err(Unreadable::Columns));
        if let Ok(call) = row.call {
            assert!((0..=Moment::MAX.millis()).contains(&call.time.millis()));
        }
    }
});
