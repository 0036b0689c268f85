//! `/api`: the API's description for people. It is made of the OpenAPI document itself, so that it says what the server
//! answers: operations by subject, with parameters, bodies, examples, and who may use them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::extract::State;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::layout::{Nav, Page, page};
use super::parts::{Column, Tone, badge, head, table};
use super::words::capital;
use crate::api::{self, describe};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::routes::{Listed, Routes, Rule};
use crate::server::Server;

/// How deep an example is made out of schemas.
const DEPTH: usize = 6;
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const PAGE: Page<'static> = Page { title: "API", nav: Some(Nav::Api) };

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api", Rule::SignedIn, show)
}

async fn show(State(server): State<Server>, caller: Caller) -> Result<Markup, Problem> {
    // It does not change while the server runs.
    static MADE: OnceLock<String> = OnceLock::new();
    let made = match MADE.get() {
        Some(made) => made,
        None => {
            let document =
                serde_json::to_value(describe::whole(&server)).map_err(|error| Problem::internal(&error))?;
            let table = api::routes(&server).finish().1;
            MADE.get_or_init(|| body(&document, &table).into_string())
        }
    };
    Ok(page(&caller, PAGE, PreEscaped(made.clone())))
}

/// An operation of the document.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    said: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("{}{}", self.method, self.path.chars().map(plain).collect::<String>())
    }
}

/// The operations by their tag, in the document's order.
fn by_tag(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut found: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(said) = item.get(method) else { continue };
            let tag = said["tags"][0].as_str().unwrap_or("others");
            found.entry(tag).or_default().push(Operation { method, path, said });
        }
    }
    found
}

fn body(document: &Value, listed: &[Listed]) -> Markup {
    let tags = by_tag(document);
    html! {
        (head("API", Some("Everything that the pages do, for programs. JSON in and out, errors as problem details with a stable code.")))
        section {
            h2 { "How to begin" }
            p { "Issue a token on " a href="/account" { "your account" } ", and send it with each request:" }
            pre tabindex="0" { "curl -H \"Authorization: Bearer $TOKEN\" https://marquee.example/api/v1/titles?text=shark" }
            p { (capital(&plain(document["info"]["description"].as_str().unwrap_or("")))) }
            p { a.button href="/api/openapi.json" download="marquee-openapi.json" { "The OpenAPI document" } }
        }
        nav.contents aria-label="Subjects" {
            ul.plain {
                @for (tag, operations) in &tags {
                    li { a href={ "#" (anchor(tag)) } { (capital(tag)) } " " span.small.soft { (operations.len()) } }
                }
            }
        }
        @for (tag, operations) in &tags {
            section id=(anchor(tag)) {
                h2 { (capital(tag)) }
                @for one in operations { (operation(one, document, listed)) }
            }
        }
    }
}

fn anchor(tag: &str) -> String {
    format!("tag-{}", tag.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}

/// Markdown's backticks are all that descriptions use of it.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn operation(one: &Operation<'_>, document: &Value, listed: &[Listed]) -> Markup {
    let text = |key: &str| one.said[key].as_str().map(plain).unwrap_or_default();
    let (summary, description) = (text("summary"), text("description"));
    let tone = if one.method == "get" { Tone::Accent } else { Tone::Wait };
    html! {
        details.operation id=(one.id()) {
            summary {
                (badge(&one.method.to_uppercase(), tone)) " " code { (one.path) }
                span.soft { (if summary.is_empty() { &description } else { &summary }) }
            }
            div.form {
                @if !description.is_empty() && !summary.is_empty() { p { (description) } }
                p.small.soft { (may(one, listed)) }
                (parameters(one.said))
                @if let Some((kind, content)) = content(&one.said["requestBody"]["content"]) {
                    h3 { "Body" }
                    (schema_part(kind, content, document))
                }
                h3 { "Answers" }
                @for (status, answer) in one.said["responses"].as_object().into_iter().flatten() {
                    @if status != "4XX" { (answered(status, answer, document)) }
                }
                p.small.soft { "What is not done is answered as a problem: status, code, and what to do." }
                (example_call(one, document))
            }
        }
    }
}

/// Who may use an operation, as the table of routes has it.
fn may(one: &Operation<'_>, listed: &[Listed]) -> String {
    let own =
        listed.iter().find(|l| l.path == one.path && l.method.as_str().eq_ignore_ascii_case(one.method));
    let audited =
        own.and_then(|l| l.act).map_or_else(String::new, |act| format!(" The audit has it as {act}."));
    match own.map(|l| l.rule) {
        Some(Rule::Open) => format!("Needs no account.{audited}"),
        Some(Rule::May(action)) => format!("For those who may {action}.{audited}"),
        Some(Rule::SignedIn) | None => format!("For everybody who is logged in.{audited}"),
    }
}

fn parameters(said: &Value) -> Markup {
    let all: Vec<&Value> = said["parameters"].as_array().into_iter().flatten().collect();
    if all.is_empty() {
        return html! {};
    }
    let columns =
        [Column::text("Parameter"), Column::text("Where"), Column::text("Type"), Column::text("What it is")];
    html! {
        h3 { "Parameters" }
        (table("Parameters", &columns, html! {
            @for p in all {
                tr {
                    th scope="row" { code { (p["name"].as_str().unwrap_or("")) } @if p["required"] == true { " " (badge("needed", Tone::Plain)) } }
                    td { (p["in"].as_str().unwrap_or("")) }
                    td { (kind_of(&p["schema"])) }
                    td { (plain(p["description"].as_str().unwrap_or(""))) }
                }
            }
        }))
    }
}

/// The first kind of content, with its schema.
fn content(content: &Value) -> Option<(&str, &Value)> {
    let (kind, said) = content.as_object()?.iter().next()?;
    Some((kind, &said["schema"]))
}

fn answered(status: &str, answer: &Value, document: &Value) -> Markup {
    html! {
        div {
            p { strong { (status) } " " (plain(answer["description"].as_str().unwrap_or(""))) }
            @if let Some((kind, schema)) = content(&answer["content"]) { (schema_part(kind, schema, document)) }
        }
    }
}

/// A schema as a table of its fields and an example.
fn schema_part(kind: &str, schema: &Value, document: &Value) -> Markup {
    let own = resolve(schema, document);
    let list = own["items"].is_object();
    let own = if list { resolve(&own["items"], document) } else { own };
    let needed: Vec<&str> =
        own["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields: Vec<(&String, &Value)> = own["properties"].as_object().into_iter().flatten().collect();
    let columns = [Column::text("Field"), Column::text("Type"), Column::text("What it is")];
    html! {
        p.small { code { (kind) } ": " (kind_of(schema)) @if let Some(said) = own["description"].as_str() { ". " (plain(said)) } }
        @if !fields.is_empty() {
            details.more {
                summary { "Fields" }
                (table("Fields", &columns, html! {
                    @for (name, field) in fields {
                        tr {
                            th scope="row" { code { (name) } @if needed.contains(&name.as_str()) { " " (badge("needed", Tone::Plain)) } }
                            td { (kind_of(field)) }
                            td { (plain(field["description"].as_str().unwrap_or(""))) }
                        }
                    }
                }))
            }
        }
        @if kind.ends_with("json") {
            details.more {
                summary { "Example" }
                pre tabindex="0" { (serde_json::to_string_pretty(&example(schema, document, DEPTH)).unwrap_or_default()) }
            }
        }
    }
}

/// What a reference names.
fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let named = schema["$ref"]
        .as_str()
        .and_then(|place| place.strip_prefix('#'))
        .and_then(|place| document.pointer(place));
    named.unwrap_or(schema)
}

/// A type in words.
fn kind_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or(name).to_owned();
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[key].as_array() {
            let all: Vec<String> = all.iter().map(kind_of).collect();
            return all.join(if key == "allOf" { " and " } else { " or " });
        }
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let mut said = kinds.join(" or ");
    if kinds.contains(&"array") {
        said = said.replace("array", &format!("list of {}", kind_of(&schema["items"])));
    }
    if let Some(format) = schema["format"].as_str() {
        write!(said, " ({format})").ok();
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        write!(said, ": {}", words.join(", ")).ok();
    }
    if said.is_empty() { "anything".to_owned() } else { said }
}

/// An example: the one that a schema states, or one made of its fields.
fn example(schema: &Value, document: &Value, depth: usize) -> Value {
    let own = resolve(schema, document);
    if let Some(stated) = own.get("example").or_else(|| own["examples"].get(0)) {
        return stated.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    let inner = |schema: &Value| example(schema, document, depth - 1);
    if let Some(all) = own["allOf"].as_array() {
        let parts = all.iter().map(inner).filter_map(|part| part.as_object().cloned());
        return Value::Object(parts.flatten().collect());
    }
    for key in ["oneOf", "anyOf"] {
        let first = own[key].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null"));
        if let Some(first) = first {
            return inner(first);
        }
    }
    if let Some(fields) = own["properties"].as_object() {
        return Value::Object(fields.iter().map(|(name, field)| (name.clone(), inner(field))).collect());
    }
    if let Some(word) = own["enum"].get(0) {
        return word.clone();
    }
    let kinds = own["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let kind = own["type"].as_str().or_else(|| kinds.into_iter().find(|kind| *kind != "null")).unwrap_or("");
    match kind {
        "array" => Value::Array(vec![inner(&own["items"])]),
        "string" => own["format"].as_str().map_or_else(
            || "text".into(),
            |format| match format {
                "date-time" => "2026-11-26T20:36:00Z".into(),
                "date" => "2026-11-26".into(),
                _ => "text".into(),
            },
        ),
        "integer" => own.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        "number" => 0.5.into(),
        "boolean" => false.into(),
        _ => Value::Null,
    }
}

fn example_call(one: &Operation<'_>, document: &Value) -> Markup {
    let mut call = format!("curl -X {} -H \"Authorization: Bearer $TOKEN\"", one.method.to_uppercase());
    match content(&one.said["requestBody"]["content"]) {
        Some(("multipart/form-data", _)) => call.push_str(" -F file=@films.csv"),
        Some((_, schema)) => {
            let body = example(schema, document, DEPTH).to_string().replace('\'', "'\\''");
            write!(call, " \\\n  -H \"Content-Type: application/json\" -d '{body}'").ok();
        }
        None => {}
    }
    write!(call, " \\\n  https://marquee.example{}", one.path).ok();
    html! { details.more { summary { "As a command" } pre tabindex="0" { (call) } } }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_shown_whole_and_as_text() {
        let hostile = "<script>alert(1)</script>";
        let document = json!({
            "info": { "description": "what it `is`" },
            "paths": { "/api/v1/things/{id}": { "post": {
                "tags": ["things"], "summary": hostile, "description": "Does it.",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" }, "description": hostile }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } } } } } }
            } } },
            "components": { "schemas": { "Thing": {
                "type": "object", "required": ["name"],
                "properties": { "name": { "type": "string" }, "inner": { "$ref": "#/components/schemas/Thing" }, "n": { "type": ["integer", "null"], "minimum": 2 } }
            } } }
        });
        let text = page(&somebody("Ana"), PAGE, body(&document, &[])).into_string();
        check::sound(&text);
        assert!(!text.contains("<script>alert") && text.contains("list of Thing"), "{text}");
    }

    #[test]
    fn the_own_document_is_shown() {
        let document = serde_json::to_value(describe::document()).expect("a document");
        check::sound(&page(&somebody("Ana"), PAGE, body(&document, &[])).into_string());
        let schema = json!({ "type": "object", "properties": { "a": { "oneOf": [{ "type": "null" }, { "type": "string" }] } } });
        assert_eq!(example(&schema, &Value::Null, DEPTH), json!({ "a": "text" }));
    }
}
