//! The connection: making it, reading messages from it, writing frames to it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use chat_proto::{FrameDecoder, HEADER_LEN, Incoming};

use crate::app::state::Closed;
use crate::io_error::Fault;
use crate::net::destination::Destination;
use crate::net::outbox::{Connection, Outbox};

/// An address that answers nothing is given up after this time, not after the kernel's minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes read at once.
const READ_LEN: usize = 64 * 1024;

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// The host has a name, and no address was found for it.
    NotFound(Fault),
    /// None of its addresses took the connection.
    NotConnected(Fault),
}

/// Connects, or says why not. Addresses of a name are looked for each time.
pub(crate) fn connect(server: &Destination) -> Result<TcpStream, Unreached> {
    let addresses = server.addresses().map_err(Unreached::NotFound)?;
    let stream = connect_to_any(&addresses).map_err(Unreached::NotConnected)?;
    // A line is a message of its own; it must not wait for the next. Slower, but right, without.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Tries one address after the other: a name may have one of IPv6 where only IPv4 is listened to.
fn connect_to_any(addresses: &[SocketAddr]) -> Result<TcpStream, Fault> {
    let mut why = Fault::Unreachable;
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            // A refusal says the most: the machine is there.
            Err(_) if why == Fault::Refused => {}
            Err(error) => why = Fault::from(&error),
        }
    }
    Err(why)
}

/// Reads messages until the stream ends, or `deliver` wants no more; says how it ended.
pub(crate) fn read_messages(
    mut stream: impl Read,
    mut deliver: impl FnMut(Incoming) -> bool,
) -> Closed {
    let mut decoder = FrameDecoder::new();
    let mut buffer = vec![0; READ_LEN];
    loop {
        let chunk = match stream.read(&mut buffer) {
            Ok(0) if decoder.buffered().is_empty() => return Closed::Clean,
            Ok(0) => return Closed::Cut { held: decoder.buffered().len() },
            Ok(len) => &buffer[..len],
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Closed::Lost(Fault::from(&error)),
        };
        let mut frames = decoder.feed(chunk);
        while let Some(payload) = frames.next_frame() {
            let Some(message) = parse(payload) else {
                return Closed::NotAMessage;
            };
            if !deliver(message) {
                return Closed::Clean;
            }
        }
        drop(frames);
        // Of another protocol's greeting the first two letters are a length of some 20,000 bytes,
        // which would be waited for in vain.
        if decoder.buffered().get(HEADER_LEN).is_some_and(|&first| !may_begin_object(first)) {
            return Closed::NotAMessage;
        }
    }
}

fn parse(payload: &[u8]) -> Option<Incoming> {
    // serde would read an array as a struct.
    payload.first().filter(|&&first| may_begin_object(first))?;
    Incoming::parse(payload).ok()
}

fn may_begin_object(byte: u8) -> bool {
    matches!(byte, b'{' | b' ' | b'\t' | b'\r' | b'\n')
}

/// Writes what is put into the outbox for this connection until it is closed and empty, or the
/// connection is given up, then ends this side of the stream. An error is left in the outbox; the reader is made to find the end of the stream.
pub(crate) fn write_frames(stream: &TcpStream, outbox: &Outbox, connection: Connection) {
    let mut writer = stream;
    while let Some(frames) = outbox.take(connection) {
        if let Err(error) = writer.write_all(&frames) {
            outbox.fail(Fault::from(&error));
            // What has come already can still be read.
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
    // Fails when the server is gone; the reader finds that out too.
    let _ = stream.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::write_frame;
    use std::io;
    use std::net::TcpListener;

    /// Gives one piece at each read, an interruption for an empty one, and an error at the end if
    /// there is one.
    struct Pieces<'a>(Vec<&'a [u8]>, Option<ErrorKind>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match (self.0.is_empty(), self.1) {
                (true, Some(kind)) => return Err(kind.into()),
                (true, None) => return Ok(0),
                (false, _) => {}
            }
            match self.0.remove(0) {
                [] => Err(ErrorKind::Interrupted.into()),
                mut piece => piece.read(buffer),
            }
        }
    }

    fn frames(payloads: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for payload in payloads {
            write_frame(&mut out, |out| out.extend_from_slice(payload.as_bytes()))
                .expect("short enough");
        }
        out
    }

    fn read(stream: impl Read) -> (Vec<String>, Closed) {
        let mut texts = Vec::new();
        let closed = read_messages(stream, |message| {
            texts.push(message.text);
            true
        });
        (texts, closed)
    }

    #[test]
    fn the_first_address_that_takes_the_connection_is_the_one() {
        let listens = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let [listening, refusing] =
            [&listens, &closed].map(|it| it.local_addr().expect("it is bound"));
        drop(closed);
        for addresses in [&[refusing, listening][..], &[refusing, refusing, listening, refusing]] {
            let stream = connect_to_any(addresses).expect("one of them listens");
            assert_eq!(stream.peer_addr().ok(), Some(listening));
        }
        assert_eq!(connect_to_any(&[refusing, refusing]).err(), Some(Fault::Refused));
    }

    #[test]
    fn a_refusal_is_told_rather_than_what_came_after_it() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let refusing = closed.local_addr().expect("it is bound");
        drop(closed);
        // Nobody can be connected to a broadcast address.
        let wrong = SocketAddr::from(([127, 255, 255, 255], 9));
        for addresses in [[refusing, wrong], [wrong, refusing]] {
            assert_eq!(connect_to_any(&addresses).err(), Some(Fault::Refused));
        }
    }

    #[test]
    fn messages_come_out_however_the_stream_is_chopped_up() {
        let bytes =
            frames(&[r#"{"type":"SCChat","text":"one"}"#, r#" {"text":"two","type":"SCChat"}"#]);
        let mut pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        pieces.insert(5, &[]);
        assert_eq!(read(Pieces(pieces, None)), (vec!["one".into(), "two".into()], Closed::Clean));
        assert_eq!(read(bytes.as_slice()).0.len(), 2);
    }

    #[test]
    fn an_end_inside_a_frame_is_a_cut() {
        let bytes = frames(&[r#"{"type":"SCChat"}"#, r#"{"type":"SCChat"}"#]);
        let (texts, closed) = read(&bytes[..bytes.len() - 3]);
        assert_eq!((texts.len(), closed), (1, Closed::Cut { held: 16 }));
        assert_eq!(read(&bytes[..1]).1, Closed::Cut { held: 1 });
    }

    #[test]
    fn an_error_tells_of_a_lost_connection() {
        let (_, closed) = read(Pieces(Vec::new(), Some(ErrorKind::ConnectionReset)));
        assert_eq!(closed, Closed::Lost(Fault::Reset));
    }

    #[test]
    fn frames_that_are_no_object_of_json_are_no_messages() {
        for payload in
            ["", " ", "[]", "null", "{", "{}x", "{}", r#"{"type":"SCChat","text":1}"#, "hello"]
        {
            assert_eq!(read(frames(&[payload]).as_slice()).1, Closed::NotAMessage, "{payload}");
        }
    }

    #[test]
    fn another_protocol_is_told_by_its_third_byte() {
        for greeting in ["SSH-2.0-OpenSSH_9.6\r\n", "HTTP/1.1 400 Bad Request", "220 mail ESMTP"] {
            let endless = greeting.as_bytes().chain(Pieces(Vec::new(), Some(ErrorKind::TimedOut)));
            assert_eq!(read(endless).1, Closed::NotAMessage, "{greeting}");
        }
    }
}
