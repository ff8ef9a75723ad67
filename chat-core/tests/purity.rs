//! The library crates do no input or output, look at no clock, take no lock, start no thread and
//! write no log: no such thing stands in their sources, outside of comments, strings and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// What may not stand there, as whole words.
const FORBIDDEN: [&str; 22] = [
    "std::net",
    "std::io",
    "std::fs",
    "std::os",
    "std::env",
    "std::process",
    "std::thread",
    "thread_local",
    "Instant",
    "SystemTime",
    "Mutex",
    "RwLock",
    "Condvar",
    "mio",
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "tracing",
    "log::",
    // Imports are one module to a line, or else the words above would not be found in them.
    "std::{",
];

#[test]
fn the_library_crates_are_pure() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for sources in [here.join("src"), here.join("../chat-proto/src")] {
        let mut files = Vec::new();
        collect_sources(&sources, &mut files);
        assert!(files.iter().any(|file| file.ends_with("lib.rs")), "{}", sources.display());
        let code: Vec<_> = files.iter().map(|file| read(file)).collect();
        let test_files: Vec<_> = code.iter().flat_map(|code| code.test_files.clone()).collect();
        for (file, code) in files.iter().zip(&code) {
            if !test_files.iter().any(|test| file.ends_with(test)) {
                found.extend(code.forbidden().map(|found| format!("{}:{found}", file.display())));
            }
        }
    }
    assert!(found.is_empty(), "the library crates must not use:\n{}", found.join("\n"));
}

fn collect_sources(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("an entry of that directory").path();
        if path.is_dir() {
            collect_sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

fn read(file: &Path) -> Code {
    Code::of(&fs::read_to_string(file).expect("a source is UTF-8"))
}

/// What the compiler sees outside of tests: all else is blank, and lines are where they were.
struct Code {
    text: String,
    /// Files that are modules for tests only.
    test_files: Vec<String>,
}

impl Code {
    fn of(source: &str) -> Self {
        let mut text = without_comments_and_strings(source);
        let mut test_files = Vec::new();
        while let Some(start) = text.find("#[cfg(test)]") {
            let end = start + item_len(&text[start..]);
            // Paths of modules are strings, so they are looked for in the source.
            if let Some((_, path)) = source[start..end].split_once("#[path = \"") {
                test_files.extend(path.split_once('"').map(|(path, _)| path.to_owned()));
            }
            blank(&mut text, start, end);
        }
        Self { text, test_files }
    }

    /// `LINE: WORD` for each forbidden word.
    fn forbidden(&self) -> impl Iterator<Item = String> + '_ {
        self.text.lines().zip(1..).flat_map(|(line, number)| {
            let found = FORBIDDEN.iter().filter(|word| holds_word(line, word));
            found.map(move |word| format!("{number}: {word}"))
        })
    }
}

fn holds_word(line: &str, word: &str) -> bool {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let goes_on = line[at + word.len()..].starts_with(is_in_word);
        let is_cut = word.ends_with(is_in_word) && goes_on;
        !is_cut && !line[..at].ends_with(is_in_word)
    })
}

/// The length of the item at the start of `text`: to its first `;` or to the end of its block.
fn item_len(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn blank(text: &mut String, start: usize, end: usize) {
    let blank: String =
        text[start..end].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(start..end, &blank);
}

/// Blanks comments and what stands between quotes, byte for byte.
fn without_comments_and_strings(source: &str) -> String {
    let mut text = source.to_owned();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        let len = skipped_len(rest);
        if len > 0 {
            blank(&mut text, at, at + len);
        }
        at += len.max(rest.chars().next().map_or(1, char::len_utf8));
    }
    text
}

/// The length of the comment, string or character that `rest` begins with; 0 when with none.
fn skipped_len(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if let Some(after) = rest.strip_prefix("/*") {
        return after.find("*/").map_or(rest.len(), |end| end + 4);
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inside) = raw[hashes..].strip_prefix('"') {
            let close = format!("\"{}", &raw[..hashes]);
            let end = inside.find(&close).expect("a raw string has an end");
            return 1 + hashes + 1 + end + close.len();
        }
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + quoted_len(inside, '"');
    }
    // 'a' and '\n' are characters, 'a without a quote behind it is a lifetime.
    match rest.strip_prefix('\'') {
        Some(inside) if inside.starts_with('\\') => 1 + quoted_len(inside, '\''),
        Some(inside) => match inside.char_indices().nth(1) {
            Some((len, '\'')) => 1 + len + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// The length up to and with the next `quote` that has no backslash before it.
fn quoted_len(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    inside.len()
}

#[test]
fn what_is_forbidden_is_found_where_it_stands() {
    let source =
        "use std::io::Write;\n\nfn f<'a>() {\n    let c = '\"'; let now = Instant::now();\n}\n";
    let found: Vec<_> = Code::of(source).forbidden().collect();
    assert_eq!(found, ["1: std::io", "4: Instant"]);
    for word in FORBIDDEN {
        let found: Vec<_> = Code::of(&format!("\n x({word}")).forbidden().collect();
        assert_eq!(found, [format!("2: {word}")]);
    }
}

#[test]
fn comments_strings_and_tests_may_speak_of_it() {
    for source in [
        "// Mutex\n/// std::io\n/* RwLock\n Condvar */",
        "let s = \"\\\"Mutex\"; let r = r#\"a \"Mutex\" b\"#;",
        "#[cfg(test)]\nmod tests {\n    fn f() { println!(\"{}\", Instant::now()); }\n}",
        "#[cfg(test)]\nuse std::io;",
        "struct Instantiated; let premium = catalog::new(); dialog::open();",
    ] {
        assert_eq!(Code::of(source).forbidden().collect::<Vec<_>>(), [""; 0], "{source}");
    }
    let code = Code::of("#[cfg(test)]\n#[path = \"x_tests.rs\"]\nmod tests;\nuse std::net;");
    assert_eq!(code.test_files, ["x_tests.rs"]);
    assert_eq!(code.forbidden().collect::<Vec<_>>(), ["4: std::net"]);
}
