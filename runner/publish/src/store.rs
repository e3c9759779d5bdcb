//! Puts genes where a locator says, and reads them there.
use crate::hub::Hub;
use crate::objects::Objects;
use crate::{Commitment, Locator, PublishError};
use automl_genome::original::MAX_FILE_BYTES;
use automl_ledger::{Entry, Kind, Ledger, Name, NameError};
use std::env;
use std::ffi::OsString;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What opens places: addresses and secrets of this process's environment.
pub struct Access {
    /// The variables that begin with `AWS_`: key, region, endpoint. Without a key it is the machine's own role.
    pub s3: Vec<(String, Zeroizing<String>)>,
    /// Where the Hugging Face Hub is.
    pub hub: String,
    /// What it is shown.
    pub hub_token: Option<Zeroizing<String>>,
    /// What web servers are shown.
    pub web_token: Option<Zeroizing<String>>,
    /// Where `ledger:` leads.
    pub ledger: Option<Arc<dyn Ledger>>,
}

impl Access {
    /// Reads `AWS_…`, `HF_ENDPOINT`, `HF_TOKEN` and `PUBLISH_TOKEN`.
    pub fn from_environment(ledger: Option<Arc<dyn Ledger>>) -> Access {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let secret = |name: &str| variable(name).map(|value| Zeroizing::new(value.trim().to_owned()));
        let s3 = |(name, value): (OsString, OsString)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            name.starts_with("AWS_").then(|| (name, Zeroizing::new(value)))
        };
        Access {
            s3: env::vars_os().filter_map(s3).collect(),
            hub: variable("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned()),
            hub_token: secret("HF_TOKEN"),
            web_token: secret("PUBLISH_TOKEN"),
            ledger,
        }
    }
}

/// A place that is open.
pub struct Store {
    place: Locator,
    door: Door,
}

enum Door {
    Objects(Objects),
    Hub(Hub),
    Ledger { ledger: Arc<dyn Ledger>, scope: String },
}

impl Store {
    /// Opens a place; nothing is sent yet.
    pub fn open(place: &Locator, access: &Access) -> Result<Store, PublishError> {
        let door = match place {
            Locator::Hub { repository } => Door::Hub(Hub::new(place, repository, access)?),
            Locator::S3 { bucket, prefix } => Door::Objects(Objects::s3(place, bucket, prefix, &access.s3)?),
            Locator::Web(_) => Door::Objects(Objects::web(place, access.web_token.clone())?),
            Locator::Folder(url) => {
                let folder = url.to_file_path();
                let folder = folder.map_err(|()| PublishError::refused(place, "it is no path of this system"))?;
                Door::Objects(Objects::folder(place, &folder)?)
            }
            Locator::Ledger { scope } => {
                let ledger = access.ledger.clone();
                let ledger = ledger.ok_or_else(|| PublishError::refused(place, "there is no ledger here"))?;
                Door::Ledger { ledger, scope: scope.clone() }
            }
        };
        Ok(Store { place: place.clone(), door })
    }

    /// Puts the file of a gene there, under its commitment's hash. Done twice it is as done once.
    pub async fn put(&self, commitment: &Commitment, file: &str) -> Result<(), PublishError> {
        match &self.door {
            Door::Objects(objects) => objects.put(&name_of(commitment), file.to_owned()).await,
            Door::Hub(hub) => hub.put(file, &format!("gene {}", commitment.hash())).await,
            Door::Ledger { ledger, scope } => {
                let name = self.record(scope, commitment)?;
                let told = ledger.append(vec![Entry { name, body: file.as_bytes().to_vec() }]).await;
                told.map(drop).map_err(PublishError::from)
            }
        }
    }

    /// The file of the gene that this binds to, as it lies there: not checked, and bounded to what a gene's file may have.
    /// `None` where there is none.
    pub async fn get(&self, commitment: &Commitment) -> Result<Option<String>, PublishError> {
        let bytes = match &self.door {
            Door::Objects(objects) => objects.get(&name_of(commitment), MAX_FILE_BYTES).await?,
            Door::Hub(hub) => hub.get(MAX_FILE_BYTES).await?,
            Door::Ledger { ledger, scope } => {
                let record = ledger.get(&self.record(scope, commitment)?).await?;
                let too_large = record.as_ref().is_some_and(|record| record.body.len() > MAX_FILE_BYTES);
                if too_large {
                    return Err(PublishError::TooLarge { place: self.place.to_string(), most: MAX_FILE_BYTES });
                }
                record.map(|record| record.body)
            }
        };
        text(&self.place, bytes)
    }

    fn record(&self, scope: &str, commitment: &Commitment) -> Result<Name, PublishError> {
        let name = Name::new(Kind::Gene, scope, commitment.hash());
        name.map_err(|error: NameError| PublishError::refused(&self.place, error.to_string()))
    }
}

/// What lies there, if it is a text.
pub(crate) fn text(place: &Locator, bytes: Option<Vec<u8>>) -> Result<Option<String>, PublishError> {
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| PublishError::refused(place, "what lies there is no text"))
}

/// What a gene's file is called in stores that keep many.
pub(crate) fn name_of(commitment: &Commitment) -> String {
    format!("{}.json", commitment.hash())
}
