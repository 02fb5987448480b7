//! Argon2id (RFC 9106), off the async threads and never more at once than the machine can bear.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::SecretKey;

/// Memory in KiB, passes and lanes: the lower of OWASP's recommended settings for Argon2id
/// (19 MiB, 2 passes, 1 lane). Codes carry 40 random bits of their own.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// How long a request waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// Too many requests are being hashed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many reference codes are being verified at once")]
pub struct Overloaded;

/// Stretches codes, at most one per core at a time.
#[derive(Clone, Debug)]
pub struct Hasher(Arc<Semaphore>);

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }
}

impl Hasher {
    /// Stretches a secret into a key; the same secret and salt give the same key.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub async fn stretch(&self, secret: &[u8], salt: [u8; 16]) -> Result<SecretKey, Overloaded> {
        let secret = Zeroizing::new(secret.to_vec());
        self.run(move || derive(&argon2(), &secret, &salt).map(SecretKey::from_bytes))
            .await?
            .ok_or(Overloaded)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let permit = tokio::time::timeout(PATIENCE, self.0.clone().acquire_owned())
            .await
            .map_err(|_| Overloaded)?
            .map_err(|_| Overloaded)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|_| Overloaded)
    }
}

#[allow(clippy::expect_used, reason = "COST is constant and within bounds")]
fn argon2() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(32)).expect("the cost is within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// More room than Argon2 fills, so that the system has all of it back after each hash: glibc keeps
/// what it was given in pieces of less than 32 MiB for what may come, thread by thread (mallopt(3),
/// `M_MMAP_THRESHOLD`). Room that is not filled takes no memory.
const ROOM: usize = (32 << 20) / Block::SIZE + 1;

/// Argon2 in memory of its own.
fn derive(argon2: &Argon2<'_>, secret: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
    let blocks = argon2.params().block_count();
    let mut memory = Vec::with_capacity(blocks.max(ROOM));
    memory.resize(blocks, Block::default());
    let mut derived = [0; 32];
    argon2
        .hash_password_into_with_memory(secret, salt, &mut derived, memory.as_mut_slice())
        .ok()?;
    Some(derived)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn stretching_depends_on_secret_and_salt() {
        let hasher = Hasher::default();
        let one = hasher.stretch(b"secret", [1; 16]).await.unwrap();
        assert_eq!(one, hasher.stretch(b"secret", [1; 16]).await.unwrap());
        assert_ne!(one, hasher.stretch(b"secret", [2; 16]).await.unwrap());
        assert_ne!(one, hasher.stretch(b"Secret", [1; 16]).await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_more_are_hashed_at_once_than_there_are_cores_for() {
        let hasher = Hasher(Arc::new(Semaphore::new(2)));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let hashes = (0..8).map(|_| {
            let (hasher, now, most) = (hasher.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                hasher.run(work).await
            })
        });
        for hash in hashes.collect::<Vec<_>>() {
            hash.await.unwrap().unwrap();
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test]
    async fn a_hash_that_is_broken_off_gives_its_turn_back() {
        let hasher = Hasher(Arc::new(Semaphore::new(1)));
        for _ in 0..2 {
            let broken: Result<(), _> = hasher.run(|| panic!("on purpose")).await;
            assert_eq!(broken, Err(Overloaded));
        }
        assert_eq!(hasher.run(|| 7).await, Ok(7));
    }
}
