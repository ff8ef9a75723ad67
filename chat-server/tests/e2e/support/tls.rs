//! Certificates for tests, and clients that connect with TLS.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat_server::TlsConfig;
use chat_testing::{Client, Transport};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

/// A certificate, and clients that trust it and no other.
#[derive(Debug)]
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

impl Certificate {
    pub(crate) fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        Self { der: made.cert.der().clone(), pem, key }
    }

    /// The certificate that a server has made, from a file that also holds the key.
    pub(crate) fn from_file(path: &Path) -> Self {
        use rustls::pki_types::pem::PemObject;
        let pem = fs::read_to_string(path).expect("the server has made it");
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
        Self { der, key: pem.clone(), pem }
    }

    pub(crate) fn config(&self) -> TlsConfig {
        TlsConfig::from_pem(self.pem.as_bytes(), self.key.as_bytes()).expect("they are a pair")
    }

    /// Writes the certificate with its key to a file.
    pub(crate) fn write(&self, path: &Path) {
        fs::write(path, format!("{}{}", self.pem, self.key)).expect("a temporary file");
    }

    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        ClientConnection::new(Arc::new(config), name).expect("the configuration is good")
    }

    /// Opens a connection without sending anything, not even the handshake.
    pub(crate) fn connect(&self, address: SocketAddr) -> TlsStream {
        self.connect_by(address, rustls::ALL_VERSIONS)
    }

    pub(crate) fn connect_by(
        &self,
        address: SocketAddr,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsStream {
        let tcp = TcpStream::connect(address).expect("the server listens");
        self.begin(tcp, versions)
    }

    pub(crate) fn begin(
        &self,
        tcp: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsStream {
        TlsStream(StreamOwned::new(self.client(versions), tcp))
    }

    /// A client that the server has answered.
    pub(crate) fn client_of(&self, address: SocketAddr) -> Client {
        let mut client = Client::over(self.connect(address));
        client.expect_nothing();
        client
    }
}

/// A TLS stream to a server. An end without `close_notify` is an error, `UnexpectedEof`.
#[derive(Debug)]
pub(crate) struct TlsStream(pub(crate) StreamOwned<ClientConnection, TcpStream>);

impl Read for TlsStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for TlsStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Transport for TlsStream {
    fn tcp(&self) -> &TcpStream {
        &self.0.sock
    }
}

/// A folder for the files of one test, removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates the folder, named after the test.
    pub(crate) fn of(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chat-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
