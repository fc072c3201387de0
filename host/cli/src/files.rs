//! The files that a command reads or writes. Two options that name the same file are rejected before
//! any file is opened, because one would overwrite the other.

use super::failure::Usage;
use beamlet_formats::{Identity, Output, Place, RowsError, Target};
use std::path::{Path, PathBuf};

/// The files of a command.
#[derive(Default)]
pub(crate) struct CommandFiles(Vec<File>);

struct File {
    /// The option, or the key of the configuration, that names the file.
    option: String,
    path: PathBuf,
    place: Place,
    identity: Option<Identity>,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Read,
    /// The whole input: the output may replace it, once it is complete.
    Input,
    /// One of several input files.
    Part,
    Output,
    Write,
}

impl Role {
    fn writes(self) -> bool {
        matches!(self, Role::Output | Role::Write)
    }
}

impl CommandFiles {
    /// A file that is read.
    pub(crate) fn reads(&mut self, option: impl Into<String>, path: &Path) {
        self.push(option.into(), path, place(path, Place::Stdin), Role::Read);
    }

    /// A file that is written, or standard output for `-`.
    pub(crate) fn writes(&mut self, option: impl Into<String>, path: &Path) {
        self.push(option.into(), path, place(path, Place::Stdout), Role::Write);
    }

    /// The input: the option's value, and the files that it stands for.
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

    /// Checks that no two options name the same file.
    ///
    /// # Errors
    /// Two options name the same file.
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
        // Two outputs to one standard stream would be mixed, even on a terminal.
        let is_standard = matches!(self.place, Place::Stdout | Place::Stderr);
        if is_standard && self.place == other.place {
            return true;
        }
        match (&self.identity, &other.identity) {
            (Some(Identity::Device), _) | (None, _) | (_, None) => false,
            (one, other) => one == other,
        }
    }

    /// Whether it replaces the input with a new file after the input was read.
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
                format!("{name} and {others} are the same file; name another file for one of them")
            }
            Role::Part => format!(
                "{name} is one of the files that {} reads; write it to another directory, or name \
                 the input with a pattern that leaves it out",
                other.option
            ),
            Role::Read | Role::Input => {
                format!("{name} is the file that {others} reads; name another file")
            }
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.option, self.path.display())
    }
}

/// Whether a path means standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// What a path refers to; `dash` for `-`.
pub(crate) fn place(path: &Path, dash: Place) -> Place {
    if is_dash(path) { dash } else { Place::of(path) }
}

/// The output at a path; standard output for `-`.
pub(crate) fn target(path: &Path) -> Target {
    match place(path, Place::Stdout) {
        Place::Stdout => Target::stream(name(path, "standard output"), std::io::stdout()),
        _ => Target::path(path),
    }
}

/// A path for messages; `dash` for `-`.
pub(crate) fn name(path: &Path, dash: &str) -> String {
    if is_dash(path) { dash.to_owned() } else { path.display().to_string() }
}

/// A report that is written at the end of a command, completely or not at all. A file is created
/// before the work, so that an error shows early. A pipe is opened at the end, because its reader
/// may wait for other output first.
pub(crate) enum ReportFile {
    Opened(Box<Output>),
    Later(Target),
}

impl ReportFile {
    /// Creates the file, or keeps the pipe for later.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn create(path: &Path) -> Result<Self, RowsError> {
        let target = target(path);
        Ok(match place(path, Place::Stdout).is_stream() {
            true => ReportFile::Later(target),
            false => ReportFile::Opened(Box::new(target.create()?)),
        })
    }

    /// Writes the whole report.
    ///
    /// # Errors
    /// It cannot be written. The file does not exist then.
    pub(crate) fn write(self, text: &str) -> Result<(), RowsError> {
        let mut output = match self {
            ReportFile::Opened(output) => *output,
            ReportFile::Later(target) => target.create()?,
        };
        output.write(text.as_bytes())?;
        output.finish().map(drop)
    }
}
