//! `--probe`: asks a running server for `/health`, on machines without curl.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long the server has to answer. Most supervisors give a probe more time than this.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The longest answer, in bytes.
const LONGEST: usize = 4096;

/// Asks the server that serves metrics at `address` whether it is healthy. Returns the verdict and the answer.
///
/// # Errors
/// If no HTTP response arrives in time.
pub(crate) fn probe(address: SocketAddr) -> io::Result<(bool, String)> {
    let deadline = Instant::now() + TIMEOUT;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(format!("GET /health HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 512]);
    while answer.len() < LONGEST {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => answer.extend(&buffer[..n]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            Err(e) => return Err(e),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let parts = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split_once("\r\n\r\n"));
    let (head, body) =
        parts.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "not an answer over HTTP"))?;
    // Escaped, so that whatever listens there cannot garble the terminal.
    Ok((head.starts_with("200 "), body.trim_end().escape_debug().to_string()))
}
