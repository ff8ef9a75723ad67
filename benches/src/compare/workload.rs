//! The workloads under which servers are compared.

use serde::Serialize;

use super::background::Background;
use crate::error::Error;
use crate::load::Pace;

/// A workload: rooms, their members, and how they talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// The name in tables and on the command line.
    pub letter: char,
    /// The number of rooms.
    pub rooms: u32,
    /// Members per room.
    pub members: u32,
    /// Whether all members of a room talk, or only one.
    pub all_talk: bool,
    /// When the talkers send.
    pub pace: Pace,
    /// A second load on the same server, if any.
    #[serde(rename = "beside")]
    pub background: Option<Background>,
}

const fn closed(letter: char, rooms: u32, members: u32, window: u32) -> Workload {
    Workload {
        letter,
        rooms,
        members,
        all_talk: false,
        pace: Pace::Closed { window },
        background: None,
    }
}

const fn open(letter: char, rooms: u32, members: u32, rate: u32) -> Workload {
    Workload {
        letter,
        rooms,
        members,
        all_talk: false,
        pace: Pace::Open { rate },
        background: None,
    }
}

impl Workload {
    /// All workloads.
    pub const ALL: [Self; 11] = [
        closed('A', 10, 10, 32),
        closed('B', 10, 10, 1),
        closed('C', 1, 1_000, 32),
        closed('D', 1, 1_000, 1),
        closed('E', 500, 2, 8),
        open('F', 100, 10, 2_000),
        open('G', 100, 10, 20_000),
        Self { all_talk: true, ..closed('H', 10, 10, 8) },
        closed('I', 1, 2, 1),
        Self { background: Some(Background::Crowd), ..open('J', 10, 10, 1_000) },
        Self { background: Some(Background::Arrivals), ..closed('K', 100, 10, 1) },
    ];

    /// Parses a list such as `A,B`.
    ///
    /// # Errors
    /// If a letter names no workload.
    pub fn list(letters: &str) -> Result<Vec<Self>, Error> {
        let find = |word: &str| {
            let found = Self::ALL.into_iter().find(|workload| word == workload.letter.to_string());
            found.ok_or_else(|| Error::Config(format!("shapes are A to K, and {word:?} is none")))
        };
        letters.split(',').map(|word| find(word.trim())).collect()
    }

    /// The arguments for the load generator.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = vec![
            format!("--rooms={}", self.rooms),
            format!("--members={}", self.members),
            format!("--talkers={}", if self.all_talk { "all" } else { "1" }),
        ];
        words.push(match self.pace {
            Pace::Closed { window } => format!("--window={window}"),
            Pace::Open { rate } => format!("--rate={rate}"),
        });
        // The background load needs the same core.
        if self.background == Some(Background::Crowd) {
            words.push("--doze".to_owned());
        }
        words
    }

    /// A short description, for tables and charts.
    pub fn describe(&self) -> String {
        let talk = if self.all_talk { ", all talk" } else { "" };
        let pace = match self.pace {
            Pace::Closed { window } => format!(", W {window}"),
            Pace::Open { rate } => format!(", {rate}/s"),
        };
        let background =
            self.background.map_or(String::new(), |load| format!(", {}", load.describe()));
        format!("{} {} × {}{talk}{pace}{background}", self.letter, self.rooms, self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_letters_is_parsed() {
        let workloads = Workload::list("A, H,G,J").expect("they exist");
        let described: Vec<String> = workloads.iter().map(Workload::describe).collect();
        assert_eq!(
            described,
            [
                "A 10 × 10, W 32",
                "H 10 × 10, all talk, W 8",
                "G 100 × 10, 20000/s",
                "J 10 × 10, 1000/s, beside 1 × 10,000",
            ]
        );
        assert!(Workload::list("A,Z").is_err());
        assert!(Workload::list("").is_err());
    }

    #[test]
    fn the_generator_gets_every_setting() {
        let [workload] = Workload::list("H").expect("it exists")[..] else {
            panic!("one workload")
        };
        assert_eq!(
            workload.arguments(),
            ["--rooms=10", "--members=10", "--talkers=all", "--window=8"]
        );
    }
}
