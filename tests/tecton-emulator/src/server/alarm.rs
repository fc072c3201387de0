//! Wakes a task at a moment, to about a tenth of a millisecond. Tokio's timer counts whole
//! milliseconds, so that answers delayed by 5 ms would leave in bursts, up to 2 ms late.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::oneshot;

/// A thread that sleeps until the next moment that a task waits for. It ends with its owner.
#[derive(Debug)]
pub(super) struct Alarm {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    moments: BinaryHeap<Reverse<(Instant, u64)>>,
    /// The tasks by the number of their moment; numbers are given in order.
    tasks: hashbrown::HashMap<u64, oneshot::Sender<()>>,
    next: u64,
    stopped: bool,
}

impl Alarm {
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("tecton-emulator-alarm".to_owned())
            .spawn(move || of_thread.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Returns when `moment` has passed.
    pub(super) async fn wait_until(&self, moment: Instant) {
        let (wake, woken) = oneshot::channel();
        let is_first = self.shared.queue().push(moment, wake);
        if is_first {
            self.shared.changed.notify_one();
        }
        // It fails only when the emulator stops, which ends the waiting too.
        let _ = woken.await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.queue().stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut due = Vec::new();
        let mut queue = self.queue();
        while !queue.stopped {
            let now = Instant::now();
            queue.take_due(now, &mut due);
            if !due.is_empty() {
                drop(queue);
                for wake in due.drain(..) {
                    // A task that has been dropped does not mind.
                    let _ = wake.send(());
                }
                queue = self.queue();
                continue;
            }
            queue = match queue.moments.peek() {
                Some(Reverse((moment, _))) => {
                    let time = moment.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(queue, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Queue {
    /// Whether the moment is before all others.
    fn push(&mut self, moment: Instant, wake: oneshot::Sender<()>) -> bool {
        let number = self.next;
        self.next += 1;
        self.moments.push(Reverse((moment, number)));
        self.tasks.insert(number, wake);
        self.moments.peek() == Some(&Reverse((moment, number)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn tasks_wake_in_the_order_of_their_moments_and_never_early() {
        let alarm = Alarm::start().unwrap();
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

    #[test]
    fn a_dropped_alarm_ends_its_thread_though_a_task_waits() {
        let alarm = Alarm::start().unwrap();
        let (wake, _woken) = oneshot::channel();
        alarm.shared.queue().push(Instant::now() + Duration::from_secs(3_600), wake);
        drop(alarm);
    }
}
