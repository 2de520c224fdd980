//! Fields that name accounts as requests of theirs name them, so that what is done to an account and what it does are
//! told of the same.

use std::borrow::Cow;

use seareeve_detect::{Argument, Presence, Values};

use super::some;
use crate::event::AuditEvent;
use crate::fields::present_if;
use crate::portrait::{Aspect, about};
use crate::user::ACCOUNT;

pub(super) fn added_subject_user<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let mut is_there = false;
    for subject in about(event.added(), Aspect::Subject) {
        match subject.split_once('/') {
            Some(("User", name)) => out.text(name),
            Some(("ServiceAccount", name)) => out.owned(format!("{ACCOUNT}{name}")),
            _ => continue,
        }
        is_there = true;
    }
    present_if(is_there)
}

pub(super) fn service_account<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let resource = event.resource();
    let name = match resource.as_ref() {
        "serviceaccounts" => match event.record.target.and_then(|target| target.name) {
            Some(name) if !name.is_empty() => Some(name.decode().into_owned()),
            _ => event.name().map(Cow::into_owned),
        },
        "secrets" => {
            let mut of = event.portrait().about(Aspect::TokenOf);
            of.next().map(str::to_owned)
        }
        _ => None,
    };
    let user = name.map(|name| format!("{ACCOUNT}{}:{name}", event.namespace()));
    some(user.map(Cow::Owned), out)
}
