//! Judging stored images anew: which ones are concerned, and what could not be judged this time.

use std::collections::BTreeSet;

use seareeve_model::{Problem, ProblemCode, Severity};
use seareeve_store::{Changes, ImageId, PackageId, images, jobs, packages, summary};

use crate::both::both;
use crate::sample::{at, deb, finding, inventory, save};

#[test]
fn concerned_images_are_found_by_problem_and_by_package() {
    both(|fixture| async move {
        let store = &fixture.store;
        let high = || vec![finding("CVE-1", Severity::High)];
        let one = inventory(1, &[], vec![deb("a", "1")]);
        let one = save(store, &one, &[high()], 0).await?.image;
        let mut two = inventory(2, &[], vec![deb("a", "1"), deb("b", "1")]);
        two.problems.clear();
        let two = save(store, &two, &[high(), vec![]], 0).await?.image;
        let mut three = inventory(3, &[], vec![]);
        three.problems.clear();
        let three = save(store, &three, &[], 0).await?.image;

        assert_eq!(images::ids(store).await?, [one, two, three].into());
        let b = packages::by_match_names(store, &["b".to_owned()]).await?[0].0;
        let a = packages::by_match_names(store, &["a".to_owned()]).await?[0].0;
        let unreadable = [ProblemCode::FileUnreadable];
        let cases: [(&[ProblemCode], &[PackageId], &[ImageId]); 5] = [
            (&unreadable, &[], &[one]),
            (&[], &[b], &[two]),
            (&unreadable, &[b], &[one, two]),
            (&[ProblemCode::LimitReached], &[], &[]),
            (&[], &[], &[]),
        ];
        for (codes, packages, expected) in cases {
            let found = images::ids_with(store, codes, packages).await?;
            assert_eq!(found, expected.iter().copied().collect::<BTreeSet<_>>());
        }
        assert_eq!(images::count_holding(store, a).await?, 2);
        assert_eq!(images::count_holding(store, PackageId(99)).await?, 0);
        let totals = summary::totals(store).await?;
        assert_eq!((totals.images, totals.images_with_findings), (3, 2));
        Ok(())
    });
}

#[test]
fn problems_are_replaced_and_counted() {
    both(|fixture| async move {
        let store = &fixture.store;
        let image = save(store, &inventory(1, &[], vec![]), &[], 0).await?.image;
        let problems: Vec<Problem> = ["Debian", "npm"]
            .map(|place| Problem::new(ProblemCode::AdvisoriesMissing, place, "nothing is known"))
            .into();
        let mut tx = store.begin().await?;
        let expected = Changes {
            inserted: 2,
            deleted: 1,
            summaries: 1,
            ..Changes::default()
        };
        let changes = images::set_problems(&mut tx, image, &problems).await?;
        assert_eq!(changes, expected);
        let again = images::set_problems(&mut tx, image, &problems).await?;
        assert_eq!(again, Changes::default());
        tx.commit().await?;
        let detail = images::get(store, image).await?.unwrap();
        assert_eq!((detail.summary.problems, detail.problems), (2, problems));
        Ok(())
    });
}

#[test]
fn work_that_waits_or_runs_is_known() {
    both(|fixture| async move {
        let store = &fixture.store;
        assert!(!jobs::any_pending(store, &["rematch"]).await?);
        let mut tx = store.begin().await?;
        jobs::enqueue(&mut tx, "rematch", "{}", at(0), 1, at(0)).await?;
        tx.commit().await?;
        assert!(jobs::any_pending(store, &["scan", "rematch"]).await?);
        assert!(!jobs::any_pending(store, &["scan"]).await?);
        let lease = jiff::SignedDuration::from_secs(9);
        let job = jobs::lease(store, &["rematch"], "w", at(0), lease).await?;
        assert!(jobs::any_pending(store, &["rematch"]).await?);
        let mut tx = store.begin().await?;
        jobs::fail(&mut tx, &job.unwrap(), "no", None, at(1)).await?;
        tx.commit().await?;
        assert!(!jobs::any_pending(store, &["rematch"]).await?);
        Ok(())
    });
}
