//! A file system that is really full.

use std::env;
use std::process::Command;

use super::*;

/// Names a small file system in the environment of a process that has one.
const SMALL: &str = "CHAT_STORE_SMALL";

/// Runs the calling test in a process with a small file system of its own. Returns whether this is that process. Skips the test if the system does not allow it.
fn on_small_file_system(dir: &Path) -> bool {
    if env::var(SMALL).is_ok() {
        return true;
    }
    fs::create_dir_all(dir).expect("a directory");
    let mount = "mount -t tmpfs -o size=3m tmpfs \"$CHAT_STORE_SMALL\"";
    let run = |script: &str, words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script]).args(words).env(SMALL, dir);
        command.output()
    };
    if !run(mount, &[]).is_ok_and(|run| run.status.success()) {
        println!("skipped: no file systems of one's own here (unshare, mount)");
        return false;
    }
    let name = std::thread::current().name().expect("that of the test").to_owned();
    let program = env::current_exe().expect("this program has a path");
    let program = program.to_str().expect("a path in UTF-8");
    let test =
        run(&format!("{mount} && exec \"$0\" \"$@\""), &[program, &name, "--exact", "--nocapture"]);
    let test = test.expect("it has run before");
    let output = String::from_utf8_lossy(&test.stdout);
    println!("{output}{}", String::from_utf8_lossy(&test.stderr));
    assert!(test.status.success() && output.contains(" 1 passed;"), "on a small file system");
    false
}

#[test]
fn a_full_disk_costs_a_gap_and_no_restart() {
    let small = Dir::new("full");
    if !on_small_file_system(&small) {
        return;
    }
    let small = PathBuf::from(env::var(SMALL).expect("it is set"));
    let dir = small.join("data");
    let (mut opened, first) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 1);
    let mut seq = 0;
    let mut say = |opened: &mut Opened| {
        seq += 1;
        opened.store.event(ROOM, seq, seq, None, &chat(ROOM, seq, &"x".repeat(10_000)));
        opened.store.hand_over();
        seq
    };
    let begin = Instant::now();
    while opened.store.progress().lost < 100 {
        if !opened.store.progress().is_failing {
            // No faster than the disk, while that takes anything.
            let _ = opened.news.recv_timeout(Duration::from_millis(20));
        }
        let turn = Instant::now();
        say(&mut opened);
        assert!(turn.elapsed() < Duration::from_secs(1), "nobody waits for a full disk");
        assert!(begin.elapsed() < DEADLINE, "nothing is given up");
    }
    let fault = opened.store.fault().expect("a reason");
    assert!(fault.contains("full"), "{fault}");
    // What waits needs more than was ever there.
    let larger = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&small).status();
    assert!(larger.expect("mount has run before").success());
    opened.until("it goes on", |store| !store.progress().is_failing);
    opened.until("everything is there", |store| store.progress().committed.0 == store.last);
    let last = say(&mut opened);
    opened.commit();
    let lost = opened.store.progress().lost;
    let part = opened.store.readers().part(ROOM, Since::Last(200), 200, last + 1);
    let part = part.expect("it reads");
    assert_eq!((part.from(), part.end(), part.more, part.gap), (last, last + 1, true, false));
    let part = opened.store.readers().part(ROOM, Since::Before(last), 1, last + 1);
    let part = part.expect("it reads");
    assert_eq!((part.end(), part.gap), (last - lost, true), "{lost} are missing, and told");
    assert_eq!(Archive::open(&dir).expect("it opens").check().expect("it reads"), []);
    opened.store.stop(None, DEADLINE).expect("it stops");
    let (_, second) = open(&dir);
    assert_eq!((&second.epoch, second.rooms[0].last_seq), (&first.epoch, last));
}
