//! The authorities that the environment adds to those that are trusted: a variable that names none
//! is told.

use super::say;
use std::sync::Once;

/// Warns of `SSL_CERT_FILE` and `SSL_CERT_DIR`, once, before something is asked over TLS.
pub(crate) fn warn_of_no_authorities() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        beamlet_egress::tls::problems().for_each(|problem| say(format_args!("warning: {problem}")));
    });
}
