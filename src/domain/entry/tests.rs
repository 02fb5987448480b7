use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::write::write_json_string;
use super::*;
use crate::domain::{Channel, Reason, SellerId};

fn entry(campaign: &str) -> Entry {
    let at = Moment::from_millis(1_795_000_000_123);
    Entry {
        id: EntryId::new(at, [7; 10]),
        time: at,
        context: Arc::new(Context {
            op: Op::Check,
            agency: Some(AgencyId::parse("quick-calls").unwrap()),
            seller: Some(SellerRef::One(SellerId::parse("telco").unwrap())),
            key: Some(KeyId::parse("abcdefgh12").unwrap()),
            campaign: Campaign::parse(campaign).ok(),
            channels: Some(Channel::Voice.into()),
            detail: None,
        }),
        pn: Some(Pseudonym([0xab; 16])),
        answer: Some(Answer::Suppress(Reason::AllSellers)),
        salt: Salt([1; 16]),
        writer: [2; 8],
        writer_seq: 9,
        client_seq: Some(4),
    }
}

fn json(entry: &Entry) -> String {
    let mut out = Vec::new();
    entry.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

/// Any text, with those that a detail or an answer uses among them.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z\"\\\\\u{0}-\u{1f}\u{7f}é]{0,8}",
        "all_sellers|this_seller|month_key|key_created|key_revoked|started|opened|log_key|pruned|washed",
    ]
}

fn any_detail() -> impl Strategy<Value = Detail> {
    let key = || "[a-z0-9]{10}".prop_map(|text| KeyId::parse(&text).unwrap());
    prop_oneof![
        (words(), any::<[u8; 32]>())
            .prop_map(|(month, commitment)| Detail::MonthKey { month, commitment }),
        (key(), words()).prop_map(|(subject, role)| Detail::KeyCreated { subject, role }),
        key().prop_map(|subject| Detail::KeyRevoked { subject }),
        words().prop_map(|version| Detail::Started { version }),
        words().prop_map(|what| Detail::Incident { what }),
        words().prop_map(|month| Detail::Opened { month }),
        (words(), words()).prop_map(|(month, note)| Detail::MonthReleased { month, note }),
        any::<[u8; 32]>().prop_map(|public_key| Detail::LogKey { public_key }),
        any::<[u8; 32]>().prop_map(|public_key| Detail::LogKeyRetired { public_key }),
        (words(), any::<u64>()).prop_map(|(log, entries)| Detail::Pruned { log, entries }),
        any::<[u8; 32]>().prop_map(|records| Detail::Matched { records }),
        (any::<bool>(), words(), any::<[u8; 32]>()).prop_map(|(removal, note, file)| {
            Detail::ImportBegun {
                removal,
                note,
                file,
            }
        }),
        (any::<bool>(), words(), any::<[u8; 32]>(), any::<[u64; 3]>(),).prop_map(
            |(removal, note, file, [numbers, changed, rejected])| {
                Detail::ImportFinished {
                    removal,
                    note,
                    file,
                    numbers,
                    changed,
                    rejected,
                }
            }
        ),
        (
            any::<[u8; 16]>(),
            any::<[u8; 32]>(),
            any::<[u64; 6]>(),
            any_end()
        )
            .prop_map(|(wash, input, counts, end)| Detail::Washed(washed(
                wash, input, counts, end
            ))),
        words().prop_map(|note| Detail::OnBehalf { note }),
        (
            any::<[u8; 16]>(),
            prop::sample::select(Finding::ALL.to_vec()),
            any_moment(),
            any_moment()
        )
            .prop_map(
                |(report, finding, called_from, called_to)| Detail::Reported {
                    report,
                    finding,
                    called_from,
                    called_to,
                }
            ),
        any::<[u8; 16]>().prop_map(|report| Detail::ReportAnswered { report }),
    ]
}

fn any_moment() -> impl Strategy<Value = Moment> {
    (0..4_000_000_000_000_i64).prop_map(Moment::from_millis)
}

fn any_end() -> impl Strategy<Value = WashEnd> {
    prop::sample::select(vec![
        WashEnd::Complete,
        WashEnd::ClientGone,
        WashEnd::Unavailable,
    ])
}

fn washed(wash: [u8; 16], input: [u8; 32], counts: [u64; 6], end: WashEnd) -> Washed {
    let [bytes, rows, suppress, not_listed, invalid, handed_over] = counts;
    Washed {
        wash,
        input,
        bytes,
        rows,
        suppress,
        not_listed,
        invalid,
        handed_over,
        end,
    }
}

fn any_op() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![
        Op::Check,
        Op::Register,
        Op::Withdraw,
        Op::Opening,
        Op::Key,
        Op::Incident,
        Op::Start,
        Op::Prune,
        Op::Import,
        Op::Wash,
        Op::Report,
    ])
}

prop_compose! {
    fn any_context()(
        op in any_op(),
        agency in option::of("[a-z0-9][a-z0-9-]{0,12}"),
        seller in option::of("all|[a-z0-9][a-z0-9-]{0,12}"),
        key in option::of("[a-z0-9]{10}"),
        campaign in option::of("[^;\\pC\\pN]{1,20}"),
        channels in option::of(1_u8..=3),
        detail in option::of(any_detail()),
    ) -> Context {
        Context {
            op,
            agency: agency.map(|text| AgencyId::parse(&text).unwrap()),
            seller: seller.map(|text| SellerRef::parse(&text).unwrap()),
            key: key.map(|text| KeyId::parse(&text).unwrap()),
            campaign: campaign.map(|text| Campaign::parse(&text).unwrap()),
            channels: channels.and_then(Channels::from_bits),
            detail,
        }
    }
}

fn any_answer(detail: bool) -> impl Strategy<Value = Option<Answer>> {
    let mut answers = vec![None, Some(Answer::NotListed), Some(Answer::Invalid)];
    if !detail {
        answers.push(Some(Answer::Suppress(Reason::AllSellers)));
        answers.push(Some(Answer::Suppress(Reason::ThisSeller)));
    }
    prop::sample::select(answers)
}

prop_compose! {
    /// Any entry that can be written so that everything in it is seen.
    pub(crate) fn any_entry()(context in any_context())(
        answer in any_answer(context.detail.is_some()),
        context in Just(context),
        id in any::<[u8; 16]>(),
        millis in 0..=Moment::MAX.millis(),
        pn in option::of(any::<[u8; 16]>()),
        salt in any::<[u8; 16]>(),
        writer in any::<[u8; 8]>(),
        writer_seq in any::<u64>(),
        client_seq in option::of(any::<u64>()),
    ) -> Entry {
        Entry {
            id: EntryId::from_bytes(id),
            time: Moment::from_millis(millis),
            context: Arc::new(context),
            pn: pn.map(Pseudonym),
            answer,
            salt: Salt(salt),
            writer,
            writer_seq,
            client_seq,
        }
    }
}

#[test]
fn an_entry_reads_like_a_sentence_for_regulators() {
    assert_eq!(
        json(&entry("winter")),
        concat!(
            r#"{"agency":"quick-calls","answer":"suppress","campaign":"winter","#,
            r#""channel":"voice","client_seq":4,"id":"01a1ee56-5e7b-7707-8707-070707070707","#,
            r#""key":"abcdefgh12","op":"check","pn":"abababababababababababababababab","#,
            r#""reason":"all_sellers","salt":"01010101010101010101010101010101","#,
            r#""seller":"telco","time":"2026-11-18T11:06:40.123Z","v":1,"#,
            r#""writer":"0202020202020202","writer_seq":9}"#
        )
    );
}

#[test]
fn the_columns_are_in_canonical_order_and_know_every_detail() {
    assert!(Entry::FIELDS.is_sorted());
    let commitment = Detail::MonthKey {
        month: "2026-11".into(),
        commitment: [0; 32],
    };
    assert!(commitment.field("month").is_some() && commitment.field("role").is_none());
}

#[test]
fn an_id_gives_its_bytes_and_its_time_back() {
    let id = entry("winter").id;
    assert_eq!(EntryId::from_bytes(*id.as_bytes()), id);
    assert_eq!(id.millis(), 1_795_000_000_123);
    assert_eq!(id.as_bytes()[..6], [0x01, 0xa1, 0xee, 0x56, 0x5e, 0x7b]);
}

#[test]
fn an_opening_without_a_detail_as_older_logs_have_it_is_read() {
    let old = concat!(
        r#"{"id":"01a1ee56-5e7b-7707-8707-070707070707","key":"abcdefgh12","op":"opening","#,
        r#""pn":"abababababababababababababababab","salt":"01010101010101010101010101010101","#,
        r#""time":"2026-11-18T11:06:40.123Z","v":1,"writer":"0202020202020202","writer_seq":9}"#
    );
    let read = Entry::read_json(old.as_bytes()).unwrap();
    assert_eq!(
        (read.context.op, &read.context.detail),
        (Op::Opening, &None)
    );
    assert_eq!(json(&read), old);
}

#[test]
fn other_spellings_of_an_entry_are_refused() {
    let good = json(&entry("été"));
    assert!(Entry::read_json(good.as_bytes()).is_ok());
    let others = [
        ("{\"agency", "{ \"agency"),
        ("9}", "9} "),
        ("9}", "9}\n"),
        ("{\"", "\u{feff}{\""),
        (":4,", ": 4,"),
        (":4,", ":04,"),
        (":4,", ":4.0,"),
        (":4,", ":4e0,"),
        (":4,", ":-4,"),
        (":4,", ":,"),
        (":4,", ":18446744073709551616,"),
        (":4,", ":\"4\","),
        ("\"v\":1", "\"v\":2"),
        ("quick-calls", "\\u0071uick-calls"),
        ("été", "\\u00e9t\\u00e9"),
        ("été", "a\\/b"),
        ("été", "a\\u0041b"),
        ("été", "a\tb"),
        ("abab", "ABAB"),
        ("01a1ee56", "01A1EE56"),
        ("01a1ee56-5e7b", "01a1ee565e7b-"),
        ("40.123Z", "40.1230Z"),
        ("40.123Z", "40Z"),
        ("06:40.123Z", "06:60.123Z"),
        ("11:06:40.123Z", "12:06:40.123+01:00"),
        ("2026-11-18", "2026-11-31"),
        ("\"voice\"", "\"text,voice\""),
        ("\"suppress\"", "\"not_listed\",\"answer\":\"suppress\""),
        ("\"all_sellers\"", "\"other_sellers\""),
        ("\"reason\":\"all_sellers\",", ""),
        ("\"suppress\"", "\"no\""),
        ("\"op\":\"check\"", "\"op\":\"look\""),
        ("\"op\":\"check\",", ""),
        ("\"salt\":\"01010101010101010101010101010101\",", ""),
        ("\"pn\":\"abab", "\"pn\":\"ab"),
        ("\"telco\"", "\"Telco\""),
        ("\"telco\"", "null"),
        ("\"telco\"", "\"telco"),
        ("\"op\":", "\"month\":\"2026-11\",\"op\":"),
        ("\"time\":", "\"unknown\":1,\"time\":"),
        ("\"v\":1,", "\"v\":1,\"v\":1,"),
        (",\"writer_seq\":9", ""),
        (
            "\"v\":1,\"writer\":\"0202020202020202\"",
            "\"writer\":\"0202020202020202\",\"v\":1",
        ),
    ];
    for (from, to) in others {
        let other = good.replacen(from, to, 1);
        assert_ne!(other, good, "{from}");
        assert!(Entry::read_json(other.as_bytes()).is_err(), "{other}");
    }
    for other in ["", "{", "{}", "null", "[]", "{\"v\":1}"] {
        assert!(Entry::read_json(other.as_bytes()).is_err(), "{other}");
    }
    for end in 0..good.len() {
        assert!(Entry::read_json(&good.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_reader_shares_the_contexts_of_neighbours() {
    let mut reader = EntryReader::default();
    let mut read = |campaign: &str| {
        let read = reader.read(json(&entry(campaign)).as_bytes()).unwrap();
        assert_eq!(read, entry(campaign));
        read.context
    };
    let first = read("a");
    assert!(!Arc::ptr_eq(&first, &read("b")));
    assert!(Arc::ptr_eq(&first, &read("a")));
    for other in ["c", "d", "e", "f", "g", "h", "i"] {
        read(other);
    }
    assert!(!Arc::ptr_eq(&first, &read("a")), "forgotten by now");
}

proptest! {
    /// What another maker's canonical writer (sorted map, compact) makes of it is the same.
    #[test]
    fn canonical_form_is_what_a_sorted_compact_writer_gives(entry in any_entry()) {
        let line = json(&entry);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(serde_json::to_string(&value).unwrap(), line);
    }

    #[test]
    fn the_columns_say_what_the_canonical_form_says(entry in any_entry()) {
        let value: serde_json::Value = serde_json::from_str(&json(&entry)).unwrap();
        let mut left = value.as_object().unwrap().clone();
        for name in Entry::FIELDS {
            let column = entry.field(name).map(|value| match value {
                Value::Text(text) => serde_json::Value::from(text),
                Value::Integer(number) => number.into(),
            });
            prop_assert_eq!(column, left.remove(name));
        }
        prop_assert!(left.is_empty());
    }

    #[test]
    fn an_entry_is_read_back_as_it_was_written(entries in vec(any_entry(), 1..4)) {
        let mut reader = EntryReader::default();
        for entry in entries {
            let line = json(&entry);
            prop_assert_eq!(&Entry::read_json(line.as_bytes()).unwrap(), &entry);
            prop_assert_eq!(reader.read(line.as_bytes()).unwrap(), entry);
        }
    }

    #[test]
    fn what_is_accepted_is_written_again_byte_by_byte(
        entry in any_entry(), place: prop::sample::Index, byte: u8, how in 0..3,
    ) {
        let mut line = json(&entry).into_bytes();
        let place = place.index(line.len());
        match how {
            0 => line[place] = byte,
            1 => drop(line.remove(place)),
            _ => line.insert(place, byte),
        }
        if let Ok(read) = Entry::read_json(&line) {
            prop_assert_eq!(json(&read).into_bytes(), line);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Entry::read_json(&bytes).is_err());
    }

    #[test]
    fn any_text_is_escaped_as_json_wants_it(text in any::<String>()) {
        let mut out = Vec::new();
        write_json_string(&text, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
    }
}
