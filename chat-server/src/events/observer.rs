//! Tells the program around the server what happens, without ever waiting for it.
//!
//! The engine shows the observer the outputs of a turn, in the hub's order, before it carries them out.
//! What an output does not say (who it is that has a new name, why a session ends) the observer knows
//! from what it was shown before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::{mem, net::SocketAddr};

use chat_core::{Name, Notice, Output, RoomEvent, RoomId, SessionId};
use rustc_hash::FxHashMap;

use crate::events::{Event, Events};
use crate::stats::CloseReason;
use crate::stats::Counter;

#[derive(Debug)]
pub(crate) struct Observer {
    outlet: Outlet,
    names: FxHashMap<SessionId, Name>,
    /// The same the other way round. Peers choose the keys, so it is std's, which cannot be flooded.
    sessions: HashMap<Name, SessionId>,
    /// Why sessions end whose connections the engine has let go of already.
    ending: BTreeMap<SessionId, CloseReason>,
}

impl Observer {
    /// An observer, and the other end of its queue of `capacity` events, or of 1 if that is 0.
    pub(crate) fn new(capacity: usize) -> (Self, Events) {
        let (queue, events) = mpsc::sync_channel(capacity.max(1));
        let missed = Arc::<Counter>::default();
        let observer = Self {
            outlet: Outlet { queue, missed: Arc::clone(&missed), gap: 0, abandoned: false },
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
        self.outlet.tell(Event::Connected { session, name, address });
    }

    /// The session is going to end, or would if the server went on; the hub may still have something
    /// to say about it.
    pub(crate) fn will_end(&mut self, session: SessionId, reason: CloseReason) {
        self.ending.insert(session, reason);
    }

    /// Looks at an output of the hub. Returns whether anybody still listens.
    pub(crate) fn observe(&mut self, output: &Output) -> bool {
        match output {
            Output::Reply { to, notice, room } => self.replied(*to, notice, *room),
            Output::Broadcast { room, seq, except, event } => match (event, except) {
                (RoomEvent::Chat { member, text }, &Some(session)) => {
                    let (name, text) = (member.clone(), text.clone());
                    self.outlet.tell(Event::Said { session, name, room: *room, seq: *seq, text });
                }
                (RoomEvent::Notice(Notice::Renamed { from, to }), _) => {
                    self.renamed(from, to, Some((*room, *seq)));
                }
                _ => {}
            },
            &Output::Left { session, room } => {
                let name = self.name(session);
                self.outlet.tell(Event::Left { session, name, room });
            }
            &Output::RoomClosed { room } => self.outlet.tell(Event::RoomClosed { room }),
            &Output::ShutdownRequested { by: session } => {
                let name = self.name(session);
                self.outlet.tell(Event::StopRequested { session, name });
            }
            Output::Disconnected { session } => {
                if let Some(reason) = self.ending.remove(session) {
                    self.ended(*session, reason);
                }
            }
            // It comes along with one of the others, or is no event.
            _ => {}
        }
        !self.outlet.abandoned
    }

    fn replied(&mut self, session: SessionId, notice: &Notice, of_room: Option<(RoomId, u64)>) {
        match notice {
            Notice::Renamed { from, to } => self.renamed(from, to, of_room),
            &Notice::RoomCreated { room, ref title } => {
                self.outlet.tell(Event::RoomCreated { room, title: title.clone(), session });
                self.entered(session, room);
            }
            &Notice::RoomEntered { room, .. } => self.entered(session, room),
            _ => {}
        }
    }

    fn entered(&mut self, session: SessionId, room: RoomId) {
        let name = self.name(session);
        self.outlet.tell(Event::Entered { session, name, room });
    }

    fn renamed(&mut self, from: &Name, to: &Name, room: Option<(RoomId, u64)>) {
        let Some(session) = self.sessions.remove(from) else { return };
        self.sessions.insert(to.clone(), session);
        self.names.insert(session, to.clone());
        self.outlet.tell(Event::Named { session, from: from.clone(), to: to.clone(), room });
    }

    fn ended(&mut self, session: SessionId, reason: CloseReason) {
        let name = self.name(session);
        self.names.remove(&session);
        self.sessions.remove(&name);
        self.outlet.tell(Event::Ended { session, name, reason });
    }

    /// The server says goodbye: every session that is going to end ends now.
    pub(crate) fn close(mut self) {
        for (session, reason) in mem::take(&mut self.ending) {
            self.ended(session, reason);
        }
        self.outlet.tell_gap();
    }

    /// The name of a session; the default one of a session that the observer has not seen begin.
    fn name(&self, session: SessionId) -> Name {
        let known = self.names.get(&session).cloned();
        known.unwrap_or_else(|| Name::default_for(session.number()))
    }
}

/// The queue, and what it had no room for.
#[derive(Debug)]
struct Outlet {
    queue: SyncSender<Event>,
    missed: Arc<Counter>,
    /// Events missed that no [`Event::Missed`] has told of.
    gap: u64,
    /// Nobody listens any more.
    abandoned: bool,
}

impl Outlet {
    fn tell(&mut self, event: Event) {
        self.tell_gap();
        // Behind a gap only once that has been told of, even if there is room again by now.
        let told = self.gap == 0 && self.fits(event);
        if !told {
            self.gap += 1;
            self.missed.add(1);
        }
    }

    fn tell_gap(&mut self) {
        if self.gap > 0 && self.fits(Event::Missed { events: self.gap }) {
            self.gap = 0;
        }
    }

    /// Puts an event into the queue, unless that is full.
    fn fits(&mut self, event: Event) -> bool {
        match self.queue.try_send(event) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.abandoned = true;
                true // Who does not listen misses nothing.
            }
        }
    }
}
