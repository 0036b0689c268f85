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

/// Hides columns, in the order of `spare`, until the table fits the screen; says how many.
pub(crate) fn fit(table: &mut Table, spare: &[usize]) -> String {
    let Some(screen) = table.width() else { return String::new() };
    let mut widths: Vec<usize> =
        table.column_max_content_widths().iter().map(|w| usize::from(*w) + 3).collect();
    let mut hidden = 0;
    for column in spare {
        if widths.iter().sum::<usize>() <= usize::from(screen) {
            break;
        }
        if let (Some(width), Some(column)) = (widths.get_mut(*column), table.column_mut(*column)) {
            *width = 0;
            column.set_constraint(ColumnConstraint::Hidden);
            hidden += 1;
        }
    }
    match hidden {
        0 => String::new(),
        1 => "one more column on a wider screen\n".to_owned(),
        n => format!("{n} more columns on a wider screen\n"),
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
    fn spare_columns_go_until_a_table_fits() {
        let mut narrow = table(&["name", "a figure of some width", "another one"], true);
        narrow.add_row(["film", "1", "2"]).set_width(30);
        assert_eq!(fit(&mut narrow, &[2, 1]), "2 more columns on a wider screen\n");
        assert!(!narrow.to_string().contains("figure") && narrow.to_string().contains("film"));
        let mut wide = table(&["name", "a figure"], true);
        wide.add_row(["film", "1"]).set_width(80);
        assert_eq!(fit(&mut wide, &[1]), "");
    }

    #[test]
    fn long_names_are_cut_by_characters() {
        assert_eq!(short("Amélie 💐 of Montmartre", 10), "Amélie 💐 …");
        assert_eq!(short("300", 10), "300");
    }
}
