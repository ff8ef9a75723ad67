//! What holds between inputs, whatever the inputs are.

use super::Hub;
use crate::asking::Asking;
use crate::room::Room;
use crate::shrink::is_tight;

impl Hub {
    /// Checks that sessions, names and rooms agree with each other. For tests: it visits everything.
    ///
    /// # Panics
    /// When they do not, which is a bug in this crate.
    pub fn check_invariants(&self) {
        for (&id, session) in &self.sessions {
            assert!(id < self.next_session, "session {id} never began");
            if let Some(membership) = session.membership {
                let room = self.rooms.get(&membership.room).expect("a member's room exists");
                assert_eq!(room.member(membership), Some(id), "the room knows its member");
            }
            if let Some(claim) = &session.claim {
                let is_held = |key| self.names.holder(key) == Some(id);
                assert!(claim.keys().all(is_held), "a chosen name is claimed");
            } else {
                let default = self.default_name(id);
                let is_default = session.name == default || session.name.keys() == default.keys();
                assert!(is_default, "any other name is the default one, in some spelling");
            }
        }
        let claims = self.sessions.values().filter_map(|session| session.claim.as_ref());
        let claimed: usize = claims.map(|claim| claim.keys().count()).sum();
        assert_eq!(self.names.len(), claimed, "every claim belongs to a session");
        let are_known = self.asking.keys().all(|id| self.sessions.contains_key(id));
        assert!(are_known, "what is remembered belongs to a session");
        let are_due = |asking: &Asking| asking.previous.is_none() || asking.token.is_some();
        assert!(self.asking.values().all(are_due), "a new token replaces the previous one");
        let tokens = self.asking.iter();
        let tokens = tokens.flat_map(|(id, asking)| asking.tokens().map(|token| (token, *id)));
        let are_right = tokens.clone().all(|(token, id)| self.tokens.get(&token) == Some(&id));
        assert!(are_right && tokens.count() == self.tokens.len(), "a token is that of one session");
        let in_rooms = self.sessions.values().filter(|session| session.membership.is_some());
        let members: usize = self.rooms.values().map(Room::member_count).sum();
        assert_eq!(members, in_rooms.count(), "every member is a session");
        for (&id, room) in &self.rooms {
            assert!(id == room.id && id < self.next_room, "room {id} was never created");
            assert_eq!(room.is_empty(), room.empty_since.is_some(), "room {id} is empty or not");
            let is_listed = |since| self.empty_rooms.contains(&(since, id));
            assert!(room.empty_since.is_none_or(is_listed), "empty room {id} can be closed");
        }
        let empty_rooms = self.rooms.values().filter(|room| room.is_empty()).count();
        assert_eq!(self.empty_rooms.len(), empty_rooms, "the empty rooms have no members");
        assert!(empty_rooms == 0 || self.limits.lasting_rooms, "no room stays without members");
        assert!(self.rooms.len() <= self.limits.rooms);
        let are_tight = [
            is_tight(&self.sessions),
            is_tight(&self.asking),
            is_tight(&self.tokens),
            self.names.is_tight(),
        ];
        assert!(are_tight.into_iter().all(|is_tight| is_tight), "unused memory is freed");
    }
}
