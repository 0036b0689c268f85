//! What the page of alerts is made of.

use chrono::{DateTime, Utc};
use marquee_app::platform::{Action, Alert, AlertRule, Channel, Class, Severity};
use maud::{Markup, html};

use crate::guard::Caller;
use crate::pages::parts::{Column, Field, Tone, badge, choice, field, head, nothing, notice, table};
use crate::pages::words::{ago, capital, count};

/// Kinds of rule, what each looks for, and what its bound is.
pub(super) const KINDS: [(&str, &str); 6] = [
    ("loss_probability", "a planned film is likelier to lose money than the bound (%)"),
    ("opening_below", "an opening came in below this quantile (%) of its recorded forecast"),
    ("coverage", "fewer actuals than the bound (%) come in inside their 10–90% range"),
    ("data_quality", "more rows of a source are refused than the bound (%)"),
    ("stale", "nothing new came in for more than the bound (days)"),
    ("drift", "last year's films do not look like those before (no bound)"),
];
const SHAPES: [(&str, &str); 4] =
    [("slack", "Slack"), ("teams", "Microsoft Teams"), ("pagerduty", "PagerDuty"), ("plain", "Plain JSON")];
const CLASSES: [(&str, &str); 4] = [
    ("internal", "Internal"),
    ("public", "Public"),
    ("confidential", "Confidential"),
    ("nda", "Under an agreement"),
];

/// Everything on the page.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) open: Vec<Alert>,
    pub(super) over: Vec<Alert>,
    pub(super) rules: Vec<AlertRule>,
    pub(super) channels: Vec<Channel>,
}

pub(super) fn body(caller: &Caller, shown: &Shown, wrong: Option<&str>, now: DateTime<Utc>) -> Markup {
    let (plans, administers) = (caller.permit.may(Action::Plan), caller.permit.may(Action::Administer));
    let lede =
        "Rules look every hour, each by what its owner may see. What they find fires once, until it is gone.";
    html! {
        (head("Alerts", Some(lede)))
        @if let Some(wrong) = wrong { (notice(Tone::Bad, html! { p { (wrong) } })) }
        section {
            div.row.apart {
                h2 { "Open" }
                @if administers {
                    form method="post" action="/alerts/look" { button.button type="submit" { "Look now" } }
                }
            }
            @if shown.open.is_empty() {
                (nothing("Nothing is wrong", "No rule has found anything that is not over.", html! {}))
            } @else { (alerts_shown("Open alerts", &shown.open, now)) }
        }
        @if !shown.over.is_empty() {
            section { h2 { "Over" } (alerts_shown("Alerts that are over", &shown.over, now)) }
        }
        section {
            h2 { "Rules" }
            (rules_shown(shown, plans, now))
            @if plans { details { summary { "Add a rule" } (rule_form(&shown.channels, &caller.account.team)) } }
        }
        @if plans {
            section {
                h2 { "Channels" }
                (channels_shown(&shown.channels, administers))
                @if administers { details { summary { "Add a channel" } (channel_form()) } }
            }
        }
    }
}

fn alerts_shown(caption: &str, all: &[Alert], now: DateTime<Utc>) -> Markup {
    let columns =
        [Column::text("What"), Column::text("How bad"), Column::text("Fired"), Column::text("Seen to")];
    table(
        caption,
        &columns,
        html! {
            @for alert in all {
                @let found = &alert.found;
                tr {
                    th scope="row" {
                        @match &found.link { Some(link) => { a href=(link) { (found.title) } } None => { (found.title) } }
                        p.small.soft { (found.text) }
                    }
                    td { (severity(found.severity)) @if found.class != Class::Internal { " " (badge(found.class.as_str(), Tone::Plain)) } }
                    td.nowrap { (ago(alert.fired_at, now)) @if let Some(at) = alert.resolved_at { br; span.soft.small { "over " (ago(at, now)) } } }
                    td {
                        @if let Some((_, at)) = &alert.acknowledged { (ago(*at, now)) }
                        @else {
                            form method="post" action={ "/alerts/" (alert.id) "/acknowledge" } {
                                button.button type="submit" aria-label={ "I see to it: " (found.title) } { "I see to it" }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn severity(severity: Severity) -> Markup {
    let tone = match severity {
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Wait,
        Severity::Error | Severity::Critical => Tone::Bad,
    };
    badge(severity.as_str(), tone)
}

fn rules_shown(shown: &Shown, plans: bool, now: DateTime<Utc>) -> Markup {
    if shown.rules.is_empty() {
        let why = "A rule says what to look for, and who hears of it.";
        return nothing("There is no rule yet", why, html! {});
    }
    let columns =
        [Column::text("Rule"), Column::text("Looks for"), Column::text("Last look"), Column::text("State")];
    table(
        "Rules",
        &columns,
        html! {
            @for rule in &shown.rules {
                @let plan = &rule.plan;
                tr {
                    th scope="row" { (plan.label) }
                    td {
                        (capital(&plan.kind.replace('_', " ")))
                        p.small.soft { code { (plan.settings) } @if !plan.channels.is_empty() { " · tells " (count(plan.channels.len() as u64, "channel")) } }
                    }
                    td {
                        @match rule.checked_at { Some(at) => { (ago(at, now)) } None => { span.soft { "not yet" } } }
                        @if let Some(fault) = &rule.fault { p.small { (badge("not whole", Tone::Wait)) " " (fault) } }
                    }
                    td {
                        @if plan.enabled { (badge("on", Tone::Good)) } @else { (badge("off", Tone::Plain)) }
                        @if plans {
                            div.row {
                                form method="post" action={ "/alerts/rules/" (rule.id) "/switch" } {
                                    button.button type="submit" aria-label={ (if plan.enabled { "Switch off: " } else { "Switch on: " }) (plan.label) } {
                                        @if plan.enabled { "Switch off" } @else { "Switch on" }
                                    }
                                }
                                form method="post" action={ "/alerts/rules/" (rule.id) "/remove" } {
                                    button.button type="submit" aria-label={ "Remove: " (plan.label) } { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn rule_form(channels: &[Channel], team: &str) -> Markup {
    let bound = Field {
        kind: "number",
        hint: Some("Per cent, such as 60; days for what is stale; nothing for drift."),
        ..Field::text("bound", "Bound", "")
    };
    let subject = Field {
        hint: Some("A source's name, or the id of a project or slate. All that you see where it is empty."),
        ..Field::text("subject", "Only of", "")
    };
    html! {
        form.form method="post" action="/alerts/rules" {
            (field(&Field { required: true, ..Field::text("label", "What the rule is called", "") }))
            (choice("kind", "Alert when", &KINDS, KINDS[0].0))
            (field(&bound))
            (field(&subject))
            (choice("class", "Class", &CLASSES, CLASSES[0].0))
            (field(&Field::text("team", "Team", team)))
            @if !channels.is_empty() {
                fieldset {
                    legend { "Tell" }
                    @for channel in channels {
                        @let id = format!("channel-{}", channel.id);
                        div.tick { input type="checkbox" id=(id) name="channel" value=(channel.id); label for=(id) { (channel.label) } }
                    }
                }
            }
            div.row { button.button.main type="submit" { "Add the rule" } }
        }
    }
}

fn channels_shown(channels: &[Channel], administers: bool) -> Markup {
    if channels.is_empty() {
        return html! { p.soft { "No channel yet: alerts are shown here alone." } };
    }
    let columns = [Column::text("Channel"), Column::text("Form"), Column::text("")];
    table(
        "Channels",
        &columns,
        html! {
            @for channel in channels {
                tr {
                    th scope="row" { (channel.label) }
                    td { (SHAPES.iter().find(|(shape, _)| *shape == channel.shape).map_or(channel.shape.as_str(), |(_, word)| word)) }
                    td {
                        @if administers {
                            div.row {
                                form method="post" action={ "/alerts/channels/" (channel.id) "/test" } {
                                    button.button type="submit" aria-label={ "Send a test: " (channel.label) } { "Send a test" }
                                }
                                form method="post" action={ "/alerts/channels/" (channel.id) "/remove" } {
                                    button.button type="submit" aria-label={ "Remove: " (channel.label) } { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn channel_form() -> Markup {
    let secret = Field {
        kind: "password",
        required: true,
        complete: "off",
        hint: Some("Calls are signed with it; 16 to 200 characters. It is not shown again."),
        ..Field::text("secret", "Secret", "")
    };
    let url = Field {
        kind: "url",
        required: true,
        hint: Some("The address that the receiver gave you. It is not shown again."),
        ..Field::text("url", "Webhook", "")
    };
    let key = Field {
        kind: "password",
        hint: Some("For PagerDuty alone."),
        ..Field::text("routing_key", "Integration key", "")
    };
    html! {
        form.form method="post" action="/alerts/channels" {
            (field(&Field { required: true, ..Field::text("channel-label", "What the channel is called", "") }))
            (choice("shape", "Form", &SHAPES, SHAPES[0].0))
            (field(&url))
            (field(&secret))
            (field(&key))
            div.row { button.button.main type="submit" { "Add the channel" } }
        }
    }
}
