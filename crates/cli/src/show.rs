//! Words and tables for people: widths that fit a screen, money that reads, nothing without its range.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, TableComponent, presets};
use marquee_domain::{Currency, Distribution, Money};

/// A table with these headings; columns from the second on are aligned right where `numbers` says so.
pub(crate) fn table(headings: &[&str], numbers: bool) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for part in [TableComponent::HeaderLines, TableComponent::MiddleHeaderIntersections] {
        table.set_style(part, '─');
    }
    table.set_header(headings.to_vec()).set_content_arrangement(ContentArrangement::Dynamic);
    if numbers {
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Keeps a column whole on narrow screens: what is copied from it must not be broken.
pub(crate) fn whole(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// US dollars, short.
pub(crate) fn usd(amount: f64) -> String {
    Money::from_major(amount, Currency::USD).map_or_else(|_| "?".to_owned(), |m| m.to_string())
}

/// The middle and the 10–90% range of a distribution of US dollars.
pub(crate) fn range(distribution: &Distribution) -> String {
    let q = distribution.quantiles();
    format!("{} ({} – {})", usd(q[3]), usd(q[1]), usd(q[5]))
}

/// A share as whole percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// A name cut to `width` characters.
pub(crate) fn short(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_by_characters() {
        assert_eq!(short("Amélie 💐 of Montmartre", 10), "Amélie 💐 …");
        assert_eq!(short("300", 10), "300");
    }
}
