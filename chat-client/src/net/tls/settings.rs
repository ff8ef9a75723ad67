//! [`TlsSettings`]: the settings for connections to one server, in rustls's terms.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};

use crate::net::destination::Host;
use crate::net::tls::trust::{Trust, TrustError, roots_in, system_roots};
use crate::net::tls::verifier::{Accepted, Verifier};

/// The trust anchors, and the name that the certificate must have. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct TlsSettings {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

/// No certificate can name this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnnameableHost;

impl TlsSettings {
    /// Prepares connections to `host`. Reads the authorities that `trust` names, if any.
    ///
    /// # Errors
    /// If no authority can be read.
    pub(crate) fn new(trust: &Trust, host: &Host) -> Result<Self, TrustError> {
        let provider = Arc::new(ring::default_provider());
        let accepted = match trust {
            Trust::System => signed_by(system_roots()?, &provider),
            Trust::Authorities(file) => signed_by(roots_in(file)?, &provider),
            Trust::Certificate(fingerprint) => Accepted::Pinned(*fingerprint),
        };
        let algorithms = provider.signature_verification_algorithms;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has suites for TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { accepted, algorithms }))
            .with_no_client_auth();
        // Every connection must verify the certificate, which a resumed session would not.
        config.resumption = Resumption::disabled();
        // Such a host is trusted only by a pinned certificate, whose name does not matter.
        let unnamed = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into());
        Ok(Self { config: Arc::new(config), name: server_name(host).unwrap_or(unnamed) })
    }
}

fn signed_by(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Accepted {
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Accepted::Signed(verifier.expect("there are roots, and no lists of revoked certificates"))
}

/// The name that the server's certificate must have.
///
/// # Errors
/// If no certificate can name the host.
pub(crate) fn server_name(host: &Host) -> Result<ServerName<'static>, UnnameableHost> {
    match host {
        Host::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Name(name) => match name.split_once('%').map(|(v6, _)| v6.parse::<Ipv6Addr>()) {
            // The interface is only meaningful on this machine.
            Some(Ok(address)) => Ok(ServerName::IpAddress(IpAddr::V6(address).into())),
            _ => ServerName::try_from(name.clone()).map_err(|_| UnnameableHost),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_the_host_as_it_was_given() {
        let name = |host: &str| {
            server_name(&host.parse().expect("a host")).map(|name| name.to_str().into_owned())
        };
        for (host, named) in [
            ("chat.example", "chat.example"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(name(host).as_deref(), Ok(named));
        }
        for host in ["채팅.lan", "a..b", "-", "a%b"] {
            assert_eq!(name(host), Err(UnnameableHost), "{host}");
        }
    }
}
