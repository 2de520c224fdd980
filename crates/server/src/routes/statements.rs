//! What exceptions, attestations and exemptions share: a reason, an end, and that assets are judged anew.

use jiff::Timestamp;
use seareeve_store::users::Role;
use seareeve_store::{AssetId, Tx};

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs::{self, Meant};
use crate::state::App;

/// Refuses what only security admins may say, and what lacks a reason or has ended already. Gives the time.
pub(super) fn may_say(
    app: &App,
    caller: &Caller,
    why: &str,
    expires: Option<Timestamp>,
) -> ApiResult<Timestamp> {
    caller.require(Role::SecurityAdmin)?;
    let now = app.now();
    reason(why)?;
    ends_later(expires, now)?;
    Ok(now)
}

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
    tx: Tx,
    asset: Option<AssetId>,
    now: Timestamp,
) -> ApiResult<()> {
    judge_some(app, tx, &Meant::of(asset), now).await
}

/// Ends the transaction, so that some assets are judged anew.
pub(super) async fn judge_some(
    app: &App,
    mut tx: Tx,
    meant: &Meant,
    now: Timestamp,
) -> ApiResult<()> {
    jobs::enqueue_assess_meant(&mut tx, meant, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}
