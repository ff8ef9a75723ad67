//! Suggestions for misspelt words.

/// The longest word that gets a suggestion, in characters.
const LONGEST: usize = 40;

/// Returns the name nearest to `word`, with the value beside it; the first of several. `None` if the nearest needs
/// more than one edit for every three characters. Ignores case, and treats `_` as `-`.
pub(super) fn nearest<T>(
    word: &str,
    names: impl IntoIterator<Item = (&'static str, T)>,
) -> Option<(&'static str, T)> {
    let word = word.trim_start_matches('-').replace('_', "-").to_lowercase();
    let letters: Vec<char> = word.chars().take(LONGEST + 1).collect();
    let most = if (2..=LONGEST).contains(&letters.len()) { letters.len().max(3) / 3 } else { 0 };
    let distances = names.into_iter().map(|name| {
        let distance = distance(&letters, &name.0.chars().collect::<Vec<_>>());
        (distance, name)
    });
    let (_, nearest) = distances.filter(|(n, _)| *n <= most).min_by_key(|(n, _)| *n)?;
    Some(nearest)
}

/// The number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`, editing each
/// letter at most once (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = substituted.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_an_insertion_a_deletion_a_substitution_or_a_swap() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("ca", "ac", 1),
            ("kitten", "sitting", 3),
            ("방문", "방", 1),
        ] {
            let [a, b] = [a, b].map(|word| word.chars().collect::<Vec<_>>());
            assert_eq!((distance(&a, &b), distance(&b, &a)), (edits, edits), "{a:?} {b:?}");
        }
    }
}
