//! Lists of threat intelligence, by which detections know bad addresses and destinations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a list comes from, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntelSettings {
    /// Where it is fetched from; absent for one that is uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `auto` (by what is in it), `plain` (one on a line), `csv`, `stix` (a bundle of 2.1) or `misp` (an event, the answer
    /// of a search, a feed by its manifest, or a warning list).
    #[serde(default = "auto")]
    pub format: String,
    /// Of a table: the column, by its name or its number from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Of a table: what stands between columns; a comma, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// A header that says who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<IntelHeader>,
}

fn auto() -> String {
    "auto".to_owned()
}

/// A header with a secret, which is named and never stored or shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntelHeader {
    /// The header: `Authorization`, `X-Api-Key`.
    pub name: String,
    /// Where its value is.
    pub value: IntelSecret,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum IntelSecret {
    /// In a file of the server's folder of credentials.
    File {
        /// The file's name, within that folder.
        file: String,
    },
    /// In a variable of the server's environment.
    Variable {
        /// The variable's name, which begins with `INTEL_`.
        variable: String,
    },
}

/// A list of threat intelligence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntelList {
    /// Its number.
    pub id: i64,
    /// For people.
    pub name: String,
    /// Where it comes from, and how it is read.
    #[serde(flatten)]
    pub settings: IntelSettings,
    /// The named lists of detections that it extends. None: what it has is never taken for bad, whoever says so.
    pub extends: Vec<String>,
    /// Hours between two looks; 0: only when asked.
    pub every_hours: u32,
    /// Whether it counts.
    pub is_on: bool,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it was looked for last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub tried: Option<Timestamp>,
    /// When it was had last: of then is what it says.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub succeeded: Option<Timestamp>,
    /// When it changed last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed: Option<Timestamp>,
    /// Why it could not be had the last time; what it said before stays.
    pub problem: Option<String>,
    /// Whether it is looked for now, or will be at once.
    pub reading: bool,
    /// How many entries it has.
    pub entries: u64,
    /// What of it could not be read.
    pub unused: Vec<IntelUnused>,
    /// Which of its entries do not count now, and why.
    pub left_out: Vec<IntelUnused>,
}

/// What of a list is not used for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntelUnused {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub example: String,
}

/// A named list of detections that others may extend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntelNamed {
    /// As detections name it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it takes: `address`, `domain`, `url`, `hash`, `text`.
    pub takes: Vec<String>,
    /// How many items are built in.
    pub own: u64,
    /// How many others add.
    pub added: u64,
}

/// All lists of threat intelligence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntelLists {
    /// By name.
    pub lists: Vec<IntelList>,
    /// What they may extend.
    pub named: Vec<IntelNamed>,
}

/// A list to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewIntelList {
    /// For people: 1 to 100 characters.
    pub name: String,
    /// Where it comes from, and how it is read.
    #[serde(flatten)]
    pub settings: IntelSettings,
    /// See [`IntelList::extends`].
    pub extends: Vec<String>,
    /// See [`IntelList::every_hours`]; 24, if absent.
    #[serde(default = "daily")]
    pub every_hours: u32,
}

fn daily() -> u32 {
    24
}

/// What is to be another about a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntelListChange {
    /// Whether it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_on: Option<bool>,
    /// Hours between two looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<u32>,
}
