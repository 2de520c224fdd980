//! The Pod Security Standards on one pod, beside the crate `cel`; and what comes before: compiling and binding.

#[path = "../tests/it/pods/rules.rs"]
mod rules;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rules::{POD, RULES};
use seareeve_cel::{Bindings, Budget, Environment, Limits, Program, Value};
use serde_json::Value as Json;

/// What an expression of ours may use; far more than these do.
fn budget() -> Budget {
    Budget::new(1_000_000, 16 << 20)
}

fn environment() -> Environment {
    Environment::new()
        .variable("spec")
        .variable("cs")
        .variable("ann")
}

fn containers(pod: &Json) -> Vec<&Json> {
    let kinds = ["initContainers", "containers", "ephemeralContainers"];
    let lists = kinds.iter().filter_map(|kind| pod["spec"][kind].as_array());
    lists.flatten().collect()
}

fn bound<'a>(environment: &Environment, pod: &'a Json) -> Bindings<'a> {
    Bindings::new(environment)
        .with("spec", &pod["spec"])
        .with("ann", &pod["metadata"]["annotations"])
        .with(
            "cs",
            Value::list(containers(pod).into_iter().map(Value::from)),
        )
}

fn programs(environment: &Environment) -> Vec<Program> {
    let compile = |(_, text): &(&str, &str)| environment.compile(text, &Limits::default());
    RULES
        .iter()
        .map(|rule| compile(rule).expect("it compiles"))
        .collect()
}

fn ours(criterion: &mut Criterion) {
    let pod: Json = serde_json::from_str(POD).expect("it is JSON");
    let environment = environment();
    let programs = programs(&environment);
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(RULES.len() as u64));
    group.bench_function("compiled", |bencher| {
        bencher.iter(|| black_box(self::programs(&environment)));
    });
    group.bench_function("bound and evaluated", |bencher| {
        bencher.iter(|| {
            let bindings = bound(&environment, &pod);
            for program in &programs {
                let value = program.evaluate(&bindings, &mut budget());
                black_box(value.expect("it has a value"));
            }
        });
    });
    group.finish();
    let mut group = criterion.benchmark_group("single");
    let bindings = bound(&environment, &pod);
    for ((name, _), program) in RULES.iter().zip(&programs) {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(program.evaluate(&bindings, &mut budget())).is_ok());
        });
    }
    group.finish();
}

fn peer(criterion: &mut Criterion) {
    let pod: Json = serde_json::from_str(POD).expect("it is JSON");
    let environment = Arc::new(cel::Env::stdlib());
    let compile = |(_, text): &(&str, &str)| environment.compile(text).expect("it compiles");
    let programs: Vec<cel::Program> = RULES.iter().map(compile).collect();
    let bound = || {
        let mut context = cel::Context::with_env(Arc::clone(&environment));
        let put = "JSON is a value";
        context.add_variable("spec", &pod["spec"]).expect(put);
        context
            .add_variable("ann", &pod["metadata"]["annotations"])
            .expect(put);
        context.add_variable("cs", containers(&pod)).expect(put);
        context
    };
    let mut group = criterion.benchmark_group("rules, crate cel");
    group.throughput(Throughput::Elements(RULES.len() as u64));
    group.bench_function("bound", |bencher| bencher.iter(|| drop(black_box(bound()))));
    group.bench_function("bound and evaluated", |bencher| {
        bencher.iter(|| {
            let context = bound();
            for program in &programs {
                black_box(program.execute(&context).expect("it has a value"));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, ours, peer);
criterion_main!(benches);
