//! Titles of the catalogue: what is searched for, and what was found.

use marquee_app::types::{TitleQuery, TitleRow, TitleSort as HouseSort};
use marquee_domain::Money;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::wire::Day;
use crate::wire::words::words;

/// How many titles are given, where it is not said.
const LIMIT: usize = 20;

words! {
    /// By what titles are sorted.
    TitleSort = HouseSort {
        /// Name.
        Name = "name",
        /// Release day.
        Release = "release",
        /// Budget.
        Budget = "budget",
        /// Domestic gross, or the worldwide one where there is none.
        Gross = "gross",
    }
}

/// Which titles are searched for.
///
/// ```
/// use marquee_server::wire::titles::TitleSearch;
/// let search: TitleSearch = serde_json::from_str(r#"{"text": "pirates", "from": 2000}"#)?;
/// assert_eq!(search.read().years, Some((2000, i32::MAX)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({ "text": "pirates", "from": 2000, "sort": "budget", "limit": 5 }))]
pub struct TitleSearch {
    /// A part of the name, in any case and with any punctuation.
    pub text: Option<String>,
    /// The first release year.
    pub from: Option<i32>,
    /// The last release year.
    pub to: Option<i32>,
    /// A genre, in any case.
    pub genre: Option<String>,
    /// By what they are sorted, the newest, dearest or highest first; release where it is not said.
    #[param(inline)]
    pub sort: Option<TitleSort>,
    /// Turn the order round.
    #[serde(default)]
    pub reverse: bool,
    /// The most titles that are given; 20 where it is not said.
    pub limit: Option<usize>,
    /// The `next` of the page before, to go on from there.
    pub cursor: Option<String>,
}

impl TitleSearch {
    /// The search that is meant.
    #[must_use]
    pub fn read(self) -> TitleQuery {
        let some = self.from.is_some() || self.to.is_some();
        let sort = self.sort.unwrap_or(TitleSort::Release);
        TitleQuery {
            text: self.text,
            years: some.then(|| (self.from.unwrap_or(i32::MIN), self.to.unwrap_or(i32::MAX))),
            genre: self.genre,
            sort: sort.into(),
            descending: (sort != TitleSort::Name) != self.reverse,
            limit: self.limit.unwrap_or(LIMIT),
        }
    }
}

/// A title of the catalogue.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "8a3f0c55d1e2b794", "name": "1408", "release_date": "2007-06-22", "genres": ["Horror"],
    "budget_usd": 22.5e6, "domestic_gross_usd": 71_985_628.0, "worldwide_gross_usd": null,
    "source_ids": ["films:1408|2007"]
}))]
pub struct Title {
    /// Its id in the catalogue.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was or is to be released.
    pub release_date: Option<Day>,
    /// Its genres, sorted.
    pub genres: Vec<String>,
    /// What it cost to make, US dollars, nominal.
    pub budget_usd: Option<f64>,
    /// What its whole run took in the United States and Canada, US dollars, nominal.
    pub domestic_gross_usd: Option<f64>,
    /// What its whole run took everywhere, US dollars, nominal.
    pub worldwide_gross_usd: Option<f64>,
    /// The ids that sources give it.
    pub source_ids: Vec<String>,
}

impl From<&TitleRow> for Title {
    fn from(row: &TitleRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            release_date: row.release.map(Day::from),
            genres: row.genres.clone(),
            budget_usd: row.budget.map(Money::major),
            domestic_gross_usd: row.domestic_gross.map(Money::major),
            worldwide_gross_usd: row.worldwide_gross.map(Money::major),
            source_ids: row.source_ids.iter().map(ToString::to_string).collect(),
        }
    }
}
