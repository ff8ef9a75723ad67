//! A range of IP addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of IP addresses, written as `ADDR` or `ADDR/BITS`.
///
/// ```
/// use chat_server::Network;
///
/// let network: Network = "10.1.0.0/16".parse()?;
/// assert!(network.contains([10, 1, 2, 3].into()));
/// assert!(!network.contains([10, 2, 0, 0].into()));
/// # Ok::<(), chat_server::InvalidNetwork>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The first address; never an IPv4-mapped IPv6 address.
    first: IpAddr,
    bits: u32,
}

/// The text is not a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidNetwork;

impl Network {
    /// Whether the address is in the range. IPv4-mapped IPv6 addresses count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        first(address.to_canonical(), self.bits) == Some(self.first)
    }
}

/// The first address of the network that contains `address`; `None` if `bits` is too long a prefix.
fn first(address: IpAddr, bits: u32) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(v4) => {
            let host = 32_u32.checked_sub(bits)?;
            IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(host).unwrap_or(0)).into())
        }
        IpAddr::V6(v6) => {
            let host = 128_u32.checked_sub(bits)?;
            IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(host).unwrap_or(0)).into())
        }
    })
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().map_err(|_| InvalidNetwork)?;
        let longest: u32 = if ip.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse(),
            Some(_) => return Err(InvalidNetwork),
            None => Ok(longest),
        };
        let mut bits = bits.ok().filter(|bits| *bits <= longest).ok_or(InvalidNetwork)?;
        let canonical = ip.to_canonical();
        if canonical != ip {
            bits = bits.checked_sub(96).ok_or(InvalidNetwork)?;
        }
        Ok(Self { first: first(canonical, bits).ok_or(InvalidNetwork)?, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_one = self.bits == if self.first.is_ipv4() { 32 } else { 128 };
        if is_one { self.first.fmt(f) } else { write!(f, "{}/{}", self.first, self.bits) }
    }
}

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an address or a network, like 192.0.2.7 or 10.0.0.0/8")
    }
}

impl std::error::Error for InvalidNetwork {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a11_a_network_contains_the_addresses_that_begin_with_its_bits() {
        for (network, shown, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "192.0.2.7", "::ffff:192.0.2.7", "::1"),
            ("10.1.2.3/8", "10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "::/0", "2001:db8::1", "127.0.0.1"),
            ("2001:db8::/33", "2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8", "10.9.9.9", "::ffff:11.0.0.0"),
        ] {
            let parsed: Network = network.parse().expect(network);
            assert_eq!(parsed.to_string(), shown);
            assert!(parsed.contains(inside.parse().expect(inside)), "{network} {inside}");
            assert!(!parsed.contains(outside.parse().expect(outside)), "{network} {outside}");
        }
        for wrong in [
            "",
            "/",
            "1.2.3.4/",
            "1.2.3.4/33",
            "::/129",
            "1.2.3/8",
            "a/8",
            "1.2.3.4/+8",
            "::ffff:1.2.3.4/8",
        ] {
            assert_eq!(wrong.parse::<Network>(), Err(InvalidNetwork), "{wrong:?}");
        }
    }
}
