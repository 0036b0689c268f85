//! Reception: how critics and viewers will score a film, as of a month before its release.
//!
//! One fold over the facts keeps what earlier films of a director, a performer, a company and a franchise were scored, each
//! against what was usual and against what the film's own facts (genre, cost, length) led one to expect; means are shrunk to
//! zero. What a film looks like on its day is a row of a [`TitleTable`].
//!
//! Two populations, since absence leaks: *credited* films, of which a table of credits names a director, are trained and
//! judged within themselves and people count; *all* films with a score are seen without people. A forecast is of a film that
//! is scored: who is not reviewed is not in the table.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::f64::consts::TAU;
use std::sync::Arc;

use marquee_domain::{Day, Fact, FactKind, FactValue, Horizon, Opinion, TitleId};

use crate::prices;
use crate::profile::Profile;
use crate::record::Expectation;
use crate::scope::Sources;
use crate::table::{TableRow, TitleTable};

/// Years that a genre's mean, and the mean of all, look back.
const USUAL_YEARS: i32 = 15;
/// Years that the level looks back.
const LEVEL_YEARS: i32 = 3;

/// What is seen of a film, each with its driver group. *Deviations* are means of score less what was expected, shrunk; what
/// begins with `raw` is against what was usual alone.
const NUMBERS: [(&str, &str); 20] = [
    ("log_budget", "money"),
    ("runtime", "runtime"),
    ("season_sine", "season"),
    ("season_cosine", "season"),
    ("genre_mean", "genre"),
    ("director_deviation", "director"),
    ("raw_director_deviation", "director"),
    ("director_films", "director"),
    ("director_last", "director"),
    ("cast_deviation", "cast"),
    ("raw_cast_deviation", "cast"),
    ("company_deviation", "company"),
    ("raw_company_deviation", "company"),
    ("company_films", "company"),
    ("distributor_deviation", "distributor"),
    ("franchise_deviation", "franchise"),
    ("franchise_last", "franchise"),
    ("franchise_films", "franchise"),
    ("basis_deviation", "source"),
    ("style_deviation", "source"),
];

/// The words that are seen, each kind with its driver group.
const WORDS: [(FactKind, &str); 6] = [
    (FactKind::Genre, "genre"),
    (FactKind::Language, "language"),
    (FactKind::Country, "language"),
    (FactKind::AgeRating, "certificate"),
    (FactKind::Basis, "source"),
    (FactKind::CreativeType, "source"),
];

/// The driver groups of people.
pub const PEOPLE: [&str; 2] = ["director", "cast"];

/// The simple ways to guess: the mean of the last years of a film's genres; the same, moved by how its directors' earlier
/// films differed from theirs, shrunk by two films.
const GUESSES: [&str; 2] = ["genre mean", "genre and director mean"];

/// The kind of fact that settles an opinion.
#[must_use]
pub fn outcome_kind(opinion: Opinion) -> FactKind {
    match opinion {
        Opinion::Critics => FactKind::CriticScore,
        Opinion::Viewers => FactKind::ViewerScore,
    }
}

/// The most that can be said.
#[must_use]
pub fn best(opinion: Opinion) -> f64 {
    match opinion {
        Opinion::Critics => 100.0,
        Opinion::Viewers => 10.0,
    }
}

/// What earlier films were scored, as known up to a day.
#[derive(Debug)]
pub struct Reviews {
    kind: FactKind,
    sources: Sources,
    profiles: HashMap<TitleId, Profile>,
    releases: HashMap<TitleId, Day>,
    scored: HashMap<TitleId, (f64, Day)>,
    by: HashMap<(FactKind, Arc<str>), Vec<Judged>>,
    genres: HashMap<Arc<str>, Usual>,
    all: Usual,
    expectation: Expectation,
}

/// A film of somebody's, as it was judged.
#[derive(Debug, Clone, Copy)]
struct Judged {
    /// Less what its facts led one to expect.
    deviation: f64,
    /// Less what was usual.
    raw: f64,
    /// Less the mean of its genres.
    of_genre: f64,
}

/// Scores of the last years, in the order in which they became known.
#[derive(Debug, Clone, Default)]
struct Usual {
    scores: VecDeque<(Day, f64)>,
}

impl Usual {
    fn push(&mut self, day: Day, score: f64) {
        self.scores.push_back((day, score));
        while self.scores.front().is_some_and(|(old, _)| old.year() < day.year() - USUAL_YEARS) {
            self.scores.pop_front();
        }
    }

    /// The mean of those known in the `years` before a day, or before the last of them where that is earlier; none where there
    /// are none.
    fn mean(&self, day: Day, years: i32) -> Option<f64> {
        let (last, _) = self.scores.back()?;
        let from = day.min(*last).plus(-365 * years);
        let recent = self.scores.iter().rev().take_while(|(known, _)| *known >= from);
        let (n, sum) = recent.fold((0.0, 0.0), |(n, sum), (_, score)| (n + 1.0, sum + score));
        Some(sum / n)
    }
}

impl Reviews {
    /// An empty record of an opinion, whose sources are chosen by the facts known before `cut`.
    #[must_use]
    pub fn new(opinion: Opinion, facts: &[Fact], cut: Day) -> Self {
        let kind = outcome_kind(opinion);
        // One table for both opinions, where there is one.
        let states = |kind: FactKind| -> HashSet<Arc<str>> {
            facts.iter().filter(|f| f.kind == kind && f.known_on < cut).map(|f| f.source.clone()).collect()
        };
        let both = &states(FactKind::CriticScore) & &states(FactKind::ViewerScore);
        Self {
            kind,
            sources: Sources::of(kind, &both, facts, cut),
            profiles: HashMap::new(),
            releases: HashMap::new(),
            scored: HashMap::new(),
            by: HashMap::new(),
            genres: HashMap::new(),
            all: Usual::default(),
            expectation: Expectation::of_nothing(4),
        }
    }

    /// The source of the scores; empty where none states any.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.sources.outcomes
    }

    /// Takes in a fact; they come in order of `known_on`.
    pub fn observe(&mut self, fact: &Fact) {
        if fact.kind == self.kind {
            if let (FactValue::Number(score), true) = (&fact.value, *fact.source == *self.sources.outcomes) {
                self.settle(fact.title, *score, fact.known_on);
            }
            return;
        }
        if let (FactValue::Day(day), FactKind::ReleaseDate, true) =
            (&fact.value, fact.kind, *fact.source == *self.sources.outcomes)
        {
            self.releases.entry(fact.title).or_insert(*day);
        }
        if self.sources.admits(fact) || fact.kind == FactKind::Name {
            self.profiles.entry(fact.title).or_default().observe(fact);
        }
    }

    fn settle(&mut self, title: TitleId, score: f64, known: Day) {
        // Of several statements the first stands.
        let Entry::Vacant(first) = self.scored.entry(title) else { return };
        first.insert((score, known));
        let Some(profile) = self.profiles.get(&title) else { return };
        let usual = self.usual(known);
        let of_genre = score - self.genre_mean(profile, known);
        let facts = self.facts(profile, self.release(title).unwrap_or(known));
        let judged =
            Judged { deviation: score - usual - self.expectation.of(&facts), raw: score - usual, of_genre };
        self.expectation.observe(&facts, score - usual);
        for (kind, name) in profile.traits() {
            self.by.entry((kind, name.clone())).or_default().push(judged);
        }
        for genre in &profile.genres {
            self.genres.entry(genre.clone()).or_default().push(known, score);
        }
        self.all.push(known, score);
    }

    /// All films that are scored and whose release day is stated, in order of that day, each with its outcome.
    fn films(&self, facts: &[Fact]) -> Vec<(Day, TitleId, (f64, Day))> {
        let (mut scored, mut own, mut stated) = (HashMap::new(), HashMap::new(), HashMap::new());
        for fact in facts {
            let outcomes = *fact.source == *self.sources.outcomes;
            match (&fact.value, fact.kind) {
                (FactValue::Number(score), kind) if kind == self.kind && outcomes => {
                    scored.entry(fact.title).or_insert((*score, fact.known_on));
                }
                (FactValue::Day(day), FactKind::ReleaseDate) => {
                    if outcomes {
                        own.entry(fact.title).or_insert(*day);
                    }
                    if self.sources.admits(fact) {
                        stated.entry(fact.title).or_insert(*day);
                    }
                }
                _ => {}
            }
        }
        let film = |(title, outcome)| {
            let release = own.get(&title).or_else(|| stated.get(&title))?;
            Some((*release, title, outcome))
        };
        let mut films: Vec<_> = scored.into_iter().filter_map(film).collect();
        films.sort_unstable_by_key(|(release, title, _)| (*release, *title));
        films
    }

    /// What is known of a title; empty where nothing is.
    #[must_use]
    pub fn profile(&self, title: TitleId) -> Profile {
        self.profiles.get(&title).cloned().unwrap_or_default()
    }

    /// The release day of a title by the source of the scores, or else by the first source that states one.
    #[must_use]
    pub fn release(&self, title: TitleId) -> Option<Day> {
        let stated = || self.profiles.get(&title).and_then(|profile| profile.release);
        self.releases.get(&title).copied().or_else(stated)
    }

    /// The words of a film that no scored film had, each with its kind.
    #[must_use]
    pub fn unheard(&self, profile: &Profile) -> Vec<(FactKind, String)> {
        let new = profile.traits().filter(|(kind, word)| !self.by.contains_key(&(*kind, (*word).clone())));
        new.map(|(kind, word)| (kind, word.to_string())).collect()
    }

    fn usual(&self, day: Day) -> f64 {
        self.all.mean(day, LEVEL_YEARS).unwrap_or(0.0)
    }

    /// The mean of the means of a film's genres; of all films where it names none that is known.
    fn genre_mean(&self, profile: &Profile, day: Day) -> f64 {
        let means = profile.genres.iter().filter_map(|genre| self.genres.get(genre)?.mean(day, USUAL_YEARS));
        let (n, sum) = means.fold((0.0, 0.0), |(n, sum), mean| (n + 1.0, sum + mean));
        match n > 0.0 {
            true => sum / n,
            false => self.all.mean(day, USUAL_YEARS).unwrap_or(0.0),
        }
    }

    /// What the expectation goes by: a constant, the genre, cost and length, zero where not known.
    fn facts(&self, profile: &Profile, day: Day) -> [f64; 4] {
        let all = self.all.mean(day, USUAL_YEARS).unwrap_or(0.0);
        let known = |x: f64| if x.is_nan() { 0.0 } else { x };
        let genre = self.genre_mean(profile, day) - all;
        [1.0, genre, known(log_budget(profile, day) - 16.0), known(runtime(profile) - 105.0) / 20.0]
    }

    /// A film as it is seen on a day, with the outcome where that is known.
    #[must_use]
    pub fn row(&self, title: Option<TitleId>, profile: &Profile, release: Day, day: Day) -> TableRow {
        let all = |names: &mut dyn Iterator<Item = (FactKind, &Arc<str>)>, shrink: f64| {
            let records: Vec<&[Judged]> =
                names.map(|(kind, name)| self.by.get(&(kind, name.clone())).map_or(&[][..], |r| r)).collect();
            Together::of(&records, shrink)
        };
        let many = |kind, names: &std::collections::BTreeSet<Arc<str>>, shrink| {
            all(&mut names.iter().map(|name| (kind, name)), shrink)
        };
        let one =
            |kind, name: &Option<Arc<str>>, shrink| all(&mut name.iter().map(|name| (kind, name)), shrink);
        let director = many(FactKind::Director, &profile.directors, 3.0);
        let cast = many(FactKind::Cast, &profile.cast, 4.0);
        let company = many(FactKind::Company, &profile.companies, 8.0);
        let franchise = one(FactKind::Franchise, &profile.franchise, 1.5);
        let season = TAU * f64::from(release.month() * 30 + release.day_of_month() - 30) / 360.0;
        let genre = self.genre_mean(profile, day);
        let usual = self.usual(day);
        let numbers = vec![
            log_budget(profile, day),
            runtime(profile),
            season.sin(),
            season.cos(),
            genre - usual,
            director.deviation,
            director.raw,
            director.films.ln_1p(),
            director.last,
            cast.deviation,
            cast.raw,
            company.deviation,
            company.raw,
            company.films.ln_1p(),
            one(FactKind::Distributor, &profile.distributor, 8.0).deviation,
            franchise.deviation,
            franchise.last,
            franchise.films.ln_1p(),
            one(FactKind::Basis, &profile.basis, 8.0).deviation,
            one(FactKind::CreativeType, &profile.creative_type, 8.0).deviation,
        ];
        let seen = |kind: FactKind| WORDS.iter().any(|(own, _)| *own == kind);
        let words = profile.traits().filter(|(kind, _)| seen(*kind)).map(|(kind, word)| (kind, word.clone()));
        TableRow {
            title,
            name: profile.name.as_deref().unwrap_or("unnamed").to_owned(),
            release,
            outcome: title.and_then(|title| self.scored.get(&title).copied()),
            level: usual,
            numbers,
            words: words.collect(),
            guesses: vec![genre, genre + many(FactKind::Director, &profile.directors, 2.0).of_genre],
        }
    }
}

/// The day on which a film is looked at.
#[must_use]
pub fn day_of(release: Day) -> Day {
    Horizon::Announced.as_of(release).0
}

/// All films with a score, each as it was seen a month before its release, and whether a director of it was named then.
#[must_use]
pub fn table(facts: &[Fact], opinion: Opinion, cut: Day) -> (TitleTable, Vec<bool>) {
    let mut reviews = Reviews::new(opinion, facts, cut);
    let films = reviews.films(facts);
    let mut facts = facts.iter().peekable();
    let (mut rows, mut credited) = (Vec::with_capacity(films.len()), Vec::with_capacity(films.len()));
    for (release, title, outcome) in films {
        let day = day_of(release);
        while let Some(fact) = facts.next_if(|fact| fact.known_on <= day) {
            reviews.observe(fact);
        }
        let profile = reviews.profile(title);
        let row = reviews.row(Some(title), &profile, release, day);
        credited.push(!profile.directors.is_empty());
        rows.push(TableRow { outcome: Some(outcome), ..row });
    }
    (TitleTable { numbers: &NUMBERS, words: &WORDS, guesses: &GUESSES, rows }, credited)
}

/// Records of several names taken together: the mean of what each says.
struct Together {
    deviation: f64,
    raw: f64,
    of_genre: f64,
    last: f64,
    /// The most that one of them has.
    films: f64,
}

impl Together {
    fn of(records: &[&[Judged]], shrink: f64) -> Self {
        let n = records.len().max(1) as f64;
        let mean = |of: &dyn Fn(&Judged) -> f64| {
            let shrunk = |r: &&[Judged]| r.iter().map(of).sum::<f64>() / (r.len() as f64 + shrink);
            records.iter().map(shrunk).sum::<f64>() / n
        };
        let last = |r: &&[Judged]| r.last().map_or(0.0, |judged| judged.deviation);
        Self {
            deviation: mean(&|j| j.deviation),
            raw: mean(&|j| j.raw),
            of_genre: mean(&|j| j.of_genre),
            last: records.iter().map(last).sum::<f64>() / n,
            films: records.iter().map(|r| r.len()).max().unwrap_or(0) as f64,
        }
    }
}

/// ln of dollars of 1982–84; NaN where not known, or told as less than a film can cost.
fn log_budget(profile: &Profile, day: Day) -> f64 {
    let budget = profile.budget.filter(|budget| *budget >= 1e3);
    budget.map_or(f64::NAN, |budget| (budget / prices::level_known(marquee_domain::AsOf(day)) * 100.0).ln())
}

fn runtime(profile: &Profile) -> f64 {
    profile.runtime.filter(|minutes| *minutes > 40.0).map_or(f64::NAN, |minutes| minutes.clamp(60.0, 200.0))
}

#[cfg(test)]
#[path = "reception_tests.rs"]
mod tests;
