//! One value of a runtime's storage, by name. What a runtime has no more is `None`; what it has in another form is an error.
use super::calls::SUBNETS;
use super::nodes::At;
use super::trouble::Trouble;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::future::Future;
use subxt::error::StorageError;
use subxt::ext::frame_decode::storage::{IntoDecodableValues, IntoEncodableValues};
use subxt::ext::scale_decode::DecodeAsType;
use subxt::storage::{DynamicAddress, PrefixOf, dynamic};

/// Values that are asked for at once.
const AT_ONCE: usize = 32;
/// Entries of a map under one key: uids have 16 bits.
const MOST_ENTRIES: usize = 65_536;

/// A value of the subnets' pallet.
pub(crate) async fn value<K, V>(at: &At, entry: &str, keys: K) -> Result<Option<V>, Trouble>
where
    K: IntoEncodableValues + IntoDecodableValues,
    V: DecodeAsType,
{
    value_of(at, SUBNETS, entry, keys).await
}

/// A value of any pallet.
pub(crate) async fn value_of<K, V>(at: &At, pallet: &str, entry: &str, keys: K) -> Result<Option<V>, Trouble>
where
    K: IntoEncodableValues + IntoDecodableValues,
    V: DecodeAsType,
{
    let address: DynamicAddress<K, V> = dynamic(pallet, entry);
    match at.storage().try_fetch(address, keys).await {
        Ok(None) => Ok(None),
        Ok(Some(value)) => {
            value.decode().map(Some).map_err(|error| Trouble::changed(&format!("{pallet}.{entry}"), error))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same where a runtime without it is one that this program does not know.
pub(crate) async fn needed<K, V>(at: &At, entry: &str, keys: K) -> Result<V, Trouble>
where
    K: IntoEncodableValues + IntoDecodableValues,
    V: DecodeAsType,
{
    value(at, entry, keys).await?.ok_or_else(|| Trouble::changed(&format!("{SUBNETS}.{entry}"), "is not there"))
}

/// How many keys a value has; `None` where there is none of this name.
pub(crate) fn keys(at: &At, entry: &str) -> Option<usize> {
    let pallet = at.metadata_ref().pallet_by_name(SUBNETS)?;
    Some(pallet.storage()?.entry_by_name(entry)?.keys().len())
}

/// All values of a pallet's map under one subnet, by their second key.
pub(crate) async fn under<K, V>(at: &At, pallet: &str, entry_name: &str, netuid: u16) -> Result<Vec<(K, V)>, Trouble>
where
    (u16, K): IntoEncodableValues + IntoDecodableValues,
    (u16,): PrefixOf<(u16, K)>,
    V: DecodeAsType,
{
    let changed = |problem: String| Trouble::changed(&format!("{pallet}.{entry_name}"), problem);
    let address: DynamicAddress<(u16, K), V> = dynamic(pallet, entry_name);
    let mut entries = match at.storage().iter(address, (netuid,)).await {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut values = Vec::new();
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        let (_, key) = entry.key().and_then(|key| key.decode()).map_err(|error| changed(error.to_string()))?;
        if values.len() == MOST_ENTRIES {
            return Err(Trouble::Node(format!("tells of more than {MOST_ENTRIES} entries of {pallet}.{entry_name}")));
        }
        values.push((key, entry.value().decode().map_err(|error| changed(error.to_string()))?));
    }
    Ok(values)
}

/// Asks many things at once, and keeps their order.
pub(crate) async fn all<I, T, F>(items: I) -> Result<Vec<T>, Trouble>
where
    I: IntoIterator<Item = F>,
    F: Future<Output = Result<T, Trouble>>,
{
    stream::iter(items).buffered(AT_ONCE).try_collect().await
}

fn is_absent(error: &StorageError) -> bool {
    matches!(
        error,
        StorageError::PalletNameNotFound(_)
            | StorageError::StorageEntryNotFound { .. }
            | StorageError::StorageInfoError(_)
    )
}
