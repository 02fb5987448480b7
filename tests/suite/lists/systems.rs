//! Exports of the systems that companies, call centres and switches have: each is washed, imported
//! and, where it tells of calls, matched, with no word but country and time zone.

use encoding_rs::WINDOWS_1252;
use jiff::Timestamp;
use serde_json::json;

use super::{import, listed, national, status, wash};
use crate::harness::{World, number, on_every_store};
use crate::switches::{BELGIUM, findings, match_file, records};

/// Contacts as these systems export them, with the numbers 1 to 4: its name, and the file.
#[rustfmt::skip]
fn contacts() -> Vec<(&'static str, Vec<u8>)> {
    let [one, two, three, four] = [1, 2, 3, 4].map(number);
    let [n1, n2, n3, n4] = [1, 2, 3, 4].map(national);
    let spaced = |n: &str| format!("{} {} {} {}", &n[..4], &n[4..6], &n[6..8], &n[8..]);
    let utf16 = |text: String| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let windows = |text: String| WINDOWS_1252.encode(&text).0.into_owned();
    vec![
        ("Salesforce", format!(
            "\"Contact ID\",\"First Name\",\"Last Name\",\"Account Name\",\"Phone\",\"Mobile\",\"Do Not Call\"\r\n\
             \"0035g00000Xa1\",\"An\",\"Peeters\",\"Bakker, An\",\"{n1}\",\"{n2}\",\"0\"\r\n\
             \"0035g00000Xa2\",\"Bo\",\"Maes\",\"Maes\",\"{n3}\",\"{n4}\",\"1\"\r\n").into()),
        ("HubSpot", format!(
            "Record ID,First Name,Last Name,Phone Number,Mobile Phone Number,Create Date\n\
             101,An,Peeters,{one},{two},2026-11-02 10:22\n102,Bo,Maes,{three},{four},2026-11-03 09:00\n").into()),
        ("Google Contacts", format!(
            "First Name,Last Name,Notes,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n\
             An,Peeters,,an@example.org,Mobile,{one},Home,{n2}\nBo,Maes,\"two\nlines\",,Mobile,{n3},Home,{four}\n").into()),
        ("Outlook", format!(
            "First Name,Last Name,Company,Business Phone,Home Phone,Business Fax\r\n\
             An,Peeters,,{n1},{n2},\r\nBo,Maes,,{n3},{n4},\r\n").into()),
        ("Odoo", format!(
            "id,name,phone,mobile,country_id\n\
             __export__.res_partner_7,An,{},{},Belgium\n__export__.res_partner_8,Bo,{},{},Belgium\n",
            spaced(&n1), spaced(&n2), spaced(&n3), spaced(&n4)).into()),
        ("a German CRM", windows(format!(
            "Kundennr.;Name;Straße;PLZ;Telefon;Handy\r\n\
             4711;Müller;Gässchen 1;1000;{n1};{n2}\r\n4712;Jäger;Weg 2;1000;{n3};{n4}\r\n"))),
        ("a French CRM", windows(format!(
            "N° client;Nom;Prénom;Téléphone fixe;Téléphone portable\r\n\
             1;Lefèvre;André;{n1};{n2}\r\n2;Noël;Zoé;{n3};{n4}\r\n"))),
        ("a Dutch CRM", utf16(format!(
            "Relatienummer\tNaam\tTelefoonnummer\tMobiel\r\n7\tAn\t{n1}\t{n2}\r\n8\tBo\t{n3}\t{n4}\r\n"))),
        ("VICIdial", format!(
            "lead_id\tvendor_lead_code\tlist_id\tphone_code\tphone_number\tfirst_name\talt_phone\n\
             1\tv1\t998\t32\t{}\tAn\t{}\n2\tv2\t998\t32\t{}\tBo\t{}\n",
            &n1[1..], &n2[1..], &n3[1..], &n4[1..]).into()),
        ("Pipedrive", format!(
            "Person - Name,Person - Phone - Work,Person - Phone - Mobile,Person - Label\n\
             An,{one},{two},warm\nBo,{three},{four},\n").into()),
        ("Mailchimp", format!(
            "Email Address,First Name,Phone Number,SMS Phone Number,MEMBER_RATING\n\
             an@example.org,An,{one},{two},2\nbo@example.org,Bo,{three},{four},3\n").into()),
        ("Freshdesk", format!(
            "\"Full name\",\"Email\",\"Work phone\",\"Mobile phone\",\"Unique external ID\"\n\
             \"An\",\"an@example.org\",\"{one}\",\"{two}\",\"\"\n\"Bo\",\"\",\"{three}\",\"{four}\",\"\"\n").into()),
    ]
}

on_every_store! {
    fn exports_of_usual_systems_are_washed_and_imported_whatever_they_look_like(world: &World) {
        let dialler = world.dialler();
        dialler.register(&[&number(4)], json!("all"));
        for (place, (system, list)) in contacts().into_iter().enumerate() {
            let name = format!("contacts{place}");
            // One of the two numbers of the second row may not be called.
            let washed = wash(world, &dialler, &format!("{name}.csv"), &list, &["--region", "BE"]);
            status(&washed, 0);
            let text = washed.stdout.replace('\0', "");
            let answers = [text.matches("not_listed").count(), text.matches("suppress").count()];
            assert_eq!(answers, [1, 1], "{system}: {washed:?}");
            let ended = import(world, &name, &list, &["--region", "BE"]);
            status(&ended, 0);
            assert!(ended.stderr.contains("2 rows, 4 numbers: 4 imported"), "{system}: {ended:?}");
            assert_eq!(listed(&dialler, [1, 2, 3]), [true; 3], "{system}");
            status(&import(world, &format!("{name}-out"), &list, &["--region", "BE", "--remove", "--from-every-list"]), 0);
            assert_eq!(listed(&dialler, [1, 2, 3, 4]), [false, false, false, true], "{system}");
        }
    }

    fn records_of_usual_switches_are_washed_and_imported_too(world: &World) {
        let dialler = world.dialler();
        dialler.check(&number(1), "telco").expect(200);
        let at = Timestamp::now() + jiff::SignedDuration::from_secs(120);
        for (place, (switch, records)) in records(&number(1), at).into_iter().enumerate() {
            let name = format!("records{place}");
            let matched = match_file(world, &records, &BELGIUM);
            assert_eq!(findings(&matched), ["checked_clear"], "{switch}: {matched:?}");
            let washed = wash(world, &dialler, &format!("{name}.csv"), &records, &["--region", "BE"]);
            status(&washed, 0);
            assert_eq!(washed.stdout.matches("not_listed").count(), 1, "{switch}: {washed:?}");
            // The types of its columns, which one of them writes below their names, are no numbers.
            let ended = import(world, &name, &records, &["--region", "BE"]);
            status(&ended, i32::from(switch == "Cisco CUCM"));
            assert_eq!(listed(&dialler, [1]), [true], "{switch}");
            let out = ["--region", "BE", "--remove", "--from-every-list"];
            import(world, &format!("{name}-out"), &records, &out);
            assert_eq!(listed(&dialler, [1]), [false], "{switch}");
        }
    }
}
