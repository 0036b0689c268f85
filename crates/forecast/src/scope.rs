//! Which sources a target is read from, and which may feed its features.
//!
//! Two rules of the house are kept here. *One source for a target*: public sources disagree by more than 5% on one gross
//! in five, so that outcomes come from one of them and its name is told. *Absence leaks*: a side table that lists only
//! some of the films (credits, synopses, charts) was compiled from those that did well, so that a source may feed
//! features only where practically every settled title of the target is in it; tables of credits feed features of people
//! alone, and only for the population that is trained and judged within them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use marquee_domain::{Day, Fact, FactKind, Target, TitleId};
use serde::{Deserialize, Serialize};

/// The share of settled titles that a source must list before it may feed features.
const COMPLETE: f64 = 0.99;
/// The mean number of performers a title from which on a table counts as one of credits.
const CREDITS_CAST: f64 = 2.0;

/// The sources of a target, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// What is predicted.
    pub target: Target,
    /// Where the outcomes come from; empty where no source states any.
    pub outcomes: String,
    /// Sources that list practically every settled title.
    pub features: BTreeSet<String>,
    /// Tables of credits: their directors and cast may be features where everybody is named.
    pub people: BTreeSet<String>,
}

/// Where the outcomes of a kind come from, and what may feed their features; as [`Scope`] says of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    pub outcomes: String,
    pub features: BTreeSet<String>,
    pub people: BTreeSet<String>,
}

impl Sources {
    /// Chooses by the facts known before `cut`: the source that states most outcomes, the preferred first.
    pub(crate) fn of(kind: FactKind, preferred: &HashSet<Arc<str>>, facts: &[Fact], cut: Day) -> Self {
        let known = || facts.iter().filter(|f| f.known_on < cut);
        let mut counts: BTreeMap<Arc<str>, (bool, usize)> = BTreeMap::new();
        for fact in known().filter(|f| f.kind == kind) {
            let entry = counts.entry(fact.source.clone()).or_insert((preferred.contains(&fact.source), 0));
            entry.1 += 1;
        }
        let outcomes =
            counts.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse((*name).clone())));
        let outcomes = outcomes.map(|(name, _)| name.clone()).unwrap_or_else(|| "".into());
        let settled: HashSet<TitleId> =
            known().filter(|f| f.kind == kind && f.source == outcomes).map(|f| f.title).collect();
        Self {
            features: complete(known(), &settled),
            people: tables_of_credits(known(), &outcomes),
            outcomes: outcomes.to_string(),
        }
    }

    /// Whether a fact may be seen: people by tables of credits, all else by sources that are complete.
    pub(crate) fn admits(&self, fact: &Fact) -> bool {
        match fact.kind {
            FactKind::Director | FactKind::Cast => self.people.contains(&*fact.source),
            _ => self.features.contains(&*fact.source),
        }
    }
}

impl Scope {
    /// Chooses the sources of a target by the facts known before `cut`.
    ///
    /// Outcomes come from the source that states most of them; at home one that also states opening days goes first,
    /// because it was added up from the daily charts, and abroad one that also states what was taken at home.
    #[must_use]
    pub fn infer(target: Target, facts: &[Fact], cut: Day) -> Self {
        let states = |k: FactKind| {
            let known = facts.iter().filter(|f| f.known_on < cut && f.kind == k);
            known.map(|f| f.source.clone()).collect::<HashSet<_>>()
        };
        let preferred = match target {
            Target::OpeningDay | Target::Opening | Target::Domestic => states(FactKind::OpeningDayGross),
            Target::International => states(FactKind::DomesticGross),
            Target::Worldwide => HashSet::new(),
        };
        let Sources { outcomes, features, people } =
            Sources::of(outcome_kinds(target)[0], &preferred, facts, cut);
        Self { target, outcomes, features, people }
    }

    /// Whether a fact may enter the history of this target.
    #[must_use]
    pub fn admits(&self, fact: &Fact) -> bool {
        match fact.kind {
            kind if outcome_kinds(self.target).contains(&kind) => *fact.source == *self.outcomes,
            FactKind::Director | FactKind::Cast => self.people.contains(&*fact.source),
            _ => self.features.contains(&*fact.source),
        }
    }
}

/// The kinds of fact that settle a target: the first tells how many a source states.
#[must_use]
pub fn outcome_kinds(target: Target) -> &'static [FactKind] {
    match target {
        Target::OpeningDay => &[FactKind::OpeningDayGross],
        Target::Opening => &[FactKind::OpeningWeekendGross],
        Target::Domestic => &[FactKind::DomesticGross],
        Target::International => &[FactKind::WorldwideGross, FactKind::DomesticGross],
        Target::Worldwide => &[FactKind::WorldwideGross],
    }
}

/// What the facts of one title say of an outcome so far, US dollars, nominal. Of each kind the first stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stated {
    gross: Option<f64>,
    at_home: Option<f64>,
}

impl Stated {
    /// Takes in a gross of one of the target's [`outcome_kinds`], and gives the outcome where it is known by now. What was
    /// taken abroad is known with both figures; none abroad is a release at home alone, or one that nobody reported.
    pub(crate) fn outcome(&mut self, target: Target, kind: FactKind, gross: f64) -> Option<f64> {
        let abroad = target == Target::International;
        match kind {
            FactKind::DomesticGross if abroad => self.at_home.get_or_insert(gross),
            _ => self.gross.get_or_insert(gross),
        };
        match abroad {
            true => Some(self.gross? - self.at_home?).filter(|gross| *gross > 0.0),
            false => self.gross,
        }
    }
}

fn complete<'a>(
    facts: impl Iterator<Item = &'a Fact> + Clone,
    settled: &HashSet<TitleId>,
) -> BTreeSet<String> {
    let mut listed: HashMap<&str, HashSet<TitleId>> = HashMap::new();
    for fact in facts.clone().filter(|f| settled.contains(&f.title)) {
        listed.entry(table(&fact.source)).or_default().insert(fact.title);
    }
    let enough = COMPLETE * settled.len() as f64;
    let is_complete =
        |source: &str| listed.get(table(source)).is_some_and(|titles| titles.len() as f64 >= enough);
    let sources: BTreeSet<&str> = facts.map(|f| &*f.source).collect();
    sources.into_iter().filter(|s| is_complete(s)).map(str::to_owned).collect()
}

/// The table that a source is a file of: `NAME_titles` and its `NAME_…_links` are one table in several files.
fn table(source: &str) -> &str {
    let link = source.strip_suffix("_links").and_then(|rest| rest.rsplit_once('_')).map(|(name, _)| name);
    link.or_else(|| source.strip_suffix("_titles")).unwrap_or(source)
}

fn tables_of_credits<'a>(facts: impl Iterator<Item = &'a Fact>, outcomes: &Arc<str>) -> BTreeSet<String> {
    let mut cast: HashMap<&'a Arc<str>, (usize, HashSet<TitleId>)> = HashMap::new();
    let mut directed: BTreeSet<&'a Arc<str>> = BTreeSet::new();
    for fact in facts {
        if fact.kind == FactKind::Cast {
            let entry = cast.entry(&fact.source).or_default();
            entry.0 += 1;
            entry.1.insert(fact.title);
        } else if fact.kind == FactKind::Director {
            directed.insert(&fact.source);
        }
    }
    let names_cast =
        |s: &Arc<str>| cast.get(s).is_some_and(|(n, t)| *n as f64 >= CREDITS_CAST * t.len() as f64);
    directed.into_iter().filter(|s| *s == outcomes || names_cast(s)).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use marquee_domain::{Currency, FactValue, Money, RecordedAt};

    fn fact(title: u64, kind: FactKind, source: &str) -> Fact {
        let value = match kind {
            FactKind::Director | FactKind::Cast | FactKind::Distributor => FactValue::Text("someone".into()),
            _ => FactValue::Money(Money::from_minor(100, Currency::USD)),
        };
        let known_on = Day::new(2001, 1, 1).expect("a day");
        Fact {
            title: TitleId(title),
            kind,
            value,
            known_on,
            recorded_at: RecordedAt(0),
            source: source.into(),
        }
    }

    /// A main table of 200 titles, a chart of half of them, credits of a third with three performers each.
    fn tables() -> Vec<Fact> {
        let mut facts = Vec::new();
        for i in 0..200 {
            facts.push(fact(i, FactKind::WorldwideGross, "main"));
            facts.push(fact(i, FactKind::DomesticGross, "main"));
            if i % 2 == 0 {
                facts.extend(
                    [FactKind::DomesticGross, FactKind::OpeningDayGross].map(|k| fact(i, k, "chart")),
                );
            }
            if i % 3 == 0 {
                facts.push(fact(i, FactKind::Director, "credits"));
                (0..3).for_each(|_| facts.push(fact(i, FactKind::Cast, "credits")));
                facts.push(fact(i, FactKind::Director, "stats"));
                facts.push(fact(i, FactKind::Cast, "stats"));
            }
        }
        facts
    }

    #[test]
    fn a_side_table_feeds_no_features() {
        let scope = Scope::infer(Target::Worldwide, &tables(), Day::MAX);
        assert_eq!((scope.outcomes.as_str(), scope.features), ("main", BTreeSet::from(["main".to_owned()])));
        assert_eq!(scope.people, BTreeSet::from(["credits".to_owned()]));
    }

    #[test]
    fn links_belong_to_the_table_of_their_titles() {
        assert_eq!(table("mojo_tmdb_company_links"), table("mojo_tmdb_titles"));
        assert_eq!(table("openings"), "openings");
        let mut facts: Vec<Fact> =
            (0..200).map(|i| fact(i, FactKind::WorldwideGross, "main_titles")).collect();
        facts.push(fact(7, FactKind::Distributor, "main_distributor_links"));
        let scope = Scope::infer(Target::Worldwide, &facts, Day::MAX);
        assert!(scope.features.contains("main_distributor_links"));
    }

    #[test]
    fn charts_go_first_for_the_domestic_run() {
        let scope = Scope::infer(Target::Domestic, &tables(), Day::MAX);
        assert_eq!(scope.outcomes, "chart");
        assert_eq!(scope.features, BTreeSet::from(["chart".to_owned(), "main".to_owned()]));
        assert!(!scope.admits(&fact(0, FactKind::DomesticGross, "main")));
    }

    #[test]
    fn what_was_taken_abroad_needs_both_figures_of_one_source() {
        let scope = Scope::infer(Target::International, &tables(), Day::MAX);
        assert_eq!(scope.outcomes, "main");
        assert!(scope.admits(&fact(0, FactKind::DomesticGross, "main")));
        assert!(!scope.admits(&fact(0, FactKind::DomesticGross, "chart")));
        let both = |worldwide, domestic| {
            let mut stated = Stated::default();
            let alone = stated.outcome(Target::International, FactKind::WorldwideGross, worldwide);
            assert_eq!(alone, None, "a blank domestic gross is not zero");
            stated.outcome(Target::International, FactKind::DomesticGross, domestic)
        };
        assert_eq!([both(9.0, 4.0), both(4.0, 4.0)], [Some(5.0), None]);
    }
}
