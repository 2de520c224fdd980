//! What people say of assets: exceptions, attestations, exemptions.

use seareeve_store::AttestationId;
use seareeve_store::attestations::{self, Evidence, NewAttestation};
use seareeve_store::clusters::{self, NewCluster};
use seareeve_store::exceptions::{self, NewException};
use seareeve_store::exemptions::{self, ExemptionKind, NewExemption};

use crate::both::both;
use crate::posture::seen;
use crate::sample::at;

#[test]
fn statements_are_kept_listed_and_taken_back() {
    both(|fixture| async move {
        let store = &fixture.store;
        let asset = seen(store, "build-1", 1, 0).await?;
        let exception = NewException {
            check_id: "docker.container.privileged".to_owned(),
            benchmark: None,
            asset: Some("build-*".to_owned()),
            object: None,
            reason: "a builder".to_owned(),
            expires: Some(at(10)),
        };
        let attestation = NewAttestation {
            asset,
            benchmark: "cis".to_owned(),
            version: "2".to_owned(),
            control: "1.2.1".to_owned(),
            outcome: "pass".to_owned(),
            reason: "hardened".to_owned(),
            expires: Some(at(20)),
        };
        let evidence = Evidence {
            name: "notes.txt".to_owned(),
            text: "seen on\0Monday".to_owned(),
        };
        let exemption = NewExemption {
            recommendation: "hosts".to_owned(),
            asset: None,
            environment: Some("lab".to_owned()),
            kind: ExemptionKind::Waiver,
            reason: "a lab".to_owned(),
            expires: None,
        };
        let mut tx = store.begin().await?;
        let first = exceptions::create(&mut tx, &exception, "ann", at(1)).await?;
        let second =
            attestations::create(&mut tx, &attestation, Some(&evidence), "ann", at(2)).await?;
        let third = exemptions::create(&mut tx, &exemption, "ann", at(3)).await?;
        tx.commit().await?;

        let listed = exceptions::list(store).await?;
        assert_eq!((listed[0].id, &listed[0].said), (first, &exception));
        let listed = attestations::list(store, Some(asset)).await?;
        assert_eq!((listed[0].id, &listed[0].said), (second, &attestation));
        assert_eq!(listed[0].asset_name, "build-1");
        assert_eq!(listed[0].evidence.as_deref(), Some("notes.txt"));
        let kept = attestations::evidence(store, second).await?.unwrap();
        assert_eq!(kept.text, "seen on\u{fffd}Monday");
        assert_eq!(
            attestations::evidence(store, AttestationId(99)).await?,
            None
        );
        assert_eq!(attestations::list(store, None).await?, listed);
        let listed = exemptions::list(store).await?;
        assert_eq!((listed[0].id, &listed[0].said), (third, &exemption));

        for (since, now, ended) in [
            (0, 9, false),
            (9, 10, true),
            (10, 19, false),
            (10, 20, true),
        ] {
            assert_eq!(
                exceptions::any_ended(store, at(since), at(now)).await?,
                ended,
                "{since} {now}"
            );
        }
        for (now, end) in [(0, Some(10)), (9, Some(10)), (10, Some(20))] {
            assert_eq!(
                exceptions::next_end(store, at(now)).await?,
                end.map(at),
                "{now}"
            );
        }

        let mut tx = store.begin().await?;
        assert!(exceptions::delete(&mut tx, first).await?);
        assert_eq!(attestations::delete(&mut tx, second).await?, Some(asset));
        assert_eq!(exemptions::delete(&mut tx, third).await?, Some(exemption));
        assert!(!exceptions::delete(&mut tx, first).await?);
        assert_eq!(
            attestations::delete(&mut tx, AttestationId(99)).await?,
            None
        );
        assert_eq!(exemptions::delete(&mut tx, third).await?, None);
        tx.commit().await
    });
}

#[test]
fn exceptions_that_name_an_asset_alone_go_with_it() {
    both(|fixture| async move {
        let store = &fixture.store;
        let first = seen(store, "build-1", 1, 0).await?;
        let starred = seen(store, "build-*", 2, 0).await?;
        let twin = seen(store, "twin", 3, 0).await?;
        let other = NewCluster {
            external_id: "uid",
            name: "twin",
            collector: "seareeve",
            watcher: "",
            collected_at: at(0),
        };
        let mut tx = store.begin().await?;
        clusters::meet(&mut tx, &other, at(0)).await?;
        for asset in [
            Some("build-1"),
            Some("build-*"),
            Some("Build-1"),
            Some("twin"),
            None,
        ] {
            let exception = NewException {
                check_id: "docker.container.privileged".to_owned(),
                benchmark: None,
                asset: asset.map(str::to_owned),
                object: None,
                reason: "r".to_owned(),
                expires: None,
            };
            exceptions::create(&mut tx, &exception, "ann", at(1)).await?;
        }
        for asset in [first, starred, twin] {
            exceptions::delete_of(&mut tx, asset).await?;
        }
        tx.commit().await?;
        let left = exceptions::list(store).await?.into_iter();
        let left: Vec<Option<String>> = left.map(|one| one.said.asset).collect();
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(
            left,
            [named("build-*"), named("Build-1"), named("twin"), None]
        );
        Ok(())
    });
}
