//! Names: which session holds which, and which nobody may hold.

use std::collections::HashMap;

use chat_proto::{Name, NameKey, NameKeys};

use crate::reserved_names::ReservedNames;
use crate::session_id::SessionId;
use crate::shrink;

/// The names that sessions have chosen, by their keys. Since peers choose the keys, the map hashes them with a
/// random secret: nobody can flood it with collisions.
#[derive(Debug, Default)]
pub(crate) struct NameRegistry {
    holders: HashMap<NameKey, SessionId>,
    reserved: ReservedNames,
}

/// The reason why a session may not have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// Another session holds it, or it looks like the default name of one.
    Taken,
    /// Nobody may hold it.
    Reserved,
}

impl NameRegistry {
    /// Reserves these names instead of those before.
    pub(crate) fn reserve(&mut self, reserved: ReservedNames) {
        self.reserved = reserved;
    }

    pub(crate) fn reserved(&self) -> &ReservedNames {
        &self.reserved
    }

    /// Claims a name for `session`, whose default name has `number`. Returns the claim to release later, or `None` for
    /// the default name of the session, which needs no claim.
    ///
    /// # Errors
    /// The reason why the session may not have the name.
    pub(crate) fn claim(
        &mut self,
        name: &Name,
        session: SessionId,
        number: u64,
    ) -> Result<Option<Claim>, Unavailable> {
        let keys = name.keys();
        if !keys.iter().any(NameKey::is_default) && self.reserved.contains(name, &keys) {
            return Err(Unavailable::Reserved);
        }
        self.claim_keys(keys, session, number)
    }

    /// As [`NameRegistry::claim`], for a session that has the name, which may have been reserved since.
    pub(crate) fn claim_reserved(
        &mut self,
        name: &Name,
        session: SessionId,
        number: u64,
    ) -> Result<Option<Claim>, Unavailable> {
        self.claim_keys(name.keys(), session, number)
    }

    fn claim_keys(
        &mut self,
        keys: NameKeys,
        session: SessionId,
        number: u64,
    ) -> Result<Option<Claim>, Unavailable> {
        if keys.iter().any(NameKey::is_default) {
            let is_own = keys == Name::default_for(number).keys();
            return if is_own { Ok(None) } else { Err(Unavailable::Taken) };
        }
        if keys.iter().any(|key| self.holder(key).is_some_and(|holder| holder != session)) {
            return Err(Unavailable::Taken);
        }
        for key in keys.iter() {
            self.holders.insert(key.clone(), session);
        }
        Ok(Some(Claim(Box::new(keys))))
    }

    /// Makes another session the holder of a claim.
    pub(crate) fn hand_over(&mut self, claim: &Claim, session: SessionId) {
        for key in claim.keys() {
            self.holders.insert(key.clone(), session);
        }
    }

    /// Releases what `old` claims and `new` does not.
    pub(crate) fn release(&mut self, old: &Claim, new: Option<&Claim>) {
        let is_kept = |key: &NameKey| new.is_some_and(|new| new.keys().any(|other| other == key));
        for key in old.keys().filter(|key| !is_kept(key)) {
            shrink::remove(&mut self.holders, key);
        }
    }

    pub(crate) fn holder(&self, key: &NameKey) -> Option<SessionId> {
        self.holders.get(key).copied()
    }

    /// The number of keys claimed.
    pub(crate) fn len(&self) -> usize {
        self.holders.len()
    }

    pub(crate) fn is_tight(&self) -> bool {
        shrink::is_tight(&self.holders)
    }
}

/// The keys that a session holds in the registry.
#[derive(Debug)]
pub(crate) struct Claim(Box<NameKeys>);

impl Claim {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &NameKey> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(
        names: &mut NameRegistry,
        name: &str,
        session: u64,
    ) -> Result<Option<Claim>, Unavailable> {
        names.claim(&Name::new(name).expect("a name"), SessionId(session), session)
    }

    /// Without a random secret, a peer could choose names that all have the same hash.
    #[test]
    fn j12_the_map_of_names_cannot_be_flooded() {
        let names = NameRegistry::default();
        let _with_secret: &HashMap<NameKey, SessionId, std::hash::RandomState> = &names.holders;
    }

    #[test]
    fn a_name_is_held_by_all_its_keys_until_it_is_released() {
        let mut names = NameRegistry::default();
        let greek = claim(&mut names, "ΝΑ", 1).expect("free").expect("a choice");
        assert_eq!(names.len(), 2);
        for same in ["Na", "να", "ΝΑ"] {
            assert_eq!(claim(&mut names, same, 2).err(), Some(Unavailable::Taken), "{same}");
        }
        let latin = claim(&mut names, "NA", 1).expect("its own").expect("a choice");
        names.release(&greek, Some(&latin));
        assert_eq!(names.len(), 1);
        assert!(claim(&mut names, "να", 2).is_ok());
        names.release(&latin, None);
        assert!(claim(&mut names, "Na", 3).is_ok());
    }

    #[test]
    fn v2_a_default_name_belongs_to_its_session_alone() {
        let mut names = NameRegistry::default();
        for taken in [
            "user17",
            "USER17",
            "\u{ff55}ser17",
            " user17 ",
            "user99999",
            "userl7",
            "user1７",
            "user²",
        ] {
            assert_eq!(claim(&mut names, taken, 1).err(), Some(Unavailable::Taken), "{taken}");
        }
        assert!(claim(&mut names, "user17", 17).is_ok_and(|claim| claim.is_none()));
        for free in ["user", "userx", "user 17", "1user"] {
            assert!(claim(&mut names, free, 1).is_ok(), "{free}");
        }
    }
}
