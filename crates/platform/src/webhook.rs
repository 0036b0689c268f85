//! Webhook calls: what they say in the form that the receiver knows, and proof of who said it. Pure functions: nothing is
//! sent here.
//!
//! The forms follow the providers' documents: Slack, "Sending messages using incoming webhooks" and the limits of Block Kit;
//! Microsoft Teams, "Create and send messages" with an adaptive card; PagerDuty, "Events API v2". The signature follows
//! Stripe's "Verify webhook signatures": `t=SECONDS,v1=HEX`, HMAC-SHA-256 over `SECONDS.BODY`.
//! Titles and texts are never read as markup, because others may have chosen their words.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{Digest, Error};

/// The format of plain calls.
const FORMAT: u32 = 1;
/// How far a signature's time may be from the receiver's.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Most characters of a title and of a text: Slack allows 150 and 3,000, PagerDuty 1,024 for a title alone.
const TITLE: usize = 150;
const TEXT: usize = 2_900;
/// Most characters of PagerDuty's `dedup_key`.
const DEDUP: usize = 255;
/// Who speaks, where a receiver wants a name.
const SOURCE: &str = "marquee";

/// Which receiver's form a call has.
///
/// ```
/// use marquee_platform::Shape;
///
/// assert_ne!(Shape::Slack, Shape::PagerDuty { routing_key: "R0".to_owned() });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Shape {
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow or incoming webhook of Microsoft Teams.
    Teams,
    /// The Events API v2 of PagerDuty.
    PagerDuty {
        /// The integration key: a secret, which stands in the body.
        routing_key: String,
    },
    /// The notice's own fields.
    Plain,
}

/// How bad it is; the words are PagerDuty's.
///
/// ```
/// assert_eq!(marquee_platform::Severity::Warning.as_str(), "warning");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look soon.
    Warning,
    /// Something failed.
    Error,
    /// Somebody must look now.
    Critical,
}

/// What there is to say.
///
/// ```
/// use marquee_platform::{Notice, Severity, Shape, shape};
///
/// let notice = Notice {
///     title: "Gigli opened below its range".to_owned(),
///     text: "$3.75M where $6M to $18M was forecast.".to_owned(),
///     severity: Severity::Warning,
///     link: Some("https://marquee.example/titles/gigli".to_owned()),
///     at: chrono::DateTime::UNIX_EPOCH,
///     key: "drift:gigli".to_owned(),
///     resolved: false,
/// };
/// let body = shape(&Shape::Plain, &notice);
/// assert_eq!(body["severity"], "warning");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub title: String,
    /// The rest.
    pub text: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where to look, an `http` or `https` address; any other is left out.
    pub link: Option<String>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What it is about: notices with the same key are one matter.
    pub key: String,
    /// Whether the matter is over. PagerDuty closes its incident.
    pub resolved: bool,
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Slack => "Slack",
            Self::Teams => "Teams",
            Self::PagerDuty { .. } => "PagerDuty",
            Self::Plain => "Plain",
        })
    }
}

impl Severity {
    /// All of them, from the least.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// Its name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// The JSON to post. Texts that are longer than the receiver takes are cut.
#[must_use]
pub fn shape(shape: &Shape, notice: &Notice) -> Value {
    match shape {
        Shape::Slack => slack(notice),
        Shape::Teams => teams(notice),
        Shape::PagerDuty { routing_key } => pager_duty(routing_key, notice),
        Shape::Plain => json!({
            "version": FORMAT,
            "title": notice.title,
            "text": notice.text,
            "severity": notice.severity.as_str(),
            "link": link(notice),
            "at": at(notice),
            "key": notice.key,
            "resolved": notice.resolved,
        }),
    }
}

/// The value of a signature header for this body.
///
/// ```
/// use chrono::Utc;
/// use marquee_platform::{sign, verify};
///
/// let header = sign("whsec_of_this_hook", Utc::now(), b"{}");
/// assert!(verify("whsec_of_this_hook", &header, b"{}", Utc::now()).is_ok());
/// assert!(verify("whsec_of_another", &header, b"{}", Utc::now()).is_err());
/// ```
#[must_use]
pub fn sign(secret: &str, timestamp: DateTime<Utc>, body: &[u8]) -> String {
    let seconds = timestamp.timestamp().to_string();
    let tag = mac(secret, &seconds, body).map(|mac| Digest(mac.finalize().into_bytes().into()));
    // HMAC takes keys of every length, so that there always is a tag.
    tag.map(|tag| format!("t={seconds},v1={tag}")).unwrap_or_default()
}

/// Passes if one of the header's `v1` signatures is of this body and made within five minutes of `now`. Takes the same time
/// for every wrong signature.
///
/// # Errors
/// [`Error::BadSignature`].
pub fn verify(secret: &str, header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), Error> {
    let refuse = |reason| Error::BadSignature { reason };
    let fields = || header.split(',').filter_map(|field| field.trim().split_once('='));
    let seconds = fields().find(|(name, _)| *name == "t").map(|(_, value)| value);
    let seconds = seconds.ok_or_else(|| refuse("it has no time"))?;
    let made = seconds.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let made = made.ok_or_else(|| refuse("its time cannot be read"))?;
    let mac = mac(secret, seconds, body).ok_or_else(|| refuse("it has no secret"))?;
    let mut tags =
        fields().filter(|(name, _)| *name == "v1").filter_map(|(_, tag)| tag.parse::<Digest>().ok());
    if !tags.any(|tag| mac.clone().verify_slice(&tag.0).is_ok()) {
        return Err(refuse("it is not of this body and secret"));
    }
    if now.signed_duration_since(made).abs() > TOLERANCE {
        return Err(refuse("it was made more than five minutes from now"));
    }
    Ok(())
}

fn mac(secret: &str, seconds: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// A text for older clients and notifications, then blocks. Only `mrkdwn` can hold a link; all else is plain.
fn slack(notice: &Notice) -> Value {
    let (title, text) = (title(notice), cut(&notice.text, TEXT));
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": title}})];
    if !text.trim().is_empty() {
        blocks.push(json!({"type": "section", "text": {"type": "plain_text", "text": text}}));
    }
    let mut foot = format!("{} · {}", state(notice), at(notice));
    if let Some(link) = link(notice) {
        foot.push_str(&format!(" · <{}|Open>", for_slack(link).replace('|', "%7C")));
    }
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": foot}]}));
    json!({"text": for_slack(&title), "blocks": blocks})
}

/// An adaptive card. Text runs, unlike text blocks, are not read as Markdown.
fn teams(notice: &Notice) -> Value {
    let line = |run: Value| json!({"type": "RichTextBlock", "inlines": [run]});
    let colour = match notice.severity {
        _ if notice.resolved => "good",
        Severity::Info => "default",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "attention",
    };
    let title = json!({"type": "TextRun", "text": title(notice), "weight": "bolder", "size": "medium", "color": colour});
    let mut body = vec![line(title)];
    if !notice.text.trim().is_empty() {
        body.push(line(json!({"type": "TextRun", "text": cut(&notice.text, TEXT)})));
    }
    let foot = format!("{} · {}", state(notice), at(notice));
    body.push(line(json!({"type": "TextRun", "text": foot, "size": "small", "isSubtle": true})));
    let actions = link(notice).map(|link| json!({"type": "Action.OpenUrl", "title": "Open", "url": link}));
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": body,
        "actions": actions.into_iter().collect::<Vec<_>>(),
    });
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": card,
    });
    json!({"type": "message", "attachments": [attachment]})
}

fn pager_duty(routing_key: &str, notice: &Notice) -> Value {
    let links = link(notice).map(|link| json!({"href": link, "text": "Open"}));
    json!({
        "routing_key": routing_key,
        "event_action": if notice.resolved { "resolve" } else { "trigger" },
        "dedup_key": cut(&notice.key, DEDUP),
        "payload": {
            "summary": title(notice),
            "source": SOURCE,
            "severity": notice.severity.as_str(),
            "timestamp": at(notice),
            "custom_details": {"text": cut(&notice.text, TEXT)},
        },
        "links": links.into_iter().collect::<Vec<_>>(),
        "client": SOURCE,
    })
}

/// Receivers refuse an empty title.
fn title(notice: &Notice) -> String {
    let title = notice.title.trim();
    if title.is_empty() { SOURCE.to_owned() } else { cut(title, TITLE) }
}

fn state(notice: &Notice) -> &'static str {
    if notice.resolved { "resolved" } else { notice.severity.as_str() }
}

fn at(notice: &Notice) -> String {
    notice.at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Addresses that a browser opens and that end where they should: no script, no spaces.
fn link(notice: &Notice) -> Option<&str> {
    let opens = |link: &&str| link.starts_with("https://") || link.starts_with("http://");
    let whole = |link: &&str| link.chars().all(|c| !c.is_whitespace() && !c.is_control());
    notice.link.as_deref().filter(opens).filter(whole).filter(|link| link.len() <= TEXT)
}

/// The three characters that Slack reads as control, as it wants them.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many characters, the last one an ellipsis where some are left out.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"title":"Gigli opened below its range"}"#;
    const HEADER: &str = "t=1700000000,v1=3bbcf260da94a7b37999a68b640f01fa101eb0031aa060a9644386aa599d1042";

    fn at_second(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn notice() -> Notice {
        Notice {
            title: "Gigli <opened> & sank".to_owned(),
            text: "*$3.75M* where $6M was forecast".to_owned(),
            severity: Severity::Warning,
            link: Some("https://marquee.example/t?a=1&b=2".to_owned()),
            at: at_second(1_700_000_000),
            key: "drift:gigli".to_owned(),
            resolved: false,
        }
    }

    /// The tag is what Python's `hmac.new(b"whsec_test", b"1700000000." + BODY, "sha256")` gives.
    #[test]
    fn a_signature_is_hmac_sha_256_over_time_and_body() {
        assert_eq!(sign("whsec_test", at_second(1_700_000_000), BODY), HEADER);
    }

    fn check(header: &str, body: &[u8], seconds: i64, wanted: &str) {
        let found = verify("whsec_test", header, body, at_second(seconds));
        let found = found.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(found.ends_with(wanted) && found.is_empty() == wanted.is_empty(), "{header}: {found}");
    }

    #[test]
    fn a_signature_holds_for_its_body_and_five_minutes() {
        let tag = HEADER.split_once("v1=").unwrap().1;
        let zeros = "0".repeat(64);
        check(HEADER, BODY, 1_700_000_000, "");
        check(HEADER, BODY, 1_700_000_300, "");
        check(HEADER, BODY, 1_699_999_700, "");
        check(HEADER, BODY, 1_700_000_301, "five minutes from now");
        check(HEADER, BODY, 1_699_999_699, "five minutes from now");
        check(HEADER, b"{}", 1_700_000_000, "not of this body and secret");
        check(&format!("t=1700000001,v1={tag}"), BODY, 1_700_000_000, "not of this body and secret");
        check(&format!("t=1700000000,v0={tag}"), BODY, 1_700_000_000, "not of this body and secret");
        // While a secret is changed, a sender may sign with both.
        check(&format!("t=1700000000, v1={zeros}, v1={tag}"), BODY, 1_700_000_000, "");
        check(&format!("v1={tag}"), BODY, 1_700_000_000, "it has no time");
        check(&format!("t=soon,v1={tag}"), BODY, 1_700_000_000, "its time cannot be read");
        check("", BODY, 1_700_000_000, "it has no time");
    }

    #[test]
    fn slack_gets_text_and_blocks() {
        let wanted = json!({
            "text": "Gigli &lt;opened&gt; &amp; sank",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Gigli <opened> & sank"}},
                {"type": "section", "text": {"type": "plain_text", "text": "*$3.75M* where $6M was forecast"}},
                {"type": "context", "elements": [{
                    "type": "mrkdwn",
                    "text": "warning · 2023-11-14T22:13:20Z · <https://marquee.example/t?a=1&amp;b=2|Open>",
                }]},
            ],
        });
        assert_eq!(shape(&Shape::Slack, &notice()), wanted);
    }

    #[test]
    fn teams_gets_an_adaptive_card() {
        let call = shape(&Shape::Teams, &notice());
        assert_eq!(call["type"], "message");
        let attachment = &call["attachments"][0];
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        let card = &attachment["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.2")));
        assert_eq!(card["body"][0]["inlines"][0]["text"], "Gigli <opened> & sank");
        assert_eq!(card["body"][0]["inlines"][0]["color"], "warning");
        assert_eq!(
            card["actions"],
            json!([{"type": "Action.OpenUrl", "title": "Open", "url": "https://marquee.example/t?a=1&b=2"}])
        );
    }

    #[test]
    fn pager_duty_gets_an_event() {
        let to = Shape::PagerDuty { routing_key: "R0UT1NG".to_owned() };
        let wanted = json!({
            "routing_key": "R0UT1NG",
            "event_action": "trigger",
            "dedup_key": "drift:gigli",
            "payload": {
                "summary": "Gigli <opened> & sank",
                "source": "marquee",
                "severity": "warning",
                "timestamp": "2023-11-14T22:13:20Z",
                "custom_details": {"text": "*$3.75M* where $6M was forecast"},
            },
            "links": [{"href": "https://marquee.example/t?a=1&b=2", "text": "Open"}],
            "client": "marquee",
        });
        assert_eq!(shape(&to, &notice()), wanted);
        let over = shape(&to, &Notice { resolved: true, ..notice() });
        assert_eq!((&over["event_action"], &over["dedup_key"]), (&json!("resolve"), &json!("drift:gigli")));
        assert_eq!(format!("{to:?}"), "PagerDuty");
    }

    #[test]
    fn links_that_a_browser_should_not_follow_are_left_out() {
        for link in ["javascript:alert(1)", "/titles", "https://a b", "https://a\n"] {
            let notice = Notice { link: Some(link.to_owned()), ..notice() };
            assert_eq!(shape(&Shape::Plain, &notice)["link"], Value::Null, "{link}");
        }
    }

    proptest! {
        #[test]
        fn every_notice_fits_what_the_receivers_take(title: String, long in "\\PC{0,4000}", link: Option<String>) {
            let notice = Notice { title, text: long.clone(), link, key: long, ..notice() };
            let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
            let slack = shape(&Shape::Slack, &notice);
            prop_assert!((1..=150).contains(&length(&slack["blocks"][0]["text"]["text"])));
            prop_assert!(length(&slack["blocks"][1]["text"]["text"]) <= 3000);
            let duty = shape(&Shape::PagerDuty { routing_key: String::new() }, &notice);
            prop_assert!((1..=1024).contains(&length(&duty["payload"]["summary"])));
            prop_assert!(length(&duty["dedup_key"]) <= 255);
            // Teams refuses messages beyond 28 KB.
            prop_assert!(shape(&Shape::Teams, &notice).to_string().len() <= 28 << 10);
        }

        #[test]
        fn what_is_signed_verifies_and_nothing_panics(secret: String, body: Vec<u8>, header: String) {
            let now = at_second(1_700_000_000);
            prop_assert!(verify(&secret, &sign(&secret, now, &body), &body, now).is_ok());
            prop_assert!(verify(&secret, &header, &body, now).is_err());
        }
    }
}
