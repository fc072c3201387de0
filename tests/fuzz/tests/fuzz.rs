//! Replays the corpus, then mutates it for `BEAMLET_FUZZ_SECONDS` (default: 2) for each target. The
//! mutations are the same each time.
//!
//! An input that breaks a promise is written to the test's folder under target/. Add it to the
//! corpus together with the fix.
#![allow(clippy::unwrap_used)]

use beamlet_fuzz::{TARGETS, Target};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// There is no more memory than this for an input. A parser that is refused some of it has to answer
/// with an error; one that does not ends the process.
const MOST_BYTES: usize = 512 << 20;

/// No input may take more time.
const LONGEST: Duration = Duration::from_secs(20);

/// Refuses what is more than [`MOST_BYTES`] at once.
struct Bounded;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

impl Bounded {
    fn take(layout: Layout, allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
        let size = layout.size();
        if TAKEN.fetch_add(size, Relaxed).saturating_add(size) > MOST_BYTES {
            TAKEN.fetch_sub(size, Relaxed);
            return std::ptr::null_mut();
        }
        allocate()
    }
}

// SAFETY: each call is passed on to the system's allocator as it comes, or answered with null.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        Self::take(layout, || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        Self::take(layout, || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A target with the file that holds the input of now: it is still there where an input ends the
/// process.
struct Runner {
    name: &'static str,
    target: Target,
    path: PathBuf,
    file: File,
}

impl Runner {
    fn new(name: &'static str, target: Target) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.input"));
        let file = File::create(&path).unwrap();
        Runner { name, target, path, file }
    }

    /// One input, within its time.
    fn run(&mut self, input: &[u8]) {
        // It is not made anew, as that takes longer than most inputs do.
        self.file.rewind().unwrap();
        self.file.write_all(input).unwrap();
        self.file.set_len(input.len() as u64).unwrap();
        let started = Instant::now();
        let ran = std::panic::catch_unwind(|| (self.target)(input));
        let (name, path) = (self.name, self.path.display());
        assert!(ran.is_ok(), "{name}: the input is {path}");
        let took = started.elapsed();
        assert!(took < LONGEST, "{name}: {took:?} for {path}");
    }
}

fn mutated(random: &mut fastrand::Rng, corpus: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    const BYTES: &[u8] = b"\"\n\r,;{}[]:\\0-\x00\xff\x7f\x80";
    let mut data = random.choice(corpus).unwrap().1.clone();
    for _ in 0..random.usize(1..8) {
        if data.is_empty() {
            data.push(0);
        }
        let (at, length) = (random.usize(..data.len()), random.usize(1..16));
        let end = data.len().min(at + length);
        match random.u8(..8) {
            0 | 1 => data[at] ^= 1 << random.u8(..8),
            2 => data[at] = *random.choice(BYTES).unwrap(),
            3 => data.insert(at, *random.choice(BYTES).unwrap()),
            4 => drop(data.drain(at..end)),
            5 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            6 if random.u8(..4) == 0 => data.truncate(at),
            6 => data[at..end].fill(random.u8(..)),
            _ => {
                let other = &random.choice(corpus).unwrap().1;
                let from = random.usize(..=other.len());
                let piece = other[from..other.len().min(from + length)].to_vec();
                data.splice(at..end, piece);
            }
        }
    }
    data
}

/// One target at a time: the memory is shared.
static ALONE: Mutex<()> = Mutex::new(());

fn fuzz(name: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = std::env::var("BEAMLET_FUZZ_SECONDS").ok().map_or(2.0, |it| it.parse().unwrap());
    let (name, target) = TARGETS.into_iter().find(|(of, _)| *of == name).unwrap();
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "{name} has a corpus");
    let mut runner = Runner::new(name, target);
    corpus.iter().for_each(|(_, input)| runner.run(input));
    let mut random = fastrand::Rng::with_seed(0);
    let (started, mut count) = (Instant::now(), 0_u64);
    while started.elapsed().as_secs_f64() < seconds {
        runner.run(&mutated(&mut random, &corpus));
        count += 1;
    }
    println!("{name}: {} inputs of the corpus, {count} mutations", corpus.len());
}

/// A test for each target.
macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn every_target_has_a_test() {
            assert_eq!(TARGETS.map(|(name, _)| name), [$(stringify!($name)),*]);
        }
    };
}

targets!(csv, ndjson, parquet, arrow, arrows, config, tecton_answer, edge_body);
