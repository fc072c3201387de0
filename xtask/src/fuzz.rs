//! `cargo xtask fuzz`: fuzzes the readers of files, configurations, responses and bodies.

use crate::machine::{self, cargo, run};
use crate::timings::step;
use crate::tools;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// libFuzzer needs the sanitizers of a nightly toolchain: this one.
const NIGHTLY: &str = "nightly-2026-05-20";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which: folders of tests/fuzz/corpus; all, where none is named
    targets: Vec<String>,
    /// How long for each
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// With the harness of the tests and the stable toolchain: what CI does
    #[arg(long)]
    stable: bool,
}

/// Fuzzes the targets.
pub(crate) fn fuzz(options: &Options) -> Result<()> {
    let all = targets()?;
    if let Some(other) = options.targets.iter().find(|target| !all.contains(target)) {
        bail!("there is no target {other}; there are {}", all.join(", "));
    }
    let targets = if options.targets.is_empty() { all } else { options.targets.clone() };
    if options.stable {
        stable(&targets, options.seconds)
    } else {
        libfuzzer(&targets, options.seconds)
    }
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder().join("corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn folder() -> PathBuf {
    machine::root().join("tests/fuzz")
}

/// Replays the kept corpus and mutates it: two targets at a time, each in a process of its own, as
/// the harness bounds the memory of its process.
fn stable(targets: &[String], seconds: u64) -> Result<()> {
    let test = |arguments: &[&str]| {
        let mut test = cargo(&["test", "--workspace", "--exclude", "beamlet-interop", "--release"]);
        test.args(["--test", "fuzz"]).args(arguments);
        test.env("BEAMLET_FUZZ_SECONDS", seconds.to_string());
        test
    };
    step("build the fuzzers", || run(&mut test(&["--no-run"])))?;
    step(format!("fuzz, {seconds} s for each"), || {
        let mut waiting = targets.iter();
        let mut running: Vec<(&String, Child)> = Vec::new();
        let mut failed = Vec::new();
        loop {
            while running.len() < 2
                && let Some(target) = waiting.next()
            {
                let mut command = test(&["--quiet", "--", "--exact", target, "--nocapture"]);
                let child = command.spawn().context("cargo could not be started")?;
                running.push((target, child));
            }
            if running.is_empty() {
                break;
            }
            let (target, mut child) = running.remove(0);
            if !child.wait()?.success() {
                failed.push(target.as_str());
            }
        }
        match failed.as_slice() {
            [] => Ok(()),
            failed => bail!(
                "found something: {}; the input lies at the path above; when it is mended, put it \
                 into tests/fuzz/corpus",
                failed.join(", ")
            ),
        }
    })
}

/// Runs libFuzzer on a copy of the corpus: what it keeps is not for the repository as it is.
fn libfuzzer(targets: &[String], seconds: u64) -> Result<()> {
    let nightly = Command::new("rustup").args(["run", NIGHTLY, "rustc", "--version"]).output();
    if !nightly.is_ok_and(|it| it.status.success()) {
        eprintln!("installing {NIGHTLY}");
        let mut install = Command::new("rustup");
        install.args(["toolchain", "install", NIGHTLY, "--profile", "minimal"]);
        run(&mut install).with_context(|| format!("{NIGHTLY} could not be installed"))?;
    }
    let cargo_fuzz = tools::CARGO_FUZZ.ensure()?;
    let work = machine::target_dir().join("fuzz");
    let mut found = Vec::new();
    for target in targets {
        let (corpus, artifacts) =
            (work.join("corpus").join(target), work.join("found").join(target));
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(&artifacts)?;
        let before = files(&artifacts)?;
        let mut fuzz = Command::new(&cargo_fuzz);
        fuzz.current_dir(machine::root()).env("RUSTUP_TOOLCHAIN", NIGHTLY);
        fuzz.args(["run", "--fuzz-dir", "tests/fuzz/libfuzzer", "--target-dir"]).arg(&work);
        fuzz.arg(target).arg(&corpus).arg(folder().join("corpus").join(target)).arg("--");
        fuzz.arg(format!("-max_total_time={seconds}"));
        // Memory and time that an input may take, as in the harness of the tests.
        fuzz.args(["-rss_limit_mb=2048", "-malloc_limit_mb=512", "-timeout=20"]);
        fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()));
        fuzz.args(["-print_final_stats=1", "-print_funcs=0", "-verbosity=0"]).stdin(Stdio::null());
        eprintln!("{target}: {seconds} s");
        let ended = step(format!("fuzz {target}"), || run(&mut fuzz));
        let new: Vec<_> =
            files(&artifacts)?.into_iter().filter(|it| !before.contains(it)).collect();
        match ended {
            Err(error) if new.is_empty() => return Err(error),
            Err(_) => found.extend(new.into_iter().map(|path| (target, path))),
            Ok(()) => eprintln!("{target}: nothing found"),
        }
    }
    for (target, path) in &found {
        eprintln!(
            "{target}: {}\n  to see it again: cp it into tests/fuzz/corpus/{target}, then \
             cargo xtask fuzz --stable --seconds 0 {target}",
            path.display()
        );
    }
    if found.is_empty() { Ok(()) } else { bail!("{} inputs break a promise", found.len()) }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}
