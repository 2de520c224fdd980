//! A cluster read and watched through a fake of its API, and the files that lead to one.

#[path = "kubernetes/fake.rs"]
mod fake;
#[path = "kubernetes/kubeconfig.rs"]
mod kubeconfig;
#[path = "kubernetes/manifests.rs"]
mod manifests;
#[path = "kubernetes/read.rs"]
mod read;
#[path = "kubernetes/role.rs"]
mod role;
#[path = "kubernetes/watched.rs"]
mod watched;
