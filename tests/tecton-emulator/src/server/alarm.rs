//! Wakes tasks at a moment, to about a tenth of a millisecond. Tokio's timer counts whole
//! milliseconds, so that answers delayed by 5 ms would leave in bursts, up to 2 ms late.
//!
//! It runs beside the connections, in their runtime: a thread of its own, which wakes theirs for
//! each answer, took more time than the answers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

/// The moments that tasks wait for.
#[derive(Debug)]
pub(super) struct Alarm {
    queue: Mutex<Queue>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Queue {
    moments: BinaryHeap<Reverse<(Instant, u64)>>,
    /// The tasks by the number of their moment; numbers are given in order.
    tasks: hashbrown::HashMap<u64, oneshot::Sender<()>>,
    next: u64,
    /// The alarm has ended, and wakes no task any more.
    over: bool,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { queue: Mutex::default(), clock: Clock::new()? })
    }

    /// Wakes tasks, for as long as it is polled.
    ///
    /// # Errors
    /// The system has no timer left. Then no task waits any more.
    pub(super) async fn run(&self) -> io::Result<()> {
        let ended = self.ring().await;
        let mut queue = self.queue();
        queue.over = true;
        queue.tasks.clear();
        ended
    }

    async fn ring(&self) -> io::Result<()> {
        let mut ringing = Ringing::of(&self.clock)?;
        let mut due = Vec::new();
        loop {
            ringing.wait().await?;
            self.take_due(&mut due)?;
            for wake in due.drain(..) {
                // The task may have been dropped.
                let _ = wake.send(());
            }
        }
    }

    /// Takes the tasks whose moment has come, and has the clock ring at the next.
    fn take_due(&self, due: &mut Vec<oneshot::Sender<()>>) -> io::Result<()> {
        let mut queue = self.queue();
        queue.take_due(Instant::now(), due);
        // The queue is held, so that no earlier moment is overwritten.
        queue.first().map_or(Ok(()), |moment| self.clock.set(moment))
    }

    /// Returns when `moment` has passed.
    pub(super) async fn wait_until(&self, moment: Instant) {
        if let Some(woken) = self.wait(moment) {
            // It fails only when the emulator stops, which ends the waiting too.
            let _ = woken.await;
        }
    }

    fn wait(&self, moment: Instant) -> Option<oneshot::Receiver<()>> {
        let (wake, woken) = oneshot::channel();
        let mut queue = self.queue();
        queue.push(moment, wake);
        let rings = queue.first() != Some(moment) || self.clock.set(moment).is_ok();
        (rings && !queue.over).then_some(woken)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, moment: Instant, wake: oneshot::Sender<()>) {
        let number = self.next;
        self.next += 1;
        self.moments.push(Reverse((moment, number)));
        self.tasks.insert(number, wake);
    }

    fn first(&self) -> Option<Instant> {
        self.moments.peek().map(|Reverse((moment, _))| *moment)
    }

    fn take_due(&mut self, now: Instant, due: &mut Vec<oneshot::Sender<()>>) {
        while let Some(Reverse((moment, number))) = self.moments.peek() {
            if *moment > now {
                break;
            }
            due.extend(self.tasks.remove(number));
            self.moments.pop();
        }
    }
}

#[cfg(target_os = "linux")]
use fine::{Clock, Ringing};
#[cfg(not(target_os = "linux"))]
use whole::{Clock, Ringing};

/// On Linux, timers are file descriptors, for which the runtime waits as for sockets.
#[cfg(target_os = "linux")]
mod fine {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::time::Instant;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Clock(OwnedFd);

    impl Clock {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            Ok(Self(timerfd_create(TimerfdClockId::Monotonic, flags)?))
        }

        /// Sets it to ring at this moment only.
        pub(super) fn set(&self, moment: Instant) -> io::Result<()> {
            let left = moment.saturating_duration_since(Instant::now());
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let time = Itimerspec {
                it_interval: zero,
                it_value: Timespec {
                    tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                    // Nothing at all would be never.
                    tv_nsec: i64::from(left.subsec_nanos()).max(1),
                },
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &time)?;
            Ok(())
        }
    }

    /// A clock that a task waits for.
    pub(super) struct Ringing<'a>(AsyncFd<BorrowedFd<'a>>);

    impl<'a> Ringing<'a> {
        pub(super) fn of(clock: &'a Clock) -> io::Result<Self> {
            // SAFETY: the descriptor is borrowed from the clock, which keeps it open meanwhile.
            let fd =
                unsafe { AsyncFd::register_with_interest(clock.0.as_fd(), Interest::READABLE) }?;
            Ok(Self(fd))
        }

        /// Returns when it has rung.
        pub(super) async fn wait(&mut self) -> io::Result<()> {
            let read = |fd: &BorrowedFd<'a>| Ok(rustix::io::read(fd, &mut [0; 8])?);
            self.0.async_io(Interest::READABLE, read).await.map(drop)
        }
    }
}

/// On other systems, it can be late by one or two milliseconds.
#[cfg(not(target_os = "linux"))]
mod whole {
    use std::io;
    use std::time::Instant;

    use tokio::sync::watch;

    #[derive(Debug)]
    pub(super) struct Clock(watch::Sender<Option<Instant>>);

    impl Clock {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(watch::Sender::new(None)))
        }

        /// Sets it to ring at this moment only.
        pub(super) fn set(&self, moment: Instant) -> io::Result<()> {
            self.0.send_replace(Some(moment));
            Ok(())
        }
    }

    /// A clock that a task waits for.
    pub(super) struct Ringing(watch::Receiver<Option<Instant>>);

    impl Ringing {
        pub(super) fn of(clock: &Clock) -> io::Result<Self> {
            Ok(Self(clock.0.subscribe()))
        }

        /// Returns when it has rung.
        pub(super) async fn wait(&mut self) -> io::Result<()> {
            let over = |_| io::Error::other("the clock is gone");
            loop {
                let moment = *self.0.borrow_and_update();
                let Some(moment) = moment else {
                    self.0.changed().await.map_err(over)?;
                    continue;
                };
                tokio::select! {
                    () = tokio::time::sleep_until(moment.into()) => return Ok(()),
                    set = self.0.changed() => set.map_err(over)?,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn tasks_wake_in_the_order_of_their_moments_and_never_early() {
        let alarm = Arc::new(Alarm::new().unwrap());
        let running = alarm.clone();
        tokio::spawn(async move { running.run().await });
        let now = Instant::now();
        let later = alarm.wait_until(now + Duration::from_millis(20));
        let sooner = alarm.wait_until(now + Duration::from_millis(10));
        tokio::pin!(later);
        tokio::select! {
            () = &mut later => panic!("the later moment came first"),
            () = sooner => assert!(now.elapsed() >= Duration::from_millis(10)),
        }
        later.await;
        assert!(now.elapsed() >= Duration::from_millis(20));
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_wakes_at_once() {
        let alarm = Arc::new(Alarm::new().unwrap());
        let running = alarm.clone();
        tokio::spawn(async move { running.run().await });
        let moment = Instant::now();
        tokio::time::sleep(Duration::from_millis(2)).await;
        alarm.wait_until(moment).await;
    }
}
