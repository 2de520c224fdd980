//! Clusters: facts one by one, what nodes say beside the API, and what people set for recommendations.

use std::collections::BTreeSet;

use seareeve_model::{Collection, FactKind};
use seareeve_store::clusters::{
    self, CloudIdentity, Key, Likeness, Membership, NewCluster, NewFact, Side, Summary,
};
use seareeve_store::recommendation_settings::{self, RecommendationSetting};
use seareeve_store::{AssetId, Store, StoreError, assets};
use serde_json::json;

use crate::both::both;
use crate::images::{count_writes, writes};
use crate::posture::seen;
use crate::sample::at;

async fn meet(store: &Store, second: i64) -> Result<clusters::Cluster, StoreError> {
    meet_one(store, "uid-1", second).await
}

async fn meet_one(store: &Store, uid: &str, second: i64) -> Result<clusters::Cluster, StoreError> {
    let new = NewCluster {
        external_id: uid,
        name: "prod",
        collector: "seareeve 0.1.0",
        watcher: "sensor",
        collected_at: at(second),
    };
    let mut tx = store.begin().await?;
    let cluster = clusters::meet(&mut tx, &new, at(second)).await?;
    tx.commit().await?;
    Ok(cluster)
}

fn fact(object: &str, content: &str) -> NewFact {
    NewFact {
        key: key(object),
        name: object.to_owned(),
        hash: format!("hash of {content}"),
        content: json!({ "say": content }).to_string(),
    }
}

fn key(object: &str) -> Key {
    Key {
        kind: "kubernetes.kubelet".to_owned(),
        object: object.to_owned(),
    }
}

/// What changed since a revision, as `object=content`.
async fn changed(store: &Store, asset: AssetId, since: i64) -> Result<Vec<String>, StoreError> {
    let mut after = None;
    let mut all = Vec::new();
    loop {
        let page = clusters::changed(store, asset, since, after.as_ref(), 2).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = Some(last.clone());
        all.extend(page.into_iter().map(|one| {
            let said = one
                .fact
                .map(|fact| fact.data["say"].as_str().unwrap().to_owned());
            format!("{}={}", one.key.object, said.as_deref().unwrap_or("gone"))
        }));
    }
}

#[test]
fn facts_are_kept_one_by_one_and_what_is_gone_until_it_was_judged() {
    both(async |fixture| {
        let store = &fixture.store;
        let mut cluster = meet(store, 1).await?;
        let asset = cluster.asset;
        assert_eq!((cluster.revision, cluster.is_whole), (0, false));
        let mut tx = store.begin().await?;
        let facts = [fact("a", "1\0"), fact("b", "1"), fact("c", "1")];
        clusters::put_facts(&mut tx, asset, 1, &facts).await?;
        cluster.revision = 1;
        cluster.is_whole = true;
        let kind = FactKind::new("kubernetes.kubelet").unwrap();
        let here = Collection::of("here", Vec::new());
        cluster.collections.insert(kind.clone(), here);
        clusters::progress(&mut tx, &cluster, at(2)).await?;
        tx.commit().await?;
        assert_eq!(clusters::get(store, asset).await?, Some(cluster));
        assert_eq!(changed(store, asset, 0).await?.len(), 3);

        let mut tx = store.begin().await?;
        let hashes = clusters::hashes(&mut tx, asset).await?;
        assert_eq!(hashes[&key("b")], "hash of 1");
        clusters::put_facts(&mut tx, asset, 2, &[fact("b", "2")]).await?;
        let gone = clusters::drop_facts(&mut tx, asset, 2, &[key("c"), key("x")]).await?;
        assert_eq!(gone, 1);
        assert_eq!(clusters::weight(&mut tx, asset).await?.0, 2);
        tx.commit().await?;
        assert_eq!(changed(store, asset, 1).await?, ["b=2", "c=gone"]);
        assert_eq!(clusters::facts(store, asset, &kind).await?.len(), 2);
        let some = clusters::some(store, asset, &kind, ["b", "c"]).await?;
        assert_eq!(some[0].data, json!({"say": "2"}));
        assert_eq!(some.len(), 1);

        let mut tx = store.begin().await?;
        clusters::forget_gone(&mut tx, asset, 2).await?;
        tx.commit().await?;
        assert_eq!(changed(store, asset, 1).await?, ["b=2"]);
        assert_eq!(meet(store, 9).await?.revision, 1, "it is the same one");

        let mut tx = store.begin().await?;
        assert!(assets::delete(&mut tx, asset).await?);
        tx.commit().await?;
        assert_eq!(changed(store, asset, 0).await?, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn hosts_say_of_which_cluster_they_are_a_node() {
    both(async |fixture| {
        let store = &fixture.store;
        let host = seen(store, "node-1", 1, 1).await?;
        let said = Membership {
            node: "n1".to_owned(),
            cluster_uid: None,
            authorities: BTreeSet::from(["ab".to_owned()]),
            digest: "1".to_owned(),
        };
        let mut tx = store.begin().await?;
        assert!(clusters::put_node(&mut tx, host, Some(&said)).await?);
        assert!(!clusters::put_node(&mut tx, host, Some(&said)).await?);
        let said = Membership {
            cluster_uid: Some("uid-1".to_owned()),
            digest: "2".to_owned(),
            ..said
        };
        assert!(clusters::put_node(&mut tx, host, Some(&said)).await?);
        tx.commit().await?;
        let nodes = clusters::nodes(store).await?;
        assert_eq!((&nodes[0].membership, nodes[0].last_seen), (&said, at(1)));
        assert_eq!(nodes[0].host_name, "node-1");
        let mut tx = store.begin().await?;
        assert!(clusters::put_node(&mut tx, host, None).await?);
        assert!(!clusters::put_node(&mut tx, host, None).await?);
        tx.commit().await?;
        assert_eq!(clusters::nodes(store).await?, []);
        Ok(())
    });
}

#[test]
fn the_same_again_writes_nothing() {
    both(async |fixture| {
        let store = &fixture.store;
        let asset = meet(store, 1).await?.asset;
        let summary = Summary {
            version: Some("v1.31.4".to_owned()),
            nodes: Some(3),
            ..Summary::default()
        };
        let mut tx = store.begin().await?;
        assert!(clusters::set_summary(&mut tx, asset, &summary).await?);
        assert!(!clusters::set_summary(&mut tx, asset, &summary).await?);
        assert!(!clusters::set_trouble(&mut tx, asset, None, at(2)).await?);
        assert!(clusters::set_trouble(&mut tx, asset, Some("no answer"), at(3)).await?);
        assert!(!clusters::set_trouble(&mut tx, asset, Some("no answer"), at(4)).await?);
        assert!(clusters::set_trouble(&mut tx, asset, Some("refused"), at(5)).await?);
        tx.commit().await?;
        let known = clusters::all(store).await?.pop().unwrap();
        assert_eq!(known.summary, summary);
        assert_eq!(known.trouble_since, Some(at(3)), "it is the same trouble");
        assert_eq!(clusters::silent(store, at(100)).await?, []);
        let mut tx = store.begin().await?;
        assert!(clusters::set_trouble(&mut tx, asset, None, at(6)).await?);
        tx.commit().await?;
        assert_eq!(
            clusters::get(store, asset).await?.unwrap().trouble_since,
            None
        );
        assert_eq!(clusters::silent(store, at(1)).await?, []);
        assert_eq!(clusters::silent(store, at(100)).await?, [asset]);
        let mut tx = store.begin().await?;
        clusters::seen(&mut tx, asset, at(200)).await?;
        let known = clusters::by_uid(&mut tx, "uid-1").await?;
        assert_eq!(known.unwrap().asset, asset);
        assert_eq!(clusters::by_uid(&mut tx, "uid-2").await?, None);
        tx.commit().await?;
        assert_eq!(clusters::silent(store, at(100)).await?, []);
        if !fixture.is_sqlite() {
            return Ok(());
        }
        count_writes(&fixture).await;
        let mut tx = store.begin().await?;
        clusters::put_facts(&mut tx, asset, 1, &[]).await?;
        clusters::set_summary(&mut tx, asset, &summary).await?;
        tx.commit().await?;
        assert_eq!(writes(&fixture).await, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn recommendations_are_set_and_taken_back() {
    both(async |fixture| {
        let store = &fixture.store;
        let setting = RecommendationSetting {
            recommendation: "kubernetes-trusted-images".to_owned(),
            params: json!({"allowed_images": "^a/"})
                .as_object()
                .unwrap()
                .clone(),
            excluded_namespaces: Some(BTreeSet::from(["kube-system".to_owned()])),
            enabled: None,
            author: "admin".to_owned(),
            changed: at(1),
        };
        let mut tx = store.begin().await?;
        recommendation_settings::put(&mut tx, &setting).await?;
        tx.commit().await?;
        assert_eq!(
            recommendation_settings::list(store).await?,
            std::slice::from_ref(&setting)
        );
        let other = RecommendationSetting {
            excluded_namespaces: None,
            enabled: Some(false),
            ..setting
        };
        let mut tx = store.begin().await?;
        recommendation_settings::put(&mut tx, &other).await?;
        tx.commit().await?;
        assert_eq!(
            recommendation_settings::list(store).await?,
            std::slice::from_ref(&other)
        );
        let mut tx = store.begin().await?;
        let id = "kubernetes-trusted-images";
        assert!(recommendation_settings::delete(&mut tx, id, "bea", at(9)).await?);
        assert!(!recommendation_settings::delete(&mut tx, id, "bea", at(9)).await?);
        tx.commit().await?;
        let history = recommendation_settings::history(store, id, 10).await?;
        assert_eq!(history.len(), 3);
        assert_eq!(
            (&history[0].set, history[0].author.as_str()),
            (&None, "bea")
        );
        assert_eq!(history[1].set.as_ref(), Some(&other));
        assert_eq!(recommendation_settings::list(store).await?, []);
        Ok(())
    });
}

#[test]
fn the_two_sides_of_a_cluster_are_one() {
    both(async |fixture| {
        let store = &fixture.store;
        let first = meet_one(store, "c1", 1).await?.asset;
        let second = meet_one(store, "c2", 1).await?.asset;
        let cloud = seen(store, "arm-1", 1, 1).await?;
        let identity = CloudIdentity {
            node_group: Some("/subscriptions/s/resourcegroups/mc".to_owned()),
            endpoints: vec!["a.azmk8s.io".to_owned()],
            version: None,
        };
        let mut tx = store.begin().await?;
        assert!(clusters::put_cloud(&mut tx, cloud, &identity).await?);
        assert!(!clusters::put_cloud(&mut tx, cloud, &identity).await?);
        let found = |cluster| Side {
            cluster,
            cloud: Some(cloud),
            how: Likeness::Nodes,
            author: None,
            since: at(2),
        };
        assert!(clusters::set_side(&mut tx, &found(first)).await?);
        // What was found of one can be found of another, and is then only that one's.
        assert!(clusters::set_side(&mut tx, &found(second)).await?);
        assert_eq!(clusters::side_in(&mut tx, first).await?, None);
        let chosen = Side {
            how: Likeness::Chosen,
            author: Some("admin".to_owned()),
            ..found(first)
        };
        assert!(clusters::set_side(&mut tx, &chosen).await?);
        // What somebody said is not taken.
        assert!(!clusters::set_side(&mut tx, &found(second)).await?);
        tx.commit().await?;
        assert_eq!(clusters::sides(store).await?, std::slice::from_ref(&chosen));
        assert_eq!(clusters::side_of(store, cloud).await?, Some(chosen));
        let clouds = clusters::clouds(store).await?;
        assert_eq!((clouds.len(), &clouds[0].identity), (1, &identity));
        let needs = assets::needs_of(store, cloud).await?.unwrap();
        assert_eq!((needs.part_of, needs.is_within), (Some(first), false));
        let page = assets::needs(store, &assets::NeedsFilter::default(), None, 10).await?;
        let ids: Vec<AssetId> = page.items.iter().map(|one| one.id).collect();
        assert_eq!(ids, [second, first]);
        // A side that is gone is none.
        let mut tx = store.begin().await?;
        assets::delete(&mut tx, cloud).await?;
        tx.commit().await?;
        assert_eq!(clusters::sides(store).await?, []);
        Ok(())
    });
}
