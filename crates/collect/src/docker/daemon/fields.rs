//! What of `GET /info` and `GET /version` is kept.

use crate::shape::Shape;

const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) const VERSION: &[(&str, Shape)] = &[
    ("Version", Shape::Text),
    ("ApiVersion", Shape::Text),
    ("MinAPIVersion", Shape::Text),
    ("Os", Shape::Text),
    ("Arch", Shape::Text),
    ("KernelVersion", Shape::Text),
    ("Experimental", Shape::Bool),
];

pub(super) const INFO: &[(&str, Shape)] = &[
    ("ID", Shape::Text),
    ("Name", Shape::Text),
    ("ServerVersion", Shape::Text),
    ("Containers", Shape::Int),
    ("ContainersRunning", Shape::Int),
    ("ContainersPaused", Shape::Int),
    ("ContainersStopped", Shape::Int),
    ("Images", Shape::Int),
    ("Driver", Shape::Text),
    ("LoggingDriver", Shape::Text),
    ("CgroupDriver", Shape::Text),
    ("CgroupVersion", Shape::Text),
    ("KernelVersion", Shape::Text),
    ("OperatingSystem", Shape::Text),
    ("OSType", Shape::Text),
    ("Architecture", Shape::Text),
    ("NCPU", Shape::Int),
    ("MemTotal", Shape::Int),
    ("DockerRootDir", Shape::Text),
    ("Debug", Shape::Bool),
    ("ExperimentalBuild", Shape::Bool),
    ("LiveRestoreEnabled", Shape::Bool),
    ("IPv4Forwarding", Shape::Bool),
    ("SecurityOptions", TEXTS),
    (
        "Plugins",
        Shape::Object(&[
            ("Volume", TEXTS),
            ("Network", TEXTS),
            ("Authorization", TEXTS),
            ("Log", TEXTS),
        ]),
    ),
    (
        "RegistryConfig",
        Shape::Object(&[
            ("InsecureRegistryCIDRs", TEXTS),
            ("Mirrors", TEXTS),
            (
                "IndexConfigs",
                Shape::Map(&Shape::Object(&[
                    ("Name", Shape::Text),
                    ("Secure", Shape::Bool),
                    ("Official", Shape::Bool),
                ])),
            ),
        ]),
    ),
    (
        "Runtimes",
        Shape::Map(&Shape::Object(&[("path", Shape::Text)])),
    ),
    ("DefaultRuntime", Shape::Text),
    ("Labels", TEXTS),
    ("Warnings", TEXTS),
    ("Containerd", Shape::Object(&[("Address", Shape::Text)])),
    (
        "Swarm",
        Shape::Object(&[
            ("NodeID", Shape::Text),
            ("NodeAddr", Shape::Text),
            ("LocalNodeState", Shape::Text),
            ("ControlAvailable", Shape::Bool),
            ("Nodes", Shape::Int),
            ("Managers", Shape::Int),
        ]),
    ),
];
