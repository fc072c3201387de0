//! Where rows are read from: files, directories, patterns of files, or a stream.

mod files;
mod live;
mod part;
mod progress;

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Format, RowsError, place};

pub use self::live::Patience;
pub(crate) use self::part::Part;
pub use self::progress::InputProgress;
pub(crate) use self::progress::Share;
use crate::format::Magic;

/// An input and its name for error messages: one file, many parts, or a stream.
pub struct Source {
    name: Arc<str>,
    input: Input,
    progress: Option<Arc<InputProgress>>,
}

enum Input {
    /// Files, directories, or patterns. They are resolved when the source is opened.
    Paths(Vec<PathBuf>),
    Stream(Box<dyn Read + Send>),
    /// The process's standard input.
    Stdin(std::fs::File),
}

impl Source {
    /// The input at `path`. It is opened by the reader.
    ///
    /// A directory stands for its files in the order of their names, without those that begin with
    /// `.` or `_`, such as `_SUCCESS`. A path that does not exist and contains `*`, `?` or `[` is a
    /// pattern. It stands for the paths that match, in the order of their names; `**` stands for
    /// any directories. Names that begin with `.` or `_` match only if the pattern begins with that
    /// character, too. A file that several paths lead to, through links, is read once.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self::paths([path.into()])
    }

    /// The inputs at `paths`, one after another, each resolved as in [`path`](Self::path).
    pub fn paths(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        let names: Vec<_> = paths.iter().map(|it| it.display().to_string()).collect();
        Self { name: names.join(", ").into(), input: Input::Paths(paths), progress: None }
    }

    /// A stream, with a name for messages.
    pub fn stream(name: impl Into<Arc<str>>, stream: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), input: Input::Stream(Box::new(stream)), progress: None }
    }

    /// The process's standard input, with a name for messages. A reader with [`Patience`] waits no
    /// longer than that for more rows.
    pub fn stdin(name: impl Into<Arc<str>>) -> Self {
        let input = match place::stdin() {
            Ok(file) => Input::Stdin(file),
            Err(_) => Input::Stream(Box::new(std::io::stdin())),
        };
        Self { name: name.into(), input, progress: None }
    }

    /// Reports to `progress` how far the input has been read, if it consists of files.
    #[must_use]
    pub fn watched(mut self, progress: Arc<InputProgress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The name for errors. Origins use the name of the part.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.input, Input::Stream(_) | Input::Stdin(_))
    }

    /// The format of all parts: Parquet or Arrow if the first bytes of the first part show it,
    /// otherwise the format that the extensions name, otherwise NDJSON if the text begins with `{`.
    /// `None` for a stream.
    ///
    /// # Errors
    /// No part is found, an extension does not name a format, or two extensions name different
    /// formats.
    pub fn format(&self) -> Result<Option<Format>, RowsError> {
        let Input::Paths(paths) = &self.input else { return Ok(None) };
        let parts = files::resolved(paths)?;
        files::format(&parts)?;
        let Some(first) = parts.first() else { return Ok(None) };
        match part::magic_of(first) {
            Some(Magic::Columnar(format)) => Ok(Some(format)),
            _ => match Format::from_path(first) {
                Err(_) if part::begins_an_object(first) => Ok(Some(Format::Ndjson)),
                named => Ok(Some(named?)),
            },
        }
    }

    /// The files that the source stands for; none for a stream.
    ///
    /// # Errors
    /// No part is found.
    pub fn files(&self) -> Result<Vec<PathBuf>, RowsError> {
        match &self.input {
            Input::Paths(paths) => files::resolved(paths),
            Input::Stream(_) | Input::Stdin(_) => Ok(Vec::new()),
        }
    }

    /// The parts, not opened yet.
    pub(crate) fn parts(self, patience: &Patience) -> Result<Vec<Part>, RowsError> {
        match self.input {
            Input::Stream(stream) => Ok(vec![Part::stream(self.name, stream)]),
            Input::Stdin(file) => {
                let stream = live::Live::new(file, patience.clone());
                Ok(vec![Part::stream(self.name, Box::new(stream))])
            }
            Input::Paths(paths) => {
                let paths = files::resolved(&paths)?;
                files::format(&paths)?;
                if let Some(progress) = &self.progress
                    && let Some(bytes) = files::bytes(&paths)
                {
                    progress.set_total(bytes);
                }
                let part = |path| Part::path(path, self.progress.clone(), patience.clone());
                Ok(paths.into_iter().map(part).collect())
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}
