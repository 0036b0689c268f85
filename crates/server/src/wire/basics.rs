//! What all documents are made of: days, amounts, quantiles, intervals.

use std::fmt;

use marquee_domain::{AsOf, Currency, Money};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::wire::WireError;

/// A day, `YYYY-MM-DD`.
///
/// ```
/// use marquee_server::wire::Day;
/// let day: Day = serde_json::from_str(r#""2011-06-17""#)?;
/// assert_eq!(day.read().map(|day| day.year()), Ok(2011));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = String, format = Date, example = "2011-06-17")]
pub struct Day(String);

impl Day {
    /// The day that is meant.
    ///
    /// # Errors
    /// [`WireError::Value`] where it is none, or not of the years that Marquee keeps.
    pub fn read(&self) -> Result<marquee_domain::Day, WireError> {
        Ok(self.0.parse()?)
    }
}

impl From<marquee_domain::Day> for Day {
    fn from(day: marquee_domain::Day) -> Self {
        Self(day.to_string())
    }
}

impl From<AsOf> for Day {
    fn from(day: AsOf) -> Self {
        day.0.into()
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayVisitor)
    }
}

/// The key under which `toml` hands over a date, for which serde's data model has no type.
const TOML_DATE: &str = "$__toml_private_datetime";

struct DayVisitor;

impl<'de> Visitor<'de> for DayVisitor {
    type Value = Day;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day, written as YYYY-MM-DD")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Day, E> {
        Ok(Day(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Day, A::Error> {
        match map.next_key::<String>()? {
            Some(key) if key == TOML_DATE => map.next_value().map(Day),
            _ => Err(A::Error::custom("a day is a text, written as YYYY-MM-DD")),
        }
    }
}

/// US dollars, nominal: a text such as `"80M"`, `"850k"` or `"$1.5B"`, or a plain number.
///
/// ```
/// use marquee_server::wire::Amount;
/// let amount: Amount = serde_json::from_str(r#""80M""#)?;
/// assert_eq!(amount.money().map(|money| money.major()), Ok(80e6));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(example = "80M")]
pub enum Amount {
    /// With a unit: `k` for thousands, `M` for millions, `B` for billions.
    Text(String),
    /// Plain dollars.
    Number(f64),
}

impl Amount {
    /// The money that is meant.
    ///
    /// # Errors
    /// [`WireError`] where it is no amount, cannot be kept, or is in another currency.
    pub fn money(&self) -> Result<Money, WireError> {
        let money: Money = match self {
            Self::Text(text) => text.parse()?,
            Self::Number(dollars) => Money::from_major(*dollars, Currency::USD)?,
        };
        match money.currency() == Currency::USD {
            true => Ok(money),
            false => Err(WireError::NotDollars(money)),
        }
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        match money.currency() {
            Currency::USD => Self::Number(money.major()),
            other => Self::Text(format!("{other} {}", money.major())),
        }
    }
}

/// What a figure lies below with a probability of 5, 10, 25, 50, 75, 90 and 95%, in the unit that the key says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "q05": 4.1e6, "q10": 6.6e6, "q25": 14.8e6, "q50": 33.2e6, "q75": 70.9e6, "q90": 135.0e6, "q95": 196.0e6
}))]
pub struct Quantiles {
    /// It is lower in 5 of 100 cases.
    pub q05: f64,
    /// It is lower in 10 of 100 cases.
    pub q10: f64,
    /// It is lower in 25 of 100 cases.
    pub q25: f64,
    /// The middle.
    pub q50: f64,
    /// It is higher in 25 of 100 cases.
    pub q75: f64,
    /// It is higher in 10 of 100 cases.
    pub q90: f64,
    /// It is higher in 5 of 100 cases.
    pub q95: f64,
}

impl From<[f64; 7]> for Quantiles {
    /// At [`marquee_domain::LEVELS`], in order.
    fn from([q05, q10, q25, q50, q75, q90, q95]: [f64; 7]) -> Self {
        Self { q05, q10, q25, q50, q75, q90, q95 }
    }
}

impl From<[Money; 7]> for Quantiles {
    fn from(amounts: [Money; 7]) -> Self {
        amounts.map(Money::major).into()
    }
}

impl From<&marquee_domain::Distribution> for Quantiles {
    fn from(distribution: &marquee_domain::Distribution) -> Self {
        distribution.quantiles().into()
    }
}

/// A figure with its 95% interval; ends are null where there are too few cases for one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// The lower end.
    #[schema(value_type = Option<f64>)]
    pub lower: f64,
    /// The upper end.
    #[schema(value_type = Option<f64>)]
    pub upper: f64,
}

impl From<marquee_app::types::Difference> for Interval {
    fn from(d: marquee_app::types::Difference) -> Self {
        Self { value: d.value, lower: d.lower, upper: d.upper }
    }
}

impl From<marquee_app::types::Estimate> for Interval {
    fn from(e: marquee_app::types::Estimate) -> Self {
        Self { value: e.value, lower: e.lower, upper: e.upper }
    }
}
