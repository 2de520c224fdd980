//! Images, taken apart.

use std::borrow::Cow;

use seareeve_detect::{Kind, Presence, Shape, Values};

use crate::event::AuditEvent;
use crate::fields::{Brackets, Definition, Extract, Get, present_if};
use crate::image::Image;
use crate::portrait::{Aspect, about};

/// Whose images.
#[derive(Clone, Copy)]
enum Of {
    Now,
    Added,
    Pod,
    Partner,
}

/// A part of an image's reference.
type Part = for<'i> fn(&Image<'i>) -> Option<String>;

/// All of them.
pub(super) fn definitions() -> Vec<Definition> {
    let mut all = Vec::new();
    for (name, get, about) in IMAGES {
        all.push(Definition {
            name: Cow::Borrowed(name),
            brackets: Brackets::None,
            kind: Kind::Text,
            // A list of known repositories or registries is asked for all: one that is in it excuses no other.
            shape: if name.ends_with(".repository") || name.ends_with(".registry") {
                Shape::List
            } else {
                Shape::Any
            },
            is_key: false,
            get: Get::By(*get),
            about: Cow::Borrowed(about),
        });
    }
    all
}

const IMAGES: &[(&str, Extract, &str)] = &[
    (
        "kube.now.image.repository",
        |event, _, out| images(event, Of::Now, repository, out),
        "Registry and path of the images: `docker.io/library/nginx`.",
    ),
    (
        "kube.now.image.registry",
        |event, _, out| images(event, Of::Now, registry, out),
        "Registries of the images.",
    ),
    (
        "kube.now.image.name",
        |event, _, out| images(event, Of::Now, image_name, out),
        "Last parts of the images' paths: `nginx`.",
    ),
    (
        "kube.now.image.tag",
        |event, _, out| images(event, Of::Now, tag, out),
        "Tags of the images that have one.",
    ),
    (
        "kube.now.image.digest",
        |event, _, out| images(event, Of::Now, image_digest, out),
        "Digests of the images that have one.",
    ),
    (
        "kube.added.image.repository",
        |event, _, out| images(event, Of::Added, repository, out),
        "As `kube.now.image.repository`, but only what the object did not have before this request.",
    ),
    (
        "kube.added.image.registry",
        |event, _, out| images(event, Of::Added, registry, out),
        "Registries of the images that were added.",
    ),
    (
        "kube.added.image.registry_host",
        |event, _, out| images(event, Of::Added, registry_host, out),
        "The same registries, one by one, without port.",
    ),
    (
        "kube.added.image.name",
        |event, _, out| images(event, Of::Added, image_name, out),
        "Last parts of the paths of the images that were added.",
    ),
    (
        "kube.pod.image.repository",
        |event, _, out| images(event, Of::Pod, repository, out),
        "As `kube.now.image.repository`, of the pod that a request to a part of it is about.",
    ),
    (
        "kube.partner.image.name",
        |event, _, out| images(event, Of::Partner, image_name, out),
        "Last parts of the paths of the images of the workloads that a service leads to.",
    ),
];

fn repository(image: &Image<'_>) -> Option<String> {
    Some(image.repository())
}

fn registry(image: &Image<'_>) -> Option<String> {
    Some(image.registry.to_string())
}

fn registry_host(image: &Image<'_>) -> Option<String> {
    let host = image.registry.split(':').next().unwrap_or_default();
    Some(host.to_owned())
}

fn image_name(image: &Image<'_>) -> Option<String> {
    Some(image.name().to_owned())
}

fn tag(image: &Image<'_>) -> Option<String> {
    image.tag.map(str::to_owned)
}

fn image_digest(image: &Image<'_>) -> Option<String> {
    image.digest.map(str::to_owned)
}

fn images<'e>(event: &'e AuditEvent<'_>, of: Of, part: Part, out: &mut Values<'e>) -> Presence {
    let references: Vec<&str> = match of {
        Of::Now => event.portrait().about(Aspect::Image).collect(),
        Of::Added => about(event.added(), Aspect::Image).collect(),
        Of::Pod => {
            let pod = event.context.object.iter();
            pod.flat_map(|pod| pod.about(Aspect::Image)).collect()
        }
        Of::Partner => {
            let partners = event.context.partners.iter();
            partners
                .flat_map(|partner| partner.about(Aspect::Image))
                .collect()
        }
    };
    let mut is_there = false;
    for part in references.iter().filter_map(|one| part(&Image::parse(one))) {
        out.owned(part);
        is_there = true;
    }
    present_if(is_there)
}
