//! What a path refers to once links are followed: a file, or a descriptor of this process.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The number of links that the system follows.
const MOST_LINKS: usize = 40;

/// What a path refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The process's standard input, such as `/dev/stdin`.
    Stdin,
    /// The process's standard output, such as `/dev/stdout` or `/dev/fd/1`.
    Stdout,
    /// The process's standard error, such as `/dev/stderr`.
    Stderr,
    /// Another descriptor of the process, such as the one that a shell passes for `>(command)`.
    Descriptor(PathBuf),
    /// A path whose last part is not a link. The file need not exist.
    Path(PathBuf),
}

impl Place {
    /// Follows the links of `path`, even if the last one leads to a file that does not exist yet.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        let mut path = path.into();
        for _ in 0..MOST_LINKS {
            match descriptor(&path) {
                Some(0) => return Place::Stdin,
                Some(1) => return Place::Stdout,
                Some(2) => return Place::Stderr,
                Some(_) => return Place::Descriptor(path),
                None => {}
            }
            let Ok(target) = fs::read_link(&path) else { break };
            path = directory_of(&path).join(target);
        }
        Place::Path(path)
    }

    /// Whether it is a stream, such as a pipe or a terminal, rather than a regular file under a
    /// name.
    pub fn is_stream(&self) -> bool {
        match self {
            Place::Path(path) => {
                fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
            }
            Place::Stdin | Place::Stdout | Place::Stderr | Place::Descriptor(_) => true,
        }
    }

    /// Identifies the file; `None` if that is not possible.
    pub fn identity(&self) -> Option<Identity> {
        let path = match self {
            Place::Stdin => return Identity::found(&stdin().ok()?.metadata().ok()?),
            Place::Stdout => return Identity::found(&stdout().ok()?.metadata().ok()?),
            Place::Stderr => return Identity::found(&stderr().ok()?.metadata().ok()?),
            Place::Descriptor(path) | Place::Path(path) => path,
        };
        match fs::metadata(path) {
            Ok(found) => Identity::found(&found),
            Err(_) => {
                let directory = directory_of(path).canonicalize().ok()?;
                Some(Identity::Absent { directory, name: path.file_name()?.to_owned() })
            }
        }
    }
}

/// Identifies a file, whatever path is used for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A regular file, a named pipe, or another file that holds data.
    File {
        /// The device of the file system.
        device: u64,
        /// The inode number.
        inode: u64,
    },
    /// A terminal, `/dev/null`, or a socket: it holds no data that could be overwritten.
    Device,
    /// A file that does not exist yet.
    Absent {
        /// The directory, without links.
        directory: PathBuf,
        /// The file name.
        name: OsString,
    },
}

impl Identity {
    #[cfg(unix)]
    fn found(found: &Metadata) -> Option<Self> {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let kind = found.file_type();
        if kind.is_char_device() || kind.is_socket() {
            return Some(Identity::Device);
        }
        Some(Identity::File { device: found.dev(), inode: found.ino() })
    }

    #[cfg(not(unix))]
    fn found(_: &Metadata) -> Option<Self> {
        None
    }
}

/// The directory of a path.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

/// The number of the descriptor that a path names: `/dev/fd/1`, `/proc/self/fd/1`.
fn descriptor(path: &Path) -> Option<u32> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let directory = directory_of(path).canonicalize().ok()?;
    let own = Path::new("/proc").join(std::process::id().to_string());
    let is_own = directory.starts_with(own) && directory.ends_with("fd");
    (is_own || directory == Path::new("/dev/fd")).then_some(number)
}

/// Standard input as an unbuffered file.
#[cfg(unix)]
pub(crate) fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(unix)]
fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(unix)]
fn stderr() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
pub(crate) fn stdin() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
use stdin as stdout;
#[cfg(not(unix))]
use stdin as stderr;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_descriptor_is_recognised_under_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/stdout", &link).unwrap();
        for path in [
            Path::new("/dev/stdout"),
            Path::new("/dev/fd/1"),
            Path::new("/proc/self/fd/1"),
            Path::new("/dev/../dev/fd/./1"),
            &link,
        ] {
            assert_eq!(Place::of(path), Place::Stdout, "{}", path.display());
        }
        assert_eq!(Place::of("/dev/stderr"), Place::Stderr);
    }

    #[test]
    fn a_dangling_link_refers_to_the_file_that_would_be_created() {
        let folder = tempfile::tempdir().unwrap();
        symlink("there", folder.path().join("link")).unwrap();
        symlink("link", folder.path().join("second")).unwrap();
        let place = Place::of(folder.path().join("second"));
        assert_eq!(place, Place::Path(folder.path().join("there")));
        assert_eq!(place.identity(), Place::of(folder.path().join("./there")).identity());
    }

    #[test]
    fn another_spelling_a_link_and_a_hard_link_identify_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        std::fs::write(at("other"), "").unwrap();
        symlink("file", at("link")).unwrap();
        std::fs::hard_link(at("file"), at("hard")).unwrap();
        let file = Place::of(at("file")).identity();
        for name in ["./file", "link", "hard"] {
            assert_eq!(Place::of(at(name)).identity(), file, "{name}");
        }
        assert_ne!(Place::of(at("other")).identity(), file);
    }
}
