//! Connectors to clouds, and the assets that they bring.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{HostRecommendation, SeverityCounts};

/// Whom the server asks for assets of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Connector {
    /// Its number.
    pub id: i64,
    /// `azure`.
    pub kind: String,
    /// For people.
    pub name: String,
    /// `public`, `government`, `china` or `custom`.
    pub cloud: String,
    /// Who asks. Secrets are named, never shown.
    pub credentials: ConnectorCredentials,
    /// Ids or names of subscriptions; all that can be seen, if empty.
    pub subscriptions: Vec<String>,
    /// Hours between two runs; 0: only when asked.
    pub every_hours: u32,
    /// Whether it waits until somebody lets it go on.
    pub paused: bool,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// What came of the last run: `new`, `ok`, `partial` or `failed`.
    pub state: String,
    /// Whether it reads now, or will at once.
    pub reading: bool,
    /// When the last run ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub tried: Option<Timestamp>,
    /// When the last one ended that brought something.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub succeeded: Option<Timestamp>,
    /// When the next one begins; absent where none will by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next: Option<Timestamp>,
    /// What went wrong with the last one as a whole.
    pub problems: Vec<String>,
    /// What came of each subscription at the last run that brought something.
    pub seen: Vec<ConnectorSubscription>,
    /// How many assets it brought.
    pub assets: u32,
}

/// What came of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorSubscription {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Clusters that were found in it.
    pub clusters: u32,
    /// Registries that were found in it.
    pub registries: u32,
    /// What could not be read of it.
    pub problems: Vec<String>,
}

/// What is to be changed of a connector; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeConnector {
    /// See [`NewConnector::name`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// See [`NewConnector::cloud`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// See [`NewConnector::credentials`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<ConnectorCredentials>,
    /// See [`NewConnector::subscriptions`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Vec<String>>,
    /// See [`NewConnector::every_hours`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_hours: Option<u32>,
    /// Whether it waits until somebody lets it go on. It can still be asked to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// What came of trying a connector's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorTest {
    /// Whether it could log in and sees all subscriptions that it should.
    pub ok: bool,
    /// Why not.
    pub problem: Option<String>,
    /// The subscriptions that it sees.
    pub subscriptions: Vec<TestedSubscription>,
}

/// A subscription that a connector sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestedSubscription {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Enabled`, `Disabled`, `Warned`, as Azure has it.
    pub state: String,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConnectorCredentials {
    /// The identity of the machine, or the application, that the server runs on.
    ManagedIdentity {
        /// The identity, where there are several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client: Option<String>,
    },
    /// Workload identity: what the variables `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE` of the
    /// server name.
    WorkloadIdentity {
        /// Another directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        /// Another application.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client: Option<String>,
    },
    /// A service principal whose secret is in a file of the server's folder of credentials.
    SecretFile {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// The file's name, within that folder.
        file: String,
    },
    /// A service principal whose secret is in a variable of the server's environment.
    SecretVariable {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// The variable's name, which begins with `AZURE_`.
        variable: String,
    },
    /// A service principal whose certificate and key are in a file of the server's folder of credentials.
    CertificateFile {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// The file's name, within that folder.
        file: String,
    },
}

/// All connectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorList {
    /// By name.
    pub connectors: Vec<Connector>,
}

/// A connector to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConnector {
    /// `azure`.
    pub kind: String,
    /// For people, 1 to 100 characters. No two have the same.
    pub name: String,
    /// `public`, `government`, `china`, or `custom` for the addresses of the server's settings.
    #[serde(default = "public")]
    pub cloud: String,
    /// Who asks.
    pub credentials: ConnectorCredentials,
    /// Ids or names of subscriptions; all that can be seen, if empty.
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Hours between two runs, up to 720; 0: only when asked.
    #[serde(default = "six")]
    pub every_hours: u32,
}

fn public() -> String {
    "public".to_owned()
}

fn six() -> u32 {
    6
}

/// An asset of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloudAsset {
    /// Its number.
    pub id: i64,
    /// `kubernetes-cluster`, `registry` or `environment`.
    pub kind: String,
    /// The cloud's own id, in lower case.
    pub cloud_id: String,
    /// For people.
    pub name: String,
    /// Names of the connectors that brought it.
    pub connectors: Vec<String>,
    /// The cluster that it is judged together with, because that one is seen from within as well.
    pub part_of: Option<PartOf>,
    /// The worst that recommendations say: `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Its failed controls of the newest editions.
    pub failed: SeverityCounts,
    /// When it was found first.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When it was found last.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// A cluster that is seen from within.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartOf {
    /// Its number, under `/clusters`.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// All assets of clouds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloudAssetList {
    /// The worst first.
    pub assets: Vec<CloudAsset>,
}

/// One asset of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloudAssetDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: CloudAsset,
    /// When its facts were collected.
    #[schema(value_type = String, format = DateTime)]
    pub collected_at: Timestamp,
    /// When it was judged last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub judged_at: Option<Timestamp>,
    /// What recommendations say of it.
    pub recommendations: Vec<HostRecommendation>,
}
