//! What people change about detections: rule files of their own, tuning, and the history of both.

mod files;
mod history;
mod noise;
mod tunings;

pub use files::{OwnFile, delete_file, files, put_file};
pub use history::{Entry, HistoryKind, history, latest, note};
pub use noise::{Day, Noise, noise};
pub use tunings::{NewTuning, Tuning, TuningKind, add, end_expired, remove, replace, tunings};
