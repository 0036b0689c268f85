//! Channels: made, changed, removed, listed; what is secret of one is opened for a call alone.

use chrono::{DateTime, Utc};

use super::model::{ChannelBody, shape_name};
use super::rows::{self, CHANNEL, ChannelRow};
use super::{Alerts, Channel, NewChannel, broken, not_found, time};
use crate::documents::{fresh_id, is_id};
use crate::{Error, Hook, Shape};

impl Alerts {
    /// Keeps a new channel.
    ///
    /// # Errors
    /// [`Error::InvalidAlert`] for what cannot be kept; [`Error::NotCommitted`], [`Error::Database`],
    /// [`Error::NoRandomness`].
    pub async fn create_channel(&self, new: &NewChannel, now: DateTime<Utc>) -> Result<Channel, Error> {
        new.check()?;
        let row = self.channel_row(&fresh_id()?, new, now)?;
        let channel = channel_of(&row)?;
        let write = self.write("keep an alert channel", move |connection| {
            Box::pin(async move { rows::insert_channel(connection, &row).await })
        });
        write.await?;
        Ok(channel)
    }

    /// Changes a channel.
    ///
    /// # Errors
    /// [`Error::NotFound`]; and as [`Self::create_channel`].
    pub async fn update_channel(&self, id: &str, new: &NewChannel, now: DateTime<Utc>) -> Result<(), Error> {
        new.check()?;
        let row = self.channel_row(id, new, now)?;
        let write = self.write("change an alert channel", move |connection| {
            Box::pin(async move { rows::update_channel(connection, &row).await })
        });
        if write.await? { Ok(()) } else { Err(not_found("alert channel", id)) }
    }

    /// Removes a channel. Rules that name it tell it nothing any more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn remove_channel(&self, id: &str) -> Result<(), Error> {
        let wanted = id.to_owned();
        let write = self.write("remove an alert channel", move |connection| {
            Box::pin(async move { rows::remove(connection, CHANNEL, &wanted).await })
        });
        if write.await? { Ok(()) } else { Err(not_found("alert channel", id)) }
    }

    /// All channels by label, without what is secret of them.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::InvalidRow`].
    pub async fn channels(&self) -> Result<Vec<Channel>, Error> {
        let found = self.read("list the alert channels", |c| Box::pin(rows::channels(c, None))).await?;
        found.iter().map(channel_of).collect()
    }

    /// A channel with what is secret of it, for a call or a change; `None` if there is none of this id.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::UnknownKey`], [`Error::SealBroken`], [`Error::InvalidRow`].
    pub async fn channel(&self, id: &str) -> Result<Option<NewChannel>, Error> {
        if !is_id(id) {
            return Ok(None);
        }
        let wanted = id.to_owned();
        let found = self.read("read an alert channel", |c| Box::pin(rows::channels(c, Some(wanted)))).await?;
        let Some(row) = found.into_iter().next() else { return Ok(None) };
        let ChannelBody { url, secret, routing_key } = self.unseal(CHANNEL, id, row.body)?;
        let shape = match (row.shape.as_str(), routing_key) {
            ("slack", _) => Shape::Slack,
            ("teams", _) => Shape::Teams,
            ("plain", _) => Shape::Plain,
            ("pagerduty", Some(routing_key)) => Shape::PagerDuty { routing_key },
            (other, _) => return Err(broken(CHANNEL, id, &format!("the shape `{other}`"))),
        };
        Ok(Some(NewChannel { label: row.label, shape, hook: Hook::parse(&url)?, secret }))
    }

    fn channel_row(&self, id: &str, new: &NewChannel, now: DateTime<Utc>) -> Result<ChannelRow, Error> {
        let now = now.timestamp_micros();
        Ok(ChannelRow {
            id: id.to_owned(),
            label: new.label.clone(),
            shape: shape_name(&new.shape).to_owned(),
            created_at: now,
            updated_at: now,
            body: self.seal(CHANNEL, id, &new.body())?,
        })
    }
}

fn channel_of(row: &ChannelRow) -> Result<Channel, Error> {
    Ok(Channel {
        id: row.id.clone(),
        label: row.label.clone(),
        shape: row.shape.clone(),
        created_at: time(CHANNEL, &row.id, row.created_at)?,
        updated_at: time(CHANNEL, &row.id, row.updated_at)?,
    })
}
