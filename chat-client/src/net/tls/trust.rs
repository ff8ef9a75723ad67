//! [`Trust`]: the certificates that the flags accept, and the authorities that sign them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use chat_proto::{Lang, Localize, localize};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::io_error::IoErrorKind;
use crate::net::tls::fingerprint::Fingerprint;

/// Which servers to trust, by their certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those whose certificate an authority of this system has signed for their name.
    System,
    /// Those whose certificate an authority in this PEM file has signed for their name.
    Authorities(PathBuf),
    /// The server with exactly this certificate, whatever its name and dates.
    Certificate(Fingerprint),
}

/// The reason why there are no authorities to trust.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TrustError {
    Unreadable { file: PathBuf, why: IoErrorKind },
    NoCertificate { file: PathBuf },
    BadCertificate { file: PathBuf },
    NoSystemRoots,
}

impl Localize for TrustError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, why } => {
                let (file, why) = (file.display(), why.localized(lang));
                localize!(f, lang,
                    en: "cannot read the certificates in {file}: {why}",
                    ko: "{file} 파일의 인증서를 읽을 수 없어요: {why}")
            }
            Self::NoCertificate { file } => {
                let file = file.display();
                localize!(f, lang,
                    en: "no certificate is in {file}. It takes PEM, with \"BEGIN CERTIFICATE\"",
                    ko: "{file} 파일에 인증서가 없어요. \"BEGIN CERTIFICATE\"가 있는 PEM 파일이어야 해요")
            }
            Self::BadCertificate { file } => {
                let file = file.display();
                localize!(f, lang,
                    en: "a certificate in {file} is damaged",
                    ko: "{file} 파일의 인증서가 깨졌어요")
            }
            Self::NoSystemRoots => localize!(f, lang,
                en: "this system has no list of authorities to trust. Install ca-certificates, or use --tls-ca=FILE \
                     or --tls-fingerprint=HEX",
                ko: "이 시스템에는 믿을 수 있는 인증 기관 목록이 없어요. ca-certificates를 설치하거나 --tls-ca=파일 \
                     이나 --tls-fingerprint=지문 을 써 주세요"),
        }
    }
}

/// The authorities of this system; at least one.
pub(super) fn system_roots() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    // Some systems list unusable certificates; the others suffice.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::NoSystemRoots) } else { Ok(roots) }
}

/// The authorities in a PEM file; at least one.
pub(super) fn roots_in(file: &Path) -> Result<RootCertStore, TrustError> {
    let unreadable = |why| TrustError::Unreadable { file: file.to_owned(), why };
    let text = fs::read(file).map_err(|error| unreadable(IoErrorKind::from(&error)))?;
    let bad = || TrustError::BadCertificate { file: file.to_owned() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        roots.add(certificate.map_err(|_| bad())?).map_err(|_| bad())?;
    }
    if roots.is_empty() {
        return Err(TrustError::NoCertificate { file: file.to_owned() });
    }
    Ok(roots)
}
