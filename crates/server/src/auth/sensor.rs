//! Which sensor is sending: the extractor of what only sensors may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use seareeve_store::sensors::{self, Sensor};

use super::caller::bearer;
use super::secret;
use crate::error::ApiError;
use crate::state::App;

/// By this prefix secret scanners recognise a sensor's token.
pub(crate) const PREFIX: &str = "seareeve_sensor_";

/// A sensor that joined.
pub(crate) struct SensorCaller(pub(crate) Sensor);

impl FromRequestParts<Arc<App>> for SensorCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let refused = || {
            ApiError::bad_credentials(
                "no sensor has this token: it may have been taken out; join anew with --join",
            )
        };
        let token = bearer(&parts.headers).ok_or_else(ApiError::unauthorized)?;
        let sensor = sensors::find(&app.store, &secret::hash(token), app.now()).await?;
        sensor.map(Self).ok_or_else(refused)
    }
}

/// Whether a request comes with a sensor's token, valid or not.
pub(crate) fn is_sensor(headers: &axum::http::HeaderMap) -> bool {
    bearer(headers).is_some_and(|token| token.starts_with(PREFIX))
}
