//! Finds tables and fenced blocks in `docs/PROTOCOL.md`.

/// The whole text.
const DOCUMENT: &str = include_str!("../../../../docs/PROTOCOL.md");

/// A line and its number in the document, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: &'static str,
}

/// The lines of every fenced block of this kind.
pub(crate) fn blocks(kind: &str) -> Vec<Vec<Line>> {
    let mut lines = DOCUMENT.lines().zip(1..).map(|(text, number)| Line { number, text });
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(found) = line.text.strip_prefix("```") {
            let block = lines.by_ref().take_while(|line| line.text != "```").collect();
            if found == kind {
                blocks.push(block);
            }
        }
    }
    blocks
}

/// The rows of the only table in the section with this heading, without its head.
pub(crate) fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let heading = format!("\n## {heading}\n");
    let (_, section) = DOCUMENT.split_once(&heading).expect("the document has this section");
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.skip(1).map(|row| row.split(" | ").collect()).collect()
}

/// The text between the first two backticks.
pub(crate) fn quoted(cell: &'static str) -> Option<&'static str> {
    cell.split('`').nth(1)
}
