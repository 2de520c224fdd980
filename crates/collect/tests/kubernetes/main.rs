//! A cluster read and watched through a fake of its API, and the files that lead to one.

#[cfg(test)]
mod fake;
#[cfg(test)]
mod kubeconfig;
#[cfg(test)]
mod manifests;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod processes;
#[cfg(test)]
mod read;
#[cfg(test)]
mod role;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod watched;
