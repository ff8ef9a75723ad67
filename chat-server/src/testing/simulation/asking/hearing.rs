//! What a person makes of what it hears.

use chat_testing::Event;
use serde_json::{Value, json};

use crate::testing::simulation::asking::event;
use crate::testing::simulation::asking::person::{Asked, Person, Said};
use crate::testing::simulation::asking::stay::{Part, Stay};
use crate::testing::simulation::client::Client;

impl Person {
    /// Reads the answer to a hello. Returns whether the session is the one before; `None` if that was not asked for.
    pub(super) fn hear_welcome(&mut self, client: &mut Client, welcome: &Value) -> Option<bool> {
        let id = self.id;
        let resumed = welcome["resumed"].as_bool();
        assert_eq!(resumed.is_some(), self.token.is_some(), "I19: {id} got {welcome}");
        assert!(!self.is_thief || resumed != Some(true), "I19: {id} used a token again: {welcome}");
        if resumed == Some(false) {
            self.is_over = true;
            self.connection = None;
            return resumed;
        }
        self.is_welcome = true;
        let session = welcome["session"].as_u64().expect("I19: a welcome has a session");
        let name = welcome["name"].as_str().expect("I19: a welcome has a name");
        if resumed.is_some() {
            assert_eq!(session, self.session, "I19: {id} came back to another session");
            assert!(self.names.contains(name), "I20: {id} came back, and is called {name}");
        }
        self.session = session;
        self.names.insert(name.to_owned());
        let granted = welcome["features"].as_array().expect("I19: a welcome has features");
        self.granted = granted.iter().filter_map(|f| Some(f.as_str()?.to_owned())).collect();
        let are_wanted = self.granted.iter().all(|feature| self.wanted.contains(&feature.as_str()));
        assert!(are_wanted, "I19: {id} was granted what it does not know: {welcome}");
        self.used.extend(self.previous.take());
        self.previous = self.token.take().map(|(token, _)| token);
        let token = welcome["resume"].as_str().map(str::to_owned);
        assert_eq!(token.is_some(), self.may("resume"), "I19: {id} got {welcome}");
        let is_new = token.is_none()
            || token != self.previous && token.iter().all(|token| !self.used.contains(token));
        assert!(is_new, "I19: {id} got the token that it has used");
        self.token = token.map(|token| (token, 0));
        if resumed.is_some() {
            self.go_on(client, welcome["roomId"].as_u64());
        }
        resumed
    }

    /// Goes on in a session, from another connection.
    fn go_on(&mut self, client: &mut Client, room: Option<u64>) {
        if std::mem::take(&mut self.may_have_moved) || self.room() != room {
            // It may have left, or entered, and was not told.
            if let Some(stay) = self.stay() {
                stay.is_over = true;
            }
        }
        match (room, &mut self.history) {
            (None, history) => *history = None,
            // It counts in another room.
            (Some(_), Some(part))
                if self.stays.last().is_none_or(|stay| Some(stay.room) != room) =>
            {
                *part = Part::Unseen;
            }
            _ => {}
        }
        for (number, text) in self.unacknowledged.clone() {
            self.request(client, json!({"type": "CSChat", "text": text}), Asked::Chat(number));
        }
        if let Some(room) = room.filter(|_| self.room().is_none()) {
            let mut stay = Stay::new(room, 0);
            (stay.is_guess, stay.is_vague) = (true, true);
            self.stays.push(stay);
        }
    }

    /// Reads any other message.
    pub(super) fn hear(&mut self, client: &mut Client, message: &Value) {
        let id = self.id;
        let kind = message["type"].as_str().unwrap_or_default();
        let asked = self.answered(kind, message);
        match kind {
            "SCAck" => self.hear_ack(asked, message),
            "SCHistory" => self.hear_history(client, asked, message),
            "SCPong" => {
                let room = message["roomId"].as_u64();
                assert_eq!(room, self.room(), "I11: {id} got {message}");
                if let (Some(stay), Some(seq)) = (self.stay(), message["seq"].as_u64()) {
                    assert!(seq >= stay.last(), "I11: {id} got {message} after {}", stay.last());
                }
            }
            "SCChat" | "SCSystemMessage" => self.hear_plain(asked, message),
            "SCRoomsResult" | "SCMembers" => {}
            _ => panic!("I11: {id} got {message}"),
        }
    }

    /// Returns the request that a message answers.
    fn answered(&mut self, kind: &str, message: &Value) -> Option<Asked> {
        let re = message["re"].as_str()?;
        let id = self.id;
        let Some((front, asked)) = self.pending.front().cloned() else {
            panic!("I11: {id} has asked for nothing, and got {message}")
        };
        assert_eq!(re, front, "I11: {id} asked for {asked:?} and got {message}");
        // The server knows that it was welcomed.
        self.used.extend(self.previous.take());
        let is_list = matches!(kind, "SCRoomsResult" | "SCMembers");
        if !(is_list && message["more"] == true) {
            self.pending.pop_front();
        }
        Some(asked)
    }

    fn hear_ack(&mut self, asked: Option<Asked>, ack: &Value) {
        let id = self.id;
        let Some(Asked::Chat(number)) = asked else {
            panic!("I18: {id} asked for {asked:?} and got {ack}")
        };
        let number_of = |key: &str| ack[key].as_u64().expect("I18: an ack has numbers");
        let (room, seq, at) = (number_of("roomId"), number_of("seq"), number_of("at"));
        if let Some(said) = self.acknowledged.get(&number) {
            let is_same = (said.room, said.seq, said.at) == (room, seq, at);
            return assert!(is_same, "I18: {id} knows chat {number} as {said:?}, and got {ack}");
        }
        let index = self.unacknowledged.iter().position(|(other, _)| *other == number);
        let index = index.unwrap_or_else(|| panic!("I18: {id} has been refused, and got {ack}"));
        let (_, text) = self.unacknowledged.remove(index).expect("it was just found");
        let event = Event::chat(id, number, &text);
        let stays = self.stays.iter_mut().rev();
        // Of a stay that ended unnoticed, it is not known when.
        let had = |stay: &&mut Stay| stay.end.map_or(!stay.is_over, |end| seq < end);
        let mut stays = stays.filter(|stay| stay.room == room && stay.from < seq);
        if let Some(stay) = stays.next().filter(|stay| !stay.is_vague).filter(had) {
            stay.learn(id, seq, event.clone());
        }
        self.acknowledged.insert(number, Said { room, seq, at, event, text });
    }

    fn hear_history(&mut self, client: &mut Client, asked: Option<Asked>, history: &Value) {
        let id = self.id;
        let (part, is_rest) = match asked {
            Some(Asked::History(part)) => (part, false),
            Some(Asked::Rest(part)) => (part, true),
            None => {
                let part = self.history.take().unwrap_or_else(|| panic!("I17: {id} got {history}"));
                (part, std::mem::take(&mut self.is_resuming))
            }
            Some(_) => panic!("I17: {id} asked for {asked:?} and got {history}"),
        };
        let may_ask = self.may("history");
        let room = history["roomId"].as_u64();
        let Some(stay) = self.stay().filter(|stay| Some(stay.room) == room) else {
            panic!("I17: {id} is not there, and got {history}")
        };
        if stay.is_vague {
            *stay = Stay::beginning(stay.room, history);
        }
        let head = stay.head;
        let more = stay.read(id, part, history);
        if !is_rest {
            stay.head = head;
            return;
        }
        stay.is_asking = more.is_some() && may_ask;
        stay.leave_out(more.filter(|_| !may_ask).map(|to| to + 1));
        if let Some(to) = more.filter(|_| may_ask) {
            let request = json!({"type": "CSHistory", "roomId": room, "after": to, "limit": 200});
            self.request(client, request, Asked::Rest(Part::After(to)));
        }
    }

    fn hear_plain(&mut self, asked: Option<Asked>, message: &Value) {
        let id = self.id;
        let code = message["code"].as_str().unwrap_or_default();
        let number = |key: &str| message[key].as_u64();
        if let Some(Asked::Chat(number)) = asked {
            assert!(!self.acknowledged.contains_key(&number), "I18: {id} got {message}");
            self.unacknowledged.retain(|(other, _)| *other != number);
        }
        match (code, number("roomId"), number("seq")) {
            ("room-created" | "room-entered", Some(room), Some(seq)) => {
                assert_eq!(self.room(), None, "I3: {id} was in a room, and got {message}");
                self.stays.push(Stay::new(room, seq));
                if let Some(Asked::Join(part)) = asked {
                    (self.history, self.is_resuming) = (part, false);
                }
            }
            ("room-left", Some(room), Some(seq)) => {
                assert_eq!(self.room(), Some(room), "I3: {id} got {message}");
                let stay = self.stay().expect("it is in a room");
                (stay.end, stay.is_over) = (Some(seq), true);
            }
            (_, Some(room), Some(seq)) => {
                assert_eq!(self.room(), Some(room), "I7: {id} got {message}");
                let stay = self.stay().expect("it is in a room");
                stay.hear(id, seq, event(message));
            }
            _ => {}
        }
    }

    /// Checks the person at rest, which is in this room, where so much has been said.
    pub(super) fn check_rest(&mut self, room: Option<(u64, u64)>) {
        let id = self.id;
        assert_eq!(self.pending.front(), None, "I11: {id} waits for an answer");
        assert_eq!(self.unacknowledged.front(), None, "I18: {id} waits for an ack");
        assert_eq!(self.room(), room.map(|(room, _)| room), "I20: {id} is elsewhere");
        if let (Some(stay), Some((_, seq))) = (self.stay(), room) {
            assert!(!stay.is_asking, "I17: {id} waits for history");
            stay.ends_at(seq);
        }
    }
}
