//! The lake from the outside: what goes in, what comes out, and what stays invisible.

use crate::common::{HEAD, House, MAP, options};
use marquee_catalogue::{FactFilter, IssueFilter, Lake, Mapping, Source, SqlLimits, TitleQuery};
use marquee_domain::{Action, Control, Day, FactKind};

#[test]
fn a_row_becomes_dated_facts() {
    let house = House::new();
    let report = house
        .ingest_bytes(
            "mine.csv",
            format!("{HEAD}7,300,2006-12-08,65000000,100.5,200,60,War|Action\n").as_bytes(),
            MAP,
        )
        .unwrap();
    assert_eq!((report.rows, report.kept_rows, report.refused_rows), (1, 1, 0));
    let want = [
        "2005-06-16 name 300",
        "2005-06-16 source_id house:7",
        "2005-06-16 planned_quarter 2006-10-01",
        "2005-06-16 budget 6500000000",
        "2005-06-16 genre War",
        "2005-06-16 genre Action",
        "2006-11-08 release_date 2006-12-08",
        "2007-04-07 domestic_gross 10050",
        "2007-04-07 worldwide_gross 20000",
        "2020-01-01 critic_score 60",
    ];
    assert_eq!(house.lines(), want);
}

#[test]
fn ids_are_called_by_the_names_that_the_map_gives_them() {
    let house = House::new();
    let split = r#"kind = "genre", split = "|""#;
    let map = MAP.replace(split, &format!(r#"{split}, words = {{ 28 = "Action", 18 = "Drama" }}"#));
    assert_ne!(map, MAP);
    house
        .ingest_bytes("mine.csv", format!("{HEAD}7,300,2006-12-08,5,,,,28|7|18\n").as_bytes(), &map)
        .unwrap();
    let genres: Vec<String> = house.lines().into_iter().filter(|l| l.contains(" genre ")).collect();
    assert_eq!(genres, ["Action", "7", "Drama"].map(|name| format!("2005-06-16 genre {name}")));
}

#[test]
fn what_breaks_a_rule_is_refused_and_counted() {
    let house = House::new();
    let rows = "1,A,1999-02-30,-5,9,8,NaN,\n2,B,2001-01-01,0,1e400,3,60,x\n2,C,2001-01-01,1,1,1,1,x\n,D,,,,,,\n5,,2001-01-01,,,,,\n6,F,x\n7,G🎬,2001-01-01,,,,,\n";
    let report = house.ingest_bytes("mine.csv", format!("{HEAD}{rows}").as_bytes(), MAP).unwrap();
    let counts: Vec<String> = report.rules.iter().map(|(rule, c)| format!("{rule} {}", c.count)).collect();
    let want = [
        "cost.range 1",
        "home.range 1",
        "name.required 1",
        "opens.date 1",
        "row.id 1",
        "row.unique 1",
        "row.width 1",
        "score.range 1",
        "world.at_least 1",
    ];
    assert_eq!(counts, want);
    assert_eq!((report.rows, report.kept_rows, report.refused_rows, report.unknown_zeros), (7, 3, 4, 1));
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let issues = house
        .wait(snapshot.issues(&IssueFilter { action: Some(Action::RowRefused), ..IssueFilter::default() }))
        .unwrap();
    let rows: Vec<u64> = issues.iter().map(|i| i.issue.row).collect();
    assert_eq!(rows, [3, 4, 5, 6]);
    let to = house.folder.path().join("quarantine.csv");
    assert_eq!(house.wait(snapshot.export_quarantine("mine", &to)).unwrap(), 4);
    let text = std::fs::read_to_string(to).unwrap();
    assert!(text.starts_with(HEAD) && text.contains("\n6,F,x\n"), "{text}");
}

#[test]
fn the_same_file_again_is_nothing_new_and_a_changed_one_takes_its_place() {
    let house = House::new();
    let one = format!("{HEAD}1,A,2001-01-01,5,,,,\n");
    let first = house.ingest_bytes("mine.csv", one.as_bytes(), MAP).unwrap();
    let again = house.ingest_bytes("mine.csv", one.as_bytes(), MAP).unwrap();
    assert!(!first.unchanged && again.unchanged && again.version == first.version);
    let mark = house.wait(house.lake.snapshot()).unwrap().fingerprint();
    house.ingest_bytes("mine.csv", one.replace(",5,", ",6,").as_bytes(), MAP).unwrap();
    assert!(house.lines().contains(&"1999-07-11 budget 600".to_owned()), "{:?}", house.lines());
    assert_eq!(house.lines().iter().filter(|l| l.contains("budget")).count(), 1);
    let earlier = house.wait(house.lake.snapshot_at(first.version)).unwrap();
    assert_eq!(earlier.fingerprint(), mark);
    assert_ne!(house.wait(house.lake.snapshot()).unwrap().fingerprint(), mark);
}

#[test]
fn a_cancelled_or_failed_ingest_leaves_nothing_visible() {
    let house = House::new();
    let path = house.file("mine.csv", format!("{HEAD}1,A,2001-01-01,5,,,,\n").as_bytes());
    let source = Source { path, map: Mapping::parse(MAP, "t").unwrap(), priority: 0 };
    let control = Control::default();
    control.cancel();
    assert!(house.wait(house.lake.ingest(&source.into(), &options(), &control)).is_err());
    assert!(
        house
            .ingest_bytes("a.csv", HEAD.replace("cost", "price").as_bytes(), MAP)
            .unwrap_err()
            .to_string()
            .contains("cost")
    );
    assert_eq!(house.wait(house.lake.snapshot()).unwrap().version(), 0);
}

#[test]
fn a_torn_manifest_is_passed_over_and_a_damaged_file_is_found() {
    let house = House::new();
    house.ingest_bytes("mine.csv", format!("{HEAD}1,A,2001-01-01,5,,,,\n").as_bytes(), MAP).unwrap();
    let root = house.folder.path().join("lake");
    std::fs::write(root.join("manifest/v00000002.json"), "{\"format\":1,\"ver").unwrap();
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let check = house.wait(snapshot.check()).unwrap();
    assert!(check.is_sound() && check.torn.len() == 1, "{check:?}");
    house.ingest_bytes("mine.csv", format!("{HEAD}1,A,2001-01-01,6,,,,\n").as_bytes(), MAP).unwrap();
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    assert_eq!(snapshot.version(), 3);
    let file = root.join(&snapshot.sources()[0].files[0].path);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(house.wait(snapshot.check()).unwrap().damaged.len(), 1);
}

#[test]
fn two_writers_both_win() {
    let house = House::new();
    let lake = house.wait(Lake::open(&house.folder.path().join("lake").to_string_lossy())).unwrap();
    let source = |name: &str| {
        let path = house.file(&format!("{name}.csv"), format!("{HEAD}1,A,2001-01-01,5,,,,\n").as_bytes());
        Source {
            path,
            map: Mapping::parse(&MAP.replace("\"mine\"", &format!("{name:?}")), "t").unwrap(),
            priority: 0,
        }
    };
    let (a, b) = (source("a").into(), source("b").into());
    let (options, control) = (options(), Control::default());
    let both =
        futures::future::join(house.lake.ingest(&a, &options, &control), lake.ingest(&b, &options, &control));
    let (a, b) = house.wait(both);
    assert!(a.is_ok() && b.is_ok());
    let snapshot = house.wait(lake.snapshot()).unwrap();
    assert_eq!((snapshot.version(), snapshot.sources().len()), (2, 2));
}

#[test]
fn titles_are_one_by_id_or_by_name_and_year_but_not_against_an_id() {
    let house = House::new();
    let two = r#"
name = "two"
id = [{ space = "other", column = "o" }, { space = "house", column = "h" }]
release = { column = "d" }
column = [{ from = "n", kind = "name" }]
"#;
    house.ingest_bytes("mine.csv", format!("{HEAD}1,The Wave,2001-01-01,5,,,,\n2,Wave,2002-01-01,5,,,,\n3,Twin,2003-01-01,,,,,\n4,Twin,2003-05-01,,,,,\n").as_bytes(), MAP).unwrap();
    house
        .ingest_bytes(
            "two.csv",
            b"o,h,n,d\na,1,Die Welle,2001-03-01\nb,,\"Wave, The\",2002-07-01\nc,,Twin,2003-01-01\n",
            two,
        )
        .unwrap();
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let identity = house.wait(snapshot.identity()).unwrap();
    let keys: Vec<&str> = identity.merges().iter().map(|m| m.key.as_str()).collect();
    assert_eq!(keys, ["house:1", "wave (2002)"]);
    assert_eq!(identity.titles().len(), 5);
    let found = house
        .wait(snapshot.titles(&TitleQuery { text: Some("wave".into()), ..TitleQuery::default() }))
        .unwrap();
    assert_eq!(found.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["Wave", "The Wave"]);
    assert_eq!(found[1].source_ids.len(), 2);
}

#[test]
fn sql_answers_and_changes_nothing() {
    let house = House::new();
    house
        .ingest_bytes(
            "mine.csv",
            format!("{HEAD}1,A,2001-01-01,5,,,200,x|y\n2,B,2001-01-01,6,,,,\n").as_bytes(),
            MAP,
        )
        .unwrap();
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let ask = |q: &str| house.wait(snapshot.sql(q, &SqlLimits { rows: 1, ..SqlLimits::default() }));
    let sum = ask("SELECT count(*) AS n, sum(value_usd) AS usd FROM facts WHERE kind = 'budget'").unwrap();
    assert_eq!(serde_json::to_string(&sum.rows).unwrap(), "[[2,11.0]]");
    assert!(ask("SELECT name FROM titles ORDER BY name").unwrap().truncated);
    assert_eq!(ask("SELECT rule FROM issues").unwrap().rows[0][0], "score.range");
    for bad in [
        "DROP TABLE facts",
        "CREATE TABLE x AS SELECT 1",
        "COPY facts TO 'x.csv'",
        "INSERT INTO facts SELECT * FROM facts",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "SELECT * FROM '/etc/passwd'",
        "SET x = 1",
        "SELECT",
        "",
    ] {
        assert!(ask(bad).is_err(), "{bad}");
    }
}

/// The failure that was found: a chain of a thousand operators overflowed the stack and took the program with it.
#[test]
fn long_queries_are_answered_or_refused() {
    let house = House::new();
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let ask = |q: &str| house.wait(snapshot.sql(q, &SqlLimits::default()));
    let chain = |n: usize, unit: &str, by: &str| format!("SELECT {}", vec![unit; n].join(by));
    assert_eq!(ask(&chain(900, "1", "+")).unwrap().rows[0][0], 900);
    assert_eq!(ask(&chain(300, "1", " UNION ALL SELECT ")).unwrap().rows.len(), 300);
    let values = format!("SELECT 7 IN ({})", vec!["7"; 5_000].join(","));
    assert_eq!(ask(&values).unwrap().rows[0][0], true);
    for long in [chain(9_000, "1", "+"), format!("SELECT {}1", "NOT ".repeat(4_000)), chain(3_000, "(", "")] {
        let refused = ask(&long).unwrap_err().to_string();
        assert!(refused.starts_with("sql: "), "{refused}");
    }
}

#[test]
fn order_does_not_depend_on_layout_and_filters_hold() {
    let house = House::new();
    let row = |i: i32| format!("{i},T{i},{}-0{}-01,{i},,,,a|b\n", 1990 + i % 20, 1 + i % 9);
    let rows: String = (1..3000).rev().map(row).collect();
    house.ingest_bytes("mine.csv", format!("{HEAD}{rows}").as_bytes(), MAP).unwrap();
    let snapshot = house.wait(house.lake.snapshot()).unwrap();
    let to = Day::new(2000, 1, 1).unwrap();
    let filter = FactFilter {
        kinds: vec![FactKind::Budget, FactKind::Genre],
        known_to: Some(to),
        ..FactFilter::default()
    };
    let facts = house.wait(snapshot.all_facts(&filter)).unwrap();
    assert!(
        !facts.is_empty()
            && facts.iter().all(|f| f.fact.known_on <= to && filter.kinds.contains(&f.fact.kind))
    );
    assert!(facts.is_sorted_by_key(|f| (f.fact.known_on, f.fact.title, f.fact.kind)));
    let one = facts[0].fact.title;
    let of_one = house.wait(snapshot.all_facts(&FactFilter { titles: vec![one], ..filter })).unwrap();
    assert_eq!(of_one.len(), 3);
}
