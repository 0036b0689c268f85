//! Titles, the ids that sources give them, and where and how they are released.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::{Day, DomainError};

/// What a title is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vertical {
    /// A film.
    Film,
    /// A series.
    Series,
    /// A game.
    Game,
    /// An album.
    Album,
}

impl Vertical {
    /// All verticals.
    pub const ALL: [Self; 4] = [Self::Film, Self::Series, Self::Game, Self::Album];

    /// The word used in files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Film => "film",
            Self::Series => "series",
            Self::Game => "game",
            Self::Album => "album",
        }
    }
}

impl FromStr for Vertical {
    type Err = DomainError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|v| v.as_str() == word).ok_or_else(|| DomainError::Word {
            what: "vertical",
            word: word.to_owned(),
            known: known(),
        })
    }
}

impl fmt::Display for Vertical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The id that a source gives to a title: a name space and an id within it, written `tmdb:603`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId {
    /// Who gives the id: `tmdb`, `imdb`, `mojo_release`, or `title_year` where a source has none.
    pub space: String,
    /// The id, as the source writes it.
    pub id: String,
}

impl SourceId {
    /// An id in a name space.
    #[must_use]
    pub fn new(space: impl Into<String>, id: impl Into<String>) -> Self {
        Self { space: space.into(), id: id.into() }
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.space, self.id)
    }
}

/// A title's id inside Marquee: the 64-bit hash (XXH3) of its vertical and its source's id, so that it depends on
/// nothing else that was ingested, and neither order nor company can move it.
///
/// ```
/// use marquee_domain::{TitleId, Vertical};
/// let id = TitleId::of(Vertical::Film, "tmdb", "603");
/// assert_eq!(id.to_string().parse::<TitleId>(), Ok(id));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TitleId(pub u64);

impl TitleId {
    /// The id of the title that `space` calls `id`.
    #[must_use]
    pub fn of(vertical: Vertical, space: &str, id: &str) -> Self {
        Self(xxh3_64(format!("{vertical}\u{1f}{space}\u{1f}{id}").as_bytes()))
    }
}

impl fmt::Display for TitleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for TitleId {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
        parsed.map(Self).ok_or_else(|| DomainError::Word {
            what: "title id",
            word: text.to_owned(),
            known: "16 hexadecimal digits, as `titles` prints them".to_owned(),
        })
    }
}

impl TryFrom<String> for TitleId {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TitleId> for String {
    fn from(id: TitleId) -> Self {
        id.to_string()
    }
}

/// One film, series, game or album, as it is named and identified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// The id inside Marquee.
    pub id: TitleId,
    /// What it is.
    pub vertical: Vertical,
    /// The name, as the first source writes it.
    pub name: String,
    /// Ids that sources give it, in order.
    pub source_ids: Vec<SourceId>,
    /// Its first release that is known of.
    pub release: Option<Release>,
}

/// A title in a territory and a window, on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The first day.
    pub day: Day,
    /// Where.
    pub territory: Territory,
    /// How.
    pub window: Window,
}

/// Where a release happens or a gross is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Territory {
    /// The United States and Canada.
    Domestic,
    /// Everywhere else.
    International,
    /// Domestic and international together.
    Worldwide,
}

/// How a title reaches its audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Cinemas.
    Theatrical,
    /// Discs and downloads to keep or rent.
    HomeVideo,
    /// Subscription services.
    Streaming,
}

/// A name as titles are matched by it: lower case, no accents' marks kept apart, no punctuation, no leading article,
/// no year in brackets behind it, single spaces. `"The Land Girls"` and `"land girls, the"` agree.
///
/// ```
/// assert_eq!(marquee_domain::normalise_title("The Land Girls!"), "land girls");
/// assert_eq!(marquee_domain::normalise_title("Land Girls, The"), "land girls");
/// assert_eq!(marquee_domain::normalise_title("10,000 B.C."), "10000 bc");
/// assert_eq!(marquee_domain::normalise_title("Hamlet (1948)"), "hamlet");
/// ```
#[must_use]
pub fn normalise_title(name: &str) -> String {
    let lowered = without_year(name.trim()).to_lowercase();
    let article_first = match lowered.rsplit_once(", ") {
        Some((rest, article @ ("the" | "a" | "an"))) => format!("{article} {rest}"),
        _ => lowered,
    };
    let mut words = String::with_capacity(article_first.len());
    for c in article_first.chars() {
        if c.is_alphanumeric() {
            words.push(c);
        } else if c.is_whitespace() || matches!(c, '-' | '/' | ':' | '_' | '–' | '—' | '&') {
            words.push(' ');
        }
    }
    let mut parts = words.split_whitespace().peekable();
    let first = parts.next_if(|w| matches!(*w, "the" | "a" | "an"));
    let rest: Vec<&str> = parts.collect();
    if rest.is_empty() { first.unwrap_or_default().to_owned() } else { rest.join(" ") }
}

/// A name without the year in brackets that some tables write behind it.
fn without_year(name: &str) -> &str {
    let year = |(_, rest): &(&str, &str)| {
        rest.strip_suffix(')').is_some_and(|y| y.len() == 4 && y.bytes().all(|b| b.is_ascii_digit()))
    };
    match name.rsplit_once('(').filter(year) {
        Some((before, _)) if !before.trim().is_empty() => before.trim_end(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing_more(name in "[a-zA-Z0-9 ,:&'-]{0,30}") {
            let once = normalise_title(&name);
            let stripped = ["the ", "a ", "an "].iter().any(|a| once.starts_with(a));
            prop_assert!(stripped || normalise_title(&once) == once);
        }

        #[test]
        fn ids_differ_by_space_and_id(a in "[a-z]{1,8}", b in "[a-z]{1,8}") {
            let by = |space: &str, id: &str| TitleId::of(Vertical::Film, space, id);
            prop_assert_eq!(by(&a, &b) == by(&b, &a), a == b);
        }
    }

    #[test]
    fn an_article_alone_is_a_name() {
        assert_eq!(normalise_title("The"), "the");
        assert_eq!(normalise_title(""), "");
    }
}
