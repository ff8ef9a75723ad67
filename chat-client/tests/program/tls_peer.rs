//! A peer that plays a TLS server, and the certificates for it.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use crate::support::{Client, Listener, Peer, program};

/// A file that is removed when dropped.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub(crate) fn new(content: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}.pem", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, content).expect("the directory is for tests");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An authority that signs certificates, and its own certificate in a file.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) file: TempFile,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let (params, key) = (authority_params(), key());
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = TempFile::new(certificate.pem().as_bytes());
        Self { issuer: Issuer::new(params, key), file }
    }

    /// The flag by which a client trusts this authority.
    pub(crate) fn flag(&self) -> String {
        format!("--tls-ca={}", self.file.path())
    }

    /// A certificate for these names.
    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| ())
    }

    /// A certificate for these names, with `params` changed.
    pub(crate) fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let (mut params, key) = (params(names), key());
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity::new(&certificate, &key)
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("randomness")
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

fn authority_params() -> CertificateParams {
    let mut params = params(&[]);
    params.distinguished_name.push(DnType::CommonName, "an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// Makes a certificate that has expired.
pub(crate) fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 2, 3);
}

/// Makes a certificate that is not valid yet.
pub(crate) fn early(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2998, 1, 2);
    params.not_after = date_time_ymd(2999, 1, 1);
}

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    /// Both, for a real server.
    pub(crate) pem: String,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        let (certificate, key) = (self.certificate.clone(), self.key.clone_key());
        Self { certificate, key, pem: self.pem.clone() }
    }
}

impl Identity {
    pub(crate) fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        let pem = certificate.pem() + &key.serialize_pem();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS #8");
        Self { certificate: certificate.der().clone(), key, pem }
    }

    /// A certificate that no authority has signed.
    pub(crate) fn self_signed(names: &[&str]) -> Self {
        let (params, key) = (params(names), key());
        Self::new(&params.self_signed(&key).expect("a certificate"), &key)
    }

    /// A certificate that belongs to an authority, as `openssl req -x509` makes it.
    pub(crate) fn of_authority() -> Self {
        let key = key();
        Self::new(&authority_params().self_signed(&key).expect("a certificate"), &key)
    }

    /// This certificate with another one's key, which is all that somebody in between can present.
    pub(crate) fn with_key_of(self, other: Self) -> Self {
        Self { key: other.key, ..self }
    }

    pub(crate) fn fingerprint(&self) -> String {
        let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
        let sha256 = suite.expect("it is a suite of TLS 1.3").common.hash_provider;
        let digest = sha256.hash(&self.certificate);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// The flag by which a client trusts this certificate alone.
    pub(crate) fn flag(&self) -> String {
        format!("--tls-fingerprint={}", self.fingerprint())
    }
}

/// The server's end of an encrypted connection. Dropping it cuts the connection without `close_notify`.
pub(crate) type TlsPeer = Peer<StreamOwned<ServerConnection, TcpStream>>;

impl TlsPeer {
    /// Sends `close_notify`, and ends this side.
    pub(crate) fn close(mut self) {
        self.0.conn.send_close_notify();
        while self.0.conn.wants_write() {
            self.0.conn.write_tls(&mut self.0.sock).expect("the client reads");
        }
    }

    /// Whether the client has sent `close_notify`, rather than just ended the stream.
    pub(crate) fn sees_the_end(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(0) => true,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
            other => panic!("the client goes on: {other:?}"),
        }
    }
}

/// A port for clients that connect with TLS.
pub(crate) struct TlsListener {
    pub(crate) listener: Listener,
    config: Arc<ServerConfig>,
}

impl TlsListener {
    pub(crate) fn bind(identity: Identity) -> Self {
        Self::bind_with(identity, &[&TLS13, &TLS12])
    }

    pub(crate) fn bind_with(
        identity: Identity,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        Self { listener: Listener::bind(), config: config(identity, versions) }
    }

    /// Presents another certificate from now on.
    pub(crate) fn change(&mut self, identity: Identity) {
        self.config = config(identity, &[&TLS13, &TLS12]);
    }

    /// A client of this port with these flags, and its connection.
    pub(crate) fn connected(&self, flags: &[&str]) -> (Client, TlsPeer) {
        let port = self.listener.port_flag();
        let flags: Vec<&str> = flags.iter().copied().chain([port.as_str()]).collect();
        (Client::spawn(&mut program(&flags)), self.accept())
    }

    /// Accepts the next client as a server does that does not know hellos: it is the client's second connection.
    pub(crate) fn accept(&self) -> TlsPeer {
        self.accept_hello().refuse_hello();
        self.accept_hello()
    }

    /// Accepts the next connection, on which a client says hello unless it was refused before.
    pub(crate) fn accept_hello(&self) -> TlsPeer {
        self.try_accept().expect("the client trusts the server")
    }

    /// The error of the next client's handshake.
    pub(crate) fn refused(&self) -> String {
        let Err(error) = self.try_accept() else { panic!("the client trusts the server") };
        error.to_string()
    }

    fn try_accept(&self) -> std::io::Result<TlsPeer> {
        let Peer(mut socket) = self.listener.accept_hello();
        let mut connection =
            ServerConnection::new(Arc::clone(&self.config)).expect("a configuration");
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Peer(StreamOwned::new(connection, socket)))
    }
}

fn config(identity: Identity, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let key = ring::sign::any_supported_type(&identity.key).expect("a key of a known kind");
    let certified = CertifiedKey::new(vec![identity.certificate], key);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions with suites")
        .with_no_client_auth()
        // Unlike `with_single_cert`, it accepts a key that does not belong to the certificate.
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Arc::new(config)
}
