//! What of "Inspect a container" is kept. `Omitted` is what the API's own types leave out when it is empty
//! (`omitempty` in moby's `api/types`).

use crate::shape::Shape;

const TEXTS: Shape = Shape::List(&Shape::Text);
const TEXT_MAP: Shape = Shape::Map(&Shape::Text);

/// Published ports: `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}`.
const BINDINGS: Shape = Shape::Map(&Shape::List(&Shape::Object(&[
    ("HostIp", Shape::Text),
    ("HostPort", Shape::Text),
])));

pub(super) const CONTAINER: &[(&str, Shape)] = &[
    ("Id", Shape::Text),
    ("Name", Shape::Text),
    ("Created", Shape::Text),
    ("Path", Shape::Text),
    ("Args", TEXTS),
    ("Image", Shape::Text),
    ("RestartCount", Shape::Int),
    ("Driver", Shape::Text),
    ("Platform", Shape::Text),
    ("AppArmorProfile", Shape::Text),
    ("ProcessLabel", Shape::Text),
    ("MountLabel", Shape::Text),
    ("State", Shape::Object(STATE)),
    ("Config", Shape::Object(CONFIG)),
    ("HostConfig", Shape::Object(HOST_CONFIG)),
    ("Mounts", Shape::List(&Shape::Object(MOUNT))),
    ("NetworkSettings", Shape::Object(NETWORK_SETTINGS)),
];

const STATE: &[(&str, Shape)] = &[
    ("Status", Shape::Text),
    ("Running", Shape::Bool),
    ("Paused", Shape::Bool),
    ("Restarting", Shape::Bool),
    ("Dead", Shape::Bool),
    ("Pid", Shape::Int),
    ("ExitCode", Shape::Int),
    ("StartedAt", Shape::Text),
    ("FinishedAt", Shape::Text),
    (
        "Health",
        Shape::Object(&[("Status", Shape::Text), ("FailingStreak", Shape::Int)]),
    ),
];

const CONFIG: &[(&str, Shape)] = &[
    ("User", Shape::Text),
    ("Image", Shape::Text),
    ("Cmd", TEXTS),
    ("Entrypoint", TEXTS),
    ("WorkingDir", Shape::Text),
    ("ExposedPorts", Shape::Omitted(&Shape::Keys)),
    ("Labels", TEXT_MAP),
    (
        "Healthcheck",
        Shape::Object(&[
            ("Test", TEXTS),
            ("Interval", Shape::Int),
            ("Timeout", Shape::Int),
            ("Retries", Shape::Int),
        ]),
    ),
    ("StopSignal", Shape::Omitted(&Shape::Text)),
    ("Tty", Shape::Bool),
    ("OpenStdin", Shape::Bool),
];

const HOST_CONFIG: &[(&str, Shape)] = &[
    ("Privileged", Shape::Bool),
    ("ReadonlyRootfs", Shape::Bool),
    ("NetworkMode", Shape::Text),
    ("PidMode", Shape::Text),
    ("IpcMode", Shape::Text),
    ("UTSMode", Shape::Text),
    ("UsernsMode", Shape::Text),
    ("CgroupnsMode", Shape::Text),
    ("CgroupParent", Shape::Text),
    ("Cgroup", Shape::Text),
    ("CapAdd", TEXTS),
    ("CapDrop", TEXTS),
    ("SecurityOpt", TEXTS),
    (
        "Devices",
        Shape::List(&Shape::Object(&[
            ("PathOnHost", Shape::Text),
            ("PathInContainer", Shape::Text),
            ("CgroupPermissions", Shape::Text),
        ])),
    ),
    (
        "DeviceRequests",
        Shape::List(&Shape::Object(&[
            ("Driver", Shape::Text),
            ("Count", Shape::Int),
            ("DeviceIDs", TEXTS),
            ("Capabilities", Shape::List(&TEXTS)),
        ])),
    ),
    ("DeviceCgroupRules", TEXTS),
    ("Binds", TEXTS),
    ("VolumesFrom", TEXTS),
    ("Tmpfs", Shape::Omitted(&TEXT_MAP)),
    ("Memory", Shape::Int),
    ("MemoryReservation", Shape::Int),
    ("MemorySwap", Shape::Int),
    ("NanoCpus", Shape::Int),
    ("CpuShares", Shape::Int),
    ("CpuQuota", Shape::Int),
    ("CpuPeriod", Shape::Int),
    ("CpusetCpus", Shape::Text),
    ("CpuRealtimeRuntime", Shape::Int),
    ("CpuRealtimePeriod", Shape::Int),
    ("PidsLimit", Shape::Int),
    (
        "Ulimits",
        Shape::List(&Shape::Object(&[
            ("Name", Shape::Text),
            ("Soft", Shape::Int),
            ("Hard", Shape::Int),
        ])),
    ),
    ("OomKillDisable", Shape::Bool),
    ("OomScoreAdj", Shape::Int),
    (
        "RestartPolicy",
        Shape::Object(&[("Name", Shape::Text), ("MaximumRetryCount", Shape::Int)]),
    ),
    ("AutoRemove", Shape::Bool),
    ("PublishAllPorts", Shape::Bool),
    ("PortBindings", BINDINGS),
    (
        "LogConfig",
        Shape::Object(&[("Type", Shape::Text), ("Config", TEXT_MAP)]),
    ),
    ("Runtime", Shape::Omitted(&Shape::Text)),
    ("Sysctls", Shape::Omitted(&TEXT_MAP)),
    ("GroupAdd", TEXTS),
    ("ExtraHosts", TEXTS),
    ("MaskedPaths", TEXTS),
    ("ReadonlyPaths", TEXTS),
    ("ShmSize", Shape::Int),
    ("Isolation", Shape::Text),
];

const MOUNT: &[(&str, Shape)] = &[
    ("Type", Shape::Omitted(&Shape::Text)),
    ("Name", Shape::Omitted(&Shape::Text)),
    ("Source", Shape::Omitted(&Shape::Text)),
    ("Destination", Shape::Text),
    ("Driver", Shape::Omitted(&Shape::Text)),
    ("Mode", Shape::Text),
    ("RW", Shape::Bool),
    ("Propagation", Shape::Text),
];

const NETWORK_SETTINGS: &[(&str, Shape)] = &[
    ("Ports", BINDINGS),
    (
        "Networks",
        Shape::Map(&Shape::Object(&[
            ("NetworkID", Shape::Text),
            ("IPAddress", Shape::Text),
            ("GlobalIPv6Address", Shape::Text),
            ("Aliases", TEXTS),
        ])),
    ),
];
