//! What rules, channels and alerts are, and which cannot be kept.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::documents::is_id;
use crate::ledger::check_name;
use crate::{AccountId, Class, Error, Hook, Severity, Shape};

/// The most characters of a label, a team and an agreement.
const NAME: usize = 200;
/// The most bytes of a rule's settings, as JSON.
const SETTINGS: usize = 64 << 10;
/// The most channels of one rule.
const CHANNELS: usize = 20;
/// The most characters of a title and of a text; what is longer is cut.
const TITLE: usize = 300;
const TEXT: usize = 4_000;
/// The most characters of what a finding is about.
const KEY: usize = 200;
/// The most characters of a secret and of a routing key, and the fewest of a secret: whoever guesses it can sign.
const SECRET: std::ops::RangeInclusive<usize> = 16..=200;

/// What is looked for, and who hears of it.
///
/// ```
/// use marquee_platform::{Class, NewRule};
///
/// let rule = NewRule {
///     label: "Nothing new for a week".to_owned(),
///     kind: "stale".to_owned(),
///     settings: serde_json::json!({ "days": 7 }),
///     owner: "00112233445566778899aabbccddeeff".parse()?,
///     team: String::new(),
///     class: Class::Internal,
///     channels: Vec::new(),
///     enabled: true,
/// };
/// assert!(rule.enabled);
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewRule {
    /// What it is called, 1 to 200 characters.
    pub label: String,
    /// What kind of rule it is: a word that this crate does not read.
    pub kind: String,
    /// What that kind has to be told, up to 64 KiB of JSON.
    pub settings: Value,
    /// The account in whose name it looks.
    pub owner: AccountId,
    /// The team that it belongs to.
    pub team: String,
    /// How closely it is held.
    pub class: Class,
    /// The ids of the channels that hear of what it finds, 20 at most.
    pub channels: Vec<String>,
    /// Whether it looks.
    pub enabled: bool,
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// Its id: 32 hex digits.
    pub id: String,
    /// What was asked for.
    pub plan: NewRule,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it last looked.
    pub checked_at: Option<DateTime<Utc>>,
    /// What kept its last look from being whole.
    pub fault: Option<String>,
}

/// Where to tell of alerts. The address and the secrets are shown to nobody.
///
/// ```
/// use marquee_platform::{Hook, NewChannel, Shape};
///
/// let channel = NewChannel {
///     label: "The desk".to_owned(),
///     shape: Shape::Slack,
///     hook: Hook::parse("https://hooks.example.com/services/T0/B0/secret")?,
///     secret: "whsec_of_sixteen_or_more".to_owned(),
/// };
/// assert!(!format!("{channel:?}").contains("secret"));
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NewChannel {
    /// What it is called, 1 to 200 characters.
    pub label: String,
    /// Which receiver's form its calls have.
    pub shape: Shape,
    /// Where they go.
    pub hook: Hook,
    /// What they are signed with, 16 to 200 characters.
    pub secret: String,
}

/// A channel without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id: 32 hex digits.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// `slack`, `teams`, `pagerduty` or `plain`.
    pub shape: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Something that a rule found.
///
/// ```
/// use marquee_platform::{Class, Finding, Severity};
///
/// let finding = Finding {
///     key: "source:films".to_owned(),
///     title: "Nothing new from films".to_owned(),
///     text: "The last table came nine days ago.".to_owned(),
///     severity: Severity::Warning,
///     link: Some("/".to_owned()),
///     class: Class::Internal,
///     team: String::new(),
///     nda: None,
/// };
/// assert_eq!(finding.severity, Severity::Warning);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about: the same key is the same matter, and fires once until it is resolved. It is kept in plain.
    pub key: String,
    /// One line.
    pub title: String,
    /// The rest.
    pub text: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where to look: a path of the pages.
    pub link: Option<String>,
    /// How closely what it tells of is held; where the rule is held more closely, that counts.
    pub class: Class,
    /// The team of what it tells of.
    pub team: String,
    /// The agreement that covers what it tells of.
    pub nda: Option<String>,
}

/// What came of a rule's look.
///
/// ```
/// assert!(marquee_platform::Look::default().findings.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// What it found.
    pub findings: Vec<Finding>,
    /// How keys of what could not be looked at begin: alerts about it stay as they are.
    pub unsure: Vec<String>,
    /// Whether nothing could be looked at: then no alert is resolved.
    pub blind: bool,
    /// What kept it from being whole, in words.
    pub fault: Option<String>,
}

/// A finding that was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id: 32 hex digits.
    pub id: String,
    /// The rule that fired it, which may be gone.
    pub rule: String,
    /// What was found; class, team and agreement are those that the alert is held under.
    pub found: Finding,
    /// The account of the rule.
    pub owner: AccountId,
    /// Whether it is held more closely than the rule: then channels are not told what it says.
    pub closer: bool,
    /// The channels that were to hear of it.
    pub channels: Vec<String>,
    /// When it fired.
    pub fired_at: DateTime<Utc>,
    /// When it was found no more.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who has seen to it, and when.
    pub acknowledged: Option<(AccountId, DateTime<Utc>)>,
}

/// What channels were told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// That it fired.
    Fired,
    /// That it was resolved.
    Resolved,
}

/// What a look changed.
///
/// ```
/// assert_eq!(marquee_platform::Taken::default().fired, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// How many findings are new.
    pub fired: u64,
    /// How many alerts were found no more.
    pub resolved: u64,
}

/// Which alerts are wanted.
///
/// ```
/// let open = marquee_platform::AlertFilter { open: Some(true), rule: None };
/// assert_ne!(open, marquee_platform::AlertFilter::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertFilter {
    /// Only those that are not resolved, or only those that are.
    pub open: Option<bool>,
    /// Only those of this rule.
    pub rule: Option<String>,
}

/// One page of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertPage {
    /// The alerts, newest first.
    pub alerts: Vec<Alert>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// What a rule seals.
#[derive(Serialize, Deserialize)]
pub(super) struct RuleBody {
    pub(super) label: String,
    pub(super) settings: Value,
    #[serde(default)]
    pub(super) fault: Option<String>,
}

/// What a channel seals.
#[derive(Serialize, Deserialize)]
pub(super) struct ChannelBody {
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) routing_key: Option<String>,
}

/// What an alert seals.
#[derive(Serialize, Deserialize)]
pub(super) struct AlertBody {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) link: Option<String>,
}

/// A place in the list of alerts: behind the one of this time and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) fired_at: i64,
    pub(super) id: String,
}

impl NewRule {
    /// Passes if it can be kept.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_name("kind", &self.kind)?;
        check_text("label", &self.label)?;
        if !self.team.is_empty() {
            check_text("team", &self.team)?;
        }
        if self.channels.len() > CHANNELS || !self.channels.iter().all(|id| is_id(id)) {
            let reason = format!("are not ids of channels, or more than {CHANNELS}");
            return Err(Error::InvalidAlert { what: "channels", reason });
        }
        match self.settings.to_string().len() {
            long if long > SETTINGS => {
                let reason = format!("have {long} bytes where {SETTINGS} are allowed");
                Err(Error::InvalidAlert { what: "settings", reason })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn body(&self, fault: Option<&str>) -> RuleBody {
        let fault = fault.map(|fault| cut(fault, TEXT));
        RuleBody { label: self.label.clone(), settings: self.settings.clone(), fault }
    }
}

impl NewChannel {
    /// Passes if it can be kept. What is wrong is said without showing what is secret.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_text("label", &self.label)?;
        check_secret("secret", &self.secret)?;
        match &self.shape {
            Shape::PagerDuty { routing_key } => check_secret("routing key", routing_key),
            _ => Ok(()),
        }
    }

    pub(super) fn body(&self) -> ChannelBody {
        let routing_key = match &self.shape {
            Shape::PagerDuty { routing_key } => Some(routing_key.clone()),
            Shape::Slack | Shape::Teams | Shape::Plain => None,
        };
        ChannelBody { url: self.hook.reveal().to_owned(), secret: self.secret.clone(), routing_key }
    }
}

impl fmt::Debug for NewChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewChannel")
            .field("label", &self.label)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Finding {
    /// As it is kept under a rule: not longer than allowed, and held as the closer of the two is.
    pub(super) fn under(mut self, rule: &NewRule) -> Result<Self, Error> {
        if self.key.is_empty() || self.key.chars().count() > KEY || self.key.contains('\0') {
            let reason = format!("is empty or longer than {KEY} characters");
            return Err(Error::InvalidAlert { what: "finding's key", reason });
        }
        self.title = cut(&self.title, TITLE);
        self.text = cut(&self.text, TEXT);
        if self.class < rule.class {
            (self.class, self.team, self.nda) = (rule.class, rule.team.clone(), None);
        }
        Ok(self)
    }

    /// Whether it tells of something that is held more closely than the rule, or by others.
    pub(super) fn is_closer_than(&self, rule: &NewRule) -> bool {
        let closed = matches!(self.class, Class::Confidential | Class::Nda);
        self.class > rule.class || (self.class == rule.class && closed && self.team != rule.team)
    }

    pub(super) fn body(&self) -> AlertBody {
        AlertBody { title: self.title.clone(), text: self.text.clone(), link: self.link.clone() }
    }
}

impl Cursor {
    pub(super) const START: Self = Self { fired_at: i64::MAX, id: String::new() };

    pub(super) fn behind(alert: &Alert) -> Self {
        Self { fired_at: alert.fired_at.timestamp_micros(), id: alert.id.clone() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.fired_at, self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once(':').filter(|(_, id)| is_id(id));
        let cursor = parts.and_then(|(at, id)| Some(Self { fired_at: at.parse().ok()?, id: id.to_owned() }));
        cursor.ok_or_else(|| Error::InvalidCursor { cursor: text.chars().take(NAME).collect() })
    }
}

/// A shape's name, as it is kept and as people give it.
pub(super) fn shape_name(shape: &Shape) -> &'static str {
    match shape {
        Shape::Slack => "slack",
        Shape::Teams => "teams",
        Shape::PagerDuty { .. } => "pagerduty",
        Shape::Plain => "plain",
    }
}

fn check_text(what: &'static str, text: &str) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::InvalidAlert { what, reason });
    match text.chars().count() {
        _ if text.trim().is_empty() => refuse("is empty".to_owned()),
        long if long > NAME => refuse(format!("has {long} characters where {NAME} are allowed")),
        _ if text.chars().any(char::is_control) => {
            refuse("holds a line end or another control character".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_secret(what: &'static str, text: &str) -> Result<(), Error> {
    let (least, most) = (SECRET.start(), SECRET.end());
    if SECRET.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::InvalidAlert { what, reason: format!("is not {least} to {most} visible ASCII characters") })
}

/// At most so many characters, without what a database cannot hold.
fn cut(text: &str, most: usize) -> String {
    let clean = text.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c });
    if text.chars().count() <= most { clean.collect() } else { clean.take(most - 1).chain(['…']).collect() }
}
