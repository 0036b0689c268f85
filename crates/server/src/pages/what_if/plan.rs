//! What the form of a what-if says: read with what is wrong in words, written back, and told apart from what was.

use marquee_app::types::Change;
use marquee_domain::{Budget, Currency, Day, FactKind, Money, Project, Spend};

use super::super::params::Params;

/// The kinds of words in the form: key, label, kind.
pub(super) const WORDS: [(&str, &str, FactKind); 7] = [
    ("genres", "Genres", FactKind::Genre),
    ("language", "Language", FactKind::Language),
    ("directors", "Directors", FactKind::Director),
    ("cast", "Leading cast", FactKind::Cast),
    ("franchise", "Franchise", FactKind::Franchise),
    ("age_rating", "Age rating", FactKind::AgeRating),
    ("distributor", "Distributor", FactKind::Distributor),
];

/// A plan as the form states it; what is not told is as usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) budget: Option<f64>,
    pub(super) marketing: Option<f64>,
    pub(super) release: Option<Day>,
    pub(super) runtime: Option<f64>,
    pub(super) theatres: Option<f64>,
    /// In step with [`WORDS`].
    pub(super) words: [Vec<String>; WORDS.len()],
}

/// What is wrong: the field's key, and in words.
pub(super) type Fault = (&'static str, String);

impl Plan {
    /// What the form says, over what is so far; what it does not mention stays.
    pub(super) fn read(params: &Params, so_far: &Self) -> (Self, Vec<Fault>) {
        let mut plan = so_far.clone();
        let mut faults = Vec::new();
        if params.has("name") {
            params.get("name").clone_into(&mut plan.name);
        }
        let mut put =
            |key: &'static str, place: &mut Option<f64>, read: fn(&str) -> Result<f64, String>| match (
                params.has(key),
                params.get(key),
            ) {
                (false, _) => {}
                (true, "") => *place = None,
                (true, text) => match read(text) {
                    Ok(value) => *place = Some(value),
                    Err(said) => faults.push((key, said)),
                },
            };
        put("budget", &mut plan.budget, amount);
        put("marketing", &mut plan.marketing, amount);
        put("runtime", &mut plan.runtime, |text| whole(text, 1_000));
        put("opening_theatres", &mut plan.theatres, |text| whole(text, 10_000));
        match (params.has("release"), params.get("release")) {
            (true, "") => plan.release = None,
            (true, text) => match text.parse() {
                Ok(day) => plan.release = Some(day),
                Err(_) => faults.push(("release", format!("`{text}` is not a day: write it as 2015-07-03"))),
            },
            (false, _) => {}
        }
        for ((key, _, kind), place) in WORDS.iter().zip(&mut plan.words) {
            if params.has(key) {
                *place = words(*kind, params.get(key));
            }
        }
        (plan, faults)
    }

    /// What a key of the form holds.
    pub(super) fn text(&self, key: &str) -> String {
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.0}"));
        match key {
            "name" => self.name.clone(),
            "budget" => self.budget.map_or_else(String::new, written),
            "marketing" => self.marketing.map_or_else(String::new, written),
            "release" => self.release.map_or_else(String::new, |day| day.to_string()),
            "runtime" => number(self.runtime),
            "opening_theatres" => number(self.theatres),
            _ => {
                let place = WORDS.iter().position(|(own, ..)| *own == key);
                place.map_or_else(String::new, |place| self.words[place].join("; "))
            }
        }
    }

    /// What is changed from an earlier plan. What is left empty that was a figure stays as it was.
    pub(super) fn changes(&self, from: &Self) -> Vec<Change> {
        let moved = |new: Option<f64>, old: Option<f64>| {
            new.filter(|new| old.is_none_or(|old| (new - old).abs() > 0.5))
        };
        let mut changes = Vec::new();
        changes.extend(moved(self.budget, from.budget).map(Change::Budget));
        changes.extend(self.release.filter(|day| Some(*day) != from.release).map(Change::Release));
        changes.extend(moved(self.runtime, from.runtime).map(Change::Runtime));
        changes.extend(moved(self.theatres, from.theatres).map(Change::Theatres));
        for ((_, _, kind), (new, old)) in WORDS.iter().zip(self.words.iter().zip(&from.words)) {
            let sorted = |words: &[String]| {
                let mut words = words.to_vec();
                words.sort_unstable();
                words
            };
            if sorted(new) != sorted(old) {
                changes.push(Change::Trait(*kind, new.iter().map(|word| word.as_str().into()).collect()));
            }
        }
        changes
    }

    /// The plan as a project that is not in the catalogue.
    pub(super) fn project(&self) -> Result<Project, Vec<Fault>> {
        let mut faults: Vec<Fault> = Vec::new();
        if self.budget.is_none() {
            faults.push(("budget", "say what it costs to make, as 80M".to_owned()));
        }
        if self.release.is_none() {
            faults.push(("release", "say when it opens".to_owned()));
        }
        let (Some(budget), Some(release)) = (self.budget, self.release) else { return Err(faults) };
        let money = |x: f64| Money::from_major(x, Currency::USD).map_err(|e| vec![("budget", e.to_string())]);
        let name = if self.name.is_empty() { "This project" } else { &self.name };
        let [genres, language, directors, cast, franchise, age_rating, distributor] = self.words.clone();
        let one = |words: Vec<String>| words.into_iter().next();
        let project = Project {
            marketing: self.marketing.map(|x| money(x).map(Spend)).transpose()?,
            genres,
            language: one(language),
            directors,
            cast,
            franchise: one(franchise),
            age_rating: one(age_rating),
            distributor: one(distributor),
            runtime: self.runtime.map(|minutes| minutes as u32),
            opening_theatres: self.theatres.map(|theatres| theatres as u32),
            ..Project::film(name, Budget(money(budget)?), release)
        };
        project.check().map_err(|e| vec![("budget", e.to_string())])?;
        Ok(project)
    }
}

/// An amount as people write it, in US dollars and above zero.
fn amount(text: &str) -> Result<f64, String> {
    let money: Money =
        text.parse().map_err(|_| format!("`{text}` is not an amount: write it as 80M or 1.5B"))?;
    if money.currency() != Currency::USD {
        return Err(format!("{money} is not in US dollars, in which Marquee forecasts"));
    }
    if money.minor() <= 0 {
        return Err("an amount above zero is wanted".to_owned());
    }
    Ok(money.major())
}

fn whole(text: &str, most: u32) -> Result<f64, String> {
    match text.parse::<u32>() {
        Ok(n) if (1..=most).contains(&n) => Ok(f64::from(n)),
        _ => Err(format!("`{text}` is not a whole number from 1 to {most}")),
    }
}

/// Several words have semicolons between: names have commas in them.
fn words(kind: FactKind, text: &str) -> Vec<String> {
    if !kind.is_many() {
        return Some(text.to_owned()).filter(|word| !word.is_empty()).into_iter().collect();
    }
    text.split(';').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// An amount in the form: `80M` where that loses nothing.
fn written(amount: f64) -> String {
    let tenths = amount / 1e5;
    if amount >= 1e5 && (tenths - tenths.round()).abs() < 1e-9 {
        format!("{}M", tenths.round() / 10.0)
    } else {
        format!("{amount:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_plan_is_read_over_what_is_so_far_and_written_back() {
        let so_far = Plan { budget: Some(80e6), runtime: Some(100.0), ..Plan::default() };
        let asked = params(&[
            ("budget", "$95.5M"),
            ("genres", "Drama; Comedy"),
            ("directors", "Robert Downey, Jr."),
            ("runtime", ""),
        ]);
        let (plan, faults) = Plan::read(&asked, &so_far);
        assert!(faults.is_empty());
        assert_eq!((plan.text("budget").as_str(), plan.runtime), ("95.5M", None));
        assert_eq!(plan.text("genres"), "Drama; Comedy");
        assert_eq!(plan.text("directors"), "Robert Downey, Jr.");
        let words = |words: &[&str]| words.iter().map(|w| (*w).into()).collect();
        let changes = plan.changes(&so_far);
        assert_eq!(changes.len(), 3);
        assert!(changes.contains(&Change::Budget(95.5e6)));
        assert!(changes.contains(&Change::Trait(FactKind::Genre, words(&["Drama", "Comedy"]))));
    }

    #[test]
    fn what_is_wrong_is_said_of_its_field() {
        let asked =
            params(&[("budget", "lots"), ("marketing", "EUR 3M"), ("release", "soon"), ("runtime", "1.5")]);
        let (plan, faults) = Plan::read(&asked, &Plan::default());
        assert_eq!(
            faults.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
            ["budget", "marketing", "runtime", "release"]
        );
        assert!(plan.project().is_err_and(|faults| faults.len() == 2));
    }

    #[test]
    fn the_same_plan_changes_nothing() {
        let (plan, _) = Plan::read(&params(&[("budget", "12345678"), ("genres", "B;A")]), &Plan::default());
        let (again, _) =
            Plan::read(&params(&[("budget", &plan.text("budget")), ("genres", "A; B")]), &Plan::default());
        assert_eq!(again.changes(&plan), []);
    }
}
