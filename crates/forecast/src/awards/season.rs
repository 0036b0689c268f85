//! Seasons of awards, as facts tell them: who was nominated for what, who won, and which films there were to choose from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use marquee_domain::{AsOf, Award, Day, Fact, FactKind, FactValue, TitleId};

use unicode_normalization::UnicodeNormalization as _;

use crate::profile::Profile;
use crate::scope::Scope;

/// Everything that facts known on a day say of awards.
#[derive(Debug, Clone, Default)]
pub struct Awards {
    /// The seasons, by the year of their films.
    pub seasons: BTreeMap<i32, Season>,
    names: HashMap<TitleId, Arc<str>>,
}

/// The awards for the films of one year.
#[derive(Debug, Clone, Default)]
pub struct Season {
    /// The year of the films.
    pub year: i32,
    /// The Academy's nominations, in the order in which they were stated.
    pub oscars: Vec<Ballot>,
    /// Nominations for Golden Globes.
    pub globes: Vec<Ballot>,
    /// The films that were released in the year, as known before the Academy nominated.
    pub films: Vec<Candidate>,
}

/// A nomination.
#[derive(Debug, Clone, PartialEq)]
pub struct Ballot {
    /// The film.
    pub title: TitleId,
    /// For what.
    pub award: Award,
    /// Who is named.
    pub people: Vec<String>,
    /// From when it was known.
    pub known: Day,
    /// From when it was known to have won; none where it did not, or not yet.
    pub won: Option<Day>,
    /// The most nominations by the Academy, and the most wins, that one of the named had from earlier seasons.
    pub prior: (u32, u32),
}

/// A film that may be nominated, as it was known before the Academy nominated.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The film.
    pub title: TitleId,
    /// The month of its release, from 1.
    pub month: u32,
    /// What it cost to make, US dollars, nominal.
    pub budget: Option<f64>,
    /// Minutes.
    pub runtime: Option<f64>,
    /// Whether it is in English.
    pub english: Option<bool>,
    /// Whether a title of its franchise was released in an earlier season.
    pub sequel: bool,
    /// Its genres.
    pub genres: Vec<Arc<str>>,
    /// Of its companies' films of earlier seasons: ln of one and the most nominations that one of them had; and the most a film,
    /// as if each had eight films more without any.
    pub company: (f64, f64),
    /// The Golden Globes that it is nominated for.
    pub globes: Vec<Award>,
    /// The most nominations by the Academy that one of its directors, and one of its leading cast, had from earlier seasons;
    /// zero where nobody names them.
    pub people: (f64, f64),
}

/// The year whose films a prize-giving on a day is about.
fn season_of(day: Day) -> i32 {
    if day.month() >= 7 { day.year() } else { day.year() - 1 }
}

/// The day after a season.
fn end_of(year: i32) -> Day {
    Day::new(year + 1, 7, 1).unwrap_or(Day::MAX)
}

/// The newest year of films of which facts known on a day tell an award, or a nomination by the Academy where `oscars` are asked
/// for.
#[must_use]
pub fn newest(facts: &[Fact], as_of: AsOf, oscars: bool) -> Option<i32> {
    let tells = |fact: &&Fact| {
        let nominated = fact.kind == FactKind::AwardNomination;
        let FactValue::Text(text) = &fact.value else { return false };
        (nominated || (!oscars && fact.kind == FactKind::AwardWin))
            && Award::nomination(text).is_some_and(|(award, _)| award.is_oscar() || !oscars)
    };
    let known = facts.iter().take_while(|fact| as_of.knows(fact.known_on));
    known.filter(tells).map(|fact| season_of(fact.known_on)).max()
}

/// The people whom a text names, each as people are compared: several may stand in one.
pub(super) fn people(text: &str) -> impl Iterator<Item = String> {
    let names = text.split([',', '&', '/']).flat_map(|part| part.split(" and "));
    names.map(person).filter(|name| !name.is_empty())
}

/// A name as people are compared by it: letters and digits alone, lower case, without accents.
pub(super) fn person(name: &str) -> String {
    let letters = name.nfd().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl Season {
    /// The first day on which a nomination by the Academy was known.
    #[must_use]
    pub fn nominated_on(&self) -> Option<Day> {
        self.oscars.iter().map(|ballot| ballot.known).min()
    }

    /// The first day on which a win at the Academy was known.
    #[must_use]
    pub fn decided_on(&self) -> Option<Day> {
        self.oscars.iter().filter_map(|ballot| ballot.won).min()
    }

    /// The nominees for an award.
    #[must_use]
    pub fn nominees(&self, award: Award) -> Vec<&Ballot> {
        self.oscars.iter().filter(|ballot| ballot.award == award).collect()
    }

    /// Nominations for Golden Globes that were known before the Academy gave its own, each with whether it had won by then.
    pub(super) fn globes_before_the_oscars(&self) -> impl Iterator<Item = (&Ballot, bool)> {
        let eve = self.decided_on().unwrap_or(Day::MAX);
        let known = self.globes.iter().filter(move |ballot| ballot.known < eve);
        known.map(move |ballot| (ballot, ballot.won.is_some_and(|day| day < eve)))
    }
}

impl Awards {
    /// What the facts known by a day say; they must be in order of `known_on`. Films are those that the scope's sources tell of.
    #[must_use]
    pub fn of(facts: &[Fact], scope: &Scope, as_of: AsOf) -> Self {
        let known = || facts.iter().take_while(|fact| as_of.knows(fact.known_on));
        let mut awards = Self::default();
        known().for_each(|fact| awards.observe(fact));
        awards.count_what_people_had();
        awards.look_at_films(known().filter(|fact| scope.admits(fact)));
        awards
    }

    /// A title's name.
    #[must_use]
    pub fn name(&self, title: TitleId) -> String {
        self.names.get(&title).map_or_else(|| title.to_string(), ToString::to_string)
    }

    fn observe(&mut self, fact: &Fact) {
        match (&fact.value, fact.kind) {
            (FactValue::Text(name), FactKind::Name) => {
                self.names.entry(fact.title).or_insert_with(|| name.clone());
            }
            (FactValue::Text(text), FactKind::AwardNomination | FactKind::AwardWin) => {
                let Some((award, people)) = Award::nomination(text) else { return };
                let year = season_of(fact.known_on);
                let season = self.seasons.entry(year).or_insert_with(|| Season { year, ..Season::default() });
                let ballots = if award.is_oscar() { &mut season.oscars } else { &mut season.globes };
                let same = |b: &&mut Ballot| b.title == fact.title && b.award == award && b.people == people;
                let won = (fact.kind == FactKind::AwardWin).then_some(fact.known_on);
                match ballots.iter_mut().find(same) {
                    Some(ballot) => ballot.won = ballot.won.or(won),
                    // Who is only known by having won would be known to win.
                    None if won.is_some() => {}
                    None => ballots.push(Ballot {
                        title: fact.title,
                        award,
                        people: people.into_iter().map(str::to_owned).collect(),
                        known: fact.known_on,
                        won: None,
                        prior: (0, 0),
                    }),
                }
            }
            _ => {}
        }
    }

    fn count_what_people_had(&mut self) {
        let mut had: HashMap<String, (u32, u32)> = HashMap::new();
        for season in self.seasons.values_mut() {
            for ballot in &mut season.oscars {
                let of = |name: &String| had.get(&person(name)).copied().unwrap_or_default();
                let most = |a: (u32, u32), b: (u32, u32)| (a.0.max(b.0), a.1.max(b.1));
                ballot.prior = ballot.people.iter().map(of).fold((0, 0), most);
            }
            for ballot in &season.oscars {
                for name in &ballot.people {
                    let (nominations, wins) = had.entry(person(name)).or_default();
                    *nominations += 1;
                    *wins += u32::from(ballot.won.is_some());
                }
            }
        }
    }

    /// Goes through the facts of films once more and looks at each season's on its eve.
    fn look_at_films<'a>(&mut self, facts: impl Iterator<Item = &'a Fact>) {
        let mut facts = facts.peekable();
        let mut profiles: BTreeMap<TitleId, Profile> = BTreeMap::new();
        let mut past = Past::default();
        for season in self.seasons.values_mut() {
            let eve = season.nominated_on().unwrap_or_else(|| end_of(season.year));
            while let Some(fact) = facts.next_if(|fact| fact.known_on < eve) {
                profiles.entry(fact.title).or_default().observe(fact);
            }
            let released = |profile: &Profile| profile.release.filter(|day| day.year() == season.year);
            let films = profiles.iter().filter_map(|(title, p)| Some((*title, p, released(p)?)));
            let mut globes: HashMap<TitleId, Vec<Award>> = HashMap::new();
            for ballot in season.globes.iter().filter(|ballot| ballot.known < eve) {
                globes.entry(ballot.title).or_default().push(ballot.award);
            }
            season.films = films
                .map(|(title, profile, day)| Candidate {
                    title,
                    month: day.month(),
                    budget: profile.budget,
                    runtime: profile.runtime,
                    english: profile.language.as_ref().map(|l| matches!(&**l, "en" | "English")),
                    sequel: profile.franchise.as_ref().is_some_and(|f| past.franchises.contains(f)),
                    genres: profile.genres.iter().cloned().collect(),
                    company: past.best(profile),
                    globes: globes.remove(&title).unwrap_or_default(),
                    people: (past.most(&profile.directors), past.most(&profile.cast)),
                })
                .collect();
            past.learn(season, &profiles);
        }
    }
}

/// What earlier seasons say of companies, people and franchises.
#[derive(Default)]
struct Past {
    /// Films and nominations.
    companies: HashMap<Arc<str>, (f64, f64)>,
    people: HashMap<String, f64>,
    franchises: HashSet<Arc<str>>,
}

impl Past {
    /// Of the company that has most: the log of one and its nominations; and the most a film, shrunk by eight films.
    fn best(&self, profile: &Profile) -> (f64, f64) {
        let of = profile.companies.iter().filter_map(|company| self.companies.get(company));
        of.fold((0.0, 0.0), |(most, rate), (films, nominations)| {
            (nominations.ln_1p().max(most), (nominations / (films + 8.0)).max(rate))
        })
    }

    fn most<'a>(&self, names: impl IntoIterator<Item = &'a Arc<str>>) -> f64 {
        let of = names.into_iter().filter_map(|name| self.people.get(&person(name)));
        of.copied().fold(0.0, f64::max)
    }

    fn learn(&mut self, season: &Season, profiles: &BTreeMap<TitleId, Profile>) {
        let mut nominations: HashMap<TitleId, f64> = HashMap::new();
        for ballot in &season.oscars {
            *nominations.entry(ballot.title).or_default() += 1.0;
            for name in &ballot.people {
                *self.people.entry(person(name)).or_default() += 1.0;
            }
        }
        for film in &season.films {
            let Some(profile) = profiles.get(&film.title) else { continue };
            let own = nominations.get(&film.title).copied().unwrap_or(0.0);
            for company in &profile.companies {
                let (films, had) = self.companies.entry(company.clone()).or_default();
                *films += 1.0;
                *had += own;
            }
            if let Some(franchise) = &profile.franchise {
                self.franchises.insert(franchise.clone());
            }
        }
    }
}
