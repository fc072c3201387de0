//! Builds the Tecton handler as a component, so that it is built into the library.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "tecton")]
    tecton::build();
}

#[cfg(feature = "tecton")]
mod tecton {
    use std::fs::File;
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;
    use std::{env, fs};

    pub(super) fn build() {
        let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
        let root = here.ancestors().nth(2).expect("the engine is in the workspace").to_path_buf();
        let guests = guests_dir(&root);
        for input in ["guest", "config", "contract", "wit", "Cargo.toml", "Cargo.lock"] {
            println!("cargo::rerun-if-changed={}", root.join(input).display());
        }
        println!("cargo::rerun-if-changed={}", revision(&root, &guests).display());
        let component = beamlet_guest_build::component(&root, &guests, "beamlet-tecton")
            .unwrap_or_else(|error| panic!("{error:#}"));
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("tecton.wasm");
        fs::copy(&component, &out).expect("the component can be copied to OUT_DIR");
    }

    /// The note of the sources' revision, which `cargo xtask` keeps up to date: a commit of what
    /// was built from a changed tree makes another component, and a commit of anything else none.
    fn revision(root: &Path, guests: &Path) -> PathBuf {
        let note = beamlet_guest_build::revision::note(root, guests)
            .unwrap_or_else(|error| panic!("{}: {error}", guests.display()));
        // This build is of that revision: a note of now would be younger than it, and ask for another.
        let aged = File::options().write(true).open(&note);
        aged.and_then(|note| note.set_modified(SystemTime::UNIX_EPOCH))
            .expect("the note's time can be set");
        note
    }

    /// One directory for all profiles and commands: `guests` beside the profile's own.
    fn guests_dir(root: &Path) -> PathBuf {
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        // target/PROFILE/build/PACKAGE-HASH/out
        match out.ancestors().nth(4) {
            Some(target) => target.join("guests"),
            None => root.join("target/guests"),
        }
    }
}
