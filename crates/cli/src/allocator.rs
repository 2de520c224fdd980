//! How much memory the system's allocator keeps that nobody uses.

/// Arenas at most: glibc makes eight for each core, and what was freed in one of them is of no use to the others.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: i32 = 2;

/// Has all threads share a few arenas. A server has many threads that do large work now and then, and would keep the
/// memory of each. To be called before there are threads.
pub(crate) fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(unsafe_code, reason = "the C library has no other way to be told")]
        // SAFETY: mallopt(3) takes two numbers, keeps no pointer, and is called while there is one thread.
        let _is_known = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    }
}
