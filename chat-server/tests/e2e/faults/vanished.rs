//! Peers that vanish without a word, and peers that are there but do not read: O15. The tests run between two networks
//! of their own, one of which can be cut off; this requires a system that lets users create networks.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chat_server::{CloseReason, LimitKind, OperatorText, RoomId};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::support::{Client, RunningServer, in_own_network, wait_until};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Another network, linked to this one. This end has address 10.9.9.1, the other 10.9.9.2.
struct OtherNetwork(Child);

fn run(command: &str) {
    let status = Command::new("sh").args(["-ec", command]).status().expect("there is a shell");
    assert!(status.success(), "{command}");
}

impl OtherNetwork {
    fn link() -> Self {
        run("ip link set lo up");
        let mut holder = Command::new("unshare");
        holder.args(["-n", "sh", "-c", "echo; exec sleep 1000"]).stdout(Stdio::piped());
        let mut holder = holder.spawn().expect("it was there before");
        let ready = holder.stdout.take().expect("it is piped");
        std::io::Read::read_exact(&mut { ready }, &mut [0]).expect("it has a network");
        let other = Self(holder);
        let pid = other.0.id();
        run(&format!(
            "ip link add here type veth peer name there netns {pid}; \
             ip addr add 10.9.9.1/24 dev here; ip link set here up"
        ));
        other.within(|| run("ip addr add 10.9.9.2/24 dev there; ip link set there up"));
        other
    }

    /// Runs `act` in the other network.
    fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let file = format!("/proc/{}/ns/net", self.0.id());
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let network = std::fs::File::open(file).expect("its holder lives");
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), kind)
                    .expect("this process made it");
                act()
            });
            inside.join().expect("it does not panic")
        })
    }

    fn cut_off(&self) {
        self.within(|| run("ip link set there down"));
    }
}

impl Drop for OtherNetwork {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> RunningServer {
    RunningServer::with(|config| {
        config.address = ([0, 0, 0, 0], 0).into();
        config.limits.peer_timeout = TIMEOUT;
    })
}

fn announcement() -> OperatorText {
    OperatorText::new(&"x".repeat(900)).expect("it is not too long")
}

#[test]
fn o15_a_peer_that_vanishes_is_gone_in_its_time_whether_its_room_talks_or_not() {
    in_own_network(|| {
        let other = OtherNetwork::link();
        let server = start();
        let address = ([10, 9, 9, 1], server.address().port()).into();
        // One peer in a talkative room, one that is silent, and one that has asked for something and does not read.
        let mut peers = other.within(|| [(); 3].map(|()| Client::of(address)));
        peers[0].enter_new("talking");
        peers[0].be("ghost");
        let mut here = Client::of(([127, 0, 0, 1], server.address().port()).into());
        here.enter(1);
        other.cut_off();
        let begin = Instant::now();
        here.chat("is anybody there?");
        let mut said = 0;
        wait_until("they are gone", || {
            // Far less than would make a slow reader.
            if said < begin.elapsed().as_millis() / 100 {
                server.controller().announce(RoomId::FIRST, announcement()).expect("it is there");
                said += 1;
            }
            server.stats().connections == 1
        });
        let took = begin.elapsed();
        // The machine may be busy; the kernel alone would take a quarter of an hour.
        assert!(took > TIMEOUT / 2 && took < TIMEOUT + Duration::from_secs(20), "{took:?}");
        let stats = server.stats();
        assert_eq!(stats.closed.count(CloseReason::Lost), 3, "{stats:?}");
        assert_eq!(stats.limits.count(LimitKind::PeerTimeout), 1, "{stats:?}");
        here.name("ghost");
        while here.receive().code.as_deref() != Some("renamed") {}
        drop((peers, here));
    });
}

#[test]
fn o15_a_peer_that_does_not_read_is_not_taken_for_one_that_has_vanished() {
    let server = RunningServer::with(|config| config.limits.peer_timeout = Duration::from_secs(2));
    let mut reader = Client::connect_with_little_room(server.address());
    reader.enter_new("room");
    let mut said = 0;
    // More than the peer's kernel has room for, and less than a slow reader may have pending.
    let begin = Instant::now();
    wait_until("three times its time has passed", || {
        if said < 100 {
            server.controller().announce(RoomId::FIRST, announcement()).expect("it is there");
            said += 1;
        }
        begin.elapsed() > Duration::from_secs(6)
    });
    assert_eq!(server.stats().limits.count(LimitKind::PeerTimeout), 0);
    for _ in 0..said {
        reader.expect_code("announcement");
    }
    assert_eq!(reader.rooms().len(), 1);
}
