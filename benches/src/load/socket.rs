//! Non-blocking TCP sockets: connecting, and reading once.

use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;

use mio::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};

/// Begins to connect to `addr`, from the address `source` and with `receive_buffer` bytes of `SO_RCVBUF`, if given.
///
/// # Errors
/// If there is no descriptor or port left, or the server refuses at once.
pub(super) fn connect(
    addr: SocketAddr,
    source: Option<SocketAddr>,
    receive_buffer: Option<usize>,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(size) = receive_buffer {
        socket.set_recv_buffer_size(size)?;
    }
    if let Some(source) = source {
        // The port may still be in TIME_WAIT from the previous run.
        socket.set_reuse_address(true)?;
        socket.bind(&source.into())?;
    }
    match socket.connect(&addr.into()) {
        Err(error) if !in_progress(&error) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// Reads once. Returns `None` if there is nothing.
///
/// # Errors
/// If the connection is broken, or the peer has ended it.
pub(super) fn read_some(stream: &mut TcpStream, chunk: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        match stream.read(chunk) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => return Ok(Some(read)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes the kernel acknowledge input as soon as it is read. Otherwise the kernel delays acknowledgements on sockets that
/// have answered their peer, which costs the server a sixth of a delivery. A comparison would then show how many
/// exchanges a protocol opens with.
///
/// # Errors
/// If the socket is broken.
pub(super) fn acknowledge_at_once(stream: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_quickack(true)?;
    let _ = stream;
    Ok(())
}

/// Whether the error only means that the connection is still being established.
fn in_progress(error: &io::Error) -> bool {
    const EINPROGRESS: i32 = 115;
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(EINPROGRESS)
}
