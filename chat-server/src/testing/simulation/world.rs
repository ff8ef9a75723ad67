//! The world around the server: clients, network, time, and what happens next, all decided by one seed.

use std::net::IpAddr;
use std::time::Duration;

use chat_proto::MAX_PAYLOAD;
use chat_testing::{Request, Rng};

use crate::testing::simulation::asking::Person;
use crate::testing::simulation::client::{Client, Temper};
use crate::testing::simulation::form::Form;
use crate::testing::simulation::judge::judge;
use crate::testing::simulation::net;
use crate::testing::simulation::plan::{Finale, Plan};
use crate::testing::simulation::server::{Accepted, Caller, Server, Step};
use crate::testing::simulation::trace::{Entry, Trace, TraceHash};
use crate::testing::simulation::waits::Waits;

/// How long everything owed may take to arrive once the faults have stopped.
const PATIENCE: Duration = Duration::from_secs(300);

/// The most turns of the server in that time; a server that spins takes more.
const MOST_TURNS: u64 = 50_000;

/// Bytes of a witness's kernel buffers: more than a turn produces.
const WITNESS_BUFFER: usize = 1 << 20;

/// A finished run, with everything that was recorded.
pub(super) struct Run {
    pub(super) traces: Vec<Trace>,
    pub(super) hash: TraceHash,
    /// The most turns that a witness waited for the other one's chat; 0 where chats wait for more than turns.
    pub(super) longest_wait: u64,
    /// Whether the server was stopped.
    pub(super) stopped: bool,
    /// Those who said hello.
    pub(super) people: Vec<Person>,
    /// The rooms that were known of.
    pub(super) rooms: Vec<u64>,
}

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) plan: Plan,
    pub(super) server: Server,
    /// Nanoseconds since the beginning.
    pub(super) now: u64,
    pub(super) clients: Vec<Client>,
    pub(super) people: Vec<Person>,
    /// Rooms that some client knows of.
    pub(super) rooms: Vec<u64>,
    hash: TraceHash,
    stop_seen: bool,
    waits: Waits,
}

/// Something that can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Act {
    Turn,
    Work,
    Deliver(usize),
    Space(usize),
    Read(usize),
}

impl World {
    /// Runs a seed to its end. Panics with the number of the violated invariant.
    pub(super) fn run(seed: u64) -> Run {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let server =
            Server::new(rng.fork(), plan.limits.clone(), plan.inline_requests, plan.workers);
        let mut world = Self {
            rng,
            plan,
            server,
            now: 0,
            clients: Vec::new(),
            people: Vec::new(),
            rooms: Vec::new(),
            hash: TraceHash::default(),
            stop_seen: false,
            waits: Waits::default(),
        };
        world.welcome_witnesses();
        for _ in 0..world.plan.steps {
            world.storm();
        }
        world.come_to_an_end();
        Run {
            traces: world.clients.into_iter().map(|client| client.trace).collect(),
            longest_wait: if world.plan.is_swift() { world.waits.most } else { 0 },
            hash: world.hash,
            stopped: world.stop_seen,
            people: world.people,
            rooms: world.rooms,
        }
    }

    /// Connects the witnesses: two in a room of their own, and one among the others. Whatever happens, they receive
    /// everything.
    fn welcome_witnesses(&mut self) {
        for request in [
            Request::Create("witnesses".to_owned()),
            Request::Join(1),
            Request::Create("common".to_owned()),
        ] {
            let id = self.connect(Temper::Witness);
            self.clients[id].ask(&mut self.rng, request);
            self.settle();
        }
    }
}

/// The storm: while there are faults.
impl World {
    fn storm(&mut self) {
        self.now += match self.rng.within(0..400) {
            0 => self.rng.next() % 7_000_000_000,
            1..40 => self.rng.next() % 50_000_000,
            _ => self.rng.next() % 100_000,
        };
        match self.rng.within(0..100) {
            0..25 => self.somebody_speaks(),
            25..28 => self.somebody_comes(),
            28 => self.somebody_goes(),
            _ => {
                let acts = self.possible(true);
                if !acts.is_empty() {
                    let act = self.rng.pick(&acts);
                    self.perform(act);
                }
            }
        }
    }

    pub(super) fn connect(&mut self, temper: Temper) -> usize {
        let id = self.clients.len();
        let (mut inbound, mut outbound) = self.plan.kernel_buffers;
        let mut address = [10, 0, 0, self.rng.within(0..self.plan.addresses) as u8];
        if temper == Temper::Witness {
            (inbound, outbound) = (WITNESS_BUFFER, WITNESS_BUFFER);
            address = [10, 0, 1, id as u8];
        }
        if temper == Temper::Hoarder {
            inbound = 1 << 17;
        }
        if temper == Temper::Asking {
            // Answers to hellos, and histories, are long.
            outbound = outbound.max(500);
        }
        // A frame may take a hundred turns at most.
        let longest = MAX_PAYLOAD.min(100 * self.plan.limits.read_per_turn);
        let (socket, end) = net::link(self.rng.fork(), inbound, outbound);
        if temper == Temper::Witness {
            end.calm_down();
        }
        let operator = temper == Temper::Witness;
        let form = if self.rng.chance(1, 3) { Form::browser() } else { Form::frames() };
        let mut client = Client::new(id, temper, form, end, longest);
        let caller = Caller { client: id, socket, operator, address: IpAddr::from(address) };
        if !self.server.call(caller) {
            client.vanish(&mut self.rng);
        }
        self.clients.push(client);
        id
    }

    fn somebody_comes(&mut self) {
        let on = self.clients.iter().filter(|client| client.is_on()).count();
        self.note_losses();
        if on < self.plan.clients + 3 {
            if self.rng.chance(1, 2) {
                return self.somebody_greets();
            }
            let temper = self.rng.pick(&[
                Temper::Person,
                Temper::Person,
                Temper::Person,
                Temper::Slow,
                Temper::Stuck,
                Temper::Dead,
                Temper::Vandal,
                Temper::Dawdler,
                Temper::Hoarder,
            ]);
            self.connect(temper);
        }
    }

    fn somebody_speaks(&mut self) {
        let Some(id) = self.somebody(Client::can_speak) else { return };
        for _ in 0..self.rng.portion(4) {
            if self.clients[id].person.is_some() {
                self.somebody_asks(id);
                continue;
            }
            self.clients[id].speak(&mut self.rng, &self.rooms);
        }
        if self.clients[id].temper == Temper::Witness {
            // A witness's frame is never late, however slow the server is.
            self.clients[id].deliver(self.now, usize::MAX);
        }
    }

    fn somebody_goes(&mut self) {
        let may = |client: &Client| client.can_speak() && client.temper != Temper::Witness;
        let Some(id) = self.somebody(may) else { return };
        let client = &mut self.clients[id];
        match self.rng.within(0..4) {
            0 => client.vanish(&mut self.rng),
            1 => client.truncate(&mut self.rng),
            2 => client.end.arrive_urgent(),
            _ => client.finish(),
        }
    }

    fn somebody(&mut self, may: impl Fn(&Client) -> bool) -> Option<usize> {
        let may: Vec<_> = self.clients.iter().filter(|c| may(c)).map(|c| c.id).collect();
        (!may.is_empty()).then(|| self.rng.pick(&may))
    }
}

/// Steps of the world.
impl World {
    /// Everything that can happen now. In a `storm`, slow clients rarely read.
    fn possible(&mut self, storm: bool) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.server.can_run(self.now) {
            acts.push(Act::Turn);
        }
        if self.server.has_work() {
            acts.push(Act::Work);
        }
        for client in &self.clients {
            if client.can_deliver() {
                acts.push(Act::Deliver(client.id));
            }
            if client.end.owes_space() {
                acts.push(Act::Space(client.id));
            }
            let reads = match client.temper {
                Temper::Witness
                | Temper::Person
                | Temper::Vandal
                | Temper::Dawdler
                | Temper::Hoarder
                | Temper::Asking => true,
                Temper::Slow => !storm || self.rng.chance(1, 8),
                Temper::Stuck => !storm,
                Temper::Dead => false,
            };
            if reads && client.is_on() && client.end.is_readable() {
                acts.push(Act::Read(client.id));
            }
        }
        acts
    }

    fn perform(&mut self, act: Act) {
        match act {
            Act::Turn => self.turn(),
            Act::Work => self.server.work(),
            Act::Deliver(id) => {
                let most = if self.rng.chance(1, 2) { usize::MAX } else { self.rng.within(1..40) };
                self.clients[id].deliver(self.now, most);
            }
            Act::Space(id) => self.clients[id].end.give_space(),
            Act::Read(id) => {
                let most = if self.rng.chance(1, 2) { usize::MAX } else { self.rng.within(1..40) };
                self.clients[id].read(most, &mut self.rooms, &mut self.hash);
                self.somebody_hears(id);
            }
        }
    }

    fn turn(&mut self) {
        let Step { accepted, endings } = self.server.step(self.now);
        let stopping = self.server.is_stopping();
        for ending in endings {
            let client = &mut self.clients[ending.client];
            judge(self.now, &self.plan.limits, stopping, client, &ending);
            client.trace.reasons = ending.reasons;
            client.closing_at.get_or_insert(self.now);
        }
        for Accepted { client, session, refusal } in accepted {
            let trace = &mut self.clients[client].trace;
            trace.session = session;
            trace.reasons.extend(refusal);
        }
        self.hash.add(&self.now.to_le_bytes());
        for witness in self.clients.iter_mut().filter(|c| c.temper == Temper::Witness) {
            witness.read(usize::MAX, &mut self.rooms, &mut self.hash);
            if witness.can_deliver() {
                witness.deliver(self.now, usize::MAX);
            }
        }
        self.waits.follow(self.server.turns, &self.clients);
        if stopping && !self.stop_seen {
            self.stop_seen = true;
            for client in &mut self.clients {
                // Everything from a client that ended in order was read.
                let taken = self.server.taken(client.id);
                client.trace.taken_at_stop = taken.or_else(|| Some(client.end.read_by_server()));
            }
        }
    }
}

/// The calm: after the faults have stopped.
impl World {
    fn come_to_an_end(&mut self) {
        for client in &self.clients {
            client.end.calm_down();
        }
        self.some_come_back();
        match self.plan.finale {
            Finale::Signal => {
                self.let_some_happen();
                self.server.request_stop();
            }
            Finale::Command => {
                self.let_some_happen();
                self.clients[0].ask(&mut self.rng, Request::Shutdown);
            }
            Finale::Leave | Finale::Finish => {}
        }
        self.settle();
        if matches!(self.plan.finale, Finale::Signal | Finale::Command) {
            assert!(self.server.has_stopped(), "I14: the server has not stopped");
            assert_eq!(self.server.connection_count(), 0, "I14: connections are left");
            return self.server.check_end();
        }
        let live = self.live();
        self.server.check_rest();
        self.check_people();
        for &id in &live {
            self.clients[id].check_rest();
        }
        for id in self.server.owed() {
            assert!(self.clients[id].temper == Temper::Dead, "I12: client {id} is owed something");
        }
        self.server.check_balance(live.len());
        if self.plan.finale == Finale::Leave {
            for &id in &live {
                if self.clients[id].person.is_some() {
                    self.somebody_leaves(id);
                } else {
                    self.clients[id].ask(&mut self.rng, Request::Leave);
                }
            }
            self.settle();
        }
        for &id in &live {
            self.clients[id].finish();
        }
        self.settle();
        self.server.check_rest();
        let dead = self.live();
        self.server.check_balance(dead.len());
        for id in dead {
            self.clients[id].vanish(&mut self.rng);
        }
        self.settle();
        self.server.check_balance(0);
        self.server.check_end();
    }

    fn let_some_happen(&mut self) {
        for _ in 0..self.rng.within(0..200) {
            let acts = self.possible(false);
            if !acts.is_empty() {
                let act = self.rng.pick(&acts);
                self.perform(act);
            }
        }
    }

    /// Runs until nothing is left to wait for.
    fn settle(&mut self) {
        let turns = self.server.turns + MOST_TURNS;
        let end = self.now + PATIENCE.as_nanos() as u64;
        loop {
            let acts = self.possible(false);
            if !acts.is_empty() {
                let act = self.rng.pick(&acts);
                self.perform(act);
                assert!(self.server.turns < turns, "I12: the server does not come to rest");
                continue;
            }
            let Some(deadline) = self.server.deadline() else { return };
            assert!(deadline <= end, "I12: the server waits too long");
            self.now = self.now.max(deadline);
        }
    }

    /// The clients whose sessions have not ended.
    fn live(&self) -> Vec<usize> {
        let live = self
            .clients
            .iter()
            .filter(|client| client.trace.session.is_some() && !client.end.is_closed_by_server());
        live.map(|client| client.id).collect()
    }
}

impl Run {
    /// The number of messages received.
    pub(super) fn received(&self) -> usize {
        let entries = self.traces.iter().flat_map(|trace| &trace.entries);
        entries.filter(|entry| matches!(entry, Entry::Received(_))).count()
    }
}
