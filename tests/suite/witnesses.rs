//! Witnesses: somebody else's word that the log has only ever grown, kept beside what it is about.

use std::sync::Barrier;
use std::thread;

use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use metrust::log::{Checkpoint, KeyKind, Note, Verifier};

use crate::harness::{Api, Launch, World, number, on_every_store, until, wait};

/// How many post at once.
const AT_ONCE: u8 = 8;

/// Somebody who cosigns (c2sp.org/tlog-cosignature).
struct Witness {
    key: SigningKey,
    verifier: Verifier,
}

impl Witness {
    fn new(n: u8) -> Self {
        let key = SigningKey::from_bytes(&[n; 32]);
        let name = format!("witness-{n}.example.com");
        let public = key.verifying_key().to_bytes();
        let verifier = Verifier::new(&name, KeyKind::Witness, &public).unwrap();
        Self { key, verifier }
    }

    /// The note with its co-signature under it.
    fn cosign(&self, note: &str) -> String {
        let (text, _) = note.rsplit_once("\n\n").unwrap();
        let time = 1_800_000_000_u64;
        let message = format!("cosignature/v1\ntime {time}\n{text}\n");
        let mut bytes = self.verifier.key_id().to_vec();
        bytes.extend(time.to_be_bytes());
        bytes.extend(self.key.sign(message.as_bytes()).to_bytes());
        let name = self.verifier.name();
        format!("{note}\u{2014} {name} {}\n", BASE64.encode(&bytes))
    }
}

fn witnesses() -> Vec<Witness> {
    (1..=AT_ONCE).map(Witness::new).collect()
}

/// A service that knows them.
pub fn knowing_witnesses(launch: Launch) -> Launch {
    let keys = witnesses()
        .iter()
        .map(|known| known.verifier.to_string())
        .collect::<Vec<_>>();
    launch.set("AUDIT__WITNESSES", keys.join(","))
}

/// All of them post to these services at once; then all stand, wherever one asks.
#[track_caller]
pub fn assert_all_stand(services: &[Api]) {
    let known = witnesses();
    let verifiers: Vec<_> = known.iter().map(|known| known.verifier.clone()).collect();
    let checkpoint = until("a checkpoint is published", wait::PATIENCE, || {
        let answer = services[0].get("/log/checkpoint");
        (answer.status == 200).then(|| answer.text())
    });
    let of = Checkpoint::parse(&Note::parse(checkpoint.as_bytes()).unwrap().text).unwrap();
    let log = of.origin.rsplit('/').next().unwrap();
    let start = Barrier::new(known.len());
    thread::scope(|scope| {
        for (witness, service) in known.iter().zip(services.iter().cycle()) {
            let (start, checkpoint) = (&start, &checkpoint);
            let service = service.on(service.url());
            scope.spawn(move || {
                let body = witness.cosign(checkpoint).into_bytes();
                start.wait();
                service
                    .call("POST", &format!("/log/{log}/cosignatures"), &[], body)
                    .expect(200);
            });
        }
    });
    for service in services {
        let kept = service.get(&format!("/log/{log}/checkpoints/{}", of.size));
        let kept = Note::parse(&kept.expect(200).body).unwrap();
        let standing = kept.verify(&verifiers).unwrap();
        assert_eq!(standing.len(), known.len(), "{kept}");
    }
    // Said again, it is said once; and what was counted is what stands.
    let again = known[0].cosign(&checkpoint).into_bytes();
    let path = format!("/log/{log}/cosignatures");
    let answer = services[0]
        .call("POST", &path, &[], again)
        .expect(200)
        .json();
    assert_eq!(answer["kept"], AT_ONCE, "{answer}");
}

on_every_store! {
    fn what_witnesses_sign_at_the_same_moment_stands_of_all_of_them(world: &mut World) {
        let launch = knowing_witnesses(world.service.launch());
        world.service.restart_as(&launch);
        world.dialler().check(&number(1), "telco").expect(200);
        let replica = world.replica_with(knowing_witnesses);
        let services = [Some(&world.service), replica.as_ref()];
        let services: Vec<_> = services.into_iter().flatten().map(|s| s.anonymous()).collect();
        assert_all_stand(&services);
    }
}
