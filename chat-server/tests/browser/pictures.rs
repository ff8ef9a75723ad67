//! A conversation in two languages, on a phone and on a desktop. `SCREENSHOTS=FOLDER` saves pictures of it for
//! `README`.

use std::fs;
use std::path::Path;

use crate::support::{Chromium, Client, Page, Program};

/// Starts a page's clock in the afternoon, and lets a test advance it.
const CLOCK: &str = "
    const now = Date.now.bind(Date)
    const early = new Date().setHours(16, 2) - now()
    window.ahead = 0
    Date.now = () => now() + early + ahead * 60_000";

/// The messages: who says what, and how many minutes after the start.
const TALK: [(&str, &str, u32); 11] = [
    ("서연", "내일 대회 부품은 다 챙겼어요?", 0),
    ("Daniel", "Motors and the spare battery are in the blue box.", 1),
    ("민지", "센서랑 케이블도 파란 상자에 넣어 뒀어요.", 2),
    ("Priya", "Great! The map of the hall: https://example.org/finals/map", 4),
    ("Priya", "We are at table 14, next to the stage.", 4),
    ("Tom", "Does the bus leave at 7:40 or at 8?", 6),
    ("민지", "7시 40분, 정문 앞이에요.", 7),
    ("Daniel", "Perfect. I will be there at half past seven.", 8),
    ("서연", "간식은 제가 가져갈게요.", 11),
    ("서연", "김밥이랑 귤이요!", 11),
    ("Tom", "You are the best, 서연", 12),
];

/// A terminal client, in the room with this number or in a new one with this title.
fn somebody(server: &Program, name: &str, room: Result<u64, &str>) -> Client {
    let mut client = Client::of(server.address());
    client.be(name);
    match room {
        Ok(room) => {
            client.enter(room);
        }
        Err(title) => {
            client.enter_new(title);
        }
    }
    client
}

/// Saves a picture of a page, if `SCREENSHOTS` says where.
fn picture(page: &Page<'_>, name: &str) {
    if let Some(folder) = std::env::var_os("SCREENSHOTS") {
        fs::write(Path::new(&folder).join(name), page.picture()).expect("the folder is there");
    }
}

#[test]
fn a_conversation_in_two_languages_on_a_phone_and_at_a_desk() {
    let Some(chromium) = Chromium::start() else { return };
    let server = Program::start();
    let link = format!("{}#room=1", server.url());
    let club = somebody(&server, "서연", Err("로봇 동아리 Robots"));
    let _others = [
        somebody(&server, "Hana", Err("점심 뭐 먹지?")),
        somebody(&server, "하준", Ok(2)),
        somebody(&server, "도윤", Ok(2)),
        somebody(&server, "Keller", Err("Physics homework")),
        somebody(&server, "Leo", Ok(3)),
    ];
    let [minji, daniel] = [("민지", "ko-KR"), ("Daniel", "en-US")].map(|(name, lang)| {
        let page = Page::blank(&chromium, name, lang);
        page.run_first(CLOCK);
        page.go(&link);
        page.be(name);
        page.see("#room-title", "로봇 동아리");
        page
    });
    let mut clients = [
        ("서연", club),
        ("Priya", somebody(&server, "Priya", Ok(1))),
        ("Tom", somebody(&server, "Tom", Ok(1))),
    ];
    let pages = [("민지", &minji), ("Daniel", &daniel)];
    for (_, page) in pages {
        page.see("#log", "Tom");
    }
    for (who, text, minutes) in TALK {
        for (_, page) in pages {
            page.eval(&format!("ahead = {minutes}"));
        }
        if let Some((_, page)) = pages.iter().find(|(name, _)| *name == who) {
            page.say(text);
        } else {
            let client = clients.iter_mut().find(|(name, _)| *name == who);
            client.expect("one of them").1.chat(text);
        }
        for (_, page) in pages {
            page.see(".line .text", text);
        }
    }
    minji.size(390, 780);
    daniel.size(1280, 720);
    daniel.prefer("dark");
    for (_, page) in pages {
        page.wait("document.querySelectorAll('#members li').length === 5");
        page.wait("document.fonts.status === 'loaded'");
        page.eval("document.getElementById('log').scrollTop = 1e9");
        page.wait("document.getElementById('newer').hidden");
        page.eval("document.getElementById('log').style.scrollbarWidth = 'none'; document.activeElement.blur()");
        page.expect_quiet();
    }
    picture(&minji, "page-phone.png");
    picture(&daniel, "page-desk.png");
}
