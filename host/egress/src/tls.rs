//! Which authorities are trusted over TLS: Mozilla's list, and those that this machine trusts besides
//! (a company's own, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name). One rule for stores,
//! registries, collectors and Redis.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::env;
use std::path::Path;
use std::sync::Arc;

/// What a certificate begins with, in PEM.
const PEM: [&[u8]; 2] = [b"-----BEGIN CERTIFICATE-----", b"-----BEGIN TRUSTED CERTIFICATE-----"];

/// A client that trusts these authorities.
pub fn trusting() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(native());
    config(roots)
}

/// A client that connects to nobody over TLS: no certificates are read.
pub(crate) fn trusting_nobody() -> ClientConfig {
    config(RootCertStore::empty())
}

/// The certificates that this machine trusts, in DER; none where it has none.
pub fn native() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// The same in PEM, for libraries that take no other form.
pub fn native_pem() -> String {
    let mut pem = String::new();
    for certificate in native() {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = BASE64.encode(&certificate);
        for line in text.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

fn config(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring offers the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The problems of `SSL_CERT_FILE` and `SSL_CERT_DIR`, a line each. Without them nothing would say why
/// a store is not trusted.
pub fn problems() -> impl Iterator<Item = String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn pem_holds_the_certificates_of_this_machine() {
        let pem = native_pem();
        let read: Vec<_> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read, native());
    }
}
