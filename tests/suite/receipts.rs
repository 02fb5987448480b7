//! A receipt: what one check left on record, and the proof that it stays there.

use metrust::log::{Checkpoint, Note, TlogProof, Verifier, leaf_hash};
use serde_json::Value;

use crate::audit::text;
use crate::harness::{Api, World, eventually, number, on_every_store, until};

/// The keys that sign the log, as everybody may read them.
pub fn verifiers(api: &Api) -> Vec<Verifier> {
    let keys = api.get("/log/vkeys").expect(200).text();
    keys.lines()
        .map(|line| Verifier::parse(line).unwrap())
        .collect()
}

/// The receipt of an entry as soon as it is sealed.
#[track_caller]
pub fn sealed(api: &Api, id: &str) -> Value {
    until(
        "the entry is sealed",
        crate::harness::wait::PATIENCE,
        || {
            let receipt = api.get(&format!("/v1/checks/{id}")).expect(200).json();
            (receipt["sealed"] == true).then_some(receipt)
        },
    )
}

/// The entry of an answer exactly as it stands there, which is what was hashed.
pub fn entry_of(answer: &str) -> String {
    let rest = answer.strip_prefix(r#"{"entry":"#).unwrap();
    let end = rest.find(r#"},"sealed":"#).unwrap();
    rest[..=end].to_owned()
}

on_every_store! {
    fn a_check_is_proved_by_whoever_holds_its_receipt_and_the_public_key(world: &mut World) {
        let dialler = world.dialler();
        let id = dialler.check(&number(1), "telco").id();
        sealed(&dialler, &id);
        let answer = dialler.get(&format!("/v1/checks/{id}")).expect(200).text();
        let receipt: Value = serde_json::from_str(&answer).unwrap();
        let entry = entry_of(&answer);
        assert_eq!(serde_json::from_str::<Value>(&entry).unwrap(), receipt["entry"]);
        assert_eq!(text(&receipt["entry"], "id"), id);
        assert_eq!(text(&receipt["entry"], "answer"), "not_listed");

        let proof = TlogProof::parse(text(&receipt, "proof")).unwrap();
        let known = verifiers(&world.anonymous());
        let checkpoint = proof.check(&leaf_hash(entry.as_bytes()), &known).unwrap();
        assert!(checkpoint.size > proof.index);
        assert_eq!(Some(proof.index), receipt["index"].as_u64());
        assert!(checkpoint.origin.ends_with(&format!("/{}", text(&receipt, "log"))));
        let other = entry.replace("not_listed", "suppress");
        assert!(proof.check(&leaf_hash(other.as_bytes()), &known).is_err());
    }

    fn before_it_is_sealed_an_entry_is_promised_and_then_it_is_there(world: &mut World) {
        let dialler = world.dialler();
        let asked = [("phone", &*number(1)), ("seller", "telco"), ("receipt", "1")];
        let answer = dialler.check_with(&asked).expect(200).json();
        let promise = Note::parse(text(&answer, "promise").as_bytes()).unwrap();
        let log = verifiers(&world.anonymous());
        let base = promise.text.lines().nth(1).unwrap();
        let key = Verifier::new(base, log[0].kind(), &log[0].public_key()).unwrap();
        assert_eq!(promise.verify(&[key]).unwrap().len(), 1);
        let says = |line: &str| promise.text.lines().any(|found| found == line);
        assert!(says("metrust promise v1") && says("agency calls") && says("seller telco"));
        assert!(says("answer not_listed") && says(&format!("entry {}", text(&answer, "id"))));
        assert!(promise.text.contains("\nsealed by 20"), "{}", promise.text);
        assert!(!promise.text.contains(&number(1)[3..]), "no number in a receipt");

        let kept = sealed(&dialler, text(&answer, "id"));
        assert!(says(&format!("pn {}", text(&kept["entry"], "pn"))));
        assert!(says(&format!("time {}", text(&kept["entry"], "time"))));
    }

    fn a_receipt_is_for_whoever_made_the_check_and_for_those_who_read_the_audit(world: &mut World) {
        let dialler = world.dialler();
        let operator = world.operator();
        operator.add_agency("others", &["telco"]);
        let id = dialler.check(&number(1), "telco").id();
        let path = format!("/v1/checks/{id}");
        for reader in [&dialler, &operator, &operator.regulator()] {
            reader.get(&path).expect(200);
        }
        let unknown = operator.dialler_of("others").get(&path).expect(404).json();
        assert_eq!(unknown["code"], "unknown_entry");
        operator.seller_key("telco").get(&path).expect(404);
        world.anonymous().get(&path).expect(401);
        for nothing in ["01a1ee56-5e7b-7707-8707-070707070707", "x", "%00"] {
            operator.get(&format!("/v1/checks/{nothing}")).expect(404);
        }
    }

    fn a_check_that_cannot_hold_a_receipt_is_refused_before_it_is_made(world: &mut World) {
        let dialler = world.dialler();
        let asked = |more: &[(&'static str, &'static str)]| {
            let phone = number(1);
            let mut all = vec![("phone", phone.as_str()), ("seller", "telco")];
            all.extend(more);
            dialler.check_with(&all)
        };
        asked(&[("receipt", "1"), ("format", "text")]).expect(400);
        asked(&[("receipt", "yes")]).expect(400);
        let plain = asked(&[("receipt", "0")]).expect(200).json();
        assert!(plain.get("promise").is_none());
        assert_eq!(world.operator().entries(&[("op", "check")]).len(), 1);
    }

    fn the_log_is_public_but_for_its_entries(world: &mut World) {
        let dialler = world.dialler();
        let id = dialler.check(&number(1), "telco").id();
        sealed(&dialler, &id);
        let public = world.anonymous();
        let signed = public.get("/log/checkpoint").expect(200);
        assert!(signed.header("content-type").starts_with("text/plain"));
        let note = Note::parse(signed.text().as_bytes()).unwrap();
        assert_eq!(note.verify(&verifiers(&public)).unwrap().len(), 1);
        let checkpoint = Checkpoint::parse(&note.text).unwrap();
        let (_, name) = checkpoint.origin.rsplit_once('/').unwrap();
        let width = checkpoint.size;
        assert!(width < 256);
        for tile in ["/log".to_owned(), format!("/log/{name}")] {
            let hashes = public.get(&format!("{tile}/tile/0/000.p/{width}")).expect(200);
            assert_eq!(hashes.body.len() as u64, 32 * width);
            assert!(hashes.header("cache-control").contains("immutable"));
            let entries = format!("{tile}/tile/entries/000.p/{width}");
            public.get(&entries).expect(401);
            dialler.get(&entries).expect(403);
            let bundle = world.operator().regulator().get(&entries).expect(200);
            assert!(!bundle.header("cache-control").contains("public"));
            let found: Vec<_> = metrust::log::tile::entries(&bundle.body).map(Result::unwrap).collect();
            assert_eq!(found.len() as u64, width);
            assert!(found.iter().any(|entry| String::from_utf8_lossy(entry).contains(&id)));
        }
        for nothing in [
            "/log/2001/checkpoint",
            "/log/../data/operator.key",
            "/log/2026/tile/0/../../../operator.key",
            "/log/%2e%2e/log.id",
            "/log/commit/00000000000000000001",
            "/log/log.id",
            "/log/tile/0/000.p/999",
            "/log/tile/9/000",
        ] {
            public.get(nothing).expect(404);
        }
        let about = public.get("/log").expect(200).text();
        assert!(about.contains(&verifiers(&public)[0].to_string()), "{about}");
    }

    fn a_new_key_signs_beside_the_old_one_until_the_overlap_ends(world: &mut World) {
        let dialler = world.dialler();
        sealed(&dialler, &dialler.check(&number(1), "telco").id());
        let public = world.anonymous();
        let old = verifiers(&public);
        let operator = world.operator();
        dialler.post("/v1/admin/log/keys", serde_json::json!({})).expect(403);
        operator.post("/v1/admin/log/keys", serde_json::json!({})).expect(200);
        let both = verifiers(&public);
        assert_eq!(both.len(), 2);
        assert_eq!(both[1], old[0], "the newest comes first");
        let signers = |known: &[Verifier]| {
            let signed = public.get("/log/checkpoint").expect(200).text();
            let note = Note::parse(signed.as_bytes()).unwrap();
            note.verify(known).map_or(0, |found| found.len())
        };
        dialler.check(&number(2), "telco");
        eventually("both sign", || signers(&both) == 2);
        assert_eq!(signers(&old), 1, "whoever knows only the old key can go on");

        operator
            .post("/v1/admin/log/keys", serde_json::json!({ "overlap_s": 0 }))
            .expect(200);
        dialler.check(&number(3), "telco");
        eventually("the old keys sign no more", || signers(&both) == 0);
        assert_eq!(signers(&verifiers(&public)), 1);
        let recorded = operator.entries(&[("op", "key")]);
        let words = |word: &str| recorded.iter().filter(|entry| entry["reason"] == word).count();
        assert_eq!((words("log_key"), words("log_key_retired")), (3, 2));
    }

    fn an_export_goes_on_behind_the_entry_that_arrived_last(world: &mut World) {
        let dialler = world.dialler();
        for n in 0..40 {
            dialler.check(&number(n), "telco");
        }
        let operator = world.operator();
        let all = operator.entries(&[]);
        for (place, entry) in all.iter().enumerate() {
            let rest = operator.entries(&[("after", text(entry, "id"))]);
            assert_eq!(rest[..], all[place + 1..], "behind entry {place}");
        }
        let id = dialler.check(&number(41), "telco").id();
        assert!(operator.entries(&[("after", &id)]).is_empty(), "not sealed yet, perhaps");
        operator.get("/v1/audit/entries?after=x").expect(400);
        operator
            .get("/v1/audit/entries?after=01a1ee56-5e7b-7707-8707-070707070707")
            .expect(404);
    }
}
