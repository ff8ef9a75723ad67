//! The connections from each address: how many there are, and how fast new ones arrive.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};

use crate::connection::{Rate, TokenBucket};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant};

/// Counts connections by address, if either limit is in force. Peers choose the keys, so the maps are std's, which
/// resist flooding.
#[derive(Debug)]
pub(crate) struct AddressCounts {
    /// 0 for no limit.
    limit: usize,
    new: Rate,
    /// Whether loopback addresses count as well: by default, they do not.
    counts_loopback: bool,
    counts: HashMap<IpAddr, Source>,
    of: HashMap<ConnKey, IpAddr>,
    /// Addresses without connections, and when each can be forgotten.
    fading: VecDeque<(Instant, IpAddr)>,
    now: Instant,
}

/// One address.
#[derive(Debug)]
struct Source {
    connections: usize,
    new: TokenBucket,
}

impl AddressCounts {
    pub(crate) fn new(limits: &Limits) -> Self {
        let default = Limits::default();
        Self {
            limit: limits.connections_per_address,
            new: Rate::new(limits.new_connections),
            counts_loopback: limits.connections_per_address != default.connections_per_address
                || limits.new_connections != default.new_connections,
            counts: HashMap::new(),
            of: HashMap::new(),
            fading: VecDeque::new(),
            now: Instant::START,
        }
    }

    /// Sets the time, and forgets addresses whose time has come.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
        while self.fading.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, source)) = self.fading.pop_front() else { break };
            if let Entry::Occupied(entry) = self.counts.entry(source)
                && entry.get().connections == 0
                && entry.get().new.full_at() <= now
            {
                entry.remove();
            }
        }
    }

    /// The address of a connection, if there is a limit on those from it, and that limit.
    pub(crate) fn limited(&self, key: ConnKey) -> Option<(IpAddr, usize)> {
        self.of.get(&key).filter(|_| self.limit > 0).map(|source| (*source, self.limit))
    }

    /// Counts a connection. Returns the time at which it may be read, if that is later than now.
    ///
    /// # Errors
    /// [`AtLimit`] if its address is at the limit; the connection is then not counted.
    pub(crate) fn add(&mut self, key: ConnKey, peer: IpAddr) -> Result<Option<Instant>, AtLimit> {
        let is_off = self.limit == 0 && self.new.is_unlimited();
        if is_off || (!self.counts_loopback && peer.to_canonical().is_loopback()) {
            return Ok(None);
        }
        let (now, source) = (self.now, source_of(peer));
        let new = Source { connections: 0, new: TokenBucket::new(now) };
        let entry = self.counts.entry(source).or_insert(new);
        if self.limit > 0 && entry.connections >= self.limit {
            return Err(AtLimit);
        }
        entry.connections += 1;
        self.of.insert(key, source);
        let until = entry.new.empty_until(now, self.new);
        if until.is_none_or(|until| until < now + self.new.time_for(MOST_WAITING)) {
            entry.new.charge(now, self.new, 1);
        }
        Ok(until)
    }

    /// Stops counting a connection, if it was counted.
    pub(crate) fn remove(&mut self, key: ConnKey) {
        let Some(source) = self.of.remove(&key) else { return };
        let Some(entry) = self.counts.get_mut(&source) else { return };
        entry.connections -= 1;
        if entry.connections > 0 {
            return;
        }
        if entry.new.full_at() <= self.now {
            self.counts.remove(&source);
        } else {
            self.fading.push_back((entry.new.full_at(), source));
        }
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.counts.shrink_to_fit();
        self.of.shrink_to_fit();
        self.fading.shrink_to_fit();
    }
}

#[cfg(test)]
impl AddressCounts {
    /// The number of connections and addresses that are counted.
    pub(crate) fn len(&self) -> usize {
        self.of.len() + self.counts.values().filter(|source| source.connections > 0).count()
    }
}

/// New connections of one address that each wait for a turn of their own. Any more wait as long as the last of these.
const MOST_WAITING: usize = 64;

/// The address is at its limit of connections.
#[derive(Debug)]
pub(crate) struct AtLimit;

/// The address to count by: IPv4, even if mapped to IPv6, as it is; IPv6 by its /64 network, which usually belongs to
/// one peer as a whole (RFC 6177).
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::RateLimit;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn addresses(limit: usize, new: RateLimit) -> AddressCounts {
        let mut limits = Limits::default();
        (limits.connections_per_address, limits.new_connections) = (limit, new);
        AddressCounts::new(&limits)
    }

    #[test]
    fn each_address_has_its_own_count() {
        let mut addresses = addresses(2, RateLimit::per_second(0));
        let mut add = |slot, peer| addresses.add(ConnKey::for_test(slot), address(peer)).is_ok();
        assert!(add(1, "10.0.0.1") && add(2, "::ffff:10.0.0.1"));
        assert!(!add(3, "10.0.0.1"), "two are the most");
        assert!(add(4, "10.0.0.2"));
        assert!(add(5, "2001:db8::1") && add(6, "2001:db8::2"));
        assert!(!add(7, "2001:db8::3:4"), "a network of 64 bits counts as one");
        assert!(add(8, "2001:db8:0:1::1"));
        assert!(add(9, "::1") && add(10, "::1") && !add(11, "::1"), "a limit that is set is one");
        addresses.remove(ConnKey::for_test(3));
        let mut add = |slot| addresses.add(ConnKey::for_test(slot), address("10.0.0.1")).is_ok();
        assert!(!add(12), "3 was never counted");
        addresses.remove(ConnKey::for_test(1));
        let mut add = |slot| addresses.add(ConnKey::for_test(slot), address("10.0.0.1")).is_ok();
        assert!(add(12));
    }

    #[test]
    fn addresses_that_are_gone_leave_nothing_behind() {
        let mut addresses = addresses(1, RateLimit { burst: 1, per_second: 10 });
        for slot in 0..100 {
            let peer = IpAddr::from([10, 0, 0, slot as u8]);
            assert!(addresses.add(ConnKey::for_test(slot), peer).is_ok());
            addresses.remove(ConnKey::for_test(slot));
        }
        assert_eq!(addresses.counts.len(), 100, "how fast they come is remembered for a while");
        addresses.tick(Instant::START + Duration::from_millis(100));
        assert!(addresses.counts.is_empty() && addresses.of.is_empty());
        assert!(addresses.fading.is_empty());
    }

    #[test]
    fn loopback_addresses_do_not_count_by_default() {
        let mut addresses = AddressCounts::new(&Limits::default());
        let mut add = |slot, peer| addresses.add(ConnKey::for_test(slot), address(peer)).is_ok();
        assert!((0..999).all(|slot| add(slot, "127.0.0.1") && add(slot, "::ffff:127.0.0.1")));
        assert!((0..64).all(|slot| add(slot, "10.0.0.1")) && !add(64, "10.0.0.1"));
        assert_eq!(addresses.of.len(), 64);
    }

    #[test]
    fn b4_new_connections_of_an_address_wait_their_turn_and_none_is_refused() {
        let mut addresses = addresses(0, RateLimit { burst: 3, per_second: 10 });
        let mut wait = |slot, now| {
            addresses.tick(now);
            let until = addresses.add(ConnKey::for_test(slot), address("10.0.0.1"));
            until.expect("none is refused").map_or(Duration::ZERO, |until| until.since(now))
        };
        let start = Instant::START;
        let waits: Vec<_> = (0..200).map(|slot| wait(slot, start).as_millis()).collect();
        assert_eq!(waits[..6], [0, 0, 0, 100, 200, 300]);
        assert!(waits.iter().all(|ms| *ms <= 6_500), "nor does one wait for ever: {waits:?}");
        assert_eq!(wait(200, start + Duration::from_secs(20)), Duration::ZERO);
    }
}
