//! Sessions that have outlived their connections.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use chat_core::{RoomId, SessionId};
use rustc_hash::FxHashMap;

use crate::net::Instant;
use crate::workers::Mailbox;

/// Sessions without connections, each for the same time.
#[derive(Debug, Default)]
pub(crate) struct KeptSessions {
    sessions: FxHashMap<SessionId, Kept>,
    /// In the order in which they were kept, with the time at which each ends; `None` before the next turn. Some have
    /// been taken over.
    ends: VecDeque<(Option<Instant>, SessionId)>,
    /// How many there are of each address. Peers choose the keys, so the map is std's, which resists flooding.
    of_address: HashMap<IpAddr, usize>,
}

/// A session without a connection.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its route to the hub.
    pub(crate) mailbox: Arc<Mailbox>,
    /// The room that its client was in, and the last broadcast there, if the client is known to have received all.
    pub(crate) seen: Option<(RoomId, u64)>,
    /// The address of the lost connection, if there is a limit on those from it.
    pub(crate) address: Option<IpAddr>,
}

impl KeptSessions {
    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// How many there are of an address.
    pub(crate) fn of(&self, address: IpAddr) -> usize {
        self.of_address.get(&address).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, kept: Kept) {
        if let Some(address) = kept.address {
            *self.of_address.entry(address).or_default() += 1;
        }
        let session = kept.mailbox.session();
        self.ends.push_back((None, session));
        self.sessions.insert(session, kept);
    }

    /// Removes a session that is taken over.
    pub(crate) fn remove(&mut self, session: SessionId) -> Option<Kept> {
        let kept = self.sessions.remove(&session)?;
        if let Some(address) = kept.address
            && let Some(count) = self.of_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&address);
            }
        }
        if self.sessions.is_empty() {
            *self = Self::default();
        }
        Some(kept)
    }

    /// Sets the end of the sessions that were kept since the last turn.
    pub(crate) fn tick(&mut self, end: Instant) {
        let new = self.ends.iter_mut().rev().take_while(|(end, _)| end.is_none());
        new.for_each(|entry| entry.0 = Some(end));
    }

    /// When the next one ends.
    pub(crate) fn next_end(&self) -> Option<Instant> {
        self.ends.front().and_then(|(end, _)| *end)
    }

    /// Removes the oldest, if it has ended, or if there are more than `most`.
    pub(crate) fn pop(&mut self, now: Instant, most: usize) -> Option<Kept> {
        while let Some(&(end, session)) = self.ends.front() {
            let is_over = self.sessions.len() > most || end.is_some_and(|end| end <= now);
            if !is_over && self.sessions.contains_key(&session) {
                return None;
            }
            self.ends.pop_front();
            if let Some(kept) = self.remove(session) {
                return Some(kept);
            }
        }
        None
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chat_core::{HubLimits, Role};

    use super::*;
    use crate::workers::SharedHub;

    fn after(millis: u64) -> Instant {
        Instant::START + Duration::from_millis(millis)
    }

    #[test]
    fn sessions_end_in_the_order_in_which_they_were_kept() {
        let hub = SharedHub::new(HubLimits::new(), || {});
        let mut kept = KeptSessions::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        let keep = |kept: &mut KeptSessions| {
            let mailbox = Arc::new(Mailbox::new(hub.connect(Role::Guest)));
            let session = mailbox.session();
            kept.add(Kept { mailbox, seen: None, address: Some(address) });
            session
        };
        let ended = |kept: &mut KeptSessions, now, most| {
            kept.pop(after(now), most).map(|kept| kept.mailbox.session())
        };
        let [a, b] = [keep(&mut kept), keep(&mut kept)];
        assert_eq!(ended(&mut kept, 1_000_000, 9), None, "their time has not begun");
        kept.tick(after(10));
        let c = keep(&mut kept);
        kept.tick(after(20));
        assert_eq!((kept.next_end(), kept.of(address)), (Some(after(10)), 3));
        assert!(kept.remove(a).is_some() && kept.remove(a).is_none());
        assert_eq!(ended(&mut kept, 9, 9), None);
        assert_eq!(ended(&mut kept, 10, 9), Some(b));
        assert_eq!(ended(&mut kept, 10, 9), None);
        assert_eq!(ended(&mut kept, 10, 0), Some(c), "there is no room for more");
        assert_eq!((kept.len(), kept.of(address), kept.next_end()), (0, 0, None));
    }
}
