//! The job queue.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use seareeve_store::jobs::{self, Failed, JobCounts};
use seareeve_store::{JobId, Store, StoreError};

use crate::both::both;
use crate::sample::at;

const LEASE: SignedDuration = SignedDuration::from_secs(30);

async fn enqueue(
    store: &Store,
    kind: &str,
    second: i64,
    attempts: u32,
) -> Result<JobId, StoreError> {
    let mut tx = store.begin().await?;
    let id = jobs::enqueue(&mut tx, kind, "{\"n\":1}", at(second), attempts, at(0)).await?;
    tx.commit().await?;
    Ok(id)
}

#[test]
fn a_job_is_leased_when_due_and_gone_when_done() {
    both(|fixture| async move {
        let store = &fixture.store;
        let later = enqueue(store, "scan", 20, 3).await?;
        let first = enqueue(store, "scan", 10, 3).await?;
        let other = jobs::lease(store, &["mail"], "w", at(50), LEASE).await?;
        assert_eq!(other, None);
        assert_eq!(
            jobs::lease(store, &["scan"], "w", at(9), LEASE).await?,
            None
        );
        let job = jobs::lease(store, &["mail", "scan"], "w", at(50), LEASE)
            .await?
            .unwrap();
        assert_eq!(
            (job.id, job.attempt, job.payload.as_str()),
            (first, 1, "{\"n\":1}")
        );
        let next = jobs::lease(store, &["scan"], "w", at(50), LEASE)
            .await?
            .unwrap();
        assert_eq!(next.id, later);
        assert_eq!(jobs::counts(store).await?.running, 2);

        let mut tx = store.begin().await?;
        assert!(jobs::complete(&mut tx, &job).await?);
        assert!(!jobs::complete(&mut tx, &job).await?);
        tx.commit().await?;
        let counts = JobCounts {
            running: 1,
            ..JobCounts::default()
        };
        assert_eq!(jobs::counts(store).await?, counts);
        Ok(())
    });
}

#[test]
fn an_enqueued_job_shares_the_fate_of_its_cause() {
    both(|fixture| async move {
        let store = &fixture.store;
        let mut tx = store.begin().await?;
        jobs::enqueue(&mut tx, "scan", "{}", at(0), 3, at(0)).await?;
        drop(tx);
        assert_eq!(jobs::counts(store).await?, JobCounts::default());
        Ok(())
    });
}

#[test]
fn no_two_workers_lease_the_same_job() {
    both(|fixture| async move {
        let store = fixture.store.clone();
        for _ in 0..12 {
            enqueue(&store, "scan", 0, 3).await?;
        }
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..4 {
            let store = store.clone();
            workers.spawn(async move {
                let mut mine = Vec::new();
                let name = format!("worker {worker}");
                while let Some(job) = jobs::lease(&store, &["scan"], &name, at(1), LEASE).await? {
                    mine.push(job.id);
                }
                Ok::<_, StoreError>(mine)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = workers.join_next().await {
            all.extend(done.unwrap()?);
        }
        assert_eq!(all.len(), 12);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 12);
        Ok(())
    });
}

#[test]
fn a_dead_workers_job_is_taken_over_and_its_lease_is_lost() {
    both(|fixture| async move {
        let store = &fixture.store;
        enqueue(store, "scan", 0, 3).await?;
        let first = jobs::lease(store, &["scan"], "a", at(0), LEASE)
            .await?
            .unwrap();
        assert!(jobs::extend(store, &first, at(20), LEASE).await?);
        assert_eq!(
            jobs::lease(store, &["scan"], "b", at(49), LEASE).await?,
            None
        );
        // The same worker under the same name, restarted.
        let second = jobs::lease(store, &["scan"], "a", at(50), LEASE)
            .await?
            .unwrap();
        assert_eq!((second.id, second.attempt), (first.id, 2));

        assert!(!jobs::extend(store, &first, at(51), LEASE).await?);
        assert!(!jobs::release(store, &first, at(51)).await?);
        let mut tx = store.begin().await?;
        assert!(!jobs::complete(&mut tx, &first).await?);
        assert_eq!(
            jobs::fail(&mut tx, &first, "x", None, at(51)).await?,
            Failed::Lost
        );
        assert!(jobs::complete(&mut tx, &second).await?);
        tx.commit().await
    });
}

#[test]
fn a_failing_job_is_tried_again_until_its_attempts_are_used_up() {
    both(|fixture| async move {
        let store = &fixture.store;
        enqueue(store, "scan", 0, 2).await?;
        let job = jobs::lease(store, &["scan"], "a", at(0), LEASE)
            .await?
            .unwrap();
        let mut tx = store.begin().await?;
        let failed = jobs::fail(&mut tx, &job, "no network", Some(at(100)), at(1)).await?;
        assert_eq!(failed, Failed::Retrying);
        tx.commit().await?;
        assert_eq!(
            jobs::lease(store, &["scan"], "a", at(99), LEASE).await?,
            None
        );

        let job = jobs::lease(store, &["scan"], "a", at(100), LEASE)
            .await?
            .unwrap();
        assert!(jobs::release(store, &job, at(101)).await?);
        let job = jobs::lease(store, &["scan"], "a", at(101), LEASE)
            .await?
            .unwrap();
        assert_eq!(job.attempt, 2);
        let mut tx = store.begin().await?;
        let failed = jobs::fail(&mut tx, &job, "bad\0", Some(at(200)), at(102)).await?;
        assert_eq!(failed, Failed::Dead);
        tx.commit().await?;
        assert_eq!(
            jobs::lease(store, &["scan"], "a", at(999), LEASE).await?,
            None
        );
        assert_eq!(jobs::counts(store).await?.dead, 1);
        assert_eq!(jobs::purge_dead(store, at(102)).await?, 0);
        assert_eq!(jobs::purge_dead(store, at(103)).await?, 1);
        Ok(())
    });
}

#[test]
fn a_job_that_kills_its_workers_dies_too() {
    both(|fixture| async move {
        let store = &fixture.store;
        enqueue(store, "scan", 0, 1).await?;
        jobs::lease(store, &["scan"], "a", at(0), LEASE).await?;
        assert_eq!(
            jobs::lease(store, &["scan"], "b", at(30), LEASE).await?,
            None
        );
        let counts = JobCounts {
            dead: 1,
            ..JobCounts::default()
        };
        assert_eq!(jobs::counts(store).await?, counts);
        Ok(())
    });
}
