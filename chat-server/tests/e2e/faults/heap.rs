//! The heap of a server compared with its own count, whatever its peers leave unfinished: B1, B2.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use chat_testing::heap;

use crate::support::{
    Client, RunningServer, descriptors, frame, in_own_process, start, wait_until,
};

const ROOMS: &str = r#"{"type":"CSRooms"}"#;

/// Bytes per connection that may go uncounted.
const EACH: usize = 1024;

/// Bytes that may go uncounted, however many connections there are.
const FIXED: usize = 1 << 20;

/// Connections whose client ends take no heap in this process, so that all of the heap is the server's.
fn connect(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut peers = Vec::with_capacity(count);
    peers.extend((0..count).map(|_| TcpStream::connect(address).expect("it listens")));
    peers
}

/// Waits until the heap has grown by no more than is counted.
fn check_heap(server: &RunningServer, before: usize, connections: usize) {
    wait_until("the heap has grown by no more than is counted", || {
        let counted = server.stats().backlog as usize;
        heap::live() <= before + counted + connections * EACH + FIXED
    });
}

/// In one write: a command, a frame of 65.5 KB, and the first byte of the next.
#[test]
fn b1_the_heap_holds_little_for_a_byte_after_a_long_frame() {
    in_own_process(|| {
        let count = 2_000.min(descriptors().saturating_sub(200) / 2);
        let server = start();
        let stream = [frame(ROOMS), frame(format!("{ROOMS:65500}")), vec![0]].concat();
        let mut answer = [0; 2 * 37];
        let before = heap::live();
        let mut peers = connect(server.address(), count);
        for peer in &mut peers {
            peer.write_all(&stream).expect("it is read");
            peer.read_exact(&mut answer).expect("both commands are answered");
        }
        check_heap(&server, before, count);
        assert!(server.stats().backlog < 1 << 20, "there is not much to hold");
    });
}

/// Parts of long frames are buffered, and counted by what they take.
#[test]
fn b1_the_heap_holds_what_is_counted_for_parts_of_frames() {
    in_own_process(|| {
        let count = 1_000.min(descriptors().saturating_sub(200) / 2);
        let server = start();
        let most = 60_000;
        let part = &frame(format!("{ROOMS:65500}"))[..most];
        let before = heap::live();
        let mut peers = connect(server.address(), count);
        peers.iter_mut().for_each(|peer| peer.write_all(part).expect("it is read"));
        wait_until("all of it is held", || server.stats().backlog as usize >= count * most);
        check_heap(&server, before, count);
        drop(peers);
        wait_until("it is given back", || heap::live() <= before + FIXED);
    });
}

/// Clients ask for a long list of rooms, read a little of it, and stop. A client that reads on gets all of it.
#[test]
fn b2_the_heap_holds_what_is_counted_for_unread_lists() {
    in_own_process(|| {
        const ASKERS: usize = 200;
        let server = start();
        let title = "😀".repeat(100);
        let mut makers: Vec<_> = (0..500).map(|_| Client::connect(server.address())).collect();
        makers.iter_mut().for_each(|maker| maker.create(&title));
        for maker in &mut makers {
            maker.expect_code("room-created");
        }
        let before = heap::live();
        let mut askers: Vec<_> = Vec::with_capacity(ASKERS);
        askers.extend((0..ASKERS).map(|_| Client::connect_with_little_room(server.address())));
        askers.iter_mut().for_each(|asker| (0..3).for_each(|_| asker.ask_for_rooms()));
        askers.iter_mut().for_each(|asker| asker.drip(1_000));
        check_heap(&server, before, ASKERS);
        let mut reader = Client::connect(server.address());
        assert_eq!(reader.rooms().len(), makers.len());
        drop((askers, reader, makers));
    });
}
