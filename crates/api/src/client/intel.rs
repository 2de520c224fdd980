//! Calls about lists of threat intelligence.

use super::{Client, ClientError, read};
use crate::{IntelList, IntelListChange, IntelLists, NewIntelList};

type Answer<T> = Result<T, ClientError>;

/// Each fails as [`ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// All lists.
    pub fn intel_lists(&self) -> Answer<IntelLists> {
        self.get("/api/v1/intel/lists")
    }

    /// Makes a list.
    pub fn create_intel_list(&self, list: &NewIntelList) -> Answer<IntelList> {
        self.post("/api/v1/intel/lists", list)
    }

    /// One list.
    pub fn intel_list(&self, id: i64) -> Answer<IntelList> {
        self.get(&format!("/api/v1/intel/lists/{id}"))
    }

    /// Switches a list, or says how often it is looked for.
    pub fn change_intel_list(&self, id: i64, change: &IntelListChange) -> Answer<IntelList> {
        self.patch(&format!("/api/v1/intel/lists/{id}"), change)
    }

    /// Lets a list be fetched now.
    pub fn fetch_intel_list(&self, id: i64) -> Answer<IntelList> {
        self.post(&format!("/api/v1/intel/lists/{id}/fetch"), &())
    }

    /// Puts what a list says.
    pub fn upload_intel_list(&self, id: i64, content: &[u8]) -> Answer<IntelList> {
        let url = format!("{}/api/v1/intel/lists/{id}/content", self.base);
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/octet-stream")
            .send(content);
        read(url, answer)
    }

    /// Forgets a list.
    pub fn delete_intel_list(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/intel/lists/{id}"))
    }
}
