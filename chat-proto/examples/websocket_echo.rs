//! Sends back each WebSocket message, for conformance tests of the decoder: `.ci/websocket` runs Autobahn's
//! cases against it. Listens on a free port of 127.0.0.1, which it prints.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chat_proto::websocket::{self, Decoder, Event, Opcode, Peer};

/// Autobahn's longest message is 16 MiB.
const MAX_MESSAGE: usize = 16 << 20;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let key = read_request(&mut stream)?;
    let accept = BASE64_STANDARD.encode(sha1_smol::Sha1::from(key + GUID).digest().bytes());
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    let mut decoder = Decoder::new(Peer::Client, MAX_MESSAGE);
    let mut chunk = vec![0; 1 << 16];
    loop {
        let len = stream.read(&mut chunk)?;
        if len == 0 {
            return Ok(());
        }
        let mut out = Vec::new();
        let is_over = answer(&mut decoder, &mut chunk[..len], &mut out);
        stream.write_all(&out)?;
        if is_over {
            return end(&mut stream, &mut chunk);
        }
    }
}

/// Answers what has arrived. Returns whether the last answer was a close.
fn answer(decoder: &mut Decoder, chunk: &mut [u8], out: &mut Vec<u8>) -> bool {
    let mut events = decoder.feed(chunk);
    while let Some(event) = events.next_event() {
        match event {
            Ok(Event::Text(text)) => websocket::write_unmasked(out, Opcode::Text, text.as_bytes()),
            Ok(Event::Binary(bytes)) => websocket::write_unmasked(out, Opcode::Binary, bytes),
            Ok(Event::Ping(payload)) => websocket::write_pong(out, payload),
            Ok(Event::Fragment | Event::Pong) => {}
            Ok(Event::Close(code)) => {
                websocket::write_close(out, code.unwrap_or(1000), "");
                return true;
            }
            Err(violation) => {
                websocket::write_close(out, violation.close_code(), &violation.to_string());
                return true;
            }
        }
    }
    false
}

/// Ends the stream, and drains what still arrives: unread input would make the kernel send a reset, which can overtake
/// the close.
fn end(stream: &mut TcpStream, chunk: &mut [u8]) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    while stream.read(chunk).is_ok_and(|len| len > 0) {}
    Ok(())
}

/// RFC 6455 appends this to the client's key before hashing it.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Reads an HTTP request, byte by byte, so that nothing after it is consumed. Returns the client's key.
fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Sec-WebSocket-Key").then(|| value.trim().to_owned())
    });
    key.ok_or_else(|| Error::new(ErrorKind::InvalidData, "a request without a Sec-WebSocket-Key"))
}
