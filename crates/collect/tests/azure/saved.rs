//! Documents that somebody saved, and joining a cluster from within with the same from outside.

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_collect::azure::{JoinError, Known, Likeness, joined, likeness, saved};
use seareeve_lab::azure::documents;
use seareeve_model::{Collection, Fact, FactKind, Snapshot};
use serde_json::{Value, json};

use crate::support::{data, facts, fake, label, read, snapshot};

const CLUSTER: &str = "kubernetes-cluster";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.0.path()).unwrap().to_owned()
    }

    fn put(&self, name: &str, value: &Value) -> Utf8PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, value.to_string()).unwrap();
        path
    }
}

#[test]
fn saved_replies_come_to_what_reading_comes_to() {
    let folder = Folder::new();
    for (number, list) in documents::both().into_values().enumerate() {
        folder.put(&format!("{number}/reply.json"), &json!({"value": list}));
    }
    let read_now = read(&fake()).snapshots(&label());
    let found = saved(&[folder.path()]);
    assert_eq!(found.problems, []);
    let snapshots = found.estate.snapshots(&label());
    assert_eq!(snapshots.len(), read_now.len());
    for read in &read_now {
        let saved = snapshot(&snapshots, &read.asset_kind, &read.asset_name);
        assert_eq!(saved.asset_id, read.asset_id);
        for (kind, facts) in &read.facts {
            for (one, other) in facts.items.iter().zip(&saved.facts[kind].items) {
                // An empty list leaves no trace in files: nobody can tell whether it was asked for.
                let mut one = one.data.clone();
                one.as_object_mut()
                    .unwrap()
                    .retain(|_, value| *value != json!([]));
                assert_eq!(one, other.data, "{kind}");
            }
        }
    }
}

#[test]
fn what_az_prints_is_understood() {
    let folder = Folder::new();
    let id = documents::good_cluster();
    // The form of `az aks show -o json`.
    let cluster = folder.put(
        "aks.json",
        &json!({
            "aadProfile": {"managed": true, "enableAzureRbac": true, "adminGroupObjectIDs": null},
            "agentPoolProfiles": [{"name": "a", "enableNodePublicIp": true}],
            "apiServerAccessProfile": {"authorizedIpRanges": ["203.0.113.0/24"], "enablePrivateCluster": null,
                "enablePrivateClusterPublicFqdn": null},
            "autoUpgradeProfile": {"nodeOsUpgradeChannel": "NodeImage", "upgradeChannel": null},
            "enableRbac": true, "fqdn": "quay.hcp.westeurope.azmk8s.io", "id": id, "location": "westeurope",
            "name": "quay", "nodeResourceGroup": "MC_x", "resourceGroup": "shop", "tags": null,
            "identityProfile": {"kubeletidentity": {"objectId": "k1", "clientId": "c", "resourceId": "r"}},
            "type": "Microsoft.ContainerService/ManagedClusters", "windowsProfile": null,
        }),
    );
    let registry = folder.put(
        "acr.json",
        &json!({
            "adminUserEnabled": true, "anonymousPullEnabled": false, "id": documents::good_registry(),
            "location": "westeurope", "loginServer": "quayimages.azurecr.io", "name": "quayimages",
            "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "ipAddressOrRange": "0.0.0.0/0"}]},
            "privateEndpointConnections": [], "sku": {"name": "Premium"},
            "type": "Microsoft.ContainerRegistry/registries",
        }),
    );
    let settings = folder.put(
        "settings.json",
        &json!([{
            "id": format!("{id}/providers/microsoft.insights/diagnosticSettings/audit"), "name": "audit",
            "logs": [{"category": "kube-audit", "enabled": true}], "workspaceId": "/subscriptions/x/w",
            "type": "Microsoft.Insights/diagnosticSettings",
        }]),
    );
    let assignments = folder.put(
        "assignments.json",
        &json!([{
            "id": format!("{}/providers/Microsoft.Authorization/roleAssignments/a", documents::good_registry()),
            "principalId": "k1", "principalType": "ServicePrincipal", "roleDefinitionName": "AcrPull",
            "roleDefinitionId": "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/7",
            "scope": documents::good_registry(), "type": "Microsoft.Authorization/roleAssignments",
        }]),
    );
    let account = folder.put(
        "account.json",
        &json!({"id": documents::GOOD, "name": "Shop", "isDefault": true, "state": "Enabled", "tenantId": "t",
            "user": {"name": "x", "type": "user"}, "environmentName": "AzureCloud"}),
    );
    let plans = folder.put(
        "plans.json",
        &json!({"value": [{"name": "Containers", "pricingTier": "Standard"}]}),
    );
    let found = saved(&[cluster, registry, settings, assignments, account, plans]);
    assert_eq!(found.problems, []);
    let snapshots = found.estate.snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    let own = data(&quay, "azure.cluster");
    let properties = &own["properties"];
    assert_eq!(properties["enableRBAC"], true);
    assert_eq!(
        properties["aadProfile"],
        json!({"managed": true, "enableAzureRBAC": true})
    );
    assert_eq!(
        properties["agentPoolProfiles"][0]["enableNodePublicIP"],
        true
    );
    assert_eq!(
        properties["apiServerAccessProfile"],
        json!({"authorizedIPRanges": ["203.0.113.0/24"]})
    );
    assert_eq!(
        properties["autoUpgradeProfile"],
        json!({"nodeOSUpgradeChannel": "NodeImage"})
    );
    assert_eq!(
        own["diagnostic_settings"][0]["properties"]["logs"][0]["category"],
        "kube-audit"
    );
    let registry = data(&quay, "azure.registry");
    assert_eq!(
        registry["properties"]["networkRuleSet"]["ipRules"],
        json!([{"action": "Allow", "value": "0.0.0.0/0"}])
    );
    assert_eq!(registry["private_endpoints"], json!([]));
    assert_eq!(registry["role_assignments"][0]["role"], "AcrPull");
    let shop = snapshot(&snapshots, "environment", "Shop");
    assert_eq!(
        data(&shop, "azure.subscription")["plans"][0]["properties"],
        json!({"pricingTier": "Standard"})
    );
}

#[test]
fn an_exported_template_is_understood() {
    let folder = Folder::new();
    let file = folder.put(
        "template.json",
        &json!({
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {"managedClusters_quay_name": {"defaultValue": "quay", "type": "String"},
                "registries_x_name": {"defaultValue": "quayimages", "type": "String"}},
            "resources": [
                {"type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2024-09-01",
                    "name": "[parameters('managedClusters_quay_name')]", "location": "westeurope",
                    "properties": {"enableRBAC": false, "agentPoolProfiles": []}},
                {"type": "Microsoft.ContainerService/managedClusters/agentPools", "apiVersion": "2024-09-01",
                    "name": "[concat(parameters('managedClusters_quay_name'), '/system')]", "properties": {"count": 3}},
                {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2023-07-01",
                    "name": "[parameters('registries_x_name')]", "properties": {"adminUserEnabled": true}},
                {"type": "Microsoft.ContainerRegistry/registries/privateEndpointConnections", "apiVersion": "2023-07-01",
                    "name": "[concat(parameters('registries_x_name'), '/pe')]",
                    "properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}},
            ],
        }),
    );
    let found = saved(&[file]);
    assert_eq!(found.problems, []);
    let snapshots = found.estate.snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    assert_eq!(
        data(&quay, "azure.cluster")["properties"]["enableRBAC"],
        false
    );
    assert_eq!(
        data(&quay, "azure.cluster").get("diagnostic_settings"),
        None
    );
    let registry = snapshot(&snapshots, "registry", "quayimages");
    assert_eq!(
        data(&registry, "azure.registry")["private_endpoints"][0]["name"],
        "pe"
    );
}

#[test]
fn what_is_left_out_is_said() {
    let folder = Folder::new();
    folder.put(
        "names.json",
        &json!([{"id": documents::good_cluster(), "name": "quay",
        "type": "Microsoft.ContainerService/managedClusters", "location": "x"}]),
    );
    folder.put("vm.json", &json!({"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
        "type": "Microsoft.Compute/virtualMachines", "properties": {"x": 1}}));
    folder.put("settings.json", &json!({"id": "/subscriptions/s/resourceGroups/g/providers/a/b/c/providers/microsoft.insights/diagnosticSettings/d",
        "properties": {}, "type": "Microsoft.Insights/diagnosticSettings"}));
    std::fs::write(folder.path().join("broken.json"), "{\"hunter2\"").unwrap();
    std::fs::write(folder.path().join("note.txt"), "not read").unwrap();
    // A list of nothing is what there is when there is nothing.
    std::fs::write(folder.path().join("empty.json"), "[]").unwrap();
    let mut deep = json!([]);
    for _ in 0..20 {
        deep = json!([deep]);
    }
    folder.put("deep.json", &deep);
    let found = saved(&[folder.path(), "/nowhere.json".into()]);
    let said: Vec<String> = found
        .problems
        .iter()
        .map(|problem| {
            format!(
                "{}: {}",
                problem.place.rsplit('/').next().unwrap(),
                problem.message
            )
        })
        .collect();
    let wanted = [
        "broken.json: it is no JSON (line 1, column 10)",
        "deep.json: 1 of its documents are of no kind that is known",
        "names.json: 1 of its documents are of no kind that is known",
        "vm.json: 1 of its documents are of no kind that is known",
        "nowhere.json: No such file or directory (os error 2)",
    ];
    assert_eq!(said[..5], wanted);
    assert!(
        said[5].contains("1 documents belong to resources whose own"),
        "{}",
        said[5]
    );
    assert_eq!(found.estate.snapshots(&label()).len(), 0);
}

fn within(facts: &[(&str, Value)]) -> Snapshot {
    let facts = facts.iter().map(|(kind, data)| {
        let fact = Fact {
            id: "x".to_owned(),
            name: "x".to_owned(),
            data: data.clone(),
        };
        (
            FactKind::new(*kind).unwrap(),
            Collection::of("test", vec![fact]),
        )
    });
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: CLUSTER.to_owned(),
        asset_id: "uid-1".to_owned(),
        asset_name: "within".to_owned(),
        facts: facts.collect(),
        ..read(&fake()).snapshots(&label()).remove(0)
    }
}

#[test]
fn a_cluster_is_known_from_both_sides() {
    let snapshots = read(&fake()).snapshots(&label());
    let quay = snapshot(&snapshots, CLUSTER, "quay");
    let scale_set = format!(
        "{}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-system-1-vmss/virtualMachines/0",
        documents::GOOD_NODES
    );
    let by_node = within(&[
        ("kubernetes.cluster", json!({})),
        ("kubernetes.node", json!({"provider_id": scale_set})),
    ]);
    let both = joined(&quay, &by_node).unwrap();
    assert_eq!(both.asset_id, "uid-1");
    assert_eq!(facts(&both, "azure.cluster"), facts(&quay, "azure.cluster"));
    assert_eq!(
        facts(&both, "kubernetes.node"),
        facts(&by_node, "kubernetes.node")
    );
    let name = "https://QUAY-x1.privatelink.westeurope.azmk8s.io:443";
    let by_name = within(&[("kubernetes.cluster", json!({"endpoint": name}))]);
    assert!(joined(&quay, &by_name).is_ok());
    for (endpoint, provider) in [
        (
            "https://10.0.0.1",
            "azure:///subscriptions/00000000-0000-0000-0000-00000000900d/resourceGroups/mc_shop_quay_westeurope2/x",
        ),
        (
            "https://rusty-1.hcp.westus.azmk8s.io",
            "aws:///eu-west-1a/i-1",
        ),
    ] {
        let other = within(&[
            ("kubernetes.cluster", json!({"endpoint": endpoint})),
            ("kubernetes.node", json!({"provider_id": provider})),
        ]);
        assert_eq!(
            joined(&quay, &other),
            Err(JoinError::Different("quay".to_owned(), "within".to_owned()))
        );
    }
    assert!(matches!(joined(&by_node, &quay), Err(JoinError::Kind(..))));
    let registry = snapshot(&snapshots, "registry", "quayimages");
    assert!(matches!(
        joined(&registry, &by_node),
        Err(JoinError::Kind(..))
    ));
}

#[test]
fn a_cluster_is_known_by_labels_only_where_its_nodes_say_nothing_else() {
    let group = documents::GOOD_NODES.to_lowercase();
    let group = group.strip_prefix("azure://");
    let names = ["quay-x1.hcp.westeurope.azmk8s.io".to_owned()];
    let known = Known {
        node_group: group,
        endpoints: &names,
    };
    let name = group.unwrap().rsplit('/').next().unwrap();
    let labelled = json!({"node_group": name});
    assert_eq!(likeness(known, [&labelled], None), Some(Likeness::Label));
    // The name of its API says more than a label.
    let address = Some("https://quay-x1.hcp.westeurope.azmk8s.io:443");
    assert_eq!(
        likeness(known, [&labelled], address),
        Some(Likeness::Address)
    );
    // A node that lies elsewhere is not believed what its label says.
    let elsewhere = json!({
        "node_group": name, "provider_id": format!("azure:///subscriptions/other/resourceGroups/{name}/x"),
    });
    assert_eq!(likeness(known, [&elsewhere], None), None);
    let connected = Known {
        node_group: None,
        endpoints: &[],
    };
    assert_eq!(likeness(connected, [&labelled], address), None);
}

/// Any JSON in the words of documents: whatever is in files, facts come out of it that can be stored, or a problem.
fn anything() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let word = prop::sample::select(vec![
        "id",
        "name",
        "type",
        "value",
        "properties",
        "resources",
        "parameters",
        "$schema",
        "scope",
        "networkRuleSet",
        "ipRules",
        "ipAddressOrRange",
        "subscriptionId",
        "pricingTier",
        "principalId",
        "roleDefinitionName",
        "authorizedIpRanges",
        "nodeResourceGroup",
        "identityProfile",
        "kubeletidentity",
        "objectId",
        "privateEndpointConnections",
        "adminPassword",
    ]);
    let text = prop::sample::select(vec![
        String::new(),
        documents::good_cluster(),
        documents::bad_registry(),
        format!(
            "{}/providers/microsoft.insights/diagnosticSettings/d",
            documents::good_cluster()
        ),
        format!("{}/privateEndpointConnections/e", documents::bad_registry()),
        "/subscriptions/s".to_owned(),
        "/subscriptions/../x".to_owned(),
        "Microsoft.ContainerService/managedClusters".to_owned(),
        "Microsoft.ContainerRegistry/registries".to_owned(),
        "Microsoft.Authorization/roleAssignments".to_owned(),
        "deploymentTemplate.json#".to_owned(),
        "[concat(parameters('x'), '/y')]".to_owned(),
        "\u{0}\u{1b}[2J".to_owned(),
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let fields =
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn anything_in_a_file_comes_to_facts_or_a_problem(value in anything()) {
        let folder = Folder::new();
        let found = saved(&[folder.put("any.json", &value)]);
        let snapshots = found.estate.snapshots(&label());
        for snapshot in &snapshots {
            let text = serde_json::to_string(snapshot).unwrap();
            proptest::prop_assert_eq!(&serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
            for facts in snapshot.facts.values() {
                for fact in &facts.items {
                    proptest::prop_assert!(fact.data["properties"].is_object() || fact.data.get("action").is_some());
                }
            }
        }
    }
}
