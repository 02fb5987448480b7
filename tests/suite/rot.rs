//! A disk that gives back other bytes than it was given. What was damaged is noticed before an answer
//! rests on it: either the start is refused, and the text names the file, or nothing that was
//! acknowledged is missing.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::rounds::rounds;
use crate::harness::world::{Engine, copy_tree};
use crate::harness::{Launch, Service, World, eventually, number};

/// Numbers that opted out.
const LISTED: usize = 40;

/// A store that was cleanly stopped, and the diallers' keys.
struct Sound {
    world: World,
    keys: Vec<String>,
    code: String,
    entries: usize,
}

impl Sound {
    fn make() -> Self {
        let mut world = World::on(Engine::Embedded);
        let dialler = world.dialler();
        let mut code = String::new();
        for place in 0..LISTED {
            code = dialler.register(&[&number(place)], json!("all"));
            assert!(dialler.suppresses(&number(place), "telco"));
        }
        let operator = world.operator();
        let other = operator.dialler_of("calls");
        let keys = vec![dialler.key().to_owned(), other.key().to_owned()];
        let mut entries = 0;
        eventually("most of it is sealed", || {
            entries = operator.entries(&[("op", "check")]).len();
            entries == LISTED && world.log_folder().join("vkeys").exists()
        });
        assert!(world.service.terminate().success());
        Self {
            world,
            keys,
            code,
            entries,
        }
    }

    /// Starts on a copy that `spoil` was at; says whether that was refused, naming the file.
    fn is_refused(&self, what: &str, file: &str, spoil: impl FnOnce(&Path)) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        copy_tree(self.world.service.data(), &data);
        spoil(&data.join(file));
        let before = fs::read(data.join(file)).unwrap();
        match Launch::on(&data).try_start() {
            Err(refusal) => {
                assert!(!refusal.status.success());
                let said = &refusal.stderr;
                assert!(said.contains(file), "{what}: {said}");
                let after = fs::read(data.join(file)).unwrap();
                assert!(after == before, "{what}: it is left as it is");
                // And it stays refused.
                assert!(Launch::on(&data).try_start().is_err(), "{what}");
                true
            }
            Ok(service) => {
                self.assert_whole(what, &service);
                false
            }
        }
    }

    fn assert_whole(&self, what: &str, service: &Service) {
        for (place, key) in (0..LISTED).zip(self.keys.iter().cycle()) {
            let dialler = service.anonymous().with_key(key);
            let answer = dialler.check(&number(place), "telco");
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            assert!(answer.suppress(), "{what}: number {place} is lost");
        }
        let checks = service.operator().entries(&[("op", "check")]).len();
        assert_eq!(checks, self.entries + LISTED, "{what}: entries are lost");
        let dialler = service.anonymous().with_key(&self.keys[0]);
        dialler.withdraw(&self.code).expect(200);
    }
}

/// Numbers that look random, the same ones every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % below as u64) as usize
    }
}

#[test]
fn a_flipped_bit_is_noticed_before_an_answer_rests_on_it_long_flips() {
    let sound = Sound::make();
    let file = sound.world.service.data().join("metrust.redb");
    let bytes = fs::read(&file).unwrap();
    let used: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut dice = Dice(20_261_130);
    let rounds = rounds("flips", 12, 150);
    let mut refused = 0;
    for round in 0..rounds {
        // The header of 320 bytes is read by every start; of the rest, what holds something.
        let at = match round % 6 {
            0 => dice.roll(320),
            _ => used[dice.roll(used.len())],
        };
        let bit = dice.roll(8);
        let what = format!("round {round}: bit {bit} of byte {at}");
        refused += u64::from(sound.is_refused(&what, "metrust.redb", |file| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            fs::write(file, bytes).unwrap();
        }));
    }
    // What earlier commits left behind is read by nobody, and may be damaged: a single bit may hit
    // nothing else. A bit of every page does not.
    println!("{refused} of {rounds} were noticed");
    assert!(
        sound.is_refused("a bit of every page", "metrust.redb", |file| {
            let mut bytes = bytes.clone();
            for page in bytes.chunks_mut(4096).skip(1) {
                if let Some(byte) = page.iter_mut().find(|byte| **byte != 0) {
                    *byte ^= 1;
                }
            }
            fs::write(file, bytes).unwrap();
        })
    );
    assert!(!sound.is_refused("nothing was damaged", "metrust.redb", |_| {}));
}

#[test]
fn a_store_that_was_cut_short_is_refused() {
    let sound = Sound::make();
    let length = fs::metadata(sound.world.service.data().join("metrust.redb"));
    let length = length.unwrap().len();
    for cut in [1, 4096, length / 2, length - 100] {
        let what = format!("{cut} bytes were cut off");
        let refused = sound.is_refused(&what, "metrust.redb", |file| {
            let file = fs::OpenOptions::new().write(true).open(file).unwrap();
            file.set_len(length - cut).unwrap();
        });
        assert!(refused, "{what}");
    }
}

#[test]
fn checks_that_a_journal_held_are_not_lost_unnoticed() {
    // What is checked after the start is not sealed.
    let mut world = World::with(Engine::Embedded, |launch| {
        launch.set("AUDIT__PERIOD_MS", "3600000")
    });
    let dialler = world.dialler();
    dialler.register(&[&number(1)], json!("all"));
    for _ in 0..5 {
        assert!(dialler.suppresses(&number(1), "telco"));
    }
    let launch = world.service.launch();
    world.service.kill9();
    let journal = world.service.data().join("metrust.redb.journal");
    let sound = fs::read(&journal).unwrap();
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
    for cut in [used - 10, used + 1, sound.len() - 1] {
        fs::write(&journal, &sound[..cut]).unwrap();
        let refusal = launch.refused();
        assert!(
            refusal.stderr.contains("metrust.redb.journal"),
            "{refusal:?}"
        );
    }
    for gone in [false, true] {
        match gone {
            true => fs::remove_file(&journal).unwrap(),
            false => fs::write(&journal, vec![0; sound.len()]).unwrap(),
        }
        // Beside the store as it was: whoever brings the file back loses nothing.
        let store = fs::read(world.service.data().join("metrust.redb")).unwrap();
        world.service.restart();
        let dialler = dialler.on(&world.service.url());
        dialler.check(&number(1), "telco").expect(503);
        world.anonymous().get("/readyz").expect(503);
        world.service.kill9();
        fs::write(world.service.data().join("metrust.redb"), store).unwrap();
    }
    fs::write(&journal, &sound).unwrap();
    world.service.restart();
    let checks = || world.operator().entries(&[("op", "check")]).len();
    assert_eq!(checks(), 5);
}
