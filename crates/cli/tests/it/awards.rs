//! Awards from tables to chances: what comes after the eve of a season moves none, and the test of many stands beside prior
//! nominations alone.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::{ask, marquee};

/// Forty years of two awards with five nominees each, of which the one with the Golden Globe wins; in the last year another.
fn write(folder: &Path, last_winner: usize) -> [String; 2] {
    let mut oscars = "Ceremony\tYear\tClass\tCanonicalCategory\tCategory\tFilm\tFilmId\tName\tNominees\tNomineeIds\tWinner\tDetail\tNote\tCitation\n".to_owned();
    let mut globes = "year_film,year_award,ceremony,category,nominee,film,win\n".to_owned();
    for year in 1960..2015 {
        for i in 0..5 {
            let (film, id) = (format!("Film {i} of {year}"), format!("tt{year}{i}"));
            let globe = i == (year % 5) as usize;
            let wins = if year == 2014 { i == last_winner } else { globe };
            let win = if globe { "True" } else { "False" };
            let winner = if wins { "True" } else { "" };
            for (category, who) in [("BEST PICTURE", "Producer"), ("DIRECTING", "Director")] {
                writeln!(
                    oscars,
                    "1\t{year}\tX\t{category}\t{category}\t{film}\t{id}\t{who}\t{who} {i}\tnm\t{winner}"
                )
                .unwrap();
            }
            writeln!(globes, "{year},{},1,Best Motion Picture - Drama,{film},,{win}", year + 1).unwrap();
            writeln!(
                globes,
                "{year},{},1,Best Director - Motion Picture,Director {i},{film},{win}",
                year + 1
            )
            .unwrap();
        }
    }
    [("oscars.tsv", oscars), ("golden_globe_awards.csv", globes)].map(|(name, text)| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

#[test]
fn awards_are_forecast_on_their_eve() {
    let folder = tempfile::tempdir().unwrap();
    let of = |last_winner: usize| {
        let data = folder.path().join(format!("data-{last_winner}"));
        let [oscars, globes] = write(folder.path(), last_winner);
        ask(&data, &["ingest", &oscars, &globes]);
        (ask(&data, &["awards"]), data)
    };
    let ((one, data), (other, _)) = (of(2), of(3));
    assert_eq!((&one["year"], one["awards"].as_array().unwrap().len()), (&2014.into(), 2));
    let chances = |answer: &serde_json::Value| {
        let chances = answer["awards"][0]["chances"].as_array().unwrap().clone();
        chances
            .into_iter()
            .map(|c| (c["name"].to_string(), c["probability"].as_f64().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(chances(&one), chances(&other), "who won moved a chance");
    let (first, chance) = &chances(&one)[0];
    assert!(first.contains("Film 4 of 2014") && *chance > 0.8, "{first} {chance}");
    assert_eq!(one["awards"][0]["chances"][0]["happened"], false);

    let before = ask(&data, &["awards", "--as-of", "2015-03-20", "--award", "directing"]);
    assert_eq!(
        (&before["golden_globes"]["wins"], &before["awards"][0]["award"]),
        (&0.into(), &"oscar directing".into())
    );
    assert!(before["awards"][0]["chances"][0]["happened"].is_null());
    let shown = String::from_utf8(marquee(&data, &["awards"]).stdout).unwrap();
    assert!(shown.contains("own globe +") && shown.contains("won"), "{shown}");

    let tested = ask(&data, &["awards", "--test", "2010..2013"]);
    let all = tested["wins"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&all["seasons"], &all["first_won"]), (&8.into(), &1.0.into()));
    assert!(all["log_loss"].as_f64().unwrap() < 0.5 * all["log_loss_prior"].as_f64().unwrap(), "{all}");
    assert_eq!(tested["nominations"].as_array().unwrap().len(), 0, "no table of films");
    let code = |args: &[&str]| marquee(&data, &[&["awards"], args].concat()).status.code();
    assert_eq!(
        [code(&["--year", "1901"]), code(&["--award", "best hat"]), code(&["--nominations"])],
        [Some(1), Some(2), Some(1)]
    );
}
