//! What exceptions, attestations and exemptions share: a reason, an end, and that assets are judged anew.

use jiff::Timestamp;
use seareeve_store::{AssetId, Tx};

use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::state::App;

/// Refuses a reason that says nothing, or too much.
pub(super) fn reason(text: &str) -> ApiResult<()> {
    if (1..=2_000).contains(&text.trim().chars().count()) {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "a reason of 1 to 2,000 characters is needed",
    ))
}

/// Refuses an end that lies in the past.
pub(super) fn ends_later(expires: Option<Timestamp>, now: Timestamp) -> ApiResult<()> {
    match expires {
        Some(expires) if expires <= now => Err(ApiError::bad_request("the end lies in the past")),
        _ => Ok(()),
    }
}

/// Ends the transaction, so that the asset, or all, are judged anew.
pub(super) async fn judge_again(
    app: &App,
    mut tx: Tx,
    asset: Option<AssetId>,
    now: Timestamp,
) -> ApiResult<()> {
    jobs::enqueue_assess(&mut tx, asset, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}
