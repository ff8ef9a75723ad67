//! Text tables that are also valid Markdown.

/// Renders a table with these column titles. The first `left` columns are aligned left, all others right.
pub(crate) fn render<const N: usize>(
    titles: [&str; N],
    rows: &[[String; N]],
    left: usize,
) -> String {
    let titles = titles.map(str::to_owned);
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = std::iter::once(&titles).chain(rows).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            line += &match column {
                _ if column < left => format!("| {cell:<width$} "),
                _ => format!("| {cell:>width$} "),
            };
        }
        line + "|\n"
    };
    let mut text = line(&titles);
    for (column, width) in widths.iter().enumerate() {
        let end = if column < left { "-" } else { ":" };
        text += &format!("|{}{end}", "-".repeat(width + 1));
    }
    text += "|\n";
    text.extend(rows.iter().map(line));
    text
}

/// Formats a value with about three significant digits.
pub(crate) fn significant(value: f64) -> String {
    match value {
        _ if value >= 1_000.0 => thousands(value),
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Formats a whole number with thousands separators.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.1834, 4.639, 75.25, 561.2, 9_281.5, 4_812_334.0].map(significant);
        assert_eq!(shown, ["0.183", "4.64", "75.2", "561", "9,282", "4,812,334"]);
    }
}
