//! Warnings about `SSL_CERT_FILE` and `SSL_CERT_DIR`, the variables that add to the authorities that
//! are trusted.

use super::say;
use std::sync::Once;

/// Warns of a variable that names no certificates: once, before the first connection over TLS.
pub(crate) fn warn_of_no_authorities() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        beamlet_egress::tls::problems().for_each(|problem| say(format_args!("warning: {problem}")));
    });
}
