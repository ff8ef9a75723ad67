//! Persons whose clients say hello: they come back when their connections are cut, and lose nothing.
//!
//! `person` is what such a client does, `hearing` what it makes of what it hears, `stay` what it knows of a room, and
//! `check` compares what all of them know.

mod check;
mod hearing;
mod person;
mod stay;

use chat_proto::Incoming;
use chat_testing::Event;
use serde_json::Value;

pub(super) use self::check::check;
pub(super) use self::person::Person;

use crate::testing::simulation::client::Temper;
use crate::testing::simulation::world::World;

/// A broadcast, as it came live or in a history.
fn event(message: &Value) -> Event {
    let payload = message.to_string();
    let message = Incoming::parse(payload.as_bytes()).expect("I15: a broadcast is a message");
    Event::read(&message).unwrap_or_else(|violation| panic!("{violation}"))
}

/// Coming, and coming back.
impl World {
    /// Lets somebody come who says hello, or come back.
    pub(super) fn somebody_greets(&mut self) {
        let thing = self.rng.within(0..8);
        let lost = self.persons(Person::can_return);
        if thing < 5 && !lost.is_empty() {
            let index = self.rng.pick(&lost);
            return self.come_back(index);
        }
        let here = self.persons(Person::may_hang_up);
        if thing > 5 && !here.is_empty() {
            let index = self.rng.pick(&here);
            return self.hang_up(index);
        }
        // The last one of a session is the one that could still be known.
        let used: Vec<_> = self.people.iter().filter_map(|person| person.used.last()).collect();
        let used = if used.is_empty() { None } else { Some(used[self.rng.within(0..used.len())]) };
        let token = used.filter(|_| thing > 2).cloned();
        let id = self.connect(Temper::Asking);
        let person = match token {
            Some(token) => Person::thief(id, token, &mut self.rng),
            None => Person::new(id, &mut self.rng),
        };
        self.people.push(person);
        self.greet(self.people.len() - 1, id);
    }

    fn persons(&self, are: impl Fn(&Person) -> bool) -> Vec<usize> {
        let people = self.people.iter().enumerate();
        people.filter(|(_, person)| are(person)).map(|(index, _)| index).collect()
    }

    /// Says hello for a person on a new connection.
    fn greet(&mut self, index: usize, id: usize) {
        for earlier in self.clients.iter_mut().filter(|client| client.person == Some(index)) {
            earlier.is_replaced = true;
        }
        let client = &mut self.clients[id];
        client.person = Some(index);
        self.people[index].greet(&mut self.rng, client);
        // Before it can have been welcomed, or after.
        if self.people[index].may_hang_up() && self.rng.chance(1, 4) {
            self.hang_up(index);
        }
    }

    fn come_back(&mut self, index: usize) {
        let id = self.connect(Temper::Asking);
        self.greet(index, id);
    }

    /// Lets a person come back from another connection while the one before still hangs, or has just broken.
    fn hang_up(&mut self, index: usize) {
        let Some(old) = self.people[index].connection else { return };
        self.people[index].lose(self.now);
        if self.people[index].is_over {
            return self.clients[old].finish();
        }
        match self.rng.within(0..4) {
            0 => {}
            1 => self.clients[old].vanish(&mut self.rng),
            // The network swallows what it is sent.
            _ => self.clients[old].hang(),
        }
        self.come_back(index);
    }

    /// Lets some of those who have lost their connections come back.
    pub(super) fn some_come_back(&mut self) {
        self.note_losses();
        for index in self.persons(Person::can_return) {
            if self.rng.chance(2, 3) {
                self.come_back(index);
            }
        }
    }

    /// Tells people whose connections have ended.
    pub(super) fn note_losses(&mut self) {
        for person in &mut self.people {
            let Some(id) = person.connection else { continue };
            let client = &self.clients[id];
            if !client.is_on() || client.closing_at.is_some() {
                person.lose(client.closing_at.unwrap_or(self.now));
            }
        }
    }

    /// Lets the person at a client ask for something.
    pub(super) fn somebody_asks(&mut self, id: usize) {
        let client = &mut self.clients[id];
        let Some(index) = client.person else { return };
        let person = &mut self.people[index];
        if person.connection != Some(id) {
            return;
        }
        person.ask(&mut self.rng, client, &self.rooms);
        self.server.remembered += 1;
        // Before it hears where it is.
        if person.is_moving() && person.may_hang_up() && self.rng.chance(1, 2) {
            self.hang_up(index);
        }
    }

    /// Lets the person at a client leave its room, if it has one.
    pub(super) fn somebody_leaves(&mut self, id: usize) {
        let client = &mut self.clients[id];
        let person = client.person.map(|index| &mut self.people[index]);
        if let Some(person) = person.filter(|p| p.connection == Some(id) && p.is_welcome) {
            person.leave(client);
        }
    }

    /// Lets the person at a client hear what has come.
    pub(super) fn somebody_hears(&mut self, id: usize) {
        let client = &mut self.clients[id];
        let Some(mut index) = client.person else { return };
        for message in std::mem::take(&mut client.inbox) {
            if self.people[index].connection != Some(id) {
                // It listens elsewhere by now.
                return;
            }
            let mut message: Value = serde_json::from_slice(&message).expect("I15: JSON");
            if message["type"] == "SCWelcome" {
                let person = &mut self.people[index];
                if person.hear_welcome(client, &message) != Some(false) {
                    continue;
                }
                let is_lost = !self.plan.keeps_all()
                    || !person.is_kept(self.now, self.plan.limits.resume_time);
                assert!(is_lost, "I20: {} came back in time, and was not known", person.id);
                // It begins anew.
                let mut new = person.begin_anew(id);
                message["resumed"].take();
                new.hear_welcome(client, &message);
                self.people.push(new);
                index = self.people.len() - 1;
                client.person = Some(index);
            } else if self.people[index].is_welcome {
                self.people[index].hear(client, &message);
            }
        }
    }

    /// Checks the people at rest.
    pub(super) fn check_people(&mut self) {
        self.note_losses();
        for (index, person) in self.people.iter_mut().enumerate() {
            let Some(id) = person.connection else {
                let clients = self.clients.iter().filter(|client| client.person == Some(index));
                let mut left = clients.filter(|client| !client.end.is_closed_by_server());
                // One may still hang, and the server cannot know.
                person.is_gone = left.next().is_none();
                continue;
            };
            let is_refused = self.clients[id].trace.session.is_none();
            assert!(person.is_welcome || is_refused, "I11: {id} was not welcomed");
            if person.is_welcome {
                person.check_rest(self.server.whereabouts(id));
            }
        }
    }
}
