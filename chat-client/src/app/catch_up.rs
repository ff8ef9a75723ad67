//! [`CatchUp`]: the broadcasts of the room that the client has, and those that it still has to get.
//!
//! While the history of what was missed arrives, in one or several pages, live broadcasts are not shown: the history
//! is asked for until it has reached them. So each broadcast is shown once, in order, and none has to be stored.

use std::collections::BTreeSet;

/// The most acknowledged numbers that are kept.
const MAX_AHEAD: usize = 1_000;

/// The most live broadcasts that are left to a page. A server that sends more has forgotten the page.
const MAX_LEFT: usize = 1_000;

/// What to do with a live broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Live {
    Show,
    /// It was shown before, or will be shown as a part of the history.
    Skip,
    /// It is shown, but those before it are lost.
    ShowAfterGap,
}

/// What follows a page of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterPage {
    /// The history has reached the live broadcasts.
    Live,
    /// The next page, after the broadcast with this number, is to be asked for.
    Ask(u64),
    /// The server does not have what it broadcast.
    Gap,
}

/// The state of a history that is being received.
#[derive(Debug, Clone, Copy)]
struct Fetch {
    /// The end of the page before.
    from: u64,
    /// The highest number of a broadcast that the history has to reach.
    head: u64,
    /// The live broadcasts since the page before.
    left: usize,
}

/// The numbers that the client has of the room it is in, or is to return to.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// The client has all broadcasts up to this number, its own chats among them.
    upto: u64,
    /// Numbers beyond: own chats that were acknowledged before the broadcasts that precede them arrived.
    ahead: BTreeSet<u64>,
    fetch: Option<Fetch>,
}

impl CatchUp {
    /// Begins with a room that was entered by the broadcast `seq`.
    pub(crate) fn enter(&mut self, seq: u64) {
        *self = Self { upto: seq, ..Self::default() };
    }

    /// Expects the history of a room that was entered again, by the broadcast `seq`.
    pub(crate) fn enter_again(&mut self, seq: u64) {
        self.ahead.insert(seq);
        self.fetch = Some(Fetch { from: self.upto, head: seq, left: 0 });
    }

    /// Expects the history of a room in which the session has stayed.
    pub(crate) fn resume(&mut self) {
        self.fetch = Some(Fetch { from: self.upto, head: 0, left: 0 });
    }

    /// Expects no history any more.
    pub(crate) fn stop(&mut self) {
        self.fetch = None;
    }

    /// The number after which to ask for the history.
    pub(crate) fn after(&self) -> u64 {
        self.upto
    }

    /// Records that an own chat has got this number.
    pub(crate) fn acknowledged(&mut self, seq: u64) {
        if seq > self.upto {
            self.ahead.insert(seq);
            self.advance(self.upto);
            if self.ahead.len() > MAX_AHEAD {
                self.ahead.pop_first();
            }
        }
    }

    /// Records a live broadcast. They come in order, so it says that all others before it have come.
    pub(crate) fn live(&mut self, seq: u64) -> Live {
        if seq <= self.upto {
            return Live::Skip;
        }
        let Some(fetch) = &mut self.fetch else {
            self.advance(seq);
            return Live::Show;
        };
        fetch.left += 1;
        fetch.head = fetch.head.max(seq);
        if fetch.left <= MAX_LEFT {
            return Live::Skip;
        }
        self.stop();
        self.advance(seq);
        Live::ShowAfterGap
    }

    /// Records an event of a page. Returns whether it is new.
    pub(crate) fn event(&mut self, seq: u64) -> bool {
        let is_new = seq > self.upto && !self.ahead.contains(&seq);
        if is_new {
            self.advance(seq);
        }
        is_new
    }

    /// Records the end of a page, whose last event has the number `to`; `more`: the history goes on.
    pub(crate) fn page_ends(&mut self, to: Option<u64>, more: bool) -> AfterPage {
        self.advance(to.unwrap_or(0));
        let upto = self.upto;
        let Some(fetch) = &mut self.fetch else { return AfterPage::Live };
        if !more && upto >= fetch.head {
            self.stop();
            return AfterPage::Live;
        }
        if upto == fetch.from {
            let head = fetch.head;
            self.stop();
            self.advance(head);
            return AfterPage::Gap;
        }
        (fetch.from, fetch.left) = (upto, 0);
        AfterPage::Ask(upto)
    }

    fn advance(&mut self, seq: u64) {
        self.upto = self.upto.max(seq);
        while self.ahead.first().is_some_and(|first| *first <= self.upto + 1) {
            self.upto = self.upto.max(self.ahead.pop_first().unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broadcast_is_shown_once() {
        let mut room = CatchUp::default();
        room.enter(5);
        assert_eq!([6, 6, 9].map(|seq| room.live(seq)), [Live::Show, Live::Skip, Live::Show]);
        assert_eq!(room.after(), 9);
    }

    #[test]
    fn an_acknowledged_chat_does_not_hide_what_came_before_it() {
        let mut room = CatchUp::default();
        room.enter(5);
        room.acknowledged(6);
        room.acknowledged(9);
        assert_eq!(room.after(), 6);
        room.resume();
        assert_eq!([7, 8, 9].map(|seq| room.event(seq)), [true, true, false]);
        assert_eq!((room.page_ends(Some(9), false), room.after()), (AfterPage::Live, 9));
        assert_eq!(room.live(10), Live::Show);
    }

    #[test]
    fn the_history_is_asked_for_until_it_reaches_what_is_live() {
        let mut room = CatchUp::default();
        room.enter(5);
        room.resume();
        assert_eq!([6, 7].map(|seq| room.event(seq)), [true, true]);
        assert_eq!(room.live(9), Live::Skip);
        assert_eq!(room.page_ends(Some(7), true), AfterPage::Ask(7));
        assert!(room.event(8));
        assert_eq!(room.live(10), Live::Skip);
        assert_eq!(room.page_ends(Some(8), false), AfterPage::Ask(8));
        assert_eq!([9, 10].map(|seq| room.event(seq)), [true, true]);
        assert_eq!(room.page_ends(Some(10), false), AfterPage::Live);
        assert_eq!(room.live(11), Live::Show);
    }

    #[test]
    fn a_room_entered_again_shows_what_was_said_in_between() {
        let mut room = CatchUp::default();
        room.enter(5);
        room.enter_again(9);
        assert_eq!([6, 7, 8, 9].map(|seq| room.event(seq)), [true, true, true, false]);
        assert_eq!(room.page_ends(Some(8), false), AfterPage::Live);
        assert_eq!((room.after(), room.live(9)), (9, Live::Skip));
    }

    #[test]
    fn a_server_that_forgets_its_history_is_not_waited_for() {
        let mut room = CatchUp::default();
        room.enter(5);
        room.resume();
        assert_eq!(room.live(8), Live::Skip);
        assert_eq!(room.page_ends(None, false), AfterPage::Gap);
        assert_eq!(room.live(9), Live::Show);
        room.resume();
        let shown = (10..).find(|seq| room.live(*seq) != Live::Skip);
        assert_eq!(shown, Some(10 + MAX_LEFT as u64));
        assert_eq!((10..=9 + MAX_LEFT as u64).find(|seq| room.event(*seq)), None);
    }
}
