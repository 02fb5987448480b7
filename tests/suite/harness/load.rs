//! Checks without pause from several clients at once, while a test does its worst; every outcome is
//! kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::api::{Answer, Api, query};
use super::wait::eventually;

/// One request of the load.
#[derive(Debug, Clone)]
pub struct Sample {
    pub begun: Instant,
    pub took: Duration,
    /// Whether the number was opted out before the load began.
    pub listed: bool,
    pub outcome: Outcome,
}

/// How a request of the load ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// 200. The text form has no id.
    Answered { suppress: bool, id: Option<String> },
    /// Any other status, and the body.
    Status(u16, String),
    /// No answer: the connection broke.
    Broken(#[expect(dead_code, reason = "shown when a test fails")] String),
}

/// A running load.
pub struct Load {
    stop: Arc<AtomicBool>,
    samples: Arc<Mutex<Vec<Sample>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Two clients that read JSON and one that reads text, each asking in turn for the two numbers.
    pub fn start(dialler: &Api, seller: &str, listed: &str, clear: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let samples = Arc::new(Mutex::new(Vec::new()));
        let clients = ["json", "json", "text"].map(|format| {
            let dialler = dialler.on(dialler.url());
            let numbers = [(listed.to_string(), true), (clear.to_string(), false)];
            let (seller, stop, samples) =
                (seller.to_string(), Arc::clone(&stop), Arc::clone(&samples));
            thread::spawn(move || {
                for (phone, listed) in numbers.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let parameters = [
                        ("phone", phone.as_str()),
                        ("seller", &seller),
                        ("format", format),
                    ];
                    let begun = Instant::now();
                    let result = dialler.attempt(
                        "GET",
                        &format!("/v1/check?{}", query(&parameters)),
                        &[],
                        Vec::new(),
                    );
                    let sample = Sample {
                        begun,
                        took: begun.elapsed(),
                        listed: *listed,
                        outcome: outcome(result),
                    };
                    samples.lock().unwrap().push(sample);
                }
            })
        });
        Self {
            stop,
            samples,
            clients: clients.into(),
        }
    }

    /// Every request that ended up to now.
    pub fn so_far(&self) -> Vec<Sample> {
        self.samples().clone()
    }

    fn samples(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().unwrap()
    }

    /// Waits until `count` requests that began after this moment have ended in a way that `fits`.
    #[track_caller]
    pub fn wait_for(&self, count: usize, what: &str, fits: impl Fn(&Outcome) -> bool) {
        let now = Instant::now();
        eventually(what, || {
            self.samples()
                .iter()
                .filter(|sample| sample.begun > now && fits(&sample.outcome))
                .count()
                >= count
        });
    }

    /// Ends the load and gives every request that it made.
    pub fn finish(mut self) -> Vec<Sample> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients
            .drain(..)
            .for_each(|client| client.join().unwrap());
        std::mem::take(&mut *self.samples())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Outcome {
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Answered { .. })
    }

    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Status(503, _))
    }
}

/// The ids of all answers in the load that carry one.
pub fn acknowledged(samples: &[Sample]) -> Vec<String> {
    let ids = samples.iter().map(|sample| match &sample.outcome {
        Outcome::Answered { id, .. } => id.clone(),
        _ => None,
    });
    ids.flatten().collect()
}

fn outcome(result: Result<Answer, String>) -> Outcome {
    match result {
        Err(problem) => Outcome::Broken(problem),
        Ok(answer) if answer.status != 200 => Outcome::Status(answer.status, answer.text()),
        Ok(answer) => match answer.text().as_str() {
            "1" => Outcome::Answered {
                suppress: true,
                id: None,
            },
            "0" => Outcome::Answered {
                suppress: false,
                id: None,
            },
            _ => Outcome::Answered {
                id: Some(answer.id()),
                suppress: answer.suppress(),
            },
        },
    }
}
