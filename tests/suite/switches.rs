//! Call-detail records as telephone switches and diallers write them: the column of the number and
//! that of the time are found, and the time is read as the clock on their wall showed it.

use std::fs;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use metrust::service::matching::Finding;
use tempfile::tempdir;

use crate::harness::process::Ended;
use crate::harness::{World, number, on_every_store};

pub const BELGIUM: [&str; 4] = ["--region", "BE", "--time-zone", "Europe/Brussels"];

pub fn match_file(world: &World, records: &str, more: &[&str]) -> Ended {
    let folder = tempdir().unwrap();
    let calls = folder.path().join("calls.csv");
    fs::write(&calls, records).unwrap();
    let line = ["audit", "match", calls.to_str().unwrap(), "--output", "-"];
    world.service.cli(&[&line[..], more].concat())
}

/// The findings of records that are matched, whatever stands between the columns.
pub fn findings(ended: &Ended) -> Vec<&'static str> {
    let words = Finding::ALL.map(Finding::as_str);
    let rows = ended.stdout.lines().skip(1);
    let word = |row: &str| words.into_iter().find(|word| row.contains(word));
    rows.filter_map(word).collect()
}

/// A call to a number, as each of these writes it.
pub fn records(e164: &str, at: Timestamp) -> Vec<(&'static str, String)> {
    let local = at
        .to_zoned_datetime(TimeZone::get("Europe/Brussels").unwrap())
        .datetime();
    let form = |text: &str| local.strftime(text).to_string();
    let (iso, unix) = (form("%Y-%m-%d %H:%M:%S"), at.as_second());
    let abroad = format!("00{}", &e164[1..]);
    let national = format!("0{}", &e164[3..]);
    let digits = &e164[1..];
    vec![
        (
            "Asterisk",
            format!(
                "calldate,clid,src,dst,dcontext,channel,disposition\n\
                 {iso},\"\"\"An\"\" <200>\",200,{national},internal,SIP/200-1,ANSWERED\n"
            ),
        ),
        (
            "FreePBX",
            format!(
                "\"calldate\";\"src\";\"dst\";\"duration\";\"cnam\"\n\"{iso}\";\"200\";\"{abroad}\";\"12\";\"An\"\n"
            ),
        ),
        (
            "FreeSWITCH",
            format!(
                "caller_id_number,destination_number,context,start_stamp,answer_stamp,duration\n\
                 \"200\",\"{national}\",\"default\",\"{iso}\",\"\",\"0\"\n"
            ),
        ),
        (
            "Cisco CUCM",
            format!(
                "\"cdrRecordType\",\"dateTimeOrigination\",\"callingPartyNumber\",\"originalCalledPartyNumber\",\"finalCalledPartyNumber\",\"duration\"\n\
                 INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),VARCHAR(50),INTEGER\n\
                 1,{unix},\"200\",\"{e164}\",\"{e164}\",12\n"
            ),
        ),
        (
            "3CX",
            format!(
                "historyid,callid,duration,time-start,time-answered,time-end,from-no,to-no,dial-no,chain\n\
                 1,c1,00:00:10,{time},{time},{time},Ext.200,{abroad},{abroad},\"Chain: Ext.200;{abroad};\"\n",
                time = form("%Y/%m/%d %H:%M:%S"),
            ),
        ),
        (
            "Kamailio",
            format!(
                "id,method,callid,sip_code,time,src_user,dst_user,dst_ouser\n\
                 1,INVITE,c,200,{iso},200,{digits},{abroad}\n"
            ),
        ),
        (
            "VICIdial",
            format!("call_date\tphone_number_dialed\tstatus\tuser\n{iso}\t{abroad}\tNI\t6666\n"),
        ),
        (
            "Twilio",
            format!(
                "Sid,From,To,Start Time,Status\nCA1,+15005550006,{e164},\"{}\",completed\n",
                at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            ),
        ),
        (
            "Genesys",
            format!(
                "conversationId,conversationStart,ani,dnis\nx,{},tel:+3220000000,{e164}\n",
                at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            ),
        ),
        (
            "a spreadsheet with the date apart",
            format!(
                "Date;Time;Called Number\r\n{};{};{national}\r\n",
                form("%Y-%m-%d"),
                form("%H:%M")
            ),
        ),
        (
            "an American spreadsheet",
            format!(
                "time,called\n\"{}\",{e164}\n",
                form("%b %d, %Y %I:%M:%S %p")
            ),
        ),
        (
            "a database that writes microseconds",
            format!("called|time\n{e164}|{}.379000 Europe/Brussels\n", iso),
        ),
        (
            "a program that counts milliseconds",
            format!("called|time\n{e164}|{}\n", at.as_millisecond()),
        ),
        (
            "a program without signs between",
            format!("called|time\n{e164}|{}\n", form("%Y%m%d%H%M%S")),
        ),
    ]
}

on_every_store! {
    fn calls_of_many_switches_are_matched_without_a_word_but_country_and_zone(world: &World) {
        world.dialler().check(&number(1), "telco").expect(200);
        // Some of them write no seconds.
        let at = Timestamp::now() + jiff::SignedDuration::from_secs(120);
        for (switch, records) in records(&number(1), at) {
            let ended = match_file(world, &records, &BELGIUM);
            assert_eq!(ended.status.code(), Some(0), "{switch}: {ended:?}");
            assert_eq!(findings(&ended), ["checked_clear"], "{switch}: {ended:?}");
            // An hour earlier nobody had asked: the hour is not lost.
            let earlier = records_an_hour_earlier(switch, at);
            let ended = match_file(world, &earlier, &BELGIUM);
            assert_ne!(findings(&ended), ["checked_clear"], "{switch}: {ended:?}");
        }
    }

    fn a_file_without_a_heading_is_read_as_the_switch_that_wrote_it(world: &World) {
        world.dialler().check(&number(1), "telco").expect(200);
        let at = Timestamp::now() + jiff::SignedDuration::from_secs(2);
        let local = at.to_zoned_datetime(TimeZone::get("Europe/Brussels").unwrap()).datetime();
        let (iso, national) = (local.strftime("%Y-%m-%d %H:%M:%S"), format!("0{}", &number(1)[3..]));
        let asterisk = format!(
            "\"\",\"200\",\"{national}\",\"internal\",\"\"\"An\"\" <200>\",\"SIP/200-1\",\"SIP/t-2\",\"Dial\",\
             \"SIP/t/{national}\",\"{iso}\",\"{iso}\",\"{iso}\",12,10,\"ANSWERED\",\"DOCUMENTATION\"\n"
        );
        let freeswitch = format!(
            "\"An\",\"200\",\"{national}\",\"default\",\"{iso}\",\"{iso}\",\"{iso}\",\"12\",\"10\",\
             \"NORMAL_CLEARING\",\"7d2\",\"\",\"200\",\"PCMA\",\"PCMA\"\n"
        );
        for (preset, records) in [("asterisk", asterisk), ("freeswitch", freeswitch)] {
            let ended = match_file(world, &records, &BELGIUM);
            assert_eq!(ended.status.code(), Some(1), "{ended:?}");
            assert!(ended.stderr.contains("preset"), "{ended:?}");
            let ended = match_file(world, &records, &[&BELGIUM[..], &["--preset", preset]].concat());
            assert_eq!(ended.status.code(), Some(0), "{ended:?}");
            assert!(ended.stdout.contains(",checked_clear,"), "{ended:?}");
            let place = if preset == "asterisk" { 10 } else { 5 };
            assert!(ended.stderr.contains(&format!("columns: called=3; time={place}\n")), "{ended:?}");
        }
        let path = "/v1/audit/match?preset=asterisk&time=1";
        world.operator().post(path, serde_json::json!({})).expect(400);
    }

    fn which_columns_were_taken_is_said(world: &World) {
        world.dialler();
        let calls = "seller,start,Größe,dst\ntelco,2026-11-30T20:27:53Z,calls,+32470000581\n";
        let ended = match_file(world, calls, &[]);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let said = "columns: called=4 (dst); time=2 (start); seller=1 (seller)";
        assert!(ended.stderr.contains(said), "{ended:?}");
        let named = match_file(world, calls, &["--called", "dst", "--agency", "größe"]);
        assert!(named.stderr.contains("agency=3 (Gr??e)"), "{named:?}");
    }

    fn what_a_switch_dials_before_a_number_is_left_out_where_that_is_said(world: &World) {
        world.dialler().check(&number(1), "telco").expect(200);
        let at = Timestamp::now() + jiff::SignedDuration::from_secs(2);
        let national = format!("0{}", &number(1)[3..]);
        let calls = format!("called,time\n9{national},{at}\n{national},{at}\n");
        let ended = match_file(world, &calls, &[&BELGIUM[..], &["--strip-prefix", "9"]].concat());
        assert_eq!(findings(&ended), ["checked_clear", "checked_clear"], "{ended:?}");
    }

    fn the_order_of_day_and_month_is_asked_for_and_the_zone_is_not_guessed(world: &World) {
        let calls = "called;time\n+32470000501;05/11/2026 20:22:14\n";
        let ended = match_file(world, calls, &BELGIUM);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains("row 1") && ended.stderr.contains("date_format"), "{ended:?}");
        let ended = match_file(world, calls, &[&BELGIUM[..], &["--date-format", "mdy"]].concat());
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let calls = "called,time\n+32470000581,2026-11-30 21:27:53\n";
        let ended = match_file(world, calls, &["--region", "BE"]);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains("time_without_zone (1)"), "{ended:?}");
        assert!(ended.stderr.contains("time_zone="), "{ended:?}");
        // The hour over which the clock was set forward was on no clock.
        let calls = "called,time\n+32470000581,2026-03-29 02:30:00\n+32470000581,2026-03-29 03:30:00\n";
        let ended = match_file(world, calls, &BELGIUM);
        assert_eq!(ended.status.code(), Some(4), "{ended:?}");
        assert!(ended.stdout.contains("unreadable_row,,,,,,,time_never_shown"), "{ended:?}");
    }
}

fn records_an_hour_earlier(switch: &str, at: Timestamp) -> String {
    let earlier = at - jiff::SignedDuration::from_hours(1);
    let all = records(&number(1), earlier);
    let found = all.into_iter().find(|(name, _)| *name == switch);
    found.map(|(_, records)| records).unwrap()
}
