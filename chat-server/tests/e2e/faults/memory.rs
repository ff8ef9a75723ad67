//! Memory of a whole process, while its peers hold as much as they can, and after they have gone.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Client, Program, descriptors, frame, in_own_process, wait_for, wait_until};

const MIB: u64 = 1 << 20;

/// Opens connections that read nothing: `wanted`, or as many as the descriptors allow.
fn peers(address: SocketAddr, wanted: usize) -> Vec<TcpStream> {
    let count = wanted.min(descriptors().saturating_sub(200));
    let connect = |_| TcpStream::connect(address).expect("the server listens");
    (0..count).map(connect).collect()
}

/// Sends what the kernel takes; nothing if the peer has been evicted.
fn send(peer: &mut TcpStream, bytes: &[u8]) {
    peer.set_nonblocking(true).expect("it is a socket");
    if let Err(error) = peer.write(bytes) {
        let kinds = [ErrorKind::WouldBlock, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
}

/// A command, and most of a frame of 65,500 bytes.
fn command_and_partial_frame() -> Vec<u8> {
    let mut bytes = frame(r#"{"type":"CSRooms"}"#);
    bytes.extend_from_slice(&65_500_u16.to_be_bytes());
    bytes.push(b'{');
    bytes.resize(bytes.len() + 60_000, b' ');
    bytes
}

/// Peers in pairs: one talks in a room of its own, the other is there and does not read.
fn fill_backlogs(address: SocketAddr, rooms: usize) -> Vec<Client> {
    let chat = frame(format!(r#"{{"type":"CSChat","text":"{}"}}"#, "x".repeat(60_000)));
    let mut peers = Vec::new();
    for _ in 0..rooms {
        let mut talker = Client::connect(address);
        let room = talker.enter_new("where nobody reads");
        let mut member = Client::connect_with_little_room(address);
        member.enter(room);
        for _ in 0..16 {
            talker.try_send_raw(&chat);
        }
        peers.extend([talker, member]);
    }
    peers
}

/// Partial frames of 4,000 peers would take 240 MB, backlogs of 100 rooms another 80.
#[test]
fn b1_b8_b9_a_process_stays_within_max_memory_whatever_its_peers_hold() {
    in_own_process(|| {
        let (program, address) = Program::listening(&["--max-memory=64MiB", "--rate=0"]);
        let mut partial = peers(address, 4_000);
        let bytes = command_and_partial_frame();
        partial.iter_mut().for_each(|peer| send(peer, &bytes));
        let backlogs = fill_backlogs(address, 100);
        Client::connect(address).rooms();
        let peak = program.memory("VmHWM");
        assert!(peak < 64 * MIB, "{peak} bytes");
        drop((partial, backlogs));
    });
}

/// Rooms with the longest names and titles.
#[test]
fn b8_the_most_rooms_that_max_memory_allows_fit_into_it() {
    in_own_process(|| {
        let (program, address) = Program::listening(&["--max-memory=16MiB", "--rate=0"]);
        let mut founders = peers(address, 2_048);
        for (founder, n) in founders.iter_mut().zip(0..) {
            let name = format!("{n:08}{}", "\u{20000}".repeat(24));
            send(founder, &frame(format!(r#"{{"type":"CSName","name":"{name}"}}"#)));
            let title = format!("{n:08}{}", "\u{20000}".repeat(92));
            send(founder, &frame(format!(r#"{{"type":"CSCreateRoom","title":"{title}"}}"#)));
        }
        let mut watcher = Client::connect(address);
        let rooms = wait_for(
            "all rooms are there",
            || watcher.rooms().len(),
            |rooms| *rooms == founders.len(),
        );
        let peak = program.memory("VmHWM");
        assert!(
            peak < 20 * MIB,
            "{peak} bytes for {rooms} rooms, of a build that is not optimized"
        );
    });
}

#[test]
fn b6_after_a_crowd_memory_is_back_within_ten_seconds() {
    in_own_process(|| {
        let (program, address) = Program::listening(&["--rate=0"]);
        Client::connect(address).rooms();
        let before = program.memory("VmRSS");
        let most = before * 3 / 2 + 8 * MIB;
        let is_back = |what: &str| {
            let gone = Instant::now();
            wait_until(what, || program.memory("VmRSS") <= most);
            assert!(gone.elapsed() < Duration::from_secs(10), "{what}: after {:?}", gone.elapsed());
        };
        for round in ["first", "second"] {
            let mut partial = peers(address, 2_000);
            let bytes = command_and_partial_frame();
            partial.iter_mut().for_each(|peer| send(peer, &bytes));
            wait_until("it holds all of them", || program.memory("VmRSS") > before + 100 * MIB);
            drop(partial);
            is_back(&format!("partial frames, {round}"));
            let backlogs = fill_backlogs(address, 60);
            wait_until("it holds them", || program.memory("VmRSS") > before + 30 * MIB);
            drop(backlogs);
            is_back(&format!("backlogs, {round}"));
        }
    });
}
