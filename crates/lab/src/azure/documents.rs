//! Documents of two subscriptions: one in which all is as it should be, and one in which nothing is. Their form is that
//! of Resource Manager, their content is ours.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The id of the subscription in which all is well.
pub const GOOD: &str = "00000000-0000-0000-0000-00000000900d";
/// The id of the other one.
pub const BAD: &str = "00000000-0000-0000-0000-000000000bad";
/// The group of the nodes of the good cluster, as nodes say it in their `providerID`.
pub const GOOD_NODES: &str = "azure:///subscriptions/00000000-0000-0000-0000-00000000900d/resourceGroups/mc_shop_quay_westeurope";

/// Numbers of Azure's own roles.
const ACR_PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const ACR_PUSH: &str = "8311e382-0749-4cb8-b61a-304f252e45ec";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// Both subscriptions with all that is in them.
#[must_use]
pub fn both() -> BTreeMap<String, Vec<Value>> {
    let mut lists = BTreeMap::new();
    put(
        &mut lists,
        "/subscriptions",
        vec![subscription(GOOD, "Shop"), subscription(BAD, "Attic")],
    );
    good(&mut lists);
    bad(&mut lists);
    lists
}

fn put(lists: &mut BTreeMap<String, Vec<Value>>, path: &str, list: Vec<Value>) {
    lists.insert(path.to_lowercase(), list);
}

fn subscription(id: &str, name: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id, "displayName": name, "state": "Enabled",
        "tenantId": "10000000-0000-0000-0000-000000000001", "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"spendingLimit": "Off"}, "managedByTenants": [],
    })
}

fn roles(subscription: &str) -> Vec<Value> {
    let role = |id: &str, name: &str| {
        json!({
            "id": format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}"),
            "type": "Microsoft.Authorization/roleDefinitions", "name": id,
            "properties": {"roleName": name, "type": "BuiltInRole", "assignableScopes": ["/"], "permissions": []},
        })
    };
    vec![
        role(ACR_PULL, "AcrPull"),
        role(ACR_PUSH, "AcrPush"),
        role(READER, "Reader"),
    ]
}

fn assignment(scope: &str, name: &str, role: &str, principal: &str, kind: &str) -> Value {
    let role = format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        subscription_of(scope)
    );
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": role, "principalId": principal, "principalType": kind, "scope": scope,
            "condition": null, "createdOn": "2026-01-05T08:00:00Z",
        },
    })
}

fn subscription_of(scope: &str) -> String {
    scope.split('/').take(3).collect::<Vec<_>>().join("/")
}

fn plan(subscription: &str, name: &str, tier: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Security/pricings/{name}"), "name": name,
        "type": "Microsoft.Security/pricings",
        "properties": {"pricingTier": tier, "freeTrialRemainingTime": "PT0S"},
    })
}

/// The path of the good cluster.
#[must_use]
pub fn good_cluster() -> String {
    format!(
        "/subscriptions/{GOOD}/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/quay"
    )
}

/// The path of the bad one.
#[must_use]
pub fn bad_cluster() -> String {
    format!(
        "/subscriptions/{BAD}/resourcegroups/attic/providers/Microsoft.ContainerService/managedClusters/Rusty"
    )
}

/// The path of the good registry.
#[must_use]
pub fn good_registry() -> String {
    format!(
        "/subscriptions/{GOOD}/resourceGroups/shop/providers/Microsoft.ContainerRegistry/registries/quayimages"
    )
}

/// The path of the bad one.
#[must_use]
pub fn bad_registry() -> String {
    format!(
        "/subscriptions/{BAD}/resourceGroups/attic/providers/Microsoft.ContainerRegistry/registries/rustyimages"
    )
}

fn good(lists: &mut BTreeMap<String, Vec<Value>>) {
    let base = format!("/subscriptions/{GOOD}");
    let (cluster, registry) = (good_cluster(), good_registry());
    let connected = format!(
        "{base}/resourceGroups/shop/providers/Microsoft.Kubernetes/connectedClusters/dockside"
    );
    let vault = format!("{base}/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/shopkeys");
    let kubelet = "20000000-0000-0000-0000-000000000001";
    // What is assigned to the subscription is in force on all that is in it.
    let reader = assignment(
        &base,
        "a3",
        READER,
        "20000000-0000-0000-0000-00000000000a",
        "User",
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.ContainerService/managedClusters"),
        vec![json!({
            "id": cluster, "name": "quay", "type": "Microsoft.ContainerService/ManagedClusters", "location": "westeurope",
            "sku": {"name": "Base", "tier": "Standard"}, "tags": {"team": "shop", "note": null},
            "identity": {"type": "SystemAssigned", "principalId": "20000000-0000-0000-0000-000000000002"},
            "properties": {
                "provisioningState": "Succeeded", "powerState": {"code": "Running"}, "kubernetesVersion": "1.36",
                "currentKubernetesVersion": "1.36.3", "supportPlan": "KubernetesOfficial", "enableRBAC": true,
                "dnsPrefix": "quay", "privateFQDN": "quay-x1.privatelink.westeurope.azmk8s.io",
                "nodeResourceGroup": "MC_shop_quay_westeurope", "disableLocalAccounts": true,
                "agentPoolProfiles": [{"name": "system", "count": 3, "mode": "System", "osType": "Linux",
                    "enableNodePublicIP": false, "currentOrchestratorVersion": "1.36.3"}],
                "aadProfile": {"managed": true, "enableAzureRBAC": true, "adminGroupObjectIDs": null,
                    "tenantID": "10000000-0000-0000-0000-000000000001"},
                "apiServerAccessProfile": {"enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": false},
                "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "networkPolicy": "cilium",
                    "networkDataplane": "cilium", "podCidr": "10.244.0.0/16"},
                "autoUpgradeProfile": {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
                "oidcIssuerProfile": {"enabled": true, "issuerURL": "https://oidc.example/"},
                "securityProfile": {
                    "workloadIdentity": {"enabled": true},
                    "azureKeyVaultKms": {"enabled": true, "keyId": "https://shopkeys.vault.example/keys/etcd/1"},
                    "defender": {"securityMonitoring": {"enabled": true}},
                },
                "identityProfile": {"kubeletidentity": {"objectId": kubelet, "clientId": "x", "resourceId": "y"}},
                "addonProfiles": {"azurepolicy": {"enabled": true, "config": {"version": "v2"}},
                    "azureKeyvaultSecretsProvider": {"enabled": true, "config": {"enableSecretRotation": "true"}}},
                "servicePrincipalProfile": {"clientId": "msi"},
            },
        })],
    );
    put(
        lists,
        &format!("{cluster}/providers/Microsoft.Insights/diagnosticSettings"),
        vec![json!({
            "id": format!("{cluster}/providers/microsoft.insights/diagnosticSettings/audit"), "name": "audit",
            "type": "Microsoft.Insights/diagnosticSettings",
            "properties": {"workspaceId": format!("{base}/resourcegroups/shop/providers/microsoft.operationalinsights/workspaces/w"),
                "storageAccountId": null, "metrics": [],
                "logs": [
                    {"category": "kube-audit-admin", "categoryGroup": null, "enabled": true, "retentionPolicy": {"enabled": false, "days": 0}},
                    {"category": "guard", "categoryGroup": null, "enabled": true, "retentionPolicy": {"enabled": false, "days": 0}},
                    {"category": "kube-scheduler", "enabled": false},
                ]},
        })],
    );
    put(
        lists,
        &format!("{cluster}/providers/Microsoft.Authorization/roleAssignments"),
        vec![reader.clone()],
    );
    put(
        lists,
        &format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions"),
        vec![],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Kubernetes/connectedClusters"),
        vec![json!({
            "id": connected, "name": "dockside", "type": "Microsoft.Kubernetes/connectedClusters", "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {"connectivityStatus": "Connected", "distribution": "k3s", "kubernetesVersion": "1.36.2",
                "agentPublicKeyCertificate": "MIIC", "totalNodeCount": 1},
        })],
    );
    put(
        lists,
        &format!("{connected}/providers/Microsoft.Authorization/roleAssignments"),
        vec![reader.clone()],
    );
    put(
        lists,
        &format!("{connected}/providers/Microsoft.KubernetesConfiguration/extensions"),
        vec![
            extension(&connected, "azurepolicy", "microsoft.policyinsights"),
            extension(&connected, "defender", "microsoft.azuredefender.kubernetes"),
        ],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.ContainerRegistry/registries"),
        vec![json!({
            "id": registry, "name": "quayimages", "type": "Microsoft.ContainerRegistry/registries", "location": "westeurope",
            "sku": {"name": "Premium", "tier": "Premium"}, "tags": {},
            "properties": {
                "loginServer": "quayimages.azurecr.io", "adminUserEnabled": false, "anonymousPullEnabled": false,
                "publicNetworkAccess": "Disabled", "networkRuleSet": {"defaultAction": "Deny", "ipRules": []},
                "encryption": {"status": "enabled", "keyVaultProperties": {"keyIdentifier": "https://shopkeys.vault.example/keys/images"}},
                "policies": {"quarantinePolicy": {"status": "disabled"}},
            },
        })],
    );
    put(
        lists,
        &format!("{registry}/providers/Microsoft.Authorization/roleAssignments"),
        vec![
            assignment(&registry, "a1", ACR_PULL, kubelet, "ServicePrincipal"),
            assignment(
                &registry,
                "a2",
                ACR_PUSH,
                "20000000-0000-0000-0000-000000000009",
                "ServicePrincipal",
            ),
            reader.clone(),
        ],
    );
    put(
        lists,
        &format!("{registry}/privateEndpointConnections"),
        vec![json!({
            "id": format!("{registry}/privateEndpointConnections/pe"), "name": "pe",
            "type": "Microsoft.ContainerRegistry/registries/privateEndpointConnections",
            "properties": {"privateLinkServiceConnectionState": {"status": "Approved"}, "provisioningState": "Succeeded"},
        })],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Security/pricings"),
        vec![
            plan(GOOD, "VirtualMachines", "Free"),
            plan(GOOD, "Containers", "Standard"),
            plan(GOOD, "KubernetesService", "Free"),
            plan(GOOD, "ContainerRegistry", "Free"),
        ],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Authorization/policyAssignments"),
        vec![json!({
            "id": format!("{base}/providers/Microsoft.Authorization/policyAssignments/p"), "name": "p",
            "type": "Microsoft.Authorization/policyAssignments",
            "properties": {"displayName": "Images from our registry", "enforcementMode": "Default", "parameters": {}},
        })],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.KeyVault/vaults"),
        vec![json!({
            "id": vault, "name": "shopkeys", "type": "Microsoft.KeyVault/vaults", "location": "westeurope",
            "properties": {"enableSoftDelete": true, "enablePurgeProtection": true, "enableRbacAuthorization": true,
                "accessPolicies": [{"tenantId": "t", "objectId": "o", "permissions": {"keys": ["all"]}}],
                "vaultUri": "https://shopkeys.vault.example/"},
        })],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Authorization/roleDefinitions"),
        roles(GOOD),
    );
}

fn extension(cluster: &str, name: &str, kind: &str) -> Value {
    json!({
        "id": format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"), "name": name,
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "properties": {"extensionType": kind, "provisioningState": "Succeeded", "autoUpgradeMinorVersion": true,
            "configurationProtectedSettings": {"workspaceKey": "hunter2"}},
    })
}

fn bad(lists: &mut BTreeMap<String, Vec<Value>>) {
    let base = format!("/subscriptions/{BAD}");
    let (cluster, registry) = (bad_cluster(), bad_registry());
    let connected = format!(
        "{base}/resourceGroups/attic/providers/Microsoft.Kubernetes/connectedClusters/cellar"
    );
    let kubelet = "30000000-0000-0000-0000-000000000001";
    put(
        lists,
        &format!("{base}/providers/Microsoft.ContainerService/managedClusters"),
        vec![json!({
            "id": cluster, "name": "Rusty", "type": "Microsoft.ContainerService/ManagedClusters", "location": "westus",
            "sku": {"name": "Base", "tier": "Free"},
            "properties": {
                "kubernetesVersion": "1.11.8", "currentKubernetesVersion": "1.11.8", "enableRBAC": false,
                "fqdn": "rusty-1.hcp.westus.azmk8s.io", "nodeResourceGroup": "MC_attic_Rusty_westus",
                "disableLocalAccounts": false,
                "agentPoolProfiles": [{"name": "np1", "enableNodePublicIP": true}, {"name": "np2", "enableNodePublicIP": false}],
                "apiServerAccessProfile": {"authorizedIPRanges": ["203.0.113.0/24", "0.0.0.0/0"]},
                "networkProfile": {"networkPlugin": "kubenet", "networkPolicy": "none"},
                "autoUpgradeProfile": {"nodeOSUpgradeChannel": "None"},
                "securityProfile": {},
                "identityProfile": {"kubeletidentity": {"objectId": kubelet}},
                "addonProfiles": {"azurepolicy": {"enabled": false}, "httpApplicationRouting": {"enabled": true, "config": null}},
                "httpProxyConfig": {"httpProxy": "http://proxy:hunter2@10.0.0.1:3128/"},
                "windowsProfile": {"adminUsername": "azureuser", "adminPassword": "hunter2"},
                "servicePrincipalProfile": {"clientId": "x", "secret": "hunter2"},
            },
        })],
    );
    put(
        lists,
        &format!("{cluster}/providers/Microsoft.Insights/diagnosticSettings"),
        vec![],
    );
    put(
        lists,
        &format!("{cluster}/providers/Microsoft.Authorization/roleAssignments"),
        vec![],
    );
    put(
        lists,
        &format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions"),
        vec![],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Kubernetes/connectedClusters"),
        vec![json!({
            "id": connected, "name": "cellar", "type": "microsoft.kubernetes/connectedclusters",
            "properties": {"connectivityStatus": "Connected", "kubernetesVersion": "1.20.1"},
        })],
    );
    put(
        lists,
        &format!("{connected}/providers/Microsoft.Authorization/roleAssignments"),
        vec![],
    );
    put(
        lists,
        &format!("{connected}/providers/Microsoft.KubernetesConfiguration/extensions"),
        vec![],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.ContainerRegistry/registries"),
        vec![json!({
            "id": registry, "name": "rustyimages", "type": "Microsoft.ContainerRegistry/registries",
            "sku": {"name": "Basic"},
            "properties": {"adminUserEnabled": true, "anonymousPullEnabled": true, "publicNetworkAccess": "Enabled",
                "networkRuleSet": null, "encryption": {"status": "disabled"}},
        })],
    );
    put(
        lists,
        &format!("{registry}/providers/Microsoft.Authorization/roleAssignments"),
        vec![
            assignment(&registry, "b1", ACR_PUSH, kubelet, "ServicePrincipal"),
            assignment(
                &registry,
                "b2",
                ACR_PUSH,
                "30000000-0000-0000-0000-00000000000b",
                "User",
            ),
        ],
    );
    put(
        lists,
        &format!("{registry}/privateEndpointConnections"),
        vec![],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Security/pricings"),
        vec![
            plan(BAD, "VirtualMachines", "Free"),
            plan(BAD, "Containers", "Free"),
            plan(BAD, "KubernetesService", "Free"),
            plan(BAD, "ContainerRegistry", "Free"),
        ],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Authorization/policyAssignments"),
        vec![],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.KeyVault/vaults"),
        vec![],
    );
    put(
        lists,
        &format!("{base}/providers/Microsoft.Authorization/roleDefinitions"),
        roles(BAD),
    );
}
