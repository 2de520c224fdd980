//! The numbers by which rows are known. Each noun has its own type, so that they cannot be mixed up.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// An alert.
    AlertId
}
id! {
    /// A host or cluster whose configuration is judged.
    AssetId
}
id! {
    /// What a person says of a control that no check can tell.
    AttestationId
}
id! {
    /// A cluster whose audit events are judged.
    AuditClusterId
}
id! {
    /// Where audit events of a cluster come from.
    AuditSourceId
}
id! {
    /// Whom the server asks for assets of clouds.
    ConnectorId
}
id! {
    /// An exception from a check.
    ExceptionId
}
id! {
    /// An exemption of assets from a recommendation.
    ExemptionId
}
id! {
    /// A stored image.
    ImageId
}
id! {
    /// Alerts that belong together.
    IncidentId
}
id! {
    /// A list of threat intelligence.
    IntelListId
}
id! {
    /// A token by which sensors join.
    JoinTokenId
}
id! {
    /// A job that waits, runs or is dead.
    JobId
}
id! {
    /// A package, shared by all images that hold it.
    PackageId
}
id! {
    /// A request to scan something.
    ScanId
}
id! {
    /// A sensor that joined.
    SensorId
}
id! {
    /// A rule by which alerts are dismissed as they are raised.
    SuppressionId
}
id! {
    /// An API token.
    TokenId
}
id! {
    /// A local user.
    UserId
}
id! {
    /// A stored vulnerability.
    VulnerabilityId
}
id! {
    /// A VEX document.
    VexId
}
