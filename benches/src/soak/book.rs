//! What was said in one room of steady talkers: that all of them see one sequence, each message once,
//! and none of them its own.
//!
//! The sequence is known by its numbers. The first who hears a number says what it is, and all others
//! have to hear the same; who skips one has to be the one who said it.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};

use crate::load::token::Token;

/// The books of one room.
#[derive(Debug)]
pub(super) struct Book {
    /// The number of `entries[0]`.
    first: u64,
    /// What somebody has still to hear, and what is beyond.
    entries: VecDeque<Entry>,
    members: Vec<Member>,
    /// The index of the first member among all talkers: see [`Token::talker`].
    first_talker: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// A hash of the payload, and which member said it, if it is a chat of one.
    known: Option<(u64, Option<usize>)>,
    /// Which member did not get it.
    skipped_by: Option<usize>,
}

#[derive(Debug)]
struct Member {
    /// The number that it may hear next; 0 until it has entered.
    next: u64,
    /// Chats it sent.
    sent: u32,
    /// Chats it got of each member.
    heard: Vec<u32>,
}

impl Book {
    /// Empty books for so many members, two or more, of whom the first is talker `first_talker`.
    pub(super) fn new(members: usize, first_talker: u32) -> Self {
        let member = |_| Member { next: 0, sent: 0, heard: vec![0; members] };
        Self {
            first: 1,
            entries: VecDeque::new(),
            members: (0..members).map(member).collect(),
            first_talker,
        }
    }

    /// Enters that `member` came in with number `seq`.
    pub(super) fn enter(&mut self, member: usize, seq: u64) {
        self.members[member].next = seq + 1;
    }

    /// Enters that `member` says something.
    pub(super) fn say(&mut self, member: usize, now: u64) -> Token {
        let sent = &mut self.members[member].sent;
        let token = Token { talker: self.first_talker + member as u32, counter: *sent, sent: now };
        *sent += 1;
        token
    }

    /// Enters what `member` heard under number `seq`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn hear(&mut self, member: usize, seq: u64, payload: &[u8]) -> Result<(), String> {
        let next = self.members[member].next;
        if seq < next {
            return Err(format!("member {member} heard {seq} when {next} was next"));
        }
        for skipped in next..seq {
            self.skip(member, skipped)?;
        }
        let token = Token::find(payload, &mut usize::MAX.clone());
        let from = token.map(|token| self.from(token)).transpose()?;
        self.enter_known(seq, payload, from)?;
        if from == Some(member) {
            return Err(format!("member {member} heard itself ({seq})"));
        }
        if let Some((from, token)) = from.zip(token) {
            let heard = &mut self.members[member].heard[from];
            if token.counter != *heard {
                return Err(format!(
                    "member {member} heard message {} of member {from} when {heard} was next",
                    token.counter
                ));
            }
            *heard += 1;
        }
        self.members[member].next = seq + 1;
        self.forget();
        Ok(())
    }

    /// Enters what somebody who is no member of the books heard under number `seq`.
    ///
    /// # Errors
    /// When the members heard something else.
    pub(super) fn overhear(&mut self, seq: u64, payload: &[u8]) -> Result<(), String> {
        // Longer ago than anybody remembers; or a room that the books are not begun for.
        if seq < self.first || self.members.iter().any(|member| member.next == 0) {
            return Ok(());
        }
        let token = Token::find(payload, &mut usize::MAX.clone());
        let from = token.map(|token| self.from(token)).transpose()?;
        self.enter_known(seq, payload, from)
    }

    /// Deliveries that are still to come.
    pub(super) fn missing(&self) -> u64 {
        let mut missing = 0;
        for (hearer, member) in self.members.iter().enumerate() {
            for (talker, from) in self.members.iter().enumerate() {
                if talker != hearer {
                    missing += u64::from(from.sent - member.heard[talker]);
                }
            }
        }
        missing
    }

    /// Messages sent, and deliveries.
    pub(super) fn totals(&self) -> (u64, u64) {
        let sent = self.members.iter().map(|member| u64::from(member.sent)).sum();
        let heard = self.members.iter().flat_map(|member| &member.heard);
        (sent, heard.map(|&heard| u64::from(heard)).sum())
    }

    /// Who of this room sent that.
    fn from(&self, token: Token) -> Result<usize, String> {
        let from = token.talker.checked_sub(self.first_talker).map(|from| from as usize);
        from.filter(|&from| {
            self.members.get(from).is_some_and(|member| token.counter < member.sent)
        })
        .ok_or_else(|| format!("{token:?} was never sent to this room"))
    }

    fn enter_known(&mut self, seq: u64, payload: &[u8], from: Option<usize>) -> Result<(), String> {
        let mut hasher = DefaultHasher::new();
        hasher.write(payload);
        let now = (hasher.finish(), from);
        let Some(entry) = self.entry(seq) else { return Ok(()) };
        if entry.known.is_some_and(|known| known != now) {
            return Err(format!("number {seq} is not the same to everybody"));
        }
        entry.known = Some(now);
        check(seq, *entry)
    }

    fn skip(&mut self, member: usize, seq: u64) -> Result<(), String> {
        let Some(entry) = self.entry(seq) else { return Ok(()) };
        if let Some(other) = entry.skipped_by {
            return Err(format!("number {seq} came to neither member {other} nor {member}"));
        }
        entry.skipped_by = Some(member);
        check(seq, *entry)
    }

    fn entry(&mut self, seq: u64) -> Option<&mut Entry> {
        let at = seq.checked_sub(self.first)? as usize;
        if at >= self.entries.len() {
            self.entries.resize(at + 1, Entry::default());
        }
        self.entries.get_mut(at)
    }

    /// Drops what everybody has heard.
    fn forget(&mut self) {
        let all = self.members.iter().map(|member| member.next).min().unwrap_or(0);
        while self.first < all {
            self.entries.pop_front();
            self.first += 1;
        }
    }
}

/// Whoever did not get it has to be the one who said it.
fn check(seq: u64, entry: Entry) -> Result<(), String> {
    match (entry.skipped_by, entry.known) {
        (Some(member), Some((_, from))) if from != Some(member) => {
            Err(format!("member {member} did not hear number {seq}, which it did not say"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::token::TOKEN_LEN;

    /// Three members, all in, and the next number is 1.
    fn book() -> Book {
        let mut book = Book::new(3, 10);
        (0..3).for_each(|member| book.enter(member, 0));
        book
    }

    fn chat(token: Token) -> Vec<u8> {
        let mut payload = vec![b'x'; TOKEN_LEN];
        token.write(&mut payload);
        payload
    }

    #[test]
    fn what_everybody_heard_once_is_right_and_forgotten() {
        let mut book = book();
        for seq in (1..1_000).step_by(3) {
            let chats = [0, 1].map(|member| chat(book.say(member, 0)));
            for (member, which) in [(2, 0), (2, 1), (0, 1), (1, 0)] {
                assert_eq!(book.hear(member, seq + which, &chats[which as usize]), Ok(()));
            }
            assert_eq!(book.overhear(seq, &chats[0]), Ok(()));
            for member in 0..3 {
                assert_eq!(book.hear(member, seq + 2, b"a notice"), Ok(()));
            }
            assert!(book.missing() == 0 && book.entries.is_empty());
        }
        assert_eq!(book.totals(), (666, 1_332));
    }

    #[test]
    fn a_loss_is_noticed_by_what_comes_behind() {
        let mut book = book();
        let chats = [chat(book.say(0, 0)), chat(book.say(0, 0))];
        assert_eq!(book.hear(1, 1, &chats[0]), Ok(()));
        assert!(book.hear(2, 2, &chats[1]).is_err(), "2 did not hear the first");
        assert!(book.missing() > 0);
    }

    #[test]
    fn a_loss_is_noticed_whoever_hears_first() {
        let mut book = book();
        let token = book.say(0, 0);
        assert_eq!(book.hear(2, 2, b"notice"), Ok(()), "it may have been its own");
        assert!(book.hear(1, 1, &chat(token)).is_err(), "it was not");
    }

    #[test]
    fn what_comes_twice_in_another_order_to_its_sender_or_from_elsewhere_is_wrong() {
        let token = |book: &mut Book| chat(book.say(0, 0));
        let mut b = book();
        let first = token(&mut b);
        assert!(b.hear(1, 1, &first).is_ok() && b.hear(1, 1, &first).is_err(), "twice");
        let mut b = book();
        let first = token(&mut b);
        assert!(b.hear(1, 1, &first).is_ok() && b.hear(1, 2, &first).is_err(), "renumbered");
        let mut b = book();
        let first = token(&mut b);
        assert!(b.hear(0, 1, &first).is_err(), "its own");
        let mut b = book();
        let (first, second) = (token(&mut b), token(&mut b));
        assert!(b.hear(1, 1, &second).is_err(), "the second before the first");
        assert!(book().hear(1, 1, &first).is_err(), "never sent");
        let mut b = book();
        let first = token(&mut b);
        assert!(b.hear(1, 1, &first).is_ok() && b.hear(2, 1, b"else").is_err(), "two orders");
        assert!(b.overhear(1, b"else").is_err());
    }
}
