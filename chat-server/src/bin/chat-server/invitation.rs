//! What to open in a browser: the URLs of the page, and a QR code for phones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use qrcodegen::{QrCode, QrCodeEcc};

/// The light border that readers need around a code, in modules. The standard says 4; 2 are enough for phones.
const BORDER: i32 = 2;

/// An IPv4 and an IPv6 address beyond this machine, reserved for documentation (RFC 5737, RFC 3849).
const ELSEWHERE: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// The URLs of the page, the one that other machines can open first.
pub(crate) fn urls(scheme: &str, listening: &[SocketAddr]) -> Vec<String> {
    let mut reachable: Vec<SocketAddr> = Vec::new();
    for address in listening {
        for ip in reachable_at(address.ip()) {
            let address = SocketAddr::new(ip, address.port());
            if !reachable.contains(&address) {
                reachable.push(address);
            }
        }
    }
    reachable.sort_by_key(|address| address.ip().is_loopback());
    reachable.iter().map(|address| format!("{scheme}://{address}/")).collect()
}

/// The addresses at which a server that listens on `ip` can be reached. A wildcard stands for the address from which
/// this machine reaches others, and for the loopback address.
fn reachable_at(ip: IpAddr) -> Vec<IpAddr> {
    match ip {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => {
            let loopback = Ipv4Addr::LOCALHOST.into();
            own_address(ip, ELSEWHERE.0.into()).into_iter().chain([loopback]).collect()
        }
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            let v4 = reachable_at(Ipv4Addr::UNSPECIFIED.into());
            own_address(ip, ELSEWHERE.1.into()).into_iter().chain(v4).collect()
        }
        _ => vec![ip],
    }
}

/// The address from which this machine reaches another. Connecting a UDP socket sends nothing; it only chooses a route.
fn own_address(any: IpAddr, elsewhere: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((elsewhere, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// The QR code of a URL in half blocks, for a terminal; `None` if the URL is too long.
pub(crate) fn qr_code(url: &str) -> Option<String> {
    let code = QrCode::encode_text(url, QrCodeEcc::Low).ok()?;
    let is_dark = |x, y| code.get_module(x, y);
    let mut text = String::new();
    for y in (-BORDER..code.size() + BORDER).step_by(2) {
        // Sets both colours, so that the code is readable on dark and light terminals.
        text += "\x1b[30;47m";
        for x in -BORDER..code.size() + BORDER {
            text.push(match (is_dark(x, y), is_dark(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            });
        }
        text += "\x1b[0m\n";
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls_of(addresses: &[&str]) -> Vec<String> {
        let addresses: Vec<_> = addresses.iter().map(|a| a.parse().expect("an address")).collect();
        urls("http", &addresses)
    }

    #[test]
    fn an_address_is_opened_as_it_is() {
        assert_eq!(urls_of(&["127.0.0.1:9000"]), ["http://127.0.0.1:9000/"]);
        assert_eq!(
            urls_of(&["[::1]:9000", "192.0.2.7:9000"]),
            ["http://192.0.2.7:9000/", "http://[::1]:9000/"]
        );
        assert_eq!(
            urls("https", &["192.0.2.7:443".parse().expect("one")]),
            ["https://192.0.2.7:443/"]
        );
    }

    #[test]
    fn a_wildcard_is_opened_at_addresses_that_exist() {
        for wildcard in ["0.0.0.0:9000", "[::]:9000"] {
            let urls = urls_of(&[wildcard]);
            assert!(urls.contains(&"http://127.0.0.1:9000/".to_owned()), "{urls:?}");
            assert!(
                !urls.iter().any(|url| url.contains("0.0.0.0") || url.contains("[::]")),
                "{urls:?}"
            );
        }
        let both = urls_of(&["0.0.0.0:9000", "[::]:9000"]);
        let one = both.iter().filter(|url| *url == "http://127.0.0.1:9000/").count();
        assert_eq!(one, 1, "{both:?}");
    }

    #[test]
    fn a_code_is_a_square_of_half_blocks_in_its_own_colours() {
        let code = qr_code("http://192.168.0.7:9000/").expect("it is short");
        let rows: Vec<_> = code.lines().collect();
        let width = |row: &str| {
            row.trim_start_matches("\x1b[30;47m").trim_end_matches("\x1b[0m").chars().count()
        };
        assert!(rows.iter().all(|row| width(row) == width(rows[0])), "{code}");
        assert_eq!(width(rows[0]).div_ceil(2), rows.len());
        assert!(qr_code(&"x".repeat(5_000)).is_none());
    }
}
