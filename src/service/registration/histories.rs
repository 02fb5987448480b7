//! Several processes change registrations while their messages to the store are lost, come late or
//! come twice, and while they are killed between any two of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::change::Amendment;
use super::*;
use crate::domain::{AgencyId, Answer, Channel, KeyId};
use crate::service::Question;
use crate::settings::{Overrides, Settings};
use crate::store::Kind;
use crate::store::script::Script;

/// Registrations of one history, and the numbers that they share.
const REGISTRATIONS: usize = 2;
const NUMBERS: usize = 3;

/// As `tests/long` asks for it.
fn rounds(name: &str, short: u64, long: u64) -> u64 {
    match std::env::var("METRUST_LONG") {
        Ok(wanted) if wanted == name => long,
        _ => short,
    }
}

/// A process: its messages go as its script says.
struct Writer {
    service: Arc<Service>,
    script: Arc<Script>,
}

/// What is known of a registration by whoever acts for it.
#[derive(Default)]
struct Told {
    access: Option<Access>,
    /// Each number's state, as it was last acknowledged; nothing where an answer is missing.
    listed: HashMap<usize, Option<bool>>,
}

struct Registry {
    writers: Vec<Writer>,
    asks: Principal,
    next: u64,
}

/// What can be done to a registration.
#[derive(Debug, Clone, Copy)]
enum Act {
    Register,
    Withdraw,
    TakeUp,
    Add(usize),
    Remove(usize),
    View,
}

impl Registry {
    async fn new(data: &std::path::Path, writers: usize) -> Self {
        let mut settings = Settings::load(None, &Overrides::default()).unwrap();
        settings.store.timeout_ms = 30_000;
        let (first, _) = Service::start(&settings, data).await.unwrap();
        let telco = SellerId::parse("telco").unwrap();
        first
            .add_seller(telco.clone(), "Telco".to_owned())
            .await
            .unwrap();
        let agency = AgencyId::parse("calls").unwrap();
        let added = first.add_agency(agency.clone(), "Calls".to_owned(), BTreeSet::from([telco]));
        added.await.unwrap();
        let mut others = Vec::new();
        for _ in 0..writers {
            let script = Arc::<Script>::default();
            script.calm_down();
            let store = first.store.scripted(script.clone());
            let (service, _) = Service::start_on(store, &settings, data).await.unwrap();
            others.push(Writer { service, script });
        }
        Self {
            writers: others,
            asks: Principal {
                key: KeyId::parse("0123456789").unwrap(),
                role: Role::Dialler { agency },
            },
            next: 0,
        }
    }

    /// Which of the history's numbers a check refuses.
    async fn refused(&self, numbers: &[PhoneNumber]) -> Vec<bool> {
        let question = Question {
            seller: SellerId::parse("telco").unwrap(),
            channel: Channel::Voice,
            campaign: None,
        };
        let numbers: Vec<_> = numbers.iter().copied().map(Ok).collect();
        self.writers[0].service.directory.renew().await.unwrap();
        let asked = self.writers[0]
            .service
            .check(self.asks.clone(), question, &numbers);
        let refused = asked.await.unwrap().into_iter();
        refused
            .map(|asked| matches!(asked.decision.answer, Answer::Suppress(_)))
            .collect()
    }

    async fn history(&mut self, seed: u64) {
        for writer in &self.writers[1..] {
            writer.service.directory.renew().await.unwrap();
        }
        self.next += 1;
        let numbers: Vec<PhoneNumber> = (0..NUMBERS)
            .map(|n| {
                let text = format!("+32470{:06}", self.next * NUMBERS as u64 + n as u64);
                PhoneNumber::parse(&text, None).unwrap()
            })
            .collect();
        let director = Script::default();
        director.begin(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        director.random(2);
        for (place, writer) in self.writers.iter().enumerate() {
            writer
                .script
                .begin(director.random(u64::MAX) ^ place as u64);
        }
        let mut told: [Told; REGISTRATIONS] = Default::default();
        let mut trace = Vec::new();
        for _ in 0..4 + director.random(8) {
            // One act on each registration at a time, or several on one.
            let writer = director.random(self.writers.len() as u64) as usize;
            let which = director.random(REGISTRATIONS as u64) as usize;
            let number = director.random(NUMBERS as u64) as usize;
            let act = match (director.random(8), told[which].access.is_some()) {
                (_, false) => Act::Register,
                (0 | 1, _) => Act::Withdraw,
                (2 | 3, _) => Act::TakeUp,
                (4 | 5, _) => Act::Add(number),
                (6, _) => Act::Remove(number),
                _ => Act::View,
            };
            if director.random(4) == 0 {
                self.writers[writer].script.die_after(director.random(4));
            }
            trace.push((which, writer, act));
            let beside = (director.random(3) == 0).then(|| {
                let writer = director.random(self.writers.len() as u64) as usize;
                let act = match director.random(4) {
                    0 => Act::Withdraw,
                    1 => Act::TakeUp,
                    2 => Act::Add(number),
                    _ => Act::Remove(number),
                };
                (writer, act)
            });
            match (beside, told[which].access.clone()) {
                (Some((other, second)), Some(_)) => {
                    trace.push((which, other, second));
                    for state in told[which].listed.values_mut() {
                        *state = None;
                    }
                    told[which].listed.insert(number, None);
                    let mut twin = Told {
                        access: told[which].access.clone(),
                        ..Told::default()
                    };
                    let one = self.act(writer, act, which, &numbers, &mut told[which]);
                    let two = self.act(other, second, which, &numbers, &mut twin);
                    tokio::join!(one, two);
                    // Which of them was the last is not known.
                    for state in told[which].listed.values_mut() {
                        *state = None;
                    }
                }
                _ => {
                    self.act(writer, act, which, &numbers, &mut told[which])
                        .await
                }
            }
            if director.random(3) == 0 {
                let writer = &self.writers[director.random(self.writers.len() as u64) as usize];
                drop(writer.service.close_all_done().await);
                drop(writer.service.finish_left_work(&HashMap::new()).await);
            }
            if director.random(4) == 0 {
                // Its process is started anew and knows nothing.
                self.writers[writer].service.done_work.forget();
            }
            self.compare(&numbers, &told, seed, &trace).await;
        }
        self.come_to_rest(&numbers, &told, seed, &trace).await;
    }

    async fn act(
        &self,
        writer: usize,
        act: Act,
        which: usize,
        numbers: &[PhoneNumber],
        told: &mut Told,
    ) {
        let service = &self.writers[writer].service;
        let before: Vec<usize> = told.listed.keys().copied().collect();
        let unknown = |told: &mut Told, numbers: &[usize]| {
            for number in numbers {
                told.listed.insert(*number, None);
            }
        };
        let Some(access) = told.access.clone() else {
            // Both registrations begin with the first number; the other has one of its own.
            let texts: Vec<&str> = [0, which + 1].map(|n| numbers[n].e164()).to_vec();
            let wanted = Wanted {
                numbers: texts,
                notation: Notation::default(),
                sellers: Sellers::All,
                channels: Channels::BOTH,
            };
            let form = [which as u8, self.next as u8, (self.next >> 8) as u8];
            let registered = service
                .register(Registrant::Person { form: &form }, &wanted)
                .await;
            match registered {
                Ok(registered) => {
                    told.access = Some(registered.access);
                    told.listed = [(0, Some(true)), (which + 1, Some(true))].into();
                }
                Err(_) => unknown(told, &[0, which + 1]),
            }
            return;
        };
        match act {
            Act::Register | Act::View => drop(service.registration(&access).await),
            Act::Withdraw => {
                let done = service.withdraw(&access).await.is_ok();
                for number in before {
                    told.listed.insert(number, done.then_some(false));
                }
            }
            // Of which numbers, only the record knows.
            Act::TakeUp => {
                drop(service.take_up(&access).await);
                unknown(told, &before);
            }
            Act::Add(number) => {
                let amended = service
                    .amend(&access, &Amendment::AddNumber(numbers[number]))
                    .await;
                told.listed.insert(number, amended.is_ok().then_some(true));
            }
            Act::Remove(number) => {
                let gone = Amendment::RemoveNumber(numbers[number]);
                let amended = service.amend(&access, &gone).await;
                let state = amended.as_ref().is_ok().then_some(false);
                match amended {
                    Ok(Amended::Withdrawn) => {
                        for number in before {
                            told.listed.insert(number, Some(false));
                        }
                    }
                    _ => drop(told.listed.insert(number, state)),
                }
            }
        }
    }

    /// Nobody whose opt-out was acknowledged and stands is free to be called; nobody who withdrew is
    /// listed.
    async fn compare(
        &self,
        numbers: &[PhoneNumber],
        told: &[Told],
        seed: u64,
        trace: &[(usize, usize, Act)],
    ) {
        let refused = self.refused(numbers).await;
        for (number, refused) in refused.into_iter().enumerate() {
            let states: Vec<_> = told.iter().map(|told| told.listed.get(&number)).collect();
            if states.contains(&Some(&Some(true))) {
                assert!(refused, "seed {seed}, number {number} is free: {trace:?}");
            }
            if states
                .iter()
                .all(|state| matches!(state, None | Some(Some(false))))
            {
                assert!(
                    !refused,
                    "seed {seed}, number {number} is listed: {trace:?}"
                );
            }
        }
    }

    /// When all is delivered and done, the index holds what the records want, and nothing else.
    async fn come_to_rest(
        &self,
        numbers: &[PhoneNumber],
        told: &[Told],
        seed: u64,
        trace: &[(usize, usize, Act)],
    ) {
        for writer in &self.writers {
            writer.script.calm_down();
        }
        for writer in &self.writers {
            writer.script.deliver().await;
        }
        let last = &self.writers[0].service;
        for writer in &self.writers {
            writer.service.close_all_done().await.unwrap();
        }
        let left = last.finish_left_work(&HashMap::new()).await.unwrap();
        let left = last.finish_left_work(&left).await.unwrap();
        // What was raised is done at the next look.
        let left = last.finish_left_work(&left).await.unwrap();
        last.finish_left_work(&left).await.unwrap();
        last.close_all_done().await.unwrap();
        let open = last.store.list(Kind::Open).await.unwrap();
        assert!(open.is_empty(), "seed {seed}: {trace:?}: {open:?}");
        let mut wanted = HashSet::new();
        let mut whole = true;
        for told in told {
            match &told.access {
                Some(access) => {
                    let view = last.registration(access).await.unwrap();
                    if view.withdrawn_at.is_none() {
                        wanted.extend(view.numbers);
                    }
                }
                // A registration whose code nobody was told may hold or not.
                None => whole &= told.listed.is_empty(),
            }
        }
        let refused = self.refused(numbers).await;
        for (number, refused) in numbers.iter().zip(refused) {
            let is_wanted = wanted.contains(number);
            assert!(refused || !is_wanted, "seed {seed}: free: {trace:?}");
            assert!(
                !whole || refused == is_wanted,
                "seed {seed}: listed: {trace:?}"
            );
        }
        self.compare(numbers, told, seed, trace).await;
    }
}

#[tokio::test]
async fn long_histories_of_writers_whose_messages_go_astray_leave_the_index_as_the_records_want_it()
{
    // In memory, where there is such a place: no power is cut here.
    let data = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let mut registry = Registry::new(data.path(), 3).await;
    for seed in 1..=rounds("histories", 500, 10_000) {
        registry.history(seed).await;
        if seed % 1000 == 0 {
            println!("{seed} histories");
        }
    }
}
