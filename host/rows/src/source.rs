//! Where rows are read from.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::RowsError;

/// An input with the name that origins and errors call it by.
pub struct Source {
    name: Arc<str>,
    input: Input,
}

enum Input {
    Path(PathBuf),
    Stream(Box<dyn Read + Send>),
}

impl Source {
    /// The file at `path`; it is opened with the reader.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), input: Input::Path(path) }
    }

    /// What `stream` brings, such as standard input, under a name for messages.
    pub fn stream(name: impl Into<Arc<str>>, stream: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), input: Input::Stream(Box::new(stream)) }
    }

    /// The name that origins and errors use.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn open(self) -> Result<(Arc<str>, Box<dyn Read + Send>), RowsError> {
        let stream = match self.input {
            Input::Stream(stream) => stream,
            Input::Path(path) => match File::open(path) {
                Ok(file) => Box::new(file),
                Err(cause) => return Err(RowsError::Open { name: self.name, cause }),
            },
        };
        Ok((self.name, stream))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}
