//! Modules import each other in one direction only.
//!
//! Among the children of a module, and between them and the module, imports form no circle. What a child imports from
//! another folder counts as an import of that folder. An item counts where it is defined: a module that only
//! re-exports it imports nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::slice::from_ref;

use super::source::{Sources, Token, group_len, sources, tokens, without_tests};

/// The root file of each crate whose modules are checked.
const CRATES: [&str; 6] = [
    "chat-proto/src/lib.rs",
    "chat-core/src/lib.rs",
    "chat-server/src/lib.rs",
    "chat-server/src/bin/chat-server/main.rs",
    "chat-client/src/main.rs",
    "benches/src/lib.rs",
];

/// A path of names from the root of a crate.
type ModulePath = Vec<String>;

/// One file of a crate.
#[derive(Debug, Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    /// The names defined here.
    items: BTreeSet<String>,
    /// The names that are imported here, and from where.
    imports: BTreeMap<String, ModulePath>,
    /// The modules imported here with `*`.
    globs: Vec<ModulePath>,
    /// The paths referred to in the code here.
    references: BTreeSet<ModulePath>,
}

/// The modules of a crate, without tests.
#[derive(Debug)]
struct Modules(BTreeMap<ModulePath, Module>);

impl Modules {
    fn read(sources: &Sources, root: &str) -> Self {
        let mut modules = Self(BTreeMap::new());
        modules.add(sources, ModulePath::new(), root);
        modules
    }

    fn add(&mut self, sources: &Sources, path: ModulePath, file: &str) {
        let text = sources.get(file).unwrap_or_else(|| panic!("there is no {file}"));
        let module = Reader::read(file, &path, &without_tests(&tokens(text)));
        let is_folder = path.is_empty() || file.ends_with("/mod.rs");
        let directory = if is_folder {
            file.rsplit_once('/').map_or("", |(directory, _)| directory)
        } else {
            file.trim_end_matches(".rs")
        };
        for child in &module.children {
            let files = [format!("{directory}/{child}.rs"), format!("{directory}/{child}/mod.rs")];
            let file = files.iter().find(|file| sources.contains_key(*file));
            let file = file.unwrap_or_else(|| panic!("none of {files:?} is there"));
            self.add(sources, [&path[..], from_ref(child)].concat(), file);
        }
        self.0.insert(path, module);
    }

    /// The module that defines `path`, if it is in this crate.
    fn definition(&self, path: &[String], depth: usize) -> Option<ModulePath> {
        let len = (0..=path.len()).rev().find(|&len| self.0.contains_key(&path[..len]))?;
        let (at, module) = (&path[..len], &self.0[&path[..len]]);
        let Some(name) = path.get(len) else { return Some(at.to_vec()) };
        if depth == 0 || module.items.contains(name) {
            return Some(at.to_vec());
        }
        if let Some(imported) = module.imports.get(name) {
            return self.definition(&[imported, &path[len + 1..]].concat(), depth - 1);
        }
        let has_it = |glob: &&ModulePath| self.0.get(*glob).is_some_and(|m| m.items.contains(name));
        Some(module.globs.iter().find(has_it).cloned().unwrap_or_else(|| at.to_vec()))
    }

    /// One circle for each module that has any, among its children and itself.
    fn circles(&self) -> Vec<String> {
        let mut levels = BTreeMap::<&[String], Graph<'_>>::new();
        for (from, module) in &self.0 {
            for reference in &module.references {
                let Some(to) = self.definition(reference, 8).filter(|to| to != from) else {
                    continue;
                };
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                let ends = (from.get(shared).cloned(), to.get(shared).cloned());
                let files = (&*module.file, &*self.0[&to].file);
                levels.entry(&from[..shared]).or_default().edges.entry(ends).or_insert(files);
            }
        }
        levels.values().filter_map(Graph::circle).collect()
    }
}

/// A child of a module, by name; `None` for the module itself.
type Node = Option<String>;

/// The imports among the children of a module and the module itself.
#[derive(Debug, Default)]
struct Graph<'a> {
    /// For each import, the first pair of files that needs it.
    edges: BTreeMap<(Node, Node), (&'a str, &'a str)>,
}

impl Graph<'_> {
    /// The shortest circle, as the files that form it.
    fn circle(&self) -> Option<String> {
        let circles = self.edges.keys().filter_map(|(from, to)| {
            let mut circle = self.way(to, from)?;
            circle.push(self.edges[&(from.clone(), to.clone())]);
            Some(circle)
        });
        let shortest = circles.min_by_key(Vec::len)?;
        let imports = shortest.iter().map(|(from, to)| format!("{from} imports {to}"));
        Some(imports.collect::<Vec<_>>().join(", "))
    }

    /// The chain of imports from one node to another.
    fn way(&self, from: &Node, to: &Node) -> Option<Vec<(&str, &str)>> {
        let mut ways = VecDeque::from([(from, Vec::new())]);
        let mut seen = BTreeSet::from([from]);
        while let Some((at, way)) = ways.pop_front() {
            if at == to {
                return Some(way);
            }
            for ((_, next), files) in self.edges.iter().filter(|((begin, _), _)| begin == at) {
                if seen.insert(next) {
                    ways.push_back((next, [&way[..], &[*files]].concat()));
                }
            }
        }
        None
    }
}

/// Reads one file.
struct Reader<'a> {
    module: Module,
    /// The path of the current module, and the depths at which inline modules began.
    path: ModulePath,
    inline: Vec<usize>,
    /// Re-exports, which count as references if the code uses them as well.
    exports: Vec<(String, ModulePath)>,
    words: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(file: &str, path: &[String], tokens: &[Token<'a>]) -> Module {
        let module = Module { file: file.to_owned(), ..Module::default() };
        let (path, inline, words) = (path.to_vec(), Vec::new(), BTreeSet::new());
        let mut reader = Self { module, path, inline, exports: Vec::new(), words };
        reader.read_all(tokens);
        let Self { mut module, exports, words, .. } = reader;
        let used = exports.into_iter().filter(|(name, _)| words.contains(&**name));
        module.references.extend(used.map(|(_, path)| path));
        module
    }

    fn read_all(&mut self, tokens: &[Token<'a>]) {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let (mut at, mut depth) = (0, 0);
        while at < tokens.len() {
            let before = at.checked_sub(1).map_or("", text);
            match text(at) {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if self.inline.pop_if(|inline| *inline == depth).is_some() {
                        self.path.pop();
                    }
                }
                "mod" if text(at + 2) == ";" && self.inline.is_empty() => {
                    self.module.children.insert(text(at + 1).to_owned());
                }
                "mod" if text(at + 2) == "{" => {
                    self.path.push(text(at + 1).to_owned());
                    self.inline.push(depth);
                    // Skips both words, so that the bracket comes next.
                    at += 1;
                }
                "use" => {
                    let is_export = before == "pub" || before == ")";
                    let end = tokens[at..].iter().position(|token| token.text == ";");
                    let end = at + end.unwrap_or(tokens.len() - at);
                    self.import(&[], &tokens[at + 1..end], is_export);
                    at = end;
                }
                "struct" | "enum" | "union" | "trait" | "fn" | "type" | "const" | "static" => {
                    self.module.items.insert(text(at + 1).to_owned());
                }
                word if before != "::" && before != "." && tokens[at].is_word() => {
                    self.words.insert(word);
                    let mut path = vec![word];
                    while text(at + 1) == "::" && tokens.get(at + 2).is_some_and(Token::is_word) {
                        path.push(text(at + 2));
                        at += 2;
                    }
                    if path.len() > 1 {
                        self.module.references.extend(self.absolute(&path));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Records one tree of a `use`, below `prefix`.
    fn import(&mut self, prefix: &[&str], tree: &[Token<'a>], is_export: bool) {
        let mut path = prefix.to_vec();
        let mut rest = tree;
        while let [first, more @ ..] = rest {
            match first.text {
                "{" => {
                    let inside = &rest[1..group_len(rest) - 1];
                    for branch in branches(inside) {
                        self.import(&path, branch, is_export);
                    }
                    return;
                }
                "as" => break,
                "::" => {}
                word => path.push(word),
            }
            rest = more;
        }
        if path.len() > 1 && path.last() == Some(&"self") {
            path.pop();
        }
        let name = rest.get(1).map_or(path[path.len() - 1], |renamed| renamed.text);
        let Some(mut from) = self.absolute(&path) else { return };
        if name == "*" {
            from.pop();
            self.module.globs.push(from.clone());
        } else {
            self.module.imports.insert(name.to_owned(), from.clone());
        }
        if is_export {
            self.exports.push((name.to_owned(), from));
        } else {
            self.module.references.insert(from);
        }
    }

    /// Resolves a path to the root of the crate, if it is in this crate.
    fn absolute(&self, path: &[&str]) -> Option<ModulePath> {
        let supers = path.iter().take_while(|name| **name == "super").count();
        let (base, rest) = match path[0] {
            "crate" => (0, &path[1..]),
            "self" => (self.path.len(), &path[1..]),
            "super" => (self.path.len() - supers, &path[supers..]),
            child if self.module.children.contains(child) => (self.path.len(), path),
            _ => return None,
        };
        let rest = rest.iter().map(|name| (*name).to_owned());
        Some(self.path[..base].iter().cloned().chain(rest).collect())
    }
}

/// Splits the inside of a bracket at its commas.
fn branches<'b, 'a>(inside: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let mut depth = 0;
    let is_comma = |token: &Token<'_>| {
        depth += i32::from(token.text == "{") - i32::from(token.text == "}");
        depth == 0 && token.text == ","
    };
    inside.split(is_comma).filter(|branch| !branch.is_empty()).collect()
}

#[test]
fn modules_import_each_other_in_one_direction() {
    let sources = sources("");
    let circles: Vec<_> =
        CRATES.iter().flat_map(|root| Modules::read(&sources, root).circles()).collect();
    assert!(circles.is_empty(), "imports form circles:\n{}", circles.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::{Modules, Sources};

    /// The circles among files, the first of which is the root.
    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Sources =
            files.iter().map(|(file, text)| (format!("s/{file}"), (*text).to_owned())).collect();
        Modules::read(&sources, &format!("s/{}", files[0].0)).circles()
    }

    #[test]
    fn a_circle_of_files_is_found_and_named() {
        let root = ("lib.rs", "mod a; mod b; mod c;");
        let a = ("a.rs", "use crate::{b::{self, B}, x};");
        let b = ("b.rs", "fn f() { super::c::g(); }");
        let c = ("c.rs", "pub(crate) use crate::a::A as X; fn g(x: X) {}");
        let found = circles(&[root, a, b, c]);
        assert_eq!(found.len(), 1, "{found:?}");
        for import in ["s/a.rs imports s/b.rs", "s/b.rs imports s/c.rs", "s/c.rs imports s/a.rs"] {
            assert!(found[0].contains(import), "{found:?}");
        }
        // A re-export alone is not an import, nor is anything that only tests use.
        assert!(circles(&[root, a, b, ("c.rs", "pub(crate) use crate::a::A as X;")]).is_empty());
        let test = ("c.rs", "#[cfg(test)] mod tests { use crate::a::A; }");
        assert!(circles(&[root, a, b, test]).is_empty());
    }

    #[test]
    fn a_circle_of_folders_is_found_where_no_files_form_one() {
        let root = ("main.rs", "mod a; mod b; mod c; use c::C;");
        let folders = [
            root,
            ("a/mod.rs", "mod x; mod y;"),
            ("b/mod.rs", "mod x; mod y;"),
            ("c.rs", "use crate::a::A;"),
            ("a/x.rs", "use crate::b::x::B;"),
            ("a/y.rs", ""),
            ("b/x.rs", ""),
            ("b/y.rs", "use crate::a::y;"),
        ];
        assert_eq!(circles(&folders), ["s/b/y.rs imports s/a/y.rs, s/a/x.rs imports s/b/x.rs"]);
    }

    #[test]
    fn an_item_counts_where_it_is_defined() {
        let root = ("lib.rs", "mod a; mod b; pub use a::*; pub use b::B;");
        let a = "mod x; mod y; pub use self::x::X; pub use y::*;";
        let [x, y] = [("a/x.rs", "use super::Y;"), ("a/y.rs", "struct Y;")];
        let b = ("b.rs", "use crate::a::X; struct B;");
        assert!(circles(&[root, ("a/mod.rs", a), x, y, b]).is_empty());
        // The module and its child need each other.
        let defines = format!("{a} struct A(X);");
        let x = ("a/x.rs", "use super::A;");
        assert_eq!(
            circles(&[root, ("a/mod.rs", &defines), x, y, b]),
            ["s/a/x.rs imports s/a/mod.rs, s/a/mod.rs imports s/a/x.rs"]
        );
    }
}
