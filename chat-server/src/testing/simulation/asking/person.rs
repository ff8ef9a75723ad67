//! A person whose client says hello: one session, over as many connections as it takes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chat_testing::{Event, Rng};
use serde_json::{Value, json};

use crate::testing::simulation::asking::stay::{Part, Stay};
use crate::testing::simulation::client::Client;

const FEATURES: [&str; 5] = ["ack", "history", "members", "ping", "resume"];

/// The most chats under way.
const MOST_UNACKNOWLEDGED: usize = 50;

/// One session, as its client knows it.
#[derive(Debug)]
pub(in crate::testing::simulation) struct Person {
    /// The number that its chats carry: its first client.
    pub(super) id: usize,
    pub(super) wanted: Vec<&'static str>,
    pub(super) granted: Vec<String>,
    /// The client that is its connection now, if it has one.
    pub(super) connection: Option<usize>,
    /// Whether that connection has been welcomed.
    pub(super) is_welcome: bool,
    /// Whether the session is over, as far as the client knows.
    pub(super) is_over: bool,
    /// Whether it had no connection when the server had come to rest.
    pub(super) is_gone: bool,
    /// Whether it ended its session itself.
    pub(super) has_quit: bool,
    /// Nanoseconds at which it lost its last connection.
    pub(super) lost_at: u64,
    /// The token to come back with, and how often it has been sent.
    pub(super) token: Option<(String, usize)>,
    /// Whether the token is not its own, and has been used.
    pub(super) is_thief: bool,
    /// The token that it has come back with, while it has said nothing since: it still works.
    pub(super) previous: Option<String>,
    /// The tokens that do not work any more.
    pub(super) used: Vec<String>,
    pub(super) session: u64,
    /// The names that the session has or may have had.
    pub(super) names: BTreeSet<String>,
    pub(super) stays: Vec<Stay>,
    /// What the next `SCHistory` without an id answers.
    pub(super) history: Option<Part>,
    /// Whether it answers a hello.
    pub(super) is_resuming: bool,
    /// Requests of this connection that have no answer yet.
    pub(super) pending: VecDeque<(String, Asked)>,
    /// Whether requests to enter or leave a room were lost, or their answers.
    pub(super) may_have_moved: bool,
    /// Chats that are not acknowledged, with their texts.
    pub(super) unacknowledged: VecDeque<(u64, String)>,
    /// Where each acknowledged chat is.
    pub(super) acknowledged: BTreeMap<u64, Said>,
    /// Chats that nothing is known of.
    pub(super) unknown: usize,
    pub(super) chats: u64,
    pub(super) requests: u64,
}

/// A chat that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) room: u64,
    pub(super) seq: u64,
    pub(super) at: u64,
    pub(super) event: Event,
    pub(super) text: String,
}

/// A request that is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Chat(u64),
    Join(Option<Part>),
    History(Part),
    /// The rest of a history.
    Rest(Part),
    /// To leave a room, or to create one.
    Move,
    Other,
}

impl Person {
    pub(super) fn new(id: usize, rng: &mut Rng) -> Self {
        let wanted = FEATURES.into_iter().filter(|_| rng.chance(4, 5)).collect();
        Self {
            id,
            wanted,
            granted: Vec::new(),
            connection: Some(id),
            is_welcome: false,
            is_over: false,
            is_gone: false,
            has_quit: false,
            lost_at: 0,
            token: None,
            is_thief: false,
            previous: None,
            used: Vec::new(),
            session: 0,
            names: BTreeSet::new(),
            stays: Vec::new(),
            history: None,
            is_resuming: false,
            pending: VecDeque::new(),
            may_have_moved: false,
            unacknowledged: VecDeque::new(),
            acknowledged: BTreeMap::new(),
            unknown: 0,
            chats: 0,
            requests: 0,
        }
    }

    /// The person that a refused one becomes: a session of its own, with the next message of `client`.
    pub(super) fn begin_anew(&self, client: usize) -> Self {
        let mut new = Self::new(client, &mut Rng::new(0));
        new.wanted.clone_from(&self.wanted);
        new
    }

    /// A stranger with a token that somebody else has used.
    pub(super) fn thief(id: usize, token: String, rng: &mut Rng) -> Self {
        Self { token: Some((token, 2)), is_thief: true, ..Self::new(id, rng) }
    }

    pub(super) fn may(&self, feature: &str) -> bool {
        self.granted.iter().any(|granted| granted == feature)
    }

    /// Whether it can come back.
    pub(super) fn can_return(&self) -> bool {
        self.connection.is_none() && !self.is_over && self.token.is_some()
    }

    /// Whether its session is still there at `now`, if the server keeps it for this time.
    pub(super) fn is_kept(&self, now: u64, time: Duration) -> bool {
        !self.is_thief && self.token.is_some() && now < self.lost_at + time.as_nanos() as u64
    }

    /// Whether it can give its connection up and come back by another one.
    pub(super) fn may_hang_up(&self) -> bool {
        self.connection.is_some() && (self.is_welcome || self.token.is_some())
    }

    pub(super) fn stay(&mut self) -> Option<&mut Stay> {
        self.stays.last_mut().filter(|stay| !stay.is_over)
    }

    /// The room that it is in, as far as it knows.
    pub(super) fn room(&self) -> Option<u64> {
        self.stays.last().filter(|stay| !stay.is_over).map(|stay| stay.room)
    }

    /// Whether requests to enter or leave a room have no answer yet.
    pub(super) fn is_moving(&self) -> bool {
        let moves = |(_, asked): &(_, Asked)| matches!(asked, Asked::Move | Asked::Join(_));
        self.pending.iter().any(moves)
    }

    /// Says hello, for the first time or to come back.
    pub(super) fn greet(&mut self, rng: &mut Rng, client: &mut Client) {
        let mut hello = json!({"type": "CSHello", "client": "sim/1", "features": self.wanted});
        self.connection = Some(client.id);
        self.is_welcome = false;
        self.may_have_moved |= self.is_moving();
        self.pending.clear();
        self.history = None;
        if let Some((token, sent)) = &mut self.token {
            *sent += 1;
            hello["resume"] = token.as_str().into();
            let part = self.stay().map_or(Part::Unseen, |stay| stay.wanted(rng.chance(1, 3)));
            if let Part::After(seq) = part {
                hello["after"] = seq.into();
            }
            let says_room = part != Part::Unseen || rng.chance(1, 2);
            if let Some(room) = self.room().filter(|_| says_room) {
                hello["roomId"] = room.into();
            }
            (self.history, self.is_resuming) = (Some(part), true);
        }
        client.say(&hello.to_string());
    }

    /// Notes that it has lost its connection, or given it up.
    pub(super) fn lose(&mut self, now: u64) {
        self.connection = None;
        if matches!(self.token, Some((_, 0))) {
            self.lost_at = now;
        }
        self.is_over |= self.token.is_none() || self.has_quit || self.is_thief;
    }
}

/// Asking.
impl Person {
    /// Asks for something at random.
    pub(super) fn ask(&mut self, rng: &mut Rng, client: &mut Client, rooms: &[u64]) {
        if self.has_quit || !self.is_welcome {
            return;
        }
        let in_room = self.room();
        let is_outside = in_room.is_none() && !self.is_moving();
        if is_outside && rng.chance(2, 3) {
            return self.join(rng, client, rooms);
        }
        let asked = match rng.within(0..24) {
            0 => return self.request(client, json!({"type": "CSRooms"}), Asked::Other),
            1 => {
                let name = format!("p{}-{}", self.id, rng.within(0..3));
                self.names.insert(name.clone());
                json!({"type": "CSName", "name": name})
            }
            2 => {
                let create = json!({"type": "CSCreateRoom", "title": format!("p{}", self.id)});
                return self.request(client, create, Asked::Move);
            }
            3 | 4 => return self.join(rng, client, rooms),
            5 => return self.leave(client),
            12 | 13 => {
                // The first rooms are where most is said.
                self.leave(client);
                return self.join(rng, client, &rooms[..rooms.len().min(2)]);
            }
            6 => json!({"type": "CSMembers"}),
            7 => json!({"type": "CSPing"}),
            8 | 9 => return self.look_back(rng, client, in_room.unwrap_or(1)),
            10 if rng.chance(1, 16) => {
                self.has_quit = true;
                client.quit();
                json!({"type": "CSQuit"})
            }
            11 => return self.say_again(rng, client),
            _ => return self.chat(rng, client),
        };
        if asked["type"] == "CSQuit" || rng.chance(1, 4) {
            client.say(&asked.to_string());
        } else {
            self.request(client, asked, Asked::Other);
        }
    }

    pub(super) fn request(&mut self, client: &mut Client, mut request: Value, asked: Asked) {
        self.requests += 1;
        let id = match asked {
            Asked::Chat(number) => number.to_string(),
            _ => format!("r{}", self.requests),
        };
        request["id"] = id.as_str().into();
        client.say(&request.to_string());
        self.pending.push_back((id, asked));
    }

    fn join(&mut self, rng: &mut Rng, client: &mut Client, rooms: &[u64]) {
        let room = if rooms.is_empty() { 1 } else { rng.pick(rooms) };
        let mut join = json!({"type": "CSJoinRoom", "roomId": room});
        let part = match rng.within(0..3) {
            0 => None,
            1 => Some(Part::Last(rng.within(0..20) as u64)),
            _ => {
                let last = self.stays.iter().rev().find(|stay| stay.room == room);
                last.map(|stay| Part::After(stay.last()))
            }
        };
        match part {
            Some(Part::Last(most)) => join["history"] = most.into(),
            Some(Part::After(seq)) => join["after"] = seq.into(),
            _ => {}
        }
        self.request(client, join, Asked::Join(part.filter(|_| self.may("history"))));
    }

    fn look_back(&mut self, rng: &mut Rng, client: &mut Client, room: u64) {
        let mut request = json!({"type": "CSHistory", "roomId": room});
        let limit = rng.within(1..30);
        let last = self.stays.last().map_or(0, Stay::last) as usize;
        let part = match rng.within(0..3) {
            0 => Part::After(rng.within(0..last + 2) as u64),
            1 => Part::Before(rng.within(0..last + 2) as u64),
            _ => Part::Last(limit as u64),
        };
        match part {
            Part::After(seq) => request["after"] = seq.into(),
            Part::Before(seq) => request["before"] = seq.into(),
            Part::Last(_) | Part::Unseen => {}
        }
        request["limit"] = limit.into();
        self.request(client, request, Asked::History(part));
    }

    fn chat(&mut self, rng: &mut Rng, client: &mut Client) {
        if self.unacknowledged.len() >= MOST_UNACKNOWLEDGED {
            return;
        }
        // A chat that is refused, while the refusal is lost, is said when it is sent again.
        let is_settled = self.room().is_some() && !self.is_moving();
        self.chats += 1;
        let most = if rng.chance(1, 16) { 2_000 } else { 60 };
        let text = Event::text(self.id, self.chats, rng.within(0..most));
        let chat = json!({"type": "CSChat", "text": text});
        if is_settled && self.may("ack") && rng.chance(7, 8) {
            self.unacknowledged.push_back((self.chats, text));
            self.request(client, chat, Asked::Chat(self.chats));
        } else {
            self.unknown += 1;
            client.say(&chat.to_string());
        }
    }

    /// Sends an acknowledged chat again.
    fn say_again(&mut self, rng: &mut Rng, client: &mut Client) {
        let recent: Vec<_> = self.acknowledged.keys().rev().take(20).copied().collect();
        if !recent.is_empty() {
            let number = rng.pick(&recent);
            let text = &self.acknowledged[&number].text;
            let chat = json!({"type": "CSChat", "text": text});
            self.request(client, chat, Asked::Chat(number));
        }
    }

    pub(super) fn leave(&mut self, client: &mut Client) {
        self.request(client, json!({"type": "CSLeaveRoom"}), Asked::Move);
    }
}
