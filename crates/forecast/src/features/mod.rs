//! Features: what a model sees of a subject, by name and by driver group.
//!
//! Numbers come from [`NUMERIC`], a registry in which each has its group, unit and rule for missing values; categories
//! are one-hot over a [`Vocabulary`] learned from the training subjects alone. All money is in natural-log dollars of
//! 1982–84 at the price level known on the as-of day; a record that nobody has yet is missing (NaN), a *mean residual* is
//! shrunk to 0. Kinds of few words (genre, basis, style, age rating) are one-hot and have no track record beside it:
//! with both, forecasts from the bundled table were worse on validation years, and others no better.
//!
//! Absence is no feature: side tables feed none (see [`crate::Scope`]), a kind that many training subjects leave blank is
//! not seen at all, and the blanks of the others are filled before a model is fitted. A subject's own blank then means
//! "not known", and counts as what is usual for its budget.

mod numbers;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use marquee_domain::{FactKind, Horizon};
use serde::{Deserialize, Serialize};

use crate::history::{History, Subject};
use numbers::View;
pub use numbers::{NUMERIC, Numeric, PEOPLE, numbers};

/// Categories that are one-hot, with the driver group of each.
const CATEGORIES: [(FactKind, &str, RangeInclusive<Horizon>); 7] = [
    (FactKind::Genre, "genre", Horizon::Greenlight..=Horizon::Weekend3),
    (FactKind::Language, "language", Horizon::Greenlight..=Horizon::Weekend3),
    (FactKind::Country, "language", Horizon::Greenlight..=Horizon::PreRelease),
    (FactKind::Basis, "source", Horizon::Greenlight..=Horizon::PreRelease),
    (FactKind::CreativeType, "source", Horizon::Greenlight..=Horizon::PreRelease),
    (FactKind::AgeRating, "certificate", Horizon::Announced..=Horizon::Weekend3),
    (FactKind::Distributor, "distributor", Horizon::Announced..=Horizon::PreRelease),
];

/// A category is a column of its own where at least this many training subjects have it.
const COMMON: usize = 30;

/// The least share of training subjects that must state a kind of trait before a model sees it. Below that the blanks of
/// a table that was filled in with hindsight tell who did well: the bundled table's running times, stated for 38%, lift
/// R² of log domestic gross from .61 to .75 on 2000–2005 and were filled in for other films afterwards.
pub(crate) const STATED: f64 = 2.0 / 3.0;

/// The kinds of trait, beside those of [`CATEGORIES`], that numbers are made of and that everybody's title has: its
/// blank is a gap in what was told. No franchise, on the other hand, is an answer.
const TOLD: [FactKind; 5] =
    [FactKind::Company, FactKind::Director, FactKind::Cast, FactKind::Runtime, FactKind::OpeningTheatres];

/// What a subject looks like before a vocabulary is fitted: its numbers and the names of its categories.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    numbers: Vec<f64>,
    categories: Vec<(FactKind, Arc<str>)>,
    /// The kinds that are left blank at its horizon.
    blank: Vec<FactKind>,
    /// Whether it is a title of the catalogue, and not a project of which its makers tell what they like.
    catalogued: bool,
}

impl Raw {
    /// Looks at a subject through the history as of its day.
    #[must_use]
    pub fn of(history: &History, subject: &Subject) -> Self {
        let view = View::new(history, subject);
        let numbers = numbers().map(|n| n.of(&view));
        let known = |kind: FactKind| {
            CATEGORIES.iter().any(|(k, _, seen)| *k == kind && seen.contains(&subject.horizon))
        };
        let categories =
            subject.profile.traits().filter(|(k, _)| known(*k)).map(|(k, n)| (k, n.clone())).collect();
        let states = |kind: FactKind| match kind {
            FactKind::Runtime => subject.profile.runtime.is_some(),
            FactKind::OpeningTheatres => subject.profile.theatres.is_some(),
            _ => subject.profile.traits().any(|(k, _)| k == kind),
        };
        let blank = told_kinds().filter(|kind| !states(*kind)).collect();
        Self { numbers: numbers.collect(), categories, blank, catalogued: subject.title.is_some() }
    }

    /// What it states of a kind whose words are categories.
    pub(crate) fn words(&self, kind: FactKind) -> impl Iterator<Item = &str> {
        self.categories.iter().filter(move |(own, _)| *own == kind).map(|(_, word)| &**word)
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.numbers.get(position(name)?).copied()
    }

    /// Whether anything of this kind is known.
    fn states(&self, kind: FactKind) -> bool {
        !self.blank.contains(&kind)
    }

    /// Whether this kind is left untold. Two blanks of the catalogue are answers: no age rating is *not rated*, and no
    /// company is none with a record, as a newcomer is. A project's makers who name none have not said.
    fn lacks(&self, kind: FactKind) -> bool {
        let answer = self.catalogued && matches!(kind, FactKind::AgeRating | FactKind::Company);
        !self.states(kind) && !answer
    }

    fn log_budget(&self) -> f64 {
        self.number(BUDGET).unwrap_or(f64::NAN)
    }

    /// Takes everything of a kind from another subject.
    fn take(&mut self, kind: FactKind, other: &Self) {
        for (i, _) in numbers().enumerate().filter(|(_, n)| n.reads(kind)) {
            self.numbers[i] = other.numbers[i];
        }
        self.categories.extend(other.categories.iter().filter(|(k, _)| *k == kind).cloned());
        self.blank.retain(|k| *k != kind);
    }
}

/// Which columns a model sees: the numbers of its horizon, and the categories common among its training subjects.
///
/// A column that never varied in training is left out: it can say nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vocabulary {
    columns: Vec<Column>,
    /// What is usual, by budget: ascending, at least one.
    usual: Vec<Band>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Column {
    Number(String),
    Category(FactKind, String),
}

/// A tenth of the training subjects, by budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Band {
    /// The largest log budget in it, dollars of 1982–84.
    to: f64,
    /// The mean of each column over those who have a value, one number a column.
    means: Vec<f64>,
}

/// The number that blanks are filled by.
const BUDGET: &str = "log_budget";
/// How many bands of budget what is usual is told by.
const BANDS: usize = 10;

/// A column's name, driver group and monotone constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The name: a number's own, or `kind=word` for a category.
    pub name: String,
    /// The driver group.
    pub group: &'static str,
    /// As [`Numeric::monotone`].
    pub monotone: i8,
}

impl Vocabulary {
    /// Learns the columns from training subjects; `people` says whether [`PEOPLE`] are among them.
    #[must_use]
    pub fn learn(training: &[Raw], horizon: Horizon, people: bool) -> Self {
        let sparse = sparse_kinds(training);
        let costs = training.iter().filter(|raw| !raw.log_budget().is_nan()).count() as f64;
        let seen = |(i, n): &(usize, &Numeric)| {
            let told = n.name != BUDGET || costs >= STATED * training.len() as f64;
            told && n.horizons.contains(&horizon) && (people || *i < NUMERIC.len()) && varies(training, *i)
        };
        let numbers = numbers()
            .enumerate()
            .filter(seen)
            .filter(|(_, n)| !sparse.iter().any(|kind| n.reads(*kind)))
            .map(|(_, n)| Column::Number(n.name.to_owned()));
        let mut counts: BTreeMap<(FactKind, &str), usize> = BTreeMap::new();
        let stated =
            training.iter().flat_map(|raw| &raw.categories).filter(|(kind, _)| !sparse.contains(kind));
        for (kind, name) in stated {
            *counts.entry((*kind, name)).or_default() += 1;
        }
        let common = counts.into_iter().filter(|(_, n)| *n >= COMMON && *n < training.len());
        let categories = common.map(|((kind, name), _)| Column::Category(kind, name.to_owned()));
        let columns: Vec<Column> = numbers.chain(categories).collect();
        Self { usual: bands(&columns, training), columns }
    }

    /// The same with only the columns that `keep` accepts.
    #[must_use]
    pub fn only(self, keep: impl Fn(&ColumnInfo) -> bool) -> Self {
        let kept: Vec<bool> = self.columns.iter().map(|c| keep(&c.info())).collect();
        fn those<T>(all: Vec<T>, kept: &[bool]) -> Vec<T> {
            all.into_iter().zip(kept).filter_map(|(x, keep)| keep.then_some(x)).collect()
        }
        let usual = self.usual.into_iter().map(|b| Band { to: b.to, means: those(b.means, &kept) });
        Self { usual: usual.collect(), columns: those(self.columns, &kept) }
    }

    /// A number that this version of Marquee does not know, where there is one.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.columns.iter().find_map(|column| match column {
            Column::Number(name) if position(name).is_none() => Some(name.as_str()),
            _ => None,
        })
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<ColumnInfo> {
        self.columns.iter().map(Column::info).collect()
    }

    /// The words of a kind that have a column of their own.
    pub(crate) fn words(&self, kind: FactKind) -> impl Iterator<Item = &str> {
        self.columns.iter().filter_map(move |column| match column {
            Column::Category(own, word) if *own == kind => Some(word.as_str()),
            _ => None,
        })
    }

    /// A subject's row, one number a column; NaN is missing. What the subject does not tell is as usual for its budget.
    #[must_use]
    pub fn encode(&self, raw: &Raw) -> Vec<f64> {
        let lacking: Vec<FactKind> = told_kinds().filter(|kind| raw.lacks(*kind)).collect();
        let budget = raw.log_budget();
        let band = match budget.is_nan() {
            true => self.usual.get(self.usual.len() / 2),
            false => self.usual.iter().find(|band| budget <= band.to).or(self.usual.last()),
        };
        let untold = |column: &Column| column.reads(&lacking) || budget.is_nan() && column.is_budget();
        let cell = |(j, column): (usize, &Column)| match untold(column) {
            true => band.and_then(|band| band.means.get(j)).copied().unwrap_or(f64::NAN),
            false => column.of(raw),
        };
        self.columns.iter().enumerate().map(cell).collect()
    }
}

/// What is usual among the training subjects, their blanks filled, by budget.
fn bands(columns: &[Column], training: &[Raw]) -> Vec<Band> {
    let mut filled = training.to_vec();
    fill_blanks(&mut filled);
    filled.sort_by(|a, b| a.log_budget().total_cmp(&b.log_budget()));
    let mean = |column: &Column, of: &[Raw]| {
        let values = of.iter().map(|raw| column.of(raw)).filter(|v| !v.is_nan());
        let (n, sum) = values.fold((0, 0.0), |(n, sum), v| (n + 1, sum + v));
        if n == 0 { f64::NAN } else { sum / f64::from(n) }
    };
    let size = filled.len().div_ceil(BANDS).max(1);
    let band = |of: &[Raw]| Band {
        to: of.last().map_or(f64::NAN, Raw::log_budget),
        means: columns.iter().map(|column| mean(column, of)).collect(),
    };
    filled.chunks(size).map(band).collect()
}

impl Column {
    /// The value of a subject, its blanks as they are.
    fn of(&self, raw: &Raw) -> f64 {
        match self {
            Self::Number(name) => raw.number(name).unwrap_or(f64::NAN),
            Self::Category(kind, name) => {
                f64::from(u8::from(raw.categories.iter().any(|(k, n)| k == kind && **n == **name)))
            }
        }
    }

    /// Whether it is made of what subjects state of one of these kinds.
    fn reads(&self, kinds: &[FactKind]) -> bool {
        match self {
            Self::Number(name) => {
                let number = numbers().find(|n| n.name == name);
                number.is_some_and(|number| kinds.iter().any(|kind| number.reads(*kind)))
            }
            Self::Category(own, _) => kinds.contains(own),
        }
    }

    fn is_budget(&self) -> bool {
        matches!(self, Self::Number(name) if name == BUDGET)
    }

    fn info(&self) -> ColumnInfo {
        match self {
            Self::Number(name) => {
                let number = numbers().find(|n| n.name == name);
                let (group, monotone) = number.map_or(("other", 0), |n| (n.group, n.monotone));
                ColumnInfo { name: name.clone(), group, monotone }
            }
            Self::Category(kind, name) => {
                let group =
                    CATEGORIES.iter().find(|(k, ..)| k == kind).map_or("other", |(_, group, _)| group);
                ColumnInfo { name: format!("{kind}={name}"), group, monotone: 0 }
            }
        }
    }
}

/// The names of all numbers: what a stored model was made of, for telling models of different versions apart.
#[must_use]
pub fn registry() -> String {
    numbers().map(|n| n.name).collect::<Vec<_>>().join(",")
}

/// The kinds of trait that a table states or leaves blank.
fn told_kinds() -> impl Iterator<Item = FactKind> {
    CATEGORIES.iter().map(|(kind, ..)| *kind).chain(TOLD)
}

/// The kinds of trait that fewer than [`STATED`] of the training subjects state.
fn sparse_kinds(training: &[Raw]) -> Vec<FactKind> {
    let least = STATED * training.len() as f64;
    let stated = |kind: &FactKind| training.iter().filter(|raw| raw.states(*kind)).count() as f64;
    told_kinds().filter(|kind| stated(kind) < least).collect()
}

/// Fills what training subjects leave blank with what the one of the nearest budget states, kind by kind (hot deck;
/// Little & Rubin, *Statistical Analysis with Missing Data*), so that no model learns what a blank foretells: tables are
/// filled in with hindsight, and a film about which nothing was entered did badly.
pub(crate) fn fill_blanks(training: &mut [Raw]) {
    fill_budgets(training);
    for kind in told_kinds() {
        let mut donors: Vec<usize> = (0..training.len()).filter(|i| training[*i].states(kind)).collect();
        donors.sort_by(|a, b| training[*a].log_budget().total_cmp(&training[*b].log_budget()));
        if donors.is_empty() {
            continue;
        }
        let blank: Vec<usize> = (0..training.len()).filter(|i| training[*i].lacks(kind)).collect();
        for i in blank {
            let wanted = training[i].log_budget();
            let above = donors.partition_point(|d| training[*d].log_budget() < wanted);
            let distance = |d: &&usize| (training[**d].log_budget() - wanted).abs();
            let near = donors[above.saturating_sub(1)..donors.len().min(above + 1)].iter();
            if let Some(donor) = near.min_by(|a, b| distance(a).total_cmp(&distance(b))).copied() {
                let lent = training[donor].clone();
                training[i].take(kind, &lent);
            }
        }
    }
}

/// Lends a budget to those who tell none, from the next wider opening: only charted titles are learned from without one.
fn fill_budgets(training: &mut [Raw]) {
    let Some(place) = position(BUDGET) else { return };
    let theatres = |raw: &Raw| raw.number("opening_theatres").unwrap_or(f64::NAN);
    let told = training.iter().filter(|raw| !raw.log_budget().is_nan());
    let mut donors: Vec<(f64, f64)> = told.map(|raw| (theatres(raw), raw.log_budget())).collect();
    donors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some(last) = donors.len().checked_sub(1) else { return };
    for raw in training.iter_mut().filter(|raw| raw.log_budget().is_nan()) {
        let wanted = theatres(raw);
        let wider = donors.partition_point(|(t, _)| t.total_cmp(&wanted).is_lt()).min(last);
        raw.numbers[place] = donors[if wanted.is_nan() { last / 2 } else { wider }].1;
    }
}

fn position(name: &str) -> Option<usize> {
    numbers().position(|n| n.name == name)
}

fn varies(rows: &[Raw], column: usize) -> bool {
    let mut values = rows.iter().filter_map(|r| r.numbers.get(column)).filter(|v| !v.is_nan());
    let first = values.next();
    first.is_some_and(|f| values.any(|v| v != f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use marquee_domain::{AsOf, Day, Target, TitleId};
    use std::collections::BTreeSet;

    fn subject(release: Day, horizon: Horizon) -> Subject {
        let profile = Profile { budget: Some(2e7), runtime: Some(99.0), ..Profile::default() };
        let as_of = AsOf(Day::new(2009, 6, 1).expect("a day"));
        Subject { profile, release, horizon, as_of, title: Some(TitleId(1)) }
    }

    #[test]
    fn greenlight_sees_no_more_than_the_quarter() {
        let history = History::new(Target::Worldwide, None);
        let on = |month, day| {
            Raw::of(&history, &subject(Day::new(2011, month, day).expect("a day"), Horizon::Greenlight))
        };
        let (april, june) = (on(4, 1), on(6, 30));
        assert_eq!(format!("{april:?}"), format!("{june:?}"));
        let announced =
            |m, d| Raw::of(&history, &subject(Day::new(2011, m, d).expect("a day"), Horizon::Announced));
        assert_ne!(format!("{:?}", announced(4, 1)), format!("{:?}", announced(6, 30)));
    }

    /// The failure that was found: running times that were filled in for films that did well.
    #[test]
    fn what_few_subjects_state_is_no_column() {
        let history = History::new(Target::Worldwide, None);
        let columns = |stated: usize| {
            let rows: Vec<Raw> = (0..99)
                .map(|i| {
                    let mut s = subject(Day::new(2011, 4, 1).expect("a day"), Horizon::Announced);
                    s.profile.runtime = (i < stated).then_some(80.0 + i as f64);
                    s.profile.age_rating = (i < stated).then(|| if i % 2 == 0 { "R" } else { "PG" }.into());
                    Raw::of(&history, &s)
                })
                .collect();
            let columns = Vocabulary::learn(&rows, Horizon::Announced, false).columns();
            columns.into_iter().map(|c| c.name).filter(|n| n.contains("r")).collect::<Vec<_>>()
        };
        assert_eq!(columns(66), ["runtime", "age_rating=PG", "age_rating=R"]);
        assert_eq!(columns(65), Vec::<String>::new());
    }

    /// Two of four state a genre and an age rating. Each blank genre is lent by the nearest budget; a film without an age
    /// rating is not rated, and stays so.
    #[test]
    fn a_blank_takes_what_the_nearest_budget_states() {
        let history = History::new(Target::Worldwide, None);
        let raw = |budget: f64, genre: Option<&str>| {
            let mut s = subject(Day::new(2011, 4, 1).expect("a day"), Horizon::Announced);
            s.profile.budget = Some(budget);
            s.profile.genres = genre.into_iter().map(Arc::from).collect();
            s.profile.age_rating = genre.map(|_| "R".into());
            s.profile.runtime = genre.map(|_| budget / 1e6);
            Raw::of(&history, &s)
        };
        let mut rows = [raw(1e6, Some("Drama")), raw(2e6, None), raw(40e6, None), raw(50e6, Some("Action"))];
        fill_blanks(&mut rows);
        let genre =
            |r: &Raw| r.categories.iter().find(|(k, _)| *k == FactKind::Genre).map(|(_, n)| n.to_string());
        let genres: Vec<String> = rows.iter().filter_map(genre).collect();
        assert_eq!(genres, ["Drama", "Drama", "Action", "Action"]);
        assert_eq!(rows.each_ref().map(|r| r.number("runtime")), [1.0, 1.0, 50.0, 50.0].map(Some));
        assert_eq!(rows.each_ref().map(|r| r.states(FactKind::AgeRating)), [true, false, false, true]);
    }

    /// The failure that was found: a project that told no language or company was judged as a foreign newcomer's.
    #[test]
    fn what_a_project_does_not_tell_is_as_usual_for_its_budget() {
        let history = History::new(Target::Worldwide, None);
        let release = Day::new(2011, 4, 1).expect("a day");
        let raw = |budget: u32, language: Option<&str>, title: Option<TitleId>| {
            let mut s = subject(release, Horizon::Greenlight);
            s.profile.budget = Some(f64::from(budget));
            s.profile.language = language.map(Arc::from);
            Raw::of(&history, &Subject { title, ..s })
        };
        // Every second film of the cheaper half is French, none of the dearer half.
        let words = |i: u32| if i < 100 && i.is_multiple_of(2) { "fr" } else { "en" };
        let rows: Vec<Raw> = (0..200).map(|i| raw(1_000 + i, Some(words(i)), Some(TitleId(1)))).collect();
        let vocabulary =
            Vocabulary::learn(&rows, Horizon::Greenlight, false).only(|column| column.name.contains('='));
        let encode = |budget, language| vocabulary.encode(&raw(budget, language, None));
        assert_eq!(encode(1_010, None), [0.5, 0.5]);
        assert_eq!(encode(1_150, None), [1.0, 0.0]);
        assert_eq!(encode(9_999, None), [1.0, 0.0]);
        assert_eq!(encode(1_010, Some("en")), [1.0, 0.0]);
    }

    /// The failure that was found: a missing budget was an answer, and all without one were lent by the cheapest.
    #[test]
    fn a_budget_that_nobody_told_is_lent_by_an_opening_of_the_same_size() {
        let history = History::new(Target::Opening, None);
        let raw = |budget: Option<f64>, theatres: f64| {
            let mut s = subject(Day::new(2011, 4, 1).expect("a day"), Horizon::PreRelease);
            s.profile.budget = budget;
            s.profile.theatres = Some(theatres);
            Raw::of(&history, &s)
        };
        let rows: Vec<Raw> = (1..=40).map(|i| raw(Some(1e6 * f64::from(i)), 100.0 * f64::from(i))).collect();
        let mut filled = [&rows[..], &[raw(None, 1_000.0)]].concat();
        fill_blanks(&mut filled);
        assert_eq!(filled[40].log_budget(), rows[9].log_budget());
        let vocabulary =
            Vocabulary::learn(&rows, Horizon::PreRelease, false).only(|column| column.name == BUDGET);
        let asked = vocabulary.encode(&raw(None, 1_000.0))[0];
        assert!(asked > rows[15].log_budget() && asked < rows[25].log_budget(), "{asked}");
        let few = [&rows[..], &vec![raw(None, 1_000.0); 30]].concat();
        let columns = Vocabulary::learn(&few, Horizon::PreRelease, false).columns();
        assert!(columns.iter().all(|column| column.name != BUDGET));
    }

    #[test]
    fn two_blanks_of_the_catalogue_are_answers() {
        let history = History::new(Target::Worldwide, None);
        let of = |title| {
            let s = subject(Day::new(2011, 4, 1).expect("a day"), Horizon::Announced);
            let raw = Raw::of(&history, &Subject { title, ..s });
            told_kinds().filter(|kind| !raw.lacks(*kind)).collect::<Vec<_>>()
        };
        assert_eq!(of(Some(TitleId(1))), [FactKind::AgeRating, FactKind::Company, FactKind::Runtime]);
        assert_eq!(of(None), [FactKind::Runtime]);
    }

    #[test]
    fn names_are_unique_and_grouped() {
        let all: Vec<&Numeric> = numbers().collect();
        assert_eq!(all.iter().map(|n| n.name).collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|n| !n.group.is_empty() && !n.describe.is_empty()));
    }

    #[test]
    fn rare_categories_and_constant_numbers_are_no_columns() {
        let history = History::new(Target::Worldwide, None);
        let rows: Vec<Raw> = (0..40)
            .map(|i| {
                let mut s = subject(Day::new(2011, 4, 1).expect("a day"), Horizon::Greenlight);
                s.profile.budget = Some(1e6 * f64::from(i + 1));
                let genre = if i < 31 { "Drama" } else { "Opera" };
                s.profile.genres = BTreeSet::from([genre.into()]);
                Raw::of(&history, &s)
            })
            .collect();
        let vocabulary = Vocabulary::learn(&rows, Horizon::Greenlight, false);
        let names: Vec<String> = vocabulary.columns().into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["log_budget", "genre=Drama"]);
        assert_eq!(vocabulary.encode(&rows[0])[1], 1.0);
    }
}
