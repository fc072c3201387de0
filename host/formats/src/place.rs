//! What a path stands for, without its links: a file, or a descriptor of this process.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The system follows as many links.
const MOST_LINKS: usize = 40;

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The process's standard input, such as `/dev/stdin`.
    Stdin,
    /// The process's standard output, such as `/dev/stdout` or `/dev/fd/1`.
    Stdout,
    /// The process's standard error, such as `/dev/stderr`.
    Stderr,
    /// Another descriptor of the process, such as what `>(command)` of a shell gives.
    Descriptor(PathBuf),
    /// A path whose last part is no link. Whether something is there is another question.
    Path(PathBuf),
}

impl Place {
    /// Follows the links of `path`, also to where nothing is yet.
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

    /// Whether bytes come or go one after the other, and none can be taken back: it is no regular
    /// file under a name.
    pub fn is_stream(&self) -> bool {
        match self {
            Place::Path(path) => {
                fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
            }
            Place::Stdin | Place::Stdout | Place::Stderr | Place::Descriptor(_) => true,
        }
    }

    /// What tells it from other files; `None` if nothing can be found out.
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

/// What tells a file from others, whatever its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A regular file, a named pipe, or what else holds data.
    File {
        /// The device that it is on.
        device: u64,
        /// Its number there.
        inode: u64,
    },
    /// A terminal, `/dev/null`, or a socket: nothing in it can be overwritten.
    Device,
    /// A file that would be new.
    Absent {
        /// The directory, without links.
        directory: PathBuf,
        /// The name in it.
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

/// The number of the descriptor that a path is a name of: `/dev/fd/1`, `/proc/self/fd/1`.
fn descriptor(path: &Path) -> Option<u32> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let directory = directory_of(path).canonicalize().ok()?;
    let own = Path::new("/proc").join(std::process::id().to_string());
    let is_own = directory.starts_with(own) && directory.ends_with("fd");
    (is_own || directory == Path::new("/dev/fd")).then_some(number)
}

/// Standard input, as a file with no buffer of its own.
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
    fn a_descriptor_is_known_by_each_of_its_names() {
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
    fn a_link_to_where_nothing_is_yet_stands_for_that_place() {
        let folder = tempfile::tempdir().unwrap();
        symlink("there", folder.path().join("link")).unwrap();
        symlink("link", folder.path().join("second")).unwrap();
        let place = Place::of(folder.path().join("second"));
        assert_eq!(place, Place::Path(folder.path().join("there")));
        assert_eq!(place.identity(), Place::of(folder.path().join("./there")).identity());
    }

    #[test]
    fn a_file_is_the_same_by_another_spelling_a_link_or_a_hard_link() {
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
