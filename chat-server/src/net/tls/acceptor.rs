//! The server's side of handshakes: what it offers, and its current certificate.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::config::TlsConfig;
use super::session::TlsSession;

/// Begins TLS sessions. Shared between the event loop and whoever replaces the certificate.
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    certificate: Arc<Shown>,
    requires_tls: bool,
}

/// The certificate presented to every client, whatever name it asks for: clients check names themselves, and a client
/// that connects to an address asks for none.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl Acceptor {
    pub(crate) fn new(tls: &TlsConfig) -> Self {
        let certificate = Arc::new(Shown(RwLock::new(Arc::clone(tls.certified_key()))));
        let resolver: Arc<dyn ResolvesServerCert> = certificate.clone();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has cipher suites for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Connections are long-lived: resuming one would save little, and its secrets would have to be stored.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Self { config: Arc::new(config), certificate, requires_tls: tls.requires_tls() }
    }

    /// Whether plain text is refused.
    pub(crate) fn requires_tls(&self) -> bool {
        self.requires_tls
    }

    /// Presents another certificate from now on. Does not change whether plain text is refused.
    pub(crate) fn replace(&self, tls: &TlsConfig) {
        let mut shown = self.certificate.0.write().unwrap_or_else(PoisonError::into_inner);
        *shown = Arc::clone(tls.certified_key());
    }

    /// Begins a session that has received these bytes.
    ///
    /// # Errors
    /// If rustls refuses the configuration.
    pub(crate) fn begin(&self, received: &[u8]) -> io::Result<TlsSession> {
        TlsSession::new(&self.config, received)
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("requires_tls", &self.requires_tls).finish_non_exhaustive()
    }
}
