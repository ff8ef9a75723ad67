//! The server's `/metrics`, compared with what they should be once everybody has gone.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the page may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Metrics that are 0 when nobody is there, and counters of what never happens.
const ZEROS: [&str; 7] = [
    "chat_connections",
    "chat_members",
    "chat_rooms",
    "chat_backlog_bytes",
    "chat_requests_pending",
    "chat_accept_failures_total",
    "chat_panics_total",
];

/// Metrics that are equal when nobody is there.
const SAME: (&str, &str) = ("chat_connections_accepted_total", "chat_connections_closed_total");

/// The samples of one scrape.
#[derive(Debug)]
pub(super) struct Metrics(String);

impl Metrics {
    pub(super) fn read(addr: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(Self(page))
    }

    /// The metrics that are not as they should be once everybody has gone.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for name in ZEROS {
            match self.sum(name) {
                Some(0.0) => {}
                Some(sum) => faults.push(format!("{name} is {sum} at the end")),
                None => faults.push(format!("/metrics has no {name}")),
            }
        }
        let (accepted, closed) = (self.sum(SAME.0), self.sum(SAME.1));
        if accepted.is_none() || accepted != closed {
            faults.push(format!("{} is {accepted:?}, {} is {closed:?}", SAME.0, SAME.1));
        }
        faults
    }

    /// The sum of a metric over all values of its labels; `None` if there is no such metric.
    fn sum(&self, name: &str) -> Option<f64> {
        let value = |line: &str| {
            let (sample, value) = line.rsplit_once(' ')?;
            let named = sample.split('{').next()? == name;
            named.then(|| value.parse::<f64>().ok())?
        };
        self.0.lines().filter_map(value).reduce(|sum, value| sum + value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rooms: u32, closed: u32) -> Metrics {
        let mut page =
            format!("HTTP/1.1 200 OK\r\n\r\n# TYPE chat_rooms gauge\nchat_rooms {rooms}\n");
        for name in ZEROS.iter().filter(|&&name| name != "chat_rooms") {
            page += &format!("{name}{{state=\"a b\"}} 0\n");
        }
        page += &format!("{} 7\n{}{{reason=\"lost\"}} 5\n", SAME.0, SAME.1);
        page += &format!("{}{{reason=\"stopped\"}} {closed}\n# EOF\n", SAME.1);
        Metrics(page)
    }

    #[test]
    fn what_is_left_over_is_a_fault() {
        assert_eq!(page(0, 2).faults(), [""; 0]);
        assert_eq!(page(1, 2).faults(), ["chat_rooms is 1 at the end"]);
        let [fault] = &page(0, 1).faults()[..] else { panic!("there is one") };
        assert!(fault.contains("Some(7.0)") && fault.contains("Some(6.0)"), "{fault}");
    }

    #[test]
    fn what_is_missing_is_a_fault() {
        assert_eq!(Metrics(String::new()).faults().len(), ZEROS.len() + 1);
    }
}
