//! The built-in maps: on a sample of the bundled table, and on the research tables where they are at hand.

use crate::common::{House, options};
use marquee_catalogue::{FactFilter, Source, SourceSet, builtin_maps};
use marquee_domain::{Control, FactKind};

#[test]
fn the_built_in_maps_are_well_formed() {
    assert_eq!(builtin_maps().unwrap().len(), 16);
}

#[test]
fn the_bundled_table_is_read_with_its_known_faults() {
    let house = House::new();
    let text = "title,us_gross,worldwide_gross,us_dvd_sales,production_budget,release_date,mpaa_rating,running_time_min,distributor,source,major_genre,creative_type,director,rotten_tomatoes_rating,imdb_rating,imdb_votes\n\
        The Land Girls,146083,146083,,8000000,Jun 12 1998,R,,Gramercy,,,,,,6.1,1071\n\
        1776,0,0,,4000000,Nov 09 1972,PG,,Sony/Columbia,Based on Play,Drama,Historical Fiction,,57,7,4099\n\
        The Best Years of Our Lives,23600000,23600000,,2100000,Nov 21 2046,,,RKO,,Drama,,,,,\n";
    let path = house.file("films.csv", text.as_bytes());
    let report = house.ingest(Source::detect(path).unwrap()).unwrap();
    assert_eq!((report.source.as_str(), report.kept_rows, report.unknown_zeros), ("films", 3, 2));
    assert_eq!(report.rules["release_date.century"].count, 1);
    assert!(house.lines().contains(&"1946-10-22 release_date 1946-11-21".to_owned()), "{:#?}", house.lines());
    assert!(house.lines().contains(&"1971-05-19 name 1776".to_owned()));
}

/// An id of several columns, a fact that is known two days after the day in a column, and a word that means nothing.
#[test]
fn a_weekly_list_is_read() {
    let house = House::new();
    let text = "week\tcategory\tweekly_rank\tshow_title\tseason_title\tweekly_hours_viewed\truntime\tweekly_views\tcumulative_weeks_in_top_10\n\
        2024-06-30\tTV (English)\t1\tWednesday\tWednesday: Season 1\t1000000\t\t50000\t1\n\
        2024-06-30\tFilms (English)\t2\tUnder Paris\tN/A\t20000000\t1.7\t\t2\n";
    let path = house.file("all-weeks-global.tsv", text.as_bytes());
    let report = house.ingest(Source::detect(path).unwrap()).unwrap();
    assert_eq!((report.source.as_str(), report.kept_rows, report.refused_rows), ("netflix_top10", 2, 0));
    let lines = house.lines();
    for stated in [
        "2024-07-02 weekly_hours 1000000",
        "2024-07-02 weekly_views 50000",
        "2024-07-02 weekly_rank 2",
        "2024-07-02 name Wednesday: Season 1",
        "2024-07-02 name Under Paris",
    ] {
        assert!(lines.contains(&stated.to_owned()), "{stated}: {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.ends_with("name N/A")), "{lines:#?}");
    for id in ["netflix:Wednesday|Wednesday: Season 1|TV (English)", "netflix:Under Paris|Films (English)"] {
        assert!(lines.iter().any(|line| line.ends_with(id)), "{id}: {lines:#?}");
    }
}

/// Rows that end early and count only in some categories, facts of two columns that only some rows state, known on a day of
/// the year after; and a film that both tables name but one writes with its year, and without an id.
#[test]
fn awards_are_read() {
    let house = House::new();
    let head = "Ceremony\tYear\tClass\tCanonicalCategory\tCategory\tFilm\tFilmId\tName\tNominees\tNomineeIds\tWinner\tDetail\tNote\tCitation\n";
    let text = head.to_owned()
        + "6\t1932/33\tDirecting\tDIRECTING\tDIRECTING\tCavalcade\ttt0023876\tFrank Lloyd\tFrank Lloyd\tnm0515979\tTrue\n\
           21\t1948\tActing\tACTOR IN A LEADING ROLE\tACTOR\tHamlet\ttt0040416\tLaurence Olivier\tLaurence Olivier\tnm0000059\n\
           21\t1948\tSpecial\tHONORARY AWARD\tHONORARY\t\t\tSomebody\n";
    let path = house.file("oscars.tsv", text.as_bytes());
    let report = house.ingest(Source::detect(path).unwrap()).unwrap();
    assert_eq!((report.source.as_str(), report.kept_rows, report.refused_rows), ("oscars", 2, 0));
    let text = "year_film,year_award,ceremony,category,nominee,film,win\n\
        1948,1949,6,Actor In A Leading Role,Laurence Olivier,Hamlet (1948),True\n\
        1948,1949,6,Picture,Johnny Belinda,,False\n\
        1948,1949,6,Television Series,Pantomime Quiz,,True\n";
    let path = house.file("golden_globe_awards.csv", text.as_bytes());
    let report = house.ingest(Source::detect(path).unwrap()).unwrap();
    assert_eq!((report.source.as_str(), report.kept_rows), ("golden_globes", 2));
    let lines = house.lines();
    for stated in [
        "1934-03-15 award_nomination oscar directing|Frank Lloyd",
        "1934-04-30 award_win oscar directing|Frank Lloyd",
        "1949-03-15 award_nomination oscar actor|Laurence Olivier",
        "1949-03-10 award_nomination globe drama actor|Laurence Olivier",
        "1949-03-31 award_win globe drama actor|Laurence Olivier",
        "1949-03-10 award_nomination globe drama|Johnny Belinda",
    ] {
        assert!(lines.contains(&stated.to_owned()), "{stated}: {lines:#?}");
    }
    let wins = lines.iter().filter(|line| line.contains("award_win")).count();
    let nominated: std::collections::BTreeSet<_> = house
        .facts()
        .iter()
        .filter(|f| f.fact.kind == FactKind::AwardNomination && f.fact.known_on.year() == 1949)
        .map(|f| f.fact.title)
        .collect();
    assert_eq!((wins, nominated.len()), (2, 2), "Hamlet is one title");
    assert!(
        !lines.iter().any(|line| line.ends_with(" name Laurence Olivier")),
        "people are no names of films"
    );
}

/// A win finds its nomination by the same words, and rows that count are those that have words.
#[test]
fn maps_of_awards_use_one_vocabulary() {
    let maps = builtin_maps().unwrap();
    for name in ["oscars", "golden_globes"] {
        let map = maps.iter().find(|map| map.name == name).unwrap();
        let words = |kind| &map.column.iter().find(|c| c.kind == kind).unwrap().words;
        let (nominations, wins) = (words(FactKind::AwardNomination), words(FactKind::AwardWin));
        assert_eq!(nominations, wins, "{name}");
        let counted: std::collections::BTreeSet<_> = map.only.as_ref().unwrap().any_of.iter().collect();
        assert_eq!(counted, nominations.keys().collect(), "{name}");
        assert!(nominations.values().all(|word| word.parse::<marquee_domain::Award>().is_ok()), "{name}");
    }
}

#[test]
fn the_research_tables_are_read() {
    let Some(folder) = std::env::var_os("MARQUEE_RESEARCH_DATA") else {
        eprintln!("skipped: MARQUEE_RESEARCH_DATA names no folder with the research tables");
        return;
    };
    let house = House::new();
    let set = SourceSet::detect(std::path::Path::new(&folder).join("films")).unwrap();
    assert_eq!(set.sources.len(), 11);
    let started = std::time::Instant::now();
    let reports = house.wait(house.lake.ingest(&set, &options(), &Control::default())).unwrap();
    eprintln!("ingest {:?}", started.elapsed());
    for r in &reports {
        let rules: Vec<String> = r
            .rules
            .iter()
            .map(|(n, c)| format!("{n}={} e.g. {:?}", c.count, c.example.as_ref().map(|e| &e.value)))
            .collect();
        eprintln!(
            "{}: {} rows, {} kept, {} skipped; {}",
            r.source,
            r.rows,
            r.kept_rows,
            r.skipped_rows,
            rules.join("; ")
        );
    }
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let started = std::time::Instant::now();
    let identity = house.wait(snapshot.identity()).unwrap();
    eprintln!(
        "identity {:?}: {} titles, {} merges",
        started.elapsed(),
        identity.titles().len(),
        identity.merges().len()
    );
    let started = std::time::Instant::now();
    let facts = house.wait(snapshot.all_facts(&FactFilter::default())).unwrap();
    eprintln!("{} facts {:?}", facts.len(), started.elapsed());
    let titles = &reports[0];
    assert_eq!((titles.rows, titles.facts[&FactKind::Budget] > 10_000), (10_429, true));
    assert_eq!(reports[1].kept_rows, 2_383);
    assert_eq!(snapshot.sources().iter().find(|e| e.source == "daily_grosses").unwrap().rows, 241_162);
    let by_name =
        identity.merges().iter().filter(|m| m.by == marquee_catalogue::MergedBy::NameAndYear).count();
    eprintln!("by name {by_name}");
    assert!(by_name > 2_000, "movie_stats has names and years only");
}
