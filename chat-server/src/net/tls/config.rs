//! A certificate and its key, checked, as provided by a program.

use std::fmt::{self, Write};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::certificate;
use super::error::{TlsError, TlsFault};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// A certificate with its key, for TLS 1.2 and 1.3, and the choice whether plain text is refused.
///
/// ```no_run
/// use chat_server::{Config, TlsConfig};
///
/// let tls = TlsConfig::from_files("chain.pem", "key.pem")?;
/// println!("SHA-256 fingerprint: {}", tls.fingerprint());
/// let config = Config::new().with_tls(tls.with_plain_refused(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TlsConfig {
    key: Arc<CertifiedKey>,
    requires_tls: bool,
}

impl TlsConfig {
    /// Checks a certificate chain, the server's own certificate first, and its key, both in PEM. Plain text stays
    /// allowed beside TLS.
    ///
    /// # Errors
    /// [`TlsError`] if one of them is missing or malformed, if they do not belong together, or if the kind of key is
    /// unknown.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| TlsFault::BadCertificate)?;
        if chain.is_empty() {
            return Err(TlsFault::NoCertificate.into());
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsFault::NoKey,
            _ => TlsFault::BadKey,
        })?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let key = key.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsFault::OtherKey,
            rustls::Error::InvalidCertificate(_) => TlsFault::BadCertificate,
            _ => TlsFault::BadKey,
        })?;
        Ok(Self { key: Arc::new(key), requires_tls: false })
    }

    /// Like [`TlsConfig::from_pem`], from two files, which may be the same.
    ///
    /// # Errors
    /// As [`TlsConfig::from_pem`], and if a file cannot be read.
    pub fn from_files(
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        let [certificates, key] = [certificates.as_ref(), key.as_ref()];
        let tls = Self::from_pem(&read(certificates)?, &read(key)?);
        tls.map_err(|error| {
            let is_of_key = matches!(error.fault(), TlsFault::NoKey | TlsFault::BadKey);
            error.in_file(if is_of_key { key } else { certificates })
        })
    }

    /// Sets whether plain text is refused.
    #[must_use]
    pub fn with_plain_refused(mut self, is_refused: bool) -> Self {
        self.requires_tls = is_refused;
        self
    }

    /// The SHA-256 fingerprint of the certificate, as `openssl x509 -fingerprint -sha256` writes it: pairs of hex
    /// digits with colons between them.
    pub fn fingerprint(&self) -> String {
        let sha256 = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
        let sha256 = sha256.expect("it is a suite of TLS 1.3").common.hash_provider;
        let mut text = String::new();
        for (i, byte) in sha256.hash(self.certificate()).as_ref().iter().enumerate() {
            let colon = if i > 0 { ":" } else { "" };
            write!(text, "{colon}{byte:02X}").expect("memory takes it");
        }
        text
    }

    /// The end of the certificate's validity, if it states one.
    pub fn not_after(&self) -> Option<SystemTime> {
        certificate::not_after(self.certificate())
    }

    /// Whether the certificate is for a server that clients call by this name or IP address.
    pub fn is_for(&self, host: &str) -> bool {
        let (Ok(certificate), Ok(host)) =
            (ParsedCertificate::try_from(&self.key.cert[0]), ServerName::try_from(host))
        else {
            return false;
        };
        verify_server_name(&certificate, &host).is_ok()
    }

    pub(super) fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    pub(super) fn requires_tls(&self) -> bool {
        self.requires_tls
    }

    fn certificate(&self) -> &[u8] {
        &self.key.cert[0]
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::from(TlsFault::Unreadable(error)).in_file(path);
    let mut bytes = Vec::new();
    // What is no file has no length, and perhaps no end.
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(TlsError::from(TlsFault::BadCertificate).in_file(path));
    }
    Ok(bytes)
}

/// Compares the certificates, which imply their keys, and whether plain text is refused.
impl PartialEq for TlsConfig {
    fn eq(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert && self.requires_tls == other.requires_tls
    }
}

impl Eq for TlsConfig {}

/// Leaves the key out.
impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("fingerprint", &self.fingerprint())
            .field("requires_tls", &self.requires_tls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{Lang, Localize};

    use super::*;

    fn certificate() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn fault(certificate: &str, key: &str) -> String {
        let tls = TlsConfig::from_pem(certificate.as_bytes(), key.as_bytes());
        let error = tls.expect_err("something is wrong with it");
        assert_ne!(error.to_string(), error.localized(Lang::Ko).to_string());
        error.to_string()
    }

    #[test]
    fn a_certificate_goes_with_its_own_key_alone() {
        let (certificate, key) = self::certificate();
        let (other, _) = self::certificate();
        let tls = TlsConfig::from_pem(certificate.as_bytes(), key.as_bytes()).expect("a pair");
        assert_eq!(tls.fingerprint().len(), 32 * 3 - 1);
        assert!(!format!("{tls:?}").contains("requires_tls: true"));
        assert!(fault(&other, &key).contains("does not belong"));
        let both = format!("{certificate}{key}");
        let of_both = TlsConfig::from_pem(both.as_bytes(), both.as_bytes()).expect("a pair");
        assert_eq!(of_both, tls);
        assert_ne!(tls, tls.clone().with_plain_refused(true));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_or_a_key_is_told() {
        let (certificate, key) = self::certificate();
        assert!(fault("", &key).contains("no certificate"));
        assert!(fault(&key, &key).contains("no certificate"));
        assert!(fault(&certificate, "").contains("no private key"));
        assert!(fault(&certificate, &certificate).contains("no private key"));
        let spoiled = |pem: &str| pem.replacen("\nMI", "\nAA", 1);
        assert!(fault(&spoiled(&certificate), &key).contains("certificate"));
        assert!(fault(&certificate, &spoiled(&key)).contains("key"));
        assert!(fault(&certificate.replace("-END", "-STOP"), &key).contains("certificate"));
    }

    #[test]
    fn a_file_without_end_is_no_certificate() {
        let error = TlsConfig::from_files("/dev/zero", "/dev/zero");
        let error = error.expect_err("it is too long").to_string();
        assert_eq!(error, "/dev/zero: the certificate is malformed");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = TlsConfig::from_files("/nowhere/chain.pem", "/nowhere/key.pem");
        let error = error.expect_err("there is no such file").to_string();
        assert!(error.starts_with("/nowhere/chain.pem: "), "{error}");
    }
}
