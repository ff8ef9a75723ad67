//! Certificates: loads them from files or makes one, at the start, and again on request.
//!
//! `self_signed` makes a certificate for a LAN and stores it. The library uses the resulting configuration.

mod self_signed;

use std::time::{Duration, SystemTime};

use chat_proto::Localize;
use chat_server::{Controller, Lang, TlsConfig};

use crate::exit_error::ExitError;
use crate::settings::{Settings, TlsMode, TlsSettings};

/// How long before the end of a certificate the log warns of it.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Loads the certificate that the settings ask for, if any. Makes one if the server is to make its own, and has none
/// yet.
///
/// # Errors
/// If a file cannot be read or written, or holds nothing usable.
pub(crate) fn load(settings: &Settings) -> Result<Option<TlsConfig>, ExitError> {
    let TlsSettings { mode, certificate, is_self_signed, .. } = &settings.tls;
    if *mode == Some(TlsMode::Off) {
        return Ok(None);
    }
    let tls = if *is_self_signed {
        Some(self_signed::load_or_make(settings)?)
    } else if certificate.is_some() {
        settings.tls.read_files().map_err(ExitError::Certificate)?
    } else {
        None
    };
    Ok(tls.map(|tls| tls.with_plain_refused(*mode == Some(TlsMode::Only))))
}

/// Logs which certificate is in use, and whether it expires soon.
pub(crate) fn log(event: &str, tls: &TlsConfig) {
    let fingerprint = tls.fingerprint();
    let left = tls.not_after().map(|end| end.duration_since(SystemTime::now()).unwrap_or_default());
    let days = left.map(|left| left.as_secs() / (24 * 60 * 60));
    match left {
        Some(Duration::ZERO) => {
            tracing::warn!(fingerprint, "{event}; the certificate has expired: replace it");
        }
        Some(left) if left < SOON => {
            tracing::warn!(fingerprint, days, "{event}; the certificate expires soon: replace it");
        }
        _ => tracing::info!(fingerprint, days, "{event}"),
    }
}

/// Reads the certificate again, and uses it from now on if it is valid.
pub(crate) fn reload(settings: &Settings, controller: &Controller) {
    match load(settings) {
        Ok(Some(tls)) => {
            controller.replace_certificate(&tls);
            log("certificate read again", &tls);
        }
        Ok(None) => {}
        Err(error) => {
            let error = error.localized(Lang::En).to_string();
            tracing::error!(error, "certificate not replaced: keeping the previous one");
        }
    }
}
