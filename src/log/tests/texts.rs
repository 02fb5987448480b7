//! Notes, keys, checkpoints and proofs as texts: the specifications' examples, and what every text
//! promises (one spelling, nothing true after a change).

use std::convert::Infallible;

use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use crate::log::merkle::{Frontier, Hash, leaf_hash, root_of};
use crate::log::note::{Kind, MAX_NOTE, Note, NoteError, Signer, Verifier};
use crate::log::proof::{MAX_PROOF, ProofError, TlogProof, inclusion_proof};
use crate::log::{Checkpoint, CheckpointError};

const ORIGIN: &str = "dnc.example.org/log/2026";

fn signer() -> Signer {
    Signer::new(ORIGIN, &[7; 32]).unwrap()
}

fn checkpoint() -> Note {
    let mut tree = Frontier::new();
    (0..5u8).for_each(|entry| tree.push(leaf_hash(&[entry])));
    let text = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 5,
        root: tree.root(),
    };
    Note::sign(text.to_string(), &[&signer()]).unwrap()
}

const WITNESS: &str = "witness.example.com/w1";

fn witness() -> (SigningKey, Verifier) {
    let key = SigningKey::from_bytes(&[9; 32]);
    let public_key = key.verifying_key().to_bytes();
    let verifier = Verifier::new(WITNESS, Kind::Witness, &public_key).unwrap();
    (key, verifier)
}

/// A cosignature as a witness would make it.
fn cosignature(text: &str, time: u64) -> String {
    let (key, verifier) = witness();
    let message = format!("cosignature/v1\ntime {time}\n{text}");
    let mut bytes = verifier.key_id().to_vec();
    bytes.extend(time.to_be_bytes());
    bytes.extend(key.sign(message.as_bytes()).to_bytes());
    format!("\u{2014} {WITNESS} {}\n", BASE64.encode(&bytes))
}

fn proof() -> TlogProof {
    let mut subtree = |level: u8, index: u64| {
        let leaves: Vec<Hash> = (index << level..(index + 1) << level)
            .map(|entry| leaf_hash(&[entry as u8]))
            .collect();
        Ok::<_, Infallible>(root_of(&leaves))
    };
    let Ok(hashes) = inclusion_proof(2, 5, &mut subtree);
    TlogProof {
        extra: Some(b"an application's own".to_vec()),
        index: 2,
        hashes,
        checkpoint: checkpoint().to_string(),
    }
}

#[test]
fn a_note_of_another_program_is_verified() {
    // The example of Go's golang.org/x/mod/sumdb/note, whose keys and signatures are of this kind.
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let verifier = Verifier::parse(key).unwrap();
    assert_eq!(verifier.name(), "PeterNeumann");
    assert_eq!(verifier.kind(), Kind::Log);
    assert_eq!(verifier.to_string(), key);
    let read = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(read.to_string(), note);
    let known = [verifier];
    assert_eq!(read.verify(&known).unwrap(), [&known[0]]);
}

#[test]
fn what_a_log_signs_its_key_verifies() {
    let (signer, note) = (signer(), checkpoint());
    let known = [signer.verifier()];
    assert_eq!(note.verify(&known).unwrap(), [&known[0]]);
    assert_eq!(
        note.to_string(),
        format!("{}\n{}", note.text, signer.sign(&note.text))
    );
    let read = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(Verifier::parse(&known[0].to_string()).unwrap(), known[0]);
    assert!(!format!("{signer:?}").contains("7, 7"), "no secret in logs");
}

#[test]
fn a_cosignature_says_when_and_counts_only_with_the_witness_s_key() {
    let (_, witness) = witness();
    let mut note = checkpoint();
    assert_eq!(note.cosigned_at(&witness), None);
    let line = cosignature(&note.text, 1_679_315_147);
    note.add(&line).unwrap();
    note.add(&line).unwrap();
    assert_eq!(note.signatures.len(), 2);
    assert_eq!(note.cosigned_at(&witness), Some(1_679_315_147));
    note.add(&cosignature(&note.text, 1_700_000_000)).unwrap();
    assert_eq!(note.cosigned_at(&witness), Some(1_700_000_000));

    let known = [witness.clone(), signer().verifier()];
    assert_eq!(note.verify(&known).unwrap(), [&known[1], &known[0]]);
    assert_eq!(note.verify(&known[..1]).unwrap(), [&known[0]]);
    assert_eq!(Verifier::parse(&witness.to_string()).unwrap(), witness);

    // The same key as a log's is another key.
    let as_a_log = Verifier::new(WITNESS, Kind::Log, &witness.public_key()).unwrap();
    assert_ne!(as_a_log.key_id(), witness.key_id());
    assert_eq!(note.cosigned_at(&as_a_log), None);
    assert_eq!(note.verify(&[as_a_log]), Err(NoteError::NoKnownSignature));
}

#[test]
fn a_cosignature_with_another_time_is_wrong() {
    let (_, witness) = witness();
    let known = [witness];
    for (said, signed) in [(5, 6), (u64::MAX, u64::MAX), (1 << 63, 1 << 63)] {
        let mut note = checkpoint();
        let line = cosignature(&note.text, signed);
        let (start, base64) = line.trim_end().rsplit_once(' ').unwrap();
        let mut bytes = BASE64.decode(base64.as_bytes()).unwrap();
        bytes[4..12].copy_from_slice(&u64::to_be_bytes(said));
        note.add(&format!("{start} {}\n", BASE64.encode(&bytes)))
            .unwrap();
        assert_eq!(note.cosigned_at(&known[0]), None);
        let wrong = NoteError::WrongSignature(WITNESS.to_owned());
        assert_eq!(note.verify(&known), Err(wrong));
    }
}

#[test]
fn a_wrong_signature_of_a_known_key_refuses_the_note_and_an_unknown_one_says_nothing() {
    let other = Signer::new("other.example/log", &[8; 32]).unwrap();
    let text = "a text\n".to_owned();
    let mut note = Note::sign(text.clone(), &[&signer(), &other]).unwrap();
    let known = [other.verifier(), signer().verifier()];
    assert_eq!(note.verify(&known).unwrap(), [&known[1], &known[0]]);
    assert_eq!(note.verify(&known[..1]).unwrap(), [&known[0]]);
    assert_eq!(note.verify(&[]), Err(NoteError::NoKnownSignature));

    // Its name with another's id, and its id with another's name, are nobody's.
    let (name, id) = (note.signatures[0].name.clone(), note.signatures[0].key_id);
    note.signatures[0].name = "third.example".to_owned();
    assert_eq!(note.verify(&known).unwrap(), [&known[0]]);
    note.signatures[0].name = name;
    note.signatures[0].key_id = [0; 4];
    assert_eq!(note.verify(&known).unwrap(), [&known[0]]);

    note.signatures[0].key_id = id;
    note.signatures[0].bytes[10] ^= 1;
    let wrong = NoteError::WrongSignature(ORIGIN.to_owned());
    assert_eq!(note.verify(&known), Err(wrong));
    note.signatures[0].bytes.truncate(63);
    assert!(note.verify(&known).is_err());
}

#[test]
fn a_second_generation_of_keys_has_the_same_name_and_another_id() {
    let (old, new) = (signer(), Signer::new(ORIGIN, &[8; 32]).unwrap());
    assert_ne!(old.verifier().key_id(), new.verifier().key_id());
    let known = [old.verifier(), new.verifier()];
    let note = Note::sign("a text\n".to_owned(), &[&new]).unwrap();
    assert_eq!(note.verify(&known).unwrap(), [&known[1]]);
}

#[test]
fn a_key_has_a_name_without_blanks_and_one_spelling() {
    for name in [
        "",
        "a b",
        "a+b",
        "a\nb",
        "a\tb",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\u{0}",
        "\u{3000}",
    ] {
        assert_eq!(Signer::new(name, &[7; 32]).unwrap_err(), NoteError::Name);
    }
    let vkey = signer().verifier().to_string();
    let (name, rest) = vkey.split_once('+').unwrap();
    let (id, key) = rest.split_once('+').unwrap();
    let other_type = {
        let mut bytes = BASE64.decode(key.as_bytes()).unwrap();
        bytes[0] = 2;
        BASE64.encode(&bytes)
    };
    let zeroes = BASE64.encode(&[[1; 1].as_slice(), &[0; 32]].concat());
    for wrong in [
        String::new(),
        name.to_owned(),
        format!("{name}+{id}"),
        format!("{name}+{id}+"),
        format!("{name}+{}+{key}", id.to_uppercase()),
        format!("{name}+00000000+{key}"),
        format!("{name}x+{id}+{key}"),
        format!("{name} +{id}+{key}"),
        format!("+{id}+{key}"),
        format!("{vkey}\n"),
        format!("{vkey}="),
        format!("{name}+{id}+{other_type}"),
        format!("{name}+{id}+{zeroes}"),
    ] {
        assert!(Verifier::parse(&wrong).is_err(), "{wrong:?}");
    }
    for cut in 0..vkey.len() {
        assert!(Verifier::parse(&vkey[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_key_that_would_sign_everything_is_refused() {
    // Points of small order, and a second spelling of one.
    let identity = [&[1u8][..], &[0; 31]].concat();
    let order_4 = [0u8; 32].to_vec();
    let second_spelling = [&[0xee][..], &[0xff; 30], &[0x7f]].concat();
    for bytes in [identity, order_4, second_spelling] {
        let bytes: [u8; 32] = bytes.try_into().unwrap();
        assert!(Verifier::new("a", Kind::Log, &bytes).is_err());
    }
}

#[test]
fn the_text_of_a_note_may_have_empty_lines_and_lines_that_look_like_signatures() {
    let line = signer().sign("something else\n");
    for text in ["\n", "a\n\n", "\n\n\n", "a\n\nb\n", &format!("a\n\n{line}")] {
        let note = Note::sign(text.to_owned(), &[&signer()]).unwrap();
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read, note, "{text:?}");
        assert!(read.verify(&[signer().verifier()]).is_ok());
    }
    for text in [
        "",
        "a",
        "a\n\nb",
        "a\r\n",
        "\u{0}\n",
        "a\u{7f}\n",
        "a\u{85}\n",
    ] {
        let refused = Note::sign(text.to_owned(), &[&signer()]).unwrap_err();
        assert_eq!(refused, NoteError::Text, "{text:?}");
    }
}

#[test]
fn what_is_not_a_note_is_refused() {
    let line = signer().sign("a\n");
    let line = line.trim_end();
    for (wrong, error) in [
        (String::new(), NoteError::Malformed),
        ("a\n".to_owned(), NoteError::Malformed),
        ("a\n\n".to_owned(), NoteError::Malformed),
        (format!("a\n{line}\n"), NoteError::Malformed),
        (format!("a\n\n{line}"), NoteError::Malformed),
        (format!("a\r\n\n{line}\n"), NoteError::Malformed),
        (format!("a\n\n{line}\r\n"), NoteError::SignatureLine),
        (format!("a\n\n{line}\n\n"), NoteError::Malformed),
        (format!("a\n\n{line}\nb\n"), NoteError::SignatureLine),
        (format!("a\n\n{line} \n"), NoteError::SignatureLine),
        (format!("a\n\n {line}\n"), NoteError::SignatureLine),
        (
            "a\n\n\u{2014} n AAAAAA==\n".to_owned(),
            NoteError::SignatureLine,
        ),
        (
            "a\n\n\u{2014} n+m AAAAAAA=\n".to_owned(),
            NoteError::SignatureLine,
        ),
        (
            "a\n\n\u{2014}  AAAAAAA=\n".to_owned(),
            NoteError::SignatureLine,
        ),
        (
            "a\n\n\u{2013} n AAAAAAA=\n".to_owned(),
            NoteError::SignatureLine,
        ),
        (
            "a\n\n\u{2014} n AAAAAAB=\n".to_owned(),
            NoteError::SignatureLine,
        ),
        (
            "a\n\n\u{2014} n AAAAAAA\n".to_owned(),
            NoteError::SignatureLine,
        ),
    ] {
        assert_eq!(Note::parse(wrong.as_bytes()), Err(error), "{wrong:?}");
    }
    for spelling in [
        "AAA=AAA=",
        "AA==AAAAAAA=",
        "AAAAAA====",
        "AAAAAAAA====",
        "AAAAAAA==",
    ] {
        let wrong = format!("a\n\n\u{2014} n {spelling}\n");
        let refused = Note::parse(wrong.as_bytes());
        assert_eq!(refused, Err(NoteError::SignatureLine), "{spelling}");
    }
    assert_eq!(Note::parse(b"\xff\n\n"), Err(NoteError::Malformed));
    assert!(Note::parse("a\n\n\u{2014} n AAAAAAA=\n".as_bytes()).is_ok());
}

#[test]
fn a_note_has_room_for_a_hundred_signatures_and_for_64_kib() {
    let mut note = Note::sign("a\n".to_owned(), &[&signer()]).unwrap();
    for number in 1..100 {
        note.add(&format!("\u{2014} n{number} AAAAAAA=")).unwrap();
    }
    assert_eq!(Note::parse(note.to_string().as_bytes()).unwrap(), note);
    let one_more = "\u{2014} n100 AAAAAAA=\n";
    assert_eq!(note.add(one_more), Err(NoteError::TooManySignatures));
    let text = format!("{note}{one_more}");
    let parsed = Note::parse(text.as_bytes());
    assert_eq!(parsed, Err(NoteError::TooManySignatures));

    let room = MAX_NOTE - "\n\n".len() - signer().sign("").len();
    let text = |length| format!("{}\n", "x".repeat(length));
    let note = Note::sign(text(room), &[&signer()]).unwrap();
    assert_eq!(note.to_string().len(), MAX_NOTE);
    assert!(Note::parse(note.to_string().as_bytes()).is_ok());
    let longer = Note::sign(text(room + 1), &[&signer()]);
    assert_eq!(longer, Err(NoteError::TooLong));
    let bytes = vec![b'x'; MAX_NOTE + 1];
    assert_eq!(Note::parse(&bytes), Err(NoteError::TooLong));
    let nobody = Note::sign("a\n".to_owned(), &[]);
    assert_eq!(nobody, Err(NoteError::Malformed));
}

#[test]
fn every_truncation_of_a_note_is_refused() {
    let mut note = checkpoint();
    let known = [signer().verifier()];
    note.add(&cosignature(&note.text, 1)).unwrap();
    let text = note.to_string();
    let end_of_the_first = text.find(&format!("\u{2014} {WITNESS}")).unwrap();
    for cut in 0..text.len() {
        let read = Note::parse(&text.as_bytes()[..cut]);
        // Without its last signature it is a whole note again, and still a true one.
        assert_eq!(read.is_ok(), cut == end_of_the_first, "cut at {cut}");
        assert!(read.is_err() || read.unwrap().verify(&known).is_ok());
    }
}

#[test]
fn a_proof_is_read_written_and_checked() {
    let (proof, known) = (proof(), [signer().verifier()]);
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra YW4gYXBwbGl"));
    assert_eq!(TlogProof::parse(&text).unwrap(), proof);
    let checkpoint = proof.check(&leaf_hash(&[2]), &known).unwrap();
    assert_eq!((checkpoint.size, checkpoint.origin.as_str()), (5, ORIGIN));
    let another = proof.check(&leaf_hash(&[3]), &known);
    assert_eq!(another, Err(ProofError::Root));
    let unknown = proof.check(&leaf_hash(&[2]), &[]);
    assert_eq!(unknown, Err(NoteError::NoKnownSignature.into()));

    let without = TlogProof {
        extra: None,
        ..proof
    };
    assert_eq!(TlogProof::parse(&without.to_string()).unwrap(), without);
    let empty = TlogProof {
        extra: Some(Vec::new()),
        ..without.clone()
    };
    assert_eq!(empty.to_string(), without.to_string());
}

#[test]
fn a_proof_counts_only_with_a_key_of_the_log_it_names() {
    let mut proof = proof();
    let mut note = checkpoint();
    let other = Signer::new("other.example/log", &[8; 32]).unwrap();
    note.add(&other.sign(&note.text)).unwrap();
    note.add(&cosignature(&note.text, 1)).unwrap();
    proof.checkpoint = note.to_string();
    let (_, witness) = witness();
    let leaf = leaf_hash(&[2]);
    let of_others = [other.verifier(), witness];
    assert_eq!(proof.check(&leaf, &of_others), Err(ProofError::Origin));
    assert!(proof.check(&leaf, &[signer().verifier()]).is_ok());
}

#[test]
fn what_is_not_a_proof_is_refused() {
    let text = proof().to_string();
    for cut in 0..text.len() {
        if text.is_char_boundary(cut) {
            assert!(TlogProof::parse(&text[..cut]).is_err(), "cut at {cut}");
        }
    }
    let hash = Hash([0; 32]).to_string();
    for (from, to) in [
        ("@v1", "@v2"),
        ("extra ", "extra"),
        ("extra ", "extra  "),
        ("extra ", "EXTRA "),
        ("index 2", "index 02"),
        ("index 2", "index -2"),
        ("index 2", "index"),
        ("index 2\n", ""),
        ("index 2\n", "index 2\nindex 2\n"),
        ("index 2\n", "index 2\n\n"),
        ("index 2\n", "index 2\nAAAA\n"),
        ("index 2\n", "index 2\r\n"),
        ("=\n\n", "=\n\n\n"),
        ("\n5\n", "\n05\n"),
        (
            "index 2\n",
            &format!("index 2\n{}", format!("{hash}\n").repeat(64)),
        ),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from:?}");
        assert!(TlogProof::parse(&wrong).is_err(), "{wrong}");
    }
    let empty_extra = text.replace(&BASE64.encode(b"an application's own"), "");
    assert_eq!(TlogProof::parse(&empty_extra), Err(ProofError::Malformed));
    let extended = Note::sign(format!("{}more\n", checkpoint().text), &[&signer()]).unwrap();
    let extended = TlogProof {
        checkpoint: extended.to_string(),
        ..proof()
    };
    let refused = TlogProof::parse(&extended.to_string());
    assert_eq!(refused, Err(CheckpointError::Lines.into()));
    let long = TlogProof {
        extra: Some(vec![0; MAX_PROOF]),
        ..proof()
    };
    assert_eq!(
        TlogProof::parse(&long.to_string()),
        Err(ProofError::Malformed)
    );
}

/// Some other byte in one place.
fn changed(text: &str, at: prop::sample::Index, by: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = at.index(bytes.len());
    bytes[at] ^= by;
    bytes
}

proptest! {
    #[test]
    fn no_changed_byte_of_a_note_is_verified(at in any::<prop::sample::Index>(), by in 1u8..) {
        let text = checkpoint().to_string();
        let bytes = changed(&text, at, by);
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes);
            prop_assert!(note.verify(&[signer().verifier()]).is_err());
        }
    }

    #[test]
    fn no_changed_byte_of_a_proof_is_believed(at in any::<prop::sample::Index>(), by in 1u8..) {
        let proof = TlogProof { extra: None, ..proof() };
        let bytes = changed(&proof.to_string(), at, by);
        let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(()) };
        if let Ok(changed) = TlogProof::parse(text) {
            prop_assert_eq!(changed.to_string(), text);
            let checked = changed.check(&leaf_hash(&[2]), &[signer().verifier()]);
            prop_assert!(checked.is_err());
        }
    }

    #[test]
    fn a_changed_key_is_no_key(at in any::<prop::sample::Index>(), by in 1u8..) {
        let bytes = changed(&signer().verifier().to_string(), at, by);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert!(Verifier::parse(text).is_err());
        }
    }

    #[test]
    fn every_text_that_can_be_signed_is_read_again(
        lines in prop::collection::vec("[^\\p{Cc}]{0,20}", 1..6), seed: [u8; 32],
    ) {
        let text = lines.join("\n") + "\n";
        let signer = Signer::new("a.example/ñ", &seed).unwrap();
        let note = Note::sign(text, &[&signer]).unwrap();
        prop_assert_eq!(&Note::parse(note.to_string().as_bytes()).unwrap(), &note);
        prop_assert!(note.verify(&[signer.verifier()]).is_ok());
    }

    #[test]
    fn a_checkpoint_is_read_as_it_is_written(
        origin in "[^\\p{Cc}]{1,40}", size in 1..=i64::MAX.unsigned_abs(), root: [u8; 32],
    ) {
        let checkpoint = Checkpoint { origin, size, root: Hash(root) };
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
    }
}
