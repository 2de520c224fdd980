//! One file per command: it reads arguments, calls the crates, and prints.

pub(crate) mod admission;
pub(crate) mod azure;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod detect;
pub(crate) mod docker;
pub(crate) mod doctor;
pub(crate) mod generate;
pub(crate) mod image;
pub(crate) mod java_index;
pub(crate) mod joining;
pub(crate) mod k8s;
pub(crate) mod rules;
pub(crate) mod sbom;
pub(crate) mod sensor;
pub(crate) mod server;
pub(crate) mod simulate;
pub(crate) mod up;
pub(crate) mod user;

use std::process::ExitCode;

/// How a command ended. The numbers are a promise: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and no gate failed.
    Done,
    /// We failed: nothing can be said about the input.
    Failed,
    /// A gate that the user set has failed.
    GateFailed,
    /// Done in part: something could not be read or judged.
    Incomplete,
    /// The code that the user asked for (`--exit-code`).
    Asked(u8),
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::GateFailed => 2,
            Self::Incomplete => 3,
            Self::Asked(code) => code,
        })
    }
}
