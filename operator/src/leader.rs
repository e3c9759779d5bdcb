//! Who of several operators acts: the one that holds a Lease.
use std::time::Duration;

use kube::Client;
use kube_lease_manager::{LeaseManagerBuilder, LeaseManagerError};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::fence::{Fence, LEASE};

/// How long it may take to give the lease back.
const PATIENCE: Duration = Duration::from_secs(3);

/// A lease that is asked for, held or lost.
pub struct Leadership {
    held: watch::Receiver<bool>,
    task: JoinHandle<Result<kube_lease_manager::LeaseManager, LeaseManagerError>>,
    fence: Fence,
}

impl Leadership {
    /// Asks for the lease, again and again until it is held, with the client that is behind the fence.
    ///
    /// # Errors
    /// The API server cannot be reached or does not allow it.
    pub async fn seek(
        client: Client,
        namespace: &str,
        seconds: u64,
        identity: &str,
        fence: Fence,
    ) -> Result<Self, LeaseManagerError> {
        let manager = LeaseManagerBuilder::new(client, LEASE)
            .with_namespace(namespace)
            .with_identity(identity)
            .with_duration(seconds)
            // Renewed when a third has passed, so that one lost answer does not lose the lease.
            .with_grace((seconds * 2 / 3).max(1))
            .build()
            .await?;
        let (held, task) = manager.watch().await;
        Ok(Self { held, task, fence })
    }

    /// Waits until the lease is held; false when it never will be.
    pub async fn gained(&mut self) -> bool {
        self.held.wait_for(|held| *held).await.is_ok()
    }

    /// Waits until the lease is lost, or could not be renewed for so long that it may be.
    pub async fn lost(&mut self) {
        tokio::select! {
            // An ended channel is a lost lease too.
            _ = self.held.wait_for(|held| !*held) => {}
            () = self.fence.expired() => {}
        }
    }

    /// Gives the lease back, so that the next operator need not wait for its end.
    pub async fn release(self) {
        self.fence.close();
        drop(self.held);
        // Whatever it ends with, and where nobody answers: the lease runs out by itself.
        let _ = timeout(PATIENCE, self.task).await;
    }
}
