//! Which cluster the machine is a node of, as far as somebody says it.

use camino::Utf8Path;
use seareeve_collect::kubernetes::{Cluster, Connection, Limits};
use tracing::{info, warn};

use crate::args::SensorArgs;
use crate::surroundings::{InCluster, Surroundings};

/// Where pods have their service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The uid of the cluster, and who says so: whoever started the sensor, or the API of the cluster that it is a pod of.
pub(super) fn uid(
    args: &SensorArgs,
    surroundings: &Surroundings,
) -> Option<(String, &'static str)> {
    if let Some(uid) = &args.cluster_uid {
        return Some((uid.clone(), "option"));
    }
    let InCluster { host, port } = surroundings.in_cluster.as_ref()?;
    match ask(host, *port) {
        Ok(Some(uid)) => {
            info!(uid, "the cluster told its uid");
            Some((uid, "api"))
        }
        Ok(None) => None,
        // The authority in the kubelet's kubeconfig is known all the same.
        Err(error) => {
            let error = format!("{error:#}");
            warn!(error, "the cluster's uid could not be asked for");
            None
        }
    }
}

fn ask(host: &str, port: u16) -> anyhow::Result<Option<String>> {
    let connection = Connection::in_cluster(Utf8Path::new(ACCOUNT), host, port)?;
    Ok(Cluster::new(&connection, Limits::default())?.uid()?)
}
