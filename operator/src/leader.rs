//! Who of several operators acts: the one that holds a Lease.
use kube::Client;
use kube_lease_manager::{LeaseManagerBuilder, LeaseManagerError};
use tokio::{sync::watch, task::JoinHandle};

/// The name of the lease.
const LEASE: &str = "automl-operator";

/// A lease that is asked for, held or lost.
pub struct Leadership {
    held: watch::Receiver<bool>,
    task: JoinHandle<Result<kube_lease_manager::LeaseManager, LeaseManagerError>>,
}

impl Leadership {
    /// Asks for the lease, again and again until it is held.
    ///
    /// # Errors
    /// The API server cannot be reached or does not allow it.
    pub async fn seek(
        client: Client,
        namespace: &str,
        seconds: u64,
        identity: &str,
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
        Ok(Self { held, task })
    }

    /// Waits until the lease is held; false when it never will be.
    pub async fn gained(&mut self) -> bool {
        self.held.wait_for(|held| *held).await.is_ok()
    }

    /// Waits until the lease is lost.
    pub async fn lost(&mut self) {
        // An ended channel is a lost lease too.
        let _ = self.held.wait_for(|held| !*held).await;
    }

    /// Gives the lease back, so that the next operator need not wait for its end.
    pub async fn release(self) {
        drop(self.held);
        // Whatever it ends with, the lease runs out by itself.
        let _ = self.task.await;
    }
}
