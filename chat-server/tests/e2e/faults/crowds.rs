//! A crowd that stops reading: what the program holds for it.

use crate::support::{Client, Program, Witnesses, descriptors, in_own_process, wait_until};

const READERS: usize = 2_000;

/// 2,000 in one room stop reading, and 100 MB are said there. One who reads gets all of it.
#[test]
fn r1_r4_a_crowd_that_does_not_read_costs_the_memory_of_one() {
    in_own_process(|| {
        const TALKERS: usize = 8;
        const CHATS_EACH: usize = 200;
        const MOST: u64 = 64 << 20;
        let (needed, most) = (READERS + 200, descriptors());
        assert!(
            most >= needed,
            "{needed} descriptors are needed, {most} allowed: try `ulimit -Hn`"
        );
        let (mut program, address) = Program::listening(&[]);
        let before = program.count("fd");
        let witnesses = Witnesses::start(address);
        let room = witnesses.room;
        let mut readers: Vec<_> =
            (0..READERS).map(|_| Client::connect_with_little_room(address)).collect();
        for reader in &mut readers {
            reader.enter(room);
        }

        let resident = program.memory("VmRSS");
        let text = "x".repeat(64_000);
        for talker in 0..TALKERS {
            let mut client = Client::of(address);
            client.enter(room);
            for chats in (0..CHATS_EACH).step_by(8) {
                for _ in 0..8 {
                    client.chat(&text);
                }
                // No more than the one who reads may be owed.
                let said = talker * CHATS_EACH + chats + 8;
                wait_until("it is heard", || witnesses.chats() == said);
            }
        }
        let most = program.memory("VmHWM");
        println!("{} MiB before, {} MiB at the most", resident >> 20, most >> 20);
        assert!(most - resident <= MOST, "{resident} bytes before, {most} at the most");

        for reader in readers.iter_mut().take(50) {
            let messages = reader.whatever_came();
            let chats = messages.iter().filter(|message| message.kind == "SCChat").count();
            assert!(chats < 100, "nobody keeps more for it: {chats}");
        }
        drop(readers);
        let heard = witnesses.finish();
        assert_eq!(heard.chats, TALKERS * CHATS_EACH);
        assert_eq!(heard.count("member-entered"), READERS + TALKERS);
        wait_until("descriptors are given back", || program.count("fd") == before);
        program.signal("TERM");
        program.expect_success();
    });
}
