//! Archives, layouts and registry blobs in one streamed pass.
