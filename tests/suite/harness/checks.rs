//! Many checks, in lists, from several clients; what was acknowledged is kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;

use super::api::Api;
use super::numbers::number;
use super::wait::eventually;

/// How many numbers the longest list has.
const LONGEST: usize = 40;

/// After each list so much, and so much more for each check that was answered: a log of some
/// thousand entries, however slow the machine, is enough to read again and again.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_FOR_EACH: Duration = Duration::from_micros(120);

/// Checks without pause, in lists of many lengths, so that bundles overflow at every place. Clients
/// follow the service to wherever it is.
pub struct Checks {
    stop: Arc<AtomicBool>,
    url: Arc<Mutex<String>>,
    acknowledged: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Vec<(u16, String)>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Checks {
    /// Two clients of one dialler.
    pub fn start(dialler: &Api) -> Self {
        let mut checks = Self {
            stop: Arc::default(),
            url: Arc::new(Mutex::new(dialler.url().to_owned())),
            acknowledged: Arc::default(),
            refused: Arc::default(),
            clients: Vec::new(),
        };
        let clients = [1, 67].map(|first| checks.client(dialler.clone(), first));
        checks.clients = clients.into();
        checks
    }

    fn client(&self, dialler: Api, first: usize) -> JoinHandle<()> {
        let (stop, url) = (self.stop.clone(), self.url.clone());
        let (acknowledged, refused) = (self.acknowledged.clone(), self.refused.clone());
        thread::spawn(move || {
            let mut dialler = dialler;
            let mut length = first;
            while !stop.load(Ordering::Relaxed) {
                let now = url.lock().unwrap().clone();
                if dialler.url() != now {
                    dialler = dialler.on(&now);
                }
                length = length * 31 % LONGEST + 1;
                let numbers: Vec<_> = (0..length).map(number).collect();
                let body = json!({"seller": "telco", "numbers": numbers}).to_string();
                let headers = [("Content-Type", "application/json")];
                match dialler.attempt("POST", "/v1/checks", &headers, body.into_bytes()) {
                    Ok(answer) if answer.status == 200 => {
                        let results = answer.json();
                        let results = results["results"].as_array().unwrap().iter();
                        let ids = results.map(|result| result["id"].as_str().unwrap().to_owned());
                        acknowledged.lock().unwrap().extend(ids);
                    }
                    Ok(answer) => refused.lock().unwrap().push((answer.status, answer.text())),
                    Err(_) => {}
                }
                let answered = acknowledged.lock().unwrap().len();
                thread::sleep(PAUSE + PAUSE_FOR_EACH * answered as u32);
            }
        })
    }

    /// Where the service is now.
    pub fn follow(&self, url: &str) {
        url.clone_into(&mut self.url.lock().unwrap());
    }

    /// The ids of the checks that were answered so far.
    pub fn acknowledged(&self) -> Vec<String> {
        self.acknowledged.lock().unwrap().clone()
    }

    /// How many checks were answered so far.
    pub fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// What was answered but for 200, so far.
    pub fn refused(&self) -> Vec<(u16, String)> {
        self.refused.lock().unwrap().clone()
    }

    /// Waits until `more` numbers beyond those of this moment were answered.
    #[track_caller]
    pub fn wait_for(&self, more: usize) {
        let wanted = self.count() + more;
        eventually("checks are answered", || self.count() >= wanted);
    }

    /// Ends the checks, and gives the ids of all that were answered.
    pub fn finish(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().unwrap();
        }
        std::mem::take(&mut *self.acknowledged.lock().unwrap())
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
