//! Where what an alert is about stands among what is judged by its configuration.

use std::collections::BTreeSet;
use std::sync::Arc;

use seareeve_api::AlertWorkload;
use seareeve_model::{Alert, Entity, FactKind};
use seareeve_store::audit_clusters;

use crate::error::ApiResult;
use crate::routes::clusters::{facts, model};
use crate::state::App;

/// Workloads that are looked for.
const MOST: usize = 40;

/// The cluster whose configuration is judged, and those of its workloads that an alert names.
pub(super) async fn place(
    app: &Arc<App>,
    cluster: &str,
    said: &Alert,
) -> ApiResult<(Option<i64>, Vec<AlertWorkload>)> {
    let audited = audit_clusters::get(&app.store, cluster).await?;
    let Some(asset) = audited.and_then(|audited| audited.asset) else {
        return Ok((None, Vec::new()));
    };
    let candidates = candidates(&said.entities);
    let kind = FactKind::new("kubernetes.workload").expect("it is a constant of that form");
    let Some(model) = model(app, asset).await? else {
        return Ok((Some(asset.0), Vec::new()));
    };
    let ids: Vec<String> = candidates.iter().map(|one| one.id.clone()).collect();
    let found = facts(app, &model, asset, &kind, &ids).await?;
    let known: BTreeSet<String> = found.into_iter().map(|fact| fact.id).collect();
    let workloads = candidates.into_iter().filter(|one| known.contains(&one.id));
    Ok((Some(asset.0), workloads.collect()))
}

/// What the workloads may be called, most likely first. A pod is judged as what made it, which its name begins with.
fn candidates(entities: &[Entity]) -> Vec<AlertWorkload> {
    let mut candidates: Vec<AlertWorkload> = Vec::new();
    for entity in entities {
        let field = |name: &str| entity.fields.get(name).map(String::as_str);
        let (Some(namespace), Some(name)) = (field("namespace"), field("name")) else {
            continue;
        };
        let mut add = |kind: &str, name: &str| {
            let id = format!("{kind}/{namespace}/{name}");
            if candidates.len() < MOST && candidates.iter().all(|one| one.id != id) {
                candidates.push(AlertWorkload {
                    id,
                    kind: kind.to_owned(),
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                });
            }
        };
        match entity.kind.as_str() {
            "workload" => add(field("kind").unwrap_or("Pod"), name),
            "pod" => {
                add("Pod", name);
                if let Some((owner, _)) = name.rsplit_once('-') {
                    for kind in ["StatefulSet", "DaemonSet", "Job", "ReplicaSet"] {
                        add(kind, owner);
                    }
                    if let Some((owner, _)) = owner.rsplit_once('-') {
                        add("Deployment", owner);
                        add("CronJob", owner);
                    }
                }
            }
            _ => {}
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_looked_for_by_what_may_have_made_it() {
        let entity = serde_json::json!({"kind": "pod", "fields": {"namespace": "shop", "name": "cart-5d9f-x2x4z"}});
        let entities: Vec<Entity> = vec![serde_json::from_value(entity).unwrap()];
        let ids: Vec<String> = candidates(&entities)
            .into_iter()
            .map(|one| one.id)
            .collect();
        assert!(ids.contains(&"Deployment/shop/cart".to_owned()), "{ids:?}");
        assert!(
            ids.contains(&"ReplicaSet/shop/cart-5d9f".to_owned()),
            "{ids:?}"
        );
        assert_eq!(
            ids.first().map(String::as_str),
            Some("Pod/shop/cart-5d9f-x2x4z")
        );
    }
}
