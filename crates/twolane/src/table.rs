//! Text tables.

use twolane_report::printable;

const GAP: &str = "  ";

/// Each column is as wide as its widest cell; the last one is not padded.
pub(crate) fn draw(heading: &[&str], rows: &[impl AsRef<[String]>]) -> String {
    let printable_row = |row: &[String]| row.iter().map(|cell| printable(cell)).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| printable_row(row.as_ref())).collect();
    let chars = |cell: &str| cell.chars().count();
    let mut widths: Vec<usize> = heading.iter().map(|cell| chars(cell)).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(chars(cell));
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!(" {}", padded.collect::<Vec<_>>().join(GAP)).trim_end().to_owned()
    };
    let body = rows.iter().map(|row| line(&mut row.iter().map(String::as_str)));
    std::iter::once(line(&mut heading.iter().copied())).chain(body).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".into(), "é".into()], ["longer".into(), "x\x1b[2J".into()]];

        assert_eq!(draw(&["one", "two"], &rows), " one     two\n a       é\n longer  x\u{fffd}[2J");
    }
}
