//! The plan of a run, made before anything connects: who is in which room, and who talks.

use std::str::FromStr;

use super::protocol::Protocol;
use crate::error::Error;

/// How many members of each room talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talkers {
    /// This many.
    Some(u32),
    /// Every member.
    All,
}

impl FromStr for Talkers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "all" => Ok(Self::All),
            Ok(count) => Ok(Self::Some(count)),
            Err(_) => Err("neither a number nor `all`".to_owned()),
        }
    }
}

/// One connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Its room, counted from 0.
    pub room: u32,
    /// Whether it receives the room's messages.
    pub receives: bool,
    /// Its number among the talkers of its room, if it talks.
    pub talker: Option<u32>,
}

/// All connections of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The connections in the order in which they are opened: the first of each room come first.
    pub seats: Vec<Seat>,
    /// How many rooms there are.
    pub rooms: u32,
    /// Talkers in each room.
    pub talkers_per_room: u32,
    /// How many connections receive each message.
    pub receivers: u32,
}

impl Plan {
    /// Puts `members` into each of `rooms`, and lets `talkers` of them talk.
    ///
    /// A Redis connection that subscribes cannot publish, so talkers are additional connections that receive nothing,
    /// and one seat of each room stays empty: a message has `members - 1` receivers in every protocol.
    ///
    /// # Errors
    /// If a room would have no talker, or nobody to talk to.
    pub fn new(
        protocol: Protocol,
        rooms: u32,
        members: u32,
        talkers: Talkers,
    ) -> Result<Self, Error> {
        let talkers_per_room = match talkers {
            Talkers::Some(count) => count,
            Talkers::All => members,
        };
        if rooms == 0 || rooms > u32::from(u16::MAX) || members < 2 {
            return Err(Error::Config(
                "there must be 1 to 65535 rooms of 2 members or more".to_owned(),
            ));
        }
        if talkers_per_room == 0 || talkers_per_room > members {
            return Err(Error::Config(format!("1 to {members} of {members} members can talk")));
        }
        let seat = |receives, talker| move |room| Seat { room, receives, talker };
        let mut seats = Vec::new();
        if protocol.talkers_receive() {
            for member in 0..members {
                let talker = (member < talkers_per_room).then_some(member);
                seats.extend((0..rooms).map(seat(true, talker)));
            }
        } else {
            for _ in 1..members {
                seats.extend((0..rooms).map(seat(true, None)));
            }
            for talker in 0..talkers_per_room {
                seats.extend((0..rooms).map(seat(false, Some(talker))));
            }
        }
        Ok(Self { seats, rooms, talkers_per_room, receivers: members - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(plan: &Plan, room: u32, of: impl Fn(&Seat) -> bool) -> usize {
        plan.seats.iter().filter(|seat| seat.room == room && of(seat)).count()
    }

    #[test]
    fn a_message_has_one_receiver_less_than_its_room_has_members() {
        for protocol in [Protocol::Chat, Protocol::Redis, Protocol::Nats, Protocol::Relay] {
            for (talkers, wanted) in [(Talkers::Some(1), 1), (Talkers::All, 5)] {
                let plan = Plan::new(protocol, 3, 5, talkers).expect("it makes sense");
                assert_eq!((plan.receivers, plan.talkers_per_room), (4, wanted));
                for room in 0..3 {
                    let talkers = count(&plan, room, |seat| seat.talker.is_some());
                    let receivers = count(&plan, room, |seat| seat.receives);
                    assert_eq!(talkers, wanted as usize);
                    assert_eq!(receivers, if protocol.talkers_receive() { 5 } else { 4 });
                }
                assert_eq!(plan.seats[..3].iter().map(|seat| seat.room).max(), Some(2));
            }
        }
    }

    #[test]
    fn a_room_without_talker_or_receiver_is_refused() {
        for (rooms, members, talkers) in
            [(0, 2, 1), (1, 1, 1), (1, 2, 0), (1, 2, 3), (65_536, 2, 1)]
        {
            assert!(Plan::new(Protocol::Chat, rooms, members, Talkers::Some(talkers)).is_err());
        }
        assert_eq!("all".parse(), Ok(Talkers::All));
        assert_eq!("7".parse(), Ok(Talkers::Some(7)));
        assert!("some".parse::<Talkers>().is_err());
    }
}
