//! Turns the hub's outputs into events for the program around the server, without ever waiting for it.
//!
//! The engine shows the observer the outputs of a turn, in the hub's order, before it applies them. Facts that an
//! output leaves out, such as whose name has changed or why a session ends, the observer remembers from earlier
//! outputs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::{mem, net::SocketAddr};

use chat_core::{Name, Notice, Output, Resumption, RoomEvent, RoomId, SessionId, Welcomed};
use rustc_hash::FxHashMap;

use super::event::Event;
use super::queue::Events;
use crate::stats::CloseReason;
use crate::stats::Counter;

#[derive(Debug)]
pub(crate) struct Observer {
    sender: EventSender,
    names: FxHashMap<SessionId, Name>,
    /// The inverse of `names`. Peers choose the keys, so the map is std's, which resists flooding.
    sessions: HashMap<Name, SessionId>,
    /// Why sessions end, until the hub confirms that they have.
    ending: BTreeMap<SessionId, CloseReason>,
}

impl Observer {
    /// Makes an observer and the receiving end of its queue of `capacity` events (0 counts as 1).
    pub(crate) fn new(capacity: usize) -> (Self, Events) {
        let (queue, events) = mpsc::sync_channel(capacity.max(1));
        let missed = Arc::<Counter>::default();
        let observer = Self {
            sender: EventSender { queue, missed: Arc::clone(&missed), gap: 0, abandoned: false },
            names: FxHashMap::default(),
            sessions: HashMap::new(),
            ending: BTreeMap::new(),
        };
        (observer, Events::new(events, missed))
    }

    pub(crate) fn connected(&mut self, session: SessionId, address: SocketAddr) {
        let name = Name::default_for(session.number());
        self.names.insert(session, name.clone());
        self.sessions.insert(name.clone(), session);
        self.sender.send(Event::Connected { session, name, address });
    }

    /// Notes why a session is going to end. The hub may still have outputs for it.
    pub(crate) fn will_end(&mut self, session: SessionId, reason: CloseReason) {
        self.ending.insert(session, reason);
    }

    /// Notes that a session has been taken over, so that the end of its connection is not its own.
    pub(crate) fn goes_on(&mut self, session: SessionId) {
        self.ending.remove(&session);
    }

    /// Turns an output into events. Returns whether anybody still listens.
    pub(crate) fn observe(&mut self, output: &Output) -> bool {
        match output {
            Output::Reply { to, notice, room } => self.observe_reply(*to, notice, *room),
            Output::Broadcast { room, seq, except, event, .. } => match (event, except) {
                (RoomEvent::Chat { member, text }, &Some(session)) => {
                    let (name, text) = (member.clone(), text.clone());
                    self.sender.send(Event::Said { session, name, room: *room, seq: *seq, text });
                }
                (RoomEvent::Notice(Notice::Renamed { from, to }), _) => {
                    self.renamed(from, to, Some((*room, *seq)));
                }
                _ => {}
            },
            &Output::Left { session, room } => {
                let name = self.name(session);
                self.sender.send(Event::Left { session, name, room });
            }
            &Output::RoomClosed { room } => self.sender.send(Event::RoomClosed { room }),
            &Output::ShutdownRequested { by: session } => {
                let name = self.name(session);
                self.sender.send(Event::StopRequested { session, name });
            }
            Output::Disconnected { session } => {
                if let Some(reason) = self.ending.remove(session) {
                    self.ended(*session, reason);
                }
            }
            &Output::Detached { session } => {
                if let Some(&reason) = self.ending.get(&session) {
                    let name = self.name(session);
                    self.sender.send(Event::Detached { session, name, reason });
                }
            }
            Output::Welcomed(welcomed) => self.welcomed(welcomed),
            // The others accompany one of these, or are not events.
            _ => {}
        }
        !self.sender.abandoned
    }

    fn observe_reply(
        &mut self,
        session: SessionId,
        notice: &Notice,
        of_room: Option<(RoomId, u64)>,
    ) {
        match notice {
            Notice::Renamed { from, to } => self.renamed(from, to, of_room),
            &Notice::RoomCreated { room, ref title } => {
                self.sender.send(Event::RoomCreated { room, title: title.clone(), session });
                self.entered(session, room);
            }
            &Notice::RoomEntered { room, .. } => self.entered(session, room),
            _ => {}
        }
    }

    /// Reports a session that is taken over: it goes on under another id.
    fn welcomed(&mut self, welcomed: &Welcomed) {
        let session = welcomed.session;
        let Some(Resumption::Resumed { from, room, .. }) = welcomed.resumption else { return };
        self.ending.remove(&from);
        self.names.remove(&from);
        self.sessions.remove(&self.name(session));
        let name = welcomed.name.clone();
        let room = room.map(|(room, _)| room);
        self.sessions.insert(name.clone(), session);
        self.names.insert(session, name.clone());
        self.sender.send(Event::Resumed { session, from, name, room });
    }

    fn entered(&mut self, session: SessionId, room: RoomId) {
        let name = self.name(session);
        self.sender.send(Event::Entered { session, name, room });
    }

    fn renamed(&mut self, from: &Name, to: &Name, room: Option<(RoomId, u64)>) {
        let Some(session) = self.sessions.remove(from) else { return };
        self.sessions.insert(to.clone(), session);
        self.names.insert(session, to.clone());
        self.sender.send(Event::Named { session, from: from.clone(), to: to.clone(), room });
    }

    fn ended(&mut self, session: SessionId, reason: CloseReason) {
        let name = self.name(session);
        self.names.remove(&session);
        self.sessions.remove(&name);
        self.sender.send(Event::Ended { session, name, reason });
    }

    /// Reports the end of every session that is about to end, since the server has stopped.
    pub(crate) fn close(mut self) {
        for (session, reason) in mem::take(&mut self.ending) {
            self.ended(session, reason);
        }
        self.sender.send_gap();
    }

    /// The name of a session; its default name if the observer has not seen it begin.
    fn name(&self, session: SessionId) -> Name {
        let known = self.names.get(&session).cloned();
        known.unwrap_or_else(|| Name::default_for(session.number()))
    }
}

/// The queue of events, and the count of those that did not fit.
#[derive(Debug)]
struct EventSender {
    queue: SyncSender<Event>,
    missed: Arc<Counter>,
    /// Missed events that no [`Event::Missed`] has reported yet.
    gap: u64,
    /// Whether the receiver is gone.
    abandoned: bool,
}

impl EventSender {
    fn send(&mut self, event: Event) {
        self.send_gap();
        // After a gap, no event is sent before the gap has been reported, even if there is room by now.
        let sent = self.gap == 0 && self.try_send(event);
        if !sent {
            self.gap += 1;
            self.missed.add(1);
        }
    }

    fn send_gap(&mut self) {
        if self.gap > 0 && self.try_send(Event::Missed { events: self.gap }) {
            self.gap = 0;
        }
    }

    /// Puts an event into the queue. Returns false if the queue is full.
    fn try_send(&mut self, event: Event) -> bool {
        match self.queue.try_send(event) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.abandoned = true;
                true // Nobody listens, so nobody misses it.
            }
        }
    }
}
