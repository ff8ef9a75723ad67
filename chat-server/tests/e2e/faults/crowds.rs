//! A crowd that stops reading, and the memory it costs: R1, R4.

use crate::support::{Client, Program, Witnesses, descriptors, in_own_process, wait_until};

const READERS: usize = 2_000;

/// 2,000 members of a room stop reading, and 100 MB are said there. A member that reads receives everything.
#[test]
fn r1_r4_a_thousand_slow_readers_cost_the_memory_of_one() {
    in_own_process(|| {
        const TALKERS: usize = 8;
        const CHATS_EACH: usize = 200;
        const MOST: u64 = 64 << 20;
        let (needed, most) = (READERS + 200, descriptors());
        assert!(
            most >= needed,
            "{needed} descriptors are needed, {most} allowed: try `ulimit -Hn`"
        );
        // Otherwise, the talkers would be slowed down before the readers are slow.
        let (program, address) = Program::listening(&["--limit=input=0"]);
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
                // In small steps, so that the witness does not become slow.
                let said = talker * CHATS_EACH + chats + 8;
                wait_until("the witness has received it", || witnesses.chats() == said);
            }
        }
        let most = program.memory("VmHWM");
        println!("{} MiB before, {} MiB at the most", resident >> 20, most >> 20);
        assert!(most - resident <= MOST, "{resident} bytes before, {most} at the most");

        for reader in readers.iter_mut().take(50) {
            let messages = reader.whatever_came();
            let chats = messages.iter().filter(|message| message.kind == "SCChat").count();
            assert!(chats < 100, "the server keeps no more for it: {chats}");
        }
        drop(readers);
        let heard = witnesses.finish();
        assert_eq!(heard.chats, TALKERS * CHATS_EACH);
        assert_eq!(heard.count("member-entered"), READERS + TALKERS);
        wait_until("descriptors are given back", || program.count("fd") == before);
        program.stop();
    });
}
