//! The commit of the sources that a component is made of, and a file with it. A program that embeds
//! a component is out of date when the file changes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// The sources of a component. A commit that touches none of them does not change it.
const SOURCES: [&str; 7] =
    ["guest", "config", "contract", "wit", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// The last commit that touched the sources of a component, in full, and `-dirty` where they have
/// been changed since. `None` without git, or without a commit.
pub fn of(root: &Path) -> Option<String> {
    // A repository that only contains this tree says nothing about it.
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

/// The output of git for the sources; `None` where it fails.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(arguments);
    if arguments[0] != "rev-parse" {
        git.arg("--").args(SOURCES);
    }
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
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
        let output = git.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
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
        assert_eq!(
            of(&tree.path().join("unpacked")),
            None,
            "the repository that contains it is another one"
        );
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
