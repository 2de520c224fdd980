//! HTTP API, jobs and the embedded UI.
