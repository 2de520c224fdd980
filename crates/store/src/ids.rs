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
    /// A host or cluster whose configuration is judged.
    AssetId
}
id! {
    /// What a person says of a control that no check can tell.
    AttestationId
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
