//! The shapes of traffic that servers are compared in.

use serde::Serialize;

use super::beside::Beside;
use crate::error::Error;
use crate::load::Pace;

/// Rooms, members, and how they talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// What it is called.
    pub letter: char,
    /// Rooms.
    pub rooms: u32,
    /// Members of each.
    pub members: u32,
    /// All members talk, or one.
    pub all_talk: bool,
    /// When they do.
    pub pace: Pace,
    /// What else goes on.
    pub beside: Option<Beside>,
}

const fn closed(letter: char, rooms: u32, members: u32, window: u32) -> Shape {
    Shape { letter, rooms, members, all_talk: false, pace: Pace::Closed { window }, beside: None }
}

const fn open(letter: char, rooms: u32, members: u32, rate: u32) -> Shape {
    Shape { letter, rooms, members, all_talk: false, pace: Pace::Open { rate }, beside: None }
}

impl Shape {
    /// All there are.
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
        Self { beside: Some(Beside::Crowd), ..open('J', 10, 10, 1_000) },
        Self { beside: Some(Beside::Arrivals), ..closed('K', 100, 10, 1) },
    ];

    /// The shapes of a list like `A,B`.
    ///
    /// # Errors
    /// When it names one that there is not.
    pub fn list(letters: &str) -> Result<Vec<Self>, Error> {
        let find = |word: &str| {
            let found = Self::ALL.into_iter().find(|shape| word == shape.letter.to_string());
            found.ok_or_else(|| Error::Config(format!("shapes are A to K, and {word:?} is none")))
        };
        letters.split(',').map(|word| find(word.trim())).collect()
    }

    /// What the load generator is told.
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
        // The other load wants the core as well.
        if self.beside == Some(Beside::Crowd) {
            words.push("--doze".to_owned());
        }
        words
    }

    /// The shape in a few words.
    pub fn describe(&self) -> String {
        let talk = if self.all_talk { ", all talk" } else { "" };
        let pace = match self.pace {
            Pace::Closed { window } => format!(", W {window}"),
            Pace::Open { rate } => format!(", {rate}/s"),
        };
        let beside = self.beside.map_or(String::new(), |beside| format!(", {}", beside.describe()));
        format!("{} {} × {}{talk}{pace}{beside}", self.letter, self.rooms, self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_letters_is_a_list_of_shapes() {
        let shapes = Shape::list("A, H,G,J").expect("they exist");
        let described: Vec<String> = shapes.iter().map(Shape::describe).collect();
        assert_eq!(
            described,
            [
                "A 10 × 10, W 32",
                "H 10 × 10, all talk, W 8",
                "G 100 × 10, 20000/s",
                "J 10 × 10, 1000/s, beside 1 × 10,000",
            ]
        );
        assert!(Shape::list("A,Z").is_err());
        assert!(Shape::list("").is_err());
    }

    #[test]
    fn the_generator_is_told_everything() {
        let [shape] = Shape::list("H").expect("it exists")[..] else { panic!("one shape") };
        assert_eq!(
            shape.arguments(),
            ["--rooms=10", "--members=10", "--talkers=all", "--window=8"]
        );
    }
}
