//! The Rust sources of the workspace, and the tokens of one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The root of the workspace.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Sources by their path from the root of a tree.
pub(crate) type Sources = BTreeMap<String, String>;

/// The sources below a directory of the workspace (`""` for all).
pub(crate) fn sources(directory: &str) -> Sources {
    fn read(directory: &Path, sources: &mut Sources) {
        for entry in fs::read_dir(directory).expect("a directory of the workspace") {
            let path = entry.expect("an entry of that directory").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                read(&path, sources);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("a source in UTF-8");
                let path = path.strip_prefix(ROOT).expect("a path below the root");
                sources.insert(path.to_str().expect("a path in UTF-8").to_owned(), text);
            }
        }
    }
    let mut sources = Sources::new();
    read(&Path::new(ROOT).join(directory), &mut sources);
    sources
}

/// A word, `::`, or a single other character of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether this is a name, a keyword or a number.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_in_word)
    }
}

fn is_in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The tokens of a source, without comments and without the insides of quotes.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_len(rest);
        let len = if skipped > 0 {
            skipped
        } else if is_in_word(first) {
            rest.find(|c| !is_in_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let text = &rest[..len];
        if skipped == 0 && !first.is_whitespace() {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = &rest[len..];
    }
    tokens
}

/// The length of the comment, string or character that `rest` begins with, or else 0.
fn skipped_len(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return comment.find("*/").map_or(rest.len(), |end| end + 4);
    }
    if let Some(raw) = ["r", "br"].iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inside) = raw[hashes..].strip_prefix('"') {
            let close = format!("\"{}", &raw[..hashes]);
            let end = inside.find(&close).expect("a raw string ends");
            return rest.len() - inside.len() + end + close.len();
        }
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + quoted_len(inside, '"');
    }
    // 'a' and '\n' are characters; 'a without a closing quote is a lifetime.
    match rest.strip_prefix('\'') {
        Some(inside) if inside.starts_with('\\') => 1 + quoted_len(inside, '\''),
        Some(inside) => match inside.char_indices().nth(1) {
            Some((len, '\'')) => 1 + len + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// The length up to and including the next `quote` that is not escaped.
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

/// The tokens outside of items that are compiled for tests only.
pub(crate) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        let attribute = attribute_len(rest);
        let words = || rest[..attribute].iter().map(|token| token.text);
        let is_test = words().nth(2) == Some("cfg") && words().any(|word| word == "test");
        if is_test && !words().any(|word| word == "not") {
            rest = &rest[attribute + item_len(&rest[attribute..])..];
        } else {
            kept.push(*first);
            rest = &rest[1..];
        }
    }
    kept
}

/// The length of the attribute that `tokens` begin with, or else 0.
fn attribute_len(tokens: &[Token<'_>]) -> usize {
    let begins =
        |at: usize, text| tokens.get(at).is_some_and(|token: &Token<'_>| token.text == text);
    if begins(0, "#") && begins(1, "[") { 1 + group_len(&tokens[1..]) } else { 0 }
}

/// The length of the item, field or arm that `tokens` begin with, with the attributes before it.
fn item_len(tokens: &[Token<'_>]) -> usize {
    let attribute = attribute_len(tokens);
    if attribute > 0 {
        return attribute + item_len(&tokens[attribute..]);
    }
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" | "," => return at + 1,
            "}" => return at,
            "{" => {
                let end = at + group_len(&tokens[at..]);
                // That of `use a::{b, c};`.
                let semicolon = tokens.get(end).is_some_and(|token| token.text == ";");
                return end + usize::from(semicolon);
            }
            "(" | "[" => at += group_len(&tokens[at..]),
            "<" => at += generics_len(&tokens[at..]),
            _ => at += 1,
        }
    }
    at
}

/// The length of the group whose opening bracket `tokens` begin with.
pub(crate) fn group_len(tokens: &[Token<'_>]) -> usize {
    bracketed_len(tokens, &["(", "[", "{"], &[")", "]", "}"])
}

fn generics_len(tokens: &[Token<'_>]) -> usize {
    bracketed_len(tokens, &["<"], &[">"])
}

fn bracketed_len(tokens: &[Token<'_>], open: &[&str], close: &[&str]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        depth += usize::from(open.contains(&token.text));
        if close.contains(&token.text) {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::{tokens, without_tests};

    fn words(source: &str) -> Vec<&str> {
        without_tests(&tokens(source)).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_quotes_hold_no_tokens() {
        let source = "a /* b\n */ // c\n\"d \\\" e\" r#\"f \" g\"# br\"h\" 'i' '\\'' 'j k";
        assert_eq!(words(source), ["a", "'", "j", "k"]);
        let lines: Vec<_> = tokens(source).iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 3, 3]);
    }

    #[test]
    fn what_is_for_tests_only_is_left_out() {
        for test in
            ["mod tests;", "#[x] mod t { fn f() {} }", "use a::{b, c};", "fn f<A, B>(a: A) {}"]
        {
            assert_eq!(words(&format!("a #[cfg(test)] {test} b")), ["a", "b"], "{test}");
        }
        assert_eq!(words("{ #[cfg(test)] a: B<C, D>, #[cfg(test)] e: F }"), ["{", "}"]);
        assert_eq!(words("#[cfg(any(test, feature = \"x\"))] mod a; b"), ["b"]);
        assert_eq!(words("#[cfg(not(test))] a").len(), 11);
    }
}
