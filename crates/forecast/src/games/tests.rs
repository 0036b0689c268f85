//! Games with a known answer.
#![allow(clippy::unwrap_used)]

use marquee_domain::{Control, RecordedAt};
use proptest::prelude::*;

use super::*;
use crate::table::{TableSpec, small_learner, test};

fn first(year: i32) -> Day {
    Day::new(year, 1, 1).unwrap()
}

/// Thirty games a year on three machines by five publishers; six series sell from a fifth to five times what is usual. Sales are
/// known on the last day of the year after.
fn facts(years: std::ops::Range<i32>) -> Vec<Fact> {
    let mut facts = Vec::new();
    for year in years {
        for i in 0..30i32 {
            let title = TitleId((year * 100 + i) as u64);
            let series = i % 6;
            let mut say = |kind, value, known_on: Day| {
                let source = "games".into();
                facts.push(Fact { title, kind, value, known_on, recorded_at: RecordedAt(0), source });
            };
            let text = |text: String| FactValue::Text(text.into());
            let names =
                ["Alpha Quest", "Bravo Kart", "Corsair Saga", "Delta Force", "Echo Park", "Foxtrot Zone"];
            say(FactKind::Name, text(format!("{} {} {i}", names[series as usize], year % 100)), first(year));
            say(FactKind::ReleaseYear, FactValue::Count(i64::from(year)), first(year));
            say(FactKind::Platform, text(format!("M{}", i / 6 % 3)), first(year));
            say(FactKind::Genre, text(format!("Genre {}", i / 3 % 2)), first(year));
            say(FactKind::Distributor, text(format!("House {}", i % 5)), first(year));
            let noise = f64::from((year * 31 + i * 17) % 7 - 3) * 0.1;
            let units = 2e5 * (f64::from(series - 2) * 0.6 + noise).exp();
            let later = Day::new(year + 1, 12, 31).unwrap();
            say(FactKind::Units, FactValue::Count(units as i64), later);
            say(FactKind::UnitsJapan, FactValue::Count((units * 0.2) as i64), later);
        }
    }
    facts.sort_by_key(|fact| fact.known_on);
    facts
}

fn spec(cut: Day) -> TableSpec {
    TableSpec {
        what: "games".to_owned(),
        trained_before: cut,
        without: Vec::new(),
        data: "test".to_owned(),
        ensemble: small_learner(),
    }
}

#[test]
fn series_tell_what_their_next_sells() {
    let facts = facts(1995..2013);
    let seen = table(&facts, &[], AsOf(Day::MAX));
    assert_eq!(seen.rows.len(), 18 * 30);
    let period = first(2010)..=first(2012);
    let found = test(&seen, &spec(first(2010)), &period, &Control::default()).unwrap();
    // Noise alone has a deviation of .2 and series one of 1.02.
    assert!(found.n == 90 && found.rmse < 0.35, "{}", found.rmse);
    assert!(found.baselines[0].rmse > 0.8 && found.baselines[2].rmse < 0.7, "{:?}", found.baselines);
    assert!(found.told[0].1.drivers[0].0 == "series", "{:?}", found.told[0].1.drivers);
}

#[test]
fn a_game_that_is_not_known_is_seen_by_its_name() {
    let facts = facts(1995..2013);
    let fitted = {
        let seen = table(&facts, &[], AsOf(first(2013)));
        spec(first(2013)).fit(&seen, &Control::default()).unwrap()
    };
    let game = |name: &str, year| Game {
        name: name.into(),
        year,
        machine: Some("M1".into()),
        genre: Some("Genre 1".into()),
        publisher: Some("House 1".into()),
    };
    let sells = |name: &str, year| {
        let seen = table(&facts, &[game(name, year)], AsOf(first(2013)));
        let row = seen.rows.iter().find(|row| row.title.is_none()).unwrap();
        fitted.forecast(row).unwrap().quantiles[3].exp()
    };
    let (best, least) = (sells("Foxtrot Zone Forever", 2013), sells("Alpha Quest Forever", 2013));
    assert!(best > 5.0 * least && best > 6e5, "{best} {least}");
    // Years ahead nothing more is known than today.
    assert!((sells("Foxtrot Zone Forever", 2016) / best).ln().abs() < 1.0);
}

#[test]
fn rows_for_a_part_of_the_world_do_not_count() {
    let mut facts = facts(2000..2002);
    let name = facts.iter_mut().find(|fact| fact.kind == FactKind::Name).unwrap();
    name.value = FactValue::Text("Alpha Quest(US sales)".into());
    assert_eq!(games(&facts).len(), 59);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What becomes known after the first day of a game's year moves nothing that is seen of it.
    #[test]
    fn the_future_is_out_of_reach(year in 1998..2004i32, factor in 2..9i64) {
        let known = facts(1995..2006);
        let mut changed = known.clone();
        for fact in changed.iter_mut().filter(|fact| fact.known_on > first(year)) {
            if let FactValue::Count(n) = &mut fact.value && fact.kind != FactKind::ReleaseYear {
                *n *= factor;
            }
        }
        let rows = |facts: &[Fact]| {
            let seen = table(facts, &[], AsOf(Day::MAX)).rows.into_iter().filter(|row| row.release == first(year));
            seen.map(|row| format!("{:?} {} {:?}", row.numbers, row.level, row.guesses)).collect::<Vec<_>>()
        };
        prop_assert_eq!(rows(&known), rows(&changed));
    }
}
