//! Every file that a command reads or writes, by what the command line calls it. Two of them that
//! are one file are refused before any is opened: one would overwrite the other.

use super::failure::Usage;
use beamlet_formats::{Identity, Place, Target};
use std::path::{Path, PathBuf};

/// The files of a command.
#[derive(Default)]
pub(crate) struct Touched(Vec<File>);

struct File {
    /// What it is for: an option, or a key of the configuration.
    option: String,
    path: PathBuf,
    place: Place,
    identity: Option<Identity>,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Read,
    /// All that is to be enriched: the output may take its place, when it is complete.
    Input,
    /// One of several files that are to be enriched.
    Part,
    Output,
    Write,
}

impl Role {
    fn writes(self) -> bool {
        matches!(self, Role::Output | Role::Write)
    }
}

impl Touched {
    /// A file that is read.
    pub(crate) fn reads(&mut self, option: impl Into<String>, path: &Path) {
        self.push(option.into(), path, place(path, Place::Stdin), Role::Read);
    }

    /// A file that is written, or standard output for `-`.
    pub(crate) fn writes(&mut self, option: impl Into<String>, path: &Path) {
        self.push(option.into(), path, place(path, Place::Stdout), Role::Write);
    }

    /// The rows: what the option says, and the files that it stands for.
    pub(crate) fn input(&mut self, option: &str, path: &Path, files: &[PathBuf]) {
        match files {
            [] => self.push(option.to_owned(), path, place(path, Place::Stdin), Role::Input),
            [file] if file == path => {
                self.push(option.to_owned(), path, Place::of(path), Role::Input);
            }
            files => {
                for file in files {
                    let option = format!("{option} {}", path.display());
                    self.push(option, file, Place::of(file), Role::Part);
                }
            }
        }
    }

    /// The enriched rows.
    pub(crate) fn output(&mut self, option: &str, path: &Path) {
        self.push(option.to_owned(), path, place(path, Place::Stdout), Role::Output);
    }

    fn push(&mut self, option: String, path: &Path, place: Place, role: Role) {
        let identity = place.identity();
        self.0.push(File { option, path: path.to_owned(), place, identity, role });
    }

    /// Whether no file is two of them.
    ///
    /// # Errors
    /// The first two that are one file.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let writes = self.0.iter().enumerate().filter(|(_, file)| file.role.writes());
        for (at, written) in writes {
            let before = self.0[..at].iter();
            let reads_behind = self.0[at..].iter().filter(|file| !file.role.writes());
            for other in before.chain(reads_behind) {
                if written.is(other) && !written.takes_the_place_of(other) {
                    return Err(Usage(written.refused(other)));
                }
            }
        }
        Ok(())
    }
}

impl File {
    fn is(&self, other: &File) -> bool {
        // A terminal can take two outputs, but not under one name: their bytes would mingle.
        let is_standard = matches!(self.place, Place::Stdout | Place::Stderr);
        if is_standard && self.place == other.place {
            return true;
        }
        match (&self.identity, &other.identity) {
            (Some(Identity::Device), _) | (None, _) | (_, None) => false,
            (one, other) => one == other,
        }
    }

    /// Whether it replaces the input by a new file, when that has been read.
    fn takes_the_place_of(&self, other: &File) -> bool {
        self.role == Role::Output && other.role == Role::Input && !self.place.is_stream()
    }

    fn refused(&self, other: &File) -> String {
        let (name, others) = (self.name(), other.name());
        if self.place == Place::Stdout && other.place == Place::Stdout {
            return format!(
                "{name} and {others} are both standard output; name a file for one of them"
            );
        }
        match other.role {
            Role::Output | Role::Write => {
                format!("{name} and {others} are the same file; name another one for one of them")
            }
            Role::Part => format!(
                "{name} is one of the files that {} reads; write it to another directory, or name \
                 the input with a pattern that leaves it out",
                other.option
            ),
            Role::Read | Role::Input => {
                format!("{name} is the file that {others} reads; name another one")
            }
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.option, self.path.display())
    }
}

/// Whether a path stands for standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// What a path stands for; `-` for a stream of the process.
pub(crate) fn place(path: &Path, dash: Place) -> Place {
    if is_dash(path) { dash } else { Place::of(path) }
}

/// What is written at a path; `-` is standard output.
pub(crate) fn target(path: &Path) -> Target {
    match place(path, Place::Stdout) {
        Place::Stdout => Target::stream(name(path, "standard output"), std::io::stdout()),
        _ => Target::path(path),
    }
}

/// A path, or what `-` is called.
pub(crate) fn name(path: &Path, dash: &str) -> String {
    if is_dash(path) { dash.to_owned() } else { path.display().to_string() }
}
