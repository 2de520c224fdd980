//! Calls about connectors and the assets that they bring.

use super::{Client, ClientError};
use crate::{
    ChangeConnector, CloudAssetDetail, CloudAssetList, Connector, ConnectorList, ConnectorTest,
    NewConnector, PostureReport,
};

type Answer<T> = Result<T, ClientError>;

/// Each fails as [`ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// All connectors.
    pub fn connectors(&self) -> Answer<ConnectorList> {
        self.get("/api/v1/connectors")
    }

    /// Makes a connector; it reads at once.
    pub fn create_connector(&self, new: &NewConnector) -> Answer<Connector> {
        self.post("/api/v1/connectors", new)
    }

    /// Changes what is said of a connector.
    pub fn change_connector(&self, id: i64, change: &ChangeConnector) -> Answer<Connector> {
        self.patch(&format!("/api/v1/connectors/{id}"), change)
    }

    /// Tries a connector's credentials.
    pub fn test_connector(&self, id: i64) -> Answer<ConnectorTest> {
        self.post(&format!("/api/v1/connectors/{id}/test"), &())
    }

    /// Lets a connector read now.
    pub fn read_connector(&self, id: i64) -> Answer<Connector> {
        self.post(&format!("/api/v1/connectors/{id}/read"), &())
    }

    /// Forgets a connector, and the assets that only it brought.
    pub fn delete_connector(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/connectors/{id}"))
    }

    /// All assets of clouds.
    pub fn cloud_assets(&self) -> Answer<CloudAssetList> {
        self.get("/api/v1/cloud-assets")
    }

    /// An asset of a cloud.
    pub fn cloud_asset(&self, id: i64) -> Answer<CloudAssetDetail> {
        self.get(&format!("/api/v1/cloud-assets/{id}"))
    }

    /// What benchmarks say of it.
    pub fn cloud_asset_report(&self, id: i64) -> Answer<PostureReport> {
        self.get(&format!("/api/v1/cloud-assets/{id}/report"))
    }

    /// Its facts.
    pub fn cloud_asset_facts(&self, id: i64) -> Answer<serde_json::Value> {
        self.get(&format!("/api/v1/cloud-assets/{id}/facts"))
    }
}
