//! Documents of Azure that somebody saved: replies, exported templates, what `az` prints. They become facts, which are
//! judged and joined with what a cluster says of itself.

use std::sync::LazyLock;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_collect::azure::{Estate, Label, joined, saved};
use seareeve_model::Snapshot;
use seareeve_posture::{Library, Statements};

use super::checks::judged;
use super::docker_engine;
use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "azure_documents",
    run,
    longest: 12 << 10,
    seeds: || made::seeds("azure_documents"),
    words: &[
        "\n====\n",
        "{\"value\":[",
        "\"$schema\":\"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\"",
        "\"parameters\":{\"n\":{\"defaultValue\":\"a\"}}",
        "\"name\":\"[parameters('n')]\"",
        "[concat(parameters('n'), '/b')]",
        "\"id\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c\"",
        "/providers/Microsoft.ContainerRegistry/registries/r",
        "/providers/Microsoft.Kubernetes/connectedClusters/c",
        "/providers/Microsoft.Insights/diagnosticSettings/d",
        "/providers/Microsoft.Authorization/roleAssignments/a",
        "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "/providers/Microsoft.Security/pricings/Containers",
        "/providers/Microsoft.KeyVault/vaults/v",
        "\"type\":\"Microsoft.ContainerService/ManagedClusters\"",
        "\"properties\":{",
        "\"apiServerAccessProfile\":{\"authorizedIPRanges\":[]}",
        "\"enableRbac\":true",
        "\"nodeResourceGroup\":\"MC_x\"",
        "\"pricingTier\":\"Standard\"",
        "\"identityProfile\":{\"kubeletidentity\":{\"objectId\":\"k\"}}",
        "{\"schema\":\"seareeve.facts/1\",\"asset_kind\":\"kubernetes-cluster\"",
        "\"provider_id\":\"azure:///subscriptions/s/resourceGroups/MC_x/\"",
        "null",
        "1e999",
    ],
};

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::builtin);

/// Files of Azure, and facts of a cluster as it sees itself as the last one.
fn run(input: &[u8]) {
    let parts = parts(input, MARK, 4);
    let files: Vec<_> = parts.iter().map(|part| made::temporary(part)).collect();
    let paths: Vec<Utf8PathBuf> = files.iter().map(|(_, path)| path.clone()).collect();
    let found = saved(&paths);
    for problem in &found.problems {
        assert!(!problem.message.is_empty());
    }
    sound(&found.estate);
    let within = parts.last().copied().unwrap_or_default();
    if let Ok(within) = serde_json::from_slice::<Snapshot>(within) {
        for outside in found.estate.snapshots(&label()) {
            if let Ok(both) = joined(&outside, &within) {
                assert_eq!(both.asset_id, within.asset_id);
            }
        }
    }
}

fn label() -> Label {
    Label {
        collected_at: Timestamp::UNIX_EPOCH,
        collector: "fuzz".to_owned(),
    }
}

/// What holds of every estate: it comes to the same facts each time, which can be written, read and judged.
pub(super) fn sound(estate: &Estate) {
    let snapshots = estate.snapshots(&label());
    assert_eq!(estate.snapshots(&label()), snapshots);
    for snapshot in &snapshots {
        docker_engine::sound(snapshot);
        judged(&LIBRARY, snapshot, &Statements::default());
    }
    for gap in estate.gaps() {
        assert!(!gap.detail.is_empty());
    }
}
