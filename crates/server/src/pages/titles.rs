//! `/titles`: the catalogue, searched, filtered and sorted; fifty on a page. The list follows while one types, and a button
//! does the same without scripts.

use axum::extract::State;
use marquee_app::AppError;
use marquee_app::platform::Action;
use marquee_app::types::{TitleQuery, TitleRow, TitleSort};
use marquee_app::use_cases::titles::titles;
use marquee_domain::{FIRST_YEAR, LAST_YEAR, Money};
use maud::{Markup, html};

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{Column, Field, Sorted, choice, field, head, nothing, pager, query, table};
use super::words::{count, date, money, whole};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Titles on a page.
const SHOWN: usize = 50;
/// What can be sorted by: its word in addresses, and the order that comes first.
const SORTS: [(&str, TitleSort, bool); 4] = [
    ("release", TitleSort::Release, true),
    ("name", TitleSort::Name, false),
    ("budget", TitleSort::Budget, true),
    ("gross", TitleSort::Gross, true),
];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/titles", Rule::May(Action::Read), show)
}

async fn show(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    let asked = Asked::read(&params);
    let found = match titles(&server.workspace, &asked.query(), &caller.permit).await {
        Ok(rows) => Found::new(rows, &asked),
        Err(AppError::Empty(_)) if wants == Wants::Page => {
            return Ok(page(&caller, Page { title: "Titles", nav: Some(Nav::Titles) }, empty()));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match wants {
        Wants::Fragment => list(&asked, &found),
        Wants::Page => page(&caller, Page { title: "Titles", nav: Some(Nav::Titles) }, body(&asked, &found)),
    })
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    text: String,
    from: Option<i32>,
    to: Option<i32>,
    genre: String,
    sort: usize,
    descending: bool,
    page: usize,
}

impl Asked {
    fn read(params: &Params) -> Self {
        let sort = SORTS.iter().position(|(word, ..)| *word == params.get("sort")).unwrap_or(0);
        let year = |key| params.number::<i32>(key).filter(|year| (FIRST_YEAR..=LAST_YEAR).contains(year));
        Self {
            text: params.get("text").to_owned(),
            from: year("from"),
            to: year("to"),
            genre: params.get("genre").to_owned(),
            sort,
            descending: match params.get("order") {
                "asc" => false,
                "desc" => true,
                _ => SORTS[sort].2,
            },
            page: params.number::<usize>("page").unwrap_or(1).max(1),
        }
    }

    /// All that fits but for the genre, so that its list names each genre that there is.
    fn query(&self) -> TitleQuery {
        let years = (self.from.is_some() || self.to.is_some())
            .then(|| (self.from.unwrap_or(FIRST_YEAR), self.to.unwrap_or(LAST_YEAR)));
        TitleQuery {
            text: Some(self.text.clone()).filter(|text| !text.is_empty()),
            years,
            genre: None,
            sort: SORTS[self.sort].1,
            descending: self.descending,
            limit: usize::MAX,
        }
    }

    /// The address of this list, with another order or page.
    fn address(&self, sort: usize, descending: bool, page: usize) -> String {
        let year = |year: Option<i32>| year.map_or_else(String::new, |year| year.to_string());
        let page = if page > 1 { page.to_string() } else { String::new() };
        let usual = sort == 0 && descending == SORTS[0].2;
        let (word, order) =
            if usual { ("", "") } else { (SORTS[sort].0, if descending { "desc" } else { "asc" }) };
        let (from, to) = (year(self.from), year(self.to));
        let pairs = [
            ("text", self.text.as_str()),
            ("from", &from),
            ("to", &to),
            ("genre", &self.genre),
            ("sort", word),
            ("order", order),
            ("page", &page),
        ];
        query("/titles", &pairs)
    }
}

/// What was found.
#[derive(Debug)]
struct Found {
    genres: Vec<String>,
    all: usize,
    /// The place of the first that is shown, from 1.
    first: usize,
    rows: Vec<TitleRow>,
}

impl Found {
    fn new(mut rows: Vec<TitleRow>, asked: &Asked) -> Self {
        let mut genres: Vec<String> = rows.iter().flat_map(|row| row.genres.iter().cloned()).collect();
        genres.sort_unstable();
        genres.dedup();
        if !asked.genre.is_empty() {
            rows.retain(|row| row.genres.iter().any(|own| own.eq_ignore_ascii_case(&asked.genre)));
        }
        let all = rows.len();
        let skipped = (asked.page - 1).saturating_mul(SHOWN);
        Self { genres, all, first: skipped + 1, rows: rows.into_iter().skip(skipped).take(SHOWN).collect() }
    }
}

fn body(asked: &Asked, found: &Found) -> Markup {
    let year = |year: Option<i32>| year.map_or_else(String::new, |year| year.to_string());
    let mut genres: Vec<(&str, &str)> = vec![("", "Any")];
    genres.extend(found.genres.iter().map(|genre| (genre.as_str(), genre.as_str())));
    if !asked.genre.is_empty() && !found.genres.contains(&asked.genre) {
        genres.push((&asked.genre, &asked.genre));
    }
    let sorts = [("release", "Release"), ("name", "Name"), ("budget", "Budget"), ("gross", "Gross")];
    html! {
        (head("Titles", Some("What the catalogue knows. Each title opens to its forecast, what drives it, and what happened.")))
        form.form method="get" action="/titles" data-live="found" data-answer="/titles" data-after="200" role="search" aria-label="Titles" {
            div.filters {
                div.broad { (field(&Field { kind: "search", ..Field::text("text", "Name", asked.text.as_str()) })) }
                (field(&Field { kind: "number", ..Field::text("from", "From year", year(asked.from)) }))
                (field(&Field { kind: "number", ..Field::text("to", "To year", year(asked.to)) }))
                (choice("genre", "Genre", &genres, &asked.genre))
                (choice("sort", "Sort by", &sorts, SORTS[asked.sort].0))
                button.button type="submit" { "Search" }
            }
        }
        div id="found" aria-live="polite" { (list(asked, found)) }
    }
}

fn list(asked: &Asked, found: &Found) -> Markup {
    if found.rows.is_empty() {
        let all = html! { a.button href="/titles" { "Show all titles" } };
        let why = "Try a shorter part of the name, other years or another genre.";
        return html! { div.old { (nothing("No title matches", why, all)) } };
    }
    let last = found.first + found.rows.len() - 1;
    let said = match found.all <= SHOWN {
        true => count(found.all as u64, "title"),
        false => format!(
            "{} to {} of {}",
            whole(found.first as u64),
            whole(last as u64),
            count(found.all as u64, "title")
        ),
    };
    let to = |page| asked.address(asked.sort, asked.descending, page);
    let back = (asked.page > 1).then(|| to(asked.page - 1));
    let on = (last < found.all).then(|| to(asked.page + 1));
    html! {
        div.old.stack {
            (table("Titles", &columns(asked), html! { @for row in &found.rows { (line(row)) } }))
            (pager(&said, back.as_deref(), on.as_deref()))
        }
    }
}

fn columns(asked: &Asked) -> Vec<Column<'static>> {
    let sorts = |column: Column<'static>, word: &str| {
        let Some(own) = SORTS.iter().position(|(other, ..)| *other == word) else { return column };
        let here = own == asked.sort;
        let now = match (here, asked.descending) {
            (false, _) => Sorted::Not,
            (true, true) => Sorted::Down,
            (true, false) => Sorted::Up,
        };
        let next = if here { !asked.descending } else { SORTS[own].2 };
        column.sorts(asked.address(own, next, 1), now)
    };
    vec![
        sorts(Column::text("Title"), "name"),
        sorts(Column::text("Release"), "release"),
        Column::text("Genres"),
        sorts(Column::number("Budget"), "budget"),
        sorts(Column::number("Domestic gross"), "gross"),
        Column::number("Worldwide gross"),
    ]
}

fn line(row: &TitleRow) -> Markup {
    let amount = |amount: Option<Money>| html! { @match amount { Some(m) => { (money(m.major())) } None => { span.soft title="Not known" { "–" } } } };
    html! {
        tr {
            th scope="row" { a href={ "/titles/" (row.id) } { (row.name) } }
            td.nowrap { @match row.release { Some(day) => { (date(day)) } None => { span.soft { "undated" } } } }
            td { (row.genres.join(", ")) }
            td.number { (amount(row.budget)) }
            td.number { (amount(row.domestic_gross)) }
            td.number { (amount(row.worldwide_gross)) }
        }
    }
}

fn empty() -> Markup {
    let home = html! { a.button.main href="/" { "See how to begin" } };
    html! {
        (head("Titles", None))
        (nothing("No titles yet", "The lake is empty, or holds nothing that you may see. Ingest a table, or load the bundled one, and they are listed here.", home))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use marquee_domain::{TitleId, Vertical};

    fn row(name: &str) -> TitleRow {
        TitleRow {
            id: TitleId::of(Vertical::Film, "t", name),
            name: name.to_owned(),
            release: "2015-07-03".parse().ok(),
            genres: vec!["Drama".to_owned()],
            budget: Money::from_major(80e6, marquee_domain::Currency::USD).ok(),
            domestic_gross: None,
            worldwide_gross: None,
            source_ids: vec![],
        }
    }

    fn shown(rows: Vec<TitleRow>, pairs: &[(&str, &str)]) -> String {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let asked = Asked::read(&Params::of(pairs));
        let found = Found::new(rows, &asked);
        let text =
            page(&somebody("Ana"), Page { title: "Titles", nav: Some(Nav::Titles) }, body(&asked, &found))
                .into_string();
        check::sound(&text);
        text
    }

    #[test]
    fn hostile_names_are_text() {
        let hostile = "<script>alert(1)</script>";
        let text = shown(vec![row(hostile)], &[("text", hostile), ("genre", "\"><img src=x>")]);
        assert!(!text.contains("<script>alert") && !text.contains("<img"), "{text}");
        let text = shown(vec![row(hostile)], &[]);
        assert!(
            text.contains("&lt;script&gt;alert(1)") && text.contains("$80M") && text.contains("3 Jul 2015")
        );
    }

    #[test]
    fn long_lists_are_turned_page_by_page() {
        let rows: Vec<TitleRow> = (0..120).map(|i| row(&format!("Film {i}"))).collect();
        let text = shown(rows.clone(), &[("page", "2"), ("sort", "budget")]);
        assert!(text.contains("51 to 100 of 120 titles"), "{text}");
        assert!(text.contains("href=\"/titles?sort=budget&amp;order=desc&amp;page=3\""), "{text}");
        assert!(text.contains("aria-sort=\"descending\""), "{text}");
        assert!(shown(rows, &[("page", "9999999999999")]).contains("No title matches"));
    }

    #[test]
    fn nothing_found_and_nothing_there_say_what_to_do() {
        assert!(shown(vec![], &[("text", "zzz")]).contains("Show all titles"));
        check::sound(
            &page(&somebody("Ana"), Page { title: "Titles", nav: Some(Nav::Titles) }, empty()).into_string(),
        );
    }
}
