//! The schemas: each can be built, no two are called the same, and every example is what its schema says.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{
    accounts, alerts, audit, backtest, dates, documents, forecast, ingest, jobs, models, money, project,
    slate, sql, titles, track,
};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// A type's schema, and those of all types inside it.
fn of<T: ToSchema + PartialSchema>(all: &mut Schemas) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}

/// All documents that go in or out, and all that they are made of.
fn all() -> Schemas {
    let mut all = Schemas::new();
    of::<forecast::ForecastAnswer>(&mut all);
    of::<forecast::WeeksAnswer>(&mut all);
    of::<money::Valuations>(&mut all);
    of::<money::StressAnswer>(&mut all);
    of::<money::OptionAnswer>(&mut all);
    of::<money::Allocated>(&mut all);
    of::<slate::SlateRequest>(&mut all);
    of::<slate::SlateAnswer>(&mut all);
    of::<slate::FrontierRequest>(&mut all);
    of::<slate::FrontierAnswer>(&mut all);
    of::<titles::TitleSearch>(&mut all);
    of::<titles::Title>(&mut all);
    of::<track::TrackRecord>(&mut all);
    of::<ingest::IngestAnswer>(&mut all);
    of::<ingest::IssueSearch>(&mut all);
    of::<ingest::Issues>(&mut all);
    of::<models::Models>(&mut all);
    of::<models::Features>(&mut all);
    of::<models::DueModels>(&mut all);
    of::<models::Drift>(&mut all);
    of::<models::Contest>(&mut all);
    of::<models::RolledBack>(&mut all);
    of::<models::Pruned>(&mut all);
    of::<sql::SqlRequest>(&mut all);
    of::<sql::SqlAnswer>(&mut all);
    of::<dates::Dates>(&mut all);
    of::<dates::Sensitivity>(&mut all);
    of::<backtest::BacktestAnswer>(&mut all);
    of::<project::Project>(&mut all);
    of::<forecast::ForecastRequest>(&mut all);
    of::<forecast::DatesRequest>(&mut all);
    of::<forecast::SensitivityRequest>(&mut all);
    of::<money::ValueRequest>(&mut all);
    of::<money::StressRequest>(&mut all);
    of::<money::OptionRequest>(&mut all);
    of::<money::AllocateRequest>(&mut all);
    of::<accounts::LogInBody>(&mut all);
    of::<accounts::SetUpBody>(&mut all);
    of::<accounts::NewAccountBody>(&mut all);
    of::<accounts::AccountChangeBody>(&mut all);
    of::<accounts::PasswordBody>(&mut all);
    of::<accounts::NewTokenBody>(&mut all);
    of::<accounts::AccountView>(&mut all);
    of::<accounts::SessionView>(&mut all);
    of::<accounts::TokenView>(&mut all);
    of::<accounts::IssuedToken>(&mut all);
    of::<audit::AuditPage>(&mut all);
    of::<documents::DocumentView>(&mut all);
    of::<documents::DocumentPage>(&mut all);
    of::<alerts::AlertList>(&mut all);
    of::<alerts::AlertRuleBody>(&mut all);
    of::<alerts::AlertRuleView>(&mut all);
    of::<alerts::ChannelBody>(&mut all);
    of::<alerts::ChannelView>(&mut all);
    of::<jobs::JobPage>(&mut all);
    of::<jobs::JobLine>(&mut all);
    of::<jobs::JobReceipt>(&mut all);
    of::<jobs::JobNews>(&mut all);
    all
}

/// By name, as JSON.
fn named() -> BTreeMap<String, Value> {
    all().into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect()
}

#[test]
fn no_two_schemas_are_called_the_same() {
    let by_name = named();
    assert!(by_name.len() > 80, "{}", by_name.len());
    for (name, schema) in all() {
        assert_eq!(by_name[&name], serde_json::to_value(schema).unwrap(), "{name}");
    }
}

#[test]
fn every_schema_and_every_key_of_it_is_described() {
    for (name, schema) in named() {
        assert!(schema["description"].is_string(), "{name} is not described");
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            // Of what may be null, the part that is not tells.
            let parts = property["oneOf"].as_array().into_iter().flatten();
            let described = parts.chain([property]).any(|part| part["description"].is_string());
            assert!(described, "{name}.{key} is not described: {property}");
        }
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let all = named();
    let mut judged = 0;
    for (name, schema) in &all {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(example) = property.get("example") {
                check(&all, property, example, &format!("{name}.{key}"));
            }
        }
        if let Some(example) = schema.get("example") {
            check(&all, schema, example, name);
            judged += 1;
        }
    }
    assert!(judged >= 15, "{judged}");
}

#[test]
fn examples_of_what_comes_in_are_read() {
    fn read<T: ToSchema + serde::de::DeserializeOwned>() {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let read = serde_json::from_value::<T>(schema["example"].clone());
        assert!(read.is_ok(), "{}: {:?}", T::name(), read.err());
    }
    read::<project::Project>();
    read::<slate::SlateRequest>();
    read::<slate::FrontierRequest>();
    read::<slate::SlateRules>();
    read::<titles::TitleSearch>();
    read::<ingest::IssueSearch>();
    read::<sql::SqlRequest>();
    read::<track::Head>();
    read::<forecast::ForecastRequest>();
    read::<forecast::DatesRequest>();
    read::<forecast::SensitivityRequest>();
    read::<forecast::Changes>();
    read::<money::ValueRequest>();
    read::<money::StressRequest>();
    read::<money::OptionRequest>();
    read::<money::AllocateRequest>();
    read::<money::Stage>();
    read::<money::StageSequel>();
}

/// Whether a value is what a schema says.
fn fits(all: &BTreeMap<String, Value>, schema: &Value, value: &Value) -> Result<(), String> {
    let list = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        return fits(all, all.get(name).ok_or_else(|| format!("there is no schema `{name}`"))?, value);
    }
    for part in list("allOf") {
        fits(all, &part, value)?;
    }
    let (one, any) = (list("oneOf"), list("anyOf"));
    let holding = |parts: &[Value]| parts.iter().filter(|part| fits(all, part, value).is_ok()).count();
    if !one.is_empty() && holding(&one) != 1 || !any.is_empty() && holding(&any) == 0 {
        return Err(format!("{value} fits {} of {one:?}{any:?}", holding(&one)));
    }
    let words = list("enum");
    if !words.is_empty() && !words.contains(value) {
        return Err(format!("{value} is none of {words:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    if !types.is_empty() && !types.iter().any(|t| is(t, value)) {
        return Err(format!("{value} is none of {types:?}"));
    }
    for item in value.as_array().into_iter().flatten().filter(|_| schema.get("items").is_some()) {
        fits(all, &schema["items"], item)?;
    }
    if let Some(object) = value.as_object() {
        keys(all, schema, object)?;
    }
    Ok(())
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn keys(
    all: &BTreeMap<String, Value>,
    schema: &Value,
    object: &serde_json::Map<String, Value>,
) -> Result<(), String> {
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(key) {
            return Err(format!("`{key}` is missing"));
        }
    }
    for (key, value) in object {
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(property), _) => fits(all, property, value).map_err(|why| format!("{key}: {why}"))?,
            (None, Value::Bool(false)) => return Err(format!("`{key}` is not known")),
            (None, Value::Object(rest)) => {
                fits(all, &Value::Object(rest.clone()), value).map_err(|why| format!("{key}: {why}"))?;
            }
            (None, _) if schema["properties"].is_object() => return Err(format!("`{key}` is not described")),
            (None, _) => {}
        }
    }
    Ok(())
}

fn check(all: &BTreeMap<String, Value>, schema: &Value, example: &Value, name: &str) {
    if let Err(why) = fits(all, schema, example) {
        panic!("the example of {name}: {why}");
    }
}
