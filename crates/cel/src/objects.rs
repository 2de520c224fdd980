//! Values of Kubernetes' extensions: they can only be made and used by functions.

pub(crate) mod cidr;
pub(crate) mod named_format;
pub(crate) mod quantity;
pub(crate) mod semver;
pub(crate) mod url;

use std::net::IpAddr;
use std::sync::Arc;

use crate::value::Type;
use cidr::Cidr;
use named_format::NamedFormat;
use quantity::Quantity;
use url::Url;

/// A value of an extension.
#[derive(Clone, Debug)]
pub struct Object(Arc<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    Quantity(Quantity),
    Url(Url),
    Ip(IpAddr),
    Cidr(Cidr),
    Semver(::semver::Version),
    Format(NamedFormat),
}

impl Object {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }

    pub(crate) fn type_of(&self) -> Type {
        match self.kind() {
            Kind::Quantity(_) => Type::Quantity,
            Kind::Url(_) => Type::Url,
            Kind::Ip(_) => Type::Ip,
            Kind::Cidr(_) => Type::Cidr,
            Kind::Semver(_) => Type::Semver,
            Kind::Format(_) => Type::Format,
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        match (self.kind(), other.kind()) {
            (Kind::Quantity(left), Kind::Quantity(right)) => left == right,
            (Kind::Url(left), Kind::Url(right)) => left == right,
            (Kind::Ip(left), Kind::Ip(right)) => left == right,
            (Kind::Cidr(left), Kind::Cidr(right)) => left == right,
            // What was built of the same version is the same version (semver.org, 10).
            (Kind::Semver(left), Kind::Semver(right)) => left.cmp_precedence(right).is_eq(),
            (Kind::Format(left), Kind::Format(right)) => left == right,
            _ => false,
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind() {
            Kind::Quantity(quantity) => quantity.fmt(f),
            Kind::Url(url) => url.fmt(f),
            Kind::Ip(address) => address.fmt(f),
            Kind::Cidr(cidr) => cidr.fmt(f),
            Kind::Semver(version) => version.fmt(f),
            Kind::Format(format) => f.write_str(format.name()),
        }
    }
}
