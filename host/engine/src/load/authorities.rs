//! The authorities that the environment adds to those that are trusted: a variable that names none
//! is told, as nothing else would say why a store is not trusted.

use std::env;
use std::path::Path;

/// What a certificate begins with, in PEM.
const PEM: [&[u8]; 2] = [b"-----BEGIN CERTIFICATE-----", b"-----BEGIN TRUSTED CERTIFICATE-----"];

/// What is wrong with `SSL_CERT_FILE` and `SSL_CERT_DIR`, a line each: nothing else would say why a
/// store is not trusted.
pub fn authorities() -> impl Iterator<Item = String> {
    let file = env::var_os("SSL_CERT_FILE").and_then(|file| {
        let file = Path::new(&file);
        let problem = match std::fs::read(file) {
            Ok(text) if PEM.iter().any(|pem| holds(&text, pem)) => return None,
            Ok(_) => "holds no certificate".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        Some(format!(
            "SSL_CERT_FILE={}: {problem}; name a file of PEM certificates, or unset it",
            file.display()
        ))
    });
    let directories = env::var_os("SSL_CERT_DIR");
    let directories = directories.iter().flat_map(env::split_paths).collect::<Vec<_>>();
    let directories = directories.into_iter().filter_map(|directory| {
        let error = std::fs::read_dir(&directory).err()?;
        Some(format!(
            "SSL_CERT_DIR={}: cannot be read: {error}; name a directory of certificates, or unset it",
            directory.display()
        ))
    });
    file.into_iter().chain(directories)
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
