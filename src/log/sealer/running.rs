//! When cycles are run, and how urgent each is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::lanes::{self, Lanes, Urgency};
use super::{Cycle, LogError, Progress, Sealer, Sealing, damaged};
use crate::log::fault;

/// The sealers of this process, at work.
#[derive(Debug)]
pub struct Running {
    ended: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Lets them seal what is there, for as long as `patience`. What they do not seal in time is
    /// kept in the store, and sealed by whoever comes next.
    pub async fn finish(self, patience: Duration) {
        let _ = self.stop.send(true);
        for ended in self.ended {
            let _ = tokio::time::timeout(patience, ended).await;
        }
    }
}

/// Waits until it is told to stop; false where nobody is left to say so.
async fn told(stopped: &mut watch::Receiver<bool>) -> bool {
    stopped.wait_for(|stop| *stop).await.is_ok()
}

impl Sealer {
    /// Runs as many sealers as this process has: one. It works on threads of its own, behind those
    /// that answer checks.
    #[must_use]
    pub fn spawn(plan: &Sealing, progress: &Arc<ArcSwap<Progress>>) -> Running {
        let (stop, stopped) = watch::channel(false);
        let ended = (0..fault::sealers()).map(|_| {
            let parts = (plan.clone(), progress.clone(), stopped.clone());
            plan.store.supervisor().run("sealer", move || {
                let (plan, progress, stopped) = parts.clone();
                // Begun anew, it goes by what lies in the log, as after a crash.
                let sealer = Self::new(plan, progress);
                async move {
                    match Lanes::open() {
                        Ok(lanes) => {
                            sealer.run(&lanes, stopped).await;
                            lanes.close();
                        }
                        Err(error) => sealer.tell_failure(&LogError::NoThreads(error.to_string())),
                    }
                }
            })
        });
        Running {
            ended: ended.collect(),
            stop,
        }
    }

    /// Seals, cycle after cycle. Told to stop, it seals what is there and ends.
    async fn run(mut self, lanes: &Lanes, mut stopped: watch::Receiver<bool>) {
        let (plan, progress) = (self.plan.clone(), self.progress.clone());
        // When everything was last seen to be sealed.
        let mut current = Instant::now();
        loop {
            let stopping = *stopped.borrow();
            let urgency = match stopping {
                true => Urgency::Urgent,
                false => Urgency::of(current.elapsed(), plan.period),
            };
            let began = Instant::now();
            lanes.hurry(stopping);
            let mut cycle = lanes.of(urgency).spawn(async move {
                let done = self.cycle(stopping).await;
                (self, done)
            });
            let urgent = tokio::time::sleep_until((current + lanes::patience(plan.period)).into());
            let cycle = tokio::select! {
                cycle = &mut cycle => cycle,
                // What was begun calmly is seen through.
                () = urgent => {
                    lanes.hurry(true);
                    cycle.await
                }
                _ = told(&mut stopped), if !stopping => {
                    lanes.hurry(true);
                    cycle.await
                }
            };
            let done;
            (self, done) = cycle.unwrap_or_else(|_| {
                // It begins anew with what lies in the log, as after a crash.
                let anew = Self::new(plan.clone(), progress.clone());
                (anew, Err(damaged("a cycle could not be worked out")))
            });
            let mut wait = plan.period;
            match done {
                Ok(Cycle::Idle | Cycle::Standby) if stopping => return,
                Ok(Cycle::Idle | Cycle::Standby) => current = began,
                Ok(Cycle::Sealed {
                    all_until: Some(moment),
                    ..
                }) if !stopping => current = moment,
                Ok(Cycle::Sealed { .. } | Cycle::Overtaken) => wait = Duration::ZERO,
                Err(error) => {
                    self.state = None;
                    self.tell_failure(&error);
                    if stopping {
                        return;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                is_told = told(&mut stopped) => if !is_told { return },
            }
        }
    }
}
