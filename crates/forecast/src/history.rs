//! The history fold: facts in order of `known_on` go in, and what they say about any title as of that moment comes out.
//!
//! The fold is the only way from facts to features, for training, testing and answering alike. It moves forward only:
//! [`History::observe`] refuses a fact older than the newest it has seen, and nothing here can look ahead. Outcomes enter
//! the records on the day they became known, judged by what their budgets led one to expect *on that day*.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use marquee_domain::{AsOf, Day, Fact, FactKind, FactValue, Horizon, Target, TitleId};

use crate::comps::Library;
use crate::error::ForecastError;
use crate::example::WIDE_THEATRES;
use crate::prices;
use crate::profile::{Profile, is_nominal_usd};
use crate::record::{Expectation, Outcome, Record};
use crate::run::{Charts, Run};
use crate::scope::{Stated, outcome_kinds};

/// What is asked about: a profile, when it is to be released, and how much may be known.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// What is known of it.
    pub profile: Profile,
    /// Its release day; at greenlight no feature looks at more than the quarter.
    pub release: Day,
    /// How much may be known.
    pub horizon: Horizon,
    /// The day whose knowledge is used.
    pub as_of: AsOf,
    /// The title, where it is one of the catalogue's: it does not compete with itself.
    pub title: Option<TitleId>,
}

/// Everything that the facts up to [`History::now`] say.
#[derive(Debug, Clone)]
pub struct History {
    target: Target,
    outcome_source: Option<Arc<str>>,
    now: Day,
    titles: HashMap<TitleId, Profile>,
    /// Release days by the source of the outcomes: that of a territory may be another than the world's first.
    releases: HashMap<TitleId, Day>,
    stated: HashMap<TitleId, Stated>,
    settled: HashSet<TitleId>,
    pub(crate) records: Records,
    pub(crate) expectation: Expectation,
    pub(crate) library: Library,
    schedule: BTreeMap<Day, Vec<Scheduled>>,
    pub(crate) charts: Charts,
    pub(crate) openings: Openings,
}

/// A title on the calendar of releases.
#[derive(Debug, Clone, Copy)]
struct Scheduled {
    title: TitleId,
    /// US dollars, nominal; 0 where unknown.
    budget: f64,
    /// The day on which its date became known.
    known_on: Day,
}

/// How many earlier years tell what usually opens in a week.
const USUAL_YEARS: usize = 3;

/// Openings, by the source of the outcomes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Openings {
    /// What their weekends took, US dollars.
    grosses: HashMap<TitleId, f64>,
    /// Theatres of wide ones, with the day on which they became known.
    theatres: Vec<(Day, f64)>,
}

impl Openings {
    fn observe(&mut self, fact: &Fact) {
        match (&fact.value, fact.kind) {
            (FactValue::Money(gross), FactKind::OpeningWeekendGross) if is_nominal_usd(gross) => {
                self.grosses.entry(fact.title).or_insert(gross.major());
            }
            (FactValue::Count(theatres), FactKind::OpeningTheatres) if *theatres as f64 >= WIDE_THEATRES => {
                self.theatres.push((fact.known_on, *theatres as f64));
            }
            _ => {}
        }
    }

    /// The theatres that nine in ten of the wide openings of the year before `day` did not exceed; NaN without any.
    pub(crate) fn most_theatres(&self, day: Day) -> f64 {
        let from = self.theatres.partition_point(|(known, _)| *known < day.plus(-365));
        let to = self.theatres.partition_point(|(known, _)| *known < day);
        let mut year: Vec<f64> = self.theatres[from..to].iter().map(|(_, theatres)| *theatres).collect();
        year.sort_by(f64::total_cmp);
        year.get(year.len() * 9 / 10).copied().unwrap_or(f64::NAN)
    }
}

impl Subject {
    /// What the natural log of the outcome is measured from, so that titles of all sizes and years compare: the price level
    /// known on the as-of day over that of 1982–84; from `opening_day` on what the run has taken so far, US dollars, and
    /// NaN where no chart follows it.
    #[must_use]
    pub fn origin(&self, history: &History) -> f64 {
        if self.horizon.sees_run() {
            let run = self.title.and_then(|title| history.charts.run(title));
            run.map_or(f64::NAN, |run| run.to_date().ln())
        } else {
            (prices::level_known(self.as_of) / 100.0).ln()
        }
    }
}

/// A word that no settled title had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// What it is said of.
    pub kind: FactKind,
    /// The word.
    pub word: Arc<str>,
    /// The words of its kind that settled titles had, in order.
    pub known: Vec<Arc<str>>,
}

/// Track records by what a title has in common with others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    by: HashMap<(FactKind, Arc<str>), Record>,
}

impl Records {
    pub(crate) fn get(&self, kind: FactKind, name: &Arc<str>) -> Option<&Record> {
        self.by.get(&(kind, name.clone()))
    }

    fn words(&self, kind: FactKind) -> impl Iterator<Item = &Arc<str>> {
        self.by.keys().filter(move |(k, _)| *k == kind).map(|(_, word)| word)
    }

    fn push(&mut self, profile: &Profile, outcome: Outcome) {
        for (kind, name) in profile.traits() {
            self.by.entry((kind, name.clone())).or_default().push(outcome);
        }
    }
}

impl History {
    /// An empty history whose outcomes are the grosses of `target`, taken from one source only where `source` names it.
    #[must_use]
    pub fn new(target: Target, source: Option<Arc<str>>) -> Self {
        Self {
            outcome_source: source,
            now: Day::MIN,
            titles: HashMap::new(),
            releases: HashMap::new(),
            stated: HashMap::new(),
            settled: HashSet::new(),
            records: Records::default(),
            expectation: match target {
                Target::OpeningDay | Target::Opening => Expectation::by_theatres(),
                Target::Domestic | Target::International | Target::Worldwide => Expectation::by_budget(),
            },
            target,
            library: Library::default(),
            schedule: BTreeMap::new(),
            charts: Charts::default(),
            openings: Openings::default(),
        }
    }

    /// Takes in a fact.
    ///
    /// # Errors
    /// [`ForecastError::OutOfOrder`] where the fact became known before one that was taken in earlier.
    pub fn observe(&mut self, fact: &Fact) -> Result<(), ForecastError> {
        if fact.known_on < self.now {
            return Err(ForecastError::OutOfOrder { fact: fact.known_on, now: self.now });
        }
        self.now = fact.known_on;
        if outcome_kinds(self.target).contains(&fact.kind) {
            if self.outcome_source.as_ref().is_none_or(|s| *s == fact.source) {
                self.settle(fact);
            }
            return Ok(());
        }
        if self.charts.observe(fact) {
            return Ok(());
        }
        if self.outcome_source.as_ref().is_none_or(|s| *s == fact.source) {
            self.openings.observe(fact);
            if let (FactValue::Day(day), FactKind::ReleaseDate) = (&fact.value, fact.kind) {
                self.releases.entry(fact.title).or_insert(*day);
            }
        }
        let profile = self.titles.entry(fact.title).or_default();
        let had_release = profile.release;
        profile.observe(fact);
        if had_release.is_none()
            && let Some(release) = profile.release
        {
            let budget = profile.budget.unwrap_or(0.0);
            let scheduled = Scheduled { title: fact.title, budget, known_on: fact.known_on };
            self.schedule.entry(release).or_default().push(scheduled);
        }
        Ok(())
    }

    fn settle(&mut self, fact: &Fact) {
        let (FactValue::Money(gross), Some(profile)) = (&fact.value, self.titles.get(&fact.title)) else {
            return;
        };
        let (Some(budget), true) = (profile.budget, is_nominal_usd(gross)) else { return };
        let stated = self.stated.entry(fact.title).or_default();
        let Some(gross) = stated.outcome(self.target, fact.kind, gross.major()) else { return };
        // A title that two rows of the source state counts once, by what was known first.
        if !self.settled.insert(fact.title) {
            return;
        }
        let release = profile.release.or(profile.planned_quarter).unwrap_or(fact.known_on);
        let log_gross = real_log(gross, release);
        let mut facts = vec![1.0, real_log(budget, release)];
        if self.target.is_opening() {
            let Some(theatres) = profile.theatres.map(f64::ln) else { return };
            facts.extend([theatres, theatres * theatres]);
        }
        let residual = log_gross - self.expectation.of(&facts);
        self.expectation.observe(&facts, log_gross);
        let opening = self.openings.grosses.get(&fact.title).copied();
        let log_opening = match self.target {
            Target::Opening => log_gross,
            _ => opening.map_or(f64::NAN, |opening| real_log(opening, release)),
        };
        self.records.push(profile, Outcome { release, log_gross, residual, log_opening });
        self.library.push(fact.title, profile, release, budget, gross);
    }

    /// The day of the newest fact that was taken in.
    #[must_use]
    pub fn now(&self) -> Day {
        self.now
    }

    /// What is known of a title; empty where nothing is.
    #[must_use]
    pub fn profile(&self, title: TitleId) -> Profile {
        self.titles.get(&title).cloned().unwrap_or_default()
    }

    /// The release day of a title by the source of the outcomes, or else by the first source that stated one.
    #[must_use]
    pub fn release(&self, title: TitleId) -> Option<Day> {
        let stated = || self.titles.get(&title).and_then(|profile| profile.release);
        self.releases.get(&title).copied().or_else(stated)
    }

    /// What the run of a title has taken so far by its daily chart, US dollars, nominal.
    #[must_use]
    pub fn taken(&self, title: TitleId) -> Option<f64> {
        self.charts.run(title).map(Run::to_date)
    }

    /// What a profile states that no settled title had: a newcomer, or another spelling.
    #[must_use]
    pub fn unheard(&self, profile: &Profile) -> Vec<Unheard> {
        let new = profile.traits().filter(|(kind, word)| self.records.get(*kind, word).is_none());
        new.map(|(kind, word)| {
            let mut known: Vec<Arc<str>> = self.records.words(kind).cloned().collect();
            known.sort_unstable();
            Unheard { kind, word: word.clone(), known }
        })
        .collect()
    }

    /// Titles other than the subject that are scheduled within `days` of its release: how many, and their budgets' sum.
    ///
    /// Nobody knows the whole calendar of a day that is further off than release dates are announced: there what usually
    /// opens in its week counts, where that is more.
    pub(crate) fn rivals(&self, subject: &Subject, days: i32) -> (f64, f64) {
        let (n, budgets) = self.scheduled(subject.release, subject, days, self.now);
        if Horizon::Announced.as_of(subject.release) <= subject.as_of {
            return (n, budgets);
        }
        // The last years of which the calendar was announced by now.
        let same_week =
            (1..).map(|years| subject.release.plus(-364 * years)).take_while(|day| *day > Day::MIN);
        let announced = same_week.filter(|release| Horizon::Announced.as_of(*release) <= subject.as_of);
        let then = announced
            .take(USUAL_YEARS)
            .map(|release| self.scheduled(release, subject, days, Horizon::Announced.as_of(release).0));
        let share = 1.0 / USUAL_YEARS as f64;
        let usual = then.fold((0.0, 0.0), |(n, b), (m, c)| (n + m * share, b + c * share));
        (n.max(usual.0), budgets.max(usual.1))
    }

    /// How many titles other than the subject are known to open within `days` of its release, and their budgets' sum, by
    /// the calendar as it was `known` on a day.
    fn scheduled(&self, release: Day, subject: &Subject, days: i32, known: Day) -> (f64, f64) {
        let span = release.plus(-days)..=release.plus(days);
        let others = self.schedule.range(span).flat_map(|(_, titles)| titles);
        others
            .filter(|other| Some(other.title) != subject.title && other.known_on <= known)
            .fold((0.0, 0.0), |(n, sum), other| (n + 1.0, sum + other.budget))
    }

    /// How many titles other than the subject are known to open within a week of its release.
    #[must_use]
    pub fn rivals_known(&self, subject: &Subject) -> usize {
        self.scheduled(subject.release, subject, 7, self.now).0 as usize
    }
}

/// Folds facts in order and answers each question on its day: `answer` sees the history as of exactly then.
///
/// Questions may come in any order; answers come back in the order of the questions.
///
/// # Errors
/// [`ForecastError::OutOfOrder`] where the facts are not in order of `known_on`.
pub fn fold<'a, Q, A>(
    history: &mut History,
    facts: impl IntoIterator<Item = &'a Fact>,
    questions: &[Q],
    as_of: impl Fn(&Q) -> AsOf,
    mut answer: impl FnMut(&History, &Q) -> A,
) -> Result<Vec<A>, ForecastError> {
    let mut order: Vec<usize> = (0..questions.len()).collect();
    order.sort_by_key(|i| (as_of(&questions[*i]), *i));
    let mut answers: Vec<(usize, A)> = Vec::with_capacity(questions.len());
    let mut waiting = order.into_iter().peekable();
    for fact in facts {
        while let Some(i) = waiting.next_if(|i| !as_of(&questions[*i]).knows(fact.known_on)) {
            answers.push((i, answer(history, &questions[i])));
        }
        if waiting.peek().is_none() {
            break;
        }
        history.observe(fact)?;
    }
    answers.extend(waiting.map(|i| (i, answer(history, &questions[i]))));
    answers.sort_by_key(|(i, _)| *i);
    Ok(answers.into_iter().map(|(_, a)| a).collect())
}

/// Natural log of dollars of 1982–84.
fn real_log(amount: f64, day: Day) -> f64 {
    (amount / prices::level(day.year() - 1) * 100.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use marquee_domain::{Currency, Money, RecordedAt, Vertical};
    use proptest::prelude::*;

    fn fact(title: u64, kind: FactKind, value: FactValue, known_on: i32) -> Fact {
        let known_on = Day::from_epoch_days(known_on).expect("a day");
        Fact {
            title: TitleId(title),
            kind,
            value,
            known_on,
            recorded_at: RecordedAt(0),
            source: "films".into(),
        }
    }

    fn usd(dollars: i64) -> FactValue {
        FactValue::Money(Money::from_minor(dollars * 100, Currency::USD))
    }

    /// A title with a budget, a company and a gross that settles 660 days after it became known.
    fn title(id: u64, start: i32, budget: i64, gross: i64) -> Vec<Fact> {
        let company = FactValue::Text("Acme".into());
        let release = FactValue::Day(Day::from_epoch_days(start + 540).expect("a day"));
        vec![
            fact(id, FactKind::Budget, usd(budget), start),
            fact(id, FactKind::Company, company, start),
            fact(id, FactKind::ReleaseDate, release, start + 510),
            fact(id, FactKind::WorldwideGross, usd(gross), start + 660),
        ]
    }

    fn describe(history: &History) -> String {
        let acme = history.records.get(FactKind::Company, &"Acme".into()).map(Record::mean_log);
        format!("{acme:?} {:?}", history.expectation)
    }

    proptest! {
        /// The law that the product rests on: whatever happens after the as-of day, the answer is the same.
        #[test]
        fn the_future_is_out_of_reach(starts in proptest::collection::vec(0i32..6_000, 1..12), gross in 1i64..1_000_000_000, day in 0i32..7_000) {
            let as_of = AsOf(Day::from_epoch_days(day).expect("a day"));
            let answer_with = |changed: i64| {
                let mut facts: Vec<Fact> = starts.iter().enumerate()
                    .flat_map(|(i, s)| title(i as u64, *s, 5_000_000, 9_000_000 + i as i64))
                    .map(|mut f| {
                        if !as_of.knows(f.known_on) && matches!(f.value, FactValue::Money(_)) { f.value = usd(changed); }
                        f
                    })
                    .collect();
                facts.sort_by_key(|f| (f.known_on, f.title));
                let mut history = History::new(Target::Worldwide, None);
                fold(&mut history, &facts, &[as_of], |q| *q, |h, _| describe(h)).expect("in order")
            };
            prop_assert_eq!(answer_with(gross), answer_with(1));
        }
    }

    #[test]
    fn a_word_that_nobody_had_is_told_with_those_that_are_known() {
        let mut history = History::new(Target::Worldwide, None);
        title(1, 100, 1, 1).iter().for_each(|f| history.observe(f).expect("in order"));
        let with = |company: &str| Profile { companies: [company.into()].into(), ..Profile::default() };
        assert_eq!(history.unheard(&with("Acme")), []);
        let (kind, known) = (FactKind::Company, vec!["Acme".into()]);
        assert_eq!(history.unheard(&with("Acmee")), [Unheard { kind, word: "Acmee".into(), known }]);
    }

    #[test]
    fn a_step_back_is_refused() {
        let mut history = History::new(Target::Worldwide, None);
        let facts = title(1, 100, 1, 1);
        assert!(history.observe(&facts[3]).is_ok());
        assert!(matches!(history.observe(&facts[0]), Err(ForecastError::OutOfOrder { .. })));
    }

    /// The failure that was found: far ahead the usual competition was counted in years that were themselves unknown.
    #[test]
    fn the_usual_competition_is_the_same_however_far_ahead() {
        let mut history = History::new(Target::Worldwide, None);
        let mut facts: Vec<Fact> = (0..8).flat_map(|i| title(i, 364 * i as i32, 5, 9)).collect();
        facts.sort_by_key(|f| (f.known_on, f.title));
        facts.iter().for_each(|f| history.observe(f).expect("in order"));
        let last = 364 * 7 + 540;
        let usual = |years: i32| {
            let question = Subject {
                profile: Profile::default(),
                release: Day::from_epoch_days(last + 364 * years).expect("a day"),
                horizon: Horizon::Announced,
                as_of: AsOf(Day::from_epoch_days(last + 1).expect("a day")),
                title: None,
            };
            history.rivals(&question, 7)
        };
        for years in 1..=4 {
            let (n, budgets) = usual(years);
            assert!(
                (n - 1.0).abs() < 1e-12 && (budgets - 5.0).abs() < 1e-12,
                "{years} years ahead: {n}, {budgets}"
            );
        }
    }

    #[test]
    fn a_title_does_not_compete_with_itself() {
        let mut history = History::new(Target::Worldwide, None);
        let mut facts: Vec<Fact> = title(1, 0, 7, 9);
        facts.extend(title(2, 3, 5, 9));
        facts.sort_by_key(|f| f.known_on);
        let question = Subject {
            profile: Profile::default(),
            release: Day::from_epoch_days(540).expect("a day"),
            horizon: Horizon::Announced,
            as_of: AsOf(Day::from_epoch_days(520).expect("a day")),
            title: Some(TitleId::of(Vertical::Film, "none", "none")),
        };
        let ask = |q: &Subject, facts: &[Fact]| {
            fold(
                &mut History::new(Target::Worldwide, None),
                facts,
                std::slice::from_ref(q),
                |q| q.as_of,
                |h, q| h.rivals(q, 7),
            )
        };
        assert_eq!(ask(&question, &facts).expect("in order"), [(2.0, 12.0)]);
        let own = Subject { title: Some(TitleId(1)), ..question };
        assert_eq!(ask(&own, &facts).expect("in order"), [(1.0, 5.0)]);
        history.observe(&facts[0]).expect("first");
    }
}
