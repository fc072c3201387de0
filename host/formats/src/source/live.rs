//! A pipe or a terminal that is waited for only so long.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use crate::Patience;

/// How often a wait without an end looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// Reads what is there. Where nothing is, waits as long as there is patience, and then fails with
/// [`WouldBlock`](io::ErrorKind::WouldBlock); nothing is lost by that.
pub(super) struct Live {
    file: File,
    patience: Patience,
}

impl Live {
    pub(super) fn new(file: File, patience: Patience) -> Self {
        Self { file, patience }
    }
}

impl Read for Live {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !is_readable(&self.file, &self.patience)? {}
        self.file.read(buffer)
    }
}

#[cfg(unix)]
fn is_readable(file: &File, patience: &Patience) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let left = patience.left(SLICE)?;
    let left = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) as _ };
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&left)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn is_readable(_: &File, _: &Patience) -> io::Result<bool> {
    Ok(true)
}
