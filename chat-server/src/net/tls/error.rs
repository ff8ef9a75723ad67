//! Errors in a certificate or its key.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use chat_proto::{Lang, Localize, localize};

/// The reason why a certificate or a key cannot be used. `Display` writes the English text, with the file if there is
/// one.
#[derive(Debug)]
pub struct TlsError {
    path: Option<PathBuf>,
    fault: TlsFault,
}

/// The kind of a [`TlsError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsFault {
    /// The file cannot be read.
    Unreadable(io::Error),
    /// There is no certificate.
    NoCertificate,
    /// A certificate is malformed.
    BadCertificate,
    /// There is no private key, or it is encrypted.
    NoKey,
    /// The private key is malformed, or of a kind that is not supported.
    BadKey,
    /// The key does not belong to the certificate.
    OtherKey,
}

impl TlsError {
    /// The kind of error.
    pub fn fault(&self) -> &TlsFault {
        &self.fault
    }

    /// The file concerned, if any.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn in_file(self, path: &Path) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }
}

impl From<TlsFault> for TlsError {
    fn from(fault: TlsFault) -> Self {
        Self { path: None, fault }
    }
}

impl Localize for TlsError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.to_string_lossy().escape_debug())?;
        }
        match &self.fault {
            TlsFault::Unreadable(error) => localize!(f, lang,
                en: "cannot read the file: {error}",
                ko: "파일을 읽을 수 없어요: {error}"),
            TlsFault::NoCertificate => localize!(f, lang,
                en: "there is no certificate in it: it has to be PEM, with BEGIN CERTIFICATE",
                ko: "인증서가 없어요. BEGIN CERTIFICATE가 있는 PEM이어야 해요"),
            TlsFault::BadCertificate => localize!(f, lang,
                en: "the certificate is malformed",
                ko: "인증서가 깨졌어요"),
            TlsFault::NoKey => localize!(f, lang,
                en: "there is no private key in it: it has to be PEM and unencrypted",
                ko: "개인 키가 없어요. 암호를 걸지 않은 PEM이어야 해요"),
            TlsFault::BadKey => localize!(f, lang,
                en: "the private key is malformed, or neither ECDSA (P-256, P-384), RSA nor Ed25519",
                ko: "개인 키를 읽을 수 없어요. ECDSA(P-256, P-384), RSA, Ed25519 키만 쓸 수 있어요"),
            TlsFault::OtherKey => localize!(f, lang,
                en: "the private key does not belong to the certificate",
                ko: "개인 키가 이 인증서의 것이 아니에요"),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_in(Lang::En, f)
    }
}

impl Error for TlsError {}
