//! A clock that ticks at a fixed rate, to the microsecond: Tokio's own timers round up to a
//! millisecond, which is more than most answers take.

#[cfg(target_os = "linux")]
pub use timer::Ticks;

#[cfg(target_os = "linux")]
mod timer {
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    use crate::Result;

    /// The kernel's own timer.
    pub struct Ticks(AsyncFd<OwnedFd>);

    impl Ticks {
        /// Ticks every `period` from now on.
        pub fn every(period: Duration) -> Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let period = Timespec::try_from(period)?;
            let setting = Itimerspec {
                it_interval: period,
                it_value: period,
            };
            timerfd_settime(&timer, TimerfdTimerFlags::empty(), &setting)?;
            #[allow(
                deprecated,
                reason = "it asks that the descriptor stays the same and open, as an OwnedFd's does"
            )]
            let timer = AsyncFd::new(timer)?;
            Ok(Self(timer))
        }

        /// Waits for the next tick; ticks that were missed are one.
        pub async fn next(&self) -> Result<()> {
            loop {
                let mut ready = self.0.readable().await?;
                let read =
                    ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut [0; 8])?));
                match read {
                    Ok(Ok(_)) => return Ok(()),
                    Ok(Err(problem)) => return Err(problem.into()),
                    Err(_) => {}
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use interval::Ticks;

#[cfg(not(target_os = "linux"))]
mod interval {
    use std::time::Duration;

    use crate::Result;

    /// Builds elsewhere, too; the bench itself refuses to run there.
    pub struct Ticks(Duration);

    impl Ticks {
        pub fn every(period: Duration) -> Result<Self> {
            Ok(Self(period))
        }

        pub async fn next(&self) -> Result<()> {
            tokio::time::sleep(self.0).await;
            Ok(())
        }
    }
}
