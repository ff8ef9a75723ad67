//! The TLS handshake, with a deadline.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;

use crate::net::timed::Timed;
use crate::net::tls::error::TlsError;
use crate::net::tls::settings::TlsSettings;
use crate::net::tls::stream::TlsStream;

/// Performs the handshake within `timeout`. Sends no application data before the server is trusted.
///
/// # Errors
/// If the server does not speak TLS, is not trusted, or takes too long.
pub(crate) fn shake_hands(
    socket: TcpStream,
    settings: &TlsSettings,
    timeout: Duration,
) -> Result<TlsStream, TlsError> {
    let config = Arc::clone(&settings.config);
    let mut connection = ClientConnection::new(config, settings.name.clone())
        .map_err(|error| TlsError::Other(error.to_string()))?;
    let mut timed = Timed::new(&socket, timeout);
    // The last messages may still be unsent when the handshake is over.
    while connection.is_handshaking() || connection.wants_write() {
        connection.complete_io(&mut timed).map_err(|error| TlsError::of(&error))?;
    }
    timed.finish().map_err(|error| TlsError::of(&error))?;
    Ok(TlsStream::new(socket, connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use crate::io_error::IoErrorKind;
    use crate::net::destination::Host;
    use crate::net::tls::trust::Trust;

    /// Performs a handshake, with a short timeout, with a server played by `server`.
    fn shake_hands_with(server: impl FnOnce(TcpStream) + Send) -> TlsError {
        let fingerprint = "0".repeat(64).parse().expect("64 digits");
        let settings = TlsSettings::new(&Trust::Certificate(fingerprint), &Host::LOOPBACK);
        let settings = settings.expect("no file is read");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let socket = TcpStream::connect(listener.local_addr().expect("it is bound"));
        let (accepted, _) = listener.accept().expect("a client has connected");
        thread::scope(|scope| {
            scope.spawn(|| server(accepted));
            let shaken =
                shake_hands(socket.expect("it listens"), &settings, Duration::from_millis(300));
            shaken.expect_err("no handshake has ended")
        })
    }

    #[test]
    fn a_server_that_takes_too_long_is_given_up() {
        let no_answer = TlsError::Lost(IoErrorKind::TimedOut);
        let silent = |mut socket: TcpStream| {
            let _ = io::copy(&mut socket, &mut io::sink());
        };
        assert_eq!(shake_hands_with(silent), no_answer);
        // A record that takes a minute.
        let slow = |mut socket: TcpStream| {
            let _ = socket.write_all(&[22, 3, 3, 0x40, 0]);
            while socket.write_all(&[2]).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        };
        assert_eq!(shake_hands_with(slow), no_answer);
    }

    #[test]
    fn a_server_that_goes_away_may_come_back() {
        let end = shake_hands_with(|mut socket| {
            let _ = socket.read(&mut [0; 4096]);
        });
        assert_eq!(end, TlsError::Closed);
        assert!(!end.is_lasting());
    }
}
