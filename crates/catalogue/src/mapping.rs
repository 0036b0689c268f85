//! What the columns of a table mean: a mapping file, as data.
//!
//! A map says what identifies a title, when it was released, which column states which kind of fact, in which unit, and
//! from when the world could know it. It also holds the table's validation rules. Everything is TOML and closed: an
//! unknown key is an error, not a silence. The built-in maps under `maps/` are the examples to copy from.

use std::collections::BTreeMap;

use marquee_domain::{Currency, Day, FactKind, ValueType, Vertical};
use serde::Deserialize;

use crate::error::{CatalogueError, Result};
use crate::known::Known;

/// What the columns of one table mean.
///
/// ```
/// let map = marquee_catalogue::Mapping::parse(r#"
///     name = "my_films"
///     id = [{ space = "house", column = "code" }]
///     release = { column = "opens" }
///     column = [{ from = "cost", kind = "budget", scale = 1e6 }]
/// "#, "my_films.toml")?;
/// assert_eq!(map.name, "my_films");
/// # Ok::<(), marquee_catalogue::CatalogueError>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The source's name: the `source` of every fact that it states. Letters, digits, `_`, `.` and `-`.
    pub name: String,
    /// What its titles are.
    #[serde(default = "film")]
    pub vertical: Vertical,
    /// File names by which the table is recognised, without `.gz`.
    #[serde(default)]
    pub files: Vec<String>,
    /// The day on which the table was put together: what has no better date is known from then. Where it is not said,
    /// the day of ingest.
    pub compiled_on: Option<Day>,
    /// The ids that the table gives, the main one first.
    #[serde(default)]
    pub id: Vec<IdMap>,
    /// Names and years as ids: the main id of a table that has no other, and one more of a table that has.
    pub title_year: Option<TitleYear>,
    /// Where the release day stands.
    pub release: Option<ReleaseMap>,
    /// Which rows count; the others are skipped and counted, not refused.
    #[serde(rename = "where")]
    pub only: Option<Where>,
    /// The columns that together may occur only once.
    #[serde(default)]
    pub unique: Vec<String>,
    /// Whether rows may end early: the cells that they lack are unknown. Elsewhere such rows are refused.
    #[serde(default)]
    pub short_rows: bool,
    /// Cells that mean "unknown", besides the empty one.
    #[serde(default = "usual_missing")]
    pub missing: Vec<String>,
    /// The columns that state facts.
    #[serde(default)]
    pub column: Vec<ColumnMap>,
    /// The table's validation rules.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// The text that this map was read from; its hash is part of an ingest's fingerprint.
    #[serde(skip)]
    pub(crate) text: String,
}

/// A column that holds an id of the title.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdMap {
    /// Who gives the id.
    pub space: String,
    /// The column.
    pub column: String,
    /// Further columns that the id is made of, where one alone does not tell titles apart: joined by `|`, without those that
    /// are unknown.
    #[serde(default)]
    pub and: Vec<String>,
}

/// Identity by name and year.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TitleYear {
    /// The column with the name.
    pub name: String,
    /// The column with the name where that one is empty.
    pub otherwise: Option<String>,
    /// The column with the year, of a season like `1932/33` the latter; the release day's year where it is not said.
    pub year: Option<String>,
}

/// Where the release day stands: in a column, or in another table that shares the main id.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseMap {
    /// The column.
    pub column: Option<String>,
    /// Its formats (chrono's `%` codes); common ones are tried where none is said.
    #[serde(default)]
    pub date: Vec<String>,
    /// A column whose year is right where this one has two digits.
    pub year_column: Option<String>,
    /// Another table of the same folder that holds it.
    pub from: Option<Lookup>,
}

/// A table that translates an id into something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The file, beside the one that is read; `.gz` may follow.
    pub file: String,
    /// Its column with the id.
    pub key: String,
    /// Its column with what is wanted.
    pub value: String,
}

/// Which rows count: those whose column holds one text, or one of several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// The column.
    pub column: String,
    /// What it must hold.
    pub equals: Option<String>,
    /// One of what it must hold, in place of `equals`.
    #[serde(default)]
    pub any_of: Vec<String>,
}

/// A column and the kind of fact that it states.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMap {
    /// The column in the source.
    pub from: String,
    /// Further columns that a text is made of: joined by `|`, without those that are unknown.
    #[serde(default)]
    pub and: Vec<String>,
    /// Which rows state it, where not all do.
    #[serde(rename = "where")]
    pub only: Option<Where>,
    /// What it states.
    pub kind: FactKind,
    /// From when the world could know it; [`Known::usual`] for the kind where it is not said.
    pub known: Option<Known>,
    /// What one unit in the column is in major units (dollars, minutes): `1e6` for millions.
    #[serde(default = "one")]
    pub scale: f64,
    /// The currency of an amount.
    #[serde(default = "usd")]
    pub currency: Currency,
    /// The year whose prices an amount is in; nominal where it is not said.
    pub price_year: Option<i32>,
    /// The formats of a day; common ones where none is said.
    #[serde(default)]
    pub date: Vec<String>,
    /// How several values share a cell.
    #[serde(default)]
    pub split: Split,
    /// Keep no more than this many of them, the first.
    pub first: Option<usize>,
    /// Zero means that nobody knows. Such cells are counted, not reported one by one.
    #[serde(default)]
    pub zero_is_unknown: bool,
    /// A table that gives the cell's id a name.
    pub lookup: Option<Lookup>,
    /// Names for ids that no table gives one: `{ 28 = "Action" }`. What is not named here stays as it is, and
    /// what is called nothing (`""`) is unknown.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

/// How several values share a cell.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Split {
    /// They do not.
    #[default]
    None,
    /// Between them stands a separator.
    By(String),
    /// A JSON array of objects, the value under this key; or of texts where the key is empty.
    Json(String),
    /// A list as Python prints it: `['a', "b's"]`.
    PythonList,
}

impl TryFrom<String> for Split {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Ok(match word.as_str() {
            "" | "none" => Self::None,
            "python-list" => Self::PythonList,
            _ => match word.strip_prefix("json:") {
                Some(key) => Self::Json(key.to_owned()),
                None if word.chars().count() <= 3 => Self::By(word),
                None => {
                    return Err(format!("split `{word}`: use none, python-list, json:KEY or a separator"));
                }
            },
        })
    }
}

/// A validation rule. A value that breaks it is refused; the rest of its row is kept unless the rule says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A number (or amount, in major units) inside bounds.
    Range {
        /// The column.
        column: String,
        /// The least.
        min: Option<f64>,
        /// The most.
        max: Option<f64>,
    },
    /// Never empty; a row without it is refused.
    Required {
        /// The column.
        column: String,
    },
    /// Known to another table of the same folder; a row that is not is refused.
    References {
        /// The column.
        column: String,
        /// The file, beside the one that is read.
        file: String,
        /// Its column with the ids.
        key: String,
    },
    /// A day inside bounds. With `century`, a later one lost its century (a two-digit year) and is set back by 100 years,
    /// as a repair.
    Days {
        /// The column.
        column: String,
        /// The first day.
        from: Option<Day>,
        /// The last day.
        to: Option<Day>,
        /// Whether later days are repaired.
        #[serde(default)]
        century: bool,
    },
    /// At least as much as another column of the row; otherwise this value (not the other) is refused.
    AtLeast {
        /// The column.
        column: String,
        /// The other column.
        other: String,
    },
}

/// A key of a title's main id that is not a column of the source.
pub(crate) const TITLE_YEAR: &str = "title_year";

impl Mapping {
    /// Reads a mapping file's text; `origin` names it in messages.
    ///
    /// # Errors
    /// [`CatalogueError::Mapping`] with the line, the key and what would be right.
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let fail = |what: String| CatalogueError::Mapping { origin: origin.to_owned(), what };
        let mut map: Self = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        map.text = text.to_owned();
        map.check().map_err(fail)?;
        Ok(map)
    }

    /// Every column that the map names, each once, in order.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.id.iter().flat_map(IdMap::columns).collect();
        all.extend(self.title_year.iter().flat_map(TitleYear::columns));
        if let Some(release) = &self.release {
            all.extend([release.column.as_deref(), release.year_column.as_deref()].into_iter().flatten());
        }
        all.extend(self.only.iter().map(|w| w.column.as_str()));
        all.extend(self.unique.iter().map(String::as_str));
        for column in &self.column {
            all.push(&column.from);
            all.extend(column.and.iter().map(String::as_str));
            all.extend(column.only.iter().map(|w| w.column.as_str()));
            if let Some(Known::Column(name, _) | Known::Year(name, ..)) = &column.known {
                all.push(name);
            }
        }
        for rule in &self.rule {
            match rule {
                Rule::AtLeast { column, other } => all.extend([column.as_str(), other]),
                Rule::Range { column, .. }
                | Rule::Required { column }
                | Rule::References { column, .. }
                | Rule::Days { column, .. } => all.push(column),
            }
        }
        let mut seen = std::collections::HashSet::new();
        all.retain(|c| seen.insert(*c));
        all
    }

    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if self.name.is_empty() || !self.name.chars().all(plain) || self.name.starts_with('.') {
            return Err(format!("name `{}`: use letters, digits, `_`, `-` and `.`", self.name));
        }
        if self.id.is_empty() && self.title_year.is_none() {
            return Err("say what identifies a title: `id` or `title_year`".to_owned());
        }
        self.only.iter().try_for_each(Where::check)?;
        if self.release.as_ref().is_some_and(|r| r.column.is_some() == r.from.is_some()) {
            return Err("release: give either `column` or `from`".to_owned());
        }
        if self.title_year.as_ref().is_some_and(|t| t.year.is_none())
            && self.release.as_ref().is_none_or(|r| r.column.is_none())
        {
            return Err("title_year: give `year`, or `release` with a column".to_owned());
        }
        self.column.iter().try_for_each(ColumnMap::check)
    }
}

impl TitleYear {
    fn columns(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.otherwise.as_deref()).chain(self.year.as_deref())
    }
}

impl Where {
    fn check(&self) -> Result<(), String> {
        match self.equals.is_some() != self.any_of.is_empty() {
            true => Err(format!("where `{}`: give either `equals` or `any_of`", self.column)),
            false => Ok(()),
        }
    }

    /// What the column may hold.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.equals.iter().chain(&self.any_of).cloned().collect()
    }
}

impl IdMap {
    /// The columns that it is made of.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.column).chain(&self.and).map(String::as_str)
    }
}

impl ColumnMap {
    fn check(&self) -> Result<(), String> {
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(format!("column `{}`: scale must be above zero, not {}", self.from, self.scale));
        }
        if matches!(self.kind, FactKind::SourceId) {
            return Err(format!("column `{}`: ids are given under `id`, not as a column", self.from));
        }
        if matches!(self.kind, FactKind::AwardNomination | FactKind::AwardWin) && self.known.is_none() {
            let said = "say from when it is known, as `year:YEAR+1 03-15`: seasons are told apart by that";
            return Err(format!("column `{}`: {said}", self.from));
        }
        let plain_text = self.kind.value_type() == ValueType::Text && self.split == Split::None;
        if (self.only.is_some() || !self.and.is_empty()) && !plain_text {
            return Err(format!(
                "column `{}`: `and` and `where` are for texts that are not split",
                self.from
            ));
        }
        self.only.iter().try_for_each(Where::check)?;
        if self.split != Split::None && (self.kind.value_type() != ValueType::Text || !self.kind.is_many()) {
            return Err(format!("column `{}`: `{}` has one value and cannot be split", self.from, self.kind));
        }
        Ok(())
    }
}

fn film() -> Vertical {
    Vertical::Film
}

fn one() -> f64 {
    1.0
}

fn usd() -> Currency {
    Currency::USD
}

fn usual_missing() -> Vec<String> {
    ["null", "NULL", "\\N", "N/A", "NA", "None"].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expect: &str| {
            let said = Mapping::parse(text, "m.toml").expect_err("refused").to_string();
            assert!(said.contains(expect), "{said}");
        };
        check("name = 'x'\nnmae = 'y'", "nmae");
        check("name = 'a/b'\nid = [{space='s', column='c'}]", "a/b");
        check("name = 'x'", "identifies");
        check("name = 'x'\nid = [{space='s', column='c'}]\ncolumn = [{from='b', kind='budgit'}]", "budgit");
        check(
            "name = 'x'\nid = [{space='s', column='c'}]\ncolumn = [{from='b', kind='budget', known='soon'}]",
            "soon",
        );
        check(
            "name = 'x'\nid = [{space='s', column='c'}]\ncolumn = [{from='b', kind='award_win'}]",
            "from when it is known",
        );
        check(
            "name = 'x'\nid = [{space='s', column='c'}]\ncolumn = [{from='b', kind='budget', and=['c']}]",
            "`and`",
        );
        check(
            "name = 'x'\nid = [{space='s', column='c'}]\nwhere = {column='c'}",
            "either `equals` or `any_of`",
        );
        check(
            "name = 'x'\nid = [{space='s', column='c'}]\ncolumn = [{from='b', kind='budget', split='|'}]",
            "split",
        );
    }
}
