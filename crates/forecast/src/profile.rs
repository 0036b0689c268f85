//! A title as it is known at some moment of the fold, or a project as its makers describe it.
//!
//! A profile never holds an outcome: grosses go to the [`History`](crate::History)'s records, so that no feature can
//! read the answer it is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use marquee_domain::{Currency, Day, Fact, FactKind, FactValue, Horizon, Money, PriceYear, Project};

/// What is known of a title apart from its outcomes. Amounts are US dollars, nominal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// The name.
    pub name: Option<Arc<str>>,
    /// What it costs to make.
    pub budget: Option<f64>,
    /// The first day of the quarter planned for release.
    pub planned_quarter: Option<Day>,
    /// The release day.
    pub release: Option<Day>,
    /// Language.
    pub language: Option<Arc<str>>,
    /// Countries.
    pub countries: BTreeSet<Arc<str>>,
    /// Genres.
    pub genres: BTreeSet<Arc<str>>,
    /// What it is based on.
    pub basis: Option<Arc<str>>,
    /// Style of story.
    pub creative_type: Option<Arc<str>>,
    /// Production companies.
    pub companies: BTreeSet<Arc<str>>,
    /// The distributor.
    pub distributor: Option<Arc<str>>,
    /// The series of titles it belongs to: used only to look up earlier members.
    pub franchise: Option<Arc<str>>,
    /// Directors.
    pub directors: BTreeSet<Arc<str>>,
    /// Leading cast.
    pub cast: BTreeSet<Arc<str>>,
    /// Age rating.
    pub age_rating: Option<Arc<str>>,
    /// Minutes.
    pub runtime: Option<f64>,
    /// The theatres that it opens in.
    pub theatres: Option<f64>,
}

/// Whether an amount is what models are made of: nominal US dollars above zero. Others are passed over, not converted:
/// no table of exchange rates dates them.
pub(crate) fn is_nominal_usd(money: &Money) -> bool {
    money.minor() > 0 && money.currency() == Currency::USD && money.price_year() == PriceYear::Nominal
}

impl Profile {
    /// Takes in a fact. Of several sources that state one thing, the first to be observed stands. Outcomes, scores and
    /// undated crowd edits have no place here and are passed over.
    pub fn observe(&mut self, fact: &Fact) {
        match (&fact.value, fact.kind) {
            (FactValue::Text(text), kind) => self.observe_text(kind, text),
            (FactValue::Money(money), FactKind::Budget) if is_nominal_usd(money) => {
                self.budget.get_or_insert(money.major());
            }
            (FactValue::Day(day), FactKind::PlannedQuarter) => {
                self.planned_quarter.get_or_insert(*day);
            }
            (FactValue::Day(day), FactKind::ReleaseDate) => {
                self.release.get_or_insert(*day);
            }
            (FactValue::Count(minutes), FactKind::Runtime) if *minutes > 0 => {
                self.runtime.get_or_insert(*minutes as f64);
            }
            (FactValue::Count(theatres), FactKind::OpeningTheatres) if *theatres > 0 => {
                self.theatres.get_or_insert(*theatres as f64);
            }
            _ => {}
        }
    }

    fn observe_text(&mut self, kind: FactKind, text: &Arc<str>) {
        let one = if kind == FactKind::Name { Some(&mut self.name) } else { self.one(kind) };
        if let Some(one) = one {
            one.get_or_insert_with(|| text.clone());
        } else if let Some(many) = self.many(kind) {
            many.insert(text.clone());
        }
    }

    /// The word of a kind of trait of which a title has one.
    fn one(&mut self, kind: FactKind) -> Option<&mut Option<Arc<str>>> {
        Some(match kind {
            FactKind::Language => &mut self.language,
            FactKind::Basis => &mut self.basis,
            FactKind::CreativeType => &mut self.creative_type,
            FactKind::Distributor => &mut self.distributor,
            FactKind::Franchise => &mut self.franchise,
            FactKind::AgeRating => &mut self.age_rating,
            _ => return None,
        })
    }

    /// The words of a kind of trait of which a title may have several.
    fn many(&mut self, kind: FactKind) -> Option<&mut BTreeSet<Arc<str>>> {
        Some(match kind {
            FactKind::Country => &mut self.countries,
            FactKind::Genre => &mut self.genres,
            FactKind::Company => &mut self.companies,
            FactKind::Director => &mut self.directors,
            FactKind::Cast => &mut self.cast,
            _ => return None,
        })
    }

    /// What a project says of itself at a horizon: at greenlight its exact day, runtime, age rating and distributor are
    /// left out even where they are planned, as they are for the films that the models learned from.
    #[must_use]
    pub fn of_project(project: &Project, horizon: Horizon) -> Self {
        let set =
            |words: &[String]| words.iter().map(|w| Arc::from(w.as_str())).collect::<BTreeSet<Arc<str>>>();
        let one = |word: &Option<String>| word.as_deref().map(Arc::from);
        let announced = horizon >= Horizon::Announced;
        Self {
            name: Some(Arc::from(project.name.as_str())),
            budget: Some(project.budget.0.major()).filter(|b| *b > 0.0),
            planned_quarter: Some(project.release.quarter_start()),
            release: announced.then_some(project.release),
            language: one(&project.language),
            countries: set(&project.countries),
            genres: set(&project.genres),
            basis: one(&project.basis),
            creative_type: one(&project.creative_type),
            companies: set(&project.companies),
            distributor: one(&project.distributor).filter(|_| announced),
            franchise: one(&project.franchise),
            directors: set(&project.directors),
            cast: set(&project.cast),
            age_rating: one(&project.age_rating).filter(|_| announced),
            runtime: project.runtime.map(f64::from).filter(|_| announced),
            theatres: project.opening_theatres.map(f64::from).filter(|_| horizon.is_charted()),
        }
    }

    /// Gives it other words of a kind of trait, none where there are none; says whether the kind is one.
    pub(crate) fn set(&mut self, kind: FactKind, words: &[Arc<str>]) -> bool {
        if let Some(one) = self.one(kind) {
            *one = words.first().cloned();
        } else if let Some(many) = self.many(kind) {
            *many = words.iter().cloned().collect();
        } else {
            return false;
        }
        true
    }

    /// What the title has in common with others, by kind of fact: the names under which track records are kept.
    pub(crate) fn traits(&self) -> impl Iterator<Item = (FactKind, &Arc<str>)> {
        let one = [
            (FactKind::Language, &self.language),
            (FactKind::Basis, &self.basis),
            (FactKind::CreativeType, &self.creative_type),
            (FactKind::Distributor, &self.distributor),
            (FactKind::Franchise, &self.franchise),
            (FactKind::AgeRating, &self.age_rating),
        ];
        let many = [
            (FactKind::Country, &self.countries),
            (FactKind::Genre, &self.genres),
            (FactKind::Company, &self.companies),
            (FactKind::Director, &self.directors),
            (FactKind::Cast, &self.cast),
        ];
        let one = one.into_iter().filter_map(|(kind, name)| name.as_ref().map(|n| (kind, n)));
        one.chain(many.into_iter().flat_map(|(kind, names)| names.iter().map(move |n| (kind, n))))
    }
}
