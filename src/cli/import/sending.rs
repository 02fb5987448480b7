//! The parts on their way to the service: a few at once, again when one does not get through.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::parts::{Part, Parts};
use super::{Counts, PATH, Told, bar};
use crate::cli::Failure;
use crate::cli::client::Client;

/// How many parts are under way at once: while the store takes one in, others are read.
const AT_ONCE: usize = 3;

/// How often something is tried again that may pass, and how long the first pause is; each one is
/// twice as long as the one before, up to half a minute.
const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Sends every part that is not in yet.
pub(super) fn send_all(client: &Client, begun: &Told, parts: &Parts) -> Result<(), Failure> {
    let progress = bar(
        parts.bytes(),
        "{wide_bar} {bytes} of {total_bytes} sent, {msg}{eta} left",
    );
    let is_in = |part: &&Part| begun.done.parts.binary_search(&part.number).is_ok();
    progress.inc(
        parts
            .all()
            .iter()
            .filter(is_in)
            .map(|part| part.length as u64)
            .sum(),
    );
    progress.reset_eta();
    let left = parts.all().iter().filter(|part| !is_in(part));
    let sum = Mutex::new((0, 0));
    let began = std::time::Instant::now();
    let send = |part: &Part| -> Result<Counts, Failure> {
        let bytes = parts.read(part)?;
        let path = format!("{PATH}/{}/parts/{}", begun.id, part.number);
        let answer = patiently(|| client.put(&path, &bytes))?;
        let counts: Counts = client.understand(&answer)?;
        progress.inc(part.length as u64);
        if let Ok(mut sum) = sum.lock() {
            sum.0 += counts.numbers;
            sum.1 += counts.rejected;
            let pace = sum.0 as f64 / began.elapsed().as_secs_f64().max(0.001);
            let rejected = match sum.1 {
                0 => String::new(),
                some => format!("{some} rejected, "),
            };
            progress.set_message(format!("{rejected}{pace:.0} numbers/s, "));
        }
        Ok(counts)
    };
    let left: Vec<_> = left.collect();
    side_by_side(&left, |part| send(part).map(drop))
}

/// Takes every step that is not taken yet: the numbers of all parts go into the list.
pub(super) fn take_steps(client: &Client, begun: &Told, remove: bool) -> Result<(), Failure> {
    let verb = if remove { "taken out" } else { "put in" };
    let template = format!("{{wide_bar}} {{percent}} % {verb}, {{eta}} left");
    let progress = bar(begun.steps.into(), &template);
    let is_done = |step: &u32| begun.done.steps.binary_search(step).is_ok();
    progress.inc(begun.done.steps.len() as u64);
    progress.reset_eta();
    let left: Vec<_> = (1..=begun.steps).filter(|step| !is_done(step)).collect();
    side_by_side(&left, |step| {
        let path = format!("{PATH}/{}/steps/{step}", begun.id);
        patiently(|| client.put(&path, &[]))?;
        progress.inc(1);
        Ok(())
    })
}

/// Does all of it, a few at once.
fn side_by_side<T: Sync>(
    all: &[T],
    one: impl Fn(&T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || -> Result<(), Failure> {
        while !failed.load(Ordering::Relaxed)
            && let Some(item) = all.get(next.fetch_add(1, Ordering::Relaxed))
        {
            one(item).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| {
            let lost = |_| Err(Failure::new("a thread of this command was lost"));
            worker.join().unwrap_or_else(lost)
        });
        // All of them end before the first failure is told.
        ended.collect::<Vec<_>>().into_iter().collect()
    })
}

/// Tries again what may pass by itself.
pub(super) fn patiently<T>(mut ask: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match ask() {
            Err(failure) if failure.may_pass() => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            other => return other,
        }
    }
    ask()
}
