//! The Rust sources of the workspace, and the tokens of one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proc_macro2::{Span, TokenStream, TokenTree};

/// The root of the workspace.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Sources, by path from the root of a tree.
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

/// A token: a word, `::`, or any other single character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether this is a name, a keyword or a number.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c == '_' || c.is_alphanumeric())
    }
}

/// The tokens of a source, without comments, strings and character literals.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    flatten(source, source.parse().expect("a Rust source"), &mut tokens);
    tokens
}

fn flatten<'a>(source: &'a str, stream: TokenStream, tokens: &mut Vec<Token<'a>>) {
    let token = |span: Span| Token { text: &source[span.byte_range()], line: span.start().line };
    let mut trees = stream.into_iter();
    while let Some(tree) = trees.next() {
        match token(tree.span()) {
            // A documentation comment, which the parser turns into an attribute.
            Token { text, .. } if text.starts_with("//") || text.starts_with("/*") => {}
            Token { text: ":", line }
                if source[tree.span().byte_range().end..].starts_with(':') =>
            {
                trees.next();
                tokens.push(Token { text: "::", line });
            }
            whole => match tree {
                TokenTree::Group(group) => {
                    tokens.push(token(group.span_open()));
                    flatten(source, group.stream(), tokens);
                    tokens.push(token(group.span_close()));
                }
                TokenTree::Literal(_)
                    if !whole.is_word() || whole.text.ends_with(['"', '#', '\'']) => {}
                _ => tokens.push(whole),
            },
        }
    }
}

/// The tokens outside of items that are compiled only for tests.
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

/// The length of the attribute at the start of `tokens`, or 0.
fn attribute_len(tokens: &[Token<'_>]) -> usize {
    let begins =
        |at: usize, text| tokens.get(at).is_some_and(|token: &Token<'_>| token.text == text);
    if begins(0, "#") && begins(1, "[") { 1 + group_len(&tokens[1..]) } else { 0 }
}

/// The length of the item, field or arm at the start of `tokens`, including its attributes.
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
                // The semicolon of `use a::{b, c};`.
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

/// The length of the group whose opening bracket is the first of `tokens`.
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

#[test]
fn what_is_for_tests_only_is_left_out() {
    let words = |source: &str| {
        let tokens = tokens(source);
        without_tests(&tokens).iter().map(|token| token.text.to_owned()).collect::<Vec<_>>()
    };
    for test in ["mod tests;", "#[x] mod t { fn f() {} }", "use a::{b, c};", "fn f<A, B>(a: A) {}"]
    {
        assert_eq!(words(&format!("a #[cfg(test)] {test} b'\\n' b")), ["a", "b"], "{test}");
    }
    assert_eq!(words("{ #[cfg(test)] a: B<C, D>, #[cfg(test)] e: F }"), ["{", "}"]);
    assert_eq!(words("#[cfg(any(test, feature = \"x\"))] mod a; b"), ["b"]);
    assert_eq!(words("#[cfg(not(test))] a").len(), 11);
}
