//! Which commit of the sources a component is made of, and a file that notes it: a program that
//! has a component in it is out of date when the note changes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// All that goes into a component. A commit that touches none of it makes no other one.
const SOURCES: [&str; 6] =
    ["guest", "config", "wit", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// The last commit that touched a component's sources, in full, with `-dirty` behind it where
/// they have been changed since. Nothing where there is no git, or no commit.
pub fn of(root: &Path) -> Option<String> {
    // Of a tree without its own git, one around it may know nothing.
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    let commit = git(root, &["log", "--max-count=1", "--format=%H"])?;
    if commit.is_empty() {
        return None;
    }
    let changes = git(root, &["status", "--porcelain"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
}

/// Writes the sources' revision to the file `revision` in `guests`, unless the file holds it
/// already, so that its time changes only with the revision. Returns the file.
///
/// # Errors
/// The file cannot be written.
pub fn note(root: &Path, guests: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(guests)?;
    let file = guests.join("revision");
    let revision = of(root).unwrap_or_default();
    if !fs::read(&file).is_ok_and(|noted| noted == revision.as_bytes()) {
        fs::write(&file, revision)?;
    }
    Ok(file)
}

/// What git says of the sources; nothing where it fails.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(arguments);
    if arguments[0] != "rev-parse" {
        git.arg("--").args(SOURCES);
    }
    let told = git.output().ok().filter(|told| told.status.success())?;
    Some(String::from_utf8(told.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with a guest in it, and git.
    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("guest")).unwrap();
        fs::write(tree.path().join("guest/lib.rs"), "one").unwrap();
        run(&tree, &["init", "--quiet"]);
        tree
    }

    fn run(tree: &tempfile::TempDir, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.current_dir(tree.path()).args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        let told = git.args(arguments).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    }

    fn commit(tree: &tempfile::TempDir) -> String {
        run(tree, &["add", "--all"]);
        run(tree, &["commit", "--quiet", "--message", "x"]);
        run(tree, &["rev-parse", "HEAD"])
    }

    #[test]
    fn a_tree_without_git_or_without_a_commit_has_no_revision() {
        let tree = tree();
        assert_eq!(of(tree.path()), None);
        commit(&tree);
        fs::create_dir(tree.path().join("unpacked")).unwrap();
        assert_eq!(of(&tree.path().join("unpacked")), None, "the git around it is another's");
    }

    #[test]
    fn the_revision_is_the_last_commit_of_what_goes_into_a_component() {
        let tree = tree();
        let first = commit(&tree);
        assert_eq!(of(tree.path()), Some(first.clone()));
        fs::write(tree.path().join("README.md"), "two").unwrap();
        assert_eq!(of(tree.path()), Some(first.clone()));
        commit(&tree);
        assert_eq!(of(tree.path()), Some(first.clone()));
        fs::write(tree.path().join("guest/lib.rs"), "two").unwrap();
        assert_eq!(of(tree.path()), Some(format!("{first}-dirty")));
        let second = commit(&tree);
        assert_eq!(of(tree.path()), Some(second));
    }
}
