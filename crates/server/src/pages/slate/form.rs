//! What the form of a slate says: projects from a text, a file and documents, and the rules; read into a request of the API.

use marquee_domain::Class;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::parts::{Field, field};
use crate::problem::Problem;
use crate::wire::project::Project;
use crate::wire::slate::SlateRequest;

/// Ten made-up candidates, as the command line's examples have them.
pub(super) const TEN: &str = include_str!("../../../../../examples/projects.toml");
/// How long the search may take, seconds.
const PATIENCE: u32 = 25;
/// Texts of the form that are one line each.
const LINES: [&str; 14] = [
    "budget",
    "as_of",
    "objective",
    "risk_aversion",
    "max_cvar",
    "min_projects",
    "max_projects",
    "must_have",
    "exclude",
    "min_share",
    "peak_cash",
    "tentpole",
    "genre_share",
    "spend",
];

/// What the form holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inputs {
    /// Projects as TOML or JSON.
    pub(super) text: String,
    /// The same, from a file.
    pub(super) file: String,
    /// Ids of documents of projects that were chosen.
    pub(super) kept: Vec<String>,
    /// In step with [`LINES`].
    lines: [String; LINES.len()],
}

/// A document of a project that can be chosen.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) class: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    project: Vec<Project>,
}

impl Inputs {
    /// The form as it is before anybody filled it in.
    pub(super) fn usual() -> Self {
        Self::default().with("budget", "200M").with("objective", "risk").with("risk_aversion", "0.25")
    }

    /// The form with the ten examples.
    pub(super) fn ten() -> Self {
        Self { text: TEN.to_owned(), ..Self::usual().with("as_of", "2010-06-01") }
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.put(key, value);
        self
    }

    /// Puts what a field of the form says in its place; false where the form has no such field.
    pub(super) fn put(&mut self, key: &str, value: &str) -> bool {
        match (key, LINES.iter().position(|own| *own == key)) {
            (_, Some(place)) => value.trim().clone_into(&mut self.lines[place]),
            ("text", _) => value.clone_into(&mut self.text),
            ("file", _) => value.clone_into(&mut self.file),
            ("kept", _) => self.kept.push(value.trim().to_owned()),
            _ => return false,
        }
        true
    }

    pub(super) fn line(&self, key: &str) -> &str {
        LINES.iter().position(|own| *own == key).map_or("", |place| &self.lines[place])
    }

    /// The request of the API that is meant; documents come with what they say.
    pub(super) fn request(&self, documents: Vec<Value>) -> Result<SlateRequest, Problem> {
        let mut projects = Vec::new();
        for text in [&self.text, &self.file] {
            projects.extend(projects_of(text)?);
        }
        for body in documents {
            // A document holds a project, or has it among other things.
            let project = body.get("project").cloned().unwrap_or(body);
            let read = serde_json::from_value::<Project>(project);
            projects.push(read.map_err(|error| unfit(format!("a kept project cannot be read: {error}")))?);
        }
        if projects.is_empty() {
            return Err(unfit(
                "there is no project to choose from: paste some, upload a file, or tick those that are kept",
            ));
        }
        let mut asked = Map::from_iter([
            ("projects".to_owned(), serde_json::to_value(projects).map_err(|e| Problem::internal(&e))?),
            ("budget".to_owned(), json!(self.line("budget"))),
            ("next".to_owned(), json!(true)),
            ("time_limit_seconds".to_owned(), json!(PATIENCE)),
            ("rules".to_owned(), self.rules()?),
        ]);
        let mut put = |key: &str, value: Option<Value>| {
            value.map(|value| asked.insert(key.to_owned(), value));
        };
        put("as_of", self.text_of("as_of"));
        match self.line("objective") {
            "cap" => put("max_cvar", Some(json!(self.line("max_cvar")))),
            _ => put("risk_aversion", self.number("risk_aversion")?.map(|x| json!(x))),
        }
        serde_json::from_value(Value::Object(asked)).map_err(|error| unfit(error.to_string()))
    }

    fn rules(&self) -> Result<Value, Problem> {
        let mut rules = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            value.map(|value| rules.insert(key.to_owned(), value));
        };
        let whole = |key| Ok::<_, Problem>(self.number(key)?.map(|x| json!(x.max(0.0) as u64)));
        put("min_projects", whole("min_projects")?);
        put("max_projects", whole("max_projects")?);
        put("must_have", Some(json!(names(self.line("must_have")))));
        put("exclude", Some(json!(names(self.line("exclude")))));
        put("min_share", self.number("min_share")?.map(|percent| json!(percent / 100.0)));
        put("peak_cash", self.text_of("peak_cash"));
        put("tentpole", self.text_of("tentpole"));
        let limit = |percent: f64| json!([{ "by": "genre", "at_most": percent / 100.0 }]);
        put("limits", self.number("genre_share")?.map(limit));
        let spend = names(self.line("spend")).into_iter().map(spend_limit).collect::<Result<Vec<_>, _>>()?;
        put("spend", Some(json!(spend)));
        Ok(Value::Object(rules))
    }

    fn text_of(&self, key: &str) -> Option<Value> {
        Some(self.line(key)).filter(|text| !text.is_empty()).map(|text| json!(text))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, Problem> {
        match self.line(key).trim_end_matches('%').trim() {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(unfit(format!("{}: `{text}` is no number", key.replace('_', " ")))),
            },
        }
    }
}

/// Projects as people write them: TOML with one or `[[project]]`s, JSON with one, several, or `projects`.
fn projects_of(text: &str) -> Result<Vec<Project>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.starts_with(['{', '[']) && !text.starts_with("[[") {
        let read: Value =
            serde_json::from_str(text).map_err(|error| unfit(format!("this is no JSON: {error}")))?;
        let many = ["projects", "project"].iter().find_map(|key| read.get(key)).cloned().unwrap_or(read);
        let many = if many.is_array() { many } else { Value::Array(vec![many]) };
        return serde_json::from_value(many).map_err(|error| unfit(error.to_string()));
    }
    let fault = |error: toml::de::Error| {
        unfit(format!("the projects are not understood: {}", error.to_string().trim_end()))
    };
    let table: toml::Table = toml::from_str(text).map_err(fault)?;
    match table.contains_key("project") {
        true => Ok(toml::from_str::<Many>(text).map_err(fault)?.project),
        false => Ok(vec![toml::from_str::<Project>(text).map_err(fault)?]),
    }
}

/// Names with `;` between them.
fn names(line: &str) -> Vec<&str> {
    line.split(';').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// What may be spent in a year: `2011: 150M`.
fn spend_limit(text: &str) -> Result<Value, Problem> {
    let parts =
        text.split_once(':').and_then(|(year, limit)| Some((year.trim().parse::<i32>().ok()?, limit.trim())));
    let (year, limit) =
        parts.ok_or_else(|| unfit(format!("spending by year: `{text}` is not as 2011: 150M")))?;
    Ok(json!({ "year": year, "limit": limit }))
}

fn unfit(detail: impl Into<String>) -> Problem {
    Problem::unfit("invalid_value", detail)
}

/// The form.
pub(super) fn form(inputs: &Inputs, kept: &[Kept]) -> Markup {
    let line = |key: &'static str, label: &'static str, hint: Option<&'static str>| {
        field(&Field { hint, ..Field::text(key, label, inputs.line(key)) })
    };
    let day = Field {
        kind: "date",
        hint: Some("Empty: today, or each project's own."),
        ..Field::text("as_of", "As known on", inputs.line("as_of"))
    };
    let capped = inputs.line("objective") == "cap";
    html! {
        form.form method="post" action="/slate" enctype="multipart/form-data" {
            div.field {
                label for="text" { "Projects" }
                textarea id="text" name="text" rows="12" spellcheck="false" aria-describedby="text-hint" { (inputs.text) }
                span.hint id="text-hint" { "TOML as [[project]] with name, budget and release_date, or JSON; the rest may be left out." }
            }
            div.field {
                label for="file" { "Or a file of projects" }
                input id="file" name="file" type="file" accept=".toml,.json,text/plain,application/json";
            }
            @if !kept.is_empty() {
                fieldset.ticks {
                    legend { "Kept projects" }
                    @for (i, one) in kept.iter().enumerate() {
                        div.tick {
                            input type="checkbox" id={ "kept-" (i) } name="kept" value=(one.id) checked[inputs.kept.contains(&one.id)];
                            label for={ "kept-" (i) } { (one.name) " " span.soft { (one.class) } }
                        }
                    }
                }
            }
            (field(&Field { required: true, hint: Some("All that the slate may cost, marketing included."), ..Field::text("budget", "Budget", inputs.line("budget")) }))
            (field(&day))
            fieldset.ticks {
                legend { "What a good slate is" }
                div.tick {
                    input type="radio" id="objective-risk" name="objective" value="risk" checked[!capped];
                    label for="objective-risk" { "Mean profit less loss in the worst cases" }
                }
                (line("risk_aversion", "Dollars of mean that a dollar less of that loss is worth", None))
                div.tick {
                    input type="radio" id="objective-cap" name="objective" value="cap" checked[capped];
                    label for="objective-cap" { "Mean profit, with that loss at most" }
                }
                (line("max_cvar", "At most (CVaR)", Some("As 60M.")))
            }
            details.more open[has_limits(inputs)] {
                summary { "Limits" }
                div.form {
                    div.pair { (line("min_projects", "At least", Some("Films."))) (line("max_projects", "At most", Some("Films."))) }
                    (line("must_have", "Must be in", Some("Names, with ; between.")))
                    (line("exclude", "Must not be in", Some("Names, with ; between.")))
                    (line("min_share", "Shares from", Some("Percent: films may be taken in part, from this share on. Empty: whole or not at all.")))
                    (line("genre_share", "One genre at most", Some("Percent of the budget.")))
                    (line("peak_cash", "Cash needed at most", Some("At the deepest point of expected cash.")))
                    (line("tentpole", "A tentpole costs", Some("At most one film with a budget from this on in a month.")))
                    (line("spend", "Spending by year", Some("As 2011: 150M; 2012: 90M.")))
                }
            }
            div.row { button.button.main type="submit" { "Choose" } }
        }
    }
}

fn has_limits(inputs: &Inputs) -> bool {
    LINES[5..].iter().any(|key| !inputs.line(key).is_empty())
}

/// The class that what rests on these documents is held under: the strictest of them.
pub(super) fn strictest<'a>(classes: impl IntoIterator<Item = &'a str>) -> Class {
    let read = classes.into_iter().map(|class| class.parse().unwrap_or(Class::Nda));
    read.max().unwrap_or(Class::Internal).max(Class::Internal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use marquee_app::types::Deal;

    fn filled(pairs: &[(&str, &str)]) -> Inputs {
        let mut inputs = Inputs::usual();
        assert!(pairs.iter().all(|(key, value)| inputs.put(key, value)));
        inputs
    }

    #[test]
    fn the_ten_examples_are_a_question() {
        let asked = Inputs::ten().request(vec![]).unwrap();
        assert_eq!(asked.projects.len(), 10);
        let today = marquee_domain::Day::new(2010, 6, 1).unwrap();
        let brief = asked.read(crate::wire::Terms { deal: Deal::default(), today, seed: 1 }).unwrap();
        assert!(brief.next && brief.time_limit.is_some());
    }

    #[test]
    fn projects_come_as_toml_as_json_and_from_documents() {
        let one = json!({ "name": "A", "budget": "3M", "release_date": "2011-06-17" });
        for text in [one.to_string(), json!([one]).to_string(), json!({ "projects": [one] }).to_string()] {
            assert_eq!(projects_of(&text).unwrap().len(), 1, "{text}");
        }
        assert_eq!(projects_of("name = \"A\"\nbudget = 1\nrelease_date = 2011-06-17").unwrap().len(), 1);
        let asked = Inputs::usual().request(vec![json!({ "project": one }), one.clone()]).unwrap();
        assert_eq!(asked.projects.len(), 2);
    }

    #[test]
    fn what_cannot_be_asked_is_said_in_words() {
        let toml = "name = \"A\"\nbudget = 1\nrelease_date = 2011-06-17";
        for (pairs, word) in [
            (vec![], "no project"),
            (vec![("text", "{\"name\":")], "no JSON"),
            (vec![("text", "name = ")], "not understood"),
            (vec![("text", toml), ("min_share", "much")], "min share"),
            (vec![("text", toml), ("spend", "2011")], "2011: 150M"),
        ] {
            let said = filled(&pairs).request(vec![]).err().unwrap().detail().to_owned();
            assert!(said.contains(word), "{said}");
        }
        let limited =
            filled(&[("text", toml), ("genre_share", "40%"), ("spend", "2011: 150M"), ("max_projects", "3")]);
        let asked = serde_json::to_value(limited.request(vec![]).unwrap()).unwrap();
        assert_eq!(asked["rules"]["limits"][0]["at_most"], 0.4);
        assert_eq!(
            (asked["rules"]["spend"][0]["year"].as_i64(), asked["rules"]["max_projects"].as_u64()),
            (Some(2011), Some(3))
        );
    }

    #[test]
    fn a_slate_is_held_as_the_strictest_that_it_rests_on() {
        assert_eq!(strictest(["public", "confidential", "internal"]), Class::Confidential);
        assert_eq!([strictest([]), strictest(["odd"])], [Class::Internal, Class::Nda]);
    }
}
