//! A clock that rings at a moment, finer than tokio's where the system has such a one.

#[cfg(target_os = "linux")]
pub(super) use fine::{Clock, Ringing};
#[cfg(not(target_os = "linux"))]
pub(super) use whole::{Clock, Ringing};

/// Linux' timers are files, which the runtime waits for as it does for sockets.
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
    pub(in crate::server) struct Clock(OwnedFd);

    impl Clock {
        pub(in crate::server) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            Ok(Self(timerfd_create(TimerfdClockId::Monotonic, flags)?))
        }

        /// Has it ring at this moment, and at no other.
        pub(in crate::server) fn set(&self, moment: Instant) -> io::Result<()> {
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

    /// A clock that is listened to.
    pub(in crate::server) struct Ringing<'a>(AsyncFd<BorrowedFd<'a>>);

    impl<'a> Ringing<'a> {
        pub(in crate::server) fn of(clock: &'a Clock) -> io::Result<Self> {
            // SAFETY: the descriptor is borrowed from the clock, which keeps it open meanwhile.
            let fd =
                unsafe { AsyncFd::register_with_interest(clock.0.as_fd(), Interest::READABLE) }?;
            Ok(Self(fd))
        }

        /// Returns when it has rung.
        pub(in crate::server) async fn wait(&mut self) -> io::Result<()> {
            let read = |fd: &BorrowedFd<'a>| Ok(rustix::io::read(fd, &mut [0; 8])?);
            self.0.async_io(Interest::READABLE, read).await.map(drop)
        }
    }
}

/// Elsewhere a moment is late by up to a millisecond or two.
#[cfg(not(target_os = "linux"))]
mod whole {
    use std::io;
    use std::time::Instant;

    use tokio::sync::watch;

    #[derive(Debug)]
    pub(in crate::server) struct Clock(watch::Sender<Option<Instant>>);

    impl Clock {
        pub(in crate::server) fn new() -> io::Result<Self> {
            Ok(Self(watch::Sender::new(None)))
        }

        /// Has it ring at this moment, and at no other.
        pub(in crate::server) fn set(&self, moment: Instant) -> io::Result<()> {
            self.0.send_replace(Some(moment));
            Ok(())
        }
    }

    /// A clock that is listened to.
    pub(in crate::server) struct Ringing(watch::Receiver<Option<Instant>>);

    impl Ringing {
        pub(in crate::server) fn of(clock: &Clock) -> io::Result<Self> {
            Ok(Self(clock.0.subscribe()))
        }

        /// Returns when it has rung.
        pub(in crate::server) async fn wait(&mut self) -> io::Result<()> {
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
