//! Tab completion of commands, room numbers and names.

/// The words that can be completed.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Commands, without their `/`.
    pub(crate) commands: &'static [&'static str],
    /// Names seen in the room, the latest first.
    pub(crate) names: Vec<String>,
    /// The room numbers of the last list.
    pub(crate) rooms: Vec<u64>,
}

/// A replacement for the text from `start` to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) start: usize,
    pub(crate) text: String,
    /// The possible words, if nothing could be added.
    pub(crate) candidates: Vec<String>,
}

/// Completes the word before the cursor.
pub(crate) fn complete(before: &str, vocabulary: &Vocabulary) -> Completion {
    let space = before.char_indices().rfind(|(_, c)| c.is_whitespace());
    let start = space.map_or(0, |(at, c)| at + c.len_utf8());
    let word = &before[start..];
    let (words, ending): (Vec<String>, &str) = match before[..start].trim_end() {
        "" if word.starts_with('/') => {
            (vocabulary.commands.iter().map(|command| format!("/{command}")).collect(), " ")
        }
        "/join" => (vocabulary.rooms.iter().map(u64::to_string).collect(), ""),
        // The line addresses somebody.
        "" => (vocabulary.names.clone(), ": "),
        _ => (vocabulary.names.clone(), " "),
    };
    let unchanged = |candidates| Completion { start, text: word.to_owned(), candidates };
    if word.is_empty() && start == 0 {
        return unchanged(Vec::new());
    }
    let matching: Vec<String> =
        words.into_iter().filter(|known| begins_with(known, word)).collect();
    match matching.as_slice() {
        [] => unchanged(Vec::new()),
        [only] => Completion { start, text: format!("{only}{ending}"), candidates: Vec::new() },
        [first, others @ ..] => {
            let common = others.iter().fold(first.as_str(), |common, other| shared(common, other));
            if common.len() > word.len() {
                Completion { start, text: common.to_owned(), candidates: Vec::new() }
            } else {
                unchanged(matching)
            }
        }
    }
}

/// Whether `known` begins with `word`, ignoring case.
fn begins_with(known: &str, word: &str) -> bool {
    let mut known = known.chars().flat_map(char::to_lowercase);
    word.chars().flat_map(char::to_lowercase).all(|c| known.next() == Some(c))
}

/// Returns the common beginning.
fn shared<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    &one[..same.map(|(c, _)| c.len_utf8()).sum()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(before: &str) -> (String, Vec<String>) {
        let names = ["Guido van Rossum", "김철수", "김영희", "guest"].map(str::to_owned).to_vec();
        let vocabulary = Vocabulary { commands: &["rooms", "join"], names, rooms: vec![3, 17, 18] };
        let done = complete(before, &vocabulary);
        (format!("{}{}", &before[..done.start], done.text), done.candidates)
    }

    fn becomes(before: &str, after: &str) {
        assert_eq!(completed(before), (after.to_owned(), Vec::new()));
    }

    #[test]
    fn commands_at_the_start_of_a_line() {
        becomes("/ro", "/rooms ");
        becomes("/J", "/join ");
        becomes("say /ro", "say /ro");
        assert_eq!(completed("/").1, ["/rooms", "/join"]);
    }

    #[test]
    fn names_and_whom_a_line_addresses() {
        becomes("김철", "김철수: ");
        becomes("ask 김영", "ask 김영희 ");
        becomes("gui", "Guido van Rossum: ");
        becomes("x", "x");
        becomes("", "");
    }

    #[test]
    fn a_common_beginning_and_then_the_candidates() {
        assert_eq!(completed("김"), ("김".into(), vec!["김철수".into(), "김영희".into()]));
        assert_eq!(completed("/join 1").1, ["17", "18"]);
        becomes("/join 3", "/join 3");
    }
}
