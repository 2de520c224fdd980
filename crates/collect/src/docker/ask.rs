//! Many questions to one engine at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Answers for all of `questions`, in their order, asked by at most `parallel` threads.
pub(crate) fn each<Q: Sync, A: Send>(
    questions: &[Q],
    parallel: usize,
    answer: impl Fn(&Q) -> A + Sync,
) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(questions.len()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(question) = questions.get(number) else {
                return;
            };
            let answer = answer(question);
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push((number, answer));
        }
    };
    std::thread::scope(|scope| {
        // This thread is one of them. If no other can be had, it does all.
        let others = parallel.clamp(1, questions.len().max(1)).saturating_sub(1);
        for _ in 0..others {
            let started = std::thread::Builder::new()
                .name("ask".to_owned())
                .spawn_scoped(scope, work);
            if started.is_err() {
                break;
            }
        }
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_questions() {
        let questions: Vec<u32> = (0..1000).collect();
        for parallel in [0, 1, 3, 2000] {
            let answers = each(&questions, parallel, |question| question * 2);
            assert!(
                answers
                    .iter()
                    .zip(&questions)
                    .all(|(answer, question)| *answer == question * 2)
            );
            assert_eq!(answers.len(), 1000);
        }
        assert_eq!(each(&[], 4, |question: &u32| *question), [0; 0]);
    }
}
