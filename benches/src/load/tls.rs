//! A client's side of TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

use super::socket::read_some;
use crate::error::Error;

/// Bytes of ciphertext read at once.
const SEALED_CHUNK: usize = 64 * 1024;

/// The TLS settings shared by all connections.
#[derive(Debug, Clone)]
pub struct TlsClient(Arc<ClientConfig>);

impl TlsClient {
    /// Returns settings that accept any certificate, since all servers are at loopback addresses, and perform a full
    /// handshake for each connection.
    ///
    /// # Errors
    /// If the library supports no version of TLS.
    pub fn new() -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(AnyCertificate(provider.clone()));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Config(error.to_string()))?;
        let mut config =
            config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }

    /// Returns a session with the server at `addr`. With `begins_plain`, the server first sends a line of plain text.
    ///
    /// # Errors
    /// If random numbers are unavailable.
    pub fn session(&self, addr: SocketAddr, begins_plain: bool) -> io::Result<TlsSession> {
        let session = ClientConnection::new(self.0.clone(), ServerName::from(addr.ip()));
        let session = session.map_err(io::Error::other)?;
        Ok(TlsSession { session, begins_plain })
    }
}

/// The session of a connection.
#[derive(Debug)]
pub struct TlsSession {
    session: ClientConnection,
    /// Whether the line of plain text is still incomplete.
    begins_plain: bool,
}

impl TlsSession {
    /// Whether the handshake is over.
    pub fn is_open(&self) -> bool {
        !self.session.is_handshaking()
    }

    /// Whether some output has yet to be taken by the kernel.
    pub fn is_owed(&self) -> bool {
        self.session.wants_write()
    }

    /// Encrypts and sends as many bytes as there is room for. Keeps them before the handshake is over.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room, others if the connection is broken.
    pub fn write(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.flush(stream)?;
        match self.session.writer().write(bytes)? {
            0 => Err(ErrorKind::WouldBlock.into()),
            taken => self.flush(stream).map(|()| taken),
        }
    }

    /// Sends encrypted bytes, as far as the socket takes them.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn flush(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        while !self.begins_plain && self.session.wants_write() {
            match self.session.write_tls(stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once, and leaves the decrypted bytes at the start of `buffer`. Returns their length, and whether there
    /// may be more to read; `None` if there is nothing. `buffer` must hold [`READ_CHUNK`] bytes.
    ///
    /// [`READ_CHUNK`]: super::connection::READ_CHUNK
    ///
    /// # Errors
    /// If the connection is broken, or the server has ended it.
    pub fn read(
        &mut self,
        stream: &mut TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<Option<(usize, bool)>> {
        let split = buffer.len().saturating_sub(SEALED_CHUNK);
        let (plain, sealed) = buffer.split_at_mut(split);
        let Some(read) = read_some(stream, sealed)? else { return Ok(None) };
        let mut rest = &sealed[..read];
        if self.begins_plain {
            let end = rest.iter().position(|&byte| byte == b'\n');
            self.begins_plain = end.is_none();
            rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
        }
        let mut len = 0;
        while !rest.is_empty() {
            self.session.read_tls(&mut rest)?;
            let state = self.session.process_new_packets();
            let state = state.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            let end = len + state.plaintext_bytes_to_read();
            self.session.reader().read_exact(&mut plain[len..end])?;
            len = end;
            if state.peer_has_closed() && len == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        self.flush(stream)?;
        Ok(Some((len, read == SEALED_CHUNK)))
    }
}

/// Accepts any certificate without checking its signature, since the generator has to be cheap.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
