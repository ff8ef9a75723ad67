//! The `/metrics` of a chat server.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the page may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The samples of one scrape.
#[derive(Debug)]
pub struct Metrics(String);

impl Metrics {
    /// Reads the page from `addr`.
    ///
    /// # Errors
    /// If it does not arrive.
    pub fn read(addr: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(Self(page))
    }

    /// Returns the metrics in a page with this text.
    #[cfg(test)]
    pub(crate) fn of(page: String) -> Self {
        Self(page)
    }

    /// The sum of a metric over all values of its labels; `None` if there is no such metric.
    pub fn sum(&self, name: &str) -> Option<f64> {
        self.labelled(name).map(|(_, value)| value).reduce(|sum, value| sum + value)
    }

    /// The samples of a metric, each with its labels, such as `reason="lost"`.
    pub fn labelled<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let (sample, value) = line.rsplit_once(' ')?;
            let rest = sample.strip_prefix(name)?;
            let labels = rest.strip_prefix('{').and_then(|labels| labels.strip_suffix('}'));
            Some((labels.or_else(|| rest.is_empty().then_some(""))?, value.parse().ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_apart_by_their_labels() {
        let page = Metrics::of("# TYPE a gauge\na_b 1\na{x=\"y z\"} 2\na{x=\"w\"} 3\n".to_owned());
        let labelled: Vec<_> = page.labelled("a").collect();
        assert_eq!(labelled, [("x=\"y z\"", 2.0), ("x=\"w\"", 3.0)]);
        assert_eq!((page.sum("a"), page.sum("a_b"), page.sum("b")), (Some(5.0), Some(1.0), None));
    }
}
