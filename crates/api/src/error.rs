//! The one shape of every error answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every answer with a status of 400 or more carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for programs (`code`) and people (`detail`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// The HTTP status.
    pub status: u16,
    /// A stable word, such as `not_found` or `rate_limited`.
    pub code: String,
    /// A sentence. Internal causes are never here: the log has them under the request id.
    pub detail: String,
    /// The field of the request that is wrong, where one is: `params.allowed_images`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// To find the request in the server's log.
    pub request_id: String,
}
