//! What benchmarks say of an asset, in each format.

mod html;
mod junit;
mod sarif;
mod table;

use seareeve_api::{PostureReport, ReportControl, ReportObject};

pub(super) use self::sarif::{document, level, plain, score};
use super::json;
use super::words::spaced;
use crate::args::PostureFormat;

/// A report in one of the formats.
pub(crate) fn report(report: &PostureReport, format: PostureFormat) -> anyhow::Result<String> {
    match format {
        PostureFormat::Table => Ok(table::report(report)),
        PostureFormat::Json => json::text(report),
        PostureFormat::Sarif => json::text(&sarif::log(report)),
        PostureFormat::Junit => Ok(junit::report(report)),
        PostureFormat::Html => Ok(html::page(report)),
    }
}

/// What the asset is, for people. A machine with engines that nobody else looks after is an unmanaged container host.
fn what(report: &PostureReport) -> String {
    let is_left_out = report.benchmarks.iter().all(|told| told.left_out.is_some());
    match (report.asset.kind.as_str(), is_left_out) {
        ("docker-host", false) => "unmanaged container host".to_owned(),
        ("docker-host", true) => "machine".to_owned(),
        (kind, _) => spaced(&kind.replace('-', " ")),
    }
}

/// Objects that have the control's status: those that decide it.
fn deciding(control: &ReportControl) -> impl Iterator<Item = &ReportObject> {
    let status = control.status.as_str();
    let objects = control.objects.iter();
    objects.filter(move |object| object.status == status)
}

/// What is to be said of an object, in a line.
fn said(object: &ReportObject) -> String {
    match (object.messages.as_slice(), &object.reason) {
        ([], None) => String::new(),
        ([], Some(reason)) => reason.clone(),
        (messages, None) => messages.join("; "),
        (messages, Some(reason)) => format!("{} ({reason})", messages.join("; ")),
    }
}

/// `2.15`'s name for programs: its check, or the control itself where there is none.
fn rule_of(control: &ReportControl) -> String {
    match &control.check {
        Some(check) => check.clone(),
        None => format!("{}/{}", control.benchmark, control.id),
    }
}
