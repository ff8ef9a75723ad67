//! [`Verifier`]: decides whether to trust a server's certificate, and reports which certificate it was.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use crate::net::tls::error::{Distrust, Untrusted};
use crate::net::tls::fingerprint::Fingerprint;

/// The certificates to accept.
#[derive(Debug)]
pub(super) enum Accepted {
    /// Certificates signed by an authority for the server's name, and within their dates.
    Signed(Arc<WebPkiServerVerifier>),
    /// Exactly one certificate.
    Pinned(Fingerprint),
}

/// Accepts or rejects certificates. In either case of [`Accepted`], the signature in the handshake must prove that the
/// certificate is the server's own.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) accepted: Accepted,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of(certificate);
        let why = match &self.accepted {
            Accepted::Pinned(pinned) if *pinned == shown => {
                return Ok(ServerCertVerified::assertion());
            }
            Accepted::Pinned(_) => Distrust::OtherThanPinned,
            Accepted::Signed(authorities) => match authorities.verify_server_cert(
                certificate,
                intermediates,
                name,
                ocsp_response,
                now,
            ) {
                Err(Error::InvalidCertificate(why)) => Distrust::from(why),
                result => return result,
            },
        };
        // rustls passes this through unchanged, whereas its own errors have no room for a fingerprint.
        let untrusted = OtherError(Arc::new(Untrusted { shown, why }));
        Err(Error::InvalidCertificate(CertificateError::Other(untrusted)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
