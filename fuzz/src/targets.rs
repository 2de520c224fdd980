//! The list of targets. To add one, write its file and add its two lines.

mod advisory_archive;
mod advisory_file;
mod audit_events;
mod binaries;
mod cel;
mod checks;
mod credentials;
mod detection_rules;
mod docker_engine;
mod downloads;
mod engine;
mod engine_events;
mod facts;
mod feeds;
mod host_files;
mod ignore_files;
mod image_archive;
mod image_documents;
mod image_layer;
mod inflate;
mod intel_lists;
mod java_archives;
mod java_index;
mod java_sources;
mod kubernetes_components;
mod kubernetes_documents;
mod layer_cache;
mod names;
mod osv_record;
mod packages;
mod registry;
mod rpm;
mod sbom_documents;
mod sbom_upload;
mod secrets;
mod versions;
mod vex_documents;

use crate::Target;

/// Every target.
pub const TARGETS: &[Target] = &[
    advisory_archive::TARGET,
    advisory_file::TARGET,
    audit_events::TARGET,
    binaries::TARGET,
    cel::TARGET,
    checks::TARGET,
    credentials::TARGET,
    detection_rules::TARGET,
    docker_engine::TARGET,
    downloads::TARGET,
    engine::TARGET,
    engine_events::TARGET,
    facts::TARGET,
    feeds::TARGET,
    host_files::TARGET,
    ignore_files::TARGET,
    image_archive::TARGET,
    image_documents::TARGET,
    image_layer::TARGET,
    inflate::TARGET,
    intel_lists::TARGET,
    java_archives::TARGET,
    java_index::TARGET,
    java_sources::TARGET,
    kubernetes_components::TARGET,
    kubernetes_documents::TARGET,
    layer_cache::TARGET,
    names::TARGET,
    osv_record::TARGET,
    packages::TARGET,
    registry::TARGET,
    rpm::DATABASE,
    rpm::HEADER,
    rpm::LOG,
    sbom_documents::TARGET,
    sbom_upload::TARGET,
    secrets::TEXTS,
    secrets::RULES,
    versions::TARGET,
    vex_documents::TARGET,
];
