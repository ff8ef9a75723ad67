//! Addresses as people write them: IPv6 with or without brackets, with an interface, and lists of addresses.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use chat_server::Network;

use super::error::ValueError;

/// Parses comma-separated IP addresses, as socket addresses with port 0.
pub(super) fn parse_ips(value: &str) -> Result<Vec<SocketAddr>, ValueError> {
    value.split(',').map(|word| parse_ip(word.trim()).map(canonical)).collect()
}

/// Parses an address with its port. IPv6 needs brackets.
pub(crate) fn parse_address(value: &str) -> Result<SocketAddr, ValueError> {
    let wrong = ValueError::NotAnAddressWithPort;
    let Some((ip, port)) = value.rsplit_once(':') else { return Err(wrong) };
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse().ok().filter(|_| is_port);
    let is_bracketed = ip.starts_with('[');
    let (Some(port), true) = (port, is_bracketed || !ip.contains(':')) else { return Err(wrong) };
    let mut address = parse_ip(ip).map_err(|error| match error {
        ValueError::NotAnAddress => wrong,
        other => other,
    })?;
    address.set_port(port);
    Ok(address)
}

/// Parses comma-separated networks.
pub(super) fn parse_networks(value: &str) -> Result<Vec<Network>, ValueError> {
    let networks = value.split(',').map(|word| word.trim().parse());
    networks.collect::<Result<_, _>>().map_err(|_| ValueError::NotANetwork)
}

/// Parses comma-separated host names.
pub(super) fn parse_hosts(value: &str) -> Result<Vec<String>, ValueError> {
    let is_host = |host: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        !host.is_empty() && host.chars().all(is_part)
    };
    let hosts: Vec<_> = value.split(',').map(|host| host.trim().to_owned()).collect();
    if hosts.iter().all(|host| is_host(host)) { Ok(hosts) } else { Err(ValueError::NotAHost) }
}

/// Parses an IP address. IPv6 may be in brackets, and may name an interface after `%`.
fn parse_ip(value: &str) -> Result<SocketAddr, ValueError> {
    let bare = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let (ip, interface) = match bare.unwrap_or(value).split_once('%') {
        Some((ip, interface)) => (ip, Some(interface)),
        None => (bare.unwrap_or(value), None),
    };
    let needs_v6 = bare.is_some() || interface.is_some();
    let ip: IpAddr = ip.parse().map_err(|_| ValueError::NotAnAddress)?;
    let IpAddr::V6(v6) = ip else {
        return if needs_v6 { Err(ValueError::NotAnAddress) } else { Ok(SocketAddr::new(ip, 0)) };
    };
    let scope = match interface {
        Some(interface) => interface_index(interface)
            .ok_or_else(|| ValueError::NoSuchInterface(interface.to_owned()))?,
        None if is_link_local(v6) => return Err(ValueError::NeedsInterface),
        None => 0,
    };
    Ok(SocketAddrV6::new(v6, 0, 0, scope).into())
}

/// Whether an address is only valid together with an interface, so that the system must be told which.
fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

/// The index of a network interface, given as a number or by name.
fn interface_index(interface: &str) -> Option<u32> {
    if let Ok(index) = interface.parse() {
        return Some(index);
    }
    let is_name = !interface.is_empty() && !interface.starts_with('.') && !interface.contains('/');
    let index = fs::read_to_string(format!("/sys/class/net/{interface}/ifindex"));
    index.ok().filter(|_| is_name)?.trim().parse().ok()
}

/// Converts an IPv4-mapped IPv6 address to IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

/// Shows an address without its port.
pub(super) fn show_ip(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        address => address.ip().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a10_addresses_are_read_as_people_write_them() {
        for (value, shown) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[::]", "::"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("fe80::1%2", "fe80::1%2"),
            ("[fe80::1%2]", "fe80::1%2"),
            ("fe80::1%lo", "fe80::1%1"),
            ("[fe80::1%lo]", "fe80::1%1"),
            ("127.0.0.1,[::1], 10.0.0.1", "127.0.0.1,::1,10.0.0.1"),
        ] {
            let addresses = parse_ips(value).unwrap_or_else(|error| panic!("{value}: {error:?}"));
            assert_eq!(addresses.iter().map(show_ip).collect::<Vec<_>>().join(","), shown);
        }
        for (value, shown) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:0", "[::1]:0"),
            ("[fe80::1%2]:65535", "[fe80::1%2]:65535"),
            ("[fe80::1%lo]:80", "[fe80::1%1]:80"),
        ] {
            assert_eq!(
                parse_address(value).map(|address| address.to_string()),
                Ok(shown.to_owned())
            );
        }
    }

    #[test]
    fn a10_an_invalid_address_is_refused_with_the_reason() {
        let no_such = |name: &str| ValueError::NoSuchInterface(name.to_owned());
        for value in
            ["", "[127.0.0.1]", "[::1", "::1]", "127.0.0.1%lo", "::g", "[[::1]]", "1.2.3.4,"]
        {
            assert_eq!(parse_ips(value), Err(ValueError::NotAnAddress), "{value:?}");
        }
        assert_eq!(parse_ips("fe80::1"), Err(ValueError::NeedsInterface));
        assert_eq!(parse_ips("febf::1"), Err(ValueError::NeedsInterface));
        for name in ["", "nosuch0", ".", "..", "lo/../lo", "-1"] {
            assert_eq!(parse_ips(&format!("fe80::1%{name}")), Err(no_such(name)), "{name:?}");
        }
        for value in [
            "::1:80",
            "1.2.3.4",
            "1.2.3.4:",
            "1.2.3.4:+8",
            "1.2.3.4:65536",
            "[::1]",
            "[::1]80",
            ":80",
        ] {
            assert_eq!(parse_address(value), Err(ValueError::NotAnAddressWithPort), "{value:?}");
        }
        assert_eq!(parse_address("[fe80::1]:80"), Err(ValueError::NeedsInterface));
    }
}
