//! What subxt has to know of subtensor before it has asked a node; everything else is in the node's metadata.
use automl_keys::Hotkey;
use subxt::config::substrate::{BlakeTwo256, SubstrateHeader};
use subxt::config::{Config, DefaultTransactionExtensions, HashFor, SubstrateConfig};
use subxt::metadata::ArcMetadata;
use subxt::tx::Signer;
use subxt::utils::{AccountId32, H256, MultiAddress, MultiSignature};

/// Subtensor's types. Clones share the metadata of each version of the runtime that was met.
#[derive(Clone, Debug, Default)]
pub struct Types(SubstrateConfig);

impl From<SubstrateConfig> for Types {
    fn from(config: SubstrateConfig) -> Types {
        Types(config)
    }
}

impl Config for Types {
    type AccountId = AccountId32;
    type Address = MultiAddress<AccountId32, ()>;
    type Signature = MultiSignature;
    type Hasher = BlakeTwo256;
    type Header = SubstrateHeader<H256>;
    type TransactionExtensions = DefaultTransactionExtensions<Self>;
    type AssetId = u32;

    fn spec_and_transaction_version_for_block_number(&self, block: u64) -> Option<(u32, u32)> {
        self.0.spec_and_transaction_version_for_block_number(block)
    }

    fn metadata_for_spec_version(&self, version: u32) -> Option<ArcMetadata> {
        self.0.metadata_for_spec_version(version)
    }

    fn set_metadata_for_spec_version(&self, version: u32, metadata: ArcMetadata) {
        self.0.set_metadata_for_spec_version(version, metadata);
    }

    fn genesis_hash(&self) -> Option<HashFor<Self>> {
        self.0.genesis_hash()
    }
}

/// A hotkey, as subxt has things signed.
pub(crate) struct Signing<'a>(pub &'a Hotkey);

impl Signer<Types> for Signing<'_> {
    fn account_id(&self) -> AccountId32 {
        AccountId32(*self.0.address().bytes())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.0.sign(payload).0)
    }
}
