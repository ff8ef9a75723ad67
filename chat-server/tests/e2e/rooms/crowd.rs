//! Many clients at once: in one large room, in many small ones, silent, or too many for the descriptors.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::support::{
    Client, Member, Program, RunningServer, check_all, descriptors, in_own_process, start,
    stream_of,
};

/// `wanted` clients, or as many as half the descriptors of this process allow, since both ends of each connection are
/// in this process.
fn crowd(server: &RunningServer, wanted: usize) -> Vec<Client> {
    let count = wanted.min(descriptors().saturating_sub(300) / 2 / 2);
    (0..count).map(|_| Client::connect(server.address())).collect()
}

#[test]
fn a_thousand_members_receive_the_same() {
    in_own_process(|| {
        let server = start();
        let checker = Mutex::default();
        let mut maker = Member::maker(server.client(), 0, &checker);
        let room = maker.room;
        let members = crowd(&server, 1_000).into_iter().zip(1..);
        let mut members: Vec<_> =
            members.map(|(client, peer)| Member::new(client, room, peer, &checker)).collect();
        members.iter_mut().for_each(|member| member.client.join(room));
        members.iter_mut().for_each(Member::entered);
        maker.say(10);
        let mut leaving = members.split_off(members.len() * 9 / 10);
        leaving.iter_mut().for_each(Member::leave);
        maker.say(10);
        members.iter_mut().for_each(|member| member.hear(20));
        maker.hear_rest();
        assert_eq!(maker.client.rooms()[0].member_count, members.len() + 1);
        members.iter_mut().for_each(Member::hear_rest);
        check_all(checker);
    });
}

#[test]
fn r6_a_room_flushed_in_slices_stays_ordered_and_complete() {
    let server = RunningServer::with(|config| config.limits.writes_per_room_and_turn = 7);
    let checker = Mutex::default();
    let mut maker = Member::maker(server.client(), 0, &checker);
    let room = maker.room;
    let enter = |peer| {
        let mut member = Member::new(server.client(), room, peer, &checker);
        member.enter();
        member
    };
    let mut talkers: Vec<_> = (1..4).map(enter).collect();
    let mut listeners: Vec<_> = (4..64).map(enter).collect();
    for round in 0..40 {
        // While a turn has served only some of the members, others come and go, before and after the member being
        // served.
        talkers.iter_mut().for_each(|talker| talker.say(3));
        listeners.remove(round * 7 % listeners.len()).leave();
        listeners.push(enter(64 + round));
    }
    // The answer to a talker comes after its chats were carried out, so by then they are on their way to everyone.
    talkers.iter_mut().for_each(Member::hear_rest);
    talkers.iter_mut().chain(&mut listeners).chain([&mut maker]).for_each(Member::hear_rest);
    check_all(checker);
}

#[test]
fn o10_silent_connections_cost_no_cpu() {
    let (program, address) = Program::listening(&["--worker=8"]);
    let mut silent: Vec<_> = (0..300).map(|_| Client::connect(address)).collect();
    for client in &mut silent {
        client.create("room");
        client.expect_code("room-created");
    }
    // One stops in the middle of a frame, one half-closes, one does not read and has more output pending than the
    // kernel takes, and one has sent a byte out of band.
    silent[0].send_raw(&[0, 9, b'{']);
    silent[1].end_sending();
    silent[1].expect_end();
    let mut owed = Client::connect_with_little_room(address);
    owed.send_raw(&stream_of(vec![r#"{"type":"CSRooms"}"#; 40]));
    silent[2].send_urgent();
    silent[2].expect_nothing();
    // All work on this is over once the program uses no processor time for two seconds in a row. It takes time to
    // observe idleness.
    let is_quiet = || {
        let before = program.ticks();
        thread::sleep(Duration::from_secs(1));
        program.ticks() <= before + 1
    };
    let quiet = (0..5).any(|_| is_quiet() && is_quiet());
    assert!(quiet, "the server uses the processor though nobody says anything");
    for _ in 0..40 {
        assert_eq!(owed.expect_rooms().len(), 299);
    }
    drop((silent, owed));
    program.stop();
}
