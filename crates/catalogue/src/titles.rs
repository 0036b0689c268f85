//! Finding titles: by words of their name, by year, by genre; sorted, and no more than asked for.

use std::collections::HashMap;

use marquee_domain::{Day, FactKind, FactValue, Money, SourceId, TitleId, normalise_title};
use serde::Serialize;

use crate::facts::StatedFact;
use crate::identity::{Entry, Identity};
use crate::manifest::Manifest;

/// Which titles are wanted, and in which order.
#[derive(Debug, Clone)]
pub struct TitleQuery {
    /// Words that the name contains, in any case and with any punctuation.
    pub text: Option<String>,
    /// First and last release year.
    pub years: Option<(i32, i32)>,
    /// A genre, in any case.
    pub genre: Option<String>,
    /// By what they are sorted.
    pub sort: TitleSort,
    /// Largest or latest first.
    pub descending: bool,
    /// No more than this many.
    pub limit: usize,
}

impl Default for TitleQuery {
    fn default() -> Self {
        Self { text: None, years: None, genre: None, sort: TitleSort::Release, descending: true, limit: 50 }
    }
}

/// By what titles are sorted. Titles that lack it come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TitleSort {
    /// Name.
    Name,
    /// Release day.
    Release,
    /// Budget.
    Budget,
    /// Domestic gross, or the worldwide one where there is none.
    Gross,
}

/// A title, with what its first source says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TitleRow {
    /// The canonical id.
    pub id: TitleId,
    /// The name.
    pub name: String,
    /// The release day.
    pub release: Option<Day>,
    /// Genres, sorted.
    pub genres: Vec<String>,
    /// What it cost to make.
    pub budget: Option<Money>,
    /// Domestic gross, whole run.
    pub domestic_gross: Option<Money>,
    /// Worldwide gross, whole run.
    pub worldwide_gross: Option<Money>,
    /// The ids that sources give it.
    pub source_ids: Vec<SourceId>,
}

/// A title with the words that it is searched by.
#[derive(Debug)]
pub(crate) struct Searchable {
    row: TitleRow,
    normalised: String,
}

/// All titles, with what their first sources say of them.
pub(crate) fn rows(identity: &Identity, facts: &[StatedFact], manifest: &Manifest) -> Vec<Searchable> {
    let mut of_title: HashMap<TitleId, Vec<&StatedFact>> = HashMap::new();
    for fact in facts {
        of_title.entry(fact.fact.title).or_default().push(fact);
    }
    let rank: HashMap<&str, usize> =
        manifest.entries.iter().enumerate().map(|(i, e)| (e.source.as_str(), i)).collect();
    let one = |entry: &Entry| {
        let title = &entry.title;
        let stated = of_title.get(&title.id).map_or(&[][..], Vec::as_slice);
        let money = |kind| {
            let first = stated
                .iter()
                .filter(|f| f.fact.kind == kind)
                .min_by_key(|f| (rank.get(&*f.fact.source), f.row));
            first.and_then(|f| if let FactValue::Money(money) = &f.fact.value { Some(*money) } else { None })
        };
        let row = TitleRow {
            id: title.id,
            name: title.name.clone(),
            release: title.release.as_ref().map(|r| r.day),
            genres: genres(stated),
            budget: money(FactKind::Budget),
            domestic_gross: money(FactKind::DomesticGross),
            worldwide_gross: money(FactKind::WorldwideGross),
            source_ids: title.source_ids.clone(),
        };
        Searchable { normalised: normalise_title(&row.name), row }
    };
    identity.titles().iter().map(one).collect()
}

fn genres(stated: &[&StatedFact]) -> Vec<String> {
    let genre = |f: &&StatedFact| match &f.fact.value {
        FactValue::Text(genre) if f.fact.kind == FactKind::Genre => Some(genre.to_string()),
        _ => None,
    };
    let mut genres: Vec<String> = stated.iter().filter_map(genre).collect();
    genres.sort();
    genres.dedup();
    genres
}

/// Those that fit a query, in its order.
pub(crate) fn search(all: &[Searchable], query: &TitleQuery) -> Vec<TitleRow> {
    let wanted = query.text.as_deref().map(normalise_title);
    let fits = |title: &&Searchable| {
        let row = &title.row;
        let named = wanted.as_ref().is_none_or(|words| title.normalised.contains(words.as_str()));
        let dated = query.years.is_none_or(|(a, b)| row.release.is_some_and(|d| (a..=b).contains(&d.year())));
        let of_genre =
            query.genre.as_ref().is_none_or(|g| row.genres.iter().any(|own| own.eq_ignore_ascii_case(g)));
        named && dated && of_genre
    };
    let mut rows: Vec<TitleRow> = all.iter().filter(fits).map(|title| title.row.clone()).collect();
    sort(&mut rows, query);
    rows.truncate(query.limit);
    rows
}

/// The row of one title.
pub(crate) fn row(all: &[Searchable], id: TitleId) -> Option<TitleRow> {
    all.iter().find(|title| title.row.id == id).map(|title| title.row.clone())
}

fn sort(rows: &mut [TitleRow], query: &TitleQuery) {
    let number = |row: &TitleRow| match query.sort {
        TitleSort::Release => row.release.map(|d| i64::from(d.epoch_days())),
        TitleSort::Budget => row.budget.map(Money::minor),
        TitleSort::Gross => row.domestic_gross.or(row.worldwide_gross).map(Money::minor),
        TitleSort::Name => Some(0),
    };
    rows.sort_by(|a, b| {
        let (x, y) = (number(a), number(b));
        let lacking = x.is_none().cmp(&y.is_none());
        let by_name = a.name.to_lowercase().cmp(&b.name.to_lowercase());
        let value = if query.sort == TitleSort::Name { by_name } else { x.cmp(&y) };
        lacking
            .then(if query.descending { value.reverse() } else { value })
            .then(by_name)
            .then(a.id.cmp(&b.id))
    });
}
