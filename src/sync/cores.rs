//! Work that is spread over the cores of the machine, and comes back in its order.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread;

use crate::script::{STACK, with_room};

/// How many there are.
pub(super) static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZeroUsize::get));

/// Does something with each item, on so many threads, and gives it in their order; nothing when it once gives none.
/// The threads are of this call alone: a script that takes long takes no thread from another run.
pub(super) fn on_cores<T: Sync, R: Send>(
    cores: usize,
    items: &[T],
    take: impl Fn(&T) -> Option<R> + Sync,
) -> Option<Vec<R>> {
    let all = |items: &[T]| items.iter().map(&take).collect::<Option<Vec<R>>>();
    let mut parts = items.chunks(items.len().div_ceil(cores).max(1));
    let here = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| {
                let other = thread::Builder::new().stack_size(STACK);
                let other = other.spawn_scoped(scope, || all(part));
                // Without another thread it takes longer.
                other.map_err(|_| part)
            })
            .collect();
        let mut done = with_room(|| all(here));
        for other in others {
            let part = match other {
                Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(part) => with_room(|| all(part)),
            };
            done = done.zip(part).map(|(mut done, part)| {
                done.extend(part);
                done
            });
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_on_many_threads_comes_back_in_its_order() {
        for (cores, many) in [(1, 7), (3, 0), (3, 1), (3, 2), (4, 1000)] {
            let items: Vec<u32> = (0..many).collect();
            let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
            assert_eq!(
                on_cores(cores, &items, |item| Some(item * 2)),
                Some(doubled)
            );
        }
    }

    #[test]
    fn nothing_comes_back_when_one_gives_nothing() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(
            on_cores(3, &items, |item| (*item != 99).then_some(())),
            None
        );
    }
}
