//! A mapping laid over a file's columns: names resolved to places, rules numbered, side tables read.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Schema;
use marquee_domain::{Action, Day, FactKind, ValueType};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{CatalogueError, Result};
use crate::ingest::missing::Missing;
use crate::ingest::side;
use crate::known::Known;
use crate::layout::Layout;
use crate::manifest::RuleTotal;
use crate::mapping::{ColumnMap, IdMap, Lookup, Mapping, Rule, Split, TITLE_YEAR, TitleYear, Where};
use crate::read::{Head, hex};

/// How the rows of one file become facts.
pub(crate) struct Plan {
    pub head: Head,
    pub title_prefix: Vec<u8>,
    pub main: Main,
    /// Places of ids that are stated as facts.
    pub ids: Vec<Vec<usize>>,
    /// Where the name and year stand that are stated as an id.
    pub name_year: Option<NameYear>,
    pub release: Option<ReleasePlan>,
    pub only: Option<Condition>,
    pub unique: Vec<usize>,
    pub required: Required,
    pub references: References,
    pub columns: Vec<ColumnPlan>,
    pub at_least: Vec<AtLeast>,
    /// To how many cells short rows are filled up.
    pub least_cells: usize,
    pub missing: Missing,
    pub rules: Vec<RuleTotal>,
    pub layout: Layout,
    pub schema: Arc<Schema>,
    pub map_sha256: String,
}

/// Numbers of the rules that need no map.
pub(crate) mod rule {
    pub(crate) const WIDTH: usize = 0;
    pub(crate) const SIZE: usize = 1;
    pub(crate) const QUOTE: usize = 2;
    pub(crate) const SHAPE: usize = 3;
    pub(crate) const ENCODING: usize = 4;
    pub(crate) const ID: usize = 5;
    pub(crate) const UNIQUE: usize = 6;
}

/// What a title's main id is made of.
pub(crate) enum Main {
    /// One column, or several whose values are joined.
    Columns(Vec<usize>),
    NameYear(NameYear),
}

/// Where a title's name and year stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameYear {
    pub name: usize,
    /// The name where that is empty.
    pub otherwise: Option<usize>,
    pub year: Option<usize>,
}

/// What a cell must hold for its row to count.
pub(crate) struct Condition {
    pub at: usize,
    pub texts: Vec<String>,
}

impl Condition {
    /// Whether a row's cell of the column holds what it must.
    pub(crate) fn holds(&self, cell: &str) -> bool {
        self.texts.iter().any(|text| text == cell)
    }
}

/// Which day dates a fact.
pub(crate) enum Dated {
    /// So many days after the one in this column.
    Day(usize, DayPlan, i32),
    /// A day of the year so many years after the one in this column: column, years, month, day.
    Year(usize, i32, u32, u32),
}

/// Where the release day comes from.
pub(crate) enum ReleasePlan {
    Column { at: usize, year: Option<usize>, days: DayPlan },
    Side { key: usize, days: HashMap<u64, i32> },
}

/// How a day is read and judged.
pub(crate) struct DayPlan {
    pub formats: Vec<String>,
    pub unreadable: usize,
    pub bounds: Option<Bounds>,
}

pub(crate) struct Bounds {
    pub from: Option<Day>,
    pub to: Option<Day>,
    pub refused: usize,
    pub century: Option<usize>,
}

/// How a column is read and judged.
pub(crate) struct ColumnPlan {
    pub at: usize,
    /// Further columns that a text is made of.
    pub and: Vec<usize>,
    /// Which rows state it.
    pub only: Option<Condition>,
    pub kind: FactKind,
    /// Stored units in one unit of the source.
    pub per_unit: f64,
    /// Stored bounds of a number.
    pub min: f64,
    pub max: f64,
    pub unreadable: usize,
    pub range: usize,
    pub days: Option<DayPlan>,
    pub split: Split,
    pub first: usize,
    pub zero_is_unknown: bool,
    /// What cells are called, by their hash.
    names: HashMap<u64, Box<str>>,
    /// The column that dates this fact.
    pub known: Option<Dated>,
}

impl ColumnPlan {
    /// What a cell is called, where it has a name of its own.
    pub(crate) fn name(&self, cell: &str) -> Option<&str> {
        if self.names.is_empty() { None } else { self.names.get(&key_hash(cell)).map(AsRef::as_ref) }
    }
}

/// Column plans that are compared.
pub(crate) struct AtLeast {
    pub column: usize,
    pub other: usize,
    pub rule: usize,
}

/// The hash by which ids and keys are compared.
pub(crate) fn key_hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// Columns that must not be empty, each with its rule.
type Required = Vec<(usize, usize)>;
/// Columns whose values must be in a side table, each with the hashes of those and its rule.
type References = Vec<(usize, HashSet<u64>, usize)>;

impl Plan {
    /// Lays a map over a head. `folder` holds the side tables; `today` dates what has no better day.
    pub(crate) fn new(map: &Mapping, head: Head, folder: &Path, today: Day) -> Result<Self> {
        let mut build = Build { map, head: &head, folder, rules: Vec::new(), inputs: Sha256::new() };
        build.inputs.update(map.text.as_bytes());
        build.fixed_rules();
        build.require_columns()?;
        let release = build.release()?;
        let (main, space) = build.main()?;
        let columns = map.column.iter().map(|c| build.column(c)).collect::<Result<Vec<_>>>()?;
        let (required, references) = build.row_rules()?;
        let at_least = build.at_least()?;
        let only = build.condition(map.only.as_ref())?;
        let name_year = map.title_year.as_ref().map(|by| build.name_year(by)).transpose()?;
        let unique = map.unique.iter().map(|c| build.at(c)).collect::<Result<Vec<_>>>()?;
        let stated = map.id.len() > 1
            || (map.title_year.is_some() && !map.id.is_empty())
            || map.column.iter().any(|c| c.kind == FactKind::Name);
        let ids = if stated {
            map.id.iter().map(|id| build.all(id)).collect::<Result<Vec<_>>>()?
        } else {
            Vec::new()
        };
        let layout = Layout::of(
            map,
            stated,
            release.is_some(),
            matches!(release, Some(ReleasePlan::Column { .. })),
            today,
        );
        let (rules, map_sha256) = (build.rules, hex(&build.inputs.finalize()));
        let missing = Missing::new(&map.missing);
        let least_cells = if map.short_rows { head.columns.len() } else { 0 };
        let title_prefix = format!("{}\u{1f}{space}\u{1f}", map.vertical).into_bytes();
        let schema = layout.schema();
        Ok(Self {
            head,
            title_prefix,
            main,
            ids,
            name_year,
            release,
            only,
            unique,
            required,
            references,
            columns,
            at_least,
            least_cells,
            missing,
            rules,
            layout,
            schema,
            map_sha256,
        })
    }
}

struct Build<'a> {
    map: &'a Mapping,
    head: &'a Head,
    folder: &'a Path,
    rules: Vec<RuleTotal>,
    inputs: Sha256,
}

impl Build<'_> {
    /// Refuses a map that names a column which the file has not.
    fn require_columns(&self) -> Result<()> {
        let there = &self.head.columns;
        let columns = self.map.columns();
        let missing: Vec<&str> = columns.into_iter().filter(|c| !there.iter().any(|h| h == c)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let (missing, there) = (missing.join("`, `"), there.join(", "));
        Err(self.fail(format!("the file has no column `{missing}`; its columns are: {there}")))
    }

    /// The rules that refuse a whole row.
    fn row_rules(&mut self) -> Result<(Required, References)> {
        let (mut required, mut references) = (Required::new(), References::new());
        let map = self.map;
        for rule in &map.rule {
            match rule {
                Rule::Required { column } => {
                    let message = "is empty, and must not be";
                    let number = self.rule(column, "required", message, Action::RowRefused);
                    required.push((self.at(column)?, number));
                }
                Rule::References { column, file, key } => {
                    let lookup = Lookup { file: file.clone(), key: key.clone(), value: key.clone() };
                    let known = self.side(&lookup)?.into_keys().collect();
                    let message = format!("is not in `{key}` of {file}");
                    let number = self.rule(column, "references", &message, Action::RowRefused);
                    references.push((self.at(column)?, known, number));
                }
                _ => {}
            }
        }
        Ok((required, references))
    }

    fn fail(&self, what: String) -> CatalogueError {
        CatalogueError::Mapping { origin: self.map.name.clone(), what }
    }

    fn at(&self, column: &str) -> Result<usize> {
        let place = self.head.columns.iter().position(|c| c == column);
        place.ok_or_else(|| self.fail(format!("the file has no column `{column}`")))
    }

    fn rule(&mut self, column: &str, check: &str, message: &str, action: Action) -> usize {
        let rule = if column.is_empty() { check.to_owned() } else { format!("{column}.{check}") };
        if let Some(known) = self.rules.iter().position(|r| r.rule == rule) {
            return known;
        }
        let (column, message) = (column.to_owned(), message.to_owned());
        self.rules.push(RuleTotal { rule, column, message, action, count: 0, example: None });
        self.rules.len() - 1
    }

    /// In the order of [`rule`]'s numbers.
    fn fixed_rules(&mut self) {
        let width = self.head.columns.len();
        let refuse = Action::RowRefused;
        self.rule("", "row.width", &format!("does not have the header's {width} cells"), refuse);
        self.rule("", "row.size", "is longer than 8 MB", refuse);
        self.rule("", "row.quote", "opens a quote that is never closed", refuse);
        self.rule("", "row.shape", "is not a JSON object", refuse);
        self.rule("", "row.encoding", "is not UTF-8; it was read as Windows-1252", Action::Repaired);
        let name = self.map.title_year.iter().map(|t| t.name.as_str());
        let by: Vec<&str> = self.map.id.iter().map(|i| i.column.as_str()).chain(name).take(1).collect();
        self.rule(
            "",
            "row.id",
            &format!("does not say which title it is about (by {})", by.join(", ")),
            refuse,
        );
        let unique = format!("has the same {} as an earlier row", self.map.unique.join(" and "));
        self.rule("", "row.unique", &unique, refuse);
    }

    /// The places of an id's columns.
    fn all(&self, id: &IdMap) -> Result<Vec<usize>> {
        id.columns().map(|column| self.at(column)).collect()
    }

    fn main(&mut self) -> Result<(Main, String)> {
        match (self.map.id.first(), &self.map.title_year) {
            (Some(id), _) => Ok((Main::Columns(self.all(id)?), id.space.clone())),
            (None, Some(by)) => Ok((Main::NameYear(self.name_year(by)?), TITLE_YEAR.to_owned())),
            (None, None) => Err(self.fail("say what identifies a title".to_owned())),
        }
    }

    fn name_year(&self, by: &TitleYear) -> Result<NameYear> {
        let place = |column: &Option<String>| column.as_ref().map(|c| self.at(c)).transpose();
        Ok(NameYear { name: self.at(&by.name)?, otherwise: place(&by.otherwise)?, year: place(&by.year)? })
    }

    fn condition(&self, only: Option<&Where>) -> Result<Option<Condition>> {
        let condition = |only: &Where| Ok(Condition { at: self.at(&only.column)?, texts: only.texts() });
        only.map(condition).transpose()
    }

    fn release(&mut self) -> Result<Option<ReleasePlan>> {
        let Some(release) = &self.map.release else { return Ok(None) };
        if let Some(column) = &release.column {
            let year = release.year_column.as_ref().map(|c| self.at(c)).transpose()?;
            let days = self.days(column, &release.date);
            return Ok(Some(ReleasePlan::Column { at: self.at(column)?, year, days }));
        }
        let (Some(lookup), Some(id)) = (&release.from, self.map.id.first()) else {
            return Err(self.fail("release from another table needs a main `id`".to_owned()));
        };
        let texts = self.side(lookup)?;
        let read = |text: &str| crate::values::day(text, &release.date).ok().map(Day::epoch_days);
        let days = texts.into_iter().filter_map(|(k, text)| read(&text).map(|d| (k, d))).collect();
        Ok(Some(ReleasePlan::Side { key: self.at(&id.column)?, days }))
    }

    fn days(&mut self, column: &str, formats: &[String]) -> DayPlan {
        let unreadable =
            self.rule(column, "date", crate::values::Unreadable::Day.message(), Action::ValueRefused);
        let mut bounds = None;
        for rule in &self.map.rule {
            if let Rule::Days { column: of, from, to, century } = rule
                && of == column
            {
                let show = |d: &Option<Day>| d.map_or("any day".to_owned(), |d| d.to_string());
                let message = format!("is not between {} and {}", show(from), show(to));
                let refused = self.rule(column, "days", &message, Action::ValueRefused);
                let century = century.then(|| {
                    let message =
                        format!("is after {}: its year had two digits; set back by 100 years", show(to));
                    self.rule(column, "century", &message, Action::Repaired)
                });
                bounds = Some(Bounds { from: *from, to: *to, refused, century });
            }
        }
        DayPlan { formats: formats.to_vec(), unreadable, bounds }
    }

    fn column(&mut self, column: &ColumnMap) -> Result<ColumnPlan> {
        let kind = column.kind;
        let stored = match kind.value_type() {
            ValueType::Money => column.currency.minor_per_major() as f64,
            _ => 1.0,
        };
        let (mut min, mut max) = usual_range(kind);
        for rule in &self.map.rule {
            if let Rule::Range { column: of, min: low, max: high } = rule
                && *of == column.from
            {
                (min, max) = (low.unwrap_or(min), high.unwrap_or(max));
            }
        }
        let unreadable = crate::values::Unreadable::Number.message();
        let days = (kind.value_type() == ValueType::Day).then(|| self.days(&column.from, &column.date));
        let unreadable = self.rule(&column.from, "number", unreadable, Action::ValueRefused);
        let message = format!("is not between {min} and {max}");
        let range = self.rule(&column.from, "range", &message, Action::ValueRefused);
        let known = match &column.known {
            Some(Known::Column(name, later)) => {
                Some(Dated::Day(self.at(name)?, self.days(name, &column.date), *later))
            }
            Some(Known::Year(name, years, month, day)) => {
                Some(Dated::Year(self.at(name)?, *years, *month, *day))
            }
            _ => None,
        };
        Ok(ColumnPlan {
            at: self.at(&column.from)?,
            and: column.and.iter().map(|c| self.at(c)).collect::<Result<_>>()?,
            only: self.condition(column.only.as_ref())?,
            kind,
            per_unit: column.scale * stored,
            min: min * stored,
            max: max * stored,
            unreadable,
            range,
            days,
            split: column.split.clone(),
            first: column.first.unwrap_or(usize::MAX),
            zero_is_unknown: column.zero_is_unknown,
            names: self.names(column)?,
            known,
        })
    }

    fn at_least(&mut self) -> Result<Vec<AtLeast>> {
        let mut all = Vec::new();
        for rule in &self.map.rule {
            let Rule::AtLeast { column, other } = rule else { continue };
            let place = |name: &str| {
                let found = self.map.column.iter().position(|c| c.from == name && is_number(c.kind));
                found.ok_or_else(|| {
                    self.fail(format!("rule at_least: `{name}` is not a mapped column of numbers"))
                })
            };
            let (of, than) = (place(column)?, place(other)?);
            let rule = self.rule(
                column,
                "at_least",
                &format!("is less than `{other}` of its row"),
                Action::ValueRefused,
            );
            all.push(AtLeast { column: of, other: than, rule });
        }
        Ok(all)
    }

    /// What a column's cells are called: by the map itself and, where it says nothing, by a side table.
    fn names(&mut self, column: &ColumnMap) -> Result<HashMap<u64, Box<str>>> {
        let mut names = column.lookup.as_ref().map(|l| self.side(l)).transpose()?.unwrap_or_default();
        names.extend(column.words.iter().map(|(id, name)| (key_hash(id), name.as_str().into())));
        Ok(names)
    }

    /// Reads a side table, whose bytes are among what the plan was made of.
    fn side(&mut self, lookup: &Lookup) -> Result<HashMap<u64, Box<str>>> {
        let fail = |what| self.fail(what);
        let (sha256, found) = side::read(self.folder, lookup, &fail)?;
        self.inputs.update(sha256.as_bytes());
        Ok(found)
    }
}

fn is_number(kind: FactKind) -> bool {
    !matches!(kind.value_type(), ValueType::Text | ValueType::Day)
}

/// Bounds that hold for a kind whatever a map says less of: in major units.
fn usual_range(kind: FactKind) -> (f64, f64) {
    match kind {
        FactKind::Runtime => (1.0, 1_000.0),
        FactKind::CriticScore => (0.0, 100.0),
        FactKind::ViewerScore => (0.0, 10.0),
        FactKind::WeeklyRank => (1.0, 1_000.0),
        FactKind::ReleaseYear => (1870.0, 2199.0),
        FactKind::OpeningTheatres | FactKind::WidestTheatres | FactKind::DailyTheatres => (0.0, 100_000.0),
        _ => (0.0, 1e13),
    }
}
