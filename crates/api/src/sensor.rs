//! Sensors: how they join, and the tokens by which they do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sensor that wants to join.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The secret of a join token.
    pub token: String,
    /// What the sensor calls itself: its machine's name.
    pub name: String,
    /// Its program's version.
    pub version: String,
}

/// What a sensor gets when it joins.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// The sensor's number.
    pub id: i64,
    /// Its own token, shown once, by which it sends.
    pub token: String,
}

/// What became of facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactsTaken {
    /// The host that they are of.
    pub host: i64,
    /// Whether they differ from the last ones; then they will be judged.
    pub changed: bool,
}

/// A join token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinToken {
    /// To delete it by.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// The environment that assets of its sensors belong to.
    pub environment: String,
    /// How many sensors may join by it; absent for any number.
    pub most_uses: Option<u64>,
    /// How many have.
    pub uses: u64,
    /// When the last one did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
    /// The secret, shown once: only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// All join tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinTokenList {
    /// Newest first.
    pub tokens: Vec<JoinToken>,
}

/// A join token to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJoinToken {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// Hours until it ends, 1 to 8,760.
    pub hours: u32,
    /// How many sensors may join by it; absent for any number.
    #[serde(default)]
    pub most_uses: Option<u32>,
    /// The environment that assets of its sensors belong to; `default`, if absent.
    #[serde(default)]
    pub environment: Option<String>,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sensor {
    /// To delete it by.
    pub id: i64,
    /// What it calls itself.
    pub name: String,
    /// Its program's version: that of the last facts, or before the first when it joined.
    pub version: String,
    /// The join token's name.
    pub joined_by: String,
    /// The host that it sends facts of; absent before the first.
    pub host: Option<i64>,
    /// That host's name.
    pub host_name: Option<String>,
    /// That host's kind, such as `docker-host`.
    pub kind: Option<String>,
    /// That host's environment.
    pub environment: Option<String>,
    /// Whether nothing was heard of it for longer than it ever pauses.
    pub silent: bool,
    /// When it joined.
    #[schema(value_type = String, format = DateTime)]
    pub joined: Timestamp,
    /// When it was heard of last, to the minute.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// All sensors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SensorList {
    /// By name.
    pub sensors: Vec<Sensor>,
}
