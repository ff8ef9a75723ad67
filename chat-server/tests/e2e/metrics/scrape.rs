//! A client of the metrics port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::exposition::Exposition;
use crate::support::{DEADLINE, wait_for};

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
    stream.set_write_timeout(Some(DEADLINE)).expect("it is not zero");
    stream
}

/// Sends a request and reads to the end of the stream.
pub(crate) fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = connect(address);
    stream.write_all(request).expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer and a clean end");
    answer
}

/// Gets a page: its status line, and its body, whose length must be that in the head.
pub(crate) fn get(address: SocketAddr, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let answer = ask(address, request.as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends");
    let (status, fields) = head.split_once("\r\n").expect("it has fields");
    let length = format!("Content-Length: {}", body.len());
    assert!(fields.lines().any(|field| field == length), "{head}: {length}");
    (status.to_owned(), body.to_owned())
}

pub(crate) fn scrape(address: SocketAddr) -> Exposition {
    let (status, body) = get(address, "/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    Exposition::parse(&body)
}

/// Scrapes until all samples have these values: a turn is counted when it ends, after its answers have arrived.
pub(crate) fn expect(address: SocketAddr, expected: &[(&str, u64)]) -> Exposition {
    let wrong = |page: &Exposition| {
        let wrong = expected.iter().filter(|(sample, n)| page.value(sample) != *n as f64);
        wrong.map(|(sample, n)| format!("{sample} is {}, not {n}", page.value(sample))).collect()
    };
    let mut page = scrape(address);
    wait_for("the samples", || (page = scrape(address), wrong(&page)).1, Vec::<String>::is_empty);
    page
}
