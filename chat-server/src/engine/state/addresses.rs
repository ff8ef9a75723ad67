//! The number of connections from each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::net::ConnKey;

/// Counts connections by address, if there is a limit. Peers choose the keys, so the maps are std's, which
/// resist flooding.
#[derive(Debug)]
pub(crate) struct AddressCounts {
    /// 0 for no limit; nothing is counted then.
    limit: usize,
    counts: HashMap<IpAddr, usize>,
    of: HashMap<ConnKey, IpAddr>,
}

impl AddressCounts {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, counts: HashMap::new(), of: HashMap::new() }
    }

    /// Counts a connection. Returns false, and does not count it, if its address is at the limit.
    #[must_use]
    pub(crate) fn add(&mut self, key: ConnKey, peer: IpAddr) -> bool {
        if self.limit == 0 {
            return true;
        }
        let source = source_of(peer);
        let count = self.counts.entry(source).or_default();
        if *count >= self.limit {
            return false;
        }
        *count += 1;
        self.of.insert(key, source);
        true
    }

    /// Stops counting a connection, if it was counted.
    pub(crate) fn remove(&mut self, key: ConnKey) {
        let Some(source) = self.of.remove(&key) else { return };
        let Some(count) = self.counts.get_mut(&source) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&source);
        }
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.counts.shrink_to_fit();
        self.of.shrink_to_fit();
    }
}

#[cfg(test)]
impl AddressCounts {
    /// Connections and addresses that are counted.
    pub(crate) fn len(&self) -> usize {
        self.of.len() + self.counts.len()
    }
}

/// The address that counts: an IPv4 address in either form; of an IPv6 address the /64 network, all 2⁶⁴
/// addresses of which one peer usually has (RFC 6177).
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_address_has_its_own_count() {
        let mut addresses = AddressCounts::new(2);
        let mut add = |slot, peer| addresses.add(ConnKey::for_test(slot), address(peer));
        assert!(add(1, "10.0.0.1") && add(2, "::ffff:10.0.0.1"));
        assert!(!add(3, "10.0.0.1"), "two are the most");
        assert!(add(4, "10.0.0.2"));
        assert!(add(5, "2001:db8::1") && add(6, "2001:db8::2"));
        assert!(!add(7, "2001:db8::3:4"), "a network of 64 bits counts as one");
        assert!(add(8, "2001:db8:0:1::1"));
        addresses.remove(ConnKey::for_test(3));
        assert!(!addresses.add(ConnKey::for_test(9), address("10.0.0.1")), "3 was never counted");
        addresses.remove(ConnKey::for_test(1));
        assert!(addresses.add(ConnKey::for_test(9), address("10.0.0.1")));
    }

    #[test]
    fn nothing_is_kept_of_who_is_gone() {
        let mut addresses = AddressCounts::new(1);
        for slot in 0..100 {
            let peer = IpAddr::from([10, 0, 0, slot as u8]);
            assert!(addresses.add(ConnKey::for_test(slot), peer));
            addresses.remove(ConnKey::for_test(slot));
        }
        assert!(addresses.counts.is_empty() && addresses.of.is_empty());
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let mut addresses = AddressCounts::new(0);
        assert!((0..9).all(|slot| addresses.add(ConnKey::for_test(slot), address("10.0.0.1"))));
        assert!(addresses.of.is_empty());
    }
}
