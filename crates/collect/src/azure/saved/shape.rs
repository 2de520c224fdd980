//! One saved document: what kind it is, and its form as Resource Manager has it.

use serde_json::{Map, Value, json};

use crate::azure::id::ResourceId;

/// Documents within each other: lists of lists, templates within deployments.
const DEEPEST: usize = 8;
/// Deepest value whose names are put right.
const DEEPEST_VALUE: usize = 32;

/// What is known of a document.
pub(super) enum Document {
    Subscription(ResourceId, Value),
    Cluster(ResourceId, Value),
    Registry(ResourceId, Value),
    /// The last part of its id, and its name.
    Role(String, String),
    Plan(Option<ResourceId>, Value),
    Policy(ResourceId, Value),
    Vault(ResourceId, Value),
    /// The resource that it belongs to, as for the following.
    Diagnostics(ResourceId, Value),
    Extension(ResourceId, Value),
    PrivateEndpoint(ResourceId, Value),
    /// What it holds for.
    Assignment(ResourceId, Value),
}

/// What documents have beside `properties`.
const OUTSIDE: [&str; 22] = [
    "id",
    "name",
    "type",
    "kind",
    "location",
    "sku",
    "identity",
    "tags",
    "properties",
    "scope",
    "etag",
    "eTag",
    "zones",
    "plan",
    "managedBy",
    "systemData",
    "extendedLocation",
    "apiVersion",
    "resourceGroup",
    "dependsOn",
    "resources",
    "comments",
];

/// Names that `az` spells in its own way, as Resource Manager does.
const SPELLED: [(&str, &str); 12] = [
    ("enablerbac", "enableRBAC"),
    ("enableazurerbac", "enableAzureRBAC"),
    ("authorizedipranges", "authorizedIPRanges"),
    (
        "enableprivateclusterpublicfqdn",
        "enablePrivateClusterPublicFQDN",
    ),
    ("nodeosupgradechannel", "nodeOSUpgradeChannel"),
    ("enablenodepublicip", "enableNodePublicIP"),
    ("privatefqdn", "privateFQDN"),
    ("azureportalfqdn", "azurePortalFQDN"),
    ("oidcissuerprofile", "oidcIssuerProfile"),
    ("issuerurl", "issuerURL"),
    ("azurekeyvaultkms", "azureKeyVaultKms"),
    ("podcidr", "podCidr"),
];

/// All documents of a file. Those of no known kind are counted in `left_out`.
pub(super) fn documents(value: Value, found: &mut Vec<Document>, left_out: &mut usize) {
    walk(value, DEEPEST, found, left_out);
}

fn walk(value: Value, depth: usize, found: &mut Vec<Document>, left_out: &mut usize) {
    let Some(depth) = depth.checked_sub(1) else {
        *left_out = left_out.saturating_add(1);
        return;
    };
    match value {
        Value::Array(items) => {
            for item in items {
                walk(item, depth, found, left_out);
            }
        }
        // A reply with a list.
        Value::Object(mut fields) if fields.get("value").is_some_and(Value::is_array) => {
            if let Some(list) = fields.remove("value") {
                walk(list, depth, found, left_out);
            }
        }
        Value::Object(fields) if is_template(&fields) => {
            for resource in template(fields) {
                walk(resource, depth, found, left_out);
            }
        }
        Value::Object(fields) => match known(fields) {
            Some(document) => found.push(document),
            None => *left_out = left_out.saturating_add(1),
        },
        _ => *left_out = left_out.saturating_add(1),
    }
}

fn is_template(fields: &Map<String, Value>) -> bool {
    let schema = fields.get("$schema").and_then(Value::as_str);
    schema.is_some_and(|schema| schema.to_lowercase().contains("deploymenttemplate.json"))
}

/// The resources of a template, with names that their parameters have by default and ids that are made of them: a
/// template does not say where it will be used.
fn template(mut fields: Map<String, Value>) -> Vec<Value> {
    let parameters = fields.remove("parameters").unwrap_or_default();
    let Some(Value::Array(resources)) = fields.remove("resources") else {
        return Vec::new();
    };
    let mut made = Vec::new();
    for mut resource in resources {
        let kind = text(&resource, "type").unwrap_or_default();
        let name = text(&resource, "name").unwrap_or_default();
        let name = resolved(&name, &parameters);
        let mut id = "/subscriptions/template/resourceGroups/template/providers".to_owned();
        let mut kinds = kind.split('/');
        id.push('/');
        id.push_str(kinds.next().unwrap_or_default());
        for (kind, name) in kinds.zip(name.split('/')) {
            id.push_str(&format!("/{kind}/{name}"));
        }
        let is_secret_of = is_within_others(&kind);
        if let Some(fields) = resource.as_object_mut() {
            fields.insert("id".to_owned(), id.into());
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            fields.insert("name".to_owned(), name.into());
        }
        // Node pools, scope maps and the like stand in templates as resources of their own.
        if !is_secret_of {
            made.push(resource);
        }
    }
    made
}

/// Whether a kind of resource is only a part of another that is read with it, or nothing that is wanted.
fn is_within_others(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    let wanted = [
        "microsoft.containerservice/managedclusters",
        "microsoft.kubernetes/connectedclusters",
        "microsoft.containerregistry/registries",
        "microsoft.containerregistry/registries/privateendpointconnections",
        "microsoft.keyvault/vaults",
    ];
    !wanted.contains(&kind.as_str())
}

/// `[parameters('x')]`, also within `concat`: what its default is.
fn resolved(name: &str, parameters: &Value) -> String {
    let Some(expression) = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')) else {
        return name.to_owned();
    };
    let mut whole = String::new();
    let mut pieces = expression.split('\'').skip(1).step_by(2);
    let mut befores = expression.split('\'').step_by(2);
    while let (Some(before), Some(piece)) = (befores.next(), pieces.next()) {
        if before.to_lowercase().ends_with("parameters(") {
            let value = parameters.get(piece).and_then(|it| it.get("defaultValue"));
            whole.push_str(value.and_then(Value::as_str).unwrap_or(piece));
        } else {
            whole.push_str(piece);
        }
    }
    whole
}

fn known(mut fields: Map<String, Value>) -> Option<Document> {
    let word = |fields: &Map<String, Value>, name: &str| {
        let text = fields.get(name).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    let id = word(&fields, "id").and_then(|id| ResourceId::parse(&id));
    let kind = word(&fields, "type").unwrap_or_default().to_lowercase();
    // What REST and `az account list` say of a subscription.
    let subscription = word(&fields, "subscriptionId").or_else(|| {
        let is_account = fields.contains_key("tenantId") && fields.contains_key("isDefault");
        word(&fields, "id").filter(|id| is_account && !id.contains('/'))
    });
    if let (true, Some(subscription)) = (kind.is_empty(), subscription) {
        let id = ResourceId::subscription(&subscription)?;
        let name = word(&fields, "displayName").or_else(|| word(&fields, "name"));
        let document = json!({
            "id": id.lower(),
            "displayName": name,
            "state": word(&fields, "state"),
            "tenantId": word(&fields, "tenantId"),
        });
        return Some(Document::Subscription(id, document));
    }
    // Older `az` leaves the type out of some of its lists; the id has it.
    let lower = id.as_ref().map(ResourceId::lower).unwrap_or_default();
    let is = |name: &str| kind == name || (kind.is_empty() && lower.contains(&format!("/{name}/")));
    if is("microsoft.insights/diagnosticsettings") || lower.contains("/diagnosticsettings/") {
        let owner = id?.owner()?;
        return Some(Document::Diagnostics(owner, formed(fields)));
    }
    if is("microsoft.kubernetesconfiguration/extensions") {
        let owner = id?.owner()?;
        return Some(Document::Extension(owner, formed(fields)));
    }
    if is("microsoft.authorization/roleassignments") {
        return assignment(fields);
    }
    if is("microsoft.authorization/roledefinitions") {
        let name = word(&fields, "roleName");
        let document = formed(fields);
        let name = name.or_else(|| text(&document, "roleName"))?;
        return Some(Document::Role(id?.name().to_lowercase(), name));
    }
    if is("microsoft.authorization/policyassignments") {
        return Some(Document::Policy(id?, formed(fields)));
    }
    if is("microsoft.security/pricings") {
        return Some(Document::Plan(id, formed(fields)));
    }
    if kind.is_empty() && id.is_none() && fields.contains_key("pricingTier") {
        return Some(Document::Plan(None, formed(fields)));
    }
    if is("microsoft.containerregistry/registries/privateendpointconnections")
        || lower.contains("/privateendpointconnections/")
    {
        let owner = id?.parent()?;
        return Some(Document::PrivateEndpoint(owner, formed(fields)));
    }
    if is("microsoft.keyvault/vaults") {
        return Some(Document::Vault(id?, formed(fields)));
    }
    for (name, spelled) in [
        (
            "microsoft.containerservice/managedclusters",
            "Microsoft.ContainerService/managedClusters",
        ),
        (
            "microsoft.kubernetes/connectedclusters",
            "Microsoft.Kubernetes/connectedClusters",
        ),
    ] {
        if is(name) {
            fields.entry("type").or_insert_with(|| spelled.into());
            let document = whole(formed(fields))?;
            return Some(Document::Cluster(id?, document));
        }
    }
    if is("microsoft.containerregistry/registries") {
        let document = whole(formed(fields))?;
        return Some(Document::Registry(id?, document));
    }
    None
}

/// A document that says something. `az resource list` names resources only, and what it leaves out is not switched off.
fn whole(document: Value) -> Option<Value> {
    let properties = document.get("properties").and_then(Value::as_object);
    properties
        .is_some_and(|own| !own.is_empty())
        .then_some(document)
}

/// An assignment in our words, from Resource Manager's form or from that of `az role assignment list`.
fn assignment(fields: Map<String, Value>) -> Option<Document> {
    let document = formed(fields);
    let property = |name: &str| {
        let value = document.pointer(&format!("/properties/{name}"));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let scope = property("scope").or_else(|| text(&document, "scope"))?;
    let role = property("roleDefinitionName").or_else(|| {
        let id = property("roleDefinitionId")?;
        Some(id.rsplit('/').next()?.to_lowercase())
    });
    let ours = json!({
        "principal_id": property("principalId")?,
        "principal_type": property("principalType").unwrap_or_else(|| "Unknown".to_owned()),
        "role": role?,
        "scope": scope.to_lowercase(),
    });
    Some(Document::Assignment(ResourceId::parse(&scope)?, ours))
}

/// A document as Resource Manager has it: names as it spells them, and `properties`.
fn formed(fields: Map<String, Value>) -> Value {
    let mut outside = Map::new();
    let mut properties = Map::new();
    let has_properties = fields.get("properties").is_some_and(Value::is_object);
    for (name, value) in fields {
        if OUTSIDE.contains(&name.as_str()) || has_properties {
            outside.insert(name, value);
        } else {
            properties.insert(name, value);
        }
    }
    match outside.get_mut("properties") {
        Some(Value::Object(own)) => own.extend(properties),
        _ => {
            outside.insert("properties".to_owned(), Value::Object(properties));
        }
    }
    if let Some(properties) = outside.get_mut("properties") {
        spell(properties, 0);
        // A rule's range has a name of its own in `az`.
        let rules = properties.pointer_mut("/networkRuleSet/ipRules");
        for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(fields) = rule.as_object_mut() else {
                continue;
            };
            if let Some(range) = fields.remove("ipAddressOrRange") {
                fields.insert("value".to_owned(), range);
            }
        }
    }
    Value::Object(outside)
}

/// Azure takes no care of cases in names; checks do.
fn spell(value: &mut Value, depth: usize) {
    if depth > DEEPEST_VALUE {
        return;
    }
    let below = depth.saturating_add(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| spell(item, below)),
        Value::Object(fields) => {
            for (lower, right) in SPELLED {
                let wrong = fields
                    .keys()
                    .find(|name| name.as_str() != right && name.eq_ignore_ascii_case(lower));
                if let Some(wrong) = wrong.cloned()
                    && let Some(value) = fields.remove(&wrong)
                {
                    fields.entry(right).or_insert(value);
                }
            }
            fields.values_mut().for_each(|value| spell(value, below));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    let text = value
        .get(name)
        .or_else(|| value.pointer(&format!("/properties/{name}")));
    text.and_then(Value::as_str).map(str::to_owned)
}
