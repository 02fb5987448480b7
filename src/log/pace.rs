//! Long work that can wait, in the middle of which whoever cannot wait has the processor.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// After so many entries: some tens of microseconds.
const ENTRIES: usize = 16;

thread_local! {
    /// On threads whose work can wait: whether it has become urgent meanwhile.
    static HURRY: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// From now on the thread makes way, unless `hurry` says that it must not.
pub(super) fn take_it_easy(hurry: Option<Arc<AtomicBool>>) {
    HURRY.set(hurry);
}

/// Lets others have the processor, where the thread's work can wait. A system gives a thread several
/// milliseconds at a time, however far it has stepped back.
pub(super) fn make_way() {
    HURRY.with_borrow(|hurry| {
        if hurry
            .as_ref()
            .is_some_and(|hurry| !hurry.load(Ordering::Relaxed))
        {
            std::thread::yield_now();
        }
    });
}

/// The same, every now and then, for work that is `done` so far; to be called for every entry.
pub(super) fn make_way_after(done: usize) {
    if done.is_multiple_of(ENTRIES) {
        make_way();
    }
}
