//! Alerts: what rules found, the rules, and the channels that hear of it.

use marquee_app::platform::{Alert, AlertRule, Channel, Class, Hook, NewChannel, Shape};
use marquee_app::use_cases::alerts::Draft;
use marquee_domain::Project as HouseProject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::wire::WireError;
use crate::wire::project::{Project, read_all};

/// Something that a rule found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertView {
    /// Its id.
    pub id: String,
    /// The id of the rule that fired it, which may be gone.
    pub rule: String,
    /// One line.
    pub title: String,
    /// The rest.
    pub text: String,
    /// info, warning, error or critical.
    pub severity: String,
    /// Where to look: a path of the pages.
    pub link: Option<String>,
    /// How closely it is held: as the closer of its rule and what it tells of.
    pub class: String,
    /// The team that it belongs to.
    pub team: String,
    /// When it fired, RFC 3339.
    pub fired_at: String,
    /// When it was found no more.
    pub resolved_at: Option<String>,
    /// The id of the account that has seen to it.
    pub acknowledged_by: Option<String>,
    /// When that was.
    pub acknowledged_at: Option<String>,
}

/// Alerts, a page at a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertList {
    /// The alerts of this page, newest first.
    pub alerts: Vec<AlertView>,
    /// What to send as `cursor` for the next page; none after the last.
    pub next: Option<String>,
}

/// What is to be looked for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "label": "Too likely to lose", "kind": "loss_probability", "settings": { "above": 0.6 },
    "class": "internal", "team": "acquisitions", "channels": [], "enabled": true
}))]
pub struct AlertRuleBody {
    /// What it is called, up to 200 characters.
    pub label: String,
    /// loss_probability, opening_below, coverage, data_quality, stale or drift.
    pub kind: String,
    /// What that kind has to be told. loss_probability: `above` (0–1), `document` (an id; all that you see where it is left
    /// out), `scenarios`. opening_below: `quantile` (0–1), `target`, `days` since release. coverage: `below` (0–1), `least`
    /// scored forecasts. data_quality: `refused_share_above` (0–1), `source`. stale: `days`, `source`. drift: `horizon`,
    /// `target`, `population`, `year`, `back`.
    pub settings: Value,
    /// public, internal, confidential or nda; internal where it is left out.
    pub class: Option<String>,
    /// The team that it belongs to.
    #[serde(default)]
    pub team: String,
    /// The ids of the channels that hear of it, 20 at most.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Whether it looks; it does where it is not said.
    pub enabled: Option<bool>,
}

/// A rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertRuleView {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// What it looks for.
    pub kind: String,
    /// What that kind was told.
    pub settings: Value,
    /// The id of the account in whose name it looks.
    pub owner: String,
    /// Its class.
    pub class: String,
    /// The team that it belongs to.
    pub team: String,
    /// The channels that hear of it.
    pub channels: Vec<String>,
    /// Whether it looks.
    pub enabled: bool,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// When it last looked.
    pub checked_at: Option<String>,
    /// What kept its last look from being whole.
    pub fault: Option<String>,
}

/// Where to tell of alerts. The address, the secret and the routing key are never shown again.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "label": "The desk", "shape": "slack", "url": "https://hooks.slack.com/services/T0/B0/x", "secret": "whsec_of_sixteen_or_more"
}))]
pub struct ChannelBody {
    /// What it is called, up to 200 characters.
    pub label: String,
    /// slack, teams, pagerduty or plain.
    pub shape: String,
    /// Where calls go, `https` or `http`; as it was where it is left out in a change.
    #[schema(write_only)]
    pub url: Option<String>,
    /// What they are signed with, 16 to 200 visible characters; as it was where it is left out in a change.
    #[schema(write_only)]
    pub secret: Option<String>,
    /// PagerDuty's integration key, for that shape; as it was where it is left out in a change.
    #[schema(write_only)]
    pub routing_key: Option<String>,
}

/// A channel, without what is secret of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelView {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// slack, teams, pagerduty or plain.
    pub shape: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

impl AlertRuleBody {
    /// The draft that is meant.
    ///
    /// # Errors
    /// [`WireError`] for a class that there is not.
    pub fn read(self) -> Result<Draft, WireError> {
        let class = self.class.as_deref().map(str::parse::<Class>).transpose();
        let class = class.map_err(|why| WireError::within("class")(why.into()))?;
        Ok(Draft {
            label: self.label,
            kind: self.kind,
            settings: self.settings,
            team: self.team,
            class: class.unwrap_or(Class::Internal),
            channels: self.channels,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

impl ChannelBody {
    /// The channel that is meant; what is left out is as it was. What is wrong is said without showing a secret.
    ///
    /// # Errors
    /// In words: a shape that there is not, an address that cannot be one, something that is missing.
    pub fn read(self, before: Option<NewChannel>) -> Result<NewChannel, String> {
        let missing = |what: &str| format!("{what}: it is missing");
        let (hook, secret, shape) = match before {
            Some(before) => (Some(before.hook), Some(before.secret), Some(before.shape)),
            None => (None, None, None),
        };
        let given = self.url.as_deref().map(Hook::parse).transpose().map_err(|why| format!("url: {why}"))?;
        let shape = match (self.shape.as_str(), self.routing_key, shape) {
            ("slack", ..) => Shape::Slack,
            ("teams", ..) => Shape::Teams,
            ("plain", ..) => Shape::Plain,
            ("pagerduty", Some(routing_key), _) => Shape::PagerDuty { routing_key },
            ("pagerduty", None, Some(kept @ Shape::PagerDuty { .. })) => kept,
            ("pagerduty", ..) => return Err(missing("routing_key")),
            _ => return Err("shape: use one of slack, teams, pagerduty, plain".to_owned()),
        };
        Ok(NewChannel {
            label: self.label,
            shape,
            hook: given.or(hook).ok_or_else(|| missing("url"))?,
            secret: self.secret.or(secret).ok_or_else(|| missing("secret"))?,
        })
    }
}

/// The projects that the body of a document tells of: a project, the projects of a question, or such a question beside its
/// answer. Of an answered question only those that were chosen.
///
/// # Errors
/// In words, what cannot be read.
pub fn read_document(body: &Value) -> Result<Vec<HouseProject>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let listed = ["/projects", "/question/projects", "/request/projects"];
    let listed = listed
        .iter()
        .filter_map(|place| body.pointer(place))
        .find(|list| list.as_array().is_some_and(|all| all.iter().all(|one| one.get("budget").is_some())));
    let written: Vec<Project> = match listed {
        Some(list) => Vec::deserialize(list).map_err(|error| words(&error))?,
        None => vec![Project::deserialize(body).map_err(|error| words(&error))?],
    };
    let mut projects = read_all(written).map_err(|error| words(&error))?;
    let choices = ["/slate/choices", "/answer/slate/choices"];
    if let Some(choices) = choices.iter().filter_map(|place| body.pointer(place)?.as_array()).next() {
        let chosen: Vec<&str> = choices.iter().filter_map(|choice| choice["project"].as_str()).collect();
        projects.retain(|project| chosen.contains(&project.name.as_str()));
    }
    Ok(projects)
}

impl From<&Alert> for AlertView {
    fn from(alert: &Alert) -> Self {
        let found = &alert.found;
        Self {
            id: alert.id.clone(),
            rule: alert.rule.clone(),
            title: found.title.clone(),
            text: found.text.clone(),
            severity: found.severity.as_str().to_owned(),
            link: found.link.clone(),
            class: found.class.to_string(),
            team: found.team.clone(),
            fired_at: alert.fired_at.to_rfc3339(),
            resolved_at: alert.resolved_at.map(|at| at.to_rfc3339()),
            acknowledged_by: alert.acknowledged.as_ref().map(|(by, _)| by.to_string()),
            acknowledged_at: alert.acknowledged.as_ref().map(|(_, at)| at.to_rfc3339()),
        }
    }
}

impl From<&AlertRule> for AlertRuleView {
    fn from(rule: &AlertRule) -> Self {
        let plan = &rule.plan;
        Self {
            id: rule.id.clone(),
            label: plan.label.clone(),
            kind: plan.kind.clone(),
            settings: plan.settings.clone(),
            owner: plan.owner.to_string(),
            class: plan.class.to_string(),
            team: plan.team.clone(),
            channels: plan.channels.clone(),
            enabled: plan.enabled,
            created_at: rule.created_at.to_rfc3339(),
            updated_at: rule.updated_at.to_rfc3339(),
            checked_at: rule.checked_at.map(|at| at.to_rfc3339()),
            fault: rule.fault.clone(),
        }
    }
}

impl From<&Channel> for ChannelView {
    fn from(channel: &Channel) -> Self {
        Self {
            id: channel.id.clone(),
            label: channel.label.clone(),
            shape: channel.shape.clone(),
            created_at: channel.created_at.to_rfc3339(),
            updated_at: channel.updated_at.to_rfc3339(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn names(body: &Value) -> Result<Vec<String>, String> {
        Ok(read_document(body)?.into_iter().map(|project| project.name).collect())
    }

    #[test]
    fn a_document_tells_of_its_projects() {
        let film = |name: &str| json!({ "name": name, "budget": "3M", "release_date": "2030-06-22" });
        assert_eq!(names(&film("A")), Ok(vec!["A".to_owned()]));
        let both = json!({ "projects": [film("A"), film("B")], "budget": "9M" });
        assert_eq!(names(&both), Ok(vec!["A".to_owned(), "B".to_owned()]));
        let answered = json!({
            "question": both, "slate": { "outcome": "chosen", "choices": [{ "project": "B", "share": 1.0 }] }
        });
        assert_eq!(names(&answered), Ok(vec!["B".to_owned()]));
        assert!(names(&json!({ "mean_profit_usd": 3 })).unwrap_err().contains("unknown field"));
        assert!(names(&json!("text")).is_err());
    }

    #[test]
    fn a_change_keeps_what_it_leaves_out_and_shows_no_secret() {
        let body = |value: Value| serde_json::from_value::<ChannelBody>(value).unwrap();
        let new = json!({
            "label": "Desk", "shape": "pagerduty", "url": "https://a.example/t0p", "secret": "whsec_0123456789",
            "routing_key": "R0UT1NG-0123456789"
        });
        let first = body(new).read(None).unwrap();
        let second =
            body(json!({ "label": "Desk II", "shape": "pagerduty" })).read(Some(first.clone())).unwrap();
        assert_eq!(second, NewChannel { label: "Desk II".to_owned(), ..first });
        let refused =
            body(json!({ "label": "Desk", "shape": "slack", "url": "ftp://t0p", "secret": "x" })).read(None);
        let said = refused.unwrap_err();
        assert!(said.starts_with("url: ") && !said.contains("t0p"), "{said}");
        assert_eq!(
            body(json!({ "label": "D", "shape": "slack" })).read(None).unwrap_err(),
            "url: it is missing"
        );
    }
}
