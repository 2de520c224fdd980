//! The standard functions and the extensions: one file for each library, one list of all.

mod conversions;
mod encoders;
mod format;
mod lists;
mod math;
mod named_formats;
mod network;
mod optionals;
mod quantities;
pub(crate) mod regex;
mod semvers;
mod sets;
mod strings;
mod times;
mod urls;

use crate::environment::Style;
use crate::error::Reason;
use crate::limits::Budget;
use crate::pattern::Patterns;
use crate::value::Value;

/// A function of ours.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    /// The fewest arguments, the one before the dot included.
    pub(crate) least: usize,
    /// The most.
    pub(crate) most: usize,
    pub(crate) body: Body,
}

/// Takes from the budget what it costs beyond a constant.
pub(crate) type Body = for<'a> fn(&mut Call<'_, 'a>) -> Result<Value<'a>, Reason>;

/// One call.
pub(crate) struct Call<'c, 'a> {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'c [Value<'a>],
    pub(crate) budget: &'c mut Budget,
    pub(crate) patterns: &'c mut Patterns,
}

impl Call<'_, '_> {
    /// That the function does not take these types.
    pub(crate) fn mismatch(&self) -> Reason {
        mismatch(self.name, self.arguments)
    }
}

/// That a function or operator does not take these types.
pub(crate) fn mismatch(name: &str, arguments: &[Value<'_>]) -> Reason {
    const SHOWN: usize = 4;
    let types = arguments.iter().take(SHOWN);
    let types: Vec<&str> = types.map(|value| value.type_of().name()).collect();
    let more = if arguments.len() > SHOWN { ", …" } else { "" };
    Reason::NoSuchOverload(format!("{name} of ({}{more})", types.join(", ")).into())
}

const fn global(name: &'static str, least: usize, most: usize, body: Body) -> Builtin {
    Builtin {
        name,
        style: Style::Global,
        least,
        most,
        body,
    }
}

const fn member(name: &'static str, least: usize, most: usize, body: Body) -> Builtin {
    Builtin {
        name,
        style: Style::Member,
        least,
        most,
        body,
    }
}

const LIBRARIES: &[&[Builtin]] = &[
    conversions::FUNCTIONS,
    encoders::FUNCTIONS,
    lists::FUNCTIONS,
    math::FUNCTIONS,
    named_formats::FUNCTIONS,
    network::FUNCTIONS,
    optionals::FUNCTIONS,
    quantities::FUNCTIONS,
    regex::FUNCTIONS,
    semvers::FUNCTIONS,
    sets::FUNCTIONS,
    strings::FUNCTIONS,
    times::FUNCTIONS,
    urls::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Builtin> {
    LIBRARIES.iter().copied().flatten()
}

/// The functions of this name and style: they differ in how many arguments they take.
pub(crate) fn named(style: Style, name: &str) -> impl Iterator<Item = &'static Builtin> {
    all().filter(move |builtin| builtin.style == style && builtin.name == name)
}

/// The names of all functions of a style.
pub(crate) fn names(style: Style) -> impl Iterator<Item = &'static str> {
    all()
        .filter(move |builtin| builtin.style == style)
        .map(|builtin| builtin.name)
}
