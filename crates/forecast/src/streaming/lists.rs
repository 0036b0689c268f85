//! Weekly lists of the most watched, as facts tell them: which title stood where in which list, and what it was worth.
//!
//! A week is named by the day on which its list became known. What does not make a list is not known, only that it was less
//! than the last place.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use marquee_domain::{AsOf, Day, Fact, FactKind, FactValue, TitleId};

/// Everything that the lists known on a day say.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// The titles, by id.
    pub listings: BTreeMap<TitleId, Listing>,
    /// What there is to tell of each list's week.
    places: HashMap<(Arc<str>, Day), Places>,
    /// How many titles of a show are listed in a week.
    shows: HashMap<(Arc<str>, Day), u32>,
    /// The first week in which anything of a show is listed.
    debuts: HashMap<Arc<str>, Day>,
    first: Option<Day>,
    last: Option<Day>,
}

/// One title's weeks on its list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// The name; empty where nobody stated one.
    pub name: Arc<str>,
    /// The show that it is a season of; its own name for a film.
    pub show: Arc<str>,
    /// The list.
    pub list: Arc<str>,
    /// Its weeks, in order.
    pub weeks: Vec<ListWeek>,
}

/// One week of a title.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListWeek {
    /// The day on which it became known.
    pub known: Day,
    /// Hours viewed.
    pub hours: f64,
    /// Views, where the source counts them: NaN elsewhere.
    pub views: f64,
    /// Its place, from 1.
    pub rank: u32,
}

/// The ends of a list's week.
#[derive(Debug, Clone, Copy)]
struct Places {
    /// The least and the most of what the list goes by: views where all have them, else hours.
    lowest: f64,
    highest: f64,
    least_hours: f64,
    by_views: bool,
}

/// Days from one list to the next.
pub(super) const WEEK: i32 = 7;

impl Lists {
    /// What the facts known by a day say; they must be in order of `known_on`.
    #[must_use]
    pub fn of(facts: &[Fact], as_of: AsOf) -> Self {
        let mut lists = Self::default();
        for fact in facts.iter().take_while(|fact| as_of.knows(fact.known_on)) {
            lists.observe(fact);
        }
        lists.listings.retain(|_, listing| !listing.list.is_empty() && !listing.weeks.is_empty());
        for listing in lists.listings.values_mut() {
            listing.weeks.retain(|week| week.hours > 0.0 && week.rank > 0);
        }
        lists.listings.retain(|_, listing| !listing.weeks.is_empty());
        lists.survey();
        lists
    }

    fn observe(&mut self, fact: &Fact) {
        let listing = self.listings.entry(fact.title).or_default();
        match (&fact.value, fact.kind) {
            (FactValue::Text(text), FactKind::Name) if listing.name.is_empty() => listing.name = text.clone(),
            (FactValue::Text(text), FactKind::Franchise) if listing.show.is_empty() => {
                listing.show = text.clone();
            }
            (FactValue::Text(text), FactKind::WeeklyList) if listing.list.is_empty() => {
                listing.list = text.clone();
            }
            (FactValue::Count(n), FactKind::WeeklyHours | FactKind::WeeklyViews | FactKind::WeeklyRank) => {
                if listing.weeks.last().is_none_or(|week| week.known != fact.known_on) {
                    let known = fact.known_on;
                    listing.weeks.push(ListWeek { known, hours: f64::NAN, views: f64::NAN, rank: 0 });
                }
                if let Some(week) = listing.weeks.last_mut() {
                    match fact.kind {
                        FactKind::WeeklyHours => week.hours = *n as f64,
                        FactKind::WeeklyViews => week.views = *n as f64,
                        _ => week.rank = u32::try_from(*n).unwrap_or(0),
                    }
                }
            }
            _ => {}
        }
    }

    fn survey(&mut self) {
        let mut weeks: HashMap<(Arc<str>, Day), Vec<ListWeek>> = HashMap::new();
        for listing in self.listings.values() {
            for week in &listing.weeks {
                weeks.entry((listing.list.clone(), week.known)).or_default().push(*week);
                *self.shows.entry((listing.show.clone(), week.known)).or_default() += 1;
                let debut = self.debuts.entry(listing.show.clone()).or_insert(week.known);
                *debut = week.known.min(*debut);
                self.first = Some(self.first.map_or(week.known, |day| day.min(week.known)));
                self.last = Some(self.last.map_or(week.known, |day| day.max(week.known)));
            }
        }
        for (of, weeks) in weeks {
            let by_views = weeks.iter().all(|week| week.views > 0.0);
            let worth = |week: &ListWeek| if by_views { week.views } else { week.hours };
            let least = |of: &dyn Fn(&ListWeek) -> f64| weeks.iter().map(of).fold(f64::MAX, f64::min);
            let places = Places {
                lowest: least(&worth),
                highest: weeks.iter().map(worth).fold(0.0, f64::max),
                least_hours: least(&|week| week.hours),
                by_views,
            };
            self.places.insert(of, places);
        }
    }

    /// The day on which the newest lists became known.
    #[must_use]
    pub fn last(&self) -> Option<Day> {
        self.last
    }

    /// The titles of the newest lists, by list and place.
    #[must_use]
    pub fn newest(&self) -> Vec<TitleId> {
        let now =
            |listing: &Listing| listing.weeks.last().filter(|week| Some(week.known) == self.last).copied();
        let mut found: Vec<(&Arc<str>, u32, TitleId)> = self
            .listings
            .iter()
            .filter_map(|(title, listing)| now(listing).map(|week| (&listing.list, week.rank, *title)))
            .collect();
        found.sort();
        found.into_iter().map(|(_, _, title)| title).collect()
    }

    /// Whether a title's debut is known: lists that had begun before the table did hold titles of any age.
    pub(super) fn debut_is_known(&self, listing: &Listing) -> bool {
        listing.weeks.first().map(|week| week.known) > self.first
    }

    /// What a model sees of a title in its week number `at`, in the order of [`NUMBERS`]; NaN is missing.
    pub(super) fn numbers(&self, listing: &Listing, at: usize) -> [f64; NUMBERS.len()] {
        let weeks = &listing.weeks[..=at];
        let now = weeks[at];
        let streak = streak(weeks);
        let before = |back: usize| (back < streak).then(|| weeks[at - back].hours);
        let ratio = |back: usize| match (before(back), before(back + 1)) {
            (Some(later), Some(earlier)) => (later / earlier).ln(),
            _ => f64::NAN,
        };
        let places = self.places.get(&(listing.list.clone(), now.known));
        let of_place = |value: &dyn Fn(&Places) -> f64| places.map_or(f64::NAN, value);
        let worth = |p: &Places| if p.by_views { now.views } else { now.hours };
        let count = self.debuts.get(&listing.show).zip(weeks.first());
        let returning = count.is_some_and(|(debut, first)| *debut < first.known);
        let siblings = self.shows.get(&(listing.show.clone(), now.known)).copied().unwrap_or(1) - 1;
        let peak = weeks.iter().map(|week| week.hours).fold(0.0, f64::max);
        let flag = |is: bool| f64::from(u8::from(is));
        let age = weeks.len().min(9) as f64;
        [
            now.hours.ln(),
            (now.hours / weeks[0].hours).ln(),
            (now.hours / peak).ln(),
            ratio(0),
            ratio(1),
            age,
            age.ln(),
            (streak as f64).ln(),
            flag(streak < weeks.len()),
            f64::from(now.rank),
            f64::from(now.rank).ln(),
            of_place(&|p| (worth(p) / p.lowest).ln()),
            of_place(&|p| (worth(p) / p.highest).ln()),
            of_place(&|p| p.least_hours.ln()),
            f64::from(siblings),
            flag(returning),
        ]
    }

    /// What the title at a place of a list had in the week known on `day`.
    pub(super) fn at_place(&self, list: &Arc<str>, rank: u32, day: Day) -> Option<f64> {
        let of = |listing: &Listing| {
            let at = listing.weeks.binary_search_by_key(&day, |week| week.known).ok()?;
            (listing.weeks[at].rank == rank).then_some(listing.weeks[at].hours)
        };
        self.listings.values().filter(|listing| listing.list == *list).find_map(of)
    }
}

/// How many of the last weeks followed each other without a gap.
pub(super) fn streak(weeks: &[ListWeek]) -> usize {
    let follows = |pair: &&[ListWeek]| pair[1].known.days_since(pair[0].known) == WEEK;
    1 + weeks.windows(2).rev().take_while(follows).count()
}

/// What a model sees: name and driver group.
pub(super) const NUMBERS: [(&str, &str); 16] = [
    ("hours", "level"),
    ("over_first", "level"),
    ("over_peak", "level"),
    ("ratio", "trend"),
    ("ratio_before", "trend"),
    ("weeks", "age"),
    ("log_weeks", "age"),
    ("streak", "age"),
    ("returned", "age"),
    ("rank", "place"),
    ("log_rank", "place"),
    ("over_last_place", "place"),
    ("over_first_place", "place"),
    ("last_place", "place"),
    ("siblings", "show"),
    ("earlier_season", "show"),
];
