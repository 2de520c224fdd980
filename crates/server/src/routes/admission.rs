//! What may enter clusters: policies, what webhooks ask and tell, and what a policy would make of a cluster.

pub(super) mod decisions;
pub(super) mod images;
pub(super) mod policies;
pub(super) mod preview;
pub(super) mod rules;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use seareeve_store::users::Role;

use crate::auth::caller::Caller;
use crate::auth::sensor::SensorCaller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Bytes of a body at most: a report of 5,000 counts and 200 samples has less than one megabyte.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;

/// Who asks for a webhook: a sensor that joined, or somebody with a token.
pub(super) enum GateCaller {
    Sensor,
    Caller(Box<Caller>),
}

impl GateCaller {
    /// Refuses people below `role`. Sensors may tell what they saw.
    fn require(&self, role: Role) -> ApiResult<()> {
        match self {
            Self::Sensor => Ok(()),
            Self::Caller(caller) => caller.require(role),
        }
    }
}

impl FromRequestParts<Arc<App>> for GateCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if crate::auth::sensor::is_sensor(&parts.headers) {
            SensorCaller::from_request_parts(parts, app).await?;
            return Ok(Self::Sensor);
        }
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self::Caller(Box::new(caller)))
    }
}

/// A cluster's name as it is stored: empty for all clusters.
fn cluster_name(name: Option<&str>) -> ApiResult<String> {
    let name = name.unwrap_or_default();
    if name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(ApiError::bad_request(
            "a cluster's name has 1 to 255 characters, or is left out",
        ));
    }
    Ok(name.to_owned())
}
