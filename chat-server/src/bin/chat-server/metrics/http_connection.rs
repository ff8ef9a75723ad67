//! One HTTP request and its answer, after which the connection closes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

use httparse::{EMPTY_HEADER, Request, Status};
use mio::net::TcpStream;

use super::pages::{Page, Pages};

/// The longest head of a request, in bytes.
const HEAD: usize = 8 * 1024;

/// The most header fields of a request.
const HEADERS: usize = 64;

/// Bytes read and discarded after the head: when a socket with unread input closes, the kernel drops the response it
/// still had to deliver.
const DISCARD: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct HttpConnection {
    stream: TcpStream,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Asking { head: Vec<u8> },
    Answering { bytes: Vec<u8>, sent: usize },
    Lingering { discarded: usize },
}

/// Whether a connection continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The connection waits for the next event.
    Waits,
    /// The connection is over, and must be closed.
    Ended,
}

impl HttpConnection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, step: Step::Asking { head: Vec::new() } }
    }

    /// Reads and writes until the kernel would block.
    pub(super) fn proceed(&mut self, pages: &Pages) -> Progress {
        loop {
            match self.advance(pages) {
                Ok(true) => {}
                Ok(false) => return Progress::Ended,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Progress::Waits,
                Err(_) => return Progress::Ended,
            }
        }
    }

    /// Makes one system call. Returns whether there is another to make.
    fn advance(&mut self, pages: &Pages) -> io::Result<bool> {
        let mut buffer = [0; 2048];
        match &mut self.step {
            Step::Asking { head } => {
                let read = self.stream.read(&mut buffer)?;
                head.extend(&buffer[..read]);
                let Some(asked) = parse(head) else { return Ok(read > 0) };
                self.step = Step::Answering { bytes: answer(asked, pages), sent: 0 };
                Ok(true)
            }
            Step::Answering { bytes, sent } => {
                *sent += self.stream.write(&bytes[*sent..])?;
                if *sent == bytes.len() {
                    self.stream.shutdown(Shutdown::Write)?;
                    self.step = Step::Lingering { discarded: 0 };
                }
                Ok(true)
            }
            Step::Lingering { discarded } => {
                let read = self.stream.read(&mut buffer)?;
                *discarded += read;
                Ok(read > 0 && *discarded < DISCARD)
            }
        }
    }
}

/// Parses a request once its head is complete. Returns the page it asks for and whether to send the body, or the
/// status that says what is wrong.
fn parse(head: &[u8]) -> Option<Result<(Page, bool), &'static str>> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(head) {
        Ok(Status::Partial) if head.len() < HEAD => return None,
        Ok(Status::Complete(len)) if len <= HEAD => {}
        Ok(_) | Err(httparse::Error::TooManyHeaders) => {
            return Some(Err("431 Request Header Fields Too Large"));
        }
        Err(_) => return Some(Err("400 Bad Request")),
    }
    let with_body = match request.method {
        Some("GET") => true,
        Some("HEAD") => false,
        _ => return Some(Err("405 Method Not Allowed")),
    };
    // No page takes a query.
    Some(match request.path.and_then(|path| path.split('?').next()) {
        Some("/metrics") => Ok((Page::Metrics, with_body)),
        Some("/health") => Ok((Page::Health, with_body)),
        _ => Err("404 Not Found"),
    })
}

fn answer(asked: Result<(Page, bool), &'static str>, pages: &Pages) -> Vec<u8> {
    let (status, content_type, body, with_body) = match asked {
        Ok((page, with_body)) => {
            let (status, content_type, body) = pages.render(page);
            (status, content_type, body, with_body)
        }
        Err(status) => (status, Pages::PLAIN, format!("{status}\n"), true),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Allow: GET, HEAD\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if with_body {
        answer.push_str(&body);
    }
    answer.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const METRICS: Option<Result<(Page, bool), &str>> = Some(Ok((Page::Metrics, true)));

    #[test]
    fn a_request_is_judged_by_its_first_line() {
        assert_eq!(parse(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), METRICS);
        assert_eq!(parse(b"GET /metrics?x=/health HTTP/1.0\r\n\r\nbody"), METRICS);
        let head = Some(Ok((Page::Health, false)));
        assert_eq!(parse(b"HEAD /health HTTP/1.1\r\n\r\n"), head);
        for (request, status) in [
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 "),
            ("GET / HTTP/1.1\r\n\r\n", "404 "),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", "404 "),
            ("GET http://a/metrics HTTP/1.1\r\n\r\n", "404 "),
            ("GET /metrics\r\n\r\n", "400 "),
            ("\0\u{12}{\"type\":\"CSRooms\"}", "400 "),
        ] {
            let refused = parse(request.as_bytes()).and_then(Result::err);
            assert!(refused.is_some_and(|said| said.starts_with(status)), "{request:?}");
        }
    }

    #[test]
    fn a_long_head_is_refused() {
        let refused = Some(Err("431 Request Header Fields Too Large"));
        let long = |n| format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(n));
        let fits = HEAD - long(0).len();
        assert_eq!(parse(long(fits).as_bytes()), METRICS);
        assert_eq!(parse(long(fits + 1).as_bytes()), refused);
        assert_eq!(parse(&long(2 * HEAD).as_bytes()[..HEAD - 1]), None);
        assert_eq!(parse(&long(2 * HEAD).as_bytes()[..HEAD]), refused);
        let lines = |n| format!("GET /metrics HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(n));
        assert_eq!(parse(lines(HEADERS).as_bytes()), METRICS);
        assert_eq!(parse(lines(HEADERS + 1).as_bytes()), refused);
    }

    proptest! {
        #[test]
        fn a_request_is_incomplete_up_to_its_last_byte(len in 0_usize..1000) {
            let request = b"GET /metrics HTTP/1.1\r\nHost: localhost:9464\r\nAccept: text/plain\r\n\r\n";
            let len = len % request.len();
            prop_assert_eq!(parse(&request[..len]), None);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
